//! The step that looks after runs whose worker was not heard of: killed, paused for too long, or cut off.
//!
//! It takes the lease over with a newer fence and shuts the old one out of the Block, then asks the ledger. What it says
//! stays true: a load that became visible ends the run as a success, one that did not is tried again, or Failed with
//! the cause "interrupted" after its attempts.

use super::deciding;
use super::ending_store::{self as ending, Back, Ending};
use super::held_store as holds;
use super::leases_store as leases;
use super::restoring;
use super::settling::{self, After};
use super::told::result_of_earlier;
use crate::app::App;
use crate::applications::blocks::ledger::{self, LedgerRow, LoadState};
use crate::applications::blocks::{generations, trial};
use crate::clock::Moment;
use crate::db::{Conn, Location};
use crate::error::{AppError, Result};
use crate::imports::guard::Stopped;
use crate::imports::pipeline::{FailureKind, LoadReport, Outcome};
use crate::runs::lifecycle::RunStatus;
use crate::runs::model::Run;
use crate::runs::policy::Policy;
use crate::runs::runnable_store as runnable;
use crate::runs::store;
use crate::words;

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rescued {
    /// The ledger knew them: their load had come to its end.
    pub finished: usize,
    pub queued_again: usize,
    /// They loaded nothing and are over: Failed, or Cancelled where somebody had asked for that.
    pub ended: usize,
    /// Staging tables that nobody fills any more.
    pub dropped: usize,
}

/// Looks after the leases that have expired.
pub fn step(app: &App) -> Result<Rescued> {
    rescue(app, false)
}

/// At the start of a process. One `serve` alone works on a SQLite directory: every lease of another worker is dead.
pub fn at_start(app: &App) -> Result<Rescued> {
    rescue(app, matches!(app.db.location(), Location::Sqlite { .. }))
}

fn rescue(app: &App, all_others: bool) -> Result<Rescued> {
    let now = app.now();
    let mut done = Rescued::default();
    let besides = all_others.then_some(app.worker.as_str());
    for lease in app.db.read(|conn| leases::expired(conn, besides, now))? {
        // A thread of this very process works on it, and prolongs its lease as soon as it can.
        if app.at_work.has(lease.0) {
            continue;
        }
        // One that cannot be rescued yet keeps none of the others waiting; its lease expires once more.
        if let Err(error) = take_over(app, lease, all_others, now, &mut done) {
            tracing::warn!(run = lease.0, %error, "a run whose worker is gone could not be rescued yet");
        }
    }
    // In this order: a load that begins in between is in neither list, and its staging table is left alone.
    let mut staged = app.blocks.read(generations::staged)?;
    staged.retain(|staged| !trial::goes_on(staged, now));
    let active = app.db.read(leases::active)?;
    done.dropped = generations::cleanup(&app.blocks, &staged, &active);
    deciding::step(app)?;
    if done.queued_again > 0 {
        app.work.notify_one();
    }
    Ok(done)
}

fn take_over(app: &App, lease: (i64, i64), all_others: bool, now: Moment, done: &mut Rescued) -> Result<()> {
    let until = now.plus(leases::lease(app));
    let taken = app.db.write(|conn| leases::take_over(conn, lease, !all_others, &app.worker, (now, until)))?;
    let Some(fence) = taken else { return Ok(()) };
    let Some(run) = app.db.read(|conn| store::by_id(conn, lease.0))? else { return Ok(()) };
    // Where one process alone serves, the other one is gone; else no more is known than that it was silent.
    let what = if all_others { "the server stopped" } else { "its worker stopped responding" };
    decide(app, &run, fence, what, done)
}

fn decide(app: &App, run: &Run, fence: i64, what: &str, done: &mut Rescued) -> Result<()> {
    let loaded: Option<LedgerRow> = app.blocks.lend(|conn| -> Result<_> {
        // Every Block that the run holds, before any is asked: what the ledger says of them then is one answer.
        let blocks: Vec<i64> = run.block_id.into_iter().collect();
        for block_id in &blocks {
            ledger::shut_out(conn, *block_id, fence)?;
        }
        let mut rows = Vec::new();
        for block_id in &blocks {
            rows.extend(ledger::ledger(conn, &run.uid, *block_id)?);
        }
        Ok(rows.into_iter().reduce(sum))
    })?;
    let now = app.now();
    // What the worker had told before it fell silent.
    let (hold, steps) = app.db.read(|conn| {
        let hold = holds::of(conn, run.id)?;
        // Of one that was approved, what it did before it was held.
        let steps = if hold.is_some() { store::all_steps(conn, run.id)? } else { store::steps(conn, run)? };
        Ok((hold, steps))
    })?;
    if hold.is_some() && loaded.as_ref().is_some_and(|row| row.state == LoadState::Held) {
        let reason = format!("Approved; {what} before the load was visible. It starts again.");
        let back = Back { reason: &reason, attempt_counts: false, wait: None, ending: None };
        done.queued_again += usize::from(app.db.write(|conn| ending::put_back(conn, run, fence, &back, now))?);
        return Ok(());
    }
    if let Some(row) = loaded {
        let visible = row.state == LoadState::Visible;
        let after = if visible { settling::settle_for(app, run, row.rejected)? } else { None };
        let mut ending = Ending { steps, ..of_ledger(row, what)? };
        if hold.is_some() && !visible {
            ending.cause = Some(holds::SUPERSEDED.to_owned());
        }
        if let Some(made_by) = run.restores.filter(|_| visible) {
            let said = restoring::said(app, run, made_by)?;
            ending.reason = words::sentences([Some(said), Some(format!("Then {what}."))]);
        }
        if let Some(After { step, remark, unsettled }) = after {
            ending.unsettled = unsettled;
            ending.steps.extend(step);
            ending.reason = words::sentences([ending.reason, remark]);
        }
        done.finished += usize::from(app.db.write(|conn| ending::end(conn, run, fence, &ending, now))?);
        if let Some(block_id) = run.block_id {
            deciding::look_after(app, block_id);
        }
        return Ok(());
    }
    let attempts = app.db.read(|conn| attempts(conn, run))?;
    let requested = app.db.read(|conn| leases::cancel_requested(conn, run.id, fence))?;
    if requested == Some(true) {
        let ending = Ending {
            status: RunStatus::Cancelled,
            reason: Some("Cancelled after its worker had stopped. The Block is unchanged.".into()),
            cause: None,
            steps,
            ..Ending::failed("")
        };
        done.ended += usize::from(app.db.write(|conn| ending::end(conn, run, fence, &ending, now))?);
    } else if run.attempt < attempts {
        let reason = format!("Attempt {} was interrupted: {what} while it ran. It starts again.", run.attempt);
        let ending = Ending { steps, ..Ending::failed("") };
        let back = Back { reason: &reason, attempt_counts: true, wait: None, ending: Some(&ending) };
        done.queued_again += usize::from(app.db.write(|conn| ending::put_back(conn, run, fence, &back, now))?);
    } else {
        let times = if run.attempt == 1 { "once".to_owned() } else { format!("{} times", run.attempt) };
        let cause = format!(
            "Interrupted: {what} while it ran. It was tried {times}; nothing was loaded, and the Block \
             is unchanged."
        );
        let ending = Ending { steps, ..Ending::failed(cause) };
        done.ended += usize::from(app.db.write(|conn| ending::end(conn, run, fence, &ending, now))?);
    }
    Ok(())
}

/// How often the version that a run follows lets it be tried; one that cannot be read fails when it begins anew.
fn attempts(conn: &mut Conn, run: &Run) -> Result<i32> {
    let Some(configuration_id) = run.configuration_id else {
        return Ok(if run.restores.is_some() { Policy::default().attempts } else { 1 });
    };
    let followed = runnable::followed(conn, configuration_id, run.configuration_version)?;
    Ok(followed.and_then(|followed| followed.policy().ok()).map_or(i32::MAX, |policy| policy.attempts))
}

/// One run's loads of several Blocks, which become visible together, counted as one.
fn sum(mut all: LedgerRow, more: LedgerRow) -> LedgerRow {
    all.read += more.read;
    all.added += more.added;
    all.changed += more.changed;
    all.removed += more.removed;
    all.unchanged += more.unchanged;
    all.rejected += more.rejected;
    all.bytes += more.bytes;
    all.told = all.told.or(more.told);
    all
}

/// The load came to its end; only its run could not say so.
fn of_ledger(row: LedgerRow, what: &str) -> Result<Ending> {
    let report = match LoadReport::from_ledger(row) {
        Ok(report) => report,
        Err(failure) if failure.kind == FailureKind::Dropped => return Ok(Ending::failed(failure.cause)),
        Err(failure) => return Err(AppError::internal(failure.detail.unwrap_or(failure.cause))),
    };
    let (status, words, held) = match report.outcome {
        Outcome::Partial => (RunStatus::Partial, "Every good row was loaded", None),
        Outcome::Held(stopped) => (RunStatus::Held, "Everything was loaded and is held", Some(stopped)),
        Outcome::Loaded | Outcome::NothingNew => (RunStatus::Success, "Everything was loaded", None),
    };
    let more = words::sentences([held.map(Stopped::remark), report.told.remark()]);
    let reason = words::sentences([Some(format!("{words}; then {what}.")), more]);
    Ok(Ending { held, status, reason, cause: None, result: Some(result_of_earlier(&report)), ..Ending::failed("") })
}
