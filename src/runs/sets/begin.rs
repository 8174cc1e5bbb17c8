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

/// Why a set whose definition is broken does nothing.
pub const UNREADABLE: &str = "The steps of the import set cannot be read. Save the import set again.";

/// Begins the run of a set, which was taken from the queue in this transaction, and its first steps.
pub fn begin(conn: &mut Conn, run: &Run, now: Moment) -> Result<()> {
    queue::begin_set(conn, run.id, now)?;
    let run = runs::by_id(conn, run.id)?.ok_or(AppError::NotFound)?;
    let why_not = match run.parameters_lost {
        true => Some("The parameters of this run cannot be read. Use Run now instead.".to_owned()),
        false => why_not_to_begin(conn, &run)?,
    };
    // One that runs an earlier one again has its steps.
    let unplanned = match store::of(conn, run.id)? {
        Some(_) => None,
        None => plan(conn, &run)?,
    };
    let Some(why_not) = why_not.or(unplanned) else { return advance(conn, run.id, now) };
    // What it would have done is shown all the same.
    for step in store::of(conn, run.id)?.iter().flat_map(|of| &of.steps).filter(|step| !step.taken_over) {
        store::ended(conn, run.id, step.position, RunStatus::Skipped)?;
    }
    ending::end(conn, &run, &Ended { cause: Some(why_not), ..Ended::of(RunStatus::Failed) }, now)
}

/// Writes down the steps of the set as it is now; answers why there are none.
fn plan(conn: &mut Conn, run: &Run) -> Result<Option<String>> {
    let set_id = run.set_id.ok_or(AppError::NotFound)?;
    let Some(set) = import_sets::by_id(conn, set_id)?.filter(|set| !set.archived) else {
        return Ok(Some("The import set was deleted.".to_owned()));
    };
    let Some(definition) = store::definition(conn, set_id, set.version)? else {
        return Ok(Some(UNREADABLE.to_owned()));
    };
    let step = |step: import_sets::Step| NewStep {
        configuration_id: step.configuration_id,
        partial_fails: step.partial_fails,
        parameters: step.parameters,
        taken_over: None,
    };
    store::insert(conn, run.id, set.version, &definition.steps.into_iter().map(step).collect::<Vec<_>>())?;
    Ok(None)
}
