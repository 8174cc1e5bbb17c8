//! What an earlier attempt of a run had loaded, whose answer was lost on the way: the ledger knows.

use super::settling;
use super::told::{loaded, result_of_earlier};
use super::work::{Done, Job, Retry, Undone, of_app_error};
use crate::app::App;
use crate::applications::blocks;
use crate::error::AppError;
use crate::imports::guard::Stopped;
use crate::imports::pipeline::{LoadReport, Outcome, Plan};
use crate::words;

/// What an earlier attempt of the run had loaded, whose answer was lost: asked before anything is fetched, because the
/// source may be another by now. And the Block database is to mean by the Block what the Workspace means.
pub fn known(app: &App, job: &Job<'_>, plan: &Plan) -> Result<Option<LoadReport>, Undone> {
    let row = app.blocks.lend(|conn| blocks::ledger::ledger(conn, &job.run.uid, plan.block.id));
    match row.map_err(|error| of_blocks(error, job))? {
        Some(row) => LoadReport::from_ledger(row).map(Some).map_err(|failure| Undone::new(failure.cause, Retry::No)),
        None => {
            let kept = blocks::keep_in_step(&app.db, &app.blocks, &plan.writes());
            kept.map(|()| None).map_err(|error| of_blocks(error, job))
        }
    }
}

/// A failure of the Block database.
fn of_blocks(error: AppError, job: &Job<'_>) -> Undone {
    let busy = matches!(error, AppError::Unavailable { .. });
    let undone = of_app_error(error, job.run);
    if busy { Undone { retry: Retry::Busy, ..undone } } else { undone }
}

/// The end of a run whose earlier attempt had loaded: with the name and hash of what that read, and only what that
/// intended is done to the file.
pub fn done(app: &App, job: &Job<'_>, report: LoadReport) -> Result<Done, Undone> {
    let held = match report.outcome {
        Outcome::Held(stopped) => Some(stopped),
        _ => None,
    };
    let mut done = Done {
        result: result_of_earlier(&report),
        held,
        remark: words::sentences([held.map(Stopped::remark), report.told.remark()]),
        steps: loaded(&report, app.now()),
        ..Done::default()
    };
    if held.is_none() {
        let after = settling::settle_for(app, job.run, done.result.rejected);
        // It is loaded, so no attempt may end it as Failed: the rescue does to the file what could not be done now.
        let after = after.map_err(|error| Undone { retry: Retry::Unknown, ..of_app_error(error, job.run) })?;
        if let Some(after) = after {
            done.steps.extend(after.step);
            done.unsettled = after.unsettled;
            done.remark = words::sentences([done.remark, after.remark]);
        }
    }
    Ok(done)
}
