//! Running a set again: from the step that failed, or anew where all had been done.

use super::steps_store::{self as store, NewStep, SetRun, SetStep};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::imports::Target;
use crate::members::By;
use crate::runs::actions::{self, Started};
use crate::runs::model::Run;
use crate::runs::queue_store::NewRun;
use crate::runs::store as runs;

/// A new run of the set for the same planned instant and by the steps that it had then, as the member who asks; what
/// earlier steps did is taken over, unless `all` of them are to run. While that one goes, it is the answer to whoever asks
/// again.
///
/// `Conflict` unless it is the set's latest run that ended Success, Partial, Failed or Cancelled.
pub fn again(conn: &mut Conn, by: &By, run: &Run, all: bool, now: Moment) -> Result<Started> {
    let set_id = run.set_id.ok_or(AppError::NotFound)?;
    actions::lock(conn, Target::Set(set_id))?;
    let target = actions::runnable(conn, Target::Set(set_id))?;
    if let Some(there) = runs::repeat_of(conn, run.id)? {
        return match there.status.is_open() {
            true => Ok(Started { run: there, waiting_already: true }),
            false => Err(AppError::Conflict(format!(
                "This run was already run again, as run {}. Only the latest one can be run again.",
                there.id
            ))),
        };
    }
    if let Some(refusal) = why_not_again(conn, run)? {
        return Err(AppError::Conflict(refusal));
    }
    let earlier = store::of(conn, run.id)?;
    let new = NewRun {
        schedule_id: run.schedule_id,
        planned_at: Some(run.stands_for()),
        repeat_no: run.repeat_no + 1,
        again_of: Some(run.id),
        parameters: run.parameters.as_ref().map(serde_json::Value::to_string),
        ..actions::by_hand(&target, by, run.name.clone(), now)
    };
    let run = actions::put_in_queue(conn, by, &new, "run.repeated", now)?;
    if let Some(SetRun { set_version, steps, .. }) = earlier {
        let anew = all || steps.iter().all(SetStep::is_done);
        let step = |step: SetStep| NewStep {
            taken_over: step.run_id.zip(step.status).filter(|_| !anew && step.is_done()),
            configuration_id: step.configuration_id,
            partial_fails: step.partial_fails,
            parameters: step.parameters,
        };
        store::insert(conn, run.id, set_version, &steps.into_iter().map(step).collect::<Vec<_>>())?;
    }
    Ok(Started { run, waiting_already: false })
}

/// The reason why the run of a set may not be run again; `None` when it may.
pub fn why_not_again(conn: &mut Conn, run: &Run) -> Result<Option<String>> {
    let Some(set_id) = run.set_id else { return Ok(None) };
    if !run.status.may_run_again() {
        return Ok(Some(format!("A run that is {} cannot be run again.", run.status.words().to_lowercase())));
    }
    if run.parameters_lost {
        return Ok(Some("The parameters of this run cannot be read. Use Run now instead.".into()));
    }
    if runs::latest_ended_of_set(conn, set_id)? != Some(run.id) {
        return Ok(Some(
            "A later run of this import set has ended since. Only the latest one can be run again, so that old data \
             does not come back."
                .into(),
        ));
    }
    let target = Target::Set(set_id);
    if runs::open_of(conn, &[target])?.contains_key(&target) {
        return Ok(Some(
            "Another run of this import set is queued or running. Wait for it, or cancel it first.".into(),
        ));
    }
    Ok(None)
}
