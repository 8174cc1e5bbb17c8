//! What a run changed in a Block, as far as the Block database can still tell.

use super::difference::{self, Difference, How};
use super::ledger::{LedgerRow, LoadState};
use super::rows::BlockRow;
use super::staging::Merge;
use super::{generations, physical};
use crate::applications::blocks::model::Block;
use crate::db::{self, Conn};
use crate::error::Result;

/// What can be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Changed {
    /// A load took the place of all rows, or would: both generations are there. Of the later one so many rows were written
    /// since by other runs.
    Compared { difference: Difference, since: i64 },
    /// Rows that it wrote and that no later run wrote: how many there are, and some of them. `shown`: the Block shows them.
    Written { all: i64, rows: Vec<BlockRow>, shown: bool },
    /// What it loaded was discarded before anybody saw it.
    Dropped,
    /// The generation of that time, or the one before it, is no longer kept.
    Gone,
}

/// Of a load that the ledger knows. `scope`: it made room for what came, in the columns at these positions, or if there are
/// none in all of the Block. Rows come after a row, so many at most.
pub fn of(
    conn: &mut Conn,
    block: &Block,
    load: &LedgerRow,
    scope: Option<&[i32]>,
    (after, limit): (i64, i64),
) -> Result<Changed> {
    db::snapshot(conn, |conn| {
        let current = generations::current_table(conn, block.id)?;
        match load.state {
            LoadState::Dropped => return Ok(Changed::Dropped),
            LoadState::Held => {
                let held = physical::table(block.id, load.generation);
                let within = How { merge: Merge::ReplaceScope, scope: scope.unwrap_or_default(), ..How::WHOLE };
                let how = if within.scope.is_empty() { How::WHOLE } else { within };
                let difference = difference::between(conn, block, current.as_deref(), &held, how)?;
                return Ok(Changed::Compared { difference, since: 0 });
            }
            LoadState::Visible => {}
        }
        let Some((own, before)) = generations::with_before(conn, block.id, load.generation)? else {
            return Ok(Changed::Gone);
        };
        if scope.is_some_and(<[i32]>::is_empty) {
            // What was there, and is not kept.
            if before.is_none() && load.removed > 0 {
                return Ok(Changed::Gone);
            }
            let difference = difference::between(conn, block, before.as_deref(), &own, How::WHOLE)?;
            let since = difference::written_by_others(conn, &own, load.run_id)?;
            return Ok(Changed::Compared { difference, since });
        }
        let (all, rows) = difference::written(conn, block, &own, load.run_id, after, limit)?;
        Ok(Changed::Written { all, rows, shown: current.as_ref() == Some(&own) })
    })
}
