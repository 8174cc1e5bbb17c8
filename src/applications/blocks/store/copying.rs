//! The rows of one Block brought into another that has the same columns and holds nothing yet; and a Block made as it was
//! before its first load. No run did either: `_run` and `_file` are 0, the line stays.

use super::ledger::{self, LoadRefused};
use super::staging::{Making, Merge, RunKey, Visible};
use super::{generations, physical, pointer, views};
use crate::applications::blocks::model::{Block, Column};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::block_db::{block_state, loads};
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::secrets;

/// No lease has it: whoever loads goes first, and shuts this out instead of being shut out.
const FENCE: i64 = 0;

/// Copies in one statement, and shows the copy in the same transaction; how many rows. A Block that was loaded meanwhile
/// stays as it is.
pub fn copy(conn: &mut Conn, from: &Block, to: &Block, now: Moment) -> Result<i64> {
    let mut loaded = false;
    let copied = db::write(conn, |conn| {
        let Some(source) = generations::current_table(conn, from.id)? else { return Ok(0) };
        let there = physical::column_names(conn, &source)?;
        let meant = |c: &Column| (c.position, c.column_type, c.key);
        let same = |column: &&Column| {
            from.columns.iter().any(|c| meant(c) == meant(column)) && there.contains(&column.physical())
        };
        if from.keys().map(meant).ne(to.keys().map(meant)) {
            tracing::warn!(from = from.id, to = to.id, "the key was changed since; the rows are not copied");
            return Ok(0);
        }
        let columns: String = to.columns.iter().filter(same).map(|column| format!(", {}", column.physical())).collect();
        let run = RunKey { uid: format!("copy:{}", secrets::random_token()), id: 0 };
        let begun = ledger::begin(conn, to, &run, FENCE, Making::AtOnce, now);
        loaded = matches!(begun, Err(LoadRefused::FenceLost));
        let staging = begun.map_err(of_refusal)?;
        // Now that the Block's row is held.
        loaded = generations::current_table(conn, to.id)?.is_some();
        if loaded {
            return Err(of_refusal(LoadRefused::FenceLost));
        }
        let table = &staging.table;
        let rows = diesel::sql_query(format!(
            "INSERT INTO {table} (_row, _run, _file, _line{columns}) SELECT _row, 0, 0, _line{columns} FROM {source}"
        ))
        .execute(conn)? as i64;
        let keys: Vec<String> = to.keys().map(|key| key.physical()).collect();
        if !keys.is_empty() {
            physical::create_key_index(conn, table, &keys)?;
        }
        let filled: Vec<i32> = to.columns.iter().map(|column| column.position).collect();
        let load = Visible {
            block: to,
            merge: Merge::Replace,
            filled: &filled,
            stamps: &[],
            scope: &[],
            blanks_keep: false,
            replaces_runs: &[],
            staged: rows,
            read: rows,
            rejected: 0,
            bytes: 0,
            source_name: "",
            source_sha256: "",
            told: None,
        };
        ledger::commit(conn, &[(&staging, &load)], now).map_err(of_refusal)?;
        Ok(rows)
    });
    // It was undone: what was loaded is newer.
    if loaded { Ok(0) } else { copied }
}

fn of_refusal(refused: LoadRefused) -> AppError {
    match refused {
        LoadRefused::Database(error) => error,
        refused => AppError::internal(refused),
    }
}

/// Drops all that a Block holds and held, with what the ledger says of it; nothing where it was loaded after that moment.
pub fn empty(conn: &mut Conn, block_id: i64, until: Moment) -> Result<()> {
    if pointer::keep_state(conn, block_id)?.loaded_at.is_some_and(|at| at > until) {
        return Ok(());
    }
    if generations::current_table(conn, block_id)?.is_some()
        && let Some(view) = views::find(conn, block_id)?
    {
        physical::drop_view(conn, &view.name)?;
    }
    generations::drop_all(conn, block_id)?;
    diesel::delete(loads::table.filter(loads::block_id.eq(block_id))).execute(conn)?;
    diesel::update(block_state::table.find(block_id))
        .set((
            block_state::generation.eq(None::<i64>),
            block_state::row_count.eq(0),
            block_state::loaded_at.eq(None::<Moment>),
        ))
        .execute(conn)?;
    Ok(())
}
