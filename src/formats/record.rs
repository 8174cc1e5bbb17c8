//! One row as it was read: its cells as byte slices, where it began, and what is wrong with it. Made once and
//! filled again for every row, so that reading allocates nothing.

use std::borrow::Cow;

use memchr::memchr;

use super::column_type::ColumnType;
use super::failure::{Damage, DamageKind, Limits};
use super::rows::Cell;
use super::value::{Value, write_text};
use crate::words;

/// Where a cell stands within the bytes of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        // A row is at most 16 MiB, or it is not kept at all.
        Self { start: start as u32, end: end as u32 }
    }

    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What a cell is. Its text stands in the row's bytes whatever it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Text,
    Null,
    /// A number as JSON writes it.
    Literal,
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// An object or a list, as JSON.
    Nested,
    /// Bytes that are not text.
    Binary,
}

/// A row. Hand the same one to [`Rows::next`](super::Rows::next) again and again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub(super) bytes: Vec<u8>,
    pub(super) spans: Vec<Span>,
    /// What each cell is; none at all where every cell is text, as in CSV.
    pub(super) kinds: Vec<Kind>,
    pub(super) damage: Vec<Damage>,
    pub(super) line: u64,
    /// Line breaks inside its cells.
    pub(super) breaks: u64,
    pub(super) offset: u64,
}

impl Record {
    pub fn new() -> Self {
        Self::default()
    }

    /// How many cells the row has; a damaged row may have fewer or more than the header.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The bytes of a cell, unquoted, in UTF-8 unless the row is damaged; empty for a cell that is not there.
    pub fn field(&self, column: usize) -> &[u8] {
        match self.spans.get(column) {
            Some(span) => &self.bytes[span.range()],
            None => &[],
        }
    }

    /// A cell as it came; null where there is none.
    #[inline]
    pub fn cell(&self, column: usize) -> Cell<'_> {
        if self.kinds.is_empty() {
            return Cell::Text(self.field(column));
        }
        let bytes = self.field(column);
        match self.kinds.get(column) {
            None | Some(Kind::Null) => Cell::Null,
            Some(Kind::Text) => Cell::Text(bytes),
            Some(Kind::Literal) => Cell::Literal(bytes),
            Some(Kind::Integer(number)) => Cell::Integer(*number, bytes),
            Some(Kind::Number(number)) => Cell::Number(*number, bytes),
            Some(Kind::Boolean(truth)) => Cell::Boolean(*truth),
            Some(Kind::Nested) => Cell::Nested(bytes),
            Some(Kind::Binary) => Cell::Binary(bytes.len()),
        }
    }

    /// A cell as text for people: bytes that are not text show as U+FFFD.
    pub fn text(&self, column: usize) -> Cow<'_, str> {
        String::from_utf8_lossy(self.field(column))
    }

    /// Empties the row for the next one, which stands there. For rows that are typed as they come.
    pub fn begin(&mut self, line: u64) {
        self.clear();
        self.line = line;
    }

    pub fn push_null(&mut self) {
        self.push(Kind::Null, &[]);
    }

    pub fn push_integer(&mut self, number: i64) {
        self.push_shown(Kind::Integer(number), Value::Integer(number));
    }

    pub fn push_number(&mut self, number: f64) {
        self.push_shown(Kind::Number(number), Value::Number(number));
    }

    /// Text, which ought to be UTF-8 without NUL and no longer than a cell may be.
    pub fn push_text(&mut self, text: &[u8], limits: &Limits) {
        let column = Some(self.spans.len());
        let kind = if text.len() > limits.cell_bytes {
            Some(DamageKind::TextTooLong { limit: limits.cell_bytes })
        } else if memchr(0, text).is_some() {
            Some(DamageKind::Nul)
        } else if std::str::from_utf8(text).is_err() {
            Some(DamageKind::NotUtf8)
        } else {
            None
        };
        self.damage.extend(kind.map(|kind| Damage { column, kind }));
        self.push(Kind::Text, text);
    }

    /// Bytes that are not text; shown by their beginning.
    pub fn push_binary(&mut self, bytes: &[u8]) {
        const SHOWN: usize = 32;
        let shown = words::hex(&bytes[..bytes.len().min(SHOWN)]);
        let more = if bytes.len() > SHOWN { "…" } else { "" };
        self.push(Kind::Binary, format!("x'{shown}{more}'").as_bytes());
    }

    fn push_shown(&mut self, kind: Kind, value: Value<'_>) {
        let start = self.bytes.len();
        write_text(&value, ColumnType::Number, &mut self.bytes);
        self.spans.push(Span::new(start, self.bytes.len()));
        self.kinds.push(kind);
    }

    /// Adds a cell: its text, and what it is.
    pub(super) fn push(&mut self, kind: Kind, text: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.spans.push(Span::new(start, self.bytes.len()));
        self.kinds.push(kind);
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.spans.iter().map(|span| &self.bytes[span.range()])
    }

    /// The line of the file on which the row begins, counted from 1; of rows that are no file's, the how manieth it is.
    /// A cell with line breaks makes the next row begin more than one line later.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Says where the row stands, for rows that have no line of their own.
    pub fn stands_at(&mut self, line: u64) {
        self.line = line;
    }

    /// Where the row begins: bytes of decompressed UTF-8 text before it.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// All that is wrong with the row as a row. Such a row is rejected whatever its cells say.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    pub fn is_damaged(&self) -> bool {
        !self.damage.is_empty()
    }

    /// As how many rows it counts where it is rejected. A quote that was lost takes the lines that follow into its cell,
    /// and each of them is lost with it.
    pub fn weight(&self) -> u64 {
        if self.damage.iter().any(|damage| damage.kind.takes_lines()) { self.breaks + 1 } else { 1 }
    }

    /// What is wrong with it, with the lines that are lost where they are several.
    pub fn reason(&self, damage: &Damage) -> String {
        let reason = damage.reason();
        if self.breaks == 0 || !damage.kind.takes_lines() {
            return reason;
        }
        let (head, tail) = reason.split_at(1);
        format!("Lines {} to {}: {}{tail}", self.line, self.line + self.breaks, head.to_lowercase())
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
        self.kinds.clear();
        self.damage.clear();
        self.breaks = 0;
    }
}
