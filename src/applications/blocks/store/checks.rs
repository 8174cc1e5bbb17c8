//! What can be said of staged rows only all together, in SQL: a key twice in one file, a key that the Block has, an
//! item that the Dimension list lacks. What is found goes to the rejects and out of the staging table, so that memory
//! stays flat however much is wrong; the pipeline then fetches the rows as they came in a second pass.

use diesel::sql_types::{BigInt, Text};

use super::ledger::LoadRefused;
use super::merge::{equal, in_scope};
use super::pointer::while_mine;
use super::rejects::Cause;
use super::staging::Merge;
use super::staging::Staging;
use super::{definitions, generations, items, physical};
use crate::applications::blocks::model::Block;
use crate::db::prelude::*;
use crate::db::{self, Conn};
use crate::error::Result;
use crate::formats::ColumnType;

/// What nobody sees around a cell, as the trim of a mapping takes it away.
const BLANK: &str = " \t\r\n\u{a0}\u{2007}\u{200b}\u{202f}\u{3000}\u{feff}";

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
    pub fn physical(&self) -> String {
        format!("c{}", self.position)
    }
}

/// How much of what is found may be written down.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Rows more than are kept already.
    pub left: i64,
    /// Some are kept already, and may have more wrong with them.
    pub any: bool,
}

/// What a check found wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Rows that are written down now and were not before.
    pub rows: i64,
    /// What there was no room for: a cell a row. These rows are out of the staging table already.
    pub beyond: Option<Cause>,
}

impl Found {
    pub fn is_empty(&self) -> bool {
        self.rows == 0 && self.beyond.is_none()
    }
}

/// Rejects cells that name an item which the Dimension list does not have.
pub fn unknown_items(
    conn: &mut Conn,
    staging: &Staging,
    (merge, scope): (Merge, &[i32]),
    column: &StagedColumn,
    key: &DimensionKey,
    room: Room,
) -> Result<Found, LoadRefused> {
    let physical = column.physical();
    let key_column = format!("k.c{}", key.position);
    let key_text = match key.column_type {
        ColumnType::Integer => format!("CAST({key_column} AS TEXT)"),
        _ => key_column,
    };
    let mut unknown = format!("s.{physical} IS NOT NULL");
    let own = key.block_id == staging.block_id;
    if let Some(list) = generations::current_table(conn, key.block_id)?
        && !(own && merge == Merge::Replace)
    {
        let stays = match merge {
            Merge::ReplaceScope if own => format!(" AND NOT {}", in_scope(conn, "k", scope, &staging.table)),
            _ => String::new(),
        };
        unknown.push_str(&not_among(conn, &physical, &key_text, &list, &stays));
    }
    if own {
        // A list may name its own items: those that come along are known too.
        let good = format!(" AND k._line NOT IN (SELECT line FROM rejects WHERE run_id = {})", staging.run.id);
        unknown.push_str(&not_among(conn, &physical, &key_text, &staging.table, &good));
    }
    let shown = format!("substr(s.{physical}, 1, 200)");
    // What nobody sees in a cell is said.
    let spaces = format!(
        "CASE WHEN s.{physical} = trim(s.{physical}, '{BLANK}') THEN '.' ELSE ': there are spaces around it.' END"
    );
    let reason =
        format!("'\"' || substr(s.{physical}, 1, 60) || '\" is not an item of ' || CAST($3 AS TEXT) || {spaces}");
    let why = Why {
        column: column.source_name.clone(),
        code: "unknown_item",
        word: format!("\"{}\"", key.block_name),
        advice: "Add the item to that list first, or correct the cell.",
    };
    reject(conn, staging, why, room, |_| {
        format!("SELECT s._line, {shown} AS value, {reason} AS reason FROM {} s WHERE {unknown}", staging.table)
    })
}

/// Rejects cells of which no item of the list can be made.
pub fn no_item(
    conn: &mut Conn,
    staging: &Staging,
    column: &StagedColumn,
    key: &DimensionKey,
    room: Room,
) -> Result<Found, LoadRefused> {
    let cell = format!("s.{}", column.physical());
    let (code, when, reason, advice) = if key.column_type == ColumnType::Integer {
        // As the list itself would write it, so that 007 does not become item 7.
        let when = match conn {
            Conn::Sqlite(_) => format!("CAST(CAST({cell} AS INTEGER) AS TEXT) <> {cell}"),
            Conn::Pg(_) => format!(
                "CASE WHEN {cell} ~ '^(0|-?[1-9][0-9]{{0,18}})$' THEN CAST({cell} AS NUMERIC) NOT BETWEEN \
                 -9223372036854775808 AND 9223372036854775807 ELSE TRUE END"
            ),
        };
        let reason = "The list has numbers as keys, and this is not one as the list writes it.";
        ("unknown_item", when, reason, "Correct the cell.")
    } else {
        let long = longer_than(conn, std::slice::from_ref(&cell), items::KEY_BYTES);
        let reason = "No item is created for this: there are spaces around it, or it is longer than 2,000 bytes.";
        let advice = "Correct the cell, or let the mapping trim it.";
        ("unknown_item", format!("({cell} <> trim({cell}, '{BLANK}') OR {long})"), reason, advice)
    };
    wrong_cells(conn, staging, &Wrong { column, code, when, reason, advice }, room)
}

/// That a staged cell is none of the keys of a table. PostgreSQL joins for `NOT EXISTS`, and for `NOT IN` it reads a list
/// that outgrows its memory once for each row; SQLite has no index for the one, and makes one for the other.
fn not_among(conn: &Conn, cell: &str, key: &str, table: &str, only: &str) -> String {
    match conn {
        Conn::Pg(_) => format!(" AND NOT EXISTS (SELECT 1 FROM {table} k WHERE {key} = s.{cell}{only})"),
        Conn::Sqlite(_) => {
            format!(" AND s.{cell} NOT IN (SELECT {key} FROM {table} k WHERE {key} IS NOT NULL{only})")
        }
    }
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

/// Asked before rejected rows leave the staging table: for who can have them nowhere else.
pub type BeforeDrop<'a> = &'a mut dyn FnMut(&mut Conn) -> Result<(), LoadRefused>;

/// Makes the unique index over the key, after rejecting the later rows of each key that is there twice (they are out of
/// the staging table then).
pub fn unique_keys(
    conn: &mut Conn,
    staging: &Staging,
    keys: &[StagedColumn],
    room: Room,
    before_drop: BeforeDrop<'_>,
) -> Result<Found, LoadRefused> {
    let columns: Vec<String> = keys.iter().map(StagedColumn::physical).collect();
    match physical::create_key_index(conn, &staging.table, &columns) {
        Ok(()) => return Ok(Found::default()),
        Err(error) if db::is_taken(&error) => {}
        Err(error) => return Err(error.into()),
    }
    let listed = columns.join(", ");
    let same = equal(&columns, "s", "f");
    let table = &staging.table;
    let found = reject_keys(conn, staging, keys, "key_twice", room, |value| {
        format!(
            "SELECT s._line, {value} AS value, 'The key \"' || substr({value}, 1, 60) || '\" is already on line ' || \
             f.first_line || '.' AS reason FROM {table} s JOIN (SELECT {listed}, min(_line) AS first_line \
             FROM {table} GROUP BY {listed} HAVING count(*) > 1) f ON {same} WHERE s._line > f.first_line"
        )
    })?;
    before_drop(conn)?;
    drop_rejected(conn, staging)?;
    physical::create_key_index(conn, table, &columns)?;
    Ok(found)
}

/// Rejects staged rows whose key the Block has (they are out of the staging table then); what makes room does not count:
/// what the runs to be replaced brought, and the rows within the scope.
pub fn existing_keys(
    conn: &mut Conn,
    staging: &Staging,
    keys: &[StagedColumn],
    (replaces_runs, scope): (&[i64], &[i32]),
    room: Room,
    before_drop: BeforeDrop<'_>,
) -> Result<Found, LoadRefused> {
    let Some(current) = generations::current_table(conn, staging.block_id)? else { return Ok(Found::default()) };
    let columns: Vec<String> = keys.iter().map(StagedColumn::physical).collect();
    let same = equal(&columns, "t", "s");
    let but = if !scope.is_empty() {
        format!(" AND NOT {}", in_scope(conn, "t", scope, &staging.table))
    } else if replaces_runs.is_empty() {
        String::new()
    } else {
        let runs: Vec<String> = replaces_runs.iter().map(i64::to_string).collect();
        format!(" AND t._run NOT IN ({})", runs.join(", "))
    };
    let table = &staging.table;
    let found = reject_keys(conn, staging, keys, "key_exists", room, |value| {
        format!(
            "SELECT s._line, {value} AS value, 'The Block already has the key \"' || substr({value}, 1, 60) || '\".' \
             AS reason FROM {table} s WHERE EXISTS (SELECT 1 FROM {current} t WHERE {same}{but})"
        )
    })?;
    if found.rows > 0 {
        before_drop(conn)?;
        drop_rejected(conn, staging)?;
    }
    Ok(found)
}

/// That texts have more bytes than so many together.
pub fn longer_than(conn: &Conn, texts: &[String], bytes: usize) -> String {
    let each = |text: &String| match conn {
        Conn::Sqlite(_) => format!("coalesce(length(CAST({text} AS BLOB)), 0)"),
        Conn::Pg(_) => format!("coalesce(octet_length({text}), 0)"),
    };
    format!("{} > {bytes}", texts.iter().map(each).collect::<Vec<_>>().join(" + "))
}

/// A cell that is wrong wherever `when` holds of the staged row, which it calls `s`.
pub struct Wrong<'a> {
    pub column: &'a StagedColumn,
    pub code: &'static str,
    pub when: String,
    pub reason: &'static str,
    pub advice: &'static str,
}

/// Rejects rows with such a cell.
pub fn wrong_cells(conn: &mut Conn, staging: &Staging, wrong: &Wrong<'_>, room: Room) -> Result<Found, LoadRefused> {
    let column = wrong.column;
    let why = Why { column: column.source_name.clone(), code: wrong.code, word: String::new(), advice: wrong.advice };
    let reason = wrong.reason.replace('\'', "''");
    reject(conn, staging, why, room, |conn| {
        let shown = physical::shown(conn, &format!("s.{}", column.physical()), column.column_type);
        format!(
            "SELECT s._line, coalesce(substr(CAST({shown} AS TEXT), 1, 200), '') AS value, '{reason}' AS reason \
             FROM {} s WHERE {}",
            staging.table, wrong.when
        )
    })
}

fn reject_keys(
    conn: &mut Conn,
    staging: &Staging,
    keys: &[StagedColumn],
    code: &'static str,
    room: Room,
    select: impl FnOnce(&str) -> String,
) -> Result<Found, LoadRefused> {
    let advice = match code {
        "key_twice" => "Keep one of the two rows, or give the other one a different key.",
        _ => "Use the mode Update to change existing rows, or remove the row.",
    };
    let names: Vec<&str> = keys.iter().map(|key| key.source_name.as_str()).collect();
    reject(conn, staging, Why { column: names.join(", "), code, word: String::new(), advice }, room, |conn| {
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

/// What is wrong with the rows that a check looks for.
struct Why {
    column: String,
    code: &'static str,
    /// `$3` of its SQL.
    word: String,
    advice: &'static str,
}

#[derive(QueryableByName)]
struct First {
    #[diesel(sql_type = BigInt)]
    line: i64,
    #[diesel(sql_type = Text)]
    reason: String,
}

/// Writes down what `select` (giving `_line, value, reason` once a row, and free to use `$3`) finds, the first rows as
/// far as there is room. Those after them are counted, and leave the staging table by what is wrong with them, because
/// nothing else tells them from good ones.
fn reject(
    conn: &mut Conn,
    staging: &Staging,
    why: Why,
    room: Room,
    select: impl FnOnce(&Conn) -> String,
) -> Result<Found, LoadRefused> {
    let found = select(conn);
    let Why { column, code, word, advice } = &why;
    let quoted = advice.replace('\'', "''");
    // SQLite numbers the variables as they come: all three stand in each statement, in their order.
    let those = |which: &str| {
        format!(
            "SELECT CAST($1 AS BIGINT) AS run_id, x._line AS line, CAST($2 AS TEXT) AS column_name, x.value AS value, \
             '{code}' AS code, x.reason AS reason, '{quoted}' AS advice \
             FROM ({found}) x WHERE CAST($3 AS TEXT) IS NOT NULL AND x._line {which}"
        )
    };
    const KEPT: &str = "(SELECT line FROM rejects WHERE run_id = $1)";
    const INTO: &str = "INSERT INTO rejects (run_id, line, column_name, value, code, reason, advice)";
    let bound = |sql: String| {
        diesel::sql_query(sql).bind::<BigInt, _>(staging.run.id).bind::<Text, _>(column).bind::<Text, _>(word)
    };
    while_mine(conn, staging, |conn| {
        if room.any {
            bound(format!("{INTO} {}", those(&format!("IN {KEPT}")))).execute(conn)?;
        }
        let new = those(&format!("NOT IN {KEPT} ORDER BY x._line"));
        let rows = bound(format!("{INTO} {new} LIMIT {}", room.left.max(0))).execute(conn)? as i64;
        if rows < room.left {
            return Ok(Found { rows, beyond: None });
        }
        let first: Option<First> = bound(format!("{new} LIMIT 1")).get_result(conn).optional()?;
        let Some(First { line, reason }) = first else { return Ok(Found { rows, beyond: None }) };
        let others = format!("SELECT o.line FROM ({}) o", those(&format!("NOT IN {KEPT}")));
        let cells = bound(format!("DELETE FROM {} WHERE _line IN ({others})", staging.table)).execute(conn)? as i64;
        let (code, column, advice) = ((*code).to_owned(), column.clone(), (*advice).to_owned());
        Ok(Found { rows, beyond: Some(Cause { code, column, cells, reason, advice, first_line: line }) })
    })
}
