//! Who works on a run, until when that holds, and what the run may have for itself meanwhile: the writing of its Block,
//! a file of a Connection, one of a Connection's four places.
//!
//! Every lease has a fence, a number that only grows. What a worker writes at the end it writes only while its fence is
//! the run's; the Block database refuses an older one as well.

use std::collections::HashMap;

use chrono::Duration;
use diesel::prelude::*;

use crate::app::App;
use crate::clock::Moment;
use crate::db::schema::{resource_leases, run_leases, runs, workspace};
use crate::db::{self, Conn, on};
use crate::error::{AppError, Result};
use crate::runs::lifecycle::RunStatus;
use crate::runs::store::Target;

/// How long a lease holds without a heartbeat.
pub fn lease(app: &App) -> Duration {
    Duration::seconds(app.config.lease_seconds.into())
}

/// How often a worker says that it lives: so often that one lost heartbeat, or two, cost it nothing.
pub fn heartbeat(app: &App) -> std::time::Duration {
    std::time::Duration::from_secs(app.config.lease_seconds.into()) / 4
}

/// How many runs one Connection bears at a time.
const PLACES: i32 = 4;

/// Something that only so many runs may have at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Need {
    kind: &'static str,
    resource: String,
    places: i32,
}

/// The places that are taken, by kind and resource.
pub type Held = HashMap<(String, String), Vec<i32>>;

impl Need {
    /// All that a run of this configuration needs; by hand given files need no Connection.
    pub fn of(target: &Target, path: Option<&str>, by_file: bool) -> Vec<Self> {
        let mut needs = vec![Self { kind: "block", resource: target.block_id.to_string(), places: 1 }];
        if let Some(connection) = target.connection_id.filter(|_| !by_file) {
            if let Some(path) = path {
                needs.push(Self { kind: "file", resource: format!("{connection}:{path}"), places: 1 });
            }
            needs.push(Self { kind: "connection", resource: connection.to_string(), places: PLACES });
        }
        needs
    }

    fn free_place(&self, held: &Held) -> Option<i32> {
        let taken = held.get(&(self.kind.to_owned(), self.resource.clone()));
        (0..self.places).find(|place| taken.is_none_or(|taken| !taken.contains(place)))
    }

    /// Why a run waits when there is no free place; `None` when there is one.
    pub fn wait(&self, held: &Held) -> Option<&'static str> {
        if self.free_place(held).is_some() {
            return None;
        }
        Some(match self.kind {
            "block" => "Waits for another run of this Block.",
            "file" => "Waits for another run that reads the same file.",
            _ => "Waits for a free place: four runs use this Connection.",
        })
    }

    /// Counts it as taken, so that the next in line sees it.
    pub fn take(&self, held: &mut Held) {
        if let Some(place) = self.free_place(held) {
            held.entry((self.kind.to_owned(), self.resource.clone())).or_default().push(place);
        }
    }
}

/// What is taken now.
pub fn held(conn: &mut Conn) -> Result<Held> {
    let rows: Vec<(String, String, i32)> = resource_leases::table
        .select((resource_leases::kind, resource_leases::resource, resource_leases::place))
        .load(conn)?;
    let mut held = Held::new();
    for (kind, resource, place) in rows {
        held.entry((kind, resource)).or_default().push(place);
    }
    Ok(held)
}

/// Takes a queued run for this worker until then, with all that it needs, and answers the fence; `None` when somebody
/// else was quicker with one of these.
pub fn take(
    conn: &mut Conn,
    run_id: i64,
    target: Option<&Target>,
    needs: &[Need],
    worker: &str,
    (now, until): (Moment, Moment),
) -> Result<Option<i64>> {
    // From here on nobody else takes this run, and what it is given back is its own.
    db::lock_row(conn, "runs", run_id)?;
    let status: Option<RunStatus> = runs::table.find(run_id).select(runs::status).first(conn).optional()?;
    if status != Some(RunStatus::Queued) {
        return Ok(None);
    }
    let held = held(conn)?;
    for need in needs {
        let Some(place) = need.free_place(&held) else { return give_up(conn, run_id) };
        let values = (
            resource_leases::kind.eq(need.kind),
            resource_leases::resource.eq(&need.resource),
            resource_leases::place.eq(place),
            resource_leases::run_id.eq(run_id),
        );
        // Another process may be taking it in this very moment: then this waits for it, and finds it taken.
        let taken = on!(conn, c => diesel::insert_into(resource_leases::table).values(values).on_conflict_do_nothing().execute(c))?;
        if taken == 0 {
            return give_up(conn, run_id);
        }
    }
    let fence = next_fence(conn)?;
    diesel::update(runs::table.find(run_id))
        .set((
            runs::status.eq(RunStatus::Running),
            runs::started_at.eq(now),
            runs::attempt.eq(runs::attempt + 1),
            runs::available_at.eq(None::<Moment>),
            runs::waiting_key.eq(None::<String>),
            runs::reason.eq(None::<String>),
        ))
        .execute(conn)?;
    if let Some(target) = target {
        diesel::update(runs::table.find(run_id))
            .set((runs::configuration_version.eq(target.version), runs::block_id.eq(target.block_id)))
            .execute(conn)?;
    }
    diesel::insert_into(run_leases::table)
        .values((
            run_leases::run_id.eq(run_id),
            run_leases::worker.eq(worker),
            run_leases::fence.eq(fence),
            run_leases::lease_until.eq(until),
            run_leases::phase.eq("Starting"),
        ))
        .execute(conn)?;
    Ok(Some(fence))
}

fn give_up(conn: &mut Conn, run_id: i64) -> Result<Option<i64>> {
    free_resources(conn, run_id)?;
    Ok(None)
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

/// Gives the lease and all that came with it back; `false` when it is not this worker's any more: then nothing of
/// what it did may count.
pub fn give_back(conn: &mut Conn, run_id: i64, fence: i64) -> Result<bool> {
    // The run first, then its lease, as whoever cancels it holds them: so neither waits for the other for ever.
    db::lock_row(conn, "runs", run_id)?;
    let mine = run_leases::table.filter(run_leases::run_id.eq(run_id).and(run_leases::fence.eq(fence)));
    if diesel::delete(mine).execute(conn)? == 0 {
        return Ok(false);
    }
    free_resources(conn, run_id)?;
    Ok(true)
}

fn free_resources(conn: &mut Conn, run_id: i64) -> Result<()> {
    diesel::delete(resource_leases::table.filter(resource_leases::run_id.eq(run_id))).execute(conn)?;
    Ok(())
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
