//! Rows that a run rejected, corrected and given as a file: a run of their own.

use super::actions::{by_hand, find, lock, put_in_queue, runnable};
use super::lifecycle::RunStatus;
use super::model::Run;
use super::queue_store::NewRun;
use super::store;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::files::kept;
use crate::imports::{self, Mode, Target};
use crate::members::{By, Scope};
use crate::words;

/// Rows that a run rejected, corrected and given as a file: a run of its own, beside what that one loaded.
///
/// `Conflict` where the rest of its source is not loaded, or would go, and where the same rows were given before.
pub fn give_corrected(
    conn: &mut Conn,
    by: &By,
    run_id: i64,
    (file_id, sha256): (i64, &str),
    now: Moment,
) -> Result<Run> {
    let (run, entered) = find(conn, by, run_id)?;
    entered.need_import(conn, by, Scope::Run)?;
    let target = Target::Configuration(run.configuration_id.ok_or(AppError::NotFound)?);
    lock(conn, target)?;
    if let Some(refusal) = why_not_corrected(conn, &run)? {
        return Err(AppError::Conflict(refusal));
    }
    for (id, status, hash) in store::named(conn, target.id(), &corrected_rows_of(run_id))? {
        if status.is_open() {
            return Err(AppError::Conflict(format!(
                "Corrected rows of this run are being imported now, by run {}. Wait until it ends.",
                words::count(id)
            )));
        }
        if loaded(status) && hash.as_deref() == Some(sha256) {
            return Err(AppError::Conflict(format!(
                "This file was imported already, by run {}. Give only rows that are still missing.",
                words::count(id)
            )));
        }
    }
    let target = runnable(conn, target)?;
    let name = format!("{}{}", target.name, corrected_rows_of(run_id));
    // Whoever runs it again loads these rows, and not a kept file.
    let parameters = if target.takes_file { kept::without(run.parameters.clone()) } else { run.parameters.clone() };
    let values = Run { parameters, ..run }.kept_values();
    let new = NewRun { parameters: values, file_id: Some(file_id), ..by_hand(&target, by, name, now) };
    put_in_queue(conn, by, &new, "run.started", now)
}

/// How the name of a run ends that loads them.
fn corrected_rows_of(run_id: i64) -> String {
    format!(", corrected rows of run {run_id}")
}

fn loaded(status: RunStatus) -> bool {
    matches!(status, RunStatus::Success | RunStatus::Partial)
}

/// The newest run that loaded corrected rows of a run.
pub fn corrected_by(conn: &mut Conn, run: &Run) -> Result<Option<i64>> {
    let Some(configuration_id) = run.configuration_id else { return Ok(None) };
    let given = store::named(conn, configuration_id, &corrected_rows_of(run.id))?;
    Ok(given.into_iter().find(|(_, status, _)| loaded(*status)).map(|(id, ..)| id))
}

/// The reason why corrected rows of a run may not be given; `None` when they may.
pub fn why_not_corrected(conn: &mut Conn, run: &Run) -> Result<Option<String>> {
    let result = run.result.clone().unwrap_or_default();
    if result.rejected == 0 || run.status.is_open() {
        return Ok(Some("This run rejected no rows.".into()));
    }
    let configuration_id = run.configuration_id.ok_or(AppError::NotFound)?;
    let target = runnable(conn, Target::Configuration(configuration_id))?;
    let newest = imports::version(conn, configuration_id, target.version)?.ok_or(AppError::NotFound)?;
    if newest.definition.mode.replaces() {
        let which =
            if newest.definition.mode == Mode::Replace { "all rows of its Block" } else { "the rows of its scope" };
        return Ok(Some(format!(
            "This import replaces {which}, so only the corrected rows would be left. Correct them in the source, then \
             run it again."
        )));
    }
    // Of a source that was rejected as a whole there is no other row.
    if run.status != RunStatus::Partial && result.rejected < result.read {
        return Ok(Some(
            "This run loaded nothing, not even its good rows. Correct the source, then run it again.".into(),
        ));
    }
    if run.parameters_lost {
        return Ok(Some("The parameters of this run cannot be read. Correct the source, then use Run now.".into()));
    }
    Ok((run.block_id != target.block_id)
        .then(|| format!("{} now fills another Block. Correct the source, then use Run now.", target.name)))
}
