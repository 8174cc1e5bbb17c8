//! Rows out of NDJSON: a JSON object on every line, in UTF-8.
//!
//! The columns are the keys of all objects of the file, in the order in which they first appear: the file is looked
//! through once for its keys before it is read ([`keys`]), so that a column that only later objects have is a column
//! too, and one that a mapping names and no object has fails a load before it begins. An object that lacks a key has an
//! empty cell there. A preview knows the keys of the rows that it looks at; others are ignored.
//!
//! What a value is stays as it is written: a number keeps its digits, so that none is changed before the type of its
//! column is known. A line that is no object is a damaged row like one of CSV; whether a line is JSON is for serde_json
//! to say.

mod lines;

use std::collections::HashMap;
use std::io::Read;

use memchr::memchr;
use serde::de::IgnoredAny;

use lines::Lines;

use super::failure::{Damage, DamageKind, FormatError, Limits};
use super::names::{distinct_names, is_ours};
use super::record::{Kind, Record, Span};
use super::rows::Rows;
use super::source::{Bytes, refuse_what_is_no_text};

/// Fits the caches near the core; it grows only for a line that is longer.
const BUFFER: usize = 256 * 1024;
/// Objects and lists within each other.
const DEPTH: usize = 64;
/// Bytes of a key: all of them are kept while the file is read.
const KEY_BYTES: usize = 1_024;

/// Reads NDJSON to its end, or to the error that ends it.
pub struct NdjsonReader<R: Read> {
    lines: Lines<R>,
    limits: Limits,
    rows: u64,
    /// Objects without members.
    bare: u64,
    /// As the objects have them, and the place of each.
    keys: Vec<String>,
    places: HashMap<String, usize>,
    /// As people and mappings have them.
    columns: Vec<String>,
    ignored: Vec<usize>,
    /// The last row in which a column had a value, to see a member that comes twice; and whether that was said.
    filled: Vec<(u64, bool)>,
    /// Text whose escapes were taken out.
    text: String,
}

impl<R: Read> NdjsonReader<R> {
    /// Reads the members that have these keys.
    pub(super) fn over(bytes: Bytes<R>, keys: Vec<String>, limits: Limits) -> Self {
        let columns = distinct_names(keys.iter().map(String::as_str));
        Self {
            lines: Lines::new(bytes, limits.row_bytes),
            limits,
            rows: 0,
            bare: 0,
            places: keys.iter().cloned().zip(0..).collect(),
            ignored: (0..columns.len()).filter(|&i| is_ours(&columns[i])).collect(),
            filled: vec![(0, false); keys.len()],
            keys,
            columns,
            text: String::new(),
        }
    }

    /// Puts the members of the current line into the record.
    fn fill(&mut self, record: &mut Record) {
        let line = self.lines.line();
        if self.lines.too_long {
            record.damage.push(of_row(DamageKind::RowTooLong { limit: self.limits.row_bytes }));
            return;
        }
        if std::str::from_utf8(line).is_err() {
            return damaged(record, line, DamageKind::NotUtf8, self.limits);
        }
        record.spans.resize(self.keys.len(), Span::new(0, 0));
        record.kinds.resize(self.keys.len(), Kind::Null);
        let (rows, limits) = (self.rows, self.limits);
        let (keys, places, filled, unescaped) = (&self.keys, &self.places, &mut self.filled, &mut self.text);
        let mut expected = 0;
        let scanned = members(line, |key, value| {
            let place = match keys.get(expected) {
                Some(likely) if likely == key => expected,
                _ => match places.get(key) {
                    Some(place) => *place,
                    None => return Ok(()),
                },
            };
            expected = place + 1;
            let (row, said) = filled[place];
            filled[place] = (rows, row == rows);
            if row == rows {
                if !said {
                    record.damage.push(Damage { column: Some(place), kind: DamageKind::DuplicateKey });
                }
                return Ok(());
            }
            let (kind, text) = value_of(value, unescaped)?;
            let start = record.bytes.len();
            record.bytes.extend_from_slice(text);
            record.spans[place] = Span::new(start, record.bytes.len());
            record.kinds[place] = kind;
            if text.len() > limits.cell_bytes {
                let kind = DamageKind::TextTooLong { limit: limits.cell_bytes };
                record.damage.push(Damage { column: Some(place), kind });
            }
            if kind == Kind::Text && memchr(0, text).is_some() {
                record.damage.push(Damage { column: Some(place), kind: DamageKind::Nul });
            }
            Ok(())
        });
        if let Err(kind) = scanned {
            damaged(record, line, kind, limits);
        }
    }
}

impl<R: Read + Send> Rows for NdjsonReader<R> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn ignored(&self) -> &[usize] {
        &self.ignored
    }

    fn next(&mut self, record: &mut Record) -> Result<bool, FormatError> {
        record.clear();
        loop {
            if !self.lines.next()? {
                return Ok(false);
            }
            if self.lines.too_long || !is_bare(self.lines.line()) {
                break;
            }
            self.bare += 1;
        }
        self.rows += 1;
        if self.rows > self.limits.rows {
            return Err(FormatError::TooLarge(format!("{} rows", self.limits.rows)));
        }
        record.line = self.lines.number;
        record.offset = self.lines.offset;
        self.fill(record);
        Ok(true)
    }

    fn bytes_read(&self) -> u64 {
        self.lines.bytes.given()
    }

    fn blank(&self) -> u64 {
        self.lines.blank + self.bare
    }
}

/// An object without members is no row, as a line of nothing but delimiters is none.
fn is_bare(line: &[u8]) -> bool {
    let inside = line.trim_ascii().strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
    inside.is_some_and(|inside| inside.trim_ascii().is_empty())
}

/// The keys of all objects among the first `lines` lines, in the order in which they appear.
pub(super) fn keys<R: Read>(bytes: Bytes<R>, limits: Limits, lines: usize) -> Result<Vec<String>, FormatError> {
    let mut source = Lines::new(bytes, limits.row_bytes);
    let mut keys: Vec<String> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut bad = None;
    let mut read = 0;
    while read < lines && source.next()? {
        read += 1;
        if source.too_long {
            bad.get_or_insert((source.number, DamageKind::RowTooLong { limit: limits.row_bytes }));
            continue;
        }
        let line = source.line();
        let mut expected = 0;
        let scanned = members(line, |key, _| {
            // One line may have millions of them.
            if keys.len() > limits.columns {
                return Ok(());
            }
            // Most objects have the same keys in the same order.
            if keys.get(expected).is_some_and(|likely| likely == key) {
                expected += 1;
            } else if let Some(place) = known.get(key) {
                expected = place + 1;
            } else {
                known.insert(key.to_owned(), keys.len());
                keys.push(key.to_owned());
                expected = keys.len();
            }
            Ok(())
        });
        if read == 1 {
            refuse_what_is_no_text(line)?;
        }
        if let Err(kind) = scanned {
            bad.get_or_insert((source.number, kind));
        }
        if keys.len() > limits.columns {
            return Err(FormatError::NotCsv(format!(
                "Together, the objects have more than {} different members, the most columns that a source may have. \
                 Line {} is the first to exceed this.",
                limits.columns, source.number
            )));
        }
    }
    match bad {
        Some((line, kind)) if keys.is_empty() => Err(FormatError::NotCsv(format!(
            "No line of the file is a JSON object with members. Line {line}: {}",
            of_row(kind).reason()
        ))),
        _ => Ok(keys),
    }
}

/// Whether a line is a JSON object.
pub(super) fn is_object(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    std::str::from_utf8(line).is_ok() && members(line, |_, _| Ok(())).is_ok()
}

fn of_row(kind: DamageKind) -> Damage {
    Damage { column: None, kind }
}

/// A row that is damaged as a whole: its line is its one cell.
#[cold]
fn damaged(record: &mut Record, line: &[u8], kind: DamageKind, limits: Limits) {
    record.clear();
    record.push(Kind::Text, &line[..line.len().min(limits.cell_bytes)]);
    record.damage.push(of_row(kind));
}

/// What a value is, and its text.
fn value_of<'a>(value: &'a [u8], unescaped: &'a mut String) -> Result<(Kind, &'a [u8]), DamageKind> {
    Ok(match value {
        [b'"', text @ .., b'"'] if memchr(b'\\', text).is_none() => (Kind::Text, text),
        [b'"', ..] => {
            *unescaped = serde_json::from_slice(value).map_err(|_| DamageKind::NotJson { at: 0 })?;
            (Kind::Text, unescaped.as_bytes())
        }
        b"null" => (Kind::Null, &[]),
        b"true" => (Kind::Boolean(true), value),
        b"false" => (Kind::Boolean(false), value),
        [b'{' | b'[', ..] if depth(value) >= DEPTH => return Err(DamageKind::TooDeep { limit: DEPTH }),
        [b'{' | b'[', ..] => (Kind::Nested, value),
        _ => (Kind::Literal, value),
    })
}

/// Hands out the members of an object with the text of their values.
fn members(line: &[u8], mut each: impl FnMut(&str, &[u8]) -> Result<(), DamageKind>) -> Result<(), DamageKind> {
    let mut at = blank(line, 0);
    if line.get(at) != Some(&b'{') {
        let end = value(line, at)?;
        return Err(if blank(line, end) == line.len() { DamageKind::NotAnObject } else { not_json(end) });
    }
    at = blank(line, at + 1);
    let mut done = line.get(at) == Some(&b'}');
    let mut key = String::new();
    while !done {
        if line.get(at) != Some(&b'"') {
            return Err(not_json(at));
        }
        let end = value(line, at)?;
        let raw = &line[at + 1..end - 1];
        // Nothing is written longer than as \u and four digits.
        if raw.len() > 6 * KEY_BYTES {
            return Err(DamageKind::KeyTooLong { limit: KEY_BYTES });
        }
        let plain = if memchr(b'\\', raw).is_none() { std::str::from_utf8(raw).ok() } else { None };
        if plain.is_none() {
            key = serde_json::from_slice(&line[at..end]).map_err(|_| not_json(at))?;
        }
        let name = plain.unwrap_or(&key);
        if name.len() > KEY_BYTES {
            return Err(DamageKind::KeyTooLong { limit: KEY_BYTES });
        }
        // It would be the name of a column, and no database takes it.
        if memchr(0, name.as_bytes()).is_some() {
            return Err(DamageKind::NulInKey);
        }
        let colon = blank(line, end);
        if line.get(colon) != Some(&b':') {
            return Err(not_json(colon));
        }
        let start = blank(line, colon + 1);
        let end = value(line, start)?;
        each(name, &line[start..end]).map_err(|kind| match kind {
            DamageKind::NotJson { .. } => not_json(start),
            other => other,
        })?;
        at = blank(line, end);
        match line.get(at) {
            Some(b',') => at = blank(line, at + 1),
            Some(b'}') => done = true,
            _ => return Err(not_json(at)),
        }
    }
    let end = blank(line, at + 1);
    if end == line.len() { Ok(()) } else { Err(not_json(end)) }
}

fn not_json(at: usize) -> DamageKind {
    DamageKind::NotJson { at }
}

fn blank(line: &[u8], at: usize) -> usize {
    at + line[at.min(line.len())..].iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count()
}

/// Where the value that begins at `at` ends.
fn value(line: &[u8], at: usize) -> Result<usize, DamageKind> {
    let rest = &line[at.min(line.len())..];
    // Most are text without escapes, of which only control characters have to be looked for.
    if rest.first() == Some(&b'"')
        && let Some(end) = rest[1..].iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20))
        && rest[1 + end] == b'"'
    {
        return Ok(at + end + 2);
    }
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => Ok(at + values.byte_offset()),
        Some(Err(error)) => Err(not_json(at + error.column().saturating_sub(1))),
        None => Err(not_json(at)),
    }
}

/// How deep the objects and lists of a value, which is JSON, lie in each other.
fn depth(value: &[u8]) -> usize {
    let (mut depth, mut most, mut quoted, mut escaped) = (0usize, 0, false, false);
    for byte in value {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                depth += 1;
                most = most.max(depth);
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests;
