//! Staging tables that nobody fills any more: what loads left behind that ended without a word.

use diesel::prelude::*;

use super::ledger::drop_generation;
use crate::db::schema::block_db::generations;
use crate::db::{Conn, Pool};
use crate::error::Result;

/// A staging table: Block, generation, and the run that fills it.
pub type Staged = (i64, i64, Option<i64>);

/// All staging tables that there are.
pub fn staged(conn: &mut Conn) -> Result<Vec<Staged>> {
    Ok(generations::table
        .filter(generations::state.eq("staging"))
        .select((generations::block_id, generations::generation, generations::run_id))
        .load(conn)?)
}

/// Drops what loads left behind that ended without a word: of these staging tables those whose run is not in
/// `active_runs`, which was asked for after them. Answers how many. One that cannot be dropped, because a worker that
/// was frozen still holds it, is left to the next time.
pub fn cleanup(blocks: &Pool, staged: &[Staged], active_runs: &[i64]) -> usize {
    let mut dropped = 0;
    for &(block_id, generation, run_id) in staged {
        if run_id.is_some_and(|run_id| active_runs.contains(&run_id)) {
            continue;
        }
        match blocks.write(|conn| drop_staging(conn, (block_id, generation))) {
            Ok(true) => dropped += 1,
            Ok(false) => {}
            Err(error) => tracing::warn!(block_id, generation, %error, "a staging table cannot be dropped yet"),
        }
    }
    dropped
}

/// Drops a staging table, unless it is what the Block shows by now; answers whether it was there.
pub(super) fn drop_staging(conn: &mut Conn, (block_id, generation): (i64, i64)) -> Result<bool> {
    let row = generations::table
        .filter(generations::block_id.eq(block_id))
        .filter(generations::generation.eq(generation))
        .filter(generations::state.eq("staging"));
    let there: Option<i64> = match conn {
        Conn::Pg(conn) => row.select(generations::generation).for_update().first(conn).optional()?,
        Conn::Sqlite(conn) => row.select(generations::generation).first(conn).optional()?,
    };
    if there.is_some() {
        drop_generation(conn, (block_id, generation))?;
    }
    Ok(there.is_some())
}
