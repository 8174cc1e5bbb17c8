//! Who works on a run, and until when that holds.
//!
//! Every lease has a fence, a number that only grows. What a worker writes at the end it writes only while its fence is
//! the run's; the Block database refuses an older one as well.

use chrono::Duration;

use crate::app::App;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{resource_leases, run_leases, runs, workspace};
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::runs::model::RunStep;

/// How long a lease holds without a heartbeat.
pub fn lease(app: &App) -> Duration {
    Duration::seconds(app.config.lease_seconds.into())
}

/// How often a worker says that it lives: so often that one lost heartbeat, or two, cost it nothing.
pub fn heartbeat(app: &App) -> std::time::Duration {
    std::time::Duration::from_secs(app.config.lease_seconds.into()) / 4
}

fn next_fence(conn: &mut Conn) -> Result<i64> {
    let fence = diesel::update(workspace::table).set(workspace::fence.eq(workspace::fence + 1));
    let fence: Option<i64> = fence.returning(workspace::fence).get_result(conn).optional()?;
    fence.ok_or_else(|| AppError::internal("there is no Workspace yet"))
}

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub phase: String,
    pub rows: i64,
    pub bytes: i64,
    pub bytes_total: Option<i64>,
    /// Those that have ended.
    pub steps: Vec<RunStep>,
}

/// A heartbeat: prolongs the lease until then and tells how far the run is. Answers whether somebody asked to cancel; `None` when
/// the lease is not this worker's any more.
pub fn beat(conn: &mut Conn, run_id: i64, fence: i64, report: &Report, until: Moment) -> Result<Option<bool>> {
    let mine = run_leases::table.filter(run_leases::run_id.eq(run_id).and(run_leases::fence.eq(fence)));
    Ok(diesel::update(mine)
        .set((
            run_leases::lease_until.eq(until),
            run_leases::phase.eq(&report.phase),
            run_leases::rows_done.eq(report.rows),
            run_leases::bytes_done.eq(report.bytes),
            run_leases::bytes_total.eq(report.bytes_total),
        ))
        .returning(run_leases::cancel_requested)
        .get_result(conn)
        .optional()?)
}

/// Whether somebody asked to cancel; `None` when the lease is not this worker's any more.
pub fn cancel_requested(conn: &mut Conn, run_id: i64, fence: i64) -> Result<Option<bool>> {
    Ok(run_leases::table
        .filter(run_leases::run_id.eq(run_id).and(run_leases::fence.eq(fence)))
        .select(run_leases::cancel_requested)
        .first(conn)
        .optional()?)
}

/// Gives the lease and all that came with it back, and answers whether somebody had asked to cancel; `None` when it is
/// not this worker's any more: then nothing of what it did may count.
pub fn give_back(conn: &mut Conn, run_id: i64, fence: i64) -> Result<Option<bool>> {
    // The run first, then its lease, as whoever cancels it holds them: so neither waits for the other for ever.
    db::lock_row(conn, "runs", run_id)?;
    let mine = run_leases::table.filter(run_leases::run_id.eq(run_id).and(run_leases::fence.eq(fence)));
    // What is deleted is asked, not what was read before: a cancel that came in between is in it.
    let asked: Option<bool> =
        diesel::delete(mine).returning(run_leases::cancel_requested).get_result(conn).optional()?;
    if asked.is_some() {
        diesel::delete(resource_leases::table.filter(resource_leases::run_id.eq(run_id))).execute(conn)?;
    }
    Ok(asked)
}

/// The uids of the runs that somebody works on.
pub fn active(conn: &mut Conn) -> Result<Vec<String>> {
    Ok(run_leases::table.inner_join(runs::table).select(runs::uid).load(conn)?)
}

/// Leases of workers that have not been heard of: run and fence. With `besides`, also those that still hold, of all
/// workers but that one.
pub fn expired(conn: &mut Conn, besides: Option<&str>, now: Moment) -> Result<Vec<(i64, i64)>> {
    let mut query = run_leases::table
        .select((run_leases::run_id, run_leases::fence))
        .order(run_leases::run_id)
        .into_boxed::<db::Backend>();
    query = match besides {
        Some(worker) => query.filter(run_leases::worker.ne(worker.to_owned())),
        None => query.filter(run_leases::lease_until.lt(now)),
    };
    Ok(query.load(conn)?)
}

/// Takes an expired lease over from its worker, as it was read; `None` when that worker, or another rescuer, was heard
/// of in between.
pub fn take_over(
    conn: &mut Conn,
    (run_id, fence): (i64, i64),
    only_expired: bool,
    worker: &str,
    (now, until): (Moment, Moment),
) -> Result<Option<i64>> {
    let next = next_fence(conn)?;
    let latest = if only_expired { now } else { Moment::from_micros(i64::MAX) };
    let theirs = run_leases::table
        .filter(run_leases::run_id.eq(run_id).and(run_leases::fence.eq(fence)))
        .filter(run_leases::lease_until.lt(latest));
    let changed = diesel::update(theirs)
        .set((run_leases::fence.eq(next), run_leases::worker.eq(worker), run_leases::lease_until.eq(until)))
        .execute(conn)?;
    Ok((changed == 1).then_some(next))
}
