//! Which runs are old enough, and taking them out of the Workspace's tables.

use chrono::Duration;
use diesel::sql_types::{BigInt, Text};

use super::{DAYS, NEWEST};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{
    freeze_skips, import_configurations, outcomes, run_counts, run_intents, run_log, run_restores, run_results,
    run_steps, runs, set_run_steps, set_runs,
};
use crate::db::{Conn, IdRow, on};
use crate::error::Result;
use crate::files::kept;
use crate::imports::Target;
use crate::runs::restores_store::is_import;
use crate::runs::store::numbers;

/// Where in the order in which its runs ended one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub finished_at: i64,
    pub id: i64,
}

impl Default for Place {
    /// Before all.
    fn default() -> Self {
        Self { finished_at: i64::MIN, id: 0 }
    }
}

/// A run that may go.
#[derive(Clone, Debug)]
pub struct Expired {
    pub id: i64,
    pub uid: String,
    pub place: Place,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    uid: String,
    #[diesel(sql_type = BigInt)]
    finished_at: i64,
}

/// That no other row needs the run `r`.
const FREE: &str = "NOT EXISTS (SELECT 1 FROM runs a WHERE a.again_of = r.id) \
     AND NOT EXISTS (SELECT 1 FROM runs p WHERE p.parent_id = r.id) \
     AND NOT EXISTS (SELECT 1 FROM run_leases l WHERE l.run_id = r.id) \
     AND NOT EXISTS (SELECT 1 FROM resource_leases l WHERE l.run_id = r.id) \
     AND NOT EXISTS (SELECT 1 FROM import_configurations c WHERE c.id = r.configuration_id AND c.status_run_id = r.id) \
     AND NOT EXISTS (SELECT 1 FROM import_sets s WHERE s.id = r.set_id AND s.status_run_id = r.id)";

/// By which column of `r` the runs of a target are found.
fn of(target: Target) -> String {
    match target {
        Target::Configuration(id) => format!("r.configuration_id = {id}"),
        Target::Set(id) => format!("r.set_id = {id}"),
    }
}

/// The configurations and sets, deleted ones too, of which a run ended so long ago that it may be too old; the sets last,
/// whose steps go before them.
pub fn with_old_runs(conn: &mut Conn, now: Moment) -> Result<Vec<Target>> {
    let mut found = Vec::new();
    for (table, column, target) in [
        ("import_configurations", "configuration_id", Target::Configuration as fn(i64) -> Target),
        ("import_sets", "set_id", Target::Set),
    ] {
        let query = diesel::sql_query(format!(
            "SELECT c.id FROM {table} c WHERE EXISTS \
             (SELECT 1 FROM runs r WHERE r.{column} = c.id AND r.finished_at < $1) ORDER BY c.id"
        ))
        .bind::<BigInt, _>(now.minus(Duration::days(DAYS)));
        let rows: Vec<IdRow> = on!(conn, c => query.load(c))?;
        found.extend(rows.into_iter().map(|row| target(row.id)));
    }
    Ok(found)
}

/// The next runs of a target that may go, after a place; those that ended first come first.
pub fn expired(conn: &mut Conn, target: Target, now: Moment, after: Place, limit: i64) -> Result<Vec<Expired>> {
    let Some(newest) = nth_newest(conn, target, NEWEST)? else { return Ok(Vec::new()) };
    // What failed is old only where there are twice as many.
    let failed_too = nth_newest(conn, target, 2 * NEWEST)?.unwrap_or_default();
    let ended_before = |days: i64| now.minus(Duration::days(days)).micros();
    let before = |place: Place, days: i64| {
        format!(
            "r.finished_at < {} AND (r.finished_at, r.id) < ({}, {})",
            ended_before(days),
            place.finished_at,
            place.id
        )
    };
    let query = diesel::sql_query(format!(
        "SELECT r.id, r.uid, r.finished_at FROM runs r WHERE {} AND {} \
         AND (r.finished_at, r.id) > ({}, {}) AND (r.status IN ('success', 'cancelled', 'skipped', 'missed') \
         OR (r.status IN ('failed', 'partial') AND {})) AND {FREE} ORDER BY r.finished_at, r.id LIMIT {limit}",
        of(target),
        before(newest, DAYS),
        after.finished_at,
        after.id,
        before(failed_too, 2 * DAYS),
    ));
    let rows: Vec<Row> = on!(conn, c => query.load(c))?;
    let expired =
        |row: Row| Expired { id: row.id, uid: row.uid, place: Place { finished_at: row.finished_at, id: row.id } };
    Ok(rows.into_iter().map(expired).collect())
}

/// Where the n-th newest of the runs stands that ended; none where there are fewer.
fn nth_newest(conn: &mut Conn, target: Target, n: i64) -> Result<Option<Place>> {
    // A restore goes by the same rule, and takes no import's place.
    let ended = || {
        runs::table
            .filter(runs::finished_at.is_not_null().and(is_import()))
            .order((runs::finished_at.desc(), runs::id.desc()))
            .offset(n - 1)
            .limit(1)
            .select((runs::id, runs::finished_at))
    };
    let found: Option<(i64, Option<Moment>)> = match target {
        Target::Configuration(id) => ended().filter(runs::configuration_id.eq(id)).first(conn).optional()?,
        Target::Set(id) => ended().filter(runs::set_id.eq(id)).first(conn).optional()?,
    };
    Ok(found.and_then(|(id, at)| Some(Place { finished_at: at?.micros(), id })))
}

/// The newest runs of an Application that were queued up to a moment and have come to their end.
pub fn of_application(conn: &mut Conn, application_id: i64, until: Moment, limit: i64) -> Result<Vec<Expired>> {
    let query = diesel::sql_query(format!(
        "SELECT r.id, r.uid, coalesce(r.finished_at, 0) AS finished_at FROM runs r WHERE r.application_id = $1 \
         AND r.queued_at <= $2 AND r.status NOT IN ('queued', 'running', 'held') AND {FREE} \
         ORDER BY r.id DESC LIMIT {limit}"
    ))
    .bind::<BigInt, _>(application_id)
    .bind::<BigInt, _>(until.micros());
    let rows: Vec<Row> = on!(conn, c => query.load(c))?;
    let expired =
        |row: Row| Expired { id: row.id, uid: row.uid, place: Place { finished_at: row.finished_at, id: row.id } };
    Ok(rows.into_iter().map(expired).collect())
}

/// How often the runs of an Application ended how is not known any more.
pub fn forget_counts(conn: &mut Conn, application_id: i64) -> Result<()> {
    diesel::delete(run_counts::table.filter(run_counts::application_id.eq(application_id))).execute(conn)?;
    Ok(())
}

/// Takes these runs out, with all that the Workspace's tables keep of them, but for what somebody has come to need since
/// they were chosen. Answers how many went.
pub fn remove(conn: &mut Conn, ids: &[i64]) -> Result<usize> {
    let still = diesel::sql_query(format!("SELECT r.id FROM runs r WHERE r.id IN ({}) AND {FREE}", numbers(ids)));
    let rows: Vec<IdRow> = on!(conn, c => still.load(c))?;
    let ids: Vec<i64> = rows.into_iter().map(|row| row.id).collect();
    diesel::delete(run_intents::table.filter(run_intents::run_id.eq_any(&ids))).execute(conn)?;
    diesel::delete(outcomes::table.filter(outcomes::run_id.eq_any(&ids))).execute(conn)?;
    diesel::delete(freeze_skips::table.filter(freeze_skips::run_id.eq_any(&ids))).execute(conn)?;
    diesel::delete(run_log::table.filter(run_log::run_id.eq_any(&ids))).execute(conn)?;
    diesel::delete(run_restores::table.filter(run_restores::run_id.eq_any(&ids))).execute(conn)?;
    diesel::delete(run_steps::table.filter(run_steps::run_id.eq_any(&ids))).execute(conn)?;
    diesel::delete(set_run_steps::table.filter(set_run_steps::run_id.eq_any(&ids))).execute(conn)?;
    diesel::delete(set_runs::table.filter(set_runs::run_id.eq_any(&ids))).execute(conn)?;
    // How a step ended stands with its set, for when its own run is gone.
    diesel::update(set_run_steps::table.filter(set_run_steps::step_run_id.eq_any(&ids)))
        .set(set_run_steps::step_run_id.eq(None::<i64>))
        .execute(conn)?;
    diesel::delete(run_results::table.filter(run_results::run_id.eq_any(&ids))).execute(conn)?;
    Ok(diesel::delete(runs::table.filter(runs::id.eq_any(&ids))).execute(conn)?)
}

/// No run of an import that was deleted comes to look after its files.
pub fn forget_intents_of_deleted(conn: &mut Conn) -> Result<()> {
    let deleted = import_configurations::table
        .filter(import_configurations::archived_at.is_not_null())
        .select(import_configurations::id);
    diesel::delete(run_intents::table.filter(run_intents::configuration_id.eq_any(deleted))).execute(conn)?;
    Ok(())
}

/// Those of these files that a run names, or that are kept.
pub fn files_in_use(conn: &mut Conn, file_ids: &[i64]) -> Result<Vec<i64>> {
    let used: Vec<Option<i64>> =
        runs::table.filter(runs::file_id.eq_any(file_ids)).select(runs::file_id).distinct().load(conn)?;
    let mut used: Vec<i64> = used.into_iter().flatten().collect();
    used.extend(kept::named(conn, file_ids)?);
    Ok(used)
}
