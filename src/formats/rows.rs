//! What every format is read as: rows, one at a time, with the place where each stands. A cell is text as the source
//! wrote it, or a value that has a type already.

use std::io::{Read, Seek};

use super::csv::CsvReader;
use super::dialect::CsvOptions;
use super::failure::{FormatError, Limits};
use super::ndjson::{self, NdjsonReader};
use super::options::{Compression, Format, ReadOptions};
use super::record::Record;
use super::source::Bytes;

/// Whatever yields rows. It streams: a row is forgotten when the next one is asked for.
pub trait Rows: Send {
    /// The names of the columns in the order of the source: one line each, distinct, never empty. A CSV
    /// without a header has "Column 1", "Column 2" and so on. None at all where the source is empty.
    fn columns(&self) -> &[String];

    /// The places of the columns that a rejected-rows download added, which an import ignores.
    fn ignored(&self) -> &[usize];

    /// Reads the next row into `record`; false at the end. A row that is damaged is given too, and says so. Where it
    /// stands is [`Record::line`]. After an error the source is of no more use.
    fn next(&mut self, record: &mut Record) -> Result<bool, FormatError>;

    /// Decompressed bytes taken from the source so far, for the progress of a run.
    fn bytes_read(&self) -> u64;

    /// Lines that held nothing so far, which are no rows.
    fn blank(&self) -> u64 {
        0
    }

    /// Whether its text was UTF-8 from the start: a file made of its rows then needs no mark.
    fn is_utf8(&self) -> bool {
        true
    }
}

/// A cell as it came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// As the source wrote it: read by the source's value options.
    Text(&'a [u8]),
    /// Null, or not there.
    Null,
    /// A number as JSON writes it, whatever the source's decimal point.
    Literal(&'a [u8]),
    /// With its text.
    Integer(i64, &'a [u8]),
    Number(f64, &'a [u8]),
    Boolean(bool),
    /// An object or a list, as JSON.
    Nested(&'a [u8]),
    /// So many bytes that are no text.
    Binary(usize),
}

/// Opens a file at its beginning. `name` is the file's, whose ending tells the compression unless the options do. A
/// file that is given by hand and named like CSV is read as CSV with the usual punctuation whatever its configuration's
/// format is, unless it begins like JSON: rejected rows, which download as CSV, can so be mended and given again.
pub fn open<'a>(
    mut file: impl Read + Seek + Send + 'a,
    options: &ReadOptions,
    name: &str,
    by_hand: bool,
) -> Result<Box<dyn Rows + 'a>, FormatError> {
    let (limits, compression) = (Limits::default(), options.compression_of(name));
    let usual = CsvOptions::default();
    let csv = match (&options.format, Format::by_name(name)) {
        (Format::Csv(csv), _) => Some(csv),
        (Format::Rows, _) => Some(&usual),
        (Format::Ndjson, Some(Format::Csv(_))) if by_hand && !begins_with_object(&mut file, compression)? => {
            Some(&usual)
        }
        (Format::Ndjson, _) => None,
    };
    rewind(&mut file)?;
    if let Some(csv) = csv {
        return Ok(Box::new(CsvReader::open(file, csv, compression, limits)?));
    }
    let columns = ndjson::keys(Bytes::new(&mut file, compression, limits.decoded_bytes), limits, usize::MAX)?;
    rewind(&mut file)?;
    let bytes = Bytes::new(file, compression, limits.decoded_bytes);
    Ok(Box::new(NdjsonReader::over(bytes, columns, limits)))
}

fn rewind(file: &mut impl Seek) -> Result<(), FormatError> {
    file.rewind().map_err(FormatError::Read)
}

/// Whether the first thing in a file is a brace. What cannot be read is told by whoever reads it.
fn begins_with_object(file: &mut (impl Read + Seek), compression: Compression) -> Result<bool, FormatError> {
    rewind(file)?;
    let mut head = Vec::new();
    let _ = Bytes::new(file, compression, u64::MAX).take(1_024).read_to_end(&mut head);
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    Ok(head.trim_ascii_start().starts_with(b"{"))
}
