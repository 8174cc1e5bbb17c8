//! The rows of the ledger: what each run loaded into each Block.

use super::ledger::{LedgerRow, LoadState};
use super::pointer::keep_state;
use crate::db::prelude::*;
use crate::db::schema::block_db::loads;
use crate::db::{self, Conn};
use crate::error::Result;

pub(super) fn insert(conn: &mut Conn, row: &LedgerRow) -> Result<()> {
    diesel::insert_into(loads::table)
        .values((
            loads::run_uid.eq(&row.run_uid),
            loads::block_id.eq(row.block_id),
            loads::run_id.eq(row.run_id),
            loads::state.eq(row.state),
            loads::generation.eq(row.generation),
            loads::fence.eq(row.fence),
            loads::rows_read.eq(row.read),
            loads::rows_added.eq(row.added),
            loads::rows_changed.eq(row.changed),
            loads::rows_removed.eq(row.removed),
            loads::rows_unchanged.eq(row.unchanged),
            loads::rows_rejected.eq(row.rejected),
            loads::bytes.eq(row.bytes),
            loads::source_name.eq(&row.source_name),
            loads::source_sha256.eq(&row.source_sha256),
            loads::loaded_at.eq(row.loaded_at),
            loads::told.eq(&row.told),
        ))
        .execute(conn)?;
    Ok(())
}

/// What a run loaded into a Block, or holds; none when its load never came to its end.
pub fn ledger(conn: &mut Conn, run_uid: &str, block_id: i64) -> Result<Option<LedgerRow>> {
    Ok(loads::table.find((run_uid, block_id)).first(conn).optional()?)
}

/// The same when a commit of it may still be under way, because its answer was lost: waits until the Block's row is free,
/// so that what the ledger says then stays true.
pub fn ledger_at_rest(conn: &mut Conn, run_uid: &str, block_id: i64) -> Result<Option<LedgerRow>> {
    db::write(conn, |conn| {
        keep_state(conn, block_id)?;
        ledger(conn, run_uid, block_id)
    })
}

/// Forgets what these runs loaded: their history ends. What they loaded stays in the Blocks.
pub fn forget(conn: &mut Conn, run_uids: &[&str]) -> Result<()> {
    diesel::delete(loads::table.filter(loads::run_uid.eq_any(run_uids).and(loads::state.ne(LoadState::Held))))
        .execute(conn)?;
    Ok(())
}
