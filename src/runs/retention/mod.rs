//! What is removed again, and when: runs that are old enough and that nobody needs any more, with all that is kept of
//! them in both databases, and files given by hand that no run names and nobody keeps.
//!
//! A run is kept while it is among the newest 200 of its configuration or set or younger than 400 days; Failed and Partial
//! twice that. What waits, runs or is held stays, and so does what another row needs: the run that a configuration's
//! status is of, one that was run again and whose repeat is kept, a set's run of which a step is kept. The audit log
//! stays: it is only ever added to.
//!
//! All of it goes in small transactions with a rest after each, so that nobody waits long for the write lock of SQLite.
//! There, what was removed leaves free pages that the next rows fill; the files themselves become smaller only by
//! `VACUUM`, which needs as much space again and stops everything meanwhile, and which an operator may call at rest.

mod expired_store;

use std::time::{Duration as Wait, Instant};

use chrono::Duration;

use self::expired_store::{self as store, Expired, Place};
use crate::app::App;
use crate::applications::blocks;
use crate::clock::Moment;
use crate::error::Result;
use crate::files;

/// So many of the newest runs of each configuration are kept whatever their age; of what failed twice as many.
pub const NEWEST: i64 = 200;
/// And whatever is younger than so many days; of what failed twice as many.
pub const DAYS: i64 = 400;
/// Files given by hand that no run names are kept this long.
pub const UNUSED_FILES: Duration = Duration::days(1);

/// A transaction shall hold the write lock about so long.
const SHARE: Wait = Wait::from_millis(8);
/// The fewest and the most runs of one transaction.
const BATCH: (i64, i64) = (5, 400);
/// Rejected cells, and lines, of one transaction.
const REJECTS: i64 = 1_000;
/// Files that are looked at together.
const FILES: i64 = 500;

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    pub runs: usize,
    pub batches: usize,
    /// The longest that a transaction on the Workspace's tables took, waiting for the lock included.
    pub longest: Wait,
}

/// Removes what is old enough, until nothing is left of it or the process is asked to stop. Blocks, for long when there
/// is much.
pub fn step(app: &App) -> Result<Removed> {
    let now = app.now();
    let mut done = Removed::default();
    app.db.write(store::forget_intents_of_deleted)?;
    let old = app.db.read(|conn| store::with_old_runs(conn, now))?;
    // How many runs a transaction takes is learnt by measuring.
    let mut batch = 20;
    'all: for target in old {
        let mut place = Place::default();
        loop {
            if app.stop.is_cancelled() {
                break 'all;
            }
            let expired = app.db.read(|conn| store::expired(conn, target, now, place, batch))?;
            let Some(last) = expired.last() else { break };
            place = last.place;
            let began = Instant::now();
            let took = remove(app, &expired, &mut done)?;
            batch = next_batch(batch, took);
            app.blocks.checkpoint()?;
            app.db.checkpoint()?;
            // As long as it held others up, they have the lock.
            std::thread::sleep(began.elapsed());
        }
    }
    if done.runs > 0 {
        tracing::info!(runs = done.runs, batches = done.batches, longest = ?done.longest, "old runs were removed");
    }
    Ok(done)
}

/// Removes the history of an Application up to a moment, once nothing in it goes on and no status is of any of its runs.
/// `false`: the process was asked to stop before.
pub fn erase(app: &App, application_id: i64, until: Moment) -> Result<bool> {
    let (mut done, mut batch) = (Removed::default(), 20);
    loop {
        if app.stop.is_cancelled() {
            return Ok(false);
        }
        let some = app.db.read(|conn| store::of_application(conn, application_id, until, batch))?;
        if some.is_empty() {
            app.db.write(|conn| store::forget_counts(conn, application_id))?;
            return Ok(true);
        }
        let began = Instant::now();
        let took = remove(app, &some, &mut done)?;
        batch = next_batch(batch, took);
        app.blocks.checkpoint()?;
        app.db.checkpoint()?;
        std::thread::sleep(began.elapsed());
    }
}

/// First what the Block database keeps of them: if the process dies in between, the runs are still there and come again.
fn remove(app: &App, expired: &[Expired], done: &mut Removed) -> Result<Wait> {
    for run in expired {
        while app.blocks.read(|conn| blocks::rejects::any(conn, run.id))? {
            app.blocks.write(|conn| blocks::rejects::forget_some(conn, run.id, REJECTS))?;
        }
    }
    let uids: Vec<&str> = expired.iter().map(|run| run.uid.as_str()).collect();
    app.blocks.write(|conn| blocks::ledger::forget(conn, &uids))?;
    let ids: Vec<i64> = expired.iter().map(|run| run.id).collect();
    let began = Instant::now();
    done.runs += app.db.write(|conn| store::remove(conn, &ids))?;
    let took = began.elapsed();
    done.batches += 1;
    done.longest = done.longest.max(took);
    Ok(took)
}

/// As many as fit into [`SHARE`], by what the last ones took; at most twice as many at a time.
fn next_batch(batch: i64, took: Wait) -> i64 {
    let fitting = batch as f64 * SHARE.as_secs_f64() / took.as_secs_f64().max(0.000_1);
    (fitting as i64).min(batch * 2).clamp(BATCH.0, BATCH.1)
}

/// Removes the files made before that moment which no run names and nobody keeps: samples that a preview read, what arrived in part, and
/// those of runs that are gone. Answers how many.
pub fn forget_unused_files(app: &App, made_before: Moment) -> Result<usize> {
    let (mut after, mut removed) = (0, 0);
    loop {
        let old = files::made_before(&app.blocks, made_before, after, FILES)?;
        let Some(last) = old.last() else { return Ok(removed) };
        after = *last;
        let used = app.db.read(|conn| store::files_in_use(conn, &old))?;
        for id in old.iter().filter(|id| !used.contains(id)) {
            files::remove(&app.blocks, *id)?;
            removed += 1;
        }
        if app.stop.is_cancelled() {
            return Ok(removed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_as_large_as_its_share_of_time() {
        assert_eq!(next_batch(20, Wait::from_millis(8)), 20);
        assert_eq!(next_batch(20, Wait::from_millis(32)), 5);
        assert_eq!(next_batch(20, Wait::from_millis(5)), 32);
        assert_eq!(next_batch(20, Wait::from_micros(1)), 40, "not more than twice at once");
        assert_eq!(next_batch(300, Wait::from_millis(1)), 400);
        assert_eq!(next_batch(5, Wait::from_secs(10)), 5);
    }
}
