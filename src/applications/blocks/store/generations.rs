//! Every physical table that there is, and what it is for: one that a load fills, one that is held until somebody decides,
//! the one that the Block shows, those that were shown before it.

use super::ledger::{self, LoadState, Part};
use super::staging::{Making, Merge, RunKey, Staging};
use super::views::View;
use super::{physical, trial, views};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::block_db::{block_state, generations, loads};
use crate::db::{self, Conn, Location, Pool, text_enum};
use crate::error::{AppError, Result};

/// How many generations of a Block are kept beside the visible one.
pub const KEPT: usize = 3;

text_enum! {
    /// What a generation is.
    pub enum State {
        /// A load fills it.
        Staging = "staging",
        /// A full one that waits for a decision; clean-up leaves it alone.
        Held = "held",
        /// The Block shows it.
        Current = "current",
        /// A later load took its place.
        Kept = "kept",
    }
}

/// A generation, and the run that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    pub block_id: i64,
    pub generation: i64,
    pub run: RunKey,
    pub made_at: Moment,
}

/// All staging tables that there are.
pub fn staged(conn: &mut Conn) -> Result<Vec<Staged>> {
    let made = (generations::run_uid, generations::run_id, generations::made_at);
    let rows: Vec<(i64, i64, (String, i64, Moment))> = generations::table
        .filter(generations::state.eq(State::Staging))
        .select((generations::block_id, generations::generation, made))
        .load(conn)?;
    let staged =
        |(block_id, generation, (uid, id, made_at))| Staged { block_id, generation, run: RunKey { uid, id }, made_at };
    Ok(rows.into_iter().map(staged).collect())
}

/// Drops what loads left behind that ended without a word: of these staging tables those whose run is not among the
/// uids of `active_runs`, which was asked for after them. Answers how many. One that cannot be dropped, because a worker
/// that was frozen still holds it, is left to the next time.
pub fn cleanup(blocks: &Pool, staged: &[Staged], active_runs: &[String]) -> usize {
    let mut dropped = 0;
    for Staged { block_id, generation, run, .. } in staged {
        if active_runs.contains(&run.uid) {
            continue;
        }
        let gone = blocks.write(|conn| match trial::is_one(&run.uid) {
            true => trial::end(conn, run).map(|()| true),
            false => drop_staging(conn, (*block_id, *generation)),
        });
        match gone {
            Ok(true) => dropped += 1,
            Ok(false) => {}
            Err(error) => tracing::warn!(block_id, generation, %error, "a staging table cannot be dropped yet"),
        }
    }
    dropped
}

/// Drops a staging table, unless it is something else by now; answers whether it was there.
pub fn drop_staging(conn: &mut Conn, (block_id, generation): (i64, i64)) -> Result<bool> {
    drop_if(conn, (block_id, generation), State::Staging)
}

fn drop_if(conn: &mut Conn, id: (i64, i64), state: State) -> Result<bool> {
    let there = is_in(conn, id, state)?;
    if there {
        drop_generation(conn, id)?;
    }
    Ok(there)
}

/// What a run made and left in this state, by Block.
pub fn of_run(conn: &mut Conn, run_uid: &str, state: State) -> Result<Vec<(i64, i64)>> {
    Ok(generations::table
        .filter(generations::run_uid.eq(run_uid).and(generations::state.eq(state)))
        .order(generations::block_id)
        .select((generations::block_id, generations::generation))
        .load(conn)?)
}

pub fn insert(conn: &mut Conn, staging: &Staging, state: State, now: Moment) -> Result<()> {
    diesel::insert_into(generations::table)
        .values((
            generations::block_id.eq(staging.block_id),
            generations::generation.eq(staging.generation),
            generations::run_uid.eq(&staging.run.uid),
            generations::run_id.eq(staging.run.id),
            generations::state.eq(state),
            generations::made_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// What was filled becomes what it was made for.
pub fn turn_into(conn: &mut Conn, staging: &Staging, state: State, now: Moment) -> Result<()> {
    if staging.making == Making::AtOnce {
        return insert(conn, staging, state, now);
    }
    let row = generations::table.find((staging.block_id, staging.generation));
    // One that was shown before is none of those that were replaced.
    diesel::update(row)
        .set((
            generations::state.eq(state),
            generations::replaced_at.eq(None::<Moment>),
            generations::replaced_by.eq(None::<i64>),
        ))
        .execute(conn)?;
    Ok(())
}

/// What other runs hold of the Block is never to be seen: this load is newer. Their tables go with the next cleanup, so
/// that nobody waits for that here.
pub fn supersede(conn: &mut Conn, staging: &Staging) -> Result<()> {
    let block_id = staging.block_id;
    let held = generations::table
        .filter(generations::block_id.eq(block_id).and(generations::state.eq(State::Held)))
        .filter(generations::run_uid.ne(&staging.run.uid));
    let older: Vec<(i64, String)> = held.select((generations::generation, generations::run_uid)).load(conn)?;
    for (generation, run_uid) in older {
        let row = generations::table.find((block_id, generation));
        diesel::update(row).set(generations::state.eq(State::Staging)).execute(conn)?;
        diesel::update(loads::table.find((run_uid, block_id)).filter(loads::state.eq(LoadState::Held)))
            .set(loads::state.eq(LoadState::Dropped))
            .execute(conn)?;
    }
    Ok(())
}

/// Of these runs, with their Blocks, those that hold nothing any more, and whether something newer took its place: else
/// this database does not know of it.
pub fn superseded(conn: &mut Conn, runs: &[(i64, String, i64)]) -> Result<Vec<(i64, bool)>> {
    let mut gone = Vec::new();
    for (run_id, uid, block_id) in runs {
        let row = ledger::ledger(conn, uid, *block_id)?;
        if row.as_ref().is_none_or(|row| row.state == LoadState::Dropped) {
            gone.push((*run_id, row.is_some()));
        }
    }
    Ok(gone)
}

/// The runs that hold something, by id and uid.
pub fn holders(conn: &mut Conn) -> Result<Vec<(i64, String)>> {
    Ok(generations::table
        .filter(generations::state.eq(State::Held))
        .select((generations::run_id, generations::run_uid))
        .distinct()
        .load(conn)?)
}

/// What the Block showed until now, so many rows, is kept where a Replace takes its place. An Append takes the place of
/// nothing but what it has just taken out, and then nothing is left to be kept.
pub fn put_by(
    conn: &mut Conn,
    (staging, load): &Part<'_>,
    (row_count, view): (i64, Option<&View>),
    now: Moment,
) -> Result<()> {
    let state = if load.merge == Merge::Replace { State::Kept } else { State::Staging };
    let current = generations::block_id.eq(staging.block_id).and(generations::state.eq(State::Current));
    let columns = view.map(|view| serde_json::to_string(&view.columns)).transpose().map_err(AppError::internal)?;
    diesel::update(generations::table.filter(current))
        .set((
            generations::state.eq(state),
            generations::replaced_at.eq(now),
            generations::replaced_by.eq(staging.run.id),
            generations::row_count.eq(row_count),
            generations::column_list.eq(columns),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn drop_generation(conn: &mut Conn, (block_id, generation): (i64, i64)) -> Result<()> {
    physical::drop(conn, &physical::table(block_id, generation))?;
    diesel::delete(
        generations::table.filter(generations::block_id.eq(block_id)).filter(generations::generation.eq(generation)),
    )
    .execute(conn)?;
    Ok(())
}

/// All of a Block, whatever they are.
pub fn drop_all(conn: &mut Conn, block_id: i64) -> Result<()> {
    of_block(conn, block_id)?.into_iter().try_for_each(|one| drop_generation(conn, (block_id, one.number)))
}

/// One generation of a Block.
#[derive(Queryable)]
struct Generation {
    number: i64,
    state: State,
    /// When another took its place; not known of those before that was written down.
    replaced_at: Option<i64>,
}

/// Those of a Block.
fn of_block(conn: &mut Conn, block_id: i64) -> Result<Vec<Generation>> {
    Ok(generations::table
        .filter(generations::block_id.eq(block_id))
        .select((generations::generation, generations::state, generations::replaced_at))
        .load(conn)?)
}

/// The one that the Block shows, then those that it showed, by when that was last, the latest first: one that was restored
/// is no old one. Those that were replaced before that was written down come last.
fn in_order(mut there: Vec<Generation>) -> Vec<Generation> {
    there.retain(|one| matches!(one.state, State::Current | State::Kept));
    there.sort_unstable_by_key(|one| std::cmp::Reverse((one.state == State::Current, one.replaced_at, one.number)));
    there
}

/// Those that the Block shows or showed.
fn shown(conn: &mut Conn, block_id: i64) -> Result<Vec<i64>> {
    Ok(in_order(of_block(conn, block_id)?).into_iter().map(|one| one.number).collect())
}

/// Those that the Block showed, the latest first.
pub fn kept(conn: &mut Conn, block_id: i64) -> Result<Vec<i64>> {
    let there = in_order(of_block(conn, block_id)?).into_iter();
    Ok(there.filter(|one| one.state == State::Kept).map(|one| one.number).collect())
}

/// The tables of a generation that the Block shows or showed, and of the one that it showed before it; none where the
/// generation is no longer kept.
pub(super) fn with_before(conn: &mut Conn, block_id: i64, generation: i64) -> Result<Option<(String, Option<String>)>> {
    let mut all = shown(conn, block_id)?.into_iter().skip_while(|shown| *shown != generation);
    let mut table = || all.next().map(|generation| physical::table(block_id, generation));
    Ok(table().map(|own| (own, table())))
}

/// Whether a generation is kept, held so until the transaction ends: the Block may show it again by now.
pub fn is_kept(conn: &mut Conn, (block_id, generation): (i64, i64)) -> Result<bool> {
    is_in(conn, (block_id, generation), State::Kept)
}

fn is_in(conn: &mut Conn, id: (i64, i64), state: State) -> Result<bool> {
    let row = generations::table.find(id).filter(generations::state.eq(state)).select(generations::generation);
    let there: Option<i64> = match conn {
        Conn::Pg(conn) => row.for_update().first(conn).optional()?,
        Conn::Sqlite(conn) => row.first(conn).optional()?,
    };
    Ok(there.is_some())
}

/// Up to so many rows a page is as quick without an index, which would cost a small load more than its rows.
const FEW_ROWS: i64 = 1_000;

/// What can wait until a run has ended and said so: generations of its Block beyond those that are kept go, and on
/// PostgreSQL many rows get their index. SQLite orders rows by `_row` itself. What fails is left to the next run. Answers
/// whether something is there that was loaded and is not to be seen: what was held when a newer load came.
pub fn tend(blocks: &Pool, block_id: i64) -> bool {
    let tended: Result<bool> = blocks.lend(|conn| {
        let there = of_block(conn, block_id)?;
        let superseded = there.iter().any(|one| one.state == State::Staging);
        for generation in in_order(there).into_iter().filter(|one| one.state == State::Kept).skip(KEPT) {
            db::write(conn, |conn| drop_if(conn, (block_id, generation.number), State::Kept))?;
        }
        if let Location::Sqlite { .. } = blocks.location() {
            return Ok(superseded);
        }
        let shown: Option<(Option<i64>, i64)> = block_state::table
            .find(block_id)
            .select((block_state::generation, block_state::row_count))
            .first(conn)
            .optional()?;
        match shown {
            Some((Some(generation), rows)) if rows > FEW_ROWS => {
                physical::index_rows(conn, &physical::table(block_id, generation))?;
            }
            _ => {}
        }
        Ok(superseded)
    });
    tended.unwrap_or_else(|error| {
        tracing::warn!(block_id, %error, "a Block could not be cleaned up; its next run will do it");
        false
    })
}

/// Drops the generations of a Block that holds no rows, so that its columns may become others; `false` when it holds rows
/// by now, and then nothing is touched. Those that a load is filling stay, and that load will be refused.
pub fn forget_empty(conn: &mut Conn, block_id: i64) -> Result<bool> {
    // A load that becomes visible at this moment goes before this or after it.
    if ledger::keep_state(conn, block_id)?.row_count > 0 {
        return Ok(false);
    }
    let there = shown(conn, block_id)?;
    if there.is_empty() {
        return Ok(true);
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
    Ok(true)
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
