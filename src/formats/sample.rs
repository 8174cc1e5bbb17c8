//! A look at the beginning of a file: how to read it, what its columns hold, and whatever was decided on the way,
//! in words, because nothing may be decided in silence.

use std::io::{Cursor, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::column_type::ColumnType;
use super::csv::CsvReader;
use super::describe::type_columns;
use super::dialect::CsvOptions;
use super::failure::{DamageKind, FormatError, Limits};
use super::guess;
use super::names::distinct_names;
use super::ndjson::{self, NdjsonReader};
use super::options::{Compression, Format, ReadOptions};
use super::record::Record;
use super::rows::{Cell, Rows};
use super::source::Bytes;
use super::typing::{Sampled, settle_notation};
use super::values::ValueOptions;

/// Rows looked at, rows shown, and the bytes of cells that are kept for it at most.
const LOOKED_AT: usize = 1_000;
const SHOWN: usize = 50;
/// Characters of a cell that are shown.
const SHOWN_CHARS: usize = 200;
const KEPT: usize = 8 * 1024 * 1024;
/// Bytes that are read for it at most: a little that is compressed may become as much as anybody likes, and so may a row.
const READ: u64 = 64 * 1024 * 1024;
/// Bytes that tell encoding and delimiter.
const HEAD: usize = 256 * 1024;

/// What a source seems to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proposal {
    pub options: ReadOptions,
    /// In the order of the file.
    pub columns: Vec<ProposedColumn>,
    /// The first 50 rows as text, damaged ones included, so a row may be shorter or longer than `columns`. What is long is
    /// cut.
    pub rows: Vec<Vec<String>>,
    /// The same as they were read.
    #[serde(skip)]
    pub records: Vec<Record>,
    /// What was taken for what, and what to check: a sentence or two each.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProposedColumn {
    pub name: String,
    pub column_type: ColumnType,
    /// Some cell of the sample is empty.
    pub nullable: bool,
    /// The first column that differs in every row of the sample, none empty: it may be the unique key.
    pub key: bool,
    /// Added by a rejected-rows download: an import ignores it.
    pub ignored: bool,
    /// Up to three different cells that are not empty.
    pub examples: Vec<String>,
}

/// Looks at the first rows of a file. With `given` options it is read as they say and only the types are proposed;
/// without, the options are guessed too. `whole`: the reader gives all of the file, else only its beginning, whose last
/// row may be cut.
pub fn propose<R: Read + Send>(
    reader: R,
    name: &str,
    given: Option<&ReadOptions>,
    whole: bool,
) -> Result<Proposal, FormatError> {
    let mut notes = Vec::new();
    let mut options = given.cloned().unwrap_or_default();

    let mut first = Vec::new();
    let mut reader = reader;
    // What fails here fails again in the reader that is made of it, with the right words.
    let failed = (&mut reader).take(2).read_to_end(&mut first).err();
    if let Some(error) = failed {
        return Err(FormatError::from_io(error, FormatError::Read));
    }
    if given.is_none() && first == [0x1f, 0x8b] && Compression::by_name(name) == Compression::None {
        options.compression = Some(Compression::Gzip);
        notes.push("The file is compressed with gzip, though its name does not say so.".to_owned());
    }
    let limits = Limits::default();
    let mut bytes =
        Bytes::new(Cursor::new(first).chain(reader), options.compression_of(name), limits.decoded_bytes).whole(whole);
    let mut head = Vec::new();
    (&mut bytes).take(HEAD as u64).read_to_end(&mut head).map_err(|e| FormatError::from_io(e, FormatError::Read))?;
    if given.is_none() {
        guess_format(&head, name, &mut options, &mut notes);
    }
    let cut = AtomicBool::new(!whole);
    let source = Beginning { reader: Cursor::new(head).chain(bytes), left: READ, cut: &cut };
    let looked = match &options.format {
        Format::Csv(csv) => {
            let csv = csv.clone();
            csv_sample(source, &csv, &mut options, given.is_none(), &cut, &mut notes)?
        }
        _ => json_sample(source, limits, whole)?,
    };
    Ok(proposal(looked, options, given.is_some(), notes))
}

/// The same of rows that are no file's: what a query answers. It reads no further than it looks.
pub fn propose_rows(rows: &mut dyn Rows, given: Option<&ReadOptions>) -> Result<Proposal, FormatError> {
    let options = given.cloned().unwrap_or_else(|| ReadOptions::of(Format::Rows));
    let sample = Sample::read(rows, &AtomicBool::new(false))?;
    Ok(proposal((rows.columns().to_vec(), sample), options, given.is_some(), Vec::new()))
}

type Looked = (Vec<String>, Sample);

/// The first bytes of a source. `cut` is set once there may be more of them than it gives.
struct Beginning<'a, R> {
    reader: R,
    left: u64,
    cut: &'a AtomicBool,
}

impl<R: Read> Read for Beginning<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            self.cut.store(true, Ordering::Relaxed);
            return Ok(0);
        }
        let most = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.reader.read(&mut out[..most])?;
        self.left -= count as u64;
        Ok(count)
    }
}

/// Read without a header, the names come as the first row, and may turn out to be data.
fn csv_sample(
    source: impl Read + Send,
    csv: &CsvOptions,
    options: &mut ReadOptions,
    guessing: bool,
    cut: &AtomicBool,
    notes: &mut Vec<String>,
) -> Result<Looked, FormatError> {
    let plain = CsvOptions { header: csv.header && !guessing, ..csv.clone() };
    let mut reader = CsvReader::open(source, &plain, Compression::None, Limits::default())?;
    let mut sample = Sample::read(&mut reader, cut)?;
    let mut names = reader.columns().to_vec();
    if guessing {
        let header = !sample.begins_with_data(&options.values);
        options.format = Format::Csv(CsvOptions { header, ..csv.clone() });
        if !header {
            notes.push(
                "The first line looks like data, so the columns were named Column 1, Column 2 and so on.".to_owned(),
            );
        } else if let Some(first) = sample.take_first() {
            if let Some(damage) = first.damage().first() {
                let (line, why) = (first.line(), damage.reason());
                return Err(FormatError::NotCsv(format!("The column names on line {line} cannot be read. {why}")));
            }
            let row: Vec<_> = (0..first.len()).map(|i| first.text(i)).collect();
            names = distinct_names(row.iter().map(|name| name.as_ref()));
            if row.iter().zip(&names).any(|(raw, name)| raw.trim() != name) {
                notes.push("Some columns had no name of their own, and were given one.".to_owned());
            }
        }
    }
    Ok((names, sample))
}

/// The columns are the keys of the rows that are looked at.
fn json_sample(source: impl Read + Send, limits: Limits, whole: bool) -> Result<Looked, FormatError> {
    let mut beginning = Vec::new();
    source.take(KEPT as u64).read_to_end(&mut beginning).map_err(|e| FormatError::from_io(e, FormatError::Read))?;
    let whole = whole && beginning.len() < KEPT;
    let bytes = |compression| Bytes::new(beginning.as_slice(), compression, limits.decoded_bytes);
    let columns = ndjson::keys(bytes(Compression::None), limits, LOOKED_AT + 1)?;
    let mut reader = NdjsonReader::over(bytes(Compression::None), columns, limits);
    let sample = Sample::read(&mut reader, &AtomicBool::new(!whole))?;
    Ok((reader.columns().to_vec(), sample))
}

fn proposal((names, sample): Looked, mut options: ReadOptions, given: bool, mut notes: Vec<String>) -> Proposal {
    sample.describe_damage(&mut notes);
    if names.is_empty() {
        notes.push("The source is empty.".to_owned());
    } else if sample.rows.is_empty() {
        notes.push("The source has column names and no rows.".to_owned());
    }
    let columns = type_columns(&sample, names, &mut options.values, given, &mut notes);
    let texts = |row: &Record| (0..row.len()).map(|i| shown(&row.text(i))).collect();
    let mut records = sample.rows;
    records.truncate(SHOWN);
    let rows = records.iter().map(texts).collect();
    Proposal { options, columns, rows, records, notes }
}

/// A cell as a preview shows it.
pub fn shown(cell: &str) -> String {
    match cell.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.to_owned(),
    }
}

/// What the name says, or the first line when it is a JSON object.
fn guess_format(head: &[u8], name: &str, options: &mut ReadOptions, notes: &mut Vec<String>) {
    let said = Format::by_name(name);
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    if said == Some(Format::Ndjson) || (said.is_none() && ndjson::is_object(line)) {
        options.format = Format::Ndjson;
        notes.push("Each line was read as a JSON object.".to_owned());
        return;
    }
    let mut csv = CsvOptions::default();
    guess_dialect(head, &mut csv, notes);
    options.format = Format::Csv(csv);
}

fn guess_dialect(head: &[u8], options: &mut CsvOptions, notes: &mut Vec<String>) {
    let whole = head.len() < HEAD;
    options.encoding = guess::encoding(head, whole).to_owned();
    if options.encoding != "utf-8" {
        notes.push(format!("The text is not UTF-8; it was read as {}. Check the accents.", options.encoding));
    }
    let encoding = encoding_rs::Encoding::for_label(options.encoding.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    let (text, _, _) = encoding.decode(head);
    let delimiter = guess::delimiter(text.as_bytes(), whole);
    options.delimiter = char::from(delimiter).to_string();
    match delimiter {
        b';' => notes.push("Columns are separated by semicolons.".to_owned()),
        b'\t' => notes.push("Columns are separated by tabs.".to_owned()),
        b'|' => notes.push("Columns are separated by vertical bars.".to_owned()),
        _ => {}
    }
}

/// The first rows, the damaged ones among them.
pub(super) struct Sample {
    rows: Vec<Record>,
}

impl Sample {
    /// Of a beginning, which is `cut`, the last row may be a part of one and is left out, as is one that a quote leaves
    /// open. One that is too long already is so whatever follows.
    fn read(reader: &mut dyn Rows, cut: &AtomicBool) -> Result<Self, FormatError> {
        let whole = || !cut.load(Ordering::Relaxed);
        let (mut rows, mut record, mut kept) = (Vec::new(), Record::new(), 0);
        while rows.len() <= LOOKED_AT && kept < KEPT {
            match reader.next(&mut record) {
                Ok(true) => {}
                Ok(false) => {
                    let too_long = |row: &mut Record| {
                        row.damage().iter().any(|damage| matches!(damage.kind, DamageKind::RowTooLong { .. }))
                    };
                    if !whole() {
                        rows.pop_if(|row| !too_long(row));
                    }
                    break;
                }
                Err(FormatError::CutAt { .. }) if !whole() => break,
                Err(error) => return Err(error),
            }
            kept += record.iter().map(<[u8]>::len).sum::<usize>();
            rows.push(record.clone());
        }
        Ok(Self { rows })
    }

    fn take_first(&mut self) -> Option<Record> {
        if self.rows.is_empty() { None } else { Some(self.rows.remove(0)) }
    }

    pub(super) fn sound(&self) -> impl Iterator<Item = &Record> {
        self.rows.iter().filter(|row| !row.is_damaged())
    }

    pub(super) fn column(&self, column: usize) -> impl Iterator<Item = Cell<'_>> {
        self.sound().map(move |row| row.cell(column))
    }

    /// Is the first row of the same kind as those below it? Names are text above numbers; years above numbers are
    /// names too.
    fn begins_with_data(&self, options: &ValueOptions) -> bool {
        let Some(first) = self.rows.first() else { return false };
        let mut typed = 0;
        for column in 0..first.len() {
            let cell = first.text(column);
            let is_year = cell.len() == 4 && cell.parse::<u16>().is_ok_and(|year| (1900..=2199).contains(&year));
            let below = Sampled::new(self.column(column).skip(1), options);
            let mut tried = options.clone();
            settle_notation(std::slice::from_ref(&below), &mut tried);
            let kind = below.column_type(&tried);
            if kind == ColumnType::Text {
                continue;
            }
            let above = Sampled::new(std::iter::once(first.cell(column)), options);
            let kind = if kind == ColumnType::Integer { ColumnType::Number } else { kind };
            if is_year || !above.is(kind, &tried) {
                return false;
            }
            typed += 1;
        }
        typed > 0
    }

    fn describe_damage(&self, notes: &mut Vec<String>) {
        let mut damaged = self.rows.iter().filter_map(|row| Some((row.line(), row.damage().first()?.reason())));
        if let Some((line, why)) = damaged.next() {
            let count = 1 + damaged.count();
            let rows = if count == 1 { "1 row is".to_owned() } else { format!("{count} rows are") };
            notes.push(format!(
                "{rows} damaged among the first {}, and would be rejected. Line {line}: {why}",
                self.rows.len()
            ));
        }
    }
}
