//! The ledger and the pointer of the Block database: which load happened, and which generation a Block shows.
//!
//! A load [`begin`]s by registering its fence and making a staging generation, fills it in as many transactions as it
//! likes, and becomes visible in one short one ([`commit`]). A process that dies before it leaves a staging table that
//! nobody sees and [`cleanup`] drops; after it the ledger row says that the load happened, and what it did. A newer
//! fence that began in between refuses the older commit: a worker that slept past its lease cannot write over its
//! successor. A full load may also be [`hold`]: it waits, unseen, until it is [`held`] under a new fence and committed, or
//! [`drop_held`].
//!
//! The ledger knows a run by its random uid: an id may be handed out again after a power cut or a partial restore, and
//! must not be taken for the run that had it before.

use std::collections::BTreeMap;

use super::generations::{self, State, drop_generation, drop_staging};
pub use super::ledger_rows::{forget, ledger, ledger_at_rest};
use super::physical::ViewColumn;
use super::pointer::make_state;
pub use super::pointer::{Highest, highest, is_overtaken, keep_state, shut_out, state, states};
use super::staging::{Making, RunKey, Staging, Visible};
use super::views::{self, View};
use super::{ledger_rows, merge, physical, rejects};
use crate::applications::blocks::model::Block;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::block_db::{block_state, loads};
use crate::db::{self, Conn, text_enum};
use crate::error::{AppError, Result};
use crate::formats::ColumnType;

text_enum! {
    /// What became of a load that was filled to its end.
    pub enum LoadState {
        Visible = "visible",
        /// It waits for a decision; the Block is unchanged.
        Held = "held",
        /// It was held, and will never be seen.
        Dropped = "dropped",
    }
}

/// What a load did to a Block, or would do.
#[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable)]
pub struct LedgerRow {
    pub run_uid: String,
    pub block_id: i64,
    pub run_id: i64,
    pub state: LoadState,
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
    /// What the load tells beside these, in the words of the room that loads.
    pub told: Option<String>,
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
    /// The items that it names cannot be created.
    #[error("{0}")]
    NoItem(String),
    #[error(transparent)]
    Database(#[from] AppError),
}

impl From<diesel::result::Error> for LoadRefused {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Begins a load: from here on no load with an older fence can become visible. What an earlier attempt of the same run
/// rejected is forgotten; whoever was overtaken touches nothing.
pub fn begin(
    conn: &mut Conn,
    block: &Block,
    run: &RunKey,
    fence: i64,
    making: Making,
    now: Moment,
) -> Result<Staging, LoadRefused> {
    begin_part(conn, block, run, fence, (making, true), now)
}

/// Begins a further part of a load that has begun.
pub fn begin_beside(
    conn: &mut Conn,
    block: &Block,
    run: &RunKey,
    fence: i64,
    making: Making,
    now: Moment,
) -> Result<Staging, LoadRefused> {
    begin_part(conn, block, run, fence, (making, false), now)
}

fn begin_part(
    conn: &mut Conn,
    block: &Block,
    run: &RunKey,
    fence: i64,
    (making, forgets): (Making, bool),
    now: Moment,
) -> Result<Staging, LoadRefused> {
    // The refusal goes round the transaction, whose errors are `AppError`.
    let staging = db::write(conn, |conn| {
        // Only a Block's first load has to make its row.
        let mut generation = next_generation(conn, block.id, fence)?;
        if generation.is_none() {
            make_state(conn, block.id)?;
            generation = next_generation(conn, block.id, fence)?;
        }
        let Some(generation) = generation else { return Ok(None) };
        // While the Block's row is held: a successor cannot have written any of its own yet.
        if forgets && rejects::any(conn, run.id)? {
            rejects::forget(conn, run.id)?;
        }
        let table = physical::table(block.id, generation);
        let staging = Staging { block_id: block.id, run: run.clone(), fence, generation, making, table };
        if making == Making::Staged {
            generations::insert(conn, &staging, State::Staging, now)?;
        }
        physical::create(conn, &staging, &block.columns)?;
        Ok(Some(staging))
    })?;
    staging.ok_or(LoadRefused::FenceLost)
}

/// Drops what earlier attempts of the same run staged: the disk may have no room for it and for this one. A worker that
/// was frozen in the middle may hold it still; then the next cleanup drops it.
pub fn drop_earlier(conn: &mut Conn, staging: &Staging) {
    // A later one is a successor's.
    let earlier = |left: &(i64, i64)| left.0 == staging.block_id && left.1 < staging.generation;
    let dropped = generations::of_run(conn, &staging.run.uid, State::Staging).and_then(|there| {
        there
            .into_iter()
            .filter(earlier)
            .try_for_each(|left| db::write(conn, |conn| drop_staging(conn, left).map(drop)))
    });
    if let Err(error) = dropped {
        tracing::warn!(run = staging.run.id, %error, "what an earlier attempt staged cannot be dropped yet");
    }
}

/// Registers a fence and takes the next generation; none when a newer fence has the Block, or it has no row yet.
fn next_generation(conn: &mut Conn, block_id: i64, fence: i64) -> Result<Option<i64>> {
    let row = block_state::table.filter(block_state::block_id.eq(block_id)).filter(block_state::fence.le(fence));
    Ok(diesel::update(row)
        .set((block_state::fence.eq(fence), block_state::last_generation.eq(block_state::last_generation + 1)))
        .returning(block_state::last_generation)
        .get_result(conn)
        .optional()?)
}

/// One Block's part of what a run loads.
pub type Part<'a> = (&'a Staging, &'a Visible<'a>);

/// Makes the loads of one run visible, all of them in one transaction, and answers their ledger rows in the order of
/// the parts.
pub fn commit(conn: &mut Conn, parts: &[Part<'_>], now: Moment) -> Result<Vec<LedgerRow>, LoadRefused> {
    settle(conn, parts, |conn, part, kept| show(conn, part, kept, now))
}

/// Holds the loads of one run, full and unseen, until somebody decides. Their rows say what they would load, and take the
/// place of.
pub fn hold(conn: &mut Conn, parts: &[Part<'_>], now: Moment) -> Result<Vec<LedgerRow>, LoadRefused> {
    settle(conn, parts, |conn, (staging, load), kept| {
        generations::supersede(conn, staging)?;
        generations::turn_into(conn, staging, State::Held, now)?;
        let removed = merge::makes_room(conn, staging, (load.merge, load.scope), kept.row_count)?;
        let would = merge::Done { added: load.staged, removed, ..merge::Done::default() };
        Ok(row_of(staging, load, &would, (LoadState::Held, staging.generation), now))
    })
}

/// What a run holds, to be made visible by [`commit`] under a new fence.
pub fn held(conn: &mut Conn, run: &RunKey, fence: i64) -> Result<Vec<Staging>> {
    let there = generations::of_run(conn, &run.uid, State::Held)?;
    Ok(there
        .into_iter()
        .map(|(block_id, generation)| Staging {
            block_id,
            run: run.clone(),
            fence,
            generation,
            making: Making::Held,
            table: physical::table(block_id, generation),
        })
        .collect())
}

/// Drops what a run holds: it was rejected, or something newer took its place.
pub fn drop_held(conn: &mut Conn, run_uid: &str) -> Result<()> {
    db::write(conn, |conn| {
        for held in generations::of_run(conn, run_uid, State::Held)? {
            drop_generation(conn, held)?;
        }
        diesel::update(loads::table.filter(loads::run_uid.eq(run_uid).and(loads::state.eq(LoadState::Held))))
            .set(loads::state.eq(LoadState::Dropped))
            .execute(conn)?;
        Ok(())
    })
}

/// A Block that nobody else changes until the transaction ends.
struct Kept {
    generation: Option<i64>,
    row_count: i64,
    view: Option<View>,
}

/// Writes the ledger rows of a run's parts in one transaction: each once it was seen that no newer fence has its Block,
/// and that its columns are the Block's still. Blocks are held in the order of their ids, as by everybody.
fn settle(
    conn: &mut Conn,
    parts: &[Part<'_>],
    mut deed: impl FnMut(&mut Conn, &Part<'_>, Kept) -> Result<LedgerRow>,
) -> Result<Vec<LedgerRow>, LoadRefused> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|i| parts[*i].0.block_id);
    db::write(conn, |conn| {
        // Who waits for the view holds up all who come to read it: it is given up soon, and tried again by who loads.
        if let Conn::Pg(_) = conn {
            diesel::sql_query("SET LOCAL lock_timeout = '500ms'").execute(conn)?;
        }
        // All rows at once, so that a refusal leaves nothing half done.
        let mut kept = Vec::with_capacity(parts.len());
        for i in &order {
            match keep(conn, &parts[*i])? {
                Ok(block) => kept.push((*i, block)),
                Err(refused) => return Ok(Err(refused)),
            }
        }
        let mut rows: Vec<Option<LedgerRow>> = parts.iter().map(|_| None).collect();
        for (i, block) in kept {
            let row = deed(conn, &parts[i], block)?;
            if parts[i].0.making == Making::Held {
                diesel::delete(loads::table.find((&row.run_uid, row.block_id))).execute(conn)?;
            }
            ledger_rows::insert(conn, &row)?;
            rows[i] = Some(row);
        }
        Ok(Ok(rows.into_iter().flatten().collect()))
    })?
}

fn keep(conn: &mut Conn, (staging, load): &Part<'_>) -> Result<Result<Kept, LoadRefused>> {
    let row = block_state::table
        .filter(block_state::block_id.eq(staging.block_id))
        .filter(block_state::fence.le(staging.fence));
    let shown = (block_state::generation, block_state::row_count);
    let kept: Option<(Option<i64>, i64)> = match staging.making {
        // Since this transaction began it.
        Making::AtOnce => row.select(shown).first(conn).optional()?,
        // Locks the row on PostgreSQL too.
        Making::Staged | Making::Held | Making::Tried => diesel::update(row)
            .set(block_state::fence.eq(staging.fence))
            .returning(shown)
            .get_result(conn)
            .optional()?,
    };
    let Some((generation, row_count)) = kept else { return Ok(Err(LoadRefused::FenceLost)) };
    let view = views::find(conn, staging.block_id)?;
    if let Some(view) = &view
        && meant(&physical::view_columns(load.block), load.filled) != meant(&view.columns, load.filled)
    {
        return Ok(Err(LoadRefused::DefinitionChanged));
    }
    Ok(Ok(Kept { generation, row_count, view }))
}

/// What the keys and the columns that a load fills mean, each in one way only.
fn meant(columns: &[ViewColumn], filled: &[i32]) -> BTreeMap<i32, (ColumnType, bool, Option<i64>)> {
    let counts = |column: &&ViewColumn| column.key || filled.contains(&column.position);
    columns.iter().filter(counts).map(|c| (c.position, (c.column_type, c.key, c.dimension_block_id))).collect()
}

/// Brings a staged generation in, and points the Block to what it shows now.
fn show(conn: &mut Conn, (staging, load): &Part<'_>, kept: Kept, now: Moment) -> Result<LedgerRow> {
    let Kept { generation, row_count, view } = kept;
    generations::supersede(conn, staging)?;
    let current = generation.map(|g| physical::table(staging.block_id, g));
    if let Some(current) = &current {
        physical::add_missing_columns(conn, current, &physical::view_columns(load.block))?;
    }
    let done = merge::apply(conn, staging, load, current.as_deref(), row_count)?;
    let shown = if done.flip {
        if generation.is_some() {
            generations::put_by(conn, &(staging, load), (row_count, view.as_ref()), now)?;
        }
        generations::turn_into(conn, staging, State::Current, now)?;
        staging.generation
    } else {
        drop_staged(conn, staging)?;
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
        && let Some(view) = view
    {
        let table = physical::table(staging.block_id, shown);
        // Columns that were defined while the load ran, or was held, are in the view already.
        let made: Vec<i32> = load.block.columns.iter().map(|column| column.position).collect();
        if staging.making == Making::Held || view.columns.iter().any(|column| !made.contains(&column.position)) {
            physical::add_missing_columns(conn, &table, &view.columns)?;
        }
        match generation {
            Some(_) => physical::create_view(conn, &view.name, &view.columns, &table, false)?,
            None => views::make_first(conn, staging.block_id, &view, &table)?,
        }
    }
    Ok(row_of(staging, load, &done, (LoadState::Visible, shown), now))
}

pub(super) fn row_of(
    staging: &Staging,
    load: &Visible<'_>,
    done: &merge::Done,
    (state, generation): (LoadState, i64),
    now: Moment,
) -> LedgerRow {
    LedgerRow {
        run_uid: staging.run.uid.clone(),
        block_id: staging.block_id,
        run_id: staging.run.id,
        state,
        generation,
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
        told: load.told.map(str::to_owned),
    }
}

/// Gives up a load: its staging table goes, unless it is visible after all. What it rejected stays, to be shown.
pub fn abandon(conn: &mut Conn, staging: &Staging) -> Result<()> {
    match staging.making {
        Making::AtOnce => drop_staged(conn, staging),
        Making::Staged | Making::Held | Making::Tried => {
            db::write(conn, |conn| drop_staging(conn, (staging.block_id, staging.generation)).map(|_| ()))
        }
    }
}

fn drop_staged(conn: &mut Conn, staging: &Staging) -> Result<()> {
    match staging.making {
        Making::AtOnce => physical::drop(conn, &staging.table),
        Making::Staged | Making::Held | Making::Tried => drop_generation(conn, (staging.block_id, staging.generation)),
    }
}
