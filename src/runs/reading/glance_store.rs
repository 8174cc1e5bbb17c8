//! Runs at a glance: what a page about many configurations shows of each, in a number of queries that does not grow
//! with them, and that reads no more of a long history than it shows.

use std::collections::HashMap;

use chrono::Duration;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{configuration_versions, run_steps, runs, workers};
use crate::db::{Conn, on};
use crate::error::Result;
use crate::imports::Target;
use crate::runs::lifecycle::RunStatus;
use crate::runs::model::Run;
use crate::runs::restores_store::{IS_IMPORT, is_import};
use crate::runs::store::{self, numbers};

/// How many of its last runs a configuration shows.
pub const STRIP: usize = 14;

/// A run in the strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Past {
    pub run_id: i64,
    pub status: RunStatus,
    pub duration: Option<Duration>,
    pub finished_at: Option<Moment>,
}

/// What an Application's imports did since yesterday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastDay {
    pub runs: i64,
    pub failed: i64,
    pub rows_loaded: i64,
}

#[derive(QueryableByName)]
struct PastRow {
    /// Of the configuration or the set.
    #[diesel(sql_type = BigInt)]
    of_id: i64,
    #[diesel(sql_type = BigInt)]
    run_id: i64,
    #[diesel(sql_type = Text)]
    status: RunStatus,
    #[diesel(sql_type = Nullable<BigInt>)]
    started_at: Option<Moment>,
    #[diesel(sql_type = Nullable<BigInt>)]
    finished_at: Option<Moment>,
}

impl PastRow {
    /// Not known of one that ended before it began, by a clock that was set.
    fn duration(&self) -> Option<Duration> {
        Some(self.finished_at?.since(self.started_at?)).filter(|took| *took >= Duration::zero())
    }
}

/// A few runs of each of these configurations, or sets, in the order in which they ended. `pick` makes the query that answers
/// some columns of them, `x`, for `c.id`; no more than those rows are read, however long the history is.
fn of_each(conn: &mut Conn, table: &str, ids: &[i64], pick: impl Fn(&str) -> String) -> Result<Vec<PastRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let from = format!("SELECT c.id AS of_id, r.id AS run_id, r.status, r.started_at, r.finished_at FROM {table} c");
    // Numbers only, so that they may stand in the text.
    let those = format!("WHERE c.id IN ({}) ORDER BY r.finished_at, r.id", numbers(ids));
    // PostgreSQL joins sideways, and looks up no row twice; SQLite looks up by a list.
    let text = match conn {
        Conn::Pg(_) => {
            format!("{from} CROSS JOIN LATERAL ({}) r {those}", pick("x.id, x.status, x.started_at, x.finished_at"))
        }
        Conn::Sqlite(_) => format!("{from} CROSS JOIN runs r ON r.id IN ({}) {those}", pick("x.id")),
    };
    Ok(on!(conn, c => diesel::sql_query(text).load(c))?)
}

/// The last runs that ended, of each of these targets, the oldest first.
pub fn strips(conn: &mut Conn, targets: &[Target]) -> Result<HashMap<Target, Vec<Past>>> {
    let pick = |of: String| {
        move |columns: &str| {
            format!(
                "SELECT {columns} FROM runs x WHERE {of} AND x.finished_at IS NOT NULL \
                 ORDER BY x.finished_at DESC, x.id DESC LIMIT {STRIP}"
            )
        }
    };
    let configurations: Vec<i64> = targets.iter().filter_map(|target| target.configuration()).collect();
    let sets: Vec<i64> = targets.iter().filter_map(|target| target.set()).collect();
    let of_configuration = pick(format!("x.configuration_id = c.id AND {IS_IMPORT}"));
    let rows = of_each(conn, "import_configurations", &configurations, of_configuration)?;
    let rows = rows.into_iter().map(|row| (Target::Configuration(row.of_id), row));
    let of_sets = of_each(conn, "import_sets", &sets, pick("x.set_id = c.id".to_owned()))?;
    let of_sets = of_sets.into_iter().map(|row| (Target::Set(row.of_id), row));
    let mut strips = HashMap::<Target, Vec<Past>>::new();
    for (target, row) in rows.chain(of_sets) {
        let duration = row.duration();
        let PastRow { run_id, status, finished_at, .. } = row;
        strips.entry(target).or_default().push(Past { run_id, status, duration, finished_at });
    }
    Ok(strips)
}

/// How long something usually takes: the median of its last successes, ten at most, and how many those are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usual {
    pub takes: Duration,
    pub of: usize,
}

/// Of each of these configurations and sets; of one that never succeeded nothing. Of a configuration the last by id: in a
/// median it does not matter which of two ended first, and no index has to be kept for it.
pub fn usual(conn: &mut Conn, targets: &[Target]) -> Result<HashMap<Target, Usual>> {
    let configurations: Vec<i64> = targets.iter().filter_map(|target| target.configuration()).collect();
    let sets: Vec<i64> = targets.iter().filter_map(|target| target.set()).collect();
    let of_configuration = |columns: &str| {
        format!(
            "SELECT {columns} FROM runs x WHERE x.configuration_id = c.id AND x.status = 'success' AND {IS_IMPORT} \
             ORDER BY x.id DESC LIMIT 10"
        )
    };
    // No index has the successes of a set; its last runs have some.
    let of_set = |columns: &str| {
        format!(
            "SELECT {columns} FROM (SELECT y.id, y.status, y.started_at, y.finished_at FROM runs y WHERE y.set_id = c.id \
             AND y.finished_at IS NOT NULL ORDER BY y.finished_at DESC, y.id DESC LIMIT 20) x WHERE x.status = 'success'"
        )
    };
    let rows = of_each(conn, "import_configurations", &configurations, of_configuration)?;
    let rows = rows.into_iter().map(|row| (Target::Configuration(row.of_id), row));
    let of_sets = of_each(conn, "import_sets", &sets, of_set)?;
    let mut all = HashMap::<Target, Vec<Duration>>::new();
    for (target, row) in rows.chain(of_sets.into_iter().map(|row| (Target::Set(row.of_id), row))) {
        all.entry(target).or_default().extend(row.duration());
    }
    let median = |mut durations: Vec<Duration>| {
        durations.sort();
        Some(Usual { takes: *durations.get(durations.len() / 2)?, of: durations.len() })
    };
    Ok(all.into_iter().filter_map(|(target, durations)| Some((target, median(durations)?))).collect())
}

/// How long each of these configurations usually takes.
pub fn usual_durations(conn: &mut Conn, configuration_ids: &[i64]) -> Result<HashMap<i64, Duration>> {
    let targets: Vec<Target> = configuration_ids.iter().copied().map(Target::Configuration).collect();
    Ok(usual(conn, &targets)?.into_iter().map(|(target, usual)| (target.id(), usual.takes)).collect())
}

/// What of a target goes, else what waits.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    pub run_id: i64,
    pub status: RunStatus,
}

/// What is queued or running in the Application, or of one of its targets: of each the run that goes, else the one that
/// waits longest.
pub fn open_runs(conn: &mut Conn, entered: &Entered, of: Option<Target>) -> Result<HashMap<Target, Open>> {
    let open = runs::table.filter(runs::finished_at.is_null().and(is_import())).order(runs::id);
    let here = open.filter(runs::application_id.eq(entered.application.id));
    let columns = (runs::configuration_id, runs::set_id, runs::id, runs::status);
    let rows: Vec<(Option<i64>, Option<i64>, i64, RunStatus)> = match of {
        Some(Target::Configuration(id)) => here.filter(runs::configuration_id.eq(id)).select(columns).load(conn)?,
        Some(Target::Set(id)) => here.filter(runs::set_id.eq(id)).select(columns).load(conn)?,
        None => here.select(columns).load(conn)?,
    };
    let mut of_each = HashMap::new();
    for (configuration_id, set_id, run_id, status) in rows {
        let Some(target) = Target::of(configuration_id, set_id) else { continue };
        let open = of_each.entry(target).or_insert(Open { run_id, status });
        if status == RunStatus::Running && open.status != RunStatus::Running {
            *open = Open { run_id, status };
        }
    }
    Ok(of_each)
}

/// Runs by id, for a caller that has entered their Application.
pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<HashMap<i64, Run>> {
    Ok(store::by_ids(conn, ids)?.into_iter().map(|run| (run.id, run)).collect())
}

/// Whether a run loaded what it read through this Connection.
pub fn loaded_through(conn: &mut Conn, connection_id: i64) -> Result<bool> {
    use configuration_versions as v;
    let of_version = v::configuration_id.nullable().eq(runs::configuration_id);
    let of_version = of_version.and(v::version.nullable().eq(runs::configuration_version));
    let loaded = runs::status.eq_any([RunStatus::Success, RunStatus::Partial].map(RunStatus::as_str));
    let through =
        runs::table.inner_join(v::table.on(of_version)).filter(v::connection_id.eq(connection_id).and(loaded));
    Ok(through.select(runs::id).first::<i64>(conn).optional()?.is_some())
}

/// In which step each of these runs failed; of one that failed before its first nothing.
pub fn failed_steps(conn: &mut Conn, ids: &[i64]) -> Result<HashMap<i64, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let failed = run_steps::table.filter(run_steps::run_id.eq_any(ids).and(run_steps::status.eq("failed")));
    let names = failed.order(run_steps::position.desc()).select((run_steps::run_id, run_steps::name));
    Ok(names.load::<(i64, String)>(conn)?.into_iter().collect())
}

/// What an Application's imports did since yesterday.
pub fn last_day(conn: &mut Conn, entered: &Entered, now: Moment) -> Result<LastDay> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        runs: i64,
        #[diesel(sql_type = BigInt)]
        failed: i64,
        #[diesel(sql_type = BigInt)]
        rows_loaded: i64,
    }
    let query = diesel::sql_query(
        "SELECT count(*) AS runs, count(CASE WHEN r.status = 'failed' THEN 1 END) AS failed, \
         CAST(coalesce(sum(s.rows_added + s.rows_changed), 0) AS BIGINT) AS rows_loaded \
         FROM runs r LEFT JOIN run_results s ON s.run_id = r.id AND r.status IN ('success', 'partial') \
         WHERE r.application_id = $1 AND r.queued_at > $2 AND r.started_at IS NOT NULL \
         AND r.set_id IS NULL AND r.id NOT IN (SELECT run_id FROM run_restores)",
    )
    .bind::<BigInt, _>(entered.application.id)
    .bind::<BigInt, _>(now.minus(Duration::hours(24)));
    let row: Row = on!(conn, c => query.get_result(c))?;
    Ok(LastDay { runs: row.runs, failed: row.failed, rows_loaded: row.rows_loaded })
}

/// When a worker last said that it is there.
pub fn worker_seen_at(conn: &mut Conn) -> Result<Option<Moment>> {
    Ok(workers::table.select(diesel::dsl::max(workers::seen_at)).first::<Option<Moment>>(conn)?)
}
