//! The pointer of each Block: how many rows it shows, since when, and the newest fence that may write it.

use std::collections::HashMap;

use super::ledger::LoadRefused;
use super::staging::{Making, Staging};
use crate::applications::blocks::model::BlockState;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::block_db::{block_state, generations, loads, reject_heads, rejects};
use crate::db::{self, Conn};
use crate::error::{AppError, Result};

/// A Block has a row from its first load on.
pub fn make_state(conn: &mut Conn, block_id: i64) -> Result<()> {
    diesel::sql_query("INSERT INTO block_state (block_id) VALUES ($1) ON CONFLICT (block_id) DO NOTHING")
        .bind::<diesel::sql_types::BigInt, _>(block_id)
        .execute(conn)?;
    Ok(())
}

/// What a Block holds.
pub fn state(conn: &mut Conn, block_id: i64) -> Result<BlockState> {
    let row: Option<(i64, Option<Moment>)> = block_state::table
        .filter(block_state::block_id.eq(block_id))
        .select((block_state::row_count, block_state::loaded_at))
        .first(conn)
        .optional()?;
    Ok(row.map(|(row_count, loaded_at)| BlockState { row_count, loaded_at }).unwrap_or_default())
}

/// What a Block holds, kept from changing until the transaction ends.
pub fn keep_state(conn: &mut Conn, block_id: i64) -> Result<BlockState> {
    make_state(conn, block_id)?;
    let row = block_state::table.filter(block_state::block_id.eq(block_id));
    diesel::update(row).set(block_state::fence.eq(block_state::fence)).execute(conn)?;
    state(conn, block_id)
}

/// One transaction of a load, that counts only while no newer fence has its Block. That is asked at its end, so that
/// nobody waits for the Block's row for as long as the deed takes.
pub fn while_mine<T>(
    conn: &mut Conn,
    staging: &Staging,
    deed: impl FnOnce(&mut Conn) -> Result<T>,
) -> Result<T, LoadRefused> {
    // Nobody takes over from a trial.
    if staging.making == Making::Tried {
        return Ok(db::write(conn, deed)?);
    }
    let mut refused = false;
    let done = db::write(conn, |conn| {
        let done = deed(conn)?;
        let row = block_state::table
            .filter(block_state::block_id.eq(staging.block_id).and(block_state::fence.le(staging.fence)))
            .select(block_state::block_id);
        let mine: Option<i64> = match conn {
            Conn::Pg(conn) => row.for_no_key_update().first(conn).optional()?,
            // Its write transactions exclude each other.
            Conn::Sqlite(conn) => row.first(conn).optional()?,
        };
        refused = mine.is_none();
        // An error, so that it is undone.
        if refused { Err(AppError::internal("another worker has taken over this Block")) } else { Ok(done) }
    });
    if refused { Err(LoadRefused::FenceLost) } else { Ok(done?) }
}

/// From here on no load with an older fence becomes visible: whoever takes a run over asks the ledger after this, and
/// what it says then stays true.
pub fn shut_out(conn: &mut Conn, block_id: i64, fence: i64) -> Result<()> {
    db::write(conn, |conn| {
        make_state(conn, block_id)?;
        diesel::update(
            block_state::table.filter(block_state::block_id.eq(block_id)).filter(block_state::fence.lt(fence)),
        )
        .set(block_state::fence.eq(fence))
        .execute(conn)?;
        Ok(())
    })
}

/// Whether a load with a newer fence began since.
pub fn is_overtaken(conn: &mut Conn, staging: &Staging) -> Result<bool> {
    let fence: Option<i64> = block_state::table
        .filter(block_state::block_id.eq(staging.block_id))
        .select(block_state::fence)
        .first(conn)
        .optional()?;
    Ok(fence.is_some_and(|fence| fence > staging.fence))
}

/// The states of several Blocks, for lists; a Block that never held anything is not among them.
pub fn states(conn: &mut Conn, block_ids: &[i64]) -> Result<HashMap<i64, BlockState>> {
    let rows: Vec<(i64, i64, Option<Moment>)> = block_state::table
        .filter(block_state::block_id.eq_any(block_ids))
        .select((block_state::block_id, block_state::row_count, block_state::loaded_at))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, row_count, loaded_at)| (id, BlockState { row_count, loaded_at })).collect())
}

/// The largest ids that the Block database knows: what the Workspace hands out next has to lie above them.
pub struct Highest {
    pub run_id: i64,
    pub block_id: i64,
    pub fence: i64,
}

pub fn highest(conn: &mut Conn) -> Result<Highest> {
    use diesel::dsl::max;
    let loaded: Option<i64> = loads::table.select(max(loads::run_id)).first(conn)?;
    let made: Option<i64> = generations::table.select(max(generations::run_id)).first(conn)?;
    // A run that only rejected rows is known by nothing else.
    let heads: Option<i64> = reject_heads::table.select(max(reject_heads::run_id)).first(conn)?;
    let rejected: Option<i64> = rejects::table.select(max(rejects::run_id)).first(conn)?;
    let run_id = loaded.max(made).max(heads).max(rejected).unwrap_or(0);
    let (block_id, fence): (Option<i64>, Option<i64>) =
        block_state::table.select((max(block_state::block_id), max(block_state::fence))).first(conn)?;
    Ok(Highest { run_id, block_id: block_id.unwrap_or(0), fence: fence.unwrap_or(0) })
}
