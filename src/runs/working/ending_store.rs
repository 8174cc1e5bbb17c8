//! The last transaction of a run, or of an attempt: everything that is to be told about it, guarded by the fence, with
//! the outcome for the notifications.

use chrono::Duration;

use super::held_store as holds;
use super::intents_store as intents;
use super::leases_store as leases;
use super::waiting::LONGEST_WAIT;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{run_steps, runs};
use crate::db::{self, Conn, on};
use crate::error::Result;
use crate::imports::guard::Stopped;
use crate::imports::{self, ConfigurationStatus};
use crate::runs::lifecycle::RunStatus;
use crate::runs::model::{Hold, LogLine, Run, RunResult, RunStep};
use crate::runs::queue_store as queue;
use crate::runs::resource;
use crate::runs::sets;
use crate::words;

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ending {
    pub status: RunStatus,
    pub reason: Option<String>,
    pub cause: Option<String>,
    pub result: Option<RunResult>,
    pub steps: Vec<RunStep>,
    pub log: Vec<LogLine>,
    /// What was to be done to the file could not be: the next run of the import tries it again.
    pub unsettled: bool,
    /// What the volume guard stopped, of a run that is Held.
    pub held: Option<Stopped>,
}

impl Ending {
    pub fn failed(cause: impl Into<String>) -> Self {
        Self {
            status: RunStatus::Failed,
            reason: None,
            cause: Some(cause.into()),
            result: None,
            steps: Vec::new(),
            log: Vec::new(),
            unsettled: false,
            held: None,
        }
    }
}

/// Ends a run; `false` when the lease is not this worker's any more: then nothing is written.
pub fn end(conn: &mut Conn, run: &Run, fence: i64, ending: &Ending, now: Moment) -> Result<bool> {
    sets::hold(conn, run.parent_id)?;
    if leases::give_back(conn, run.id, fence)?.is_none() {
        return Ok(false);
    }
    let hold = approved(conn, run)?;
    // What is held may become visible yet, and then its file is done with.
    if ending.status != RunStatus::Held && !stays_held(hold.as_ref(), ending) {
        intents::end(conn, run.id, ending.status.has_loaded(), ending.unsettled)?;
    }
    write_end(conn, (run, hold), ending, now)
}

/// What a run holds that was approved: it has been taken before.
fn approved(conn: &mut Conn, run: &Run) -> Result<Option<Hold>> {
    if run.attempt > 1 { holds::of(conn, run.id) } else { Ok(None) }
}

/// Whether a run that was approved has loaded nothing, and still can.
fn stays_held(hold: Option<&Hold>, ending: &Ending) -> bool {
    let is_over = ending.cause.as_deref().is_some_and(|cause| [holds::SUPERSEDED, holds::GONE].contains(&cause));
    hold.is_some() && !ending.status.has_loaded() && !is_over
}

/// Ends the run and, of a step, goes on with its set.
fn write_end(conn: &mut Conn, (run, hold): (&Run, Option<Hold>), ending: &Ending, now: Moment) -> Result<bool> {
    let ended = write_own_end(conn, (run, hold), ending, now)?;
    if let Some(set_run) = run.parent_id.filter(|_| ended) {
        sets::advance(conn, set_run, now)?;
    }
    Ok(ended)
}

fn write_own_end(conn: &mut Conn, (run, hold): (&Run, Option<Hold>), ending: &Ending, now: Moment) -> Result<bool> {
    if let Some(hold) = hold.as_ref().filter(|hold| stays_held(Some(hold), ending)) {
        let why = ending.cause.as_ref().or(ending.reason.as_ref()).map(String::as_str).unwrap_or_default();
        let said = format!("The approved load did not become visible: {why}");
        return holds::wait_again(conn, run.id, hold, (RunStatus::Running, &said), now);
    }
    let running = runs::table.filter(runs::id.eq(run.id).and(runs::status.eq(RunStatus::Running)));
    // Whoever ended it for another cannot know how long it took, should the clock have been set back.
    let now = run.started_at.map_or(now, |at| now.max(at));
    // A decision changes what a run is, and not when it ran.
    let (started_at, finished_at) = hold.map_or((run.started_at, now), |hold| (hold.started_at, hold.finished_at));
    let changed = diesel::update(running)
        .set((
            runs::status.eq(ending.status),
            runs::started_at.eq(started_at),
            runs::reason.eq(&ending.reason),
            runs::cause.eq(&ending.cause),
            runs::available_at.eq(None::<Moment>),
            runs::finished_at.eq(finished_at),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Ok(false);
    }
    match (hold, run.block_id) {
        (Some(_), _) => holds::forget(conn, run.id)?,
        (None, Some(block_id)) if ending.status == RunStatus::Held => {
            holds::keep(conn, run.id, block_id, ending.held.unwrap_or_default(), (run.started_at, now))?;
        }
        _ => {}
    }
    if let Some(result) = &ending.result {
        queue::write_result(conn, run.id, result)?;
    }
    let last = match &ending.cause {
        Some(cause) => LogLine::new(now, "error", format!("{}: {cause}", ending.status.words())),
        None => LogLine::new(now, "info", ending.status.words()),
    };
    write_attempt(conn, run, ending, last)?;
    let status = match ending.status {
        RunStatus::Success => ConfigurationStatus::Success,
        RunStatus::Partial => ConfigurationStatus::Partial,
        RunStatus::Failed => ConfigurationStatus::Failed,
        RunStatus::Held => ConfigurationStatus::Held,
        // Skipped, Missed and Cancelled never clear a Failed flag, and tell nobody.
        _ => return Ok(true),
    };
    if let Some(configuration_id) = run.configuration_id {
        let learned = ending.result.as_ref().and_then(|result| result.told.learned.as_deref());
        if let (Some(columns), Some(version), true) = (learned, run.configuration_version, ending.status.has_loaded()) {
            imports::learn(conn, (configuration_id, version), columns)?;
        }
        match hold {
            Some(_) => imports::decide_status(conn, configuration_id, status, run.id)?,
            None => imports::set_status(conn, configuration_id, status, run.id, now)?,
        }
    }
    queue::write_outcome(conn, run.id, ending.status, run.schedule_id, now)?;
    Ok(true)
}

/// What a later run did to the file of this one, or why nothing more is done to it.
pub fn settled_later(conn: &mut Conn, run_id: i64, said: &str, now: Moment) -> Result<()> {
    // First this, as whoever removes old runs does it.
    if !intents::forget(conn, run_id)? {
        return Ok(());
    }
    db::lock_row(conn, "runs", run_id)?;
    let reason: Option<String> = runs::table.find(run_id).select(runs::reason).first(conn)?;
    let reason = words::sentences([reason, Some(said.to_owned())]);
    diesel::update(runs::table.find(run_id)).set(runs::reason.eq(reason)).execute(conn)?;
    queue::write_log(conn, run_id, &[LogLine::new(now, "info", said)])
}

/// How a run goes back into the queue.
pub struct Back<'a> {
    /// Shown while it waits.
    pub reason: &'a str,
    /// Whether the attempt failed, or was only broken off.
    pub attempt_counts: bool,
    /// `None`: it begins anew at once, ahead of whatever was queued after it.
    pub wait: Option<Duration>,
    /// What is to be told about the attempt.
    pub ending: Option<&'a Ending>,
}

/// Puts a run back into the queue, or ends it as Cancelled where somebody asked for that meanwhile: cancel wins over a
/// retry and over a stop. `false` when the lease is not this worker's any more.
pub fn put_back(conn: &mut Conn, run: &Run, fence: i64, back: &Back<'_>, now: Moment) -> Result<bool> {
    sets::hold(conn, run.parent_id)?;
    let Some(asked_to_cancel) = leases::give_back(conn, run.id, fence)? else { return Ok(false) };
    let hold = approved(conn, run)?;
    if hold.is_none() {
        intents::end(conn, run.id, false, false)?;
    }
    if asked_to_cancel {
        return write_end(conn, (run, hold), &cancelled(back.ending), now);
    }
    let wait = back.wait.map(|wait| wait.min(LONGEST_WAIT));
    let running = runs::table.filter(runs::id.eq(run.id).and(runs::status.eq(RunStatus::Running)));
    let changed = diesel::update(running)
        .set((
            runs::status.eq(RunStatus::Queued),
            runs::reason.eq(back.reason),
            runs::attempt.eq(if back.attempt_counts { run.attempt } else { run.attempt - 1 }),
            runs::interrupted.eq(true),
            runs::started_at.eq(None::<Moment>),
            runs::waits_for.eq(wait.map(|_| resource::TIME)),
            runs::available_at.eq(wait.map_or(run.queued_at, |wait| now.plus(wait))),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Ok(false);
    }
    if hold.is_none() {
        queue::restore_waiting_key(conn, run)?;
    }
    let last = LogLine::new(now, "warning", back.reason);
    match back.ending.filter(|_| hold.is_none()) {
        Some(ending) => write_attempt(conn, run, ending, last)?,
        None => queue::write_log(conn, run.id, &[last])?,
    }
    Ok(true)
}

/// What an attempt that loaded nothing becomes when somebody had asked to cancel.
pub fn cancelled(ending: Option<&Ending>) -> Ending {
    let ending = broken_off(ending.cloned().unwrap_or_else(|| Ending::failed("")));
    Ending {
        status: RunStatus::Cancelled,
        cause: None,
        reason: Some("Cancelled while it ran. The Block is unchanged.".into()),
        ..ending
    }
}

/// An attempt that somebody stopped: nothing went wrong with the step in which it was.
pub fn broken_off(mut ending: Ending) -> Ending {
    for step in ending.steps.iter_mut().filter(|step| step.status == "failed") {
        step.status = "cancelled".to_owned();
        step.detail = "Interrupted.".to_owned();
    }
    ending
}

/// The steps of an attempt, and its part of the log: that it began, each step as it ended, what else was noted, and what
/// came of it.
fn write_attempt(conn: &mut Conn, run: &Run, ending: &Ending, last: LogLine) -> Result<()> {
    write_steps(conn, run.id, &ending.steps)?;
    let mut lines = run.attempt_lines(&ending.steps);
    lines.extend(ending.log.iter().cloned());
    lines.sort_by_key(|line| line.at);
    // Whatever the clocks say, what came of it comes last.
    let at = lines.last().map_or(last.at, |line| line.at.max(last.at));
    lines.push(LogLine { at, ..last });
    queue::write_log(conn, run.id, &lines)
}

/// The steps of the last attempt stay.
pub fn write_steps(conn: &mut Conn, run_id: i64, steps: &[RunStep]) -> Result<()> {
    diesel::delete(run_steps::table.filter(run_steps::run_id.eq(run_id))).execute(conn)?;
    let rows: Vec<_> = (0..)
        .zip(steps)
        .map(|(position, step)| {
            (
                run_steps::run_id.eq(run_id),
                run_steps::position.eq(position),
                run_steps::name.eq(&step.name),
                run_steps::status.eq(&step.status),
                run_steps::detail.eq(&step.detail),
                run_steps::started_at.eq(step.started_at),
                run_steps::duration_us.eq(step.duration.num_microseconds().unwrap_or(i64::MAX)),
            )
        })
        .collect();
    on!(conn, c => diesel::insert_into(run_steps::table).values(rows).execute_rows(c))?;
    Ok(())
}
