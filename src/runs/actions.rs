//! What people do with runs, by page and by API alike: start one, run it again, cancel it, look at it. After a start
//! the caller rings `App::work`, so that it begins at once.

use chrono::Duration;
use serde_json::{Value, json};

pub use super::corrected::{corrected_by, give_corrected, why_not_corrected};
use super::lifecycle::{RunStatus, Trigger};
use super::model::{Filter, LogLine, Run, RunStep, Summary};
use super::queue_store::{self as queue, NewRun};
use super::reading::{glance, newest};
use super::repeats::repeated;
pub use super::repeats::why_not_again;
use super::runnable_store::{self as runnable, Runnable};
use super::sets;
use super::store;
use super::working::held_store as holds;
use crate::applications::{self, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::files::kept;
use crate::import_sets;
use crate::imports::Target;
use crate::members::{By, Channel, Scope};
use crate::schedules::run_name;
use crate::secrets::Secrets;

/// How many lines of a log a Summary shows.
const LOG_LINES: i64 = 500;

/// How many runs by hand may wait, of a configuration and of an Application.
const MOST_WAITING: i64 = 20;
const MOST_WAITING_IN_ALL: i64 = 200;

/// A run that was asked for.
#[derive(Clone, Debug)]
pub struct Started {
    pub run: Run,
    /// It waited or ran already: this request was answered with that one.
    pub waiting_already: bool,
}

/// "Run now": a new run of its own of a configuration or a set, as the member who asks. While one by hand with the same parameters and file waits
/// in the queue, that one is the answer.
///
/// `Invalid` on `file` when the configuration takes a file and none is given, or takes none and one is, and on a
/// parameter that it does not declare; `TooMany` when too many wait already that were started by hand.
pub fn start_by_hand(
    conn: &mut Conn,
    secrets: &Secrets,
    by: &By,
    target: Target,
    file_id: Option<i64>,
    parameters: Option<Value>,
    now: Moment,
) -> Result<Started> {
    lock(conn, target)?;
    let target = runnable(conn, target)?;
    let entered = applications::enter(conn, by, target.application_id)?;
    entered.need_import(conn, by, Scope::Run)?;
    let mut errors = FieldErrors::new();
    let given = (parameters.as_ref(), None);
    let parameters = import_sets::values(conn, secrets, target.target, given, &mut errors)?;
    errors.ok_or(())?;
    // A fresh file goes before a kept one, also when the run is run again.
    let (file_id, parameters) = match file_id {
        Some(given) if target.takes_file => (Some(given), kept::without(parameters)),
        Some(given) => (Some(given), parameters),
        None => (target.kept_file(conn, parameters.as_ref())?, parameters),
    };
    if target.takes_file && file_id.is_none() {
        return Err(AppError::invalid("file", format!("{} needs a file: choose the one to import.", target.name)));
    }
    if !target.takes_file && file_id.is_some() {
        let detail = format!("{} reads from its own source and takes no file: run it without one.", target.name);
        return Err(AppError::invalid("file", detail));
    }
    let waiting_key = queue::waiting_key(target.target, file_id, parameters.as_ref());
    if let Some(run) = store::by_waiting_key(conn, &waiting_key)? {
        return bring_forward(conn, by, run, now);
    }
    let name = run_name::stamped(&target.run_name(), now, target.time_zone);
    let new = NewRun {
        waiting_key: Some(waiting_key),
        parameters: parameters.map(|p| p.to_string()),
        file_id,
        ..by_hand(&target, by, name, now)
    };
    let run = put_in_queue(conn, by, &new, "run.started", now)?;
    Ok(Started { run, waiting_already: false })
}

/// "Run again": a new run of the same occurrence, as the member who asks. The planned instant is kept, and what the
/// earlier run appended is replaced.
///
/// While that one waits or runs, it is the answer to whoever asks again. `Conflict` unless it is the configuration's latest
/// run that ended Success, Partial, Failed or Cancelled.
pub fn again(conn: &mut Conn, by: &By, run_id: i64, now: Moment) -> Result<Started> {
    again_from(conn, by, run_id, false, now)
}

/// The same; of a set's run `all` says that no step is taken over.
pub fn again_from(conn: &mut Conn, by: &By, run_id: i64, all: bool, now: Moment) -> Result<Started> {
    let (run, entered) = find(conn, by, run_id)?;
    let of = Target::of(run.configuration_id, run.set_id);
    // The right is asked after the wait.
    if let Some(of) = of {
        lock(conn, of)?;
    }
    entered.need_import(conn, by, Scope::Run)?;
    if run.set_id.is_some() {
        return sets::again(conn, by, &run, all, now);
    }
    let Some(target @ Target::Configuration(_)) = of else {
        return Err(why_not_again(conn, &run)?.map_or(AppError::NotFound, AppError::Conflict));
    };
    let target = runnable(conn, target)?;
    if let Some(there) = repeated(conn, run.id)? {
        return Ok(there);
    }
    if let Some(refusal) = why_not_again(conn, &run)? {
        return Err(AppError::Conflict(refusal));
    }
    // What it appended is in its Block still, and would be replaced in another.
    if run.block_id != target.block_id {
        return Err(AppError::Conflict(format!(
            "{} now fills another Block. Use Run now instead. What this run loaded stays where it is.",
            target.name
        )));
    }
    let new = NewRun {
        schedule_id: run.schedule_id,
        planned_at: Some(run.stands_for()),
        repeat_no: run.repeat_no + 1,
        again_of: Some(run.id),
        parameters: run.kept_values(),
        // As a Connection's file would be, it is fetched as it is now.
        file_id: target.kept_file(conn, run.parameters.as_ref())?.or(run.file_id),
        ..by_hand(&target, by, run.name.clone(), now)
    };
    let run = put_in_queue(conn, by, &new, "run.repeated", now)?;
    Ok(Started { run, waiting_already: false })
}

/// Stops a run: at once while it waits, within about two seconds while it works. What it had not made visible by then
/// never was. Answers the run as it stands; its end may come a moment later.
pub fn cancel(conn: &mut Conn, by: &By, run_id: i64, now: Moment) -> Result<Run> {
    let (run, entered) = find(conn, by, run_id)?;
    entered.need_import(conn, by, Scope::Run)?;
    let name = &by.member.name;
    let waits = format!("Cancelled by {name} while it waited.");
    if holds::take_back(conn, run_id, name, now)? {
        by.audit(conn, Entry::of("run.approval_taken_back", "run", run_id).application(run.application_id), now)?;
        return store::by_id(conn, run_id)?.ok_or(AppError::NotFound);
    }
    if run.set_id.is_some() && sets::cancel(conn, &run, name, now)? {
        by.audit(conn, Entry::of("run.cancelled", "run", run_id).application(run.application_id), now)?;
        return store::by_id(conn, run_id)?.ok_or(AppError::NotFound);
    }
    // Of a step, its set goes on by the same rules as after a failure.
    sets::hold(conn, run.parent_id)?;
    // Asked for once more at last: its attempt may have ended, and it waits for another, between the two questions.
    if queue::cancel_queued(conn, run_id, &waits, now)?
        || queue::request_cancel(conn, run_id)?
        || queue::cancel_queued(conn, run_id, &waits, now)?
    {
        queue::write_log(conn, run_id, &[LogLine::new(now, "info", format!("{name} asked to cancel."))])?;
        if let Some(set_run) = run.parent_id {
            sets::advance(conn, set_run, now)?;
        }
        by.audit(conn, Entry::of("run.cancelled", "run", run_id).application(run.application_id), now)?;
        return store::by_id(conn, run_id)?.ok_or(AppError::NotFound);
    }
    let run = store::by_id(conn, run_id)?.ok_or(AppError::NotFound)?;
    if run.status.is_open() {
        // Asked before: it is about to end.
        return Ok(run);
    }
    Err(AppError::Conflict(format!("This run has already ended: {}.", run.status.words())))
}

/// One run, for whoever may view its Application.
pub fn find(conn: &mut Conn, by: &By, run_id: i64) -> Result<(Run, Entered)> {
    let run = store::by_id(conn, run_id)?.ok_or(AppError::NotFound)?;
    let entered = applications::enter(conn, by, run.application_id)?;
    Ok((run, entered))
}

/// The newest runs that the member may see and the filter lets through; `before` is the id after which the last page
/// ended. Ask for one more than a page to know whether another follows.
pub fn list(conn: &mut Conn, by: &By, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Vec<Run>> {
    by.need_scope(Scope::Read)?;
    if let Some(id) = filter.application_id {
        applications::enter(conn, by, id)?;
        return newest(conn, filter, None, before, limit);
    }
    if by.member.sees_everything() {
        return newest(conn, filter, None, before, limit);
    }
    let seen: Vec<i64> = applications::seen_by(conn, by)?.into_iter().map(|a| a.id).collect();
    newest(conn, filter, Some(&seen), before, limit)
}

/// A run with all that its Summary shows.
pub fn summary(conn: &mut Conn, by: &By, run_id: i64) -> Result<(Summary, Entered)> {
    let (run, entered) = find(conn, by, run_id)?;
    let usual_duration = run.configuration_id.map(|id| usual_duration(conn, id)).transpose()?.flatten();
    let steps = store::steps(conn, &run)?;
    let (before, after) = store::neighbours(conn, &run)?;
    let summary = Summary {
        log: log_with(conn, &run, &steps, LOG_LINES)?,
        steps,
        before,
        after,
        progress: store::progress(conn, &[run_id])?.remove(&run_id),
        usual_duration,
        may_run_again: why_not_again(conn, &run)?.is_none(),
        run,
    };
    Ok((summary, entered))
}

/// The whole log of a run, for a caller that has found it.
pub fn log(conn: &mut Conn, run: &Run) -> Result<Vec<LogLine>> {
    let steps = if run.status == RunStatus::Running { store::steps(conn, run)? } else { Vec::new() };
    log_with(conn, run, &steps, i64::MAX)
}

/// What an attempt did is written down when it ends; until then its steps say it.
fn log_with(conn: &mut Conn, run: &Run, steps: &[RunStep], limit: i64) -> Result<Vec<LogLine>> {
    let mut log = store::log(conn, run.id, limit)?;
    if run.status == RunStatus::Running {
        log.extend(run.attempt_lines(steps));
        log.sort_by_key(|line| line.at);
    }
    Ok(log)
}

/// How far these runs are, where somebody works on them.
pub fn progress(conn: &mut Conn, run_ids: &[i64]) -> Result<std::collections::HashMap<i64, super::Progress>> {
    store::progress(conn, run_ids)
}

/// The median of the configuration's last ten successes.
pub fn usual_duration(conn: &mut Conn, configuration_id: i64) -> Result<Option<Duration>> {
    Ok(glance::usual_durations(conn, &[configuration_id])?.remove(&configuration_id))
}

/// Of two that start something of a target at one moment the second finds the first; whoever deletes it finds the run,
/// or is found.
pub(super) fn lock(conn: &mut Conn, target: Target) -> Result<()> {
    Ok(db::lock_row(conn, target.table(), target.id())?)
}

pub(super) fn runnable(conn: &mut Conn, target: Target) -> Result<Runnable> {
    runnable::runnables(conn, &[target])?.remove(&target).ok_or(AppError::NotFound)
}

pub(super) fn by_hand(target: &Runnable, by: &By, name: String, now: Moment) -> NewRun {
    NewRun {
        uid: queue::uid(),
        application_id: target.application_id,
        configuration_id: target.target.configuration(),
        configuration_version: target.target.configuration().map(|_| target.version),
        block_id: target.block_id,
        set_id: target.target.set(),
        parent_id: None,
        schedule_id: None,
        planned_at: None,
        planned_until: None,
        repeat_no: 0,
        waiting_key: None,
        again_of: None,
        trigger_kind: if by.channel == Channel::Token { Trigger::Api } else { Trigger::Member },
        started_by: Some(by.member.id),
        as_member_id: Some(by.member.id),
        name,
        status: RunStatus::Queued,
        reason: None,
        late: false,
        parameters: None,
        file_id: None,
        queued_at: now,
        precedence: queue::BY_HAND,
        available_at: Some(now),
        finished_at: None,
    }
}

/// A script that starts one run after the other must not hold up everybody else.
pub(super) fn need_room(conn: &mut Conn, new: &NewRun) -> Result<()> {
    let Some(target) = Target::of(new.configuration_id, new.set_id) else { return Ok(()) };
    let (of_one, in_all) = queue::waiting_by_hand(conn, new.application_id, target)?;
    let what = match () {
        () if of_one >= MOST_WAITING => "Too many runs of this import are waiting already.",
        () if in_all >= MOST_WAITING_IN_ALL => "Too many runs of this Application are waiting already.",
        () => return Ok(()),
    };
    Err(AppError::TooMany { what, after_seconds: 30 })
}

/// What waits already is the answer to whoever asks for it; who asks now does not want to wait for its next attempt.
pub(super) fn bring_forward(conn: &mut Conn, by: &By, run: Run, now: Moment) -> Result<Started> {
    if !queue::begin_now(conn, run.id, now)? {
        return Ok(Started { run, waiting_already: true });
    }
    let of = json!({ "name": run.name, "configuration_id": run.configuration_id, "set_id": run.set_id });
    let entry = Entry::of("run.brought_forward", "run", run.id).application(run.application_id);
    by.audit(conn, entry.after(of), now)?;
    Ok(Started { run: store::by_id(conn, run.id)?.ok_or(AppError::NotFound)?, waiting_already: true })
}

pub(super) fn put_in_queue(conn: &mut Conn, by: &By, new: &NewRun, action: &'static str, now: Moment) -> Result<Run> {
    need_room(conn, new)?;
    let id = queue::insert(conn, new)?;
    by.audit(
        conn,
        Entry::of(action, "run", id).application(new.application_id).after(json!({
            "name": new.name,
            "configuration_id": new.configuration_id,
            "set_id": new.set_id,
            "again_of": new.again_of,
        })),
        now,
    )?;
    store::by_id(conn, id)?.ok_or(AppError::NotFound)
}
