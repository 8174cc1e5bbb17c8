//! Rows out of a CSV source, one at a time, in a buffer that is used again.

mod width;

use std::io::Read;

use memchr::{memchr, memchr2};

use super::above::{MARK, refuse_what_is_no_csv, said_delimiter};
use super::cells::{self, Cut, Findings, Marks};
use super::dialect::{CsvOptions, Dialect};
use super::failure::{Damage, DamageKind, FormatError, Limits};
use super::names::{distinct_names, is_ours};
use super::options::Compression;
use super::passing::{Passed, Passing};
use super::record::Record;
use super::rows::Rows;
use super::source::{Bytes, ROOM, Text};

/// Fits the caches near the core; it grows only for a row that is longer.
const BUFFER: usize = 256 * 1024;

/// Reads a CSV source to its end, or to the error that ends it.
pub struct CsvReader<R: Read> {
    text: Text<R>,
    marks: Marks,
    limits: Limits,
    buffer: Vec<u8>,
    /// The bytes not yet handed out are `buffer[start..end]`.
    start: usize,
    end: usize,
    ended: bool,
    /// Everything in the buffer before this is UTF-8 without NUL.
    sound: usize,
    /// Where `start` stands in the text, and the line on which it stands.
    offset: u64,
    line: u64,
    rows: u64,
    /// Lines that held nothing, or nothing but delimiters.
    blank: u64,
    comment: Option<u8>,
    findings: Findings,
    columns: Vec<String>,
    ignored: Vec<usize>,
    /// The first row of a file without a header, read to count its columns.
    first: Option<Record>,
}

impl<R: Read> CsvReader<R> {
    /// Begins to read: the header is read at once.
    pub fn open(
        reader: R,
        options: &CsvOptions,
        compression: Compression,
        limits: Limits,
    ) -> Result<Self, FormatError> {
        let dialect = options.dialect().map_err(FormatError::Options)?;
        Self::over(Bytes::new(reader, compression, limits.decoded_bytes), &dialect, limits)
    }

    fn over(bytes: Bytes<R>, dialect: &Dialect, limits: Limits) -> Result<Self, FormatError> {
        let text = Text::new(bytes, dialect.encoding)?;
        let mut reader = Self {
            text,
            marks: Marks {
                delimiter: dialect.delimiter,
                quote: dialect.quote,
                escape: dialect.escape,
                max_columns: limits.columns,
            },
            limits,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            ended: false,
            sound: 0,
            offset: 0,
            line: 1,
            rows: 0,
            blank: 0,
            comment: dialect.comment,
            findings: Findings::default(),
            columns: Vec::new(),
            ignored: Vec::new(),
            first: None,
        };
        reader.begin(dialect.skip_lines)?;
        reader.read_header(dialect.header)?;
        Ok(reader)
    }

    /// Rows given so far, damaged ones included.
    pub fn rows_read(&self) -> u64 {
        self.rows
    }

    /// Passes over what stands above the rows: marks that programs leave, the dialect's line, lines of a title.
    fn begin(&mut self, skip_lines: u32) -> Result<(), FormatError> {
        self.fill()?;
        while self.buffer[self.start..self.end].starts_with(MARK) {
            self.advance(MARK.len());
        }
        refuse_what_is_no_csv(&self.buffer[self.start..self.end])?;
        let sep = said_delimiter(&self.buffer[self.start..self.end]);
        if let Some(delimiter) = sep {
            self.marks.delimiter = delimiter;
        }
        for _ in 0..skip_lines.max(u32::from(sep.is_some())) {
            self.pass_line()?;
        }
        Ok(())
    }

    fn read_header(&mut self, header: bool) -> Result<(), FormatError> {
        let mut record = Record::new();
        if !self.read_row(&mut record)? {
            return Ok(());
        }
        if !header {
            self.columns = (1..=record.len()).map(|n| format!("Column {n}")).collect();
            let is_bare = record.len() > 1 && record.bytes.len() + 1 == record.len();
            self.blank += u64::from(is_bare);
            self.first = Some(record).filter(|_| !is_bare);
            return Ok(());
        }
        if let Some(damage) = record.damage.first() {
            let line = record.line;
            if damage.kind == DamageKind::NotInEncoding {
                let encoding = self.text.encoding().name().to_lowercase();
                return Err(FormatError::HeaderNotInEncoding { line, encoding });
            }
            let (reason, advice) = (damage.reason(), damage.advice());
            return Err(FormatError::NotCsv(format!(
                "The column names on line {line} cannot be read. {reason} {advice}"
            )));
        }
        let raw: Vec<_> = (0..record.len()).map(|i| record.text(i)).collect();
        self.columns = distinct_names(raw.iter().map(|name| name.as_ref()));
        self.ignored = (0..self.columns.len()).filter(|&i| is_ours(&self.columns[i])).collect();
        Ok(())
    }

    /// The next row that is not blank, with what is wrong in its bytes.
    fn read_row(&mut self, record: &mut Record) -> Result<bool, FormatError> {
        record.clear();
        if !self.skip_blank_lines()? {
            return Ok(false);
        }
        loop {
            record.line = self.line;
            record.offset = self.offset;
            let bytes = &self.buffer[self.start..self.end];
            match cells::cut(bytes, self.ended, self.marks, &mut record.spans, &mut self.findings) {
                // Nothing but delimiters.
                Cut::Row { end, next, breaks: 0 } if end + 1 == record.spans.len() && !self.columns.is_empty() => {
                    self.pass_blank(next);
                    record.clear();
                    if !self.skip_blank_lines()? {
                        return Ok(false);
                    }
                }
                Cut::Row { end, next, breaks } => {
                    record.bytes.extend_from_slice(&bytes[..end]);
                    self.examine(record);
                    self.advance(next);
                    self.line += breaks + 1;
                    record.breaks = breaks;
                    return Ok(true);
                }
                Cut::Unclosed { breaks } => return Err(FormatError::CutAt { line: self.line + breaks }),
                Cut::TooMany => {
                    return Err(FormatError::TooManyColumns { line: self.line, limit: self.limits.columns });
                }
                Cut::More if bytes.len() + ROOM > self.limits.row_bytes => {
                    self.skip_row(record)?;
                    return Ok(true);
                }
                Cut::More => self.fill()?,
            }
        }
    }

    /// To the first byte of the next row; false at the end of the text.
    fn skip_blank_lines(&mut self) -> Result<bool, FormatError> {
        loop {
            match &self.buffer[self.start..self.end] {
                // Some programs of old end a file with Ctrl-Z.
                [] | [0x1a] if self.ended => return Ok(false),
                [] | [b'\r' | 0x1a] if !self.ended => self.fill()?,
                [b'\r', b'\n', ..] => self.pass_blank(2),
                [b'\r' | b'\n', ..] => self.pass_blank(1),
                [first, ..] if self.comment == Some(*first) => self.pass_line()?,
                _ => return Ok(true),
            }
        }
    }

    /// Passes over what is left of a line, whatever it holds.
    fn pass_line(&mut self) -> Result<(), FormatError> {
        loop {
            let bytes = &self.buffer[self.start..self.end];
            let (passed, done) = match memchr2(b'\n', b'\r', bytes) {
                Some(at) if bytes[at] == b'\n' => (at + 1, true),
                Some(at) if at + 1 < bytes.len() || self.ended => {
                    (at + 1 + usize::from(bytes.get(at + 1) == Some(&b'\n')), true)
                }
                Some(at) => (at, false),
                None => (bytes.len(), self.ended),
            };
            self.advance(passed);
            while self.text.next_bad_before(self.offset).is_some() {}
            if done {
                self.line += 1;
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn pass_blank(&mut self, bytes: usize) {
        self.advance(bytes);
        self.line += 1;
        self.blank += 1;
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Brings in as much as the buffer holds, which is doubled for a row that fills it.
    fn fill(&mut self) -> Result<(), FormatError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end + ROOM > self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        while !self.ended && self.buffer.len() - self.end >= ROOM {
            match self.text.read(&mut self.buffer[self.end..])? {
                0 => self.ended = true,
                count => self.end += count,
            }
        }
        let bytes = &self.buffer[..self.end];
        let bytes = &bytes[..memchr(0, bytes).unwrap_or(bytes.len())];
        self.sound = if self.text.is_decoded() { bytes.len() } else { sound_length(bytes) };
        Ok(())
    }

    /// Looks for damage in the bytes of a row that has just been cut, and takes the quotes out.
    fn examine(&mut self, record: &mut Record) {
        let damage = &mut record.damage;
        for &cell in &self.findings.stray {
            damage.push(Damage { column: Some(cell), kind: DamageKind::StrayQuote });
        }
        if self.start + record.bytes.len() > self.sound {
            for (cell, span) in record.spans.iter().enumerate() {
                let bytes = &record.bytes[span.range()];
                if memchr(0, bytes).is_some() {
                    damage.push(Damage { column: Some(cell), kind: DamageKind::Nul });
                }
                if std::str::from_utf8(bytes).is_err() {
                    damage.push(Damage { column: Some(cell), kind: DamageKind::NotInEncoding });
                }
            }
        }
        while let Some(bad) = self.text.next_bad_before(self.offset + record.bytes.len() as u64) {
            // One that was passed over with a row too long to keep is older than this row.
            let Some(place) = bad.checked_sub(self.offset) else { continue };
            let cell = record.spans.partition_point(|span| u64::from(span.end) <= place);
            let found = Damage { column: Some(cell), kind: DamageKind::NotInEncoding };
            if damage.last() != Some(&found) {
                damage.push(found);
            }
        }
        if let Some(quote) = self.marks.quote {
            for &cell in self.findings.doubled.iter().chain(&self.findings.stray) {
                record.spans[cell] = cells::unquote(&mut record.bytes, record.spans[cell], quote, self.marks.escape);
            }
        }
        if self.findings.longest > self.limits.cell_bytes {
            let limit = self.limits.cell_bytes;
            for (cell, span) in record.spans.iter().enumerate() {
                if span.len() > limit {
                    damage.push(Damage { column: Some(cell), kind: DamageKind::TextTooLong { limit } });
                }
            }
        }
    }

    /// Passes over a row that is longer than may be kept, in constant memory, to the row after it or to the end
    /// that a quote left open makes of the file. The record has its damage and no cells.
    fn skip_row(&mut self, record: &mut Record) -> Result<(), FormatError> {
        let (first_line, column) = (self.line, record.spans.len());
        let begun = record.spans.last().map_or(0, |span| span.end as usize);
        let limit = self.limits.cell_bytes;
        let kind = if self.limits.row_bytes - begun > limit {
            DamageKind::TextTooLong { limit }
        } else {
            DamageKind::RowTooLong { limit: self.limits.row_bytes }
        };
        record.clear();
        if let DamageKind::TextTooLong { .. } = kind {
            record.damage.push(Damage { column: Some(column), kind });
        }
        let row = DamageKind::RowTooLong { limit: self.limits.row_bytes };
        record.damage.push(Damage { column: None, kind: row });

        let mut passing = Passing::new(self.marks);
        let passed = loop {
            let passed = passing.over(&self.buffer[self.start..self.end]);
            match passed {
                Passed::More => {
                    self.advance(self.end - self.start);
                    // What could not be decoded in such a row is nobody's: an endless one would fill the memory.
                    while self.text.next_bad_before(self.offset).is_some() {}
                    if self.ended {
                        break passed;
                    }
                    self.fill()?;
                }
                Passed::Ended { next } => {
                    self.advance(next);
                    break passed;
                }
                Passed::TooMany => {
                    return Err(FormatError::TooManyColumns { line: first_line, limit: self.limits.columns });
                }
            }
        };
        self.line += passing.lines();
        record.breaks = passing.lines() - u64::from(matches!(passed, Passed::Ended { .. }));
        match (passed, passing.open_since()) {
            (Passed::More, Some(lines)) => Err(FormatError::CutAt { line: first_line + lines }),
            _ => Ok(()),
        }
    }
}

impl<R: Read + Send> Rows for CsvReader<R> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn ignored(&self) -> &[usize] {
        &self.ignored
    }

    fn bytes_read(&self) -> u64 {
        self.text.given()
    }

    fn blank(&self) -> u64 {
        self.blank
    }

    fn is_utf8(&self) -> bool {
        self.text.encoding() == encoding_rs::UTF_8
    }

    fn next(&mut self, record: &mut Record) -> Result<bool, FormatError> {
        if let Some(first) = self.first.take() {
            *record = first;
        } else if !self.read_row(record)? {
            return Ok(false);
        }
        self.rows += 1;
        if self.rows > self.limits.rows {
            return Err(FormatError::TooLarge(format!("{} rows", self.limits.rows)));
        }
        width::check(record, self.columns.len(), self.ignored.len(), self.marks.quote);
        Ok(true)
    }
}

/// How many of the first bytes are UTF-8.
fn sound_length(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    }
}

#[cfg(test)]
mod tests;
