//! Rows out of a Block: pages by keyset, and a CSV of any length in constant memory.

use std::io::Write;

use diesel::pg::Pg;
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::{Sqlite, SqliteType};

use super::looking::{self, Wanted};
use super::staging::Staging;
use super::{generations, postgres};
use crate::applications::blocks::looking::Look;
use crate::applications::blocks::model::{Block, Column};
use crate::db::prelude::*;
use crate::db::{Conn, Pool};
use crate::error::{AppError, Result};
use crate::formats::{ColumnType, Value, write_text};

/// A cell of a row that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Empty,
    /// Text, and the key of an item of a Dimension list.
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

impl From<Value<'_>> for Cell {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Empty => Self::Empty,
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Integer(number) => Self::Integer(number),
            Value::Number(number) => Self::Number(number),
            Value::Boolean(truth) => Self::Boolean(truth),
            Value::Date(days) => Self::Date(days),
            Value::Timestamp(micros) => Self::Timestamp(micros),
        }
    }
}

impl Cell {
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Empty => Value::Empty,
            Self::Text(text) => Value::Text(text),
            Self::Integer(number) => Value::Integer(*number),
            Self::Number(number) => Value::Number(*number),
            Self::Boolean(truth) => Value::Boolean(*truth),
            Self::Date(days) => Value::Date(*days),
            Self::Timestamp(micros) => Value::Timestamp(*micros),
        }
    }

    /// As people read it; nothing for an empty cell.
    pub fn text(&self, column_type: ColumnType) -> String {
        let mut out = Vec::new();
        write_text(&self.value(), column_type, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// As the API answers it: numbers and booleans as such, null for empty, text for the rest.
    pub fn json(&self, column_type: ColumnType) -> serde_json::Value {
        match self {
            Self::Empty => serde_json::Value::Null,
            Self::Integer(number) => (*number).into(),
            Self::Number(number) => (*number).into(),
            Self::Boolean(truth) => (*truth).into(),
            _ => self.text(column_type).into(),
        }
    }
}

/// A row of a Block.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockRow {
    /// Grows from row to row: the cursor of the next page.
    pub row: i64,
    /// The run that wrote it, the file of that run (from 1), the line of that file.
    pub run: i64,
    pub file: i64,
    pub line: i64,
    /// In the order of the Block's columns.
    pub cells: Vec<Cell>,
}

/// The rows of a Block after a row (0: from the first), in the order in which they were loaded.
pub fn page(conn: &mut Conn, block: &Block, after: i64, limit: i64) -> Result<Vec<BlockRow>> {
    match generations::current_table(conn, block.id)? {
        Some(table) => page_of(conn, (&table, block, &Look::default()), after, limit),
        None => Ok(Vec::new()),
    }
}

fn page_of(
    conn: &mut Conn,
    (table, block, look): (&str, &Block, &Look),
    after: i64,
    limit: i64,
) -> Result<Vec<BlockRow>> {
    let Wanted { sql, given } = looking::wanted(conn, block, look);
    let end = format!("WHERE {sql} AND _row > {after} ORDER BY _row LIMIT {limit}");
    load(conn, table, &block.columns, &end, &given)
}

/// Rows of a table: `end` is what follows it in the statement, over one bound text.
pub(super) fn load(conn: &mut Conn, table: &str, columns: &[Column], end: &str, given: &str) -> Result<Vec<BlockRow>> {
    let cells: String = columns.iter().map(|column| format!(", {}", column.physical())).collect();
    let query =
        diesel::sql_query(format!("SELECT _row, _run, _file, _line{cells} FROM {table} {end}")).bind::<Text, _>(given);
    let rows: Vec<RawRow> = match conn {
        Conn::Pg(conn) => query.load(conn)?,
        Conn::Sqlite(conn) => query.load(conn)?,
    };
    rows.into_iter().map(|row| row.typed(columns)).collect()
}

/// Rejected rows that are in the staging table still and that nobody has written down as they came, by their lines. The
/// cells are those of the given columns.
pub fn rejected(conn: &mut Conn, staging: &Staging, columns: &[Column], limit: i64) -> Result<Vec<BlockRow>> {
    let cells: String = columns.iter().map(|column| format!(", s.{}", column.physical())).collect();
    let query = diesel::sql_query(format!(
        "SELECT s._line AS _row, s._line AS _run, s._line AS _file, s._line{cells} FROM {} s \
         WHERE s._line IN (SELECT line FROM rejects WHERE run_id = $1) \
         AND s._line NOT IN (SELECT line FROM reject_lines WHERE run_id = $1) ORDER BY s._line LIMIT $2",
        staging.table
    ))
    .bind::<BigInt, _>(staging.run.id)
    .bind::<BigInt, _>(limit);
    let rows: Vec<RawRow> = match conn {
        Conn::Pg(conn) => query.load(conn)?,
        Conn::Sqlite(conn) => query.load(conn)?,
    };
    rows.into_iter().map(|row| row.typed(columns)).collect()
}

/// Writes all rows as CSV with the Block's column names. It reads one generation to its end, also when a Replace comes in
/// between; what an Append or an Update changes in it meanwhile may be among them.
pub fn write_csv(blocks: &Pool, block: &Block, out: &mut dyn Write) -> Result<()> {
    write_csv_of(blocks, block, &Look::default(), out)
}

/// The same of the rows that somebody looks at, in the order in which they were loaded.
pub fn write_csv_of(blocks: &Pool, block: &Block, look: &Look, out: &mut dyn Write) -> Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(block.columns.iter().map(|column| column.name.as_str())).map_err(AppError::internal)?;
    if let Some(table) = blocks.read(|conn| generations::current_table(conn, block.id))? {
        let mut after = 0;
        let mut text = Vec::new();
        loop {
            // As many cells as a batch of the load, however wide the Block is.
            let limit = (50_000 / block.columns.len().max(1)).clamp(100, 5_000) as i64;
            let rows = blocks.read(|conn| page_of(conn, (&table, block, look), after, limit))?;
            let Some(last) = rows.last() else { break };
            after = last.row;
            for row in &rows {
                for (cell, column) in row.cells.iter().zip(&block.columns) {
                    text.clear();
                    write_text(&cell.value(), column.column_type, &mut text);
                    csv.write_field(&text).map_err(AppError::internal)?;
                }
                csv.write_record(None::<&[u8]>).map_err(AppError::internal)?;
            }
        }
    }
    csv.flush().map_err(AppError::internal)
}

/// A row as the database gave it.
pub(super) struct RawRow(pub(super) Vec<Cell>);

impl RawRow {
    /// The first four columns are the row's own; the others are those of the Block.
    pub(super) fn typed(self, columns: &[Column]) -> Result<BlockRow> {
        let mut cells = self.0.into_iter();
        let mut own = || match cells.next() {
            Some(Cell::Integer(number)) => Ok(number),
            _ => Err(AppError::internal("a row without its own columns")),
        };
        let (row, run, file, line) = (own()?, own()?, own()?, own()?);
        let cells = cells
            .zip(columns)
            .map(|(cell, column)| match (cell, column.column_type) {
                // SQLite knows only integers, doubles and text.
                (Cell::Integer(truth), ColumnType::Boolean) => Cell::Boolean(truth != 0),
                (Cell::Integer(days), ColumnType::Date) => Cell::Date(days as i32),
                (Cell::Integer(micros), ColumnType::Timestamp) => Cell::Timestamp(micros),
                (Cell::Integer(number), ColumnType::Number) => Cell::Number(number as f64),
                (cell, _) => cell,
            })
            .collect();
        Ok(BlockRow { row, run, file, line, cells })
    }
}

impl QueryableByName<Sqlite> for RawRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> diesel::deserialize::Result<Self> {
        let mut cells = Vec::with_capacity(row.field_count());
        for i in 0..row.field_count() {
            let field = Row::get(row, i).ok_or("a row with fewer fields than it says")?;
            let cell = match field.value() {
                None => Cell::Empty,
                Some(mut value) => match value.value_type() {
                    None => Cell::Empty,
                    Some(SqliteType::Float | SqliteType::Double) => Cell::Number(value.read_double()),
                    Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
                        Cell::Integer(value.read_long())
                    }
                    Some(SqliteType::Text | SqliteType::Binary) => Cell::Text(value.read_text().to_owned()),
                },
            };
            cells.push(cell);
        }
        Ok(Self(cells))
    }
}

/// The types of PostgreSQL by their numbers, which never change.
mod oid {
    pub const BOOL: u32 = 16;
    pub const INT8: u32 = 20;
    pub const INT4: u32 = 23;
    pub const TEXT: u32 = 25;
    pub const FLOAT8: u32 = 701;
    pub const DATE: u32 = 1082;
    pub const TIMESTAMPTZ: u32 = 1184;
}

impl QueryableByName<Pg> for RawRow {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> diesel::deserialize::Result<Self> {
        let mut cells = Vec::with_capacity(row.field_count());
        for i in 0..row.field_count() {
            let field = Row::get(row, i).ok_or("a row with fewer fields than it says")?;
            let Some(value) = field.value() else {
                cells.push(Cell::Empty);
                continue;
            };
            let bytes = value.as_bytes();
            cells.push(match value.get_oid().get() {
                oid::BOOL => Cell::Boolean(bytes != [0]),
                oid::INT8 => Cell::Integer(i64::from_be_bytes(bytes.try_into()?)),
                oid::INT4 => Cell::Integer(i32::from_be_bytes(bytes.try_into()?).into()),
                oid::TEXT => Cell::Text(std::str::from_utf8(bytes)?.to_owned()),
                oid::FLOAT8 => Cell::Number(f64::from_be_bytes(bytes.try_into()?)),
                oid::DATE => Cell::Date(postgres::date_from(i32::from_be_bytes(bytes.try_into()?))),
                oid::TIMESTAMPTZ => Cell::Timestamp(postgres::timestamp_from(i64::from_be_bytes(bytes.try_into()?))),
                other => return Err(format!("a column of the unforeseen type {other}").into()),
            });
        }
        Ok(Self(cells))
    }
}
