//! The step that turns due occurrences into runs. It asks the clock once; many processes may take it at a time.
//!
//! A schedule's next occurrence is an indexed column. The step moves it on by compare-and-set, and only whoever moved it
//! writes the rows for what it passed over, under a unique key, in the same transaction: exactly one run for each
//! (schedule, planned instant), whatever crashes in between.
//!
//! What a freeze holds is claimed all the same, and becomes part of a Skipped range ([`freezing`]); a freeze that is
//! over is settled after the claims ([`freezing::thaw`]).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::freezing::skipping::{self, Kept};
use super::freezing::{self, thaw};
use super::naming::Naming;
pub use super::occurrence::Dispatched;
use super::occurrence::{kept_file, missed_row, row};
use super::planning::{self, Covered, Fate};
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::freezes::Freeze;
use crate::imports::{Overlap, Target};
use crate::runs::lifecycle::RunStatus;
use crate::runs::policy::Policy;
use crate::runs::queue_store::{self as queue, NewRun};
use crate::runs::runnable_store as runnable;
use crate::runs::store::{self, Open};
use crate::schedules::clock::{self, AllDue, Due, Step};
use crate::workspace;

/// How many schedules are claimed in one transaction: short enough that nobody waits for it.
const BATCH: usize = 500;

/// Claims all that is due, and sees to freezes that have ended. What cannot be done of it keeps nothing else from being
/// done, and comes again with the next step; only a database that is away ends the step.
pub fn step(app: &App) -> Result<Dispatched> {
    let now = app.now();
    let mut done = Dispatched::default();
    if app.stop.is_cancelled() {
        return Ok(done);
    }
    // One that stands by claims nothing: what passes is skipped when that ends.
    let Some(seen) = app.db.read(|conn| Seen::look(conn, now))? else { return Ok(done) };
    if seen.to_wake {
        on_its_own("schedules off until now cannot be turned on", app.db.write(|conn| clock::wake(conn, now)))?;
    }
    // What has just been turned on may be due at this very moment.
    if seen.due || seen.to_wake {
        for batch in batches(app.db.read(|conn| clock::due_targets(conn, now))?) {
            claim_each(app, &batch, now, &mut done)?;
        }
    }
    // After the claims: what a freeze skipped is known only then.
    for application_id in seen.thawing {
        let settled = app.db.read(|conn| thaw::is_due(conn, application_id, now)).and_then(|due| match due {
            true => app.db.write(|conn| thaw::settle(conn, application_id, now)),
            false => Ok(Dispatched::default()),
        });
        done.add(on_its_own("an ended freeze cannot be settled", settled)?.unwrap_or_default());
    }
    if done.queued > 0 {
        app.work.notify_one();
    }
    done.next_due = if seen.due || seen.to_wake { app.db.read(clock::next_due)? } else { seen.next_due };
    Ok(done)
}

/// What there is to do. Nearly every second there is nothing, and this is all that the second costs.
struct Seen {
    due: bool,
    next_due: Option<Moment>,
    to_wake: bool,
    /// Applications with a freeze that has ended and was not settled.
    thawing: BTreeSet<i64>,
}

impl Seen {
    fn look(conn: &mut Conn, now: Moment) -> Result<Option<Self>> {
        let next_due = clock::next_due(conn)?;
        let seen = Self {
            due: next_due.is_some_and(|at| at <= now),
            next_due,
            to_wake: !clock::to_wake(conn, now)?.is_empty(),
            thawing: freezing::clock::ended(conn, now)?,
        };
        let idle = !seen.due && !seen.to_wake && seen.thawing.is_empty();
        let stands_by = !idle && workspace::standing_by_since(conn)?.is_some();
        Ok(Some(seen).filter(|_| !stands_by))
    }
}

/// Claims a batch, or where that fails each of its targets by itself.
fn claim_each(app: &App, batch: &[String], now: Moment, done: &mut Dispatched) -> Result<()> {
    let claimed = app.db.write(|conn| claim(conn, batch, now));
    match on_its_own("due schedules cannot be claimed", claimed)? {
        Some(part) => done.add(part),
        None if batch.len() > 1 => {
            for target in batch.chunks(1) {
                claim_each(app, target, now, done)?;
            }
        }
        None => {}
    }
    Ok(())
}

/// A failure that is not the database's being away is logged, and the step goes on without it.
fn on_its_own<T>(what: &'static str, part: Result<T>) -> Result<Option<T>> {
    match part {
        Ok(part) => Ok(Some(part)),
        Err(error @ (AppError::Unavailable { .. } | AppError::DiskFull)) => Err(error),
        Err(error) => {
            tracing::error!(%error, "{what}");
            Ok(None)
        }
    }
}

/// Whole targets together, because their schedules cover each other.
fn batches(due: Vec<(String, usize)>) -> Vec<Vec<String>> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    let mut size = BATCH;
    for (target, count) in due {
        if size + count > BATCH {
            batches.push(Vec::new());
            size = 0;
        }
        size += count;
        if let Some(batch) = batches.last_mut() {
            batch.push(target);
        }
    }
    batches
}

fn claim(conn: &mut Conn, targets: &[String], now: Moment) -> Result<Dispatched> {
    let AllDue { good: due, broken } = clock::due_of(conn, targets, now)?;
    clock::set_aside(conn, &broken)?;
    let freezes = freezes_of(conn, &due, now)?;
    let mut of: BTreeMap<Target, Vec<Due>> = BTreeMap::new();
    for d in due {
        of.entry(d.target).or_default().push(d);
    }
    let targets: Vec<Target> = of.keys().copied().collect();
    let runnables = runnable::runnables(conn, &targets)?;
    let naming = Naming::load(conn, of.values().flatten())?;
    let mut going = Going::look(conn, &of)?;
    let mut decided: Vec<(Due, Fate)> = Vec::new();
    let mut steps: Vec<Step> = Vec::new();
    for (target, group) in of {
        if !runnables.contains_key(&target) {
            // What it ran was deleted: nothing more is planned.
            steps.extend(group.iter().map(|d| Step { id: d.id, from: d.next_at, claimed: None, to: None }));
            continue;
        }
        let frozen = group.first().and_then(|d| freezes.get(&d.application_id)).map_or(&[][..], Vec::as_slice);
        let (moves, fates): (Vec<_>, Vec<_>) = planning::decide(&group, frozen, now).into_iter().unzip();
        steps.extend(moves);
        decided.extend(group.into_iter().zip(fates));
    }
    let mine: HashSet<i64> = clock::claim(conn, &steps, now)?.into_iter().collect();
    decided.retain(|(due, _)| mine.contains(&due.id));
    let mut done = Dispatched::default();
    let mut rows: Vec<NewRun> = Vec::new();
    let mut kept: Vec<Kept> = Vec::new();
    let mut newest: HashMap<Target, (i64, Moment)> = HashMap::new();
    for (due, fate) in &decided {
        let Some(runnable) = runnables.get(&due.target) else { continue };
        let named = (runnable, &naming);
        for frozen in &fate.frozen {
            let holds = freezes.get(&due.application_id).and_then(|all| all.iter().find(|f| f.id == frozen.freeze_id));
            let Some(freeze) = holds else { continue };
            let kept_now = Kept::of(due, freeze, frozen, row(due, named, frozen.from, now));
            done.frozen += kept_now.occurrences as usize;
            kept.push(kept_now);
        }
        for missed in &fate.missed {
            rows.push(missed_row(due, named, missed, now));
            done.missed += 1;
        }
        let Some((planned_at, late)) = fate.run else { continue };
        let mut row = row(due, named, planned_at, now);
        match going.let_in(due.target, late) {
            Ok(()) => {
                row.late = late;
                row.file_id = kept_file(conn, due, runnable)?;
                done.queued += 1;
                let newest = newest.entry(due.target).or_insert((due.id, planned_at));
                if planned_at > newest.1 {
                    *newest = (due.id, planned_at);
                }
            }
            Err(reason) => {
                row.status = RunStatus::Skipped;
                row.reason = Some(reason.to_owned());
                row.available_at = None;
                row.finished_at = Some(now);
                done.skipped += 1;
            }
        }
        rows.push(row);
    }
    queue::insert_all(conn, &rows)?;
    skipping::record(conn, kept)?;
    if done.missed > 0 {
        explain_missed(conn, &decided, &newest, &going, now)?;
    }
    Ok(done)
}

/// Says of what was missed which run covers it, now that this one is queued, and tells of what none does. `newest` is the
/// newest occurrence of each target that was let into the queue.
fn explain_missed(
    conn: &mut Conn,
    decided: &[(Due, Fate)],
    newest: &HashMap<Target, (i64, Moment)>,
    going: &Going,
    now: Moment,
) -> Result<()> {
    let missed = || decided.iter().flat_map(|(due, fate)| fate.missed.iter().map(move |missed| (due, missed)));
    let asked: Vec<(i64, Moment)> =
        newest.values().copied().chain(missed().map(|(due, missed)| (due.id, missed.from))).collect();
    let there = queue::of_occurrences(conn, &asked)?;
    let mut covered: HashMap<String, Vec<i64>> = HashMap::new();
    for (due, missed) in missed() {
        let Some((id, RunStatus::Missed)) = there.get(&(due.id, missed.from)) else { continue };
        let by = match missed.covered {
            Covered::Not => None,
            Covered::AfterFreeze => Some("the run after the freeze".to_owned()),
            Covered::ByRun => {
                let newest = newest.get(&due.target).and_then(|key| there.get(key)).map(|(id, _)| *id);
                newest.or(going.waiting(due.target)).map(|id| format!("run {id}"))
            }
        };
        match by {
            Some(by) => covered.entry(by).or_default().push(*id),
            None => queue::write_outcome(conn, *id, RunStatus::Missed, Some(due.id), now)?,
        }
    }
    for (by, ids) in covered {
        queue::explain(conn, &ids, &format!("The server was down; covered by {by}."))?;
    }
    Ok(())
}

/// The freezes that held since the earliest of these occurrences, by Application.
fn freezes_of(conn: &mut Conn, due: &[Due], now: Moment) -> Result<HashMap<i64, Vec<Freeze>>> {
    let mut of: HashMap<i64, Vec<Freeze>> = HashMap::new();
    let Some(earliest) = due.iter().map(|d| d.next_at).min() else { return Ok(of) };
    let applications: HashSet<i64> = due.iter().map(|d| d.application_id).collect();
    let applications: Vec<i64> = applications.into_iter().collect();
    for freeze in freezing::clock::holding(conn, &applications, earliest, now)? {
        of.entry(freeze.application_id).or_default().push(freeze);
    }
    Ok(of)
}

/// What is queued or running of each target, and what a further occurrence may do then.
struct Going {
    /// As it was when this was asked.
    open: HashMap<Target, Vec<Open>>,
    /// How many were let in since.
    let_in: HashMap<Target, usize>,
    policies: HashMap<Target, Result<Policy, String>>,
}

impl Going {
    fn look(conn: &mut Conn, due: &BTreeMap<Target, Vec<Due>>) -> Result<Self> {
        let targets: Vec<Target> = due.keys().copied().collect();
        let open = store::open_of(conn, &targets)?;
        let asked: Vec<Target> = due
            .iter()
            .filter(|(target, group)| open.contains_key(target) || group.len() > 1)
            .map(|(t, _)| *t)
            .collect();
        let policies = if asked.is_empty() { HashMap::new() } else { runnable::policies(conn, &asked)? };
        Ok(Self { open, let_in: HashMap::new(), policies })
    }

    /// Lets one more run into the queue, or says why not. A late one, of which an outage is the cause, queues behind
    /// what was interrupted.
    fn let_in(&mut self, target: Target, late: bool) -> Result<(), &'static str> {
        let overlap = match self.policies.get(&target) {
            Some(Ok(policy)) => policy.overlap,
            // It fails in words when it begins: to skip it would hide that.
            Some(Err(_)) => Overlap::Queue,
            None => Overlap::Skip,
        };
        let open = self.open.get(&target).map_or(&[][..], Vec::as_slice);
        let let_in = self.let_in.entry(target).or_default();
        let waits = *let_in > 0 || open.iter().any(|run| run.status == RunStatus::Queued && !(late && run.interrupted));
        if (open.is_empty() && *let_in == 0) || ((late || overlap == Overlap::Queue) && !waits) {
            *let_in += 1;
            return Ok(());
        }
        Err(match overlap {
            Overlap::Queue => "The previous run had not ended, and another one was already waiting.",
            Overlap::Skip if open.iter().any(|run| run.status == RunStatus::Running) => {
                "The previous run was still running."
            }
            Overlap::Skip => "The previous run was still waiting in the queue.",
        })
    }

    /// The run that waited already, and begins after all that was missed until now.
    fn waiting(&self, target: Target) -> Option<i64> {
        let waiting = self.open.get(&target)?.iter().filter(|run| run.status == RunStatus::Queued);
        waiting.min_by_key(|run| run.interrupted).map(|run| run.id)
    }
}
