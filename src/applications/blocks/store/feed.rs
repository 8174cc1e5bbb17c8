//! Filling a staging table from another Block, in one statement inside the database: it reads the source at one instant,
//! and no row leaves the server.
//!
//! What a person typed (constants, items of a filter) goes in as one bound text, JSON with a list of constants and a list
//! for each filter; the statement takes it apart.

use diesel::sql_types::Text;
use serde_json::json;

use super::ledger::LoadRefused;
use super::pointer::while_mine;
use super::rows::Cell;
use super::staging::Staging;
use super::{generations, periods, physical};
use crate::applications::blocks::feed::{Aggregate, Feed, FeedColumn, FeedFrom};
use crate::applications::blocks::model::Column;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::formats::ColumnType;

/// What came of filling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fed {
    Rows(i64),
    /// A sum is larger than its column holds; nothing was filled.
    TooLarge,
}

/// Fills a staging table from the Block that feeds it; `file` counts the sources of the run from 1. The line of a row is
/// the `_row` of the source, of several the first.
pub fn fill(conn: &mut Conn, staging: &Staging, file: i32, feed: &Feed) -> Result<Fed, LoadRefused> {
    let mut too_large = false;
    let done = while_mine(conn, staging, |conn| {
        let Some(table) = generations::current_table(conn, feed.source.id)? else { return Ok(0) };
        if let Conn::Pg(_) = conn {
            // What is staged needs no flush of its own: the commit that makes it visible flushes all before it.
            diesel::sql_query("SET LOCAL synchronous_commit TO off").execute(conn)?;
        }
        let columns: String = feed.columns.iter().map(|column| format!(", {}", column.to.physical())).collect();
        let (own, line) = match conn {
            Conn::Sqlite(_) => ("_file, _line", format!("{file}, ")),
            Conn::Pg(_) => ("_row, _line", String::new()),
        };
        let select = select(conn, feed, &table, &line);
        let given = given(conn, feed).to_string();
        let filled = diesel::sql_query(format!("INSERT INTO {} ({own}{columns}) {select}", staging.table))
            .bind::<Text, _>(given)
            .execute(conn);
        filled.map(|rows| rows as i64).map_err(|error| {
            too_large = is_overflow(&error);
            error.into()
        })
    });
    match done {
        Err(_) if too_large => Ok(Fed::TooLarge),
        done => Ok(Fed::Rows(done?)),
    }
}

fn is_overflow(error: &diesel::result::Error) -> bool {
    let diesel::result::Error::DatabaseError(_, said) = error else { return false };
    // SQLite's own sum; PostgreSQL's cast, and its sum of doubles.
    said.message() == "integer overflow" || said.message().contains("out of range")
}

/// The rows of the source as the columns of the target; before them what the staging table has of its own.
fn select(conn: &Conn, feed: &Feed, table: &str, file: &str) -> String {
    let mut wanted = vec!["$1 IS NOT NULL".to_owned()];
    if let Conn::Pg(_) = conn {
        wanted[0] = "CAST($1 AS TEXT) IS NOT NULL".to_owned();
    }
    for (i, filter) in feed.filter.iter().enumerate() {
        let among = match conn {
            Conn::Sqlite(_) => {
                format!("SELECT {} FROM json_each($1, '$.f[{i}]')", typed(conn, "value", &filter.column))
            }
            Conn::Pg(_) => format!(
                "SELECT {} FROM jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS jsonb)->'f'->{i}) v",
                typed(conn, "v", &filter.column)
            ),
        };
        wanted.push(format!("r.{} IN ({among})", filter.column.physical()));
    }
    let value = feed.value.and_then(|i| match &feed.columns[i].from {
        FeedFrom::Column(column) => Some(format!("r.{}", column.physical())),
        FeedFrom::Constant(_) => None,
    });
    if !feed.grouped {
        wanted.extend(value.map(|value| format!("{value} IS NOT NULL")));
        let cells: String = feed.columns.iter().enumerate().map(|(i, c)| format!(", {}", plain(conn, c, i))).collect();
        let own = match conn {
            Conn::Sqlite(_) => "r._row",
            Conn::Pg(_) => "r._row, r._row",
        };
        return format!("SELECT {file}{own}{cells} FROM {table} r WHERE {} ORDER BY r._row", wanted.join(" AND "));
    }
    let is_key = |c: &FeedColumn| c.aggregate.is_none() && matches!(c.from, FeedFrom::Column(_));
    let keys = feed.columns.iter().enumerate().filter(|(_, column)| is_key(column));
    let keys: Vec<String> = keys.map(|(i, column)| plain(conn, column, i)).collect();
    let wanted = wanted.join(" AND ");
    let from = with_last(feed, table, &keys, &wanted).unwrap_or_else(|| format!("{table} r WHERE {wanted}"));
    let cells: String = feed.columns.iter().enumerate().map(|(i, c)| format!(", {}", grouped(conn, c, i))).collect();
    let own = match conn {
        Conn::Sqlite(_) => "min(r._row)",
        Conn::Pg(_) => "min(r._row), min(r._row)",
    };
    let group = if keys.is_empty() { String::new() } else { format!(" GROUP BY {}", keys.join(", ")) };
    // Without a key there is a row of nothing, too.
    let having = value.map_or("count(*) > 0".to_owned(), |value| format!("count({value}) > 0"));
    format!("SELECT {file}{own}{cells} FROM {from}{group} HAVING {having}")
}

/// The source with a mark on the row of each group whose cell is the last one, for each column that wants that.
fn with_last(feed: &Feed, table: &str, keys: &[String], wanted: &str) -> Option<String> {
    // What is said of several days is said of the last of them.
    let given = |column: &Column| {
        let whole = |c: &FeedColumn| !c.rounds() && c.aggregate.is_none();
        feed.columns.iter().any(|c| matches!(&c.from, FeedFrom::Column(from) if from.id == column.id) && whole(c))
    };
    let days: String = feed
        .source
        .columns
        .iter()
        .filter(|column| matches!(column.column_type, ColumnType::Date | ColumnType::Timestamp) && !given(column))
        .map(|column| format!("(r.{0} IS NULL), r.{0} DESC, ", column.physical()))
        .collect();
    let part = if keys.is_empty() { String::new() } else { format!("PARTITION BY {} ", keys.join(", ")) };
    let marks: String = feed
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.aggregate == Some(Aggregate::Last))
        .filter_map(|(i, column)| match &column.from {
            FeedFrom::Column(from) => Some((i, from.physical())),
            FeedFrom::Constant(_) => None,
        })
        .map(|(i, cell)| {
            format!(", row_number() OVER ({part}ORDER BY (r.{cell} IS NULL), {days}r._row DESC) AS last_{i}")
        })
        .collect();
    (!marks.is_empty()).then(|| format!("(SELECT r.*{marks} FROM {table} r WHERE {wanted}) r"))
}

fn plain(conn: &Conn, column: &FeedColumn, place: usize) -> String {
    match &column.from {
        FeedFrom::Column(from) => changed(conn, column, format!("r.{}", from.physical()), from.column_type, place),
        FeedFrom::Constant(_) => constant(conn, &column.to, place),
    }
}

fn grouped(conn: &Conn, column: &FeedColumn, place: usize) -> String {
    let (Some(aggregate), FeedFrom::Column(from)) = (column.aggregate, &column.from) else {
        return plain(conn, column, place);
    };
    let (cell, to) = (format!("r.{}", from.physical()), column.to.column_type);
    let sqlite = matches!(conn, Conn::Sqlite(_));
    let whole = from.column_type == ColumnType::Integer;
    let made = match aggregate {
        // A sum of doubles does not overflow where the target is one.
        Aggregate::Sum if sqlite && whole && to == ColumnType::Number => format!("total({cell})"),
        Aggregate::Sum if !sqlite && whole && to == ColumnType::Integer => format!("CAST(sum({cell}) AS BIGINT)"),
        Aggregate::Sum => format!("sum({cell})"),
        Aggregate::Average => format!("avg({cell})"),
        Aggregate::Min => format!("min({cell})"),
        Aggregate::Max => format!("max({cell})"),
        Aggregate::Count => format!("count({cell})"),
        Aggregate::Last => {
            let only = format!("CASE WHEN r.last_{place} = 1 THEN {cell} END");
            let takes = if !sqlite && from.column_type == ColumnType::Boolean { "bool_or" } else { "max" };
            format!("{takes}({only})")
        }
    };
    let made_of = aggregate.of(from.column_type).unwrap_or(from.column_type);
    // PostgreSQL's sums and averages of whole numbers are of a type of their own.
    let made = if !sqlite && to == ColumnType::Number { format!("CAST({made} AS DOUBLE PRECISION)") } else { made };
    changed(conn, column, made, made_of, place)
}

/// A cell of a type as the column wants it: as another type, or as its period; its sign; what it is where it is empty.
fn changed(conn: &Conn, column: &FeedColumn, cell: String, from: ColumnType, place: usize) -> String {
    let to = column.to.column_type;
    let mut cell = match column.change.period {
        Some(period) => periods::of(conn, &cell, period, to),
        None => turned(conn, &cell, from, to),
    };
    if column.change.negate {
        // SQLite makes a double of the one integer that has no negative; abs refuses it.
        let whole = to == ColumnType::Integer && matches!(conn, Conn::Sqlite(_));
        cell = if whole { format!("(0 - {cell} + 0 * abs({cell}))") } else { format!("(0 - {cell})") };
    }
    match column.change.default {
        Some(_) => format!("coalesce({cell}, {})", constant(conn, &column.to, place)),
        None => cell,
    }
}

/// A cell of one type as one of another that it [`meets`](crate::applications::blocks::meets).
fn turned(conn: &Conn, cell: &str, from: ColumnType, to: ColumnType) -> String {
    use ColumnType::{Boolean, Date, Dimension, Integer, Number, Text};
    let sqlite = matches!(conn, Conn::Sqlite(_));
    match (from, to) {
        (Integer, Number) => format!("CAST({cell} AS {})", if sqlite { "REAL" } else { "DOUBLE PRECISION" }),
        (Integer, Text | Dimension) => format!("CAST({cell} AS TEXT)"),
        (Boolean, Text) => format!("CASE WHEN {cell} THEN 'true' WHEN NOT {cell} THEN 'false' END"),
        (Date, Text) if sqlite => physical::shown(conn, cell, Date),
        (Date, Text) => format!("to_char({cell}, 'YYYY-MM-DD')"),
        _ => cell.to_owned(),
    }
}

fn constant(conn: &Conn, column: &Column, place: usize) -> String {
    match conn {
        Conn::Sqlite(_) => typed(conn, &format!("json_extract($1, '$.k[{place}]')"), column),
        Conn::Pg(_) => typed(conn, &format!("(CAST(CAST($1 AS TEXT) AS jsonb)->'k'->>{place})"), column),
    }
}

/// A text of what is bound, as a cell of that column.
pub(super) fn typed(conn: &Conn, text: &str, column: &Column) -> String {
    let kind = match (conn, column.column_type) {
        (_, ColumnType::Text | ColumnType::Dimension) => "TEXT",
        (Conn::Sqlite(_), ColumnType::Number) => "REAL",
        (Conn::Sqlite(_), _) => "INTEGER",
        (Conn::Pg(_), ColumnType::Integer) => "BIGINT",
        (Conn::Pg(_), ColumnType::Number) => "DOUBLE PRECISION",
        (Conn::Pg(_), ColumnType::Boolean) => "BOOLEAN",
        (Conn::Pg(_), ColumnType::Date) => "DATE",
        (Conn::Pg(_), ColumnType::Timestamp) => "TIMESTAMPTZ",
    };
    format!("CAST({text} AS {kind})")
}

/// The constants by the place of their column, and the items of each filter.
fn given(conn: &Conn, feed: &Feed) -> serde_json::Value {
    let constants: Vec<Option<String>> = feed
        .columns
        .iter()
        .map(|column| match &column.from {
            FeedFrom::Constant(cell) => text(conn, cell, column.to.column_type),
            FeedFrom::Column(_) => {
                column.change.default.as_ref().and_then(|cell| text(conn, cell, column.to.column_type))
            }
        })
        .collect();
    let filters: Vec<Vec<Option<String>>> = feed
        .filter
        .iter()
        .map(|filter| filter.items.iter().map(|cell| text(conn, cell, filter.column.column_type)).collect())
        .collect();
    json!({"k": constants, "f": filters})
}

/// A cell as a text that the database casts to what it keeps; none for an empty one.
pub(super) fn text(conn: &Conn, cell: &Cell, column_type: ColumnType) -> Option<String> {
    Some(match (conn, cell) {
        (_, Cell::Empty) => return None,
        (Conn::Sqlite(_), Cell::Boolean(truth)) => i32::from(*truth).to_string(),
        (Conn::Sqlite(_), Cell::Date(days)) => days.to_string(),
        (Conn::Sqlite(_), Cell::Timestamp(micros)) => micros.to_string(),
        (_, cell) => cell.text(column_type),
    })
}
