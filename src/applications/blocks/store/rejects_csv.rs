//! Rejected rows as a file that people mend and import again.

use std::io::Write;

use super::rejects::{RejectedRow, head, page};
use crate::db::Pool;
use crate::error::{AppError, Result};

/// Rows in memory: one may be of 16 MiB.
const AT_ONCE: i64 = 50;

/// Writes the rejected rows as CSV: the original columns, then `tidegate_line` and `tidegate_reason`, which an import
/// ignores. A short row is filled up with empty cells; what a long one has too much comes last. Bounded memory.
pub fn write_csv(blocks: &Pool, run_id: i64, out: &mut dyn Write) -> Result<()> {
    let Some((columns, notation)) = blocks.read(|conn| head(conn, run_id))? else {
        return Ok(());
    };
    let mut builder = csv::WriterBuilder::new();
    builder.flexible(true).delimiter(*notation.delimiter.as_bytes().first().unwrap_or(&b','));
    match notation.quote.as_bytes().first() {
        Some(quote) => builder.quote(*quote),
        None => builder.quote_style(csv::QuoteStyle::Never),
    };
    if !notation.utf8 {
        out.write_all(b"\xef\xbb\xbf").map_err(AppError::internal)?;
    }
    let mut csv = builder.from_writer(out);
    csv.write_record(columns.iter().map(String::as_str).chain(["tidegate_line", "tidegate_reason"]))
        .map_err(AppError::internal)?;
    let mut after = i64::MIN;
    loop {
        let rows = blocks.read(|conn| page(conn, run_id, after, AT_ONCE))?;
        let Some(last) = rows.last() else { break };
        after = last.line;
        for row in &rows {
            let width = columns.len();
            for i in 0..width {
                csv.write_field(row.fields.get(i).map_or("", String::as_str)).map_err(AppError::internal)?;
            }
            csv.write_field(row.line.to_string()).map_err(AppError::internal)?;
            csv.write_field(reasons(row)).map_err(AppError::internal)?;
            for extra in row.fields.iter().skip(width) {
                csv.write_field(extra).map_err(AppError::internal)?;
            }
            csv.write_record(None::<&[u8]>).map_err(AppError::internal)?;
        }
    }
    csv.flush().map_err(AppError::internal)
}

/// All that is wrong with a row in one line.
fn reasons(row: &RejectedRow) -> String {
    let said: Vec<String> = row
        .cells
        .iter()
        .map(
            |cell| {
                if cell.column.is_empty() { cell.reason.clone() } else { format!("{}: {}", cell.column, cell.reason) }
            },
        )
        .collect();
    said.join(" ")
}
