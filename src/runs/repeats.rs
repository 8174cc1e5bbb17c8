//! Whether a run may be run again, and what answers whoever asks once more. A configuration's and a set's alike.

use super::actions::Started;
use super::model::Run;
use super::store;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::imports::Target;

/// The run that repeats this one already, while it goes: of many clicks all find the first one's run, however soon a worker
/// takes it. `Conflict` when it has ended.
pub(super) fn repeated(conn: &mut Conn, run_id: i64) -> Result<Option<Started>> {
    match store::repeat_of(conn, run_id)? {
        None => Ok(None),
        Some(run) if run.status.is_open() => Ok(Some(Started { run, waiting_already: true })),
        Some(run) => Err(AppError::Conflict(format!(
            "This run was already run again, as run {}. Only the latest one can be run again.",
            run.id
        ))),
    }
}

/// The reason why a run may not be run again; `None` when it may.
pub fn why_not_again(conn: &mut Conn, run: &Run) -> Result<Option<String>> {
    let Some(target) = run.target() else {
        return Ok(Some(match run.restores {
            Some(_) => "A restore cannot be run again. Restore once more from the Block's page.".into(),
            None => "Only a run of an import configuration or an import set can be run again.".into(),
        }));
    };
    if !run.status.may_run_again() {
        return Ok(Some(format!("A run that is {} cannot be run again.", run.status.words().to_lowercase())));
    }
    if run.parameters_lost {
        return Ok(Some("The parameters of this run cannot be read. Use Run now instead.".into()));
    }
    let (latest, what) = match target {
        Target::Configuration(id) => (store::latest_ended(conn, id)?, "configuration"),
        Target::Set(id) => (store::latest_ended_of_set(conn, id)?, "import set"),
    };
    if latest != Some(run.id) {
        return Ok(Some(format!(
            "A later run of this {what} has ended since. Only the latest one can be run again, so that old data does not \
             come back."
        )));
    }
    let open = store::open_of(conn, &[target])?;
    Ok((!open.is_empty())
        .then(|| format!("Another run of this {what} is queued or running. Wait for it, or cancel it first.")))
}
