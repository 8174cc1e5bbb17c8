//! What becomes of a run that the volume guard holds. Approved, it is taken like any other, and what it holds becomes
//! visible; after its time, or when something newer took its place, it is Failed, and what it held is dropped.
//!
//! The Workspace's row decides who wins: it is Held for one of them only. The ledger says what happened: what it calls
//! dropped is never seen, and what it calls visible was approved.

use std::time::Instant;

use super::held_store::{self as holds, GONE, SUPERSEDED};
use super::told::step as told_step;
use super::work::{Done, Job, Undone, of_app_error};
use super::{earlier, retry::Retry};
use crate::app::App;
use crate::applications::blocks::{self, generations, ledger};
use crate::error::{AppError, Result};
use crate::imports::pipeline::{self, FailureKind, LoadContext, LoadError, Plan};
use crate::runs::model::{Hold, Run};
use crate::runs::store;
use crate::{imports, members, words};

/// The work of an approved run: what it holds becomes visible.
pub fn load(app: &App, job: &Job<'_>, hold: &Hold) -> std::result::Result<Done, Undone> {
    let began = (app.now(), Instant::now());
    let (plan, steps, by) = prepare(app, job.run, hold).map_err(|error| of_app_error(error, job.run))?;
    let key = job.run.key();
    let context = LoadContext {
        blocks: &app.blocks,
        run: &key,
        fence: job.fence,
        clock: app.clock.as_ref(),
        cancelled: job.cancelled,
        deadline: Some(job.deadline),
        progress: &|_| {},
    };
    job.board.update(|report| report.phase = "Making the load visible".into());
    (job.listen)();
    let mut report = pipeline::approve(&plan, &context).map_err(|failure| not_shown(app, job, failure))?;
    let counts = report.counts;
    report.steps.clear();
    let mut done = earlier::done(app, job, report)?;
    let what = format!("{} added, {} removed.", words::rows(counts.added), words::count(counts.removed));
    let shown = told_step("Approve", began, true, &format!("Approved by {by}. {what}"));
    done.steps = steps.into_iter().chain([shown]).chain(done.steps).collect();
    done.remark = words::sentences([Some(format!("Held by the volume guard, then approved by {by}.")), done.remark]);
    Ok(done)
}

fn prepare(app: &App, run: &Run, hold: &Hold) -> Result<(Plan, Vec<crate::runs::RunStep>, String)> {
    let (plan, steps, by) = app.db.read(|conn| {
        let (Some(configuration), Some(version)) = (run.configuration_id, run.configuration_version) else {
            return Err(AppError::NotFound);
        };
        let version = imports::version(conn, configuration, version)?.ok_or(AppError::NotFound)?;
        let block = blocks::find(conn, version.block_id)?;
        let plan = Plan::of(conn, block, &version.definition)?;
        let by = hold.approved_by.map(|id| members::by_id(conn, id)).transpose()?.flatten();
        Ok((plan, store::all_steps(conn, run.id)?, by.map_or_else(|| "a member".to_owned(), |member| member.name)))
    })?;
    // As before every load: the Block database is to mean by the Block what the Workspace means.
    blocks::keep_in_step(&app.db, &app.blocks, &plan.writes())?;
    Ok((plan, steps, by))
}

fn not_shown(app: &App, job: &Job<'_>, failure: LoadError) -> Undone {
    use FailureKind as F;
    let retry = Retry::of(&failure, false);
    match failure.kind {
        F::Dropped => Undone::new(if is_there(app, job.run) { SUPERSEDED } else { GONE }, Retry::No),
        // It may be visible after all: the rescue asks the ledger, and where it is not the run goes into the queue again.
        F::DatabaseAway | F::HeldUp | F::DeadlinePassed => Undone::new(failure.cause, Retry::Unknown),
        _ => Undone::new(failure.cause, retry),
    }
}

fn is_there(app: &App, run: &Run) -> bool {
    let block_id = run.block_id.unwrap_or_default();
    matches!(app.blocks.read(|conn| ledger::ledger(conn, &run.uid, block_id)), Ok(Some(_)))
}

/// Ends what is held of a Block, or of all, whose place something newer took.
pub fn supersede(app: &App, block_id: Option<i64>) -> Result<()> {
    let held = app.db.read(|conn| holds::undecided(conn, block_id))?;
    if held.is_empty() {
        return Ok(());
    }
    for (run_id, by_newer) in app.blocks.read(|conn| generations::superseded(conn, &held))? {
        let cause = if by_newer { SUPERSEDED } else { GONE };
        app.db.write(|conn| holds::turn_down(conn, run_id, cause, app.now()))?;
    }
    Ok(())
}

/// Looks after a Block whose run has ended and said so, for which nobody waits: what fails is left to the next step. The
/// Workspace is asked for Held runs only where one may have been superseded.
pub fn look_after(app: &App, block_id: i64) {
    if generations::tend(&app.blocks, block_id)
        && let Err(error) = supersede(app, Some(block_id))
    {
        tracing::warn!(block_id, %error, "a run that is held could not be looked after; it will be tried again");
    }
}

/// Ends what nobody decided about in time or need decide about any more, and drops what nobody holds any more.
pub fn step(app: &App) -> Result<()> {
    let now = app.now();
    for run_id in app.db.read(|conn| holds::expired(conn, now))? {
        app.db.write(|conn| holds::turn_down(conn, run_id, EXPIRED, now))?;
    }
    supersede(app, None)?;
    // In this order: what is held in between is in neither list, and is left alone.
    let held = app.blocks.read(generations::holders)?;
    if held.is_empty() {
        return Ok(());
    }
    let wanted = app.db.read(|conn| holds::may_hold(conn, &held))?;
    for (_, uid) in held.iter().filter(|(_, uid)| !wanted.contains(uid)) {
        app.blocks.lend(|conn| ledger::drop_held(conn, uid))?;
    }
    Ok(())
}

const EXPIRED: &str = "Nobody approved or rejected the load within 7 days. The rows that were held are discarded; the \
                       Block is unchanged.";
