//! What somebody who waits for a run asks: whether one ended well since, when what goes will end, what goes much too long,
//! what waits much too long to begin.

use std::collections::HashMap;

use chrono::Duration;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::glance_store::Usual;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::runs;
use crate::db::{Conn, on};
use crate::error::Result;
use crate::imports::Target;
use crate::runs::lifecycle::RunStatus;
use crate::runs::model::Run;
use crate::runs::restores_store::{IS_IMPORT, is_import};
use crate::runs::store::{self, numbers};

/// A run that ended with Success or Partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Good {
    pub run_id: i64,
    pub at: Moment,
    pub partial: bool,
    pub planned_at: Option<Moment>,
}

#[derive(QueryableByName)]
struct GoodRow {
    #[diesel(sql_type = BigInt)]
    of_id: i64,
    #[diesel(sql_type = BigInt)]
    run_id: i64,
    #[diesel(sql_type = Text)]
    status: RunStatus,
    #[diesel(sql_type = BigInt)]
    finished_at: Moment,
    #[diesel(sql_type = Nullable<BigInt>)]
    planned_at: Option<Moment>,
}

/// The first run of each of these that ended well after an instant. What has none costs next to nothing, however often it
/// failed since.
pub fn first_good(conn: &mut Conn, after: &[(Target, Moment)]) -> Result<HashMap<Target, Good>> {
    let of = |id: fn(Target) -> Option<i64>| -> Vec<(i64, Moment)> {
        after.iter().filter_map(|(target, after)| Some((id(*target)?, *after))).collect()
    };
    let mut found = HashMap::new();
    let configurations = with_newer(conn, of(Target::configuration))?;
    for row in first(conn, &configurations, &format!("x.configuration_id = v.column1 AND {IS_IMPORT}"))? {
        found.insert(Target::Configuration(row.of_id), row.into());
    }
    for row in first(conn, &of(Target::set), "x.set_id = v.column1")? {
        found.insert(Target::Set(row.of_id), row.into());
    }
    Ok(found)
}

/// Those configurations whose newest good run ended after the instant: the index by status has it, and the walk through what
/// ended since is left to those that have something to find.
fn with_newer(conn: &mut Conn, mut after: Vec<(i64, Moment)>) -> Result<Vec<(i64, Moment)>> {
    #[derive(QueryableByName)]
    struct Newest {
        #[diesel(sql_type = BigInt)]
        of_id: i64,
        #[diesel(sql_type = Nullable<BigInt>)]
        finished_at: Option<Moment>,
    }
    if after.is_empty() {
        return Ok(after);
    }
    let ids: Vec<i64> = after.iter().map(|(id, _)| *id).collect();
    let newest = |status: &str| {
        format!("(SELECT max(x.id) FROM runs x WHERE x.configuration_id = c.id AND x.status = '{status}')")
    };
    let those = format!("WHERE c.id IN ({})", numbers(&ids));
    let of = |status| {
        let from = format!("import_configurations c JOIN runs r ON r.id = {}", newest(status));
        format!("SELECT c.id AS of_id, r.finished_at FROM {from} {those}")
    };
    let query = diesel::sql_query(format!("{} UNION ALL {}", of("success"), of("partial")));
    let rows: Vec<Newest> = on!(conn, c => query.load(c))?;
    after.retain(|(id, after)| rows.iter().any(|row| row.of_id == *id && row.finished_at > Some(*after)));
    Ok(after)
}

/// `of`: that a run `x` is of the thing `v.column1`.
fn first(conn: &mut Conn, after: &[(i64, Moment)], of: &str) -> Result<Vec<GoodRow>> {
    if after.is_empty() {
        return Ok(Vec::new());
    }
    // Numbers only, so that they may stand in the text.
    let values: Vec<String> = after.iter().map(|(id, at)| format!("({id}, {})", at.micros())).collect();
    let values = values.join(", ");
    let pick = format!(
        "SELECT x.id FROM runs x WHERE {of} AND x.finished_at > v.column2 AND x.status IN ('success', 'partial') \
         ORDER BY x.finished_at LIMIT 1"
    );
    let shown = "SELECT CAST(v.column1 AS BIGINT) AS of_id, r.id AS run_id, r.status, r.finished_at, r.planned_at";
    let text = match conn {
        Conn::Pg(_) => {
            format!("{shown} FROM (VALUES {values}) AS v CROSS JOIN LATERAL ({pick}) p JOIN runs r ON r.id = p.id")
        }
        Conn::Sqlite(_) => format!("{shown} FROM (VALUES {values}) AS v CROSS JOIN runs r ON r.id IN ({pick})"),
    };
    Ok(on!(conn, c => diesel::sql_query(text).load(c))?)
}

impl From<GoodRow> for Good {
    fn from(row: GoodRow) -> Self {
        let partial = row.status == RunStatus::Partial;
        Self { run_id: row.run_id, at: row.finished_at, partial, planned_at: row.planned_at }
    }
}

/// When what goes or waits of each of these is expected to end, by what it usually takes: of several the first.
pub fn expected_ends(
    conn: &mut Conn,
    targets: &[Target],
    usual: &HashMap<Target, Usual>,
    now: Moment,
) -> Result<HashMap<Target, Moment>> {
    type Row = (Option<i64>, Option<i64>, RunStatus, Option<Moment>, Option<Moment>);
    let open = runs::table.filter(runs::finished_at.is_null().and(is_import()));
    let open = open.select((runs::configuration_id, runs::set_id, runs::status, runs::started_at, runs::available_at));
    let configurations: Vec<i64> = targets.iter().filter_map(|target| target.configuration()).collect();
    let sets: Vec<i64> = targets.iter().filter_map(|target| target.set()).collect();
    let mut rows: Vec<Row> = Vec::new();
    if !configurations.is_empty() {
        rows.extend(open.filter(runs::configuration_id.eq_any(configurations)).load::<Row>(conn)?);
    }
    if !sets.is_empty() {
        rows.extend(open.filter(runs::set_id.eq_any(sets)).load::<Row>(conn)?);
    }
    let mut ends = HashMap::new();
    for (configuration_id, set_id, status, started_at, available_at) in rows {
        let Some(target) = Target::of(configuration_id, set_id) else { continue };
        let takes = usual.get(&target).map_or(Duration::zero(), |usual| usual.takes);
        let begins = match status {
            RunStatus::Running => started_at.unwrap_or(now),
            _ => available_at.unwrap_or(now).max(now),
        };
        let end = begins.plus(takes).max(now);
        let first = ends.entry(target).or_insert(end);
        *first = end.min(*first);
    }
    Ok(ends)
}

/// What runs since before an instant, steps of sets left out: their set is what is watched. A hundred at most, in the order of
/// the index of what is under way: by id, SQLite would read every run.
pub fn running_since(conn: &mut Conn, before: Moment) -> Result<Vec<Run>> {
    let open = runs::finished_at.is_null().and(runs::parent_id.is_null());
    let since = runs::status.eq(RunStatus::Running).and(runs::started_at.lt(before));
    let long = runs::table.filter(open.and(since)).order((runs::application_id, runs::id)).limit(100);
    let ids: Vec<i64> = long.select(runs::id).load(conn)?;
    store::by_ids(conn, &ids)
}

/// What a schedule queued before an instant and nobody has begun. A hundred at most.
pub fn waiting_since(conn: &mut Conn, before: Moment) -> Result<Vec<Run>> {
    let open = runs::finished_at.is_null().and(runs::parent_id.is_null()).and(runs::schedule_id.is_not_null());
    let since = runs::status.eq(RunStatus::Queued).and(runs::attempt.eq(0)).and(runs::queued_at.lt(before));
    let long = runs::table.filter(open.and(since)).order((runs::application_id, runs::id)).limit(100);
    let ids: Vec<i64> = long.select(runs::id).load(conn)?;
    store::by_ids(conn, &ids)
}
