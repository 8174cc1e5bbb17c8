//! Blocks and their rows.

use serde_json::{Map, Value, json};

use super::Answer;
use super::body::{Body, Members, merge};
use super::call::Call;
use super::reply::Reply;
use crate::applications::blocks::{self, Block, BlockDraft, BlockKind, BlockState, ColumnDraft, ledger};
use crate::applications::{self, Entered};
use crate::db::{Conn, Pool};
use crate::error::{FieldErrors, Result};
use crate::formats::ColumnType;
use crate::members::By;
use crate::web::download;

/// `GET applications/{a}/blocks`
pub async fn list(call: Call) -> Answer {
    let (application_id, pool) = (call.id("a")?, call.app.blocks.clone());
    let mut params = call.params();
    let page = params.page();
    params.finish()?;
    let (found, states) = call
        .read(move |conn, by| {
            applications::enter(conn, by, application_id)?;
            let found = blocks::page(conn, application_id, page.after(), page.fetch())?;
            let ids: Vec<i64> = found.iter().map(|block| block.id).collect();
            Ok((found, pool.read(|conn| ledger::states(conn, &ids))?))
        })
        .await?;
    let shown = |block: Block| json(&block, states.get(&block.id).copied().unwrap_or_default());
    Ok(Reply::ok(page.list(found, |block| block.id, shown)).response())
}

/// `POST applications/{a}/blocks`
pub async fn create(call: Call, body: Body) -> Answer {
    let (application_id, now, pool) = (call.id("a")?, call.now(), call.app.blocks.clone());
    call.no_params()?;
    call.once(&body.bytes()?, move |conn, by| {
        applications::enter(conn, by, application_id)?.need_configure(conn, by)?;
        let block = blocks::create(conn, &pool, application_id, draft(body.map()?)?, now)?;
        blocks::record(conn, by, None, Some(&block), now)?;
        Ok(Reply::created(format!("blocks/{}", block.id), json(&block, BlockState::default())))
    })
    .await
}

/// `GET blocks/{b}`
pub async fn show(call: Call) -> Answer {
    let (id, pool) = (call.id("b")?, call.app.blocks.clone());
    call.no_params()?;
    let found = call.read(move |conn, by| {
        let (block, _) = find(conn, by, id)?;
        with_state(&pool, &block)
    });
    Ok(Reply::ok(found.await?).response())
}

/// `PATCH blocks/{b}`. `columns` are given whole: each is told by its id, else by its name; what is left out goes.
pub async fn update(call: Call, body: Body) -> Answer {
    let (id, expected, now, pool) = (call.id("b")?, call.expected(), call.now(), call.app.blocks.clone());
    call.no_params()?;
    body.bytes()?;
    let saved = call.write(move |conn, by| {
        let (block, entered) = find(conn, by, id)?;
        entered.need_configure(conn, by)?;
        let mut whole = Map::new();
        whole.insert("name".into(), block.name.clone().into());
        whole.insert("kind".into(), json!(block.kind));
        whole.insert("columns".into(), columns_json(&block));
        merge(&mut whole, body.map()?);
        let after = blocks::edit(conn, &pool, id, expected, draft(whole)?, now)?;
        blocks::record(conn, by, Some(&block), Some(&after), now)?;
        with_state(&pool, &after)
    });
    Ok(Reply::ok(saved.await?).response())
}

/// `DELETE blocks/{b}`
pub async fn delete(call: Call, body: Body) -> Answer {
    let (id, expected, now, in_use) = (call.id("b")?, call.expected(), call.now(), call.app.in_use);
    let pool = call.app.blocks.clone();
    call.no_params()?;
    body.bytes()?;
    let gone = call.write(move |conn, by| {
        let (block, entered) = find(conn, by, id)?;
        entered.need_configure(conn, by)?;
        body.empty()?;
        Call::matches(expected, block.version)?;
        blocks::archive(conn, &pool, in_use, id, now)?;
        blocks::record(conn, by, Some(&block), None, now)
    });
    gone.await?;
    Ok(Reply::gone().response())
}

/// `GET blocks/{b}/rows`
pub async fn rows(call: Call) -> Answer {
    let (id, pool) = (call.id("b")?, call.app.blocks.clone());
    let mut params = call.params();
    let page = params.page();
    params.finish()?;
    let (block, rows) = call
        .read(move |conn, by| {
            let (block, _) = find(conn, by, id)?;
            let rows = pool.read(|conn| blocks::rows(conn, &block, page.after(), page.fetch()))?;
            Ok((block, rows))
        })
        .await?;
    let shown = |row: blocks::BlockRow| {
        let cells = block.columns.iter().zip(&row.cells);
        let values: Map<String, Value> =
            cells.map(|(column, cell)| (column.name.clone(), cell.json(column.column_type))).collect();
        json!({ "row": row.row, "run_id": row.run, "line": row.line, "values": values })
    };
    Ok(Reply::ok(page.list(rows, |row| row.row, shown)).response())
}

/// `GET blocks/{b}/rows.csv`
pub async fn rows_csv(call: Call) -> Answer {
    let (id, pool) = (call.id("b")?, call.app.blocks.clone());
    call.no_params()?;
    let (block, _) = call.read(move |conn, by| find(conn, by, id)).await?;
    let title = block.name.clone();
    Ok(download::csv(&title, move |out| blocks::write_csv(&pool, &block, out)))
}

fn find(conn: &mut Conn, by: &By, id: i64) -> Result<(Block, Entered)> {
    let block = blocks::find(conn, id)?;
    let entered = applications::enter(conn, by, block.application_id)?;
    Ok((block, entered))
}

fn with_state(pool: &Pool, block: &Block) -> Result<Value> {
    let state = pool.read(|conn| ledger::state(conn, block.id))?;
    Ok(json(block, state))
}

fn json(block: &Block, state: BlockState) -> Value {
    json!({
        "id": block.id,
        "application_id": block.application_id,
        "name": block.name,
        "kind": block.kind,
        "columns": columns_json(block),
        "row_count": state.row_count,
        "loaded_at": state.loaded_at,
        "version": block.version,
        "created_at": block.created_at,
    })
}

fn columns_json(block: &Block) -> Value {
    let column = |column: &blocks::Column| {
        json!({
            "id": column.id,
            "name": column.name,
            "type": column.column_type,
            "dimension_block_id": column.dimension_block_id,
            "key": column.key,
            "required": column.required,
        })
    };
    block.columns.iter().map(column).collect()
}

fn draft(body: Map<String, Value>) -> Result<BlockDraft> {
    let mut members = Members::of(body);
    let name = members.needed_text("name", "Give it a name.");
    let kind = match members.needed_text("kind", "Say what it is: dimension_list, transaction_list or metric.") {
        word if word.is_empty() => None,
        word => {
            BlockKind::parse(&word).or_else(|| members.wrong("kind", "Use dimension_list, transaction_list or metric."))
        }
    };
    let mut columns = Vec::new();
    for (i, sent) in members.list("columns").unwrap_or_default().into_iter().enumerate() {
        match sent {
            Value::Object(sent) => columns.push(column(sent, i, &mut members.errors)),
            _ => drop(members.wrong::<()>(&format!("columns[{i}]"), "Send an object with name and type.")),
        }
    }
    let draft = BlockDraft { name, kind: kind.unwrap_or(BlockKind::TransactionList), columns };
    members.finish()?;
    Ok(draft)
}

fn column(sent: Map<String, Value>, i: usize, errors: &mut FieldErrors) -> ColumnDraft {
    let mut members = Members::within(sent, format!("columns[{i}]."));
    let name = members.needed_text("name", "Give it a name.");
    let column_type = match members.needed_text("type", "Say what its cells hold, such as text or number.") {
        word if word.is_empty() => None,
        word => match word.parse::<ColumnType>() {
            Ok(known) => Some(known),
            Err(unknown) => members.wrong("type", format!("{unknown}.")),
        },
    };
    let draft = ColumnDraft {
        id: members.integer("id"),
        name,
        column_type: column_type.unwrap_or(ColumnType::Text),
        dimension_block_id: members.integer("dimension_block_id"),
        key: members.flag("key").unwrap_or(false),
        required: members.flag("required").unwrap_or(false),
    };
    errors.extend(members.finish().err().unwrap_or_default());
    draft
}
