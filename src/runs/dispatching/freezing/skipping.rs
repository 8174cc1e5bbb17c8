//! Occurrences that a freeze keeps from running, written down: not one row each, but one Skipped run for each schedule,
//! target and freeze, a range that grows. The claim that moves the schedule on is the guard: it belongs to one transaction.

use super::clock;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::freezes::by_clock::{self, Skip};
use crate::freezes::{Freeze, holding};
use crate::runs::dispatching::planning::Frozen;
use crate::runs::lifecycle::RunStatus;
use crate::runs::queue_store::{self as queue, NewRun};
use crate::schedules::clock::Due;

/// Occurrences of one schedule that one freeze keeps from running.
pub struct Kept {
    freeze_id: i64,
    schedule_id: i64,
    target_key: String,
    pub occurrences: i64,
    newest: Moment,
    /// The Skipped run, should it be the first.
    row: NewRun,
}

impl Kept {
    /// `row` is the run that the first of them would have been.
    pub fn of(due: &Due, freeze: &Freeze, frozen: &Frozen, row: NewRun) -> Self {
        let reason = if frozen.after_outage {
            let (name, end) = (&freeze.name, freeze.end_words());
            format!("The server was down. When it came back, \"{name}\" had frozen the Application until {end}.")
        } else {
            freeze.reason()
        };
        Self {
            freeze_id: freeze.id,
            schedule_id: due.id,
            target_key: due.target.to_string(),
            occurrences: holding::count(&due.rule, frozen.from, frozen.until),
            newest: frozen.until,
            row: NewRun {
                planned_until: (frozen.until > frozen.from).then_some(frozen.until),
                status: RunStatus::Skipped,
                reason: Some(reason),
                available_at: None,
                finished_at: Some(row.queued_at),
                ..row
            },
        }
    }
}

/// Writes them down, in the transaction that claimed them. Nobody is told.
pub fn record(conn: &mut Conn, kept: Vec<Kept>) -> Result<()> {
    if kept.is_empty() {
        return Ok(());
    }
    let mut freezes: Vec<i64> = kept.iter().map(|k| k.freeze_id).collect();
    freezes.sort_unstable();
    freezes.dedup();
    let known = clock::skips(conn, &freezes)?;
    let mut first: Vec<Kept> = Vec::new();
    for kept in kept {
        let Some(skip) = known.get(&(kept.freeze_id, kept.schedule_id, kept.target_key.clone())) else {
            first.push(kept);
            continue;
        };
        let reason = kept.row.reason.as_deref().unwrap_or_default();
        queue::extend_skipped(conn, skip.run_id, kept.newest, reason, kept.row.queued_at)?;
        by_clock::grow_skip(conn, skip, kept.occurrences, kept.newest)?;
    }
    let rows: Vec<NewRun> = first.iter().map(|k| k.row.clone()).collect();
    queue::insert_all(conn, &rows)?;
    let occurrences: Vec<(i64, Moment)> = rows.iter().filter_map(occurrence).collect();
    let there = queue::of_occurrences(conn, &occurrences)?;
    let skips: Vec<Skip> = first
        .iter()
        .filter_map(|kept| {
            // What ran at that instant is no skip.
            let (run_id, _) =
                *there.get(&occurrence(&kept.row)?).filter(|(_, status)| *status == RunStatus::Skipped)?;
            Some(Skip {
                freeze_id: kept.freeze_id,
                schedule_id: kept.schedule_id,
                target_key: kept.target_key.clone(),
                run_id,
                occurrences: kept.occurrences,
                newest_at: kept.newest,
            })
        })
        .collect();
    by_clock::insert_skips(conn, &skips)
}

fn occurrence(row: &NewRun) -> Option<(i64, Moment)> {
    Some((row.schedule_id?, row.planned_at?))
}
