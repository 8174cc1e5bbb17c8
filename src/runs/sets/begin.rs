//! The beginning of a set's run.

use super::advance::advance;
use super::ending::{self, Ended};
use super::steps_store::{self as store, NewStep};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::import_sets;
use crate::runs::lifecycle::RunStatus;
use crate::runs::model::Run;
use crate::runs::queue_store as queue;
use crate::runs::store as runs;
use crate::runs::working::why_not_to_begin;

/// Begins the run of a set, which was taken from the queue in this transaction, and its first steps.
pub fn begin(conn: &mut Conn, run: &Run, now: Moment) -> Result<()> {
    queue::begin_set(conn, run.id, now)?;
    let run = runs::by_id(conn, run.id)?.ok_or(AppError::NotFound)?;
    let why_not = match run.parameters_lost {
        true => Some("The parameters of this run cannot be read. Use Run now instead.".to_owned()),
        false => why_not_to_begin(conn, &run)?,
    };
    let why_not = match (why_not, plan(conn, &run)?) {
        (None, Ok((version, steps))) => {
            store::insert(conn, run.id, version, &steps)?;
            return advance(conn, run.id, now);
        }
        (Some(why), Ok((version, steps))) => {
            // What it would have done is shown all the same.
            store::insert(conn, run.id, version, &steps)?;
            for position in (1..).take(steps.len()) {
                store::ended(conn, run.id, position, RunStatus::Skipped)?;
            }
            why
        }
        (why, Err(unplanned)) => why.unwrap_or(unplanned),
    };
    ending::end(conn, &run, &Ended { cause: Some(why_not), ..Ended::of(RunStatus::Failed) }, now)
}

/// The version of the set and the steps of a run of it. `Err`: why there are none.
fn plan(conn: &mut Conn, run: &Run) -> Result<std::result::Result<(i64, Vec<NewStep>), String>> {
    let set_id = run.set_id.ok_or(AppError::NotFound)?;
    let Some(set) = import_sets::by_id(conn, set_id)?.filter(|set| !set.archived) else {
        return Ok(Err("The import set was deleted.".to_owned()));
    };
    if let Some(earlier) = run.again_of.map(|id| store::of(conn, id)).transpose()?.flatten() {
        // It goes on from where that one ended, by the steps that it had.
        let is_done = |step: &super::SetStep| match step.status {
            Some(RunStatus::Success) => true,
            Some(RunStatus::Partial) => !step.partial_fails,
            _ => false,
        };
        let all_done = earlier.steps.iter().all(is_done);
        let step = |step: super::SetStep| NewStep {
            taken_over: step.run_id.zip(step.status).filter(|_| !all_done && is_done(&step)),
            configuration_id: step.configuration_id,
            partial_fails: step.partial_fails,
            parameters: step.parameters,
        };
        return Ok(Ok((earlier.set_version, earlier.steps.into_iter().map(step).collect())));
    }
    let definition = import_sets::version(conn, set_id, set.version)?.ok_or(AppError::NotFound)?;
    let step = |step: import_sets::Step| NewStep {
        configuration_id: step.configuration_id,
        partial_fails: step.partial_fails,
        parameters: step.parameters,
        taken_over: None,
    };
    Ok(Ok((set.version, definition.steps.into_iter().map(step).collect())))
}
