//! What a Block showed before, kept to be shown again: the generations whose place a Replace took. To restore one is to
//! point the Block back to it, and what it shows now is kept in its stead; no row is copied, so that each keeps the run,
//! the file and the line that wrote it.

use super::generations::{self, State};
use super::ledger::{self, LedgerRow, LoadRefused, LoadState};
use super::physical::{self, ViewColumn};
use super::staging::{Making, Merge, RunKey, Staging, Visible};
use crate::applications::blocks::model::Block;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::block_db::{generations as rows, loads};
use crate::db::{self, Conn, IdRow};
use crate::error::{AppError, Result};
use crate::words;

/// What a Block showed until a Replace took its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    pub block_id: i64,
    pub generation: i64,
    /// The run that made it.
    pub run_id: i64,
    pub loaded_at: Moment,
    /// The runs that added to it or changed it afterwards.
    pub changed_by: Vec<i64>,
    /// `None`: nobody counted them then.
    pub rows: Option<i64>,
    pub replaced_at: Option<Moment>,
    pub replaced_by: Option<i64>,
    columns: Option<Vec<ViewColumn>>,
}

/// Why earlier contents cannot be shown again.
#[derive(Debug, thiserror::Error)]
pub enum RestoreRefused {
    #[error("they are not kept any more")]
    Gone,
    /// In plain words.
    #[error("{0}")]
    DoesNotFit(String),
    #[error(transparent)]
    Load(#[from] LoadRefused),
}

impl From<AppError> for RestoreRefused {
    fn from(error: AppError) -> Self {
        Self::Load(error.into())
    }
}

/// What can be restored, by when it was last shown, the latest first.
pub fn earlier(conn: &mut Conn, block_id: i64) -> Result<Vec<Earlier>> {
    let kept = generations::kept(conn, block_id)?.into_iter().take(generations::KEPT);
    let all: Vec<Earlier> = kept.map(|generation| one(conn, block_id, generation)).collect::<Result<_>>()?;
    // What was copied with its Application is of no run that could be restored.
    Ok(all.into_iter().filter(|earlier| earlier.run_id != 0).collect())
}

/// What this run made and the Block showed before.
pub fn made_by(conn: &mut Conn, block_id: i64, run_id: i64) -> Result<Option<Earlier>> {
    Ok(earlier(conn, block_id)?.into_iter().find(|earlier| earlier.run_id == run_id))
}

/// The run that made what the Block shows now.
pub fn shown_of(conn: &mut Conn, block_id: i64) -> Result<Option<i64>> {
    let current = rows::table.filter(rows::block_id.eq(block_id).and(rows::state.eq(State::Current)));
    Ok(current.select(rows::run_id).first(conn).optional()?)
}

/// When the run made what the Block shows or showed, where it is there still.
pub fn loaded_at(conn: &mut Conn, block_id: i64, run_id: i64) -> Result<Option<Moment>> {
    let made = rows::table.filter(rows::block_id.eq(block_id).and(rows::run_id.eq(run_id)));
    let made = made.order(rows::generation.desc()).select((rows::run_uid, rows::made_at));
    let Some((uid, made_at)) = made.first::<(String, Moment)>(conn).optional()? else { return Ok(None) };
    let loaded = ledger::ledger(conn, &uid, block_id)?;
    Ok(Some(loaded.map_or(made_at, |row| Moment::from_micros(row.loaded_at))))
}

/// What a run loaded into a Block, by its number; where a number was given twice, by the newest.
pub fn of_run(conn: &mut Conn, block_id: i64, run_id: i64) -> Result<Option<LedgerRow>> {
    let of = loads::table.filter(loads::run_id.eq(run_id).and(loads::block_id.eq(block_id)));
    let visible = of.filter(loads::state.eq(LoadState::Visible));
    Ok(visible.order((loads::loaded_at.desc(), loads::fence.desc())).first(conn).optional()?)
}

/// How many loads of a Block became visible after that one, and the runs of the newest of them.
pub fn later(conn: &mut Conn, load: &LedgerRow, most: i64) -> Result<(i64, Vec<i64>)> {
    let after = || {
        let of_block = loads::block_id.eq(load.block_id).and(loads::state.eq(LoadState::Visible));
        loads::table.filter(of_block).filter(loads::loaded_at.gt(load.loaded_at))
    };
    let newest = after().order(loads::loaded_at.desc()).limit(most).select(loads::run_id).load(conn)?;
    Ok((after().count().get_result(conn)?, newest))
}

fn one(conn: &mut Conn, block_id: i64, generation: i64) -> Result<Earlier> {
    type Row = (i64, String, Moment, Option<i64>, Option<Moment>, Option<i64>, Option<String>);
    let (run_id, run_uid, made_at, count, replaced_at, replaced_by, columns): Row = rows::table
        .find((block_id, generation))
        .select((
            rows::run_id,
            rows::run_uid,
            rows::made_at,
            rows::row_count,
            rows::replaced_at,
            rows::replaced_by,
            rows::column_list,
        ))
        .first(conn)?;
    let loaded = ledger::ledger(conn, &run_uid, block_id)?;
    Ok(Earlier {
        block_id,
        generation,
        run_id,
        loaded_at: loaded.map_or(made_at, |row| Moment::from_micros(row.loaded_at)),
        changed_by: changed_by(conn, (block_id, generation), &run_uid)?,
        rows: count,
        replaced_at,
        replaced_by,
        columns: columns.map(|text| serde_json::from_str(&text).map_err(AppError::internal)).transpose()?,
    })
}

/// A restore has read nothing: the generation is the same after it.
fn changed_by(conn: &mut Conn, (block_id, generation): (i64, i64), run_uid: &str) -> Result<Vec<i64>> {
    Ok(loads::table
        .filter(loads::block_id.eq(block_id).and(loads::generation.eq(generation)))
        .filter(loads::state.eq(LoadState::Visible).and(loads::run_uid.ne(run_uid)).and(loads::rows_read.gt(0)))
        .order(loads::loaded_at)
        .select(loads::run_id)
        .load(conn)?)
}

impl Earlier {
    /// The table that holds it.
    pub fn table(&self) -> String {
        physical::table(self.block_id, self.generation)
    }

    /// Why it does not fit the Block any more, in plain words. Columns that came since are empty in it.
    pub fn why_not(&self, block: &Block) -> Option<String> {
        let now = physical::view_columns(block);
        let meant = |c: &ViewColumn| (c.column_type, c.key, c.dimension_block_id);
        let other = |then: &ViewColumn| {
            let column = now.iter().find(|column| column.position == then.position);
            column.map_or(then.key, |column| meant(column) != meant(then))
        };
        let changed = self.columns.iter().flatten().find(|then| other(then));
        let new_key = |c: &&ViewColumn| {
            c.key && self.columns.as_ref().is_some_and(|then| then.iter().all(|then| then.position != c.position))
        };
        let changed = changed.or_else(|| now.iter().find(new_key))?;
        Some(format!(
            "The column \"{}\" of {} had another type or key then, so the contents of run {} no longer fit.",
            changed.name,
            block.name,
            words::count(self.run_id)
        ))
    }
}

/// Shows again what a run made, as the load of another run: in one transaction with its row of the ledger.
pub fn restore(
    conn: &mut Conn,
    block: &Block,
    run: &RunKey,
    fence: i64,
    made_by: i64,
    now: Moment,
) -> std::result::Result<LedgerRow, RestoreRefused> {
    // The refusal goes round the transaction, whose errors are `AppError`.
    db::write(conn, |conn| {
        if let Some(row) = ledger::ledger(conn, &run.uid, block.id)? {
            return Ok(Ok(row));
        }
        // Before anything else is held, as every load does.
        ledger::keep_state(conn, block.id)?;
        let earlier = match self::made_by(conn, block.id, made_by)? {
            Some(earlier) if generations::is_kept(conn, (block.id, earlier.generation))? => earlier,
            _ => return Ok(Err(RestoreRefused::Gone)),
        };
        if let Some(why) = earlier.why_not(block) {
            return Ok(Err(RestoreRefused::DoesNotFit(why)));
        }
        let table = earlier.table();
        let count = match earlier.rows {
            Some(count) => count,
            None => count(conn, &table)?,
        };
        let staging = Staging {
            block_id: block.id,
            run: run.clone(),
            fence,
            generation: earlier.generation,
            making: Making::Held,
            table,
        };
        let load = Visible {
            block,
            merge: Merge::Replace,
            filled: &[],
            stamps: &[],
            scope: &[],
            blanks_keep: false,
            replaces_runs: &[],
            staged: count,
            read: 0,
            rejected: 0,
            bytes: 0,
            source_name: &format!("The contents of run {made_by}"),
            source_sha256: "",
            told: None,
        };
        match ledger::commit(conn, &[(&staging, &load)], now) {
            Ok(mut rows) => Ok(rows.pop().ok_or(RestoreRefused::Gone)),
            Err(LoadRefused::Database(error)) => Err(error),
            Err(refused) => Ok(Err(refused.into())),
        }
    })?
}

fn count(conn: &mut Conn, table: &str) -> Result<i64> {
    let counted: IdRow = diesel::sql_query(format!("SELECT count(*) AS id FROM {table}")).get_result(conn)?;
    Ok(counted.id)
}
