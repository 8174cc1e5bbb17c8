//! Runs at a glance: what a page about many configurations shows of each, in a number of queries that does not grow
//! with them, and that reads no more of a long history than it shows.

use std::collections::HashMap;

use chrono::Duration;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::clock::Moment;
use crate::db::schema::{runs, workers};
use crate::db::{Conn, on};
use crate::error::Result;
use crate::runs::lifecycle::RunStatus;
use crate::runs::model::Run;
use crate::runs::store;

/// How many of its last runs a configuration shows.
pub const STRIP: usize = 14;

/// A run in the strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Past {
    pub status: RunStatus,
    pub duration: Option<Duration>,
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
    #[diesel(sql_type = BigInt)]
    configuration_id: i64,
    #[diesel(sql_type = Text)]
    status: RunStatus,
    #[diesel(sql_type = Nullable<BigInt>)]
    started_at: Option<Moment>,
    #[diesel(sql_type = Nullable<BigInt>)]
    finished_at: Option<Moment>,
}

const FROM: &str =
    "SELECT c.id AS configuration_id, r.status, r.started_at, r.finished_at FROM import_configurations c";

/// The last runs that ended, of each configuration of an Application, the oldest first.
pub fn strips(conn: &mut Conn, application_id: i64) -> Result<HashMap<i64, Vec<Past>>> {
    // The last few of each group: PostgreSQL joins sideways, SQLite looks up by a list. Each reads only those rows.
    let pick = format!(
        "SELECT x.id FROM runs x WHERE x.configuration_id = c.id AND x.finished_at IS NOT NULL \
         ORDER BY x.id DESC LIMIT {STRIP}"
    );
    const WHERE: &str = "WHERE c.application_id = $1 AND c.archived_at IS NULL ORDER BY r.id";
    let text = match conn {
        Conn::Pg(_) => {
            format!("{FROM} CROSS JOIN LATERAL ({pick}) p JOIN runs r ON r.id = p.id {WHERE}")
        }
        Conn::Sqlite(_) => format!("{FROM} CROSS JOIN runs r ON r.id IN ({pick}) {WHERE}"),
    };
    let query = diesel::sql_query(text).bind::<BigInt, _>(application_id);
    let rows: Vec<PastRow> = on!(conn, c => query.load(c))?;
    let mut strips = HashMap::<i64, Vec<Past>>::new();
    for row in rows {
        let duration = row.finished_at.and_then(|to| Some(to.since(row.started_at?)));
        strips.entry(row.configuration_id).or_default().push(Past { status: row.status, duration });
    }
    Ok(strips)
}

/// The median of the last ten successes of each of these configurations; of one that never succeeded nothing.
pub fn usual_durations(conn: &mut Conn, configuration_ids: &[i64]) -> Result<HashMap<i64, Duration>> {
    if configuration_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let pick = "SELECT x.id FROM runs x WHERE x.configuration_id = c.id AND x.status = 'success' \
                ORDER BY x.id DESC LIMIT 10";
    // Numbers only, so that they may stand in the text.
    let ids: Vec<String> = configuration_ids.iter().map(i64::to_string).collect();
    let (from, those) = (FROM, format!("WHERE c.id IN ({})", ids.join(",")));
    let text = match conn {
        Conn::Pg(_) => format!("{from} CROSS JOIN LATERAL ({pick}) p JOIN runs r ON r.id = p.id {those}"),
        Conn::Sqlite(_) => format!("{from} CROSS JOIN runs r ON r.id IN ({pick}) {those}"),
    };
    let rows: Vec<PastRow> = on!(conn, c => diesel::sql_query(text).load(c))?;
    let mut all = HashMap::<i64, Vec<Duration>>::new();
    for row in rows {
        if let (Some(from), Some(to)) = (row.started_at, row.finished_at) {
            all.entry(row.configuration_id).or_default().push(to.since(from));
        }
    }
    let median = |mut durations: Vec<Duration>| {
        durations.sort();
        durations.get(durations.len() / 2).copied()
    };
    Ok(all.into_iter().filter_map(|(id, durations)| Some((id, median(durations)?))).collect())
}

/// The last runs of one configuration that ended, the oldest first.
pub fn strip(conn: &mut Conn, configuration_id: i64) -> Result<Vec<Past>> {
    let ended: Vec<(RunStatus, Option<Moment>, Option<Moment>)> = runs::table
        .filter(runs::configuration_id.eq(configuration_id).and(runs::finished_at.is_not_null()))
        .order(runs::id.desc())
        .limit(STRIP as i64)
        .select((runs::status, runs::started_at, runs::finished_at))
        .load(conn)?;
    let past = |(status, from, to): (RunStatus, Option<Moment>, Option<Moment>)| Past {
        status,
        duration: to.and_then(|to| Some(to.since(from?))),
    };
    Ok(ended.into_iter().rev().map(past).collect())
}

/// What of one configuration is queued or running, the oldest first.
pub fn open_runs_of(conn: &mut Conn, configuration_id: i64) -> Result<Vec<Run>> {
    let ids: Vec<i64> = runs::table
        .filter(runs::configuration_id.eq(configuration_id).and(runs::finished_at.is_null()))
        .order(runs::id)
        .limit(1_000)
        .select(runs::id)
        .load(conn)?;
    oldest_first(conn, &ids)
}

/// What is queued or running in an Application, the oldest first.
pub fn open_runs(conn: &mut Conn, application_id: i64) -> Result<Vec<Run>> {
    let ids: Vec<i64> = runs::table
        .filter(runs::application_id.eq(application_id).and(runs::finished_at.is_null()))
        .order(runs::id)
        .limit(1_000)
        .select(runs::id)
        .load(conn)?;
    oldest_first(conn, &ids)
}

fn oldest_first(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Run>> {
    let mut open = store::by_ids(conn, ids)?;
    open.sort_by_key(|run| run.id);
    Ok(open)
}

/// Runs by id, for a caller that has entered their Application.
pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<HashMap<i64, Run>> {
    Ok(store::by_ids(conn, ids)?.into_iter().map(|run| (run.id, run)).collect())
}

pub fn last_day(conn: &mut Conn, application_id: i64, now: Moment) -> Result<LastDay> {
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
         WHERE r.application_id = $1 AND r.queued_at > $2 AND r.started_at IS NOT NULL",
    )
    .bind::<BigInt, _>(application_id)
    .bind::<BigInt, _>(now.minus(Duration::hours(24)));
    let row: Row = on!(conn, c => query.get_result(c))?;
    Ok(LastDay { runs: row.runs, failed: row.failed, rows_loaded: row.rows_loaded })
}

/// When a worker last said that it is there.
pub fn worker_seen_at(conn: &mut Conn) -> Result<Option<Moment>> {
    Ok(workers::table.select(diesel::dsl::max(workers::seen_at)).first::<Option<Moment>>(conn)?)
}
