//! Blocks, their rows, and what they held before.

use serde_json::{Value, json};

use super::call::{Call, Nothing, matches};
use super::operation::{Csv, csv};
use super::runs::{RunAnswer, begun};
use super::{Answer, Begun, Body, Gone, List, Made, PageQuery, Patch, Problem, Reply, Shown};
use crate::applications::blocks::contents::Earlier;
use crate::applications::blocks::{
    self, Block, BlockDraft, BlockKind, BlockState, Column, ColumnDraft, contents, ledger,
};
use crate::applications::{self, Entered};
use crate::clock::Moment;
use crate::db::{Conn, Pool};
use crate::error::Result;
use crate::formats::ColumnType;
use crate::members::{By, Scope};
use crate::runs::restores;
use crate::shape::{Described, Object, Reader, Schemas, Sent, answer, sent};

sent! {
    /// The fields of a Block to create or change.
    pub struct BlockBody {
        name: String = "Enter a name." => "Airlines",
        /// What it holds: items with a key, rows, or dimensions with one value.
        kind: BlockKind = "Choose a kind: dimension_list, transaction_list or metric.",
        /// All columns, in order. In a change, each is matched by id, else by name; a column left out is removed.
        columns: Vec<ColumnBody>,
    }
}

sent! {
    /// A column of a Block.
    pub struct ColumnBody {
        /// Assigned by the Block. In a change, it says which column is meant.
        id: i64,
        name: String = "Enter a name." => "carrier",
        r#type: ColumnType = "Choose a type, such as text or number." => "text",
        /// For a column of type dimension: the Dimension list whose items it names.
        dimension_block_id: i64,
        /// Whether the column is part of the key.
        key: bool,
        /// Whether an empty cell is rejected.
        required: bool,
    }
}

answer! {
    /// What data is imported into.
    pub struct BlockAnswer of (block: &Block, state: BlockState) {
        id: i64 = block.id,
        application_id: i64 = block.application_id,
        row_count: i64 = state.row_count,
        /// When data was last loaded.
        loaded_at: Option<Moment> = state.loaded_at,
        version: i64 = block.version,
        created_at: Moment = block.created_at;
        body: BlockBody = BlockBody {
            name: Some(block.name.clone()),
            kind: Some(block.kind),
            columns: Some(block.columns.iter().map(ColumnBody::of).collect()),
        }
    }
}

answer! {
    /// A row of a Block.
    pub struct RowAnswer of (row: &blocks::BlockRow, columns: &[Column]) {
        row: i64 = row.row,
        /// The run that wrote it.
        run_id: i64 = row.run,
        /// Its line in the source.
        line: i64 = row.line,
        /// The cells, by column name.
        values: Object = columns.iter().zip(&row.cells).map(|(c, cell)| (c.name.clone(), cell.json(c.column_type))).collect(),
    }
}

answer! {
    /// What a Block held until a Replace took its place.
    pub struct ContentsAnswer of (earlier: &Earlier) {
        /// The run that loaded it: restore it by this.
        run_id: i64 = earlier.run_id,
        loaded_at: Moment = earlier.loaded_at,
        /// The runs that added to it or changed it afterwards.
        changed_by: Vec<i64> = earlier.changed_by.clone(),
        /// Null where nobody counted them.
        rows: Option<i64> = earlier.rows,
        replaced_at: Option<Moment> = earlier.replaced_at,
        /// The run that took its place.
        replaced_by: Option<i64> = earlier.replaced_by,
    }
}

sent! {
    /// What to restore.
    pub struct RestoreBody {
        /// The run that loaded it, as `contents` lists it.
        run_id: i64 = "Enter the run whose contents to restore." => 57,
    }
}

impl ColumnBody {
    fn of(column: &Column) -> Self {
        Self {
            id: Some(column.id),
            name: Some(column.name.clone()),
            r#type: Some(column.column_type),
            dimension_block_id: column.dimension_block_id,
            key: Some(column.key),
            required: Some(column.required),
        }
    }
}

impl Described for ColumnType {
    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "string", "enum": Self::ALL })
    }
}

impl Sent for ColumnType {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let Value::String(word) = sent else { return reader.wrong(at, "Send text.") };
        word.parse().map_or_else(|unknown| reader.wrong(at, format!("{unknown}.")), Some)
    }
}

/// `GET applications/{a}/blocks`
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<BlockAnswer>>> {
    let (application_id, pool, page) = (call.id("a")?, call.app.blocks.clone(), call.query.clone());
    let (found, states) = call
        .read(move |conn, by| {
            applications::enter(conn, by, application_id)?;
            let found = blocks::page(conn, application_id, page.after(), page.fetch())?;
            let ids: Vec<i64> = found.iter().map(|block| block.id).collect();
            Ok((found, pool.read(|conn| ledger::states(conn, &ids))?))
        })
        .await?;
    let shown = |block: Block| BlockAnswer::of(&block, states.get(&block.id).copied().unwrap_or_default());
    Ok(Reply::ok(call.query.list(found, |block| block.id, shown)))
}

/// `POST applications/{a}/blocks`
pub async fn create(call: Call, body: Body<BlockBody>) -> Answer<Made<BlockAnswer>> {
    let (application_id, now) = (call.id("a")?, call.now());
    let make = |pool: Pool| {
        call.once(body.clone(), move |conn, by, body| {
            applications::enter(conn, by, application_id)?.need_configure(conn, by)?;
            let block = blocks::create(conn, &pool, application_id, draft(body.read()?), now)?;
            blocks::record(conn, by, None, Some(&block), now)?;
            Ok(Reply::created(format!("blocks/{}", block.id), BlockAnswer::of(&block, BlockState::default())))
        })
    };
    call.patiently(|| make(call.app.blocks.clone())).await
}

/// `GET blocks/{b}`
pub async fn show(call: Call) -> Answer<Shown<BlockAnswer>> {
    let (id, pool) = (call.id("b")?, call.app.blocks.clone());
    let found = call.read(move |conn, by| {
        let (block, _) = find(conn, by, id)?;
        with_state(&pool, &block)
    });
    Ok(Reply::ok(found.await?))
}

/// `PATCH blocks/{b}`. `columns` are given whole.
pub async fn update(call: Call, body: Body<Patch<BlockBody>>) -> Answer<Shown<BlockAnswer>> {
    let (id, expected, now) = (call.id("b")?, call.expected(), call.now());
    let save = |pool: Pool| {
        call.change(body.clone(), move |conn, by, body| {
            let (block, entered) = find(conn, by, id)?;
            entered.need_configure(conn, by)?;
            let Some(sent) = body.over(&BlockAnswer::of(&block, BlockState::default()).body)? else {
                matches(expected, block.version)?;
                return with_state(&pool, &block);
            };
            let after = blocks::edit(conn, &pool, id, expected, draft(sent), now)?;
            blocks::record(conn, by, Some(&block), Some(&after), now)?;
            with_state(&pool, &after)
        })
    };
    Ok(Reply::ok(call.patiently(|| save(call.app.blocks.clone())).await?))
}

/// `DELETE blocks/{b}`
pub async fn delete(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, expected, now, in_use) = (call.id("b")?, call.expected(), call.now(), call.app.in_use);
    let put_away = |pool: Pool| {
        call.change(body.clone(), move |conn, by, body| {
            let (block, entered) = find(conn, by, id)?;
            entered.need_configure(conn, by)?;
            body.read()?;
            matches(expected, block.version)?;
            blocks::archive(conn, &pool, in_use, id, now)?;
            blocks::record(conn, by, Some(&block), None, now)
        })
    };
    call.patiently(|| put_away(call.app.blocks.clone())).await?;
    Ok(Reply::gone())
}

/// `GET blocks/{b}/rows`
pub async fn rows(call: Call<PageQuery>) -> Answer<Shown<List<RowAnswer>>> {
    let (id, pool, page) = (call.id("b")?, call.app.blocks.clone(), call.query.clone());
    let (block, rows) = call
        .read(move |conn, by| {
            let (block, _) = find(conn, by, id)?;
            let rows = pool.read(|conn| blocks::rows(conn, &block, page.after(), page.fetch()))?;
            Ok((block, rows))
        })
        .await?;
    Ok(Reply::ok(call.query.list(rows, |row| row.row, |row| RowAnswer::of(&row, &block.columns))))
}

/// `GET blocks/{b}/rows.csv`
pub async fn rows_csv(call: Call) -> Result<Csv, Problem> {
    let (id, pool) = (call.id("b")?, call.app.blocks.clone());
    let (block, _) = call.read(move |conn, by| find(conn, by, id)).await?;
    let title = block.name.clone();
    csv(&call, &title, move |out| blocks::write_csv(&pool, &block, out))
}

/// `GET blocks/{b}/contents`
pub async fn contents(call: Call<PageQuery>) -> Answer<Shown<List<ContentsAnswer>>> {
    let (id, pool) = (call.id("b")?, call.app.blocks.clone());
    let earlier = call.read(move |conn, by| {
        find(conn, by, id)?;
        pool.read(|conn| contents::earlier(conn, id))
    });
    let numbered: Vec<(i64, Earlier)> = (1..).zip(earlier.await?).collect();
    Ok(Reply::ok(call.query.of_all(numbered, |(number, _)| *number, |(_, earlier)| ContentsAnswer::of(&earlier))))
}

/// `POST blocks/{b}/restore`: the run in the queue.
pub async fn restore(call: Call, body: Body<RestoreBody>) -> Answer<Begun<RunAnswer>> {
    let (id, now, pool) = (call.id("b")?, call.now(), call.app.blocks.clone());
    let answer = call
        .once(body, move |conn, by, body| {
            find(conn, by, id)?.1.need_import(conn, by, Scope::Run)?;
            let run_id = body.read()?.run_id.unwrap_or_default();
            Ok(begun(&restores::restore(conn, by, &pool, (id, run_id), now)?.run))
        })
        .await;
    call.app.work.notify_one();
    answer
}

fn find(conn: &mut Conn, by: &By, id: i64) -> Result<(Block, Entered)> {
    let block = blocks::find(conn, id)?;
    let entered = applications::enter(conn, by, block.application_id)?;
    Ok((block, entered))
}

fn with_state(pool: &Pool, block: &Block) -> Result<BlockAnswer> {
    let state = pool.read(|conn| ledger::state(conn, block.id))?;
    Ok(BlockAnswer::of(block, state))
}

fn draft(sent: BlockBody) -> BlockDraft {
    let column = |column: ColumnBody| ColumnDraft {
        id: column.id,
        name: column.name.unwrap_or_default(),
        column_type: column.r#type.unwrap_or(ColumnType::Text),
        dimension_block_id: column.dimension_block_id,
        key: column.key.unwrap_or(false),
        required: column.required.unwrap_or(false),
    };
    BlockDraft {
        name: sent.name.unwrap_or_default(),
        kind: sent.kind.unwrap_or(BlockKind::TransactionList),
        columns: sent.columns.unwrap_or_default().into_iter().map(column).collect(),
    }
}
