//! What is done when a step has ended: the next ones begin, or the set ends.

use super::begin::UNREADABLE;
use super::course::{self, Next, Stands, Step};
use super::ending::{self, Ended};
use super::steps_store::{self as store, SetRun, SetStep};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::import_sets::{self, OnFailure, SetDefinition};
use crate::imports::Target;
use crate::runs::lifecycle::{RunStatus, Trigger};
use crate::runs::model::{LogLine, Run};
use crate::runs::queue_store::{self as queue, NewRun};
use crate::runs::{runnable_store as runnable, store as runs};

/// Holds the run of a set, as whoever changes the run of one of its steps does first.
pub fn hold(conn: &mut Conn, parent_id: Option<i64>) -> Result<()> {
    if let Some(id) = parent_id {
        db::lock_row(conn, "runs", id)?;
    }
    Ok(())
}

/// Does what comes next in the run of a set, which the caller [holds](hold).
pub fn advance(conn: &mut Conn, run_id: i64, now: Moment) -> Result<()> {
    let Some(run) = runs::by_id(conn, run_id)?.filter(|run| run.status == RunStatus::Running) else { return Ok(()) };
    let Some(of) = store::of(conn, run_id)? else { return Ok(()) };
    let set_id = run.set_id.ok_or(AppError::NotFound)?;
    let Some(set) = store::definition(conn, set_id, of.set_version)? else {
        let why = Ended { cause: Some(UNREADABLE.to_owned()), ..Ended::of(RunStatus::Failed) };
        return ending::end(conn, &run, &why, now);
    };
    for step in of.steps.iter().filter(|step| !step.noted && step.run_id.is_some()) {
        if let Some(status) = step.status.filter(|status| !status.is_open()) {
            store::ended(conn, run_id, step.position, status)?;
        }
    }
    let steps: Vec<Step> = of.steps.iter().map(step).collect();
    let Next { begin, skip, withdraw, end } =
        course::next(set.execution, set.on_failure, of.cancelled_by.is_some(), &steps);
    for step in begin.iter().map(|i| &of.steps[*i]) {
        begin_step(conn, &run, step, now)?;
    }
    for step in skip.iter().map(|i| &of.steps[*i]) {
        store::ended(conn, run_id, step.position, RunStatus::Skipped)?;
    }
    let why = why_stopped(&of, &steps);
    for step in withdraw.iter().map(|i| &of.steps[*i]) {
        if let Some(id) = step.run_id {
            queue::skip_queued(conn, id, &why, now)?;
        }
        store::ended(conn, run_id, step.position, RunStatus::Skipped)?;
    }
    match end {
        Some(status) => {
            let of = store::of(conn, run_id)?.ok_or(AppError::NotFound)?;
            let ended = how_it_ended(conn, status, &set, &of)?;
            ending::end(conn, &run, &ended, now)
        }
        None => Ok(()),
    }
}

fn step(step: &SetStep) -> Step {
    let stands = match step.status {
        None => Stands::Waiting,
        Some(RunStatus::Queued) if step.attempt == 0 => Stands::Queued,
        Some(RunStatus::Queued | RunStatus::Running) => Stands::Going,
        Some(ended) => Stands::Ended(ended),
    };
    Step { stands, partial_fails: step.partial_fails }
}

/// "Step 2, Sales, is Failed." of the first that stops the rest.
fn why_stopped(of: &SetRun, steps: &[Step]) -> String {
    if let Some(name) = &of.cancelled_by {
        return format!("{name} cancelled the import set.");
    }
    let failed = of.steps.iter().zip(steps).find(|(_, step)| step.fails());
    let said = failed.map(|(step, _)| format!("{} {}", named(step), ended_words(step.status)));
    said.map_or_else(String::new, |said| format!("Not started: {said}, and the import set stops then."))
}

/// "Step 2, Sales,"
fn named(step: &SetStep) -> String {
    format!("step {}, {},", step.position, step.name)
}

fn ended_words(status: Option<RunStatus>) -> &'static str {
    match status {
        Some(RunStatus::Cancelled) => "was cancelled",
        Some(RunStatus::Held) => "is held",
        Some(RunStatus::Partial) => "rejected rows",
        Some(RunStatus::Skipped) => "was not started",
        _ => "failed",
    }
}

/// The run of a step, in the queue.
fn begin_step(conn: &mut Conn, run: &Run, step: &SetStep, now: Moment) -> Result<()> {
    let target = Target::Configuration(step.configuration_id);
    let found = runnable::runnables(conn, &[target])?.remove(&target);
    let block_id = found.as_ref().and_then(|found| found.block_id);
    let earlier = repeated(conn, run, step, block_id)?;
    // What was settled then holds, whatever day it is now.
    let defined = import_sets::Step {
        configuration_id: step.configuration_id,
        parameters: step.parameters.clone(),
        partial_fails: step.partial_fails,
    };
    let position = usize::try_from(step.position).unwrap_or_default();
    let given = import_sets::of_step(conn, (position, &defined), run.parameters.as_ref())?;
    let earlier_values = earlier.as_ref().filter(|earlier| earlier.resolved.is_some());
    let file_of = earlier_values.and_then(|earlier| earlier.parameters.as_ref()).or(given.as_ref());
    let file_id = found.as_ref().map(|found| found.kept_file(conn, file_of)).transpose()?.flatten();
    let file_id = file_id.or(earlier.as_ref().and_then(|earlier| earlier.file_id));
    let given = given.map(|given| given.to_string());
    let settled = earlier_values.and_then(Run::kept_values);
    let new = NewRun {
        uid: queue::uid(),
        application_id: run.application_id,
        configuration_id: Some(step.configuration_id),
        configuration_version: found.as_ref().map(|found| found.version),
        block_id,
        set_id: None,
        parent_id: Some(run.id),
        schedule_id: None,
        planned_at: Some(run.stands_for()),
        planned_until: None,
        repeat_no: earlier.as_ref().map_or(0, |earlier| earlier.repeat_no + 1),
        waiting_key: None,
        again_of: earlier.map(|earlier| earlier.id),
        trigger_kind: Trigger::Set,
        started_by: run.started_by,
        as_member_id: run.as_member_id,
        name: step.name.clone(),
        status: RunStatus::Queued,
        reason: None,
        late: run.late,
        parameters: settled.or(given),
        file_id,
        queued_at: now,
        precedence: queue::precedence_of(run.trigger),
        available_at: Some(now),
        finished_at: None,
    };
    let id = queue::insert(conn, &new)?;
    store::began(conn, run.id, step.position, id)
}

/// The run that this one repeats, so that what it appended is replaced: that of the same step of the set's run that is
/// run again, or the last of those that repeated it by itself.
fn repeated(conn: &mut Conn, run: &Run, step: &SetStep, block_id: Option<i64>) -> Result<Option<Run>> {
    let Some(earlier) = run.again_of.map(|id| store::of(conn, id)).transpose()?.flatten() else { return Ok(None) };
    let same = |of: &&SetStep| (of.position, of.configuration_id) == (step.position, step.configuration_id);
    let Some(id) = earlier.steps.iter().find(same).and_then(|step| step.run_id) else { return Ok(None) };
    let Some(mut last) = runs::by_id(conn, id)? else { return Ok(None) };
    while let Some(later) = runs::repeat_of(conn, last.id)? {
        last = later;
    }
    // What it loaded into another Block stays there.
    Ok(Some(last).filter(|last| last.block_id == block_id))
}

fn how_it_ended(conn: &mut Conn, status: RunStatus, set: &SetDefinition, of: &SetRun) -> Result<Ended> {
    let steps: Vec<Step> = of.steps.iter().map(step).collect();
    let failed: Vec<&SetStep> = of.steps.iter().zip(&steps).filter(|(_, s)| s.fails()).map(|(step, _)| step).collect();
    let is_begun = |step: &&&SetStep| step.status != Some(RunStatus::Skipped) && step.attempt > 0;
    let not_begun = failed.iter().filter(|step| !is_begun(step)).count() as i64;
    let (first, total) = (failed.first().copied(), of.steps.len() as i64);
    let left = match not_begun {
        0 => String::new(),
        1 => " 1 step was not started.".to_owned(),
        n => format!(" {n} steps were not started."),
    };
    let mut ended = Ended::of(status);
    match status {
        RunStatus::Cancelled => {
            let who = of.cancelled_by.as_deref().unwrap_or("Somebody");
            let done = steps.iter().filter(|step| step.is_done()).count() as i64;
            let stays = match done {
                0 => "No step had loaded anything.".to_owned(),
                1 => "What 1 step loaded stays.".to_owned(),
                n => format!("What {n} steps loaded stays."),
            };
            ended.reason = Some(format!("{who} cancelled the import set.{left} {stays}"));
        }
        RunStatus::Failed => {
            let Some(first) = first else { return Ok(ended) };
            let why = match first.run_id.map(|id| runs::by_id(conn, id)).transpose()?.flatten() {
                Some(run) => run.cause.or(run.reason),
                None => None,
            };
            let said = crate::words::capitalized(&format!("{} {}", named(first), ended_words(first.status)));
            let why = why.map_or_else(|| ".".to_owned(), |why| format!(": {why}"));
            let whole = match set.on_failure {
                OnFailure::Stop => String::new(),
                OnFailure::Continue => format!(" None of the {total} steps succeeded."),
            };
            ended.cause = Some(format!("{said}{why}{whole}{left}"));
        }
        RunStatus::Partial => {
            let names = |of: &[&SetStep]| of.iter().map(|s| s.name.clone()).collect::<Vec<_>>().join(", ");
            let partial: Vec<&SetStep> =
                of.steps.iter().filter(|step| step.status == Some(RunStatus::Partial) && !step.partial_fails).collect();
            ended.reason = Some(match failed.len() {
                0 => format!("Rows were rejected in: {}.", names(&partial)),
                n => format!("{n} of {total} steps did not succeed: {}.", names(&failed)),
            });
        }
        _ => {}
    }
    Ok(ended)
}

/// Somebody asks to cancel the run of a set: what waits is withdrawn, what works is asked to stop. `false` where somebody
/// had asked, or it has ended.
pub fn cancel(conn: &mut Conn, run: &Run, name: &str, now: Moment) -> Result<bool> {
    hold(conn, Some(run.id))?;
    let goes = runs::by_id(conn, run.id)?.is_some_and(|run| run.status == RunStatus::Running);
    if !goes || !store::cancel(conn, run.id, name)? {
        return Ok(false);
    }
    queue::write_log(conn, run.id, &[LogLine::new(now, "info", format!("{name} asked to cancel."))])?;
    let of = store::of(conn, run.id)?.ok_or(AppError::NotFound)?;
    for step in of.steps.iter().filter(|step| !step.taken_over && step.status.is_some_and(RunStatus::is_open)) {
        let Some(id) = step.run_id else { continue };
        let why = format!("{name} cancelled the import set.");
        let _ = queue::cancel_queued(conn, id, &why, now)? || queue::request_cancel(conn, id)?;
    }
    advance(conn, run.id, now)?;
    Ok(true)
}
