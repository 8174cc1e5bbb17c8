//! The step that turns due occurrences into runs. It asks the clock once; many processes may take it at a time.
//!
//! A schedule's next occurrence is an indexed column. The step moves it on by compare-and-set, and only whoever moved it
//! writes the rows for what it passed over, under a unique key, in the same transaction: exactly one run for each
//! (schedule, planned instant), whatever crashes in between.
//!
//! What a freeze holds is claimed all the same, and becomes part of a Skipped range ([`freezing`]); a freeze that is
//! over is settled after the claims ([`freezing::thaw`]).

use std::collections::{HashMap, HashSet};

use super::freezing::skipping::{self, Kept};
use super::freezing::{self, thaw};
pub use super::occurrence::Dispatched;
use super::occurrence::{missed_row, row};
use super::planning::{self, Fate};
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::freezes::Freeze;
use crate::imports::Overlap;
use crate::runs::lifecycle::RunStatus;
use crate::runs::policy::Policy;
use crate::runs::queue_store::{self as queue, NewRun};
use crate::runs::store;
use crate::schedules::clock::{self, Due, Step};

/// How many schedules are claimed in one transaction: short enough that nobody waits for it.
const BATCH: usize = 500;

/// Claims all that is due, and sees to freezes that have ended.
pub fn step(app: &App) -> Result<Dispatched> {
    let now = app.now();
    let mut done = Dispatched::default();
    if app.stop.is_cancelled() {
        return Ok(done);
    }
    if app.db.read(|conn| Ok(!clock::to_wake(conn, now)?.is_empty()))? {
        app.db.write(|conn| clock::wake(conn, now))?;
    }
    let due = app.db.read(|conn| clock::due_targets(conn, now))?;
    for batch in batches(due) {
        done.add(app.db.write(|conn| claim(conn, &batch, now))?);
    }
    // After the claims: what a freeze skipped is known only then.
    for application_id in app.db.read(|conn| freezing::clock::ended(conn, now))? {
        if app.db.read(|conn| thaw::is_due(conn, application_id, now))? {
            done.add(app.db.write(|conn| thaw::settle(conn, application_id, now))?);
        }
    }
    if done.queued > 0 {
        app.work.notify_one();
    }
    done.next_due = app.db.read(clock::next_due)?;
    Ok(done)
}

/// Whole configurations together, because their schedules cover each other.
fn batches(due: Vec<(i64, usize)>) -> Vec<Vec<i64>> {
    let mut batches: Vec<Vec<i64>> = Vec::new();
    let mut size = BATCH;
    for (configuration_id, count) in due {
        if size + count > BATCH {
            batches.push(Vec::new());
            size = 0;
        }
        size += count;
        if let Some(batch) = batches.last_mut() {
            batch.push(configuration_id);
        }
    }
    batches
}

fn claim(conn: &mut Conn, configuration_ids: &[i64], now: Moment) -> Result<Dispatched> {
    let due = clock::due_of(conn, configuration_ids, now)?;
    let freezes = freezes_of(conn, &due, now)?;
    let mut of: HashMap<i64, Vec<Due>> = HashMap::new();
    for d in due {
        of.entry(d.configuration_id).or_default().push(d);
    }
    let targets = store::targets(conn, configuration_ids)?;
    let mut going = Going::look(conn, configuration_ids, &of)?;
    let mut decided: Vec<(Due, Fate)> = Vec::new();
    let mut steps: Vec<Step> = Vec::new();
    for id in configuration_ids {
        let Some(group) = of.remove(id) else { continue };
        if !targets.contains_key(id) {
            // What it ran was deleted: nothing more is planned.
            steps.extend(group.iter().map(|d| Step { id: d.id, from: d.next_at, to: None }));
            continue;
        }
        let frozen = group.first().and_then(|d| freezes.get(&d.application_id)).map_or(&[][..], Vec::as_slice);
        let (moves, fates): (Vec<_>, Vec<_>) = planning::decide(&group, frozen, now).into_iter().unzip();
        steps.extend(moves);
        decided.extend(group.into_iter().zip(fates));
    }
    let mine: HashSet<i64> = clock::claim(conn, &steps, now)?.into_iter().collect();
    let mut done = Dispatched::default();
    let mut rows: Vec<NewRun> = Vec::new();
    let mut kept: Vec<Kept> = Vec::new();
    let mut to_tell: Vec<(i64, Moment)> = Vec::new();
    for (due, fate) in decided.into_iter().filter(|(due, _)| mine.contains(&due.id)) {
        let Some(target) = targets.get(&due.configuration_id) else { continue };
        for frozen in fate.frozen {
            let holds = freezes.get(&due.application_id).and_then(|all| all.iter().find(|f| f.id == frozen.freeze_id));
            let Some(freeze) = holds else { continue };
            let kept_now = Kept::of(&due, freeze, &frozen, row(&due, target, frozen.from, now));
            done.frozen += kept_now.occurrences as usize;
            kept.push(kept_now);
        }
        for missed in fate.missed {
            let row = missed_row(&due, target, &missed, now);
            if !missed.covered {
                to_tell.push((due.id, missed.from));
            }
            rows.push(row);
            done.missed += 1;
        }
        if let Some((planned_at, late)) = fate.run {
            let mut row = row(&due, target, planned_at, now);
            match going.let_in(due.configuration_id) {
                Ok(()) => {
                    row.late = late;
                    done.queued += 1;
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
    }
    queue::insert_all(conn, &rows)?;
    skipping::record(conn, kept)?;
    for (schedule_id, from) in to_tell {
        let run = store::of_occurrence(conn, schedule_id, from)?;
        if let Some(run) = run.filter(|run| run.status == RunStatus::Missed) {
            queue::write_outcome(conn, run.id, RunStatus::Missed, Some(schedule_id), now)?;
        }
    }
    Ok(done)
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

/// What is queued or running of each configuration, and what a further occurrence may do then.
struct Going {
    open: HashMap<i64, Vec<RunStatus>>,
    policies: HashMap<i64, Policy>,
}

impl Going {
    fn look(conn: &mut Conn, configuration_ids: &[i64], due: &HashMap<i64, Vec<Due>>) -> Result<Self> {
        let mut open: HashMap<i64, Vec<RunStatus>> = HashMap::new();
        for (_, configuration_id, status) in store::open_of(conn, configuration_ids)? {
            open.entry(configuration_id).or_default().push(status);
        }
        let asked: Vec<i64> = configuration_ids
            .iter()
            .copied()
            .filter(|id| open.contains_key(id) || due.get(id).is_some_and(|group| group.len() > 1))
            .collect();
        let policies = if asked.is_empty() { HashMap::new() } else { store::policies(conn, &asked)? };
        Ok(Self { open, policies })
    }

    /// Lets one more run into the queue, or says why not.
    fn let_in(&mut self, configuration_id: i64) -> Result<(), &'static str> {
        let overlap = self.policies.get(&configuration_id).map_or(Overlap::Skip, |policy| policy.overlap);
        let open = self.open.entry(configuration_id).or_default();
        if open.is_empty() || (overlap == Overlap::Queue && !open.contains(&RunStatus::Queued)) {
            open.push(RunStatus::Queued);
            return Ok(());
        }
        Err(match overlap {
            Overlap::Queue => "The previous run had not ended, and another one was waiting for it already.",
            Overlap::Skip if open.contains(&RunStatus::Running) => "The previous run was still running.",
            Overlap::Skip => "The previous run was still waiting in the queue.",
        })
    }
}
