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
use crate::runs::repeats::{repeated, why_not_again};

/// A new run of the set for the same planned instant and by the steps that it had then, as the member who asks; what
/// earlier steps did is taken over, unless `all` of them are to run. While that one goes, it is the answer to whoever asks
/// again.
///
/// `Conflict` unless it is the set's latest run that ended Success, Partial, Failed or Cancelled.
pub fn again(conn: &mut Conn, by: &By, run: &Run, all: bool, now: Moment) -> Result<Started> {
    let set_id = run.set_id.ok_or(AppError::NotFound)?;
    let target = actions::runnable(conn, Target::Set(set_id))?;
    if let Some(there) = repeated(conn, run.id)? {
        return Ok(there);
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
