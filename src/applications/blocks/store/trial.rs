//! Loads that are only tried out. A trial fills a staging table of its own and commits nothing: it registers no fence, so
//! that it shuts no load out and none shuts it out, and takes no number of the Block. What it staged and rejected goes when
//! it [`end`]s; what a process that died left behind, with a cleanup once nobody can be at it any more.

use chrono::Duration;

use super::difference::{self, Difference, How};
use super::generations::{self, Staged, State};
use super::ledger::{self, LedgerRow, LoadState};
use super::merge::{Done, makes_room};
use super::staging::{Making, RunKey, Staging, Visible};
use super::{physical, pointer, rejects};
use crate::applications::blocks::model::Block;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::Result;
use crate::secrets;

/// How the uid of every trial begins; a run's is a token, which has other letters there.
const UID: &str = "test-run:";

/// Longer than any may take.
const FORGOTTEN: Duration = Duration::minutes(15);

/// A trial is a run that nobody numbered: what it rejects is kept under a negative id until it ends.
pub fn run() -> RunKey {
    RunKey { uid: format!("{UID}{}", secrets::random_token()), id: -secrets::random_number() }
}

/// Whether a staging table is a trial's that may still go on.
pub fn goes_on(staged: &Staged, now: Moment) -> bool {
    is_one(&staged.run.uid) && now.since(staged.made_at) < FORGOTTEN
}

pub(super) fn is_one(run_uid: &str) -> bool {
    run_uid.starts_with(UID)
}

/// Begins a trial. Its generation has a number that no load is ever given.
pub fn begin(conn: &mut Conn, block: &Block, run: &RunKey, now: Moment) -> Result<Staging> {
    db::write(conn, |conn| {
        let generation = secrets::random_number();
        let staging = Staging {
            block_id: block.id,
            run: run.clone(),
            fence: i64::MAX,
            generation,
            making: Making::Tried,
            table: physical::table(block.id, generation),
        };
        generations::insert(conn, &staging, State::Staging, now)?;
        physical::create(conn, &staging, &block.columns)?;
        Ok(staging)
    })
}

/// What the commit of a filled and sealed trial would do: the row that the ledger would have, and what would be another in
/// the Block. `held`: the guard would hold it.
pub fn outcome(
    conn: &mut Conn,
    staging: &Staging,
    load: &Visible<'_>,
    held: bool,
    now: Moment,
) -> Result<(LedgerRow, Difference)> {
    db::snapshot(conn, |conn| {
        let current = generations::current_table(conn, staging.block_id)?;
        let Visible { merge, filled, stamps, scope, blanks_keep, .. } = *load;
        let how = How { merge, filled, stamps, scope, blanks_keep };
        let difference = difference::between(conn, load.block, current.as_deref(), &staging.table, how)?;
        let Difference { added, changed, removed, unchanged, .. } = difference;
        let (would, state) = match held {
            false => (Done { added, changed, removed, unchanged, flip: false }, LoadState::Visible),
            true => {
                let all = pointer::state(conn, staging.block_id)?.row_count;
                let removed = makes_room(conn, staging, (merge, scope), all)?;
                (Done { added: load.staged, removed, ..Done::default() }, LoadState::Held)
            }
        };
        Ok((ledger::row_of(staging, load, &would, (state, staging.generation), now), difference))
    })
}

/// Nothing of a trial stays.
pub fn end(conn: &mut Conn, run: &RunKey) -> Result<()> {
    db::write(conn, |conn| {
        for staged in generations::of_run(conn, &run.uid, State::Staging)? {
            generations::drop_generation(conn, staged)?;
        }
        rejects::forget(conn, run.id)
    })
}
