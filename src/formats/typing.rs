//! What the columns of a sample seem to hold, and in which notation. One notation serves the whole source, so the
//! one that explains the most columns is taken.

use super::column_type::ColumnType;
use super::parser::Parser;
use super::rows::Cell;
use super::value::Value;
use super::values::ValueOptions;

/// Words that files write for nothing, compared without regard to case.
const MARKERS: [&str; 15] =
    ["NA", "N/A", "#N/A", "#N/A N/A", "NULL", "(null)", "\\N", "NaN", "nil", "None", "-", "--", "?", ".", "n.a."];

const POINTS: [(&str, Option<&str>); 4] = [(".", None), (".", Some(",")), (",", None), (",", Some("."))];
const DATES: [&str; 4] = ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y"];
const TIMESTAMPS: [Option<&str>; 7] = [
    None,
    Some("%d/%m/%Y %H:%M:%S"),
    Some("%m/%d/%Y %H:%M:%S"),
    Some("%d/%m/%Y %H:%M"),
    Some("%m/%d/%Y %H:%M"),
    Some("%d.%m.%Y %H:%M:%S"),
    Some("%d.%m.%Y %H:%M"),
];

/// The cells of one column that are neither empty nor a null marker, and the markers among the others.
pub(super) struct Sampled<'a> {
    /// Text, whose type is to be found.
    pub cells: Vec<&'a str>,
    /// Those that have a type already.
    typed: Vec<Cell<'a>>,
    pub markers: Vec<&'a str>,
    pub empty: bool,
}

impl<'a> Sampled<'a> {
    pub fn new(column: impl Iterator<Item = Cell<'a>>, options: &ValueOptions) -> Self {
        let mut sampled = Self { cells: Vec::new(), typed: Vec::new(), markers: Vec::new(), empty: false };
        for cell in column {
            // What is no text makes a row damaged, and damaged rows are not sampled.
            let text = match cell {
                Cell::Text(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
                Cell::Null => "",
                typed => {
                    sampled.typed.push(typed);
                    continue;
                }
            };
            if text.is_empty() || options.nulls.iter().any(|null| null == text) {
                sampled.empty = true;
            } else if is_marker(text) {
                if !sampled.markers.contains(&text) {
                    sampled.markers.push(text);
                }
            } else {
                sampled.cells.push(text);
            }
        }
        sampled
    }

    /// The type that every cell has.
    pub fn column_type(&self, options: &ValueOptions) -> ColumnType {
        if self.is_bare_of_cells() {
            return ColumnType::Text;
        }
        let candidates =
            [ColumnType::Integer, ColumnType::Number, ColumnType::Boolean, ColumnType::Date, ColumnType::Timestamp];
        candidates.into_iter().find(|kind| self.is(*kind, options)).unwrap_or(ColumnType::Text)
    }

    fn is_bare_of_cells(&self) -> bool {
        self.cells.is_empty() && self.typed.is_empty()
    }

    /// Has every cell this type? A column without a cell has none.
    pub fn is(&self, kind: ColumnType, options: &ValueOptions) -> bool {
        if self.is_bare_of_cells() {
            return false;
        }
        let suits = match kind {
            ColumnType::Integer | ColumnType::Number => !self.cells.iter().any(|cell| is_code(cell)),
            ColumnType::Boolean => self.speaks_of_truth(),
            _ => true,
        };
        suits && self.typed_are(kind, options) && first_misfit(&self.cells, kind, options).is_none()
    }

    /// A whole number that is written with a fraction speaks of numbers, and 1 and 0 are no words for true and false
    /// where there are words.
    fn typed_are(&self, kind: ColumnType, options: &ValueOptions) -> bool {
        let Ok(parser) = Parser::new(kind, false, options) else { return false };
        let natural = |cell: &Cell<'a>| match (kind, cell) {
            (ColumnType::Integer, Cell::Literal(text)) => !text.iter().any(|b| matches!(b, b'.' | b'e' | b'E')),
            (ColumnType::Integer, Cell::Number(..)) => false,
            (ColumnType::Boolean, cell) => matches!(cell, Cell::Boolean(_)),
            _ => true,
        };
        self.typed.iter().all(|cell| natural(cell) && parser.fits(*cell))
    }

    /// Letters such as N alone may be a code; they are a boolean when both poles are there.
    fn speaks_of_truth(&self) -> bool {
        let has = |letter: &str| self.cells.iter().any(|cell| cell.trim().eq_ignore_ascii_case(letter));
        let letters = self.cells.iter().any(|cell| cell.trim().len() == 1);
        !letters || (has("t") && has("f")) || (has("y") && has("n"))
    }

    /// A type that nearly every cell has, and the first that has it not: a text column by accident, perhaps.
    pub fn nearly(&self, options: &ValueOptions) -> Option<(ColumnType, &'a str)> {
        if !self.typed.is_empty() || self.cells.len() < 10 || self.cells.iter().any(|cell| is_code(cell)) {
            return None;
        }
        for kind in [ColumnType::Number, ColumnType::Date, ColumnType::Timestamp] {
            let parser = Parser::new(kind, false, options).ok()?;
            let mut misfits = self.cells.iter().filter(|cell| parser.value(cell.as_bytes()).is_err());
            if let Some(first) = misfits.next()
                && (1 + misfits.count()) * 10 <= self.cells.len()
            {
                return Some((kind, first));
            }
        }
        None
    }

    /// Are the timestamps without a zone, so that the source's zone decides?
    pub fn is_bare(&self, options: &ValueOptions) -> bool {
        let in_zone = |zone: &str| {
            let options = ValueOptions { time_zone: Some(zone.to_owned()), ..options.clone() };
            let parser = Parser::new(ColumnType::Timestamp, false, &options).ok()?;
            match parser.value(self.cells.first()?.as_bytes()) {
                Ok(Value::Timestamp(at)) => Some(at),
                _ => None,
            }
        };
        in_zone("UTC") != in_zone("Asia/Kathmandu")
    }
}

fn first_misfit<'a>(cells: &[&'a str], kind: ColumnType, options: &ValueOptions) -> Option<&'a str> {
    let parser = Parser::new(kind, false, options).ok()?;
    cells.iter().find(|cell| parser.value(cell.as_bytes()).is_err()).copied()
}

pub(super) fn is_marker(cell: &str) -> bool {
    MARKERS.iter().any(|marker| marker.eq_ignore_ascii_case(cell.trim()))
}

/// Digits that are a name, not an amount: "007", "+33612345678", or more of them than a number holds.
fn is_code(cell: &str) -> bool {
    let cell = cell.trim();
    let digits = cell.strip_prefix('+').unwrap_or(cell);
    digits.bytes().all(|b| b.is_ascii_digit())
        && (cell.len() != digits.len() || (digits.len() > 1 && digits.starts_with('0')) || digits.len() > 18)
}

/// What could be told about the notation, for people.
#[derive(Default)]
pub(super) struct Doubts {
    /// Dates that read both as day/month and as month/day.
    pub day_or_month: bool,
}

/// Sets the notation that explains the most columns.
pub(super) fn settle_notation(columns: &[Sampled<'_>], options: &mut ValueOptions) -> Doubts {
    let mut doubts = Doubts::default();
    let count = |kind: ColumnType, options: &ValueOptions| columns.iter().filter(|c| c.is(kind, options)).count();

    let points = POINTS.map(|(point, group)| ValueOptions {
        decimal_point: point.to_owned(),
        group_separator: group.map(str::to_owned),
        ..options.clone()
    });
    *options = most(points, |tried| count(ColumnType::Number, tried));

    let dates = DATES.map(|format| ValueOptions { date_format: format.to_owned(), ..options.clone() });
    *options = most(dates, |tried| count(ColumnType::Date, tried));
    let timestamps =
        TIMESTAMPS.map(|format| ValueOptions { timestamp_format: format.map(str::to_owned), ..options.clone() });
    *options = most(timestamps, |tried| count(ColumnType::Timestamp, tried));

    let swap = |format: &str| format.replace("%d/%m", "%m/%d");
    let swapped = ValueOptions {
        date_format: swap(&options.date_format),
        timestamp_format: options.timestamp_format.as_deref().map(swap),
        ..options.clone()
    };
    if swapped != *options {
        let same = |kind| count(kind, options) == count(kind, &swapped);
        doubts.day_or_month = same(ColumnType::Date) && same(ColumnType::Timestamp);
    }
    doubts
}

/// The first of those that count the most.
fn most<const N: usize>(tried: [ValueOptions; N], count: impl Fn(&ValueOptions) -> usize) -> ValueOptions {
    let mut best = None;
    for options in tried {
        let votes = count(&options);
        if best.as_ref().is_none_or(|(most, _)| votes > *most) {
            best = Some((votes, options));
        }
    }
    best.map(|(_, options)| options).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(cells: &'a [&str]) -> impl Iterator<Item = Cell<'a>> {
        cells.iter().map(|cell| Cell::Text(cell.as_bytes()))
    }

    fn kind(cells: &[&str]) -> ColumnType {
        Sampled::new(texts(cells), &ValueOptions::default()).column_type(&ValueOptions::default())
    }

    #[test]
    fn columns_have_the_type_that_every_cell_has() {
        assert_eq!(kind(&["1", "", "20"]), ColumnType::Integer);
        assert_eq!(kind(&["1", "2.5", "1e3"]), ColumnType::Number);
        assert_eq!(kind(&["1", "NA"]), ColumnType::Integer);
        assert_eq!(kind(&["007", "12"]), ColumnType::Text);
        assert_eq!(kind(&["+33612345678"]), ColumnType::Text);
        assert_eq!(kind(&["12345678901234567890"]), ColumnType::Text);
        assert_eq!(kind(&["true", "FALSE"]), ColumnType::Boolean);
        assert_eq!(kind(&["Y", "N"]), ColumnType::Boolean);
        assert_eq!(kind(&["N", "N"]), ColumnType::Text);
        assert_eq!(kind(&["2026-11-22"]), ColumnType::Date);
        assert_eq!(kind(&["2026-11-22 10:00:00"]), ColumnType::Timestamp);
        assert_eq!(kind(&["2026-11-22", "soon"]), ColumnType::Text);
        assert_eq!(kind(&["", "NA"]), ColumnType::Text);
    }

    #[test]
    fn cells_that_have_a_type_say_it() {
        let kind = |cells: &[Cell<'_>]| {
            let options = ValueOptions::default();
            Sampled::new(cells.iter().copied(), &options).column_type(&options)
        };
        assert_eq!(kind(&[Cell::Literal(b"1"), Cell::Null]), ColumnType::Integer);
        assert_eq!(kind(&[Cell::Literal(b"1.0")]), ColumnType::Number);
        assert_eq!(kind(&[Cell::Literal(b"1"), Cell::Text(b"2.5")]), ColumnType::Number);
        assert_eq!(kind(&[Cell::Boolean(true)]), ColumnType::Boolean);
        assert_eq!(kind(&[Cell::Boolean(true), Cell::Literal(b"1")]), ColumnType::Text);
        assert_eq!(kind(&[Cell::Nested(b"[]")]), ColumnType::Text);
        assert_eq!(kind(&[Cell::Literal(b"12345678901234567890")]), ColumnType::Text);
        assert_eq!(kind(&[Cell::Text(b"2026-11-22")]), ColumnType::Date);
    }

    #[test]
    fn the_notation_that_explains_most_is_taken() {
        let settle = |cells: &[&str]| {
            let mut options = ValueOptions::default();
            let doubts = settle_notation(&[Sampled::new(texts(cells), &options.clone())], &mut options);
            (options, doubts.day_or_month)
        };
        assert_eq!(settle(&["12,5"]).0.decimal_point, ",");
        assert_eq!(settle(&["1,234.5"]).0.group_separator.as_deref(), Some(","));
        assert_eq!(settle(&["1.234,5"]).0.group_separator.as_deref(), Some("."));
        assert_eq!(settle(&["12.5"]).0, ValueOptions::default());
        assert_eq!((settle(&["22/11/2026"]).0.date_format.as_str(), settle(&["22/11/2026"]).1), ("%d/%m/%Y", false));
        assert_eq!((settle(&["11/22/2026"]).0.date_format.as_str(), settle(&["11/22/2026"]).1), ("%m/%d/%Y", false));
        assert_eq!((settle(&["01/02/2026"]).0.date_format.as_str(), settle(&["01/02/2026"]).1), ("%d/%m/%Y", true));
        assert_eq!(settle(&["22.11.2026 10:00"]).0.timestamp_format.as_deref(), Some("%d.%m.%Y %H:%M"));
    }
}
