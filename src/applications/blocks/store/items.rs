//! Items that staged rows name and their Dimension list lacks: they are staged as rows of that list, to become visible in
//! the same transaction as the rows that name them.

use diesel::sql_types::BigInt;

use super::ledger::{self, LoadRefused};
use super::staging::{Making, Merge, Staging};
use super::{generations, physical};
use crate::applications::blocks::model::{Block, Column};
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::error::Result;
use crate::formats::ColumnType;

/// The longest key of an item, in bytes: what an index of either database takes.
pub const KEY_BYTES: usize = 2_000;

/// Items of a list that wait to become visible.
pub struct Created<'a> {
    pub list: &'a Block,
    pub staging: Staging,
    pub items: i64,
}

/// The column by which an item is known, where a name alone makes one; else why none can be made.
pub fn named_by(list: &Block) -> std::result::Result<&Column, String> {
    let name = &list.name;
    let mut keys = list.keys();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(format!("Items of \"{name}\" have more than one key column, so a name alone does not make one."));
    };
    if let Some(column) = list.columns.iter().find(|column| column.must_be_filled() && column.id != key.id) {
        let other = &column.name;
        return Err(format!(
            "Items of \"{name}\" must have a value in \"{other}\", so a name alone does not make one."
        ));
    }
    if !matches!(key.column_type, ColumnType::Text | ColumnType::Integer) {
        return Err(format!(
            "The key of \"{name}\" is neither text nor an integer, so a name alone does not make one."
        ));
    }
    Ok(key)
}

/// Whether a list holds an item by this name.
pub fn has(conn: &mut Conn, list: &Block, name: &str) -> Result<bool> {
    let (Some(table), Some(key)) = (generations::current_table(conn, list.id)?, list.keys().next()) else {
        return Ok(false);
    };
    let there = format!("SELECT count(*) AS count FROM {table} k WHERE CAST(k.{} AS TEXT) = $1", key.physical());
    let found: Count = diesel::sql_query(there).bind::<diesel::sql_types::Text, _>(name).get_result(conn)?;
    Ok(found.count > 0)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many items the rows in `staging` name and `list` lacks.
pub fn lacking(
    conn: &mut Conn,
    staging: &Staging,
    block: &Block,
    list: &Block,
) -> std::result::Result<i64, LoadRefused> {
    // A list that no row names may be as it likes.
    let naming = block.columns.iter().filter(|column| column.dimension_block_id == Some(list.id));
    let named: Vec<String> = naming.map(|column| format!("{} IS NOT NULL", column.physical())).collect();
    let any = format!(
        "SELECT count(*) AS count FROM (SELECT 1 FROM {} WHERE {} LIMIT 1) n",
        staging.table,
        named.join(" OR ")
    );
    if diesel::sql_query(any).get_result::<Count>(conn)?.count == 0 {
        return Ok(0);
    }
    let key = named_by(list).map_err(LoadRefused::NoItem)?;
    let unknown = unknown(conn, staging, block, list, key)?;
    let count: Count = diesel::sql_query(format!("SELECT count(*) AS count FROM ({unknown}) u")).get_result(conn)?;
    Ok(count.count)
}

/// Stages what the rows in `staging` name in the columns of `block` and `list` lacks; none where it lacks nothing.
pub fn stage<'a>(
    conn: &mut Conn,
    staging: &Staging,
    block: &Block,
    list: &'a Block,
    file: i32,
    now: Moment,
) -> std::result::Result<Option<Created<'a>>, LoadRefused> {
    let items = lacking(conn, staging, block, list)?;
    if items == 0 {
        return Ok(None);
    }
    let key = named_by(list).map_err(LoadRefused::NoItem)?;
    let unknown = unknown(conn, staging, block, list, key)?;
    let making = if staging.making == Making::Held { Making::Staged } else { staging.making };
    let beside = ledger::begin_beside(conn, list, &staging.run, staging.fence, making, now)?;
    let (run, table) = (staging.run.id, &beside.table);
    let (own, given) = match (&*conn, making) {
        (Conn::Sqlite(_), _) => ("_file, _line", format!("{file}, u.line")),
        (Conn::Pg(_), Making::AtOnce) => {
            ("_row, _line, _run, _file", format!("row_number() OVER (ORDER BY u.line, u.item), u.line, {run}, {file}"))
        }
        (Conn::Pg(_), _) => ("_row, _line", "row_number() OVER (ORDER BY u.line, u.item), u.line".to_owned()),
    };
    let to = key.physical();
    diesel::sql_query(format!(
        "INSERT INTO {table} ({own}, {to}) SELECT {given}, u.item FROM ({unknown}) u ORDER BY u.line, u.item"
    ))
    .execute(conn)?;
    physical::create_key_index(conn, table, &[to])?;
    physical::seal(conn, &beside, file, Merge::Append)?;
    Ok(Some(Created { list, staging: beside, items }))
}

/// Each item once, with the first line that names it.
fn unknown(conn: &mut Conn, staging: &Staging, block: &Block, list: &Block, key: &Column) -> Result<String> {
    let cast = |cell: String| match (&*conn, key.column_type) {
        (Conn::Sqlite(_), ColumnType::Integer) => format!("CAST({cell} AS INTEGER)"),
        (Conn::Pg(_), ColumnType::Integer) => format!("CAST({cell} AS BIGINT)"),
        _ => cell,
    };
    let naming = block.columns.iter().filter(|column| column.dimension_block_id == Some(list.id));
    let named: Vec<String> = naming
        .map(|column| {
            let cell = format!("s.{}", column.physical());
            let item = cast(cell.clone());
            format!("SELECT {item} AS item, s._line AS line FROM {} s WHERE {cell} IS NOT NULL", staging.table)
        })
        .collect();
    let there = match generations::current_table(conn, list.id)? {
        Some(table) => format!(" WHERE NOT EXISTS (SELECT 1 FROM {table} k WHERE k.{} = n.item)", key.physical()),
        None => String::new(),
    };
    let named = named.join(" UNION ALL ");
    Ok(format!("SELECT n.item, min(n.line) AS line FROM ({named}) n{there} GROUP BY n.item"))
}
