//! What goes on across several Applications, for a page about all of them: in a number of queries that grows neither
//! with them nor with their history. The caller has entered each of them.

use std::collections::HashMap;

use chrono::Duration;
use diesel::sql_types::{BigInt, Text};

use super::counts_store;
use super::glance_store::{self as glance, STRIP};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{import_configurations, import_sets, runs, set_run_steps};
use crate::db::{Conn, IdRow, on};
use crate::error::Result;
use crate::imports::Target;
use crate::runs::lifecycle::RunStatus;
use crate::runs::model::Run;
use crate::runs::restores_store::is_import;
use crate::runs::store::numbers;

/// What needs somebody: an import or a set whose latest run did not load all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub application_id: i64,
    pub target: Target,
    pub name: String,
    pub run_id: i64,
    /// When that run ended.
    pub at: Moment,
}

/// What went wrong last, the latest first; `limit` of them.
pub fn troubles(conn: &mut Conn, application_ids: &[i64], limit: i64) -> Result<Vec<Trouble>> {
    use {import_configurations as c, import_sets as s};
    type Row = (i64, i64, String, Option<i64>, Option<Moment>);
    let wanted = || [RunStatus::Failed, RunStatus::Partial, RunStatus::Held].map(RunStatus::as_str);
    let here = c::application_id.eq_any(application_ids).and(c::archived_at.is_null());
    let configurations: Vec<Row> = c::table
        .filter(here.and(c::status.eq_any(wanted())))
        .order((c::status_at.desc(), c::id.desc()))
        .limit(limit)
        .select((c::application_id, c::id, c::name, c::status_run_id, c::status_at))
        .load(conn)?;
    let here = s::application_id.eq_any(application_ids).and(s::archived_at.is_null());
    let sets: Vec<Row> = s::table
        .filter(here.and(s::status.eq_any(wanted())))
        .order((s::status_at.desc(), s::id.desc()))
        .limit(limit)
        .select((s::application_id, s::id, s::name, s::status_run_id, s::status_at))
        .load(conn)?;
    let configurations = configurations.into_iter().map(|row| (Target::Configuration(row.1), row));
    let sets = sets.into_iter().map(|row| (Target::Set(row.1), row));
    let trouble = |(target, (application_id, _, name, run_id, at)): (Target, Row)| {
        Some(Trouble { application_id, target, name, run_id: run_id?, at: at? })
    };
    let mut all: Vec<Trouble> = configurations.chain(sets).filter_map(trouble).collect();
    all.sort_by_key(|trouble| std::cmp::Reverse((trouble.at, trouble.run_id)));
    all.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(all)
}

/// Occurrences since then that did not run, and that no later run covered, the latest first; `limit` of them.
pub fn missed(conn: &mut Conn, application_ids: &[i64], since: Moment, limit: i64) -> Result<Vec<i64>> {
    // A range by the index on ends of ranges, one by the calendar's: both lie in order of time.
    let query = diesel::sql_query(format!(
        "SELECT id FROM (SELECT r.id FROM runs r WHERE r.application_id IN ({those}) AND r.status = 'missed' \
         AND coalesce(r.planned_at, r.queued_at) >= $1 AND r.planned_until IS NULL \
         UNION ALL SELECT r.id FROM runs r WHERE r.application_id IN ({those}) AND r.planned_until >= $2 \
         AND r.planned_until IS NOT NULL AND r.status || '' = 'missed') m \
         WHERE EXISTS (SELECT 1 FROM outcomes o WHERE o.run_id = m.id) ORDER BY id DESC LIMIT {limit}",
        those = numbers(application_ids)
    ))
    .bind::<BigInt, _>(since)
    .bind::<BigInt, _>(since);
    let ids: Vec<IdRow> = on!(conn, c => query.load(c))?;
    Ok(ids.into_iter().map(|row| row.id).collect())
}

/// What was asked for since then, the newest first: `limit` of each Application are looked at, and of all. What is done in
/// a set is the set's.
pub fn since(conn: &mut Conn, application_ids: &[i64], from: Moment, limit: i64) -> Result<Vec<Run>> {
    newest_that(conn, application_ids, "x.trigger_kind || '' <> 'set'", from, limit)
}

/// What has begun by schedule since then, in the same way: however much was started by hand, or did not run.
pub fn begun_by_schedule(conn: &mut Conn, application_ids: &[i64], from: Moment, limit: i64) -> Result<Vec<Run>> {
    let begun = "x.trigger_kind || '' = 'schedule' AND x.started_at IS NOT NULL";
    newest_that(conn, application_ids, begun, from, limit)
}

fn newest_that(
    conn: &mut Conn,
    application_ids: &[i64],
    wanted: &'static str,
    from: Moment,
    limit: i64,
) -> Result<Vec<Run>> {
    // No more of a long history is read than can be shown.
    let pick = format!(
        "SELECT x.id FROM runs x WHERE x.application_id = a.id AND x.queued_at >= {} AND {wanted} \
         ORDER BY x.queued_at DESC LIMIT {limit}",
        from.micros()
    );
    let those =
        format!("WHERE a.id IN ({}) ORDER BY r.queued_at DESC, r.id DESC LIMIT {limit}", numbers(application_ids));
    let text = match conn {
        Conn::Pg(_) => {
            format!("SELECT r.id FROM applications a CROSS JOIN LATERAL ({pick}) p JOIN runs r ON r.id = p.id {those}")
        }
        Conn::Sqlite(_) => {
            format!("SELECT r.id FROM applications a CROSS JOIN runs r ON r.id IN ({pick}) {those}")
        }
    };
    let rows: Vec<IdRow> = on!(conn, c => diesel::sql_query(text).load(c))?;
    let ids: Vec<i64> = rows.into_iter().map(|row| row.id).collect();
    let mut runs = glance::by_ids(conn, &ids)?;
    Ok(ids.iter().filter_map(|id| runs.remove(id)).collect())
}

/// What goes or waits: what goes first, then what waits longest; of a set the set alone. `limit` of them.
pub fn under_way(conn: &mut Conn, application_ids: &[i64], limit: i64) -> Result<Vec<i64>> {
    let open = runs::finished_at.is_null().and(runs::parent_id.is_null()).and(is_import());
    Ok(runs::table
        .filter(runs::application_id.eq_any(application_ids).and(open))
        // Running comes before Queued from behind. Joined to nothing, or SQLite reads the whole history by an index on
        // statuses for the sake of their order, where one Application is asked about.
        .order((runs::status.concat("").desc(), runs::id))
        .limit(limit)
        .select(runs::id)
        .load(conn)?)
}

/// How many of them go and wait in each Application.
pub fn under_way_counts(conn: &mut Conn, application_ids: &[i64]) -> Result<HashMap<i64, (i64, i64)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        application_id: i64,
        #[diesel(sql_type = Text)]
        status: RunStatus,
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    // By the index on what is under way: that on statuses has the whole history in it.
    let query = diesel::sql_query(format!(
        "SELECT r.application_id, r.status || '' AS status, count(*) AS count FROM runs r \
         WHERE r.application_id IN ({}) AND r.finished_at IS NULL AND r.parent_id IS NULL \
         AND r.id NOT IN (SELECT run_id FROM run_restores) GROUP BY r.application_id, r.status || ''",
        numbers(application_ids)
    ));
    let rows: Vec<Row> = on!(conn, c => query.load(c))?;
    let mut counts = HashMap::<i64, (i64, i64)>::new();
    for Row { application_id, status, count } in rows {
        let (going, waiting) = counts.entry(application_id).or_default();
        match status {
            RunStatus::Running => *going += count,
            _ => *waiting += count,
        }
    }
    Ok(counts)
}

/// How many runs ended with each status, planned or asked for from one whole quarter of an hour to another.
pub fn ended(
    conn: &mut Conn,
    application_ids: &[i64],
    (from, to): (Moment, Moment),
) -> Result<HashMap<RunStatus, i64>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        status: RunStatus,
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let query = diesel::sql_query(counts_store::ended_across(application_ids, from, to));
    let rows: Vec<Row> = on!(conn, c => query.load(c))?;
    Ok(rows.into_iter().map(|row| (row.status, row.count)).collect())
}

/// How many steps of these runs of sets have ended, and of how many.
pub fn steps_done(conn: &mut Conn, run_ids: &[i64]) -> Result<HashMap<i64, (i64, i64)>> {
    if run_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, Option<RunStatus>, Option<RunStatus>)> = set_run_steps::table
        .left_join(runs::table.on(runs::id.nullable().eq(set_run_steps::step_run_id)))
        .filter(set_run_steps::run_id.eq_any(run_ids))
        .select((set_run_steps::run_id, set_run_steps::status, runs::status.nullable()))
        .load(conn)?;
    let mut done = HashMap::<i64, (i64, i64)>::new();
    for (run_id, noted, now) in rows {
        let (ended, all) = done.entry(run_id).or_default();
        *all += 1;
        *ended += i64::from(noted.or(now).is_some_and(|status| !status.is_open()));
    }
    Ok(done)
}

/// The usual duration of each of these, a set too: the median of its last successes.
pub fn usual_durations(conn: &mut Conn, targets: &[Target]) -> Result<HashMap<Target, Duration>> {
    let configurations: Vec<i64> = targets.iter().filter_map(|target| target.configuration()).collect();
    let sets: Vec<Target> = targets.iter().copied().filter(|target| target.set().is_some()).collect();
    let of_each = glance::usual_durations(conn, &configurations)?;
    let mut usual: HashMap<Target, Duration> =
        of_each.into_iter().map(|(id, took)| (Target::Configuration(id), took)).collect();
    if sets.is_empty() {
        return Ok(usual);
    }
    // Of a set no index has the successes: those among its last runs tell.
    const _: () = assert!(STRIP >= 10);
    for (target, past) in glance::strips(conn, &sets)? {
        let good = past.into_iter().filter(|past| past.status == RunStatus::Success);
        let mut took: Vec<Duration> = good.filter_map(|past| past.duration).collect();
        took.sort();
        usual.extend(took.get(took.len() / 2).map(|took| (target, *took)));
    }
    Ok(usual)
}
