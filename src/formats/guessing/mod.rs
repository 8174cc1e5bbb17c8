//! What a source looks like: how to read it, what its columns hold, and whatever was decided on the way, in words,
//! because nothing may be decided in silence. All of the source is looked at where that does not take too long, else
//! its beginning, middle and end; what is kept of it does not grow with it.

mod candidates;
mod evidence;
mod head;
mod notes;
mod settle;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use candidates::Candidates;
use evidence::Column;
pub use settle::{About, Question, Reading};

use super::column_type::ColumnType;
use super::csv::CsvReader;
use super::dialect::CsvOptions;
use super::failure::{DamageKind, FormatError, Limits};
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
/// Different cells that a key is told by.
const KEYS: usize = 2_000_000;
/// Columns that may be the key.
const KEY_COLUMNS: usize = 3;

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
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProposedColumn {
    pub name: String,
    pub column_type: ColumnType,
    /// Some cell is empty.
    pub nullable: bool,
    /// The first column that differs in every row, none empty: it may be the unique key.
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
        notes.push(format!("The text is not UTF-8; it was read as {}. Check the accents.", csv.encoding));
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
        notes.push(format!("The regular part begins later, so the first {lines} will be skipped."));
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
        notes.push("Some columns had no name of their own, and were given one.".to_owned());
    }
    Ok(names)
}

/// What was seen of a source.
struct Looked {
    names: Vec<String>,
    columns: Vec<Column>,
    records: Vec<Record>,
    /// Rows, the damaged ones among them, and the first that is damaged.
    rows: i64,
    damaged: i64,
    damage: Option<(u64, String)>,
    /// All rows have gone by.
    ended: bool,
    /// Rows of the middle and the end.
    aside: i64,
    keys: Vec<Key>,
    key: Option<usize>,
}

/// A column that has differed in every row so far.
struct Key {
    column: usize,
    seen: HashSet<u64>,
}

impl Looked {
    fn new(names: Vec<String>, candidates: &Candidates) -> Self {
        Self {
            columns: names.iter().map(|_| Column::new(candidates)).collect(),
            keys: (0..names.len()).map(|column| Key { column, seen: HashSet::new() }).collect(),
            names,
            records: Vec::new(),
            rows: 0,
            damaged: 0,
            damage: None,
            ended: false,
            aside: 0,
            key: None,
        }
    }

    /// The next rows, as many as that; of a beginning, whose last row may be a part of one.
    fn some(
        &mut self,
        rows: &mut dyn Rows,
        candidates: &Candidates,
        most: usize,
        whole: &dyn Fn() -> bool,
    ) -> Result<(), FormatError> {
        if self.ended {
            return Ok(());
        }
        let (mut last, mut record) = (Record::new(), Record::new());
        let mut pending = false;
        for _ in 0..most {
            match rows.next(&mut record) {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    break;
                }
                // A quote that the end of a beginning leaves open.
                Err(FormatError::CutAt { .. }) if !whole() => {
                    self.ended = true;
                    break;
                }
                Err(error) => return Err(error),
            }
            if pending {
                self.add(&last, candidates);
            }
            std::mem::swap(&mut last, &mut record);
            pending = true;
        }
        // One that is too long already is so whatever follows.
        let too_long = last.damage().iter().any(|damage| matches!(damage.kind, DamageKind::RowTooLong { .. }));
        if pending && (whole() || !self.ended || too_long) {
            self.add(&last, candidates);
        }
        Ok(())
    }

    fn add(&mut self, row: &Record, candidates: &Candidates) {
        self.rows += 1;
        if self.records.len() < SHOWN {
            self.records.push(row.clone());
        }
        if let Some(damage) = row.damage().first() {
            self.damaged += 1;
            self.damage.get_or_insert_with(|| (row.line(), damage.reason()));
            return;
        }
        for (i, column) in self.columns.iter_mut().enumerate() {
            column.add(row.cell(i), candidates);
        }
        self.keys.retain_mut(|key| {
            let cell = row.field(key.column);
            let mut hasher = DefaultHasher::new();
            cell.hash(&mut hasher);
            // Beyond so many it is believed.
            !cell.trim_ascii().is_empty() && (key.seen.len() >= KEYS || key.seen.insert(hasher.finish()))
        });
        if self.rows == FIRST as i64 {
            self.keys.truncate(KEY_COLUMNS);
        }
    }

    /// Rows of the middle and of the end of a file that is too long for all of it. The quote that may be open there is
    /// not known, so only rows with as many cells as there are columns tell anything.
    fn aside<R: Read + Seek + Send>(
        &mut self,
        reader: &mut R,
        csv: &CsvOptions,
        limits: Limits,
        candidates: &Candidates,
        patience: Duration,
    ) -> Result<(), FormatError> {
        let bytes = reader.seek(SeekFrom::End(0)).map_err(FormatError::Read)?;
        let near = 16 * 1024 * 1024;
        for place in [bytes / 2, bytes.saturating_sub(near)] {
            reader.seek(SeekFrom::Start(place)).map_err(FormatError::Read)?;
            // The first line there is a part of one.
            let plain = CsvOptions { header: false, skip_lines: 1, ..csv.clone() };
            let Ok(mut rows) = CsvReader::open(reader.by_ref(), &plain, Compression::None, limits) else { continue };
            let mut record = Record::new();
            let until = Instant::now() + patience / 2;
            while Instant::now() < until {
                // What cannot be read here may be no fault of the file.
                let Ok(true) = rows.next(&mut record) else { break };
                if !record.is_damaged() && record.len() == self.columns.len() {
                    self.aside += 1;
                    for (i, column) in self.columns.iter_mut().enumerate() {
                        column.add(record.cell(i), candidates);
                    }
                }
            }
        }
        Ok(())
    }

    /// Is the first row of the same kind as those below it? Names are text above numbers; years above numbers are
    /// names too.
    fn begins_with_data(&self, first: &Record, candidates: &Candidates) -> bool {
        let mut typed = 0;
        for (i, column) in self.columns.iter().enumerate() {
            let below = (0..candidates.list.len()).filter(|way| column.fits(*way, candidates));
            let mut below = below.map(|way| &candidates.list[way]).peekable();
            if below.peek().is_none() {
                continue;
            }
            let cell = first.text(i);
            let is_year = cell.len() == 4 && cell.parse::<u16>().is_ok_and(|year| (1900..=2199).contains(&year));
            let fits = below.any(|way| {
                let mut above = Column::new(candidates);
                above.add(first.cell(i), candidates);
                let same = |other: &usize| {
                    let other = &candidates.list[*other];
                    // An integer above numbers is one of them.
                    other.kind == way.kind || (other.kind, way.kind) == (ColumnType::Number, ColumnType::Integer)
                };
                (0..candidates.list.len()).filter(|other| above.fits(*other, candidates)).any(|other| same(&other))
            });
            if is_year || !fits {
                return false;
            }
            typed += 1;
        }
        typed > 0
    }

    fn describe(&self, whole: bool, notes: &mut Vec<String>) {
        let count = |rows: i64| words::counted(rows, "row was", "rows were");
        if let Some((line, why)) = &self.damage {
            let rows = words::counted(self.damaged, "row is", "rows are");
            let among = if self.ended && whole {
                String::new()
            } else {
                format!(" among the first {}", words::count(self.rows))
            };
            notes.push(format!("{rows} damaged{among}, and would be rejected. Line {line}: {why}"));
        }
        if self.names.is_empty() {
            notes.push("The source is empty.".to_owned());
        } else if self.rows == 0 {
            notes.push("The source has column names and no rows.".to_owned());
        } else if self.ended && whole {
            notes.push(format!("{} looked at: all of them.", count(self.rows)));
        } else if self.aside > 0 {
            let (first, others) = (words::count(self.rows), words::count(self.aside));
            notes.push(format!(
                "The source is long: the first {first} rows were looked at, and {others} of the middle and the end."
            ));
        } else {
            notes.push(format!("Only the first {} looked at. What comes later may differ.", count(self.rows)));
        }
    }
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
    let mut questions = settle::settle(&looked.columns, &looked.names, candidates, &mut options.values);
    if given {
        questions.clear();
    }
    let may_be_key = |key: &&Key| {
        let kind = settle::type_of(&looked.columns[key.column], candidates, &options.values).0;
        let is_ours = is_ours(&looked.names[key.column]);
        !is_ours && matches!(kind, ColumnType::Text | ColumnType::Integer) && key.seen.len() > 1
    };
    looked.key = looked.keys.iter().find(may_be_key).map(|key| key.column);
    let columns = notes::columns(&looked, candidates, &mut options.values, given, &mut notes);
    let texts = |row: &Record| (0..row.len()).map(|i| shown(&row.text(i))).collect();
    let rows = looked.records.iter().map(texts).collect();
    Proposal { options, columns, rows, records: looked.records, notes, questions }
}

/// A cell as a preview shows it.
pub fn shown(cell: &str) -> String {
    match cell.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.to_owned(),
    }
}
