//! What happens when a freeze is over: what was to run once runs, each configuration by the schedule whose occurrence
//! was skipped last, and exactly once: the mark on the freeze and the queued runs are one transaction.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::Duration;

use super::clock;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::freezes::Freeze;
use crate::freezes::by_clock::{self, Skip};
use crate::imports::Target;
use crate::runs::dispatching::naming::Naming;
use crate::runs::dispatching::occurrence::{Dispatched, kept_file, row};
use crate::runs::lifecycle::RunStatus;
use crate::runs::model::LogLine;
use crate::runs::queue_store::{self as queue, NewRun};
use crate::runs::{runnable_store as runnable, store};
use crate::schedules::clock::{self as schedules, Due};
use crate::schedules::{LATE, Schedule};
use crate::words::counted;

/// A run after a freeze may come as late as one of a schedule that repeats seldom.
const GRACE: Duration = Duration::days(3);

/// Freezes that are over at one instant.
struct Over {
    at: Moment,
    freezes: Vec<Freeze>,
}

/// The freezes of an Application that can be settled now, the last first. While an occurrence from before the end is
/// still to be claimed it is not known what was skipped.
fn over(conn: &mut Conn, application_id: i64, now: Moment) -> Result<(Vec<Over>, Vec<Schedule>)> {
    let mut by_end: BTreeMap<Reverse<Moment>, Vec<Freeze>> = BTreeMap::new();
    for (at, freeze) in clock::over(conn, application_id, now)? {
        by_end.entry(Reverse(at)).or_default().push(freeze);
    }
    if by_end.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let schedules = schedules::of_application(conn, application_id)?;
    let unclaimed = schedules.iter().filter_map(|s| s.next_at).min();
    let settled = by_end.into_iter().filter(|(Reverse(at), _)| unclaimed.is_none_or(|next| next >= *at));
    Ok((settled.map(|(Reverse(at), freezes)| Over { at, freezes }).collect(), schedules))
}

/// Whether [`settle`] has something to do.
pub fn is_due(conn: &mut Conn, application_id: i64, now: Moment) -> Result<bool> {
    Ok(!over(conn, application_id, now)?.0.is_empty())
}

/// Settles the freezes of an Application that are over, and queues what is to run once.
pub fn settle(conn: &mut Conn, application_id: i64, now: Moment) -> Result<Dispatched> {
    let mut done = Dispatched::default();
    let seen = clock::over(conn, application_id, now)?;
    clock::lock(conn, seen.into_iter().map(|(_, freeze)| freeze.id))?;
    let (over, schedules) = over(conn, application_id, now)?;
    for Over { at, freezes } in over {
        let mut once: Vec<(Freeze, Vec<Skip>)> = Vec::new();
        for freeze in freezes {
            if !by_clock::settle(conn, freeze.id, now)? {
                continue;
            }
            let skips: Vec<Skip> = clock::skips(conn, &[freeze.id])?.into_values().collect();
            // It may have ended earlier or later than was said when they were skipped.
            let runs: Vec<i64> = skips.iter().map(|skip| skip.run_id).collect();
            queue::explain(conn, &runs, &freeze.reason())?;
            if freeze.run_once && freeze.archived_at.is_none() && !skips.is_empty() {
                once.push((freeze, skips));
            }
        }
        for due in once_each(&once, &schedules, at)? {
            queue_once(conn, due, at, now, &mut done)?;
        }
    }
    Ok(done)
}

/// What is to run once, and why.
struct Once {
    due: Due,
    /// `the freeze "Year-end close"`
    freeze: String,
    reason: String,
}

/// One for each target that has a schedule on: by the one that was skipped last.
fn once_each(over: &[(Freeze, Vec<Skip>)], schedules: &[Schedule], at: Moment) -> Result<Vec<Once>> {
    let mut of: BTreeMap<Target, Vec<(&Freeze, &Skip, &Schedule)>> = BTreeMap::new();
    for (freeze, skips) in over {
        for skip in skips {
            if let Some(schedule) = schedules.iter().find(|s| s.id == skip.schedule_id) {
                of.entry(schedule.target).or_default().push((freeze, skip, schedule));
            }
        }
    }
    let mut found = Vec::new();
    for skipped in of.into_values() {
        let newest =
            skipped.iter().filter(|(_, _, s)| s.enabled).max_by_key(|(_, skip, s)| (skip.newest_at, Reverse(s.id)));
        let Some((_, _, schedule)) = newest else { continue };
        let mut names: Vec<String> = Vec::new();
        for (freeze, _, _) in &skipped {
            let name = format!("\"{}\"", freeze.name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let noun = if names.len() == 1 { "freeze" } else { "freezes" };
        let freeze = format!("the {noun} {}", names.join(" and "));
        let occurrences = skipped.iter().map(|(_, skip, _)| skip.occurrences).sum();
        let parameters = schedule.parameters.as_ref().map(serde_json::to_string).transpose();
        found.push(Once {
            due: Due {
                id: schedule.id,
                application_id: schedule.application_id,
                target: schedule.target,
                rule: schedule.rule,
                next_at: at,
                run_name: schedule.run_name.clone(),
                owner_id: schedule.owner_id,
                parameters: parameters.map_err(AppError::internal)?,
            },
            reason: format!(
                "Runs once after {freeze}, which skipped {}.",
                counted(occurrences, "occurrence", "occurrences")
            ),
            freeze,
        });
    }
    Ok(found)
}

/// The run after a freeze. It is promised, so it queues behind one that goes or was interrupted; one that waits to begin
/// stands for it.
fn queue_once(conn: &mut Conn, once: Once, at: Moment, now: Moment, done: &mut Dispatched) -> Result<()> {
    let target = once.due.target;
    let Some(runnable) = runnable::runnables(conn, &[target])?.remove(&target) else { return Ok(()) };
    let open = store::open_of(conn, &[target])?.remove(&target).unwrap_or_default();
    let waiting = open.iter().find(|run| run.status == RunStatus::Queued && !run.interrupted);
    let (late, too_late, freeze) = (now.since(at) > LATE, now.since(at) > GRACE, &once.freeze);
    let naming = Naming::load(conn, [&once.due])?;
    let file_id = kept_file(conn, &once.due, &runnable)?;
    let queued = NewRun { file_id, ..row(&once.due, (&runnable, &naming), at, now) };
    let ended = |status, reason: String| NewRun {
        status,
        reason: Some(reason),
        available_at: None,
        finished_at: Some(now),
        ..queued.clone()
    };
    let covering = waiting.or(open.first().filter(|_| too_late));
    let covered = covering.is_some();
    let new = match covering {
        Some(by) if late => {
            let words = format!("The server was down when {freeze} ended; covered by run {}.", by.id);
            ended(RunStatus::Missed, words)
        }
        Some(_) => ended(
            RunStatus::Skipped,
            format!("Another run was already waiting when {freeze} ended, so this one was not needed."),
        ),
        None if too_late => {
            ended(RunStatus::Missed, format!("The server was down when {freeze} ended, and for three days after."))
        }
        None => NewRun { late, reason: Some(once.reason.clone()), ..queued.clone() },
    };
    if queue::insert_all(conn, std::slice::from_ref(&new))? == 0 {
        // An occurrence planned for this very instant stands for it, where it runs. One that does not, because the
        // previous run was going, must not swallow what was promised.
        let there = store::of_occurrence(conn, once.due.id, at)?.filter(|run| run.status == RunStatus::Skipped);
        match there.filter(|_| new.status == RunStatus::Queued) {
            Some(skipped) => queue::revive(conn, skipped.id, &new)?,
            None => return Ok(()),
        }
    }
    let Some(run) = store::of_occurrence(conn, once.due.id, at)? else { return Ok(()) };
    match run.status {
        RunStatus::Missed => {
            done.missed += 1;
            if !covered {
                queue::write_outcome(conn, run.id, RunStatus::Missed, Some(once.due.id), now)?;
            }
        }
        RunStatus::Skipped => done.skipped += 1,
        _ => {
            done.queued += 1;
            // The reason makes room for what the run has to say; the log keeps it.
            queue::write_log(conn, run.id, &[LogLine::new(now, "info", once.reason.as_str())])?;
        }
    }
    Ok(())
}
