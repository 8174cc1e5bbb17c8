//! The moment in which a load becomes visible, and what is asked when nobody heard whether it did.

use std::time::{Duration, Instant};

use super::again::Again;
use super::context::LoadContext;
use super::held_up;
use super::load::{FILE, Load};
use super::outcome::{FailureKind, LoadError};
use super::plan::Plan;
use crate::applications::blocks::items::{self, Created};
use crate::applications::blocks::ledger::{self, LedgerRow, LoadRefused};
use crate::applications::blocks::{Making, Merge, Staging, Visible, seal, trial};
use crate::clock::Moment;
use crate::db::{Conn, ping};

impl Load<'_> {
    /// Makes what is staged visible, or holds it; of a trial it says what that would do.
    pub fn commit(
        &mut self,
        conn: &mut Conn,
        staging: &Staging,
        positions: &[i32],
        (staged, rejected): (i64, i64),
    ) -> Result<LedgerRow, LoadError> {
        self.tell("Making the load visible");
        let began = Instant::now();
        seal(conn, staging, FILE, self.plan.merge())?;
        let holds = self.plan.holds(conn, Some(staging), staged)?;
        let now = self.context.clock.now();
        // What is held may yet be turned down: its items are created when it is approved.
        let created = match holds || self.plan.is_trial {
            true => Vec::new(),
            false => self.plan.stage_items(conn, staging, now)?,
        };
        self.created = created.iter().map(|part| (part.list.name.clone(), part.items)).collect();
        if self.plan.is_trial {
            self.created = self.plan.lacking(conn, staging)?;
        }
        let told = self.told().written()?;
        let (scope, stamps) = (self.plan.scope_positions(), self.plan.stamps());
        let scope = scope.map_err(|why| LoadError::new(FailureKind::Columns, why))?;
        let visible = Visible {
            block: &self.plan.block,
            merge: self.plan.merge(),
            filled: positions,
            stamps: &stamps,
            scope: &scope,
            blanks_keep: matches!(self.again, Again::Block(_)),
            replaces_runs: &self.plan.replaces_runs,
            staged,
            read: self.read.rows,
            rejected,
            bytes: self.read.bytes,
            source_name: self.name,
            source_sha256: self.sha256,
            told: told.as_deref(),
        };
        if self.plan.is_trial {
            self.tell("Comparing");
            let (row, difference) =
                trial::outcome(conn, staging, &visible, holds, now).map_err(LoadError::from_database)?;
            self.difference = Some(difference);
            return Ok(row);
        }
        let settle = if holds { ledger::hold } else { ledger::commit };
        let keys: Vec<[i32; 1]> = created.iter().map(key_of).collect();
        let beside: Vec<Visible<'_>> =
            created.iter().zip(&keys).map(|(part, key)| beside(part, key, &visible)).collect();
        let parts: Vec<ledger::Part<'_>> =
            std::iter::once((staging, &visible)).chain(created.iter().map(|part| &part.staging).zip(&beside)).collect();
        self.committing = true;
        let rows = loop {
            match settle(conn, &parts, self.context.clock.now()) {
                // The load itself is done, so it waits for readers of the view as long as the attempt may take. Inside
                // the caller's transaction nothing can be tried twice.
                Err(why) if staging.making != Making::AtOnce && held_up::may_try_again(&why, conn) => {
                    self.context.go_on()?;
                    self.tell("Waiting for readers of the Block");
                    std::thread::sleep(Duration::from_secs(1));
                }
                done => {
                    // What was ended here answered, so it is known: nothing became visible.
                    if done.is_err() && self.context.go_on().is_err() && ping(conn).is_ok() {
                        self.committing = false;
                    }
                    if done.is_err() {
                        give_up(conn, &created);
                    }
                    break done?;
                }
            }
        };
        self.loading += began.elapsed();
        rows.into_iter().next().ok_or_else(|| {
            LoadError::new(FailureKind::Internal, "The database has no record of the load. Run the import again.")
        })
    }

    /// The same of this load.
    pub fn known_after_all(&self, failure: LoadError) -> Result<Option<LedgerRow>, LoadError> {
        if self.committing { known(self.context, self.plan.block.id, failure) } else { Err(failure) }
    }
}

impl Plan {
    /// The same counted, of a load that is only tried out.
    fn lacking(&self, conn: &mut Conn, staging: &Staging) -> Result<Vec<(String, i64)>, LoadError> {
        let mut lacking = Vec::new();
        for list in &self.creates {
            let items = items::lacking(conn, staging, &self.block, list)?;
            lacking.extend((items > 0).then(|| (list.name.clone(), items)));
        }
        Ok(lacking)
    }

    /// Stages the items that staged rows name and their lists lack.
    pub(super) fn stage_items(
        &self,
        conn: &mut Conn,
        staging: &Staging,
        now: Moment,
    ) -> Result<Vec<Created<'_>>, LoadRefused> {
        let mut created = Vec::new();
        for list in &self.creates {
            match items::stage(conn, staging, &self.block, list, FILE, now) {
                Ok(part) => created.extend(part),
                Err(why) => {
                    give_up(conn, &created);
                    return Err(why);
                }
            }
        }
        Ok(created)
    }
}

pub(super) fn key_of(part: &Created<'_>) -> [i32; 1] {
    [part.list.keys().next().map_or(0, |key| key.position)]
}

/// The part of a load that creates items, beside the rows that name them.
pub(super) fn beside<'a>(part: &'a Created<'_>, key: &'a [i32; 1], load: &Visible<'a>) -> Visible<'a> {
    Visible {
        block: part.list,
        merge: Merge::Append,
        filled: key,
        stamps: &[],
        scope: &[],
        blanks_keep: false,
        replaces_runs: &[],
        staged: part.items,
        read: part.items,
        rejected: 0,
        bytes: 0,
        source_name: load.source_name,
        source_sha256: load.source_sha256,
        told: None,
    }
}

/// What cannot be dropped here is dropped by the next cleanup.
pub(super) fn give_up(conn: &mut Conn, created: &[Created<'_>]) {
    for part in created {
        if let Err(error) = ledger::abandon(conn, &part.staging) {
            tracing::warn!(run = part.staging.run.id, %error, "staged items are left to the next cleanup");
        }
    }
}

/// The answer to a commit may have been lost although the commit succeeded: the ledger knows. It is asked for half a
/// minute. If nothing is known by then, the error says so, and the worker that takes over the run decides. This asks
/// through the pool: the load's connection does not belong to it, so waiting for one here blocks nobody.
pub(super) fn known(
    context: &LoadContext<'_>,
    block_id: i64,
    failure: LoadError,
) -> Result<Option<LedgerRow>, LoadError> {
    const PATIENCE: Duration = Duration::from_secs(30);
    if !failure.is_of_database() {
        return Err(failure);
    }
    let began = Instant::now();
    loop {
        match context.blocks.write(|conn| ledger::ledger_at_rest(conn, &context.run.uid, block_id)) {
            Ok(known) => return known.map(Some).ok_or(failure),
            Err(_) if began.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(500)),
            Err(error) => return Err(LoadError::unknown(error)),
        }
    }
}
