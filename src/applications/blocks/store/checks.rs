//! What can be said of staged rows only all together, in SQL: a key twice in one file, a key that the Block has, an
//! item that the Dimension list lacks. What is found goes to the rejects and out of the staging table, so that memory
//! stays flat however much is wrong; the pipeline then fetches the rows as they came in a second pass.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::merge::equal;
use super::staging::Merge;
use super::staging::Staging;
use super::{definitions, generations, physical};
use crate::applications::blocks::model::Block;
use crate::db::{self, Conn};
use crate::error::Result;
use crate::formats::ColumnType;

/// The key column of a Dimension list that columns of a Block name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DimensionKey {
    pub block_id: i64,
    pub block_name: String,
    pub position: i32,
    pub column_type: ColumnType,
}

/// The key columns of all Dimension lists that a Block's columns name.
pub fn dimension_keys(conn: &mut Conn, block: &Block) -> Result<Vec<DimensionKey>> {
    let mut ids: Vec<i64> = block.columns.iter().filter_map(|column| column.dimension_block_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut keys = Vec::new();
    for id in ids {
        let list = definitions::find(conn, id)?;
        keys.extend(list.keys().take(1).map(|key| DimensionKey {
            block_id: id,
            block_name: list.name.clone(),
            position: key.position,
            column_type: key.column_type,
        }));
    }
    Ok(keys)
}

/// A staged column with the name that its cells have in the source.
#[derive(Clone, Debug)]
pub struct StagedColumn {
    pub position: i32,
    pub column_type: ColumnType,
    pub source_name: String,
}

impl StagedColumn {
    fn physical(&self) -> String {
        format!("c{}", self.position)
    }
}

/// Rejects cells that name an item which the Dimension list does not have. Answers how many.
pub fn unknown_items(
    conn: &mut Conn,
    staging: &Staging,
    merge: Merge,
    column: &StagedColumn,
    key: &DimensionKey,
) -> Result<usize> {
    let physical = column.physical();
    let key_column = format!("c{}", key.position);
    let key_text = match key.column_type {
        ColumnType::Integer => format!("CAST({key_column} AS TEXT)"),
        _ => key_column,
    };
    let mut unknown = format!("s.{physical} IS NOT NULL");
    let own = key.block_id == staging.block_id;
    if let Some(list) = generations::current_table(conn, key.block_id)?
        && !(own && merge == Merge::Replace)
    {
        unknown.push_str(&format!(" AND s.{physical} NOT IN (SELECT {key_text} FROM {list})"));
    }
    if own {
        // A list may name its own items: those that come along are known too.
        unknown.push_str(&format!(
            " AND s.{physical} NOT IN (SELECT {key_text} FROM {} WHERE {key_text} IS NOT NULL AND _line NOT IN \
             (SELECT line FROM rejects WHERE run_id = {}))",
            staging.table, staging.run.id
        ));
    }
    let shown = format!("substr(s.{physical}, 1, 200)");
    let reason = format!("'\"' || substr(s.{physical}, 1, 60) || '\" is not an item of ' || CAST($3 AS TEXT) || '.'");
    let advice = "Add the item to that list first, or correct the cell.";
    let named = format!("\"{}\"", key.block_name);
    reject(conn, staging, &column.source_name, "unknown_item", &named, advice, |_| {
        format!("SELECT s._line, {shown} AS value, {reason} AS reason FROM {} s WHERE {unknown}", staging.table)
    })
}

/// Takes the rows of which something was rejected out of the staging table. Answers how many.
pub fn drop_rejected(conn: &mut Conn, staging: &Staging) -> Result<usize> {
    db::write(conn, |conn| {
        Ok(diesel::sql_query(format!(
            "DELETE FROM {} WHERE _line IN (SELECT line FROM rejects WHERE run_id = $1)",
            staging.table
        ))
        .bind::<BigInt, _>(staging.run.id)
        .execute(conn)?)
    })
}

/// Makes the unique index over the key, after rejecting the later rows of each key that is there twice. Answers how
/// many rows were rejected (they are out of the staging table).
pub fn unique_keys(conn: &mut Conn, staging: &Staging, keys: &[StagedColumn]) -> Result<usize> {
    let columns: Vec<String> = keys.iter().map(StagedColumn::physical).collect();
    match physical::create_key_index(conn, &staging.table, &columns) {
        Ok(()) => return Ok(0),
        Err(error) if db::is_taken(&error) => {}
        Err(error) => return Err(error.into()),
    }
    let listed = columns.join(", ");
    let same = equal(&columns, "s", "f");
    let table = &staging.table;
    let rejected = reject_keys(conn, staging, keys, "key_twice", |value| {
        format!(
            "SELECT s._line, {value} AS value, 'The key \"' || substr({value}, 1, 60) || '\" is on line ' || \
             f.first_line || ' already.' AS reason FROM {table} s JOIN (SELECT {listed}, min(_line) AS first_line \
             FROM {table} GROUP BY {listed} HAVING count(*) > 1) f ON {same} WHERE s._line > f.first_line"
        )
    })?;
    drop_rejected(conn, staging)?;
    physical::create_key_index(conn, table, &columns)?;
    Ok(rejected)
}

/// Rejects staged rows whose key the Block has; what the runs to be replaced brought does not count. Answers how
/// many (they are out of the staging table).
pub fn existing_keys(
    conn: &mut Conn,
    staging: &Staging,
    keys: &[StagedColumn],
    replaces_runs: &[i64],
) -> Result<usize> {
    let Some(current) = generations::current_table(conn, staging.block_id)? else { return Ok(0) };
    let columns: Vec<String> = keys.iter().map(StagedColumn::physical).collect();
    let same = equal(&columns, "t", "s");
    let but = if replaces_runs.is_empty() {
        String::new()
    } else {
        let runs: Vec<String> = replaces_runs.iter().map(i64::to_string).collect();
        format!(" AND t._run NOT IN ({})", runs.join(", "))
    };
    let table = &staging.table;
    let rejected = reject_keys(conn, staging, keys, "key_exists", |value| {
        format!(
            "SELECT s._line, {value} AS value, 'The Block has the key \"' || substr({value}, 1, 60) || '\" already.' \
             AS reason FROM {table} s WHERE EXISTS (SELECT 1 FROM {current} t WHERE {same}{but})"
        )
    })?;
    if rejected > 0 {
        drop_rejected(conn, staging)?;
    }
    Ok(rejected)
}

fn reject_keys(
    conn: &mut Conn,
    staging: &Staging,
    keys: &[StagedColumn],
    code: &str,
    select: impl FnOnce(&str) -> String,
) -> Result<usize> {
    let advice = match code {
        "key_twice" => "Keep one of the two rows, or make the other's key different.",
        _ => "Use the mode Update to change rows that are there, or take the row out.",
    };
    let names: Vec<&str> = keys.iter().map(|key| key.source_name.as_str()).collect();
    reject(conn, staging, &names.join(", "), code, "", advice, |conn| {
        let cells: Vec<String> = keys
            .iter()
            .map(|key| {
                let cell = physical::shown(conn, &format!("s.{}", key.physical()), key.column_type);
                format!("CAST({cell} AS TEXT)")
            })
            .collect();
        select(&format!("substr({}, 1, 200)", cells.join(" || ', ' || ")))
    })
}

/// Writes down what `select` (giving `_line, value, reason`, and free to use `$3`) finds.
fn reject(
    conn: &mut Conn,
    staging: &Staging,
    column: &str,
    code: &str,
    word: &str,
    advice: &str,
    select: impl FnOnce(&Conn) -> String,
) -> Result<usize> {
    let found = select(conn);
    let advice = advice.replace('\'', "''");
    db::write(conn, |conn| {
        Ok(diesel::sql_query(format!(
            "INSERT INTO rejects (run_id, line, column_name, value, code, reason, advice) \
             SELECT CAST($1 AS BIGINT), x._line, CAST($2 AS TEXT), x.value, '{code}', x.reason, '{advice}' \
             FROM ({found}) x WHERE CAST($3 AS TEXT) IS NOT NULL"
        ))
        .bind::<BigInt, _>(staging.run.id)
        .bind::<Text, _>(column)
        .bind::<Text, _>(word)
        .execute(conn)?)
    })
}
