//! The source a second time, for rows that were found to be wrong only after all had been read. A file is read again.
//! Rows that come once are written down while they come, where a second look may be needed (the Block has a key or names
//! items): as CSV, in a file without a name. To ask a query again could answer other rows, or the same in another order.

use std::io::{BufWriter, Seek};
use std::sync::atomic::{AtomicBool, AtomicU64};

use super::context::{Source, SourceFile, Watched};
use super::outcome::{FailureKind, LoadError};
use super::rejects::from_format;
use crate::applications::blocks::Feed;
use crate::formats::{Compression, CsvOptions, CsvReader, FormatError, Limits, ReadOptions, Record, Rows, open};
use crate::spool::Spooled;

/// Where the rows can be had again.
pub(super) enum Again<'a> {
    File {
        source: &'a SourceFile,
        read: &'a ReadOptions,
        cancelled: &'a AtomicBool,
        place: &'a AtomicU64,
    },
    Kept(Spooled),
    /// A Block's, whose rejected rows are written down from the staging table.
    Block(&'a Feed),
    /// They came once, and nobody may ask for them.
    No,
}

/// Opens a source, and says how to have it again. `twice`: somebody may ask.
pub(super) fn first<'a>(
    source: Source<'a>,
    read: &'a ReadOptions,
    twice: bool,
    (cancelled, place): (&'a AtomicBool, &'a AtomicU64),
) -> Result<(Box<dyn Rows + 'a>, Again<'a>), LoadError> {
    match source {
        Source::File(source) => {
            let rows = file(source, read, (cancelled, place))?;
            Ok((rows, Again::File { source, read, cancelled, place }))
        }
        Source::Rows { rows, .. } if !twice => Ok((rows, Again::No)),
        Source::Rows { rows, spool, .. } => {
            let kept = spool.file().and_then(|file| Ok((file.share()?, file)));
            let (file, copy) = kept.map_err(|error| from_format(FormatError::Read(error)))?;
            // A row of empty cells is a row too, and would be none without its quotes.
            let mut writer = csv::WriterBuilder::new()
                .flexible(true)
                .quote_style(csv::QuoteStyle::Always)
                .from_writer(BufWriter::new(copy));
            // A line of our own comes first: what the rows begin with could else be taken for a mark or another format.
            let head = (1..=rows.columns().len().max(1)).map(|n| format!("c{n}"));
            let begun = writer.write_record(head).map_err(std::io::Error::other);
            begun.map_err(|error| from_format(FormatError::Read(error)))?;
            Ok((Box::new(Keeping { rows, writer }), Again::Kept(file)))
        }
    }
}

fn file<'a>(
    source: &'a SourceFile,
    read: &ReadOptions,
    (cancelled, place): (&'a AtomicBool, &'a AtomicU64),
) -> Result<Box<dyn Rows + 'a>, LoadError> {
    let watched = Watched { file: &source.file, cancelled, place };
    open(watched, read, &source.name, source.by_hand).map_err(from_format)
}

impl Again<'_> {
    /// All rows from the first on.
    pub fn rows(&self) -> Result<Box<dyn Rows + '_>, LoadError> {
        match self {
            Self::File { source, read, cancelled, place } => file(source, read, (cancelled, place)),
            Self::Kept(file) => {
                let mut from = file.file();
                from.rewind().map_err(|error| from_format(FormatError::Read(error)))?;
                let limits = Limits { decoded_bytes: u64::MAX, row_bytes: usize::MAX / 2, ..Limits::default() };
                let reader =
                    CsvReader::open(from, &CsvOptions::default(), Compression::None, limits).map_err(from_format)?;
                Ok(Box::new(Counted(reader)))
            }
            Self::Block(_) | Self::No => {
                Err(LoadError::new(FailureKind::Internal, "The rows of the source cannot be read again."))
            }
        }
    }
}

/// Writes each row down as it passes.
struct Keeping<'a> {
    rows: Box<dyn Rows + 'a>,
    writer: csv::Writer<BufWriter<Spooled>>,
}

impl Rows for Keeping<'_> {
    fn columns(&self) -> &[String] {
        self.rows.columns()
    }

    fn ignored(&self) -> &[usize] {
        self.rows.ignored()
    }

    fn next(&mut self, record: &mut Record) -> Result<bool, FormatError> {
        let more = self.rows.next(record)?;
        let kept = match more {
            true => self.writer.write_byte_record(&record.iter().collect()).map_err(std::io::Error::other),
            false => self.writer.flush(),
        };
        kept.map_err(FormatError::Read)?;
        Ok(more)
    }

    fn bytes_read(&self) -> u64 {
        self.rows.bytes_read()
    }

    fn blank(&self) -> u64 {
        self.rows.blank()
    }
}

/// Rows that were written down: each stands where it stood, counted from 1.
struct Counted<R: std::io::Read>(CsvReader<R>);

impl<R: std::io::Read + Send> Rows for Counted<R> {
    fn columns(&self) -> &[String] {
        self.0.columns()
    }

    fn ignored(&self) -> &[usize] {
        &[]
    }

    fn next(&mut self, record: &mut Record) -> Result<bool, FormatError> {
        let more = self.0.next(record)?;
        record.stands_at(self.0.rows_read());
        Ok(more)
    }

    fn bytes_read(&self) -> u64 {
        self.0.bytes_read()
    }
}
