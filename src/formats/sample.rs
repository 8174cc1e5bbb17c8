//! A look at the beginning of a file: how to read it, what its columns hold, and whatever was decided on the way,
//! in words, because nothing may be decided in silence.

use std::collections::HashSet;
use std::io::{Cursor, Read};

use serde::Serialize;

use super::column_type::ColumnType;
use super::csv::CsvReader;
use super::dialect::CsvOptions;
use super::failure::{FormatError, Limits};
use super::guess;
use super::names::{distinct_names, is_ours};
use super::ndjson::{self, NdjsonReader};
use super::options::{Compression, Format, ReadOptions};
use super::record::Record;
use super::rows::{Cell, Rows};
use super::source::Bytes;
use super::typing::{Sampled, is_marker, settle_notation};
use super::values::ValueOptions;

/// Rows looked at, rows shown, and the bytes of cells that are kept for it at most.
const LOOKED_AT: usize = 1_000;
const SHOWN: usize = 50;
const KEPT: usize = 8 * 1024 * 1024;
/// Bytes that tell encoding and delimiter.
const HEAD: usize = 256 * 1024;

/// What a source seems to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    pub options: ReadOptions,
    /// In the order of the file.
    pub columns: Vec<ProposedColumn>,
    /// The first 50 rows as text, damaged ones included, so a row may be shorter or longer than `columns`.
    pub rows: Vec<Vec<String>>,
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
    let source = Cursor::new(head).chain(bytes);
    let looked = match &options.format {
        Format::Csv(csv) => {
            let csv = csv.clone();
            csv_sample(source, &csv, &mut options, given.is_none(), whole, &mut notes)?
        }
        _ => json_sample(source, limits, whole)?,
    };
    Ok(proposal(looked, options, given.is_some(), notes))
}

/// The same of rows that are no file's: what a query answers. It reads no further than it looks.
pub fn propose_rows(rows: &mut dyn Rows, given: Option<&ReadOptions>) -> Result<Proposal, FormatError> {
    let options = given.cloned().unwrap_or_else(|| ReadOptions::of(Format::Rows));
    let sample = Sample::read(rows, true)?;
    Ok(proposal((rows.columns().to_vec(), sample), options, given.is_some(), Vec::new()))
}

type Looked = (Vec<String>, Sample);

/// Read without a header, the names come as the first row, and may turn out to be data.
fn csv_sample(
    source: impl Read + Send,
    csv: &CsvOptions,
    options: &mut ReadOptions,
    guessing: bool,
    whole: bool,
    notes: &mut Vec<String>,
) -> Result<Looked, FormatError> {
    let plain = CsvOptions { header: csv.header && !guessing, ..csv.clone() };
    let mut reader = CsvReader::open(source, &plain, Compression::None, Limits::default())?;
    let mut sample = Sample::read(&mut reader, whole)?;
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
    source
        .take(KEPT as u64)
        .read_to_end(&mut beginning)
        .map_err(|e| FormatError::from_io(e, FormatError::Read))?;
    let whole = whole && beginning.len() < KEPT;
    let bytes = |compression| Bytes::new(beginning.as_slice(), compression, limits.decoded_bytes);
    let columns = ndjson::keys(bytes(Compression::None), limits, LOOKED_AT + 1)?;
    let mut reader = NdjsonReader::over(bytes(Compression::None), columns, limits);
    let sample = Sample::read(&mut reader, whole)?;
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
    let texts = |row: &Record| (0..row.len()).map(|i| row.text(i).into_owned()).collect();
    let rows = sample.rows.iter().take(SHOWN).map(texts).collect();
    Proposal { options, columns, rows, notes }
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
struct Sample {
    rows: Vec<Record>,
}

impl Sample {
    /// Of a beginning, the last row may be a part of one and is left out, as is one that a quote leaves open.
    fn read(reader: &mut dyn Rows, whole: bool) -> Result<Self, FormatError> {
        let (mut rows, mut record, mut kept) = (Vec::new(), Record::new(), 0);
        while rows.len() <= LOOKED_AT && kept < KEPT {
            match reader.next(&mut record) {
                Ok(true) => {}
                Ok(false) => {
                    if !whole {
                        rows.pop();
                    }
                    break;
                }
                Err(FormatError::CutAt { .. }) if !whole => break,
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

    fn sound(&self) -> impl Iterator<Item = &Record> {
        self.rows.iter().filter(|row| !row.is_damaged())
    }

    fn column(&self, column: usize) -> impl Iterator<Item = Cell<'_>> {
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

fn type_columns(
    sample: &Sample,
    names: Vec<String>,
    options: &mut ValueOptions,
    given: bool,
    notes: &mut Vec<String>,
) -> Vec<ProposedColumn> {
    let sampled: Vec<Sampled<'_>> = (0..names.len()).map(|i| Sampled::new(sample.column(i), options)).collect();
    if !given {
        let doubts = settle_notation(&sampled, options);
        describe_notation(options, doubts.day_or_month, notes);
    }
    let mut types: Vec<ColumnType> = sampled.iter().map(|column| column.column_type(options)).collect();
    let ignored: Vec<bool> = names.iter().map(|name| is_ours(name)).collect();
    settle_markers(&sampled, &names, &mut types, options, given, notes);

    let bare: Vec<&str> = (0..names.len())
        .filter(|&i| types[i] == ColumnType::Timestamp && options.time_zone.is_none() && sampled[i].is_bare(options))
        .map(|i| names[i].as_str())
        .collect();
    if !bare.is_empty() {
        notes.push(format!(
            "The times in {} have no zone and are read as UTC. Set the source's time zone if they are local.",
            listed(&bare)
        ));
    }
    for (i, column) in sampled.iter().enumerate() {
        if types[i] == ColumnType::Text
            && !ignored[i]
            && let Some((kind, cell)) = column.nearly(options)
        {
            let cell: String = cell.chars().take(40).collect();
            notes.push(format!("\"{}\" would be {kind} but for cells such as \"{cell}\", so it is text.", names[i]));
        }
    }
    let key = (0..names.len())
        .find(|&i| !ignored[i] && matches!(types[i], ColumnType::Text | ColumnType::Integer) && is_distinct(sample, i));
    names
        .into_iter()
        .enumerate()
        .map(|(i, name)| ProposedColumn {
            name,
            column_type: types[i],
            nullable: sampled[i].empty || (types[i] != ColumnType::Text && !sampled[i].markers.is_empty()),
            key: key == Some(i),
            ignored: ignored[i],
            examples: examples(sample, i, options),
        })
        .collect()
}

fn describe_notation(options: &ValueOptions, day_or_month: bool, notes: &mut Vec<String>) {
    match (options.decimal_point.as_str(), options.group_separator.as_deref()) {
        (".", None) => {}
        (point, None) => notes.push(format!("\"{point}\" was taken as the decimal point.")),
        (point, Some(group)) => {
            notes.push(format!("\"{point}\" was taken as the decimal point and \"{group}\" as the group separator."))
        }
    }
    let formats = [Some(options.date_format.as_str()), options.timestamp_format.as_deref()];
    for format in formats.into_iter().flatten().filter(|format| *format != "%Y-%m-%d") {
        notes.push(format!("Dates or times were read as {format}."));
    }
    if day_or_month {
        notes.push(
            "Every date could be day/month as well as month/day; day/month was taken, so 03/04/2026 is 3 April. \
             Check the date format."
                .to_owned(),
        );
    }
}

/// Takes words such as NA as empty where all else in a column is of one type, and says so. Options that were given
/// are left alone: there it is advice.
fn settle_markers(
    sampled: &[Sampled<'_>],
    names: &[String],
    types: &mut [ColumnType],
    options: &mut ValueOptions,
    given: bool,
    notes: &mut Vec<String>,
) {
    let mut markers: Vec<&str> = Vec::new();
    for (column, kind) in sampled.iter().zip(types.iter()) {
        if *kind != ColumnType::Text {
            for marker in &column.markers {
                if !markers.contains(marker) {
                    markers.push(marker);
                }
            }
        }
    }
    for marker in markers {
        let whose = |text: bool| -> Vec<&str> {
            let holds = |i: &usize| sampled[*i].markers.contains(&marker) && (types[*i] == ColumnType::Text) == text;
            (0..names.len()).filter(holds).map(|i| names[i].as_str()).collect()
        };
        let columns = whose(false);
        if given {
            notes.push(format!(
                "\"{marker}\" seems to mean empty in {}: {}. Add it to the null markers, else these are text.",
                counted(columns.len()),
                listed(&columns)
            ));
            continue;
        }
        notes.push(format!("{marker} was taken as empty in {}: {}.", counted(columns.len()), listed(&columns)));
        let texts = whose(true);
        if !texts.is_empty() {
            notes.push(format!(
                "{marker} also stands in the text of {}, where it will be empty too. If it is a word there, \
                 take it out of the null markers.",
                listed(&texts)
            ));
        }
        options.nulls.push(marker.to_owned());
    }
    if given {
        for (column, kind) in sampled.iter().zip(types.iter_mut()) {
            if !column.markers.is_empty() {
                *kind = ColumnType::Text;
            }
        }
    }
}

fn counted(columns: usize) -> String {
    if columns == 1 { "1 column".to_owned() } else { format!("{columns} columns") }
}

fn listed(names: &[&str]) -> String {
    const MOST: usize = 10;
    let mut list = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        list.push_str(&format!(" and {} more", names.len() - MOST));
    }
    list
}

fn is_distinct(sample: &Sample, column: usize) -> bool {
    let mut seen = HashSet::new();
    sample.sound().map(|row| row.field(column)).all(|cell| !cell.trim_ascii().is_empty() && seen.insert(cell))
        && seen.len() > 1
}

fn examples(sample: &Sample, column: usize, options: &ValueOptions) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for row in sample.sound() {
        let text = row.text(column);
        if text.is_empty() || is_marker(&text) || options.nulls.iter().any(|null| *null == text) {
            continue;
        }
        let short: String = text.chars().take(60).collect();
        if !found.contains(&short) {
            found.push(short);
        }
        if found.len() == 3 {
            break;
        }
    }
    found
}
