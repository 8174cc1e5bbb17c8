//! What a source looks like: how to read it, what its columns hold, and whatever was decided on the way, in words,
//! because nothing may be decided in silence. All of the source is looked at where that does not take too long, else
//! its beginning, middle and end; what is kept of it does not grow with it.

mod candidates;
mod evidence;
mod head;
mod looked;
mod notes;
mod settle;

use std::io::{Read, Seek};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use candidates::Candidates;
use looked::{Key, Looked};
pub use settle::{About, Question, Reading};

use super::column_type::ColumnType;
use super::csv::CsvReader;
use super::dialect::CsvOptions;
use super::failure::{FormatError, Limits};
use super::names::{distinct_names, is_ours};
use super::ndjson::{self, NdjsonReader};
use super::options::{Compression, Format, ReadOptions};
use super::record::Record;
use super::rows::Rows;
use super::source::Bytes;
use crate::names::one_line;
use crate::words;

/// How long a source is looked at. Half as long again for its encoding, its middle and its end.
pub const PATIENCE: Duration = Duration::from_secs(6);
/// Rows that tell a header from data, and objects whose members are the columns.
const FIRST: usize = 1_000;
/// Rows that are shown, and characters of a cell.
const SHOWN: usize = 50;
const SHOWN_CHARS: usize = 200;
/// Bytes that tell the dialect.
const HEAD: u64 = 256 * 1024;

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
    /// What only somebody who knows the source can tell.
    pub questions: Vec<Question>,
    /// What must be asked besides once somebody says that a column that looks like text holds numbers or dates.
    #[serde(skip)]
    pub if_said: Vec<Question>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProposedColumn {
    pub name: String,
    pub column_type: ColumnType,
    /// Some cell is empty.
    pub nullable: bool,
    /// It differs in every row, none empty, and comes first or is called like a key: it may be the unique key.
    pub key: bool,
    /// Added by a rejected-rows download: an import ignores it.
    pub ignored: bool,
    /// Up to three different cells that are not empty.
    pub examples: Vec<String>,
    /// What the first of them becomes.
    pub becomes: Option<String>,
    /// What speaks against the type, in a sentence.
    pub against: Option<String>,
}

/// Looks at a file. With `given` options it is read as they say and only the types are proposed; without, the options
/// are guessed too. `whole`: the reader gives all of the file, else only its beginning, whose last row may be cut.
pub fn propose<R: Read + Seek + Send>(
    mut reader: R,
    name: &str,
    given: Option<&ReadOptions>,
    whole: bool,
    patience: Duration,
) -> Result<Proposal, FormatError> {
    let mut notes = Vec::new();
    let mut options = given.cloned().unwrap_or_default();
    if given.is_none() {
        guess_compression(&mut reader, name, &mut options, &mut notes)?;
    }
    let source = Source {
        compression: options.compression_of(name),
        limits: Limits::default(),
        whole,
        until: Instant::now() + patience,
        cut: AtomicBool::new(false),
    };
    if given.is_none() {
        guess_format(&mut reader, &source, name, patience / 4, &mut options, &mut notes)?;
    }
    let candidates = match given {
        Some(given) => Candidates::given(&given.values),
        None => Candidates::all(&options.values),
    };
    let looked = match &options.format {
        Format::Csv(csv) => {
            let csv = csv.clone();
            look_at_csv(&mut reader, &source, &csv, &mut options, given.is_none(), &candidates, patience, &mut notes)?
        }
        _ => {
            let columns = ndjson::keys(source.plain(&mut reader)?, source.limits, FIRST + 1)?;
            let mut rows = NdjsonReader::over(source.plain(&mut reader)?, columns, source.limits);
            let mut looked = Looked::new(rows.columns().to_vec(), &candidates);
            looked.some(&mut rows, &candidates, usize::MAX, &|| source.is_whole())?;
            looked
        }
    };
    Ok(proposal(looked, &candidates, options, given.is_some(), source.is_whole(), notes))
}

/// The same of rows that are no file's: what a query answers.
pub fn propose_rows(
    rows: &mut dyn Rows,
    given: Option<&ReadOptions>,
    patience: Duration,
) -> Result<Proposal, FormatError> {
    let options = given.cloned().unwrap_or_else(|| ReadOptions::of(Format::Rows));
    let candidates = match given {
        Some(given) => Candidates::given(&given.values),
        None => Candidates::all(&options.values),
    };
    let mut looked = Looked::new(rows.columns().to_vec(), &candidates);
    let until = Instant::now() + patience;
    while !looked.ended && Instant::now() < until {
        looked.some(rows, &candidates, FIRST, &|| true)?;
    }
    Ok(proposal(looked, &candidates, options, given.is_some(), true, Vec::new()))
}

struct Source {
    compression: Compression,
    limits: Limits,
    whole: bool,
    until: Instant,
    /// Time was up before all was read.
    cut: AtomicBool,
}

/// Gives bytes as long as there is time: a little that is compressed may become as much as anybody likes, and so may a
/// row.
struct Timed<'a, R: Read> {
    bytes: Bytes<R>,
    source: &'a Source,
}

impl<R: Read> Read for Timed<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if Instant::now() >= self.source.until {
            self.source.cut.store(true, Ordering::Relaxed);
            return Ok(0);
        }
        self.bytes.read(out)
    }
}

impl Source {
    /// Its bytes from the beginning.
    fn open<'a, R: Read + Seek>(&'a self, reader: &'a mut R) -> Result<Timed<'a, &'a mut R>, FormatError> {
        reader.rewind().map_err(FormatError::Read)?;
        let bytes = Bytes::new(reader, self.compression, self.limits.decoded_bytes).whole(self.whole);
        Ok(Timed { bytes, source: self })
    }

    fn plain<'a, R: Read + Seek>(&'a self, reader: &'a mut R) -> Result<Bytes<Timed<'a, &'a mut R>>, FormatError> {
        Ok(Bytes::new(self.open(reader)?, Compression::None, self.limits.decoded_bytes).whole(self.whole))
    }

    /// Whether the end of its bytes is its own.
    fn is_whole(&self) -> bool {
        self.whole && !self.cut.load(Ordering::Relaxed)
    }
}

fn guess_compression(
    reader: &mut (impl Read + Seek),
    name: &str,
    options: &mut ReadOptions,
    notes: &mut Vec<String>,
) -> Result<(), FormatError> {
    let mut first = Vec::new();
    // What fails here fails again in the reader that is made of it, with the right words.
    if let Some(error) = reader.by_ref().take(2).read_to_end(&mut first).err() {
        return Err(FormatError::from_io(error, FormatError::Read));
    }
    if first == [0x1f, 0x8b] && Compression::by_name(name) == Compression::None {
        options.compression = Some(Compression::Gzip);
        notes.push("The file is compressed with gzip, though its name does not say so.".to_owned());
    }
    Ok(())
}

/// What the name says, or the first line when it is a JSON object; of CSV also its punctuation.
fn guess_format(
    reader: &mut (impl Read + Seek),
    source: &Source,
    name: &str,
    patience: Duration,
    options: &mut ReadOptions,
    notes: &mut Vec<String>,
) -> Result<(), FormatError> {
    let mut head = Vec::new();
    let beginning = source.open(reader)?.take(HEAD).read_to_end(&mut head);
    beginning.map_err(|e| FormatError::from_io(e, FormatError::Read))?;
    let said = Format::by_name(name);
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    if said == Some(Format::Ndjson) || (said.is_none() && ndjson::is_object(line)) {
        options.format = Format::Ndjson;
        notes.push("Each line was read as a JSON object.".to_owned());
        return Ok(());
    }
    let mut csv = CsvOptions::default();
    let bytes = head::Bytes::of(source.open(reader)?, Instant::now() + patience)?;
    csv.encoding = bytes.encoding(&head).to_owned();
    if csv.encoding != "utf-8" {
        notes.push(format!("The text is not UTF-8; it was read as {}. Check accented letters.", csv.encoding));
    } else if bytes.invalid > 0 {
        notes.push(format!(
            "The text is UTF-8 except in {}. Rows with such bytes are rejected.",
            words::counted(i64::try_from(bytes.invalid).unwrap_or(i64::MAX), "place", "places")
        ));
    }
    let encoding = encoding_rs::Encoding::for_label(csv.encoding.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    let (text, ..) = encoding.decode(&head);
    let text = text.trim_start_matches('\u{feff}');
    head::dialect(text.as_bytes(), source.whole && (head.len() as u64) < HEAD, &mut csv);
    let separated = match csv.delimiter.as_str() {
        ";" => Some("semicolons"),
        "\t" => Some("tabs"),
        "|" => Some("vertical bars"),
        _ => None,
    };
    notes.extend(separated.map(|by| format!("Columns are separated by {by}.")));
    if csv.skip_lines > 0 {
        let lines = words::counted(i64::from(csv.skip_lines), "line", "lines");
        notes.push(format!("The table begins further down, so the first {lines} will be skipped."));
    }
    options.format = Format::Csv(csv);
    Ok(())
}

/// Read without a header, the names come as the first row, and may turn out to be data.
#[allow(clippy::too_many_arguments)]
fn look_at_csv<R: Read + Seek + Send>(
    reader: &mut R,
    source: &Source,
    csv: &CsvOptions,
    options: &mut ReadOptions,
    guessing: bool,
    candidates: &Candidates,
    patience: Duration,
    notes: &mut Vec<String>,
) -> Result<Looked, FormatError> {
    let plain = CsvOptions { header: csv.header && !guessing, ..csv.clone() };
    let mut rows = CsvReader::open(source.open(reader)?, &plain, Compression::None, source.limits)?;
    let mut looked = Looked::new(rows.columns().to_vec(), candidates);
    if guessing {
        let mut first = Record::new();
        if rows.next(&mut first)? {
            looked.some(&mut rows, candidates, FIRST, &|| source.is_whole())?;
            let header = !looked.begins_with_data(&first, candidates);
            options.format = Format::Csv(CsvOptions { header, ..csv.clone() });
            if header {
                looked.names = header_names(&first, notes)?;
            } else {
                looked.records.truncate(SHOWN - 1);
                let shown = looked.records.len();
                looked.add(&first, candidates);
                // It was added last, and stands first.
                looked.records.truncate(shown);
                looked.records.insert(0, first);
                let words = "The first line looks like data, so the columns were named Column 1, Column 2 and so on.";
                notes.push(words.to_owned());
            }
        }
    }
    looked.some(&mut rows, candidates, usize::MAX, &|| source.is_whole())?;
    drop(rows);
    if source.whole && !source.is_whole() && source.compression == Compression::None && plain.encoding == "utf-8" {
        looked.aside(reader, &plain, source.limits, candidates, patience / 4)?;
    }
    Ok(looked)
}

fn header_names(first: &Record, notes: &mut Vec<String>) -> Result<Vec<String>, FormatError> {
    if let Some(damage) = first.damage().first() {
        let (line, why) = (first.line(), damage.reason());
        return Err(FormatError::NotCsv(format!("The column names on line {line} cannot be read. {why}")));
    }
    let row: Vec<_> = (0..first.len()).map(|i| first.text(i)).collect();
    let names = distinct_names(row.iter().map(|name| name.as_ref()));
    if row.iter().zip(&names).any(|(raw, name)| one_line(raw) != *name) {
        notes.push("Some columns had no unique name, so they were given one.".to_owned());
    }
    Ok(names)
}

/// "Store ID", "sku", "item_no".
fn is_called_like_a_key(name: &str) -> bool {
    const LAST: [&str; 12] = ["id", "key", "code", "number", "no", "nr", "sku", "ean", "uuid", "guid", "iban", "isin"];
    let last = name.rsplit(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default();
    LAST.contains(&last.to_lowercase().as_str()) || last.ends_with("Id") || last.ends_with("ID")
}

fn proposal(
    mut looked: Looked,
    candidates: &Candidates,
    mut options: ReadOptions,
    given: bool,
    whole: bool,
    mut notes: Vec<String>,
) -> Proposal {
    looked.describe(whole, &mut notes);
    // Options that were given are the only way to read the source: they leave nothing to ask.
    let questions = settle::settle(&looked.columns, &looked.names, candidates, &mut options.values);
    let if_said = settle::if_said(&looked.columns, &looked.names, candidates, &options.values);
    // An amount or a name may differ in every row too: a key comes first, or is called like one.
    let first = looked.names.iter().position(|name| !is_ours(name));
    let may_be_key = |key: &&Key| {
        let kind = settle::type_of(&looked.columns[key.column], candidates, &options.values).0;
        let is_ours = is_ours(&looked.names[key.column]);
        !is_ours
            && (Some(key.column) == first || is_called_like_a_key(&looked.names[key.column]))
            && matches!(kind, ColumnType::Text | ColumnType::Integer)
            && key.seen.len() > 1
    };
    looked.key = looked.keys.iter().find(may_be_key).map(|key| key.column);
    let columns = notes::columns(&looked, candidates, &mut options.values, given, &mut notes);
    let texts = |row: &Record| (0..row.len()).map(|i| shown(&row.text(i))).collect();
    let rows = looked.records.iter().map(texts).collect();
    Proposal { options, columns, rows, records: looked.records, notes, questions, if_said }
}

/// A cell as a preview shows it.
pub fn shown(cell: &str) -> String {
    match cell.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.to_owned(),
    }
}
