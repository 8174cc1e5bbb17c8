//! Typed rows on their way from the thread that reads to the thread that loads. One batch is one transaction of the
//! load; batches are handed back and filled again, so that memory stays flat however long the source is.

use crate::formats::Value;

/// A cell as a batch keeps it: text stands in the batch's own buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Datum {
    Empty,
    Text {
        start: u32,
        len: u32,
    },
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

/// Most rows of a batch.
pub const MAX_ROWS: usize = 10_000;
/// Most cells of a batch: bounds the memory of a wide source.
const MAX_CELLS: usize = 120_000;
/// A batch with so much text is full.
const MAX_TEXT: usize = 1 << 20;

/// Some rows of one width, with the line each came from.
#[derive(Debug)]
pub struct Batch {
    width: usize,
    lines: Vec<i64>,
    cells: Vec<Datum>,
    text: Vec<u8>,
    /// Where the text of the row that is being filled begins.
    row_text: usize,
}

impl Batch {
    /// For rows of so many cells.
    pub fn new(width: usize) -> Self {
        Self { width, lines: Vec::new(), cells: Vec::new(), text: Vec::new(), row_text: 0 }
    }

    pub fn clear(&mut self) {
        self.lines.clear();
        self.cells.clear();
        self.text.clear();
        self.row_text = 0;
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// Finished rows.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.lines.len() >= MAX_ROWS || self.lines.len() * self.width >= MAX_CELLS || self.text.len() >= MAX_TEXT
    }

    /// Adds a cell to the row that is being filled.
    #[inline]
    pub fn push(&mut self, value: Value<'_>) {
        let datum = match value {
            Value::Empty => Datum::Empty,
            Value::Text(text) => {
                // A batch is full at 1 MiB and a row has at most 16, so this fits.
                let start = self.text.len() as u32;
                self.text.extend_from_slice(text.as_bytes());
                Datum::Text { start, len: text.len() as u32 }
            }
            Value::Integer(number) => Datum::Integer(number),
            Value::Number(number) => Datum::Number(number),
            Value::Boolean(truth) => Datum::Boolean(truth),
            Value::Date(days) => Datum::Date(days),
            Value::Timestamp(micros) => Datum::Timestamp(micros),
        };
        self.cells.push(datum);
    }

    /// Ends the row: it has as many cells as the batch is wide.
    #[inline]
    pub fn end_row(&mut self, line: u64) {
        debug_assert_eq!(self.cells.len(), (self.lines.len() + 1) * self.width);
        self.lines.push(line as i64);
        self.row_text = self.text.len();
    }

    /// Takes back the cells of the row that is being filled.
    pub fn drop_row(&mut self) {
        self.cells.truncate(self.lines.len() * self.width);
        self.text.truncate(self.row_text);
    }

    pub fn line(&self, row: usize) -> i64 {
        self.lines[row]
    }

    pub fn row(&self, row: usize) -> &[Datum] {
        &self.cells[row * self.width..(row + 1) * self.width]
    }

    /// The bytes of a text cell, UTF-8.
    #[inline]
    pub fn text(&self, start: u32, len: u32) -> &[u8] {
        &self.text[start as usize..(start + len) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_taken_back_leaves_nothing() {
        let mut batch = Batch::new(2);
        batch.push(Value::Text("one"));
        batch.push(Value::Integer(1));
        batch.end_row(2);
        batch.push(Value::Text("two"));
        batch.drop_row();
        batch.push(Value::Empty);
        batch.push(Value::Text("three"));
        batch.end_row(4);
        assert_eq!((batch.len(), batch.line(1)), (2, 4));
        let Datum::Text { start, len } = batch.row(1)[1] else { panic!() };
        assert_eq!(batch.text(start, len), b"three");
        assert_eq!(batch.row(0)[1], Datum::Integer(1));
    }
}
