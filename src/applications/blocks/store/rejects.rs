//! Rows that a run could not load, kept beside the Block data: the row as it came, each cell that was wrong, and the
//! original columns, from which the download is made that people fix and import again.

use diesel::connection::SimpleConnection;

use super::ledger::LoadRefused;
use super::pointer::while_mine;
use super::staging::Staging;
use crate::db::prelude::*;
use crate::db::schema::block_db::{reject_beyond, reject_heads, reject_lines, rejects};
use crate::db::{self, Conn, on};
use crate::error::{AppError, Result};

pub use super::causes::{causes, examples};
pub use super::rejects_csv::write_csv;

/// The most characters of a cell that are kept beside its reason; of the row itself more is.
pub const VALUE_CHARS: usize = 200;

/// The most bytes of a field of the row: no longer one could be loaded.
const FIELD_BYTES: usize = 64 * 1024;

/// So many rejected rows of a run are kept; of the others the bad cells are counted by cause.
pub const KEPT: i64 = 100_000;

/// One thing that is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedCell {
    pub line: i64,
    /// The column's name in the source; empty where the row as a whole is wrong.
    pub column: String,
    /// What stood there, cut to [`VALUE_CHARS`].
    pub value: String,
    /// A stable name to group by.
    pub code: String,
    pub reason: String,
    /// What to do about it.
    pub advice: String,
}

/// A rejected row as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedLine {
    pub line: i64,
    pub fields: Vec<String>,
}

/// A rejected row with all that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRow {
    pub line: i64,
    pub fields: Vec<String>,
    pub cells: Vec<RejectedCell>,
}

/// The bad cells of one cause in one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub code: String,
    pub column: String,
    /// How many cells.
    pub cells: i64,
    /// The reason and advice of one of them.
    pub reason: String,
    pub advice: String,
    /// The first line that has it.
    pub first_line: i64,
}

/// How a source was written, as far as its rejected rows are to be written so again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Notation {
    pub delimiter: String,
    /// Empty where quotes are text like any other.
    pub quote: String,
    /// Was it UTF-8? If not, the download begins with a byte-order mark, which overrides the configured encoding.
    pub utf8: bool,
}

/// What was rejected since the last time it was written down. Rows come by [`RejectBatch::keep`], which weighs them.
#[derive(Debug, Default)]
pub struct RejectBatch {
    pub lines: Vec<RejectedLine>,
    pub cells: Vec<RejectedCell>,
    bytes: usize,
}

impl RejectBatch {
    /// A batch with so much is to be written down: one row may bring 16 MiB and 2,000 bad cells.
    const MAX_LINES: usize = 2_000;
    const MAX_CELLS: usize = 20_000;
    const MAX_BYTES: usize = 8 << 20;

    pub fn keep(&mut self, line: RejectedLine) {
        self.bytes += line.fields.iter().map(String::len).sum::<usize>();
        self.lines.push(line);
    }

    pub fn is_full(&self) -> bool {
        self.lines.len() >= Self::MAX_LINES || self.cells.len() >= Self::MAX_CELLS || self.bytes >= Self::MAX_BYTES
    }

    /// Takes out all rows but the first so many; answers them.
    pub fn split_off(&mut self, rows: usize) -> Self {
        if self.lines.len() <= rows {
            return Self::default();
        }
        let lines = self.lines.split_off(rows);
        let first = lines.first().map_or(i64::MAX, |line| line.line);
        let cells = self.cells.split_off(self.cells.partition_point(|cell| cell.line < first));
        Self { lines, cells, bytes: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.cells.is_empty()
    }

    pub fn clear(&mut self) {
        self.lines.clear();
        self.cells.clear();
        self.bytes = 0;
    }
}

/// Cuts a cell to what is kept of it; no database takes a NUL.
pub fn cut_value(value: &str) -> String {
    let mut cut: String = value.chars().take(VALUE_CHARS).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect();
    if value.chars().nth(VALUE_CHARS).is_some() {
        cut.push('…');
    }
    cut
}

/// A field of a row as it is kept, cut where it is longer than any that could be loaded, which its end then says.
pub fn cut_field(field: &[u8]) -> String {
    if field.len() <= FIELD_BYTES {
        return String::from_utf8_lossy(field).into_owned();
    }
    // Not within a character.
    let end = (0..=FIELD_BYTES).rev().find(|at| field[*at] & 0xc0 != 0x80).unwrap_or(FIELD_BYTES);
    let kept = String::from_utf8_lossy(&field[..end]);
    format!("{kept}… (cut: the field has {})", crate::words::bytes(field.len() as u64))
}

/// Writes down the original columns of a run's source.
pub fn write_head(
    conn: &mut Conn,
    staging: &Staging,
    columns: &[&str],
    notation: &Notation,
) -> Result<(), LoadRefused> {
    let names = serde_json::to_string(columns).map_err(AppError::internal)?;
    let notation = serde_json::to_string(notation).map_err(AppError::internal)?;
    while_mine(conn, staging, |conn| {
        diesel::insert_into(reject_heads::table)
            .values((
                reject_heads::run_id.eq(staging.run.id),
                reject_heads::column_names.eq(&names),
                reject_heads::notation.eq(&notation),
            ))
            .execute(conn)?;
        Ok(())
    })
}

/// Writes down what was rejected, in one transaction.
pub fn write(conn: &mut Conn, staging: &Staging, batch: &RejectBatch) -> Result<(), LoadRefused> {
    if batch.is_empty() {
        return Ok(());
    }
    let run_id = staging.run.id;
    while_mine(conn, staging, |conn| {
        // SQLite binds at most 32,766 values in one statement, PostgreSQL 65,535; a cell has seven.
        for lines in batch.lines.chunks(4_000) {
            let mut rows = Vec::with_capacity(lines.len());
            for line in lines {
                let fields = serde_json::to_string(&line.fields).map_err(AppError::internal)?;
                rows.push((
                    reject_lines::run_id.eq(run_id),
                    reject_lines::line.eq(line.line),
                    reject_lines::fields.eq(fields),
                ));
            }
            on!(conn, c => diesel::insert_into(reject_lines::table).values(&rows).execute_rows(c))?;
        }
        for cells in batch.cells.chunks(4_000) {
            let rows: Vec<_> = cells
                .iter()
                .map(|cell| {
                    (
                        rejects::run_id.eq(run_id),
                        rejects::line.eq(cell.line),
                        rejects::column_name.eq(&cell.column),
                        rejects::value.eq(&cell.value),
                        rejects::code.eq(&cell.code),
                        rejects::reason.eq(&cell.reason),
                        rejects::advice.eq(&cell.advice),
                    )
                })
                .collect();
            on!(conn, c => diesel::insert_into(rejects::table).values(&rows).execute_rows(c))?;
        }
        Ok(())
    })
}

/// Writes down how many bad cells there are that are not kept.
pub fn write_beyond(conn: &mut Conn, staging: &Staging, causes: &[Cause]) -> Result<(), LoadRefused> {
    let run_id = staging.run.id;
    while_mine(conn, staging, |conn| {
        diesel::delete(reject_beyond::table.filter(reject_beyond::run_id.eq(run_id))).execute(conn)?;
        for cause in causes {
            diesel::insert_into(reject_beyond::table)
                .values((
                    reject_beyond::run_id.eq(run_id),
                    reject_beyond::code.eq(&cause.code),
                    reject_beyond::column_name.eq(&cause.column),
                    reject_beyond::cells.eq(cause.cells),
                    reject_beyond::first_line.eq(cause.first_line),
                    reject_beyond::reason.eq(&cause.reason),
                    reject_beyond::advice.eq(&cause.advice),
                ))
                .execute(conn)?;
        }
        Ok(())
    })
}

/// Forgets what a run rejected: its next attempt begins anew, or its history ends. A transaction, or a part of one.
pub fn forget(conn: &mut Conn, run_id: i64) -> Result<()> {
    // In one message: every load begins with this, and next to none has anything to forget.
    let sql: String = ["rejects", "reject_lines", "reject_heads", "reject_beyond"]
        .iter()
        .map(|table| format!("DELETE FROM {table} WHERE run_id = {run_id};"))
        .collect();
    db::write(conn, |conn| Ok(conn.batch_execute(&sql)?))
}

/// Whether anything is kept of what a run rejected.
pub fn any(conn: &mut Conn, run_id: i64) -> Result<bool> {
    use diesel::dsl::{exists, select};
    let cells = rejects::table.filter(rejects::run_id.eq(run_id));
    let lines = reject_lines::table.filter(reject_lines::run_id.eq(run_id));
    let heads = reject_heads::table.filter(reject_heads::run_id.eq(run_id));
    Ok(select(exists(cells).or(exists(lines)).or(exists(heads))).get_result(conn)?)
}

/// Forgets some of what a run rejected, at most so many cells and lines, and the head with the last of them.
pub fn forget_some(conn: &mut Conn, run_id: i64, limit: i64) -> Result<()> {
    let cells: Vec<i64> =
        rejects::table.filter(rejects::run_id.eq(run_id)).limit(limit).select(rejects::id).load(conn)?;
    diesel::delete(rejects::table.filter(rejects::id.eq_any(&cells))).execute(conn)?;
    let of_run = || reject_lines::table.filter(reject_lines::run_id.eq(run_id));
    let lines: Vec<i64> = of_run().limit(limit).select(reject_lines::line).load(conn)?;
    diesel::delete(of_run().filter(reject_lines::line.eq_any(&lines))).execute(conn)?;
    if (cells.len() as i64) < limit && (lines.len() as i64) < limit {
        forget_head(conn, run_id)?;
    }
    Ok(())
}

fn forget_head(conn: &mut Conn, run_id: i64) -> Result<()> {
    diesel::delete(reject_heads::table.filter(reject_heads::run_id.eq(run_id))).execute(conn)?;
    diesel::delete(reject_beyond::table.filter(reject_beyond::run_id.eq(run_id))).execute(conn)?;
    Ok(())
}

/// Lines of rejected cells whose row is not written down yet, after a line: what the second pass has to fetch.
pub fn lines_to_fetch(conn: &mut Conn, run_id: i64, after: i64, limit: i64) -> Result<Vec<i64>> {
    let fetched = reject_lines::table
        .filter(reject_lines::run_id.eq(run_id))
        .filter(reject_lines::line.eq(rejects::line))
        .select(reject_lines::line);
    Ok(rejects::table
        .filter(rejects::run_id.eq(run_id))
        .filter(rejects::line.gt(after))
        .filter(diesel::dsl::not(diesel::dsl::exists(fetched)))
        .select(rejects::line)
        .distinct()
        .order(rejects::line.asc())
        .limit(limit)
        .load(conn)?)
}

/// How many rejected rows of a run are kept.
pub fn count(conn: &mut Conn, run_id: i64) -> Result<i64> {
    Ok(reject_lines::table.filter(reject_lines::run_id.eq(run_id)).count().get_result(conn)?)
}

/// How many cells of all rejected rows were wrong.
pub fn count_cells(conn: &mut Conn, run_id: i64) -> Result<i64> {
    let kept: i64 = rejects::table.filter(rejects::run_id.eq(run_id)).count().get_result(conn)?;
    let beyond = reject_beyond::table.filter(reject_beyond::run_id.eq(run_id)).select(reject_beyond::cells);
    Ok(kept + beyond.load::<i64>(conn)?.into_iter().sum::<i64>())
}

/// The original columns of a run's source; none when it rejected nothing.
pub fn columns(conn: &mut Conn, run_id: i64) -> Result<Vec<String>> {
    Ok(head(conn, run_id)?.map(|(columns, _)| columns).unwrap_or_default())
}

pub(super) fn head(conn: &mut Conn, run_id: i64) -> Result<Option<(Vec<String>, Notation)>> {
    let row: Option<(String, String)> = reject_heads::table
        .filter(reject_heads::run_id.eq(run_id))
        .select((reject_heads::column_names, reject_heads::notation))
        .first(conn)
        .optional()?;
    row.map(|(names, notation)| {
        let names = serde_json::from_str(&names).map_err(AppError::internal)?;
        Ok((names, serde_json::from_str(&notation).map_err(AppError::internal)?))
    })
    .transpose()
}

/// The next rejected rows after a line, with all that is wrong with each.
pub fn page(conn: &mut Conn, run_id: i64, after_line: i64, limit: i64) -> Result<Vec<RejectedRow>> {
    let lines: Vec<(i64, String)> = reject_lines::table
        .filter(reject_lines::run_id.eq(run_id))
        .filter(reject_lines::line.gt(after_line))
        .order(reject_lines::line.asc())
        .limit(limit)
        .select((reject_lines::line, reject_lines::fields))
        .load(conn)?;
    let Some(&(last, _)) = lines.last() else { return Ok(Vec::new()) };
    let cells: Vec<(i64, String, String, String, String, String)> = rejects::table
        .filter(rejects::run_id.eq(run_id))
        .filter(rejects::line.gt(after_line))
        .filter(rejects::line.le(last))
        .order((rejects::line.asc(), rejects::id.asc()))
        .select((rejects::line, rejects::column_name, rejects::value, rejects::code, rejects::reason, rejects::advice))
        .load(conn)?;
    let mut cells = cells.into_iter().peekable();
    let mut rows = Vec::with_capacity(lines.len());
    for (line, fields) in lines {
        let fields = serde_json::from_str(&fields).map_err(AppError::internal)?;
        let mut row = RejectedRow { line, fields, cells: Vec::new() };
        while let Some((line, column, value, code, reason, advice)) = cells.next_if(|cell| cell.0 <= line) {
            row.cells.push(RejectedCell { line, column, value, code, reason, advice });
        }
        rows.push(row);
    }
    Ok(rows)
}
