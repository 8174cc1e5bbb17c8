//! The ledger and the pointer of the Block database: which load happened, and which generation a Block shows.
//!
//! A load [`begin`]s by registering its fence and making a staging generation, fills it in as many transactions as it
//! likes, and becomes visible in one short one ([`commit`]). A process that dies before it leaves a staging table that
//! nobody sees and [`cleanup`] drops; after it the ledger row says that the load happened, and what it did. A newer
//! fence that began in between refuses the older commit: a worker that slept past its lease cannot write over its
//! successor.

use diesel::prelude::*;

use super::leftovers::drop_staging;
pub use super::leftovers::{Staged, cleanup, staged};
use super::merge::{self, Merge};
use super::model::{Block, BlockState};
use super::{physical, rejects, views};
use crate::clock::Moment;
use crate::db::schema::block_db::{block_state, generations, loads};
use crate::db::{self, Conn};
use crate::error::{AppError, Result};

/// How many generations of a Block are kept, the visible one included.
pub const KEPT_GENERATIONS: usize = 3;

/// What a load did to a Block.
#[derive(Clone, Debug, Default, PartialEq, Eq, diesel::Queryable)]
pub struct LedgerRow {
    pub run_id: i64,
    pub block_id: i64,
    pub generation: i64,
    pub fence: i64,
    pub read: i64,
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
    pub unchanged: i64,
    pub rejected: i64,
    pub bytes: i64,
    pub source_name: Option<String>,
    pub source_sha256: Option<String>,
    pub loaded_at: i64,
}

/// A load that has begun and is not visible yet.
#[derive(Clone, Debug)]
pub struct Staging {
    pub block_id: i64,
    pub run_id: i64,
    pub fence: i64,
    pub generation: i64,
    /// The table to fill.
    pub table: String,
}

/// Why a load may not begin or become visible.
#[derive(Debug, thiserror::Error)]
pub enum LoadRefused {
    /// A newer lease began a load of this Block.
    #[error("another worker has taken over this Block")]
    FenceLost,
    /// The columns that the load filled are not the Block's any more.
    #[error("the definition of the Block was changed while the load ran")]
    DefinitionChanged,
    #[error(transparent)]
    Database(#[from] AppError),
}

impl From<diesel::result::Error> for LoadRefused {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Begins a load: from here on no load with an older fence can become visible. What an earlier attempt of the same
/// run left behind, its staging table and its rejected rows, is dropped.
pub fn begin(conn: &mut Conn, block: &Block, run_id: i64, fence: i64, now: Moment) -> Result<Staging, LoadRefused> {
    rejects::forget(conn, run_id)?;
    for left in staged_by(conn, run_id)? {
        // A worker that was frozen in the middle may hold it still; then the next cleanup drops it.
        if let Err(error) = db::write(conn, |conn| drop_staging(conn, left)) {
            tracing::warn!(run = run_id, %error, "what an earlier attempt staged cannot be dropped yet");
        }
    }
    // The refusal goes round the transaction, whose errors are `AppError`.
    let staging = db::write(conn, |conn| {
        diesel::sql_query("INSERT INTO block_state (block_id) VALUES ($1) ON CONFLICT (block_id) DO NOTHING")
            .bind::<diesel::sql_types::BigInt, _>(block.id)
            .execute(conn)?;
        let moved = diesel::update(
            block_state::table.filter(block_state::block_id.eq(block.id)).filter(block_state::fence.le(fence)),
        )
        .set((block_state::fence.eq(fence), block_state::last_generation.eq(block_state::last_generation + 1)))
        .execute(conn)?;
        if moved == 0 {
            return Ok(None);
        }
        let generation: i64 = block_state::table
            .filter(block_state::block_id.eq(block.id))
            .select(block_state::last_generation)
            .first(conn)?;
        diesel::insert_into(generations::table)
            .values((
                generations::block_id.eq(block.id),
                generations::generation.eq(generation),
                generations::run_id.eq(run_id),
                generations::state.eq("staging"),
                generations::made_at.eq(now),
            ))
            .execute(conn)?;
        let table = physical::table(block.id, generation);
        physical::create(conn, &table, &block.columns)?;
        Ok(Some(Staging { block_id: block.id, run_id, fence, generation, table }))
    })?;
    staging.ok_or(LoadRefused::FenceLost)
}

/// What a commit needs to know beside the staging table.
pub struct Visible<'a> {
    pub block: &'a Block,
    pub merge: Merge,
    /// The positions of the columns that the load filled.
    pub filled: &'a [i32],
    /// Runs whose appended rows go: the earlier ones of the same occurrence.
    pub replaces_runs: &'a [i64],
    /// Rows in the staging table.
    pub staged: i64,
    pub read: i64,
    pub rejected: i64,
    pub bytes: i64,
    pub source_name: &'a str,
    pub source_sha256: &'a str,
}

/// Makes a load visible, in one transaction, and answers its ledger row.
pub fn commit(conn: &mut Conn, staging: &Staging, load: &Visible<'_>, now: Moment) -> Result<LedgerRow, LoadRefused> {
    let outcome = db::write(conn, |conn| {
        // Locks the row on PostgreSQL too.
        let held = diesel::update(
            block_state::table
                .filter(block_state::block_id.eq(staging.block_id))
                .filter(block_state::fence.le(staging.fence)),
        )
        .set(block_state::fence.eq(staging.fence))
        .execute(conn)?;
        if held == 0 {
            return Ok(Err(LoadRefused::FenceLost));
        }
        let view = views::find(conn, staging.block_id)?;
        if let Some(view) = &view
            && load.block.columns.iter().any(|column| {
                view.columns.iter().any(|known| {
                    known.position == column.position
                        && (known.column_type, known.key) != (column.column_type, column.key)
                })
            })
        {
            return Ok(Err(LoadRefused::DefinitionChanged));
        }
        let (generation, row_count): (Option<i64>, i64) = block_state::table
            .filter(block_state::block_id.eq(staging.block_id))
            .select((block_state::generation, block_state::row_count))
            .first(conn)?;
        let current = generation.map(|g| physical::table(staging.block_id, g));
        if let Some(current) = &current {
            physical::add_missing_columns(conn, current, &physical::view_columns(load.block))?;
        }
        let done = merge::apply(conn, staging, load, current.as_deref(), row_count)?;
        let shown = if done.flip {
            diesel::update(
                generations::table
                    .filter(generations::block_id.eq(staging.block_id))
                    .filter(generations::state.eq("current")),
            )
            .set(generations::state.eq("kept"))
            .execute(conn)?;
            set_state(conn, staging.block_id, staging.generation, "current")?;
            staging.generation
        } else {
            drop_generation(conn, (staging.block_id, staging.generation))?;
            generation.unwrap_or(staging.generation)
        };
        diesel::update(block_state::table.filter(block_state::block_id.eq(staging.block_id)))
            .set((
                block_state::generation.eq(shown),
                block_state::row_count.eq(row_count + done.added - done.removed),
                block_state::loaded_at.eq(now),
            ))
            .execute(conn)?;
        if done.flip
            && let Some(view) = &view
        {
            let table = physical::table(staging.block_id, shown);
            // Columns that were defined while the load ran are in the view already.
            physical::add_missing_columns(conn, &table, &view.columns)?;
            physical::create_view(conn, &view.name, &view.columns, &table, false)?;
        }
        let row = LedgerRow {
            run_id: staging.run_id,
            block_id: staging.block_id,
            generation: shown,
            fence: staging.fence,
            read: load.read,
            added: done.added,
            changed: done.changed,
            removed: done.removed,
            unchanged: done.unchanged,
            rejected: load.rejected,
            bytes: load.bytes,
            source_name: Some(load.source_name.to_owned()),
            source_sha256: Some(load.source_sha256.to_owned()),
            loaded_at: now.micros(),
        };
        insert(conn, &row)?;
        Ok(Ok(row))
    })?;
    let row = outcome?;
    // What is too old goes in transactions of its own: the load has happened, whatever becomes of these.
    if let Err(error) = prune(conn, staging.block_id) {
        tracing::warn!(block = staging.block_id, %error, "an old generation could not be dropped yet");
    }
    Ok(row)
}

fn insert(conn: &mut Conn, row: &LedgerRow) -> Result<()> {
    diesel::insert_into(loads::table)
        .values((
            loads::run_id.eq(row.run_id),
            loads::block_id.eq(row.block_id),
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
        ))
        .execute(conn)?;
    Ok(())
}

/// What a run loaded; none when its load never became visible.
pub fn ledger(conn: &mut Conn, run_id: i64) -> Result<Option<LedgerRow>> {
    Ok(loads::table.filter(loads::run_id.eq(run_id)).first(conn).optional()?)
}

/// Gives up a load: its staging table goes. What it rejected stays, to be shown.
pub fn abandon(conn: &mut Conn, staging: &Staging) -> Result<()> {
    db::write(conn, |conn| drop_generation(conn, (staging.block_id, staging.generation)))
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

/// From here on no load with an older fence becomes visible: whoever takes a run over asks the ledger after this, and
/// what it says then stays true.
pub fn shut_out(conn: &mut Conn, block_id: i64, fence: i64) -> Result<()> {
    db::write(conn, |conn| {
        diesel::sql_query("INSERT INTO block_state (block_id) VALUES ($1) ON CONFLICT (block_id) DO NOTHING")
            .bind::<diesel::sql_types::BigInt, _>(block_id)
            .execute(conn)?;
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
pub fn states(conn: &mut Conn, block_ids: &[i64]) -> Result<std::collections::HashMap<i64, BlockState>> {
    let rows: Vec<(i64, i64, Option<Moment>)> = block_state::table
        .filter(block_state::block_id.eq_any(block_ids))
        .select((block_state::block_id, block_state::row_count, block_state::loaded_at))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, row_count, loaded_at)| (id, BlockState { row_count, loaded_at })).collect())
}

/// The table that a Block shows; none when it never held anything.
pub fn current_table(conn: &mut Conn, block_id: i64) -> Result<Option<String>> {
    let generation: Option<Option<i64>> = block_state::table
        .filter(block_state::block_id.eq(block_id))
        .select(block_state::generation)
        .first(conn)
        .optional()?;
    Ok(generation.flatten().map(|generation| physical::table(block_id, generation)))
}

/// Drops the generations of a Block that holds no rows, so that its columns may become others. Those that a load is
/// filling stay, and that load will be refused.
pub fn forget_empty(conn: &mut Conn, block_id: i64) -> Result<()> {
    let there: Vec<i64> = generations::table
        .filter(generations::block_id.eq(block_id))
        .filter(generations::state.ne("staging"))
        .select(generations::generation)
        .load(conn)?;
    if there.is_empty() {
        return Ok(());
    }
    if let Some(view) = views::find(conn, block_id)? {
        physical::drop_view(conn, &view.name)?;
    }
    for generation in there {
        drop_generation(conn, (block_id, generation))?;
    }
    diesel::update(block_state::table.filter(block_state::block_id.eq(block_id)))
        .set(block_state::generation.eq(None::<i64>))
        .execute(conn)?;
    Ok(())
}

/// Drops the generations of a Block beyond those that are kept.
fn prune(conn: &mut Conn, block_id: i64) -> Result<()> {
    let there: Vec<i64> = generations::table
        .filter(generations::block_id.eq(block_id))
        .filter(generations::state.ne("staging"))
        .order(generations::generation.desc())
        .select(generations::generation)
        .load(conn)?;
    for generation in there.into_iter().skip(KEPT_GENERATIONS) {
        db::write(conn, |conn| drop_generation(conn, (block_id, generation)))?;
    }
    Ok(())
}

fn staged_by(conn: &mut Conn, run_id: i64) -> Result<Vec<(i64, i64)>> {
    Ok(generations::table
        .filter(generations::run_id.eq(run_id))
        .filter(generations::state.eq("staging"))
        .select((generations::block_id, generations::generation))
        .load(conn)?)
}

fn set_state(conn: &mut Conn, block_id: i64, generation: i64, state: &str) -> Result<()> {
    diesel::update(
        generations::table.filter(generations::block_id.eq(block_id)).filter(generations::generation.eq(generation)),
    )
    .set(generations::state.eq(state))
    .execute(conn)?;
    Ok(())
}

pub(super) fn drop_generation(conn: &mut Conn, (block_id, generation): (i64, i64)) -> Result<()> {
    physical::drop(conn, &physical::table(block_id, generation))?;
    diesel::delete(
        generations::table.filter(generations::block_id.eq(block_id)).filter(generations::generation.eq(generation)),
    )
    .execute(conn)?;
    Ok(())
}
