//! The work of a run that restores what its Block held before: no import, and so without a source, a file and a guard.

use std::time::Instant;

use super::told::{result_of_earlier, step};
use super::work::{Done, Job, Retry, Undone, of_app_error};
use crate::app::App;
use crate::applications::{self, blocks};
use crate::error::{AppError, Result};
use crate::imports::pipeline::{self, LoadContext};
use crate::runs::model::{Run, RunResult};
use crate::words;

/// The name of its one step.
pub const RESTORE: &str = "Restore";

/// Shows again what the run `made_by` loaded.
pub fn load(app: &App, job: &Job<'_>, made_by: i64) -> std::result::Result<Done, Undone> {
    let began = (app.now(), Instant::now());
    let of_app = |error| of_app_error(error, job.run);
    let block = app.db.read(|conn| match job.run.block_id {
        Some(id) => blocks::find(conn, id).map(Some),
        None => Ok(None),
    });
    let block = match block {
        Ok(Some(block)) => block,
        Ok(None) | Err(AppError::NotFound) => return Err(Undone::new("The Block was deleted.", Retry::No)),
        Err(error) => return Err(of_app(error)),
    };
    // As before every load: the Block database is to mean by the Block what the Workspace means.
    blocks::keep_in_step(&app.db, &app.blocks, std::slice::from_ref(&block)).map_err(of_app)?;
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
    job.board.update(|report| report.phase = "Restoring".into());
    (job.listen)();
    let restored = pipeline::restore(&block, made_by, &context).map_err(|failure| {
        if let Some(detail) = &failure.detail {
            tracing::error!(run = job.run.id, %detail, "a restore failed");
        }
        let steps = vec![step(RESTORE, began, false, &failure.cause)];
        Undone { steps, ..Undone::new(failure.cause.clone(), Retry::of(&failure, false)) }
    })?;
    let what = format!(
        "{} shown again, {} removed.",
        words::rows(restored.counts.added),
        words::count(restored.counts.removed)
    );
    Ok(Done {
        result: RunResult { source_sha256: None, ..result_of_earlier(&restored) },
        remark: Some(said(app, job.run, made_by).map_err(|error| Undone { retry: Retry::Unknown, ..of_app(error) })?),
        steps: vec![step(RESTORE, began, true, &what)],
        ..Done::default()
    })
}

/// "Restored the contents of run 57 (7 Oct 2026, 02:00)."
pub fn said(app: &App, run: &Run, made_by: i64) -> Result<String> {
    let zone = app.db.read(|conn| applications::by_id(conn, run.application_id))?.map(|a| a.time_zone);
    let block_id = run.block_id.unwrap_or_default();
    let loaded_at = app.blocks.read(|conn| blocks::contents::loaded_at(conn, block_id, made_by))?;
    let when = zone.zip(loaded_at).map(|(zone, at)| format!(" ({})", words::day_or_time(at, zone)));
    Ok(format!("Restored the contents of run {}{}.", words::count(made_by), when.unwrap_or_default()))
}
