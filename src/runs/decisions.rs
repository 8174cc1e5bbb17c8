//! What people decide about a run that the volume guard holds. One of them wins: the run is Held for the first only, and
//! the other is told what became of it. After an approval the caller rings `App::work`.

use serde_json::json;

use super::actions;
use super::model::{Hold, Run};
use super::store;
use super::working::held_store as holds;
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::{By, Scope};

/// Lets what the run holds become visible, as soon as a worker is free and nobody else writes the Block. Answers the run
/// as it stands, in the queue.
///
/// `Conflict` when it is not Held, or not any more.
pub fn approve(conn: &mut Conn, by: &By, run_id: i64, now: Moment) -> Result<Run> {
    let (run, hold) = held(conn, by, run_id, now)?;
    if !holds::approve(conn, run_id, (by.member.id, &by.member.name), now)? {
        return Err(decided(conn, run_id)?);
    }
    record(conn, by, "run.approved", (&run, &hold), now)
}

/// Ends it as Failed. What it held is dropped a moment later.
///
/// `Conflict` when it is not Held, or not any more.
pub fn reject(conn: &mut Conn, by: &By, run_id: i64, now: Moment) -> Result<Run> {
    let (run, hold) = held(conn, by, run_id, now)?;
    let cause = format!("Rejected by {}. {} The Block is unchanged.", by.member.name, hold.stopped.words());
    if !holds::turn_down(conn, run_id, &cause, now)? {
        return Err(decided(conn, run_id)?);
    }
    record(conn, by, "run.rejected", (&run, &hold), now)
}

/// A run that this member may decide about.
pub fn held(conn: &mut Conn, by: &By, run_id: i64, now: Moment) -> Result<(Run, Hold)> {
    let (run, entered) = actions::find(conn, by, run_id)?;
    entered.need_import(conn, by, Scope::Run)?;
    match run.hold {
        Some(hold) if hold.until > now => Ok((run, hold)),
        Some(_) => Err(AppError::Conflict("The 7 days in which this run could be decided are over.".into())),
        None => Err(decided(conn, run_id)?),
    }
}

/// What is told to whoever comes too late.
fn decided(conn: &mut Conn, run_id: i64) -> Result<AppError> {
    let run = store::by_id(conn, run_id)?.ok_or(AppError::NotFound)?;
    let why = run.cause.or(run.reason).map(|why| format!(" {why}")).unwrap_or_default();
    Ok(AppError::Conflict(format!("This run is not waiting for a decision: {}.{why}", run.status.words())))
}

fn record(conn: &mut Conn, by: &By, action: &'static str, (run, hold): (&Run, &Hold), now: Moment) -> Result<Run> {
    let what = json!({ "name": run.name, "rows": hold.stopped.rows, "usual": hold.stopped.usual });
    by.audit(conn, Entry::of(action, "run", run.id).application(run.application_id).after(what), now)?;
    store::by_id(conn, run.id)?.ok_or(AppError::NotFound)
}
