//! The moment in which a load becomes visible, and what is asked when nobody heard whether it did.

use std::time::{Duration, Instant};

use super::again::Again;
use super::context::LoadContext;
use super::held_up;
use super::load::{FILE, Load};
use super::outcome::{FailureKind, LoadError};
use crate::applications::blocks::ledger::{self, LedgerRow};
use crate::applications::blocks::{Making, Staging, Visible, seal, trial};
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
        let told = self.told().written()?;
        let visible = Visible {
            block: &self.plan.block,
            merge: self.plan.merge(),
            filled: positions,
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
        let held = self.plan.holds(conn, staged)?;
        if self.plan.is_trial {
            self.tell("Comparing");
            let now = self.context.clock.now();
            let (row, difference) =
                trial::outcome(conn, staging, &visible, held, now).map_err(LoadError::from_database)?;
            self.difference = Some(difference);
            return Ok(row);
        }
        let settle = if held { ledger::hold } else { ledger::commit };
        self.committing = true;
        let mut rows = loop {
            match settle(conn, &[(staging, &visible)], self.context.clock.now()) {
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
                    break done?;
                }
            }
        };
        self.loading += began.elapsed();
        rows.pop().ok_or_else(|| {
            LoadError::new(FailureKind::Internal, "The database has no record of the load. Run the import again.")
        })
    }

    /// The same of this load.
    pub fn known_after_all(&self, failure: LoadError) -> Result<Option<LedgerRow>, LoadError> {
        if self.committing { known(self.context, self.plan.block.id, failure) } else { Err(failure) }
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
