//! Definitions of Blocks in the Workspace's own tables.

use std::collections::{HashMap, HashSet};

use crate::applications::blocks::model::{Block, BlockKind, Column, ColumnDraft};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{applications, block_columns, blocks};
use crate::db::{Conn, is_taken};
use crate::error::{AppError, Result};
use crate::formats::ColumnType;
use crate::names::name_key;

type BlockRow = (i64, i64, String, BlockKind, i64, Moment);
type ColumnRow = (i64, i64, i32, String, String, Option<i64>, bool, bool);

const BLOCK: (blocks::id, blocks::application_id, blocks::name, blocks::kind, blocks::version, blocks::created_at) =
    (blocks::id, blocks::application_id, blocks::name, blocks::kind, blocks::version, blocks::created_at);

/// One Block that is not archived.
pub fn find(conn: &mut Conn, id: i64) -> Result<Block> {
    let row: BlockRow =
        blocks::table.filter(blocks::id.eq(id)).filter(blocks::archived_at.is_null()).select(BLOCK).first(conn)?;
    single(with_columns(conn, vec![row])?)
}

/// The Dimension lists whose items the columns of a Block name, itself apart.
pub fn lists_of(conn: &mut Conn, id: i64) -> Result<Vec<i64>> {
    let named: Vec<Option<i64>> = block_columns::table
        .filter(block_columns::block_id.eq(id).and(block_columns::archived_at.is_null()))
        .filter(block_columns::dimension_block_id.is_not_null())
        .select(block_columns::dimension_block_id)
        .load(conn)?;
    Ok(named.into_iter().flatten().filter(|list| *list != id).collect())
}

/// One Block, archived or not: for the history that names it.
pub fn find_even_archived(conn: &mut Conn, id: i64) -> Result<Block> {
    let row: BlockRow = blocks::table.filter(blocks::id.eq(id)).select(BLOCK).first(conn)?;
    single(with_columns(conn, vec![row])?)
}

/// Whether it is there, in this Application.
pub fn is_of(conn: &mut Conn, id: i64, application_id: i64) -> Result<bool> {
    let it =
        blocks::table.find(id).filter(blocks::application_id.eq(application_id).and(blocks::archived_at.is_null()));
    Ok(it.select(blocks::id).first::<i64>(conn).optional()?.is_some())
}

/// An Application's Blocks by name.
pub fn list(conn: &mut Conn, application_id: i64) -> Result<Vec<Block>> {
    let rows: Vec<BlockRow> = blocks::table
        .filter(blocks::application_id.eq(application_id))
        .filter(blocks::archived_at.is_null())
        .order((blocks::name_key.asc(), blocks::id.asc()))
        .select(BLOCK)
        .load(conn)?;
    with_columns(conn, rows)
}

/// Those of an Application that are archived.
pub fn archived(conn: &mut Conn, application_id: i64) -> Result<Vec<i64>> {
    Ok(blocks::table
        .filter(blocks::application_id.eq(application_id))
        .filter(blocks::archived_at.is_not_null())
        .order(blocks::id)
        .select(blocks::id)
        .load(conn)?)
}

/// Every Block that is not archived.
pub fn all(conn: &mut Conn) -> Result<Vec<Block>> {
    let rows: Vec<BlockRow> =
        blocks::table.filter(blocks::archived_at.is_null()).order(blocks::id).select(BLOCK).load(conn)?;
    with_columns(conn, rows)
}

/// A page of an Application's Blocks by id, for lists that a cursor walks.
pub fn page(conn: &mut Conn, application_id: i64, after: i64, limit: i64) -> Result<Vec<Block>> {
    let rows: Vec<BlockRow> = blocks::table
        .filter(blocks::application_id.eq(application_id))
        .filter(blocks::archived_at.is_null())
        .filter(blocks::id.gt(after))
        .order(blocks::id.asc())
        .limit(limit)
        .select(BLOCK)
        .load(conn)?;
    with_columns(conn, rows)
}

fn single(blocks: Vec<Block>) -> Result<Block> {
    blocks.into_iter().next().ok_or(AppError::NotFound)
}

fn with_columns(conn: &mut Conn, rows: Vec<BlockRow>) -> Result<Vec<Block>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let mut by_block: HashMap<i64, Vec<Column>> = HashMap::new();
    // SQLite binds at most 32,766 values in one statement.
    for ids in ids.chunks(10_000) {
        let columns: Vec<ColumnRow> = block_columns::table
            .filter(block_columns::block_id.eq_any(ids))
            .filter(block_columns::archived_at.is_null())
            .order((block_columns::block_id.asc(), block_columns::position.asc()))
            .select((
                block_columns::id,
                block_columns::block_id,
                block_columns::position,
                block_columns::name,
                block_columns::column_type,
                block_columns::dimension_block_id,
                block_columns::is_key,
                block_columns::required,
            ))
            .load(conn)?;
        for (id, block_id, position, name, column_type, dimension_block_id, key, required) in columns {
            let column_type = column_type.parse::<ColumnType>().map_err(AppError::internal)?;
            by_block.entry(block_id).or_default().push(Column {
                id,
                position,
                name,
                column_type,
                dimension_block_id,
                key,
                required,
            });
        }
    }
    Ok(rows
        .into_iter()
        .map(|(id, application_id, name, kind, version, created_at)| Block {
            id,
            application_id,
            name,
            kind,
            columns: by_block.remove(&id).unwrap_or_default(),
            version,
            created_at,
        })
        .collect())
}

pub fn insert(conn: &mut Conn, application_id: i64, name: &str, kind: BlockKind, now: Moment) -> Result<i64> {
    diesel::insert_into(blocks::table)
        .values((
            blocks::application_id.eq(application_id),
            blocks::name.eq(name),
            blocks::name_key.eq(name_key(name)),
            blocks::kind.eq(kind),
            blocks::created_at.eq(now),
        ))
        .returning(blocks::id)
        .get_result(conn)
        .map_err(|e| taken(e, name))
}

/// A new name and version; `Stale` is the caller's to have checked.
pub fn touch(conn: &mut Conn, id: i64, name: &str, kind: BlockKind) -> Result<()> {
    diesel::update(blocks::table.filter(blocks::id.eq(id)))
        .set((
            blocks::name.eq(name),
            blocks::name_key.eq(name_key(name)),
            blocks::kind.eq(kind),
            blocks::version.eq(blocks::version + 1),
        ))
        .execute(conn)
        .map_err(|e| taken(e, name))?;
    Ok(())
}

pub fn archive(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(blocks::table.filter(blocks::id.eq(id)))
        .set((blocks::name_key.eq(format!("archived:{id}")), blocks::archived_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

fn taken(error: diesel::result::Error, name: &str) -> AppError {
    if is_taken(&error) {
        AppError::Conflict(format!("A Block named \"{name}\" already exists in this Application. Choose another name."))
    } else {
        error.into()
    }
}

pub fn insert_column(conn: &mut Conn, block_id: i64, position: i32, draft: &ColumnDraft) -> Result<()> {
    diesel::insert_into(block_columns::table)
        .values((
            block_columns::block_id.eq(block_id),
            block_columns::position.eq(position),
            block_columns::name.eq(&draft.name),
            block_columns::name_key.eq(name_key(&draft.name)),
            block_columns::column_type.eq(draft.column_type.as_str()),
            block_columns::dimension_block_id.eq(draft.dimension_block_id),
            block_columns::is_key.eq(draft.key),
            block_columns::required.eq(draft.required),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn update_column(conn: &mut Conn, id: i64, draft: &ColumnDraft) -> Result<()> {
    diesel::update(block_columns::table.filter(block_columns::id.eq(id)))
        .set((
            block_columns::name.eq(&draft.name),
            block_columns::name_key.eq(name_key(&draft.name)),
            block_columns::column_type.eq(draft.column_type.as_str()),
            block_columns::dimension_block_id.eq(draft.dimension_block_id),
            block_columns::is_key.eq(draft.key),
            block_columns::required.eq(draft.required),
        ))
        .execute(conn)?;
    Ok(())
}

/// Puts the names of columns out of the way before they are changed, so that two can swap theirs.
pub fn clear_column_names(conn: &mut Conn, ids: &[i64]) -> Result<()> {
    for id in ids {
        diesel::update(block_columns::table.filter(block_columns::id.eq(id)))
            .set(block_columns::name_key.eq(format!("changing:{id}")))
            .execute(conn)?;
    }
    Ok(())
}

/// The column keeps its position for ever and its name no longer.
pub fn archive_column(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(block_columns::table.filter(block_columns::id.eq(id)))
        .set((block_columns::name_key.eq(format!("archived:{id}")), block_columns::archived_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// The position that the next new column takes.
pub fn next_position(conn: &mut Conn, block_id: i64) -> Result<i32> {
    let last: Option<i32> = block_columns::table
        .filter(block_columns::block_id.eq(block_id))
        .order(block_columns::position.desc())
        .select(block_columns::position)
        .first(conn)
        .optional()?;
    Ok(last.unwrap_or(0) + 1)
}

/// The names of the Blocks whose columns name the items of this one, with the column's.
pub fn named_by(conn: &mut Conn, block_id: i64) -> Result<Vec<(i64, String, String)>> {
    Ok(block_columns::table
        .inner_join(blocks::table.on(blocks::id.eq(block_columns::block_id)))
        .filter(block_columns::dimension_block_id.eq(block_id))
        .filter(block_columns::block_id.ne(block_id))
        .filter(block_columns::archived_at.is_null())
        .filter(blocks::archived_at.is_null())
        .order((blocks::name_key.asc(), block_columns::position.asc()))
        .select((blocks::id, blocks::name, block_columns::name))
        .load(conn)?)
}

/// What the Application is called, for the names of views.
/// What the Applications of these Blocks are called.
pub fn application_names(conn: &mut Conn, blocks: &[Block]) -> Result<HashMap<i64, String>> {
    let ids: HashSet<i64> = blocks.iter().map(|block| block.application_id).collect();
    let named = applications::table.filter(applications::id.eq_any(ids)).select((applications::id, applications::name));
    Ok(named.load(conn)?.into_iter().collect())
}

pub fn application_name(conn: &mut Conn, application_id: i64) -> Result<String> {
    Ok(applications::table.filter(applications::id.eq(application_id)).select(applications::name).first(conn)?)
}
