//! Cells of one mapped column to values. Built once per column and run; called once per cell.

use chrono_tz::Tz;

use super::calendar;
use super::change::{Change, Noted, note};
use super::column_type::ColumnType;
use super::fault::{CellFault, FaultCode, quoted};
use super::number::Numerals;
use super::value::Value;
use super::values::{Notation, ValueOptions};
use crate::error::FieldErrors;

/// Reads the cells of one column.
pub struct Parser {
    column_type: ColumnType,
    required: bool,
    nulls: Vec<Box<[u8]>>,
    longest_null: usize,
    numerals: Numerals,
    notation: Notation,
    zone: Tz,
}

impl Parser {
    /// A column of this type, read as the options say. `required`: an empty cell is a fault.
    pub fn new(column_type: ColumnType, required: bool, options: &ValueOptions) -> Result<Self, FieldErrors> {
        let mut notation = options.notation()?;
        // A word that means nothing elsewhere may be a word in text: there only the column's own markers count.
        let nulls = if column_type == ColumnType::Text { Vec::new() } else { std::mem::take(&mut notation.nulls) };
        Ok(Self {
            column_type,
            required,
            longest_null: nulls.iter().map(|n| n.len()).max().unwrap_or(0),
            nulls,
            numerals: notation.numerals.clone(),
            zone: notation.zone,
            notation,
        })
    }

    /// The same with null markers of the column's own, which the source's give way to.
    pub fn with_nulls(mut self, nulls: Option<&[String]>) -> Self {
        if let Some(nulls) = nulls {
            self.nulls = nulls.iter().map(|null| null.as_bytes().into()).collect();
            self.longest_null = self.nulls.iter().map(|n| n.len()).max().unwrap_or(0);
        }
        self
    }

    pub fn column_type(&self) -> ColumnType {
        self.column_type
    }

    /// The value of a cell, or what is wrong with it.
    #[inline]
    pub fn parse<'a>(&self, cell: &'a [u8]) -> Result<Value<'a>, CellFault> {
        self.value(cell).map_err(|code| self.fault(code, cell))
    }

    /// The value of a cell, or only the cause: for looking at many cells of which most may be wrong.
    pub(super) fn value<'a>(&self, cell: &'a [u8]) -> Result<Value<'a>, FaultCode> {
        self.noting(cell, &mut None)
    }

    /// The same, with what became of the text of a cell that would not come back as it was written.
    #[inline]
    pub(super) fn noting<'a>(&self, cell: &'a [u8], noted: &mut Noted) -> Result<Value<'a>, FaultCode> {
        if self.is_empty(cell) {
            return self.emptied(cell, noted);
        }
        if let ColumnType::Text | ColumnType::Dimension = self.column_type {
            return std::str::from_utf8(cell).map(Value::Text).map_err(|_| FaultCode::NotInEncoding);
        }
        let trimmed = cell.trim_ascii();
        if trimmed.len() != cell.len() {
            if self.is_empty(trimmed) {
                return self.emptied(trimmed, noted);
            }
            note(noted, Change::Spaces);
        }
        match self.column_type {
            ColumnType::Integer => self.numerals.integer(trimmed, noted).map(Value::Integer),
            // Zero has no sign that both databases keep.
            ColumnType::Number => self.numerals.number(trimmed, noted).map(|number| Value::Number(number + 0.0)),
            ColumnType::Boolean => boolean(trimmed).map(Value::Boolean).ok_or(FaultCode::NotABoolean),
            ColumnType::Date => self.date(trimmed).map(Value::Date),
            ColumnType::Timestamp => self.timestamp(trimmed, noted).map(Value::Timestamp),
            ColumnType::Text | ColumnType::Dimension => Err(FaultCode::NotInEncoding),
        }
    }

    #[inline]
    pub(super) fn is_empty(&self, cell: &[u8]) -> bool {
        cell.is_empty() || (cell.len() <= self.longest_null && self.nulls.iter().any(|null| **null == *cell))
    }

    /// The value of a cell that means empty: what is written there is lost.
    pub(super) fn emptied<'a>(&self, cell: &[u8], noted: &mut Noted) -> Result<Value<'a>, FaultCode> {
        if !cell.is_empty() {
            note(noted, Change::NullMarker);
        }
        self.empty()
    }

    pub(super) fn empty<'a>(&self) -> Result<Value<'a>, FaultCode> {
        if self.required { Err(FaultCode::Missing) } else { Ok(Value::Empty) }
    }

    fn date(&self, cell: &[u8]) -> Result<i32, FaultCode> {
        match &self.notation.date_items {
            Some(items) => calendar::date_by(items, std::str::from_utf8(cell).map_err(|_| FaultCode::NotADate)?),
            None => calendar::iso_date(cell).or_else(|| calendar::loose_iso_date(cell)).ok_or(FaultCode::NotADate),
        }
    }

    fn timestamp(&self, cell: &[u8], noted: &mut Noted) -> Result<i64, FaultCode> {
        match &self.notation.timestamp_items {
            Some(items) => {
                let text = std::str::from_utf8(cell).map_err(|_| FaultCode::NotATimestamp)?;
                calendar::timestamp_by(items, text, self.zone, noted)
            }
            None => calendar::rfc3339(cell, self.zone, noted),
        }
    }

    #[cold]
    pub(super) fn fault(&self, code: FaultCode, cell: &[u8]) -> CellFault {
        let shown = quoted(cell);
        let point = char::from(self.numerals.point);
        let null = "if it means empty, add it to the null markers.";
        let (reason, advice) = match code {
            FaultCode::Missing if cell.is_empty() => {
                ("The cell is empty. A value is required here.".to_owned(), "Fill it in.".to_owned())
            }
            FaultCode::Missing => (
                format!("{shown} means empty. A value is required here."),
                "Fill it in, or remove it from the null markers.".to_owned(),
            ),
            FaultCode::NotANumber => (
                format!("{shown} is not a number. Expected something like 12{point}5."),
                if looks_numeric(cell) {
                    format!(
                        "Write it like that, or check the source's decimal point (now {point}) and group separator."
                    )
                } else {
                    format!("Correct it; {null}")
                },
            ),
            FaultCode::NotAnInteger => (
                format!("{shown} is not an integer. Expected something like 12."),
                if looks_numeric(cell) {
                    "Write it like that, or check the source's group separator.".to_owned()
                } else {
                    format!("Correct it; {null}")
                },
            ),
            FaultCode::NotWhole => (
                format!("{shown} is a number, but not an integer. Expected something like 12."),
                "Write it without a decimal point or exponent, or make the column a number.".to_owned(),
            ),
            FaultCode::TooLarge => (
                format!("{shown} is too large for a column of type {}.", self.column_type),
                "If it is an identifier, make the column text.".to_owned(),
            ),
            FaultCode::NotABoolean => (
                format!("{shown} is neither true nor false. Expected true, false, yes, no, 1 or 0."),
                format!("Correct it; {null}"),
            ),
            FaultCode::NotADate => {
                let example = calendar::example(self.notation.date_items.as_deref(), "2026-11-22");
                let format = &self.notation.date_format;
                (
                    format!("{shown} is not a date. Expected something like {example}."),
                    format!("Correct it, or check the source's date format (now {format}); {null}"),
                )
            }
            FaultCode::NotATimestamp => {
                let example = calendar::example(self.notation.timestamp_items.as_deref(), "2026-11-22T18:30:00Z");
                let format = self.notation.timestamp_format.as_deref().unwrap_or("RFC 3339");
                (
                    format!("{shown} is not a timestamp. Expected something like {example}."),
                    format!("Correct it, or check the source's timestamp format (now {format}); {null}"),
                )
            }
            FaultCode::OutOfCalendar => (
                format!("{shown} is outside the calendar. Expected a year from 0001 to 9999."),
                "Correct the year.".to_owned(),
            ),
            FaultCode::NotInEncoding => (
                format!("{shown} contains bytes that are not in the file's encoding."),
                "Set the source's encoding to the one the file was written in, such as windows-1252.".to_owned(),
            ),
            FaultCode::TooPrecise => (
                format!("{shown} has more digits than a column of type number can hold, so it would be changed."),
                "Make the column an integer or text, or round the number at the source.".to_owned(),
            ),
            FaultCode::Nested => (
                format!("{shown} is an object or a list. A column of type {} takes one value.", self.column_type),
                "Send a single value, or make the column text, which keeps it as JSON.".to_owned(),
            ),
            FaultCode::TooLong => (format!("{shown} is too long."), "Shorten it.".to_owned()),
            FaultCode::NotTranslated => {
                (format!("{shown} is not in the translation table."), "Add it to the table.".to_owned())
            }
            FaultCode::Binary => (
                "The cell contains bytes that are not text.".to_owned(),
                "Convert it to text in the query, such as with hex(), or leave the column out.".to_owned(),
            ),
        };
        CellFault::new(code, reason, advice)
    }
}

/// Digits with marks between them: a number in another country's hand.
fn looks_numeric(cell: &[u8]) -> bool {
    cell.iter().any(u8::is_ascii_digit)
        && cell.iter().all(|b| b.is_ascii_digit() || b" .,'-+".contains(b) || *b >= 0x80)
}

fn boolean(cell: &[u8]) -> Option<bool> {
    const TRUE: [&[u8]; 5] = [b"true", b"1", b"yes", b"t", b"y"];
    const FALSE: [&[u8]; 5] = [b"false", b"0", b"no", b"f", b"n"];
    let is = |word: &&[u8]| cell.eq_ignore_ascii_case(word);
    if TRUE.iter().any(is) {
        Some(true)
    } else if FALSE.iter().any(is) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parser(kind: ColumnType, required: bool) -> Parser {
        let nulls = vec![String::new(), "NA".to_owned()];
        Parser::new(kind, required, &ValueOptions { nulls, ..ValueOptions::default() }).unwrap()
    }

    #[test]
    fn null_markers_and_the_empty_cell_are_empty_for_every_type_but_text() {
        assert_eq!(parser(ColumnType::Text, false).parse(b"NA"), Ok(Value::Text("NA")));
        let own = parser(ColumnType::Text, false).with_nulls(Some(&["n/a".to_owned()]));
        assert_eq!((own.parse(b"n/a"), own.parse(b"NA")), (Ok(Value::Empty), Ok(Value::Text("NA"))));
        for kind in ColumnType::ALL {
            for cell in ["", "NA"].into_iter().filter(|cell| cell.is_empty() || kind != ColumnType::Text) {
                assert_eq!(parser(kind, false).parse(cell.as_bytes()), Ok(Value::Empty), "{kind}");
                let fault = parser(kind, true).parse(cell.as_bytes()).unwrap_err();
                assert_eq!(fault.code(), FaultCode::Missing);
            }
        }
        let strict = ValueOptions { nulls: Vec::new(), ..ValueOptions::default() };
        assert_eq!(Parser::new(ColumnType::Text, false, &strict).unwrap().parse(b""), Ok(Value::Empty));
        assert_eq!(parser(ColumnType::Number, false).parse(b" NA "), Ok(Value::Empty));
        assert_eq!(parser(ColumnType::Text, false).parse(b" NA "), Ok(Value::Text(" NA ")));
    }

    #[test]
    fn each_type_reads_its_own() {
        assert_eq!(parser(ColumnType::Text, false).parse(b" a "), Ok(Value::Text(" a ")));
        assert_eq!(parser(ColumnType::Integer, false).parse(b" 12 "), Ok(Value::Integer(12)));
        assert_eq!(parser(ColumnType::Number, false).parse(b"1e3"), Ok(Value::Number(1000.0)));
        assert_eq!(parser(ColumnType::Boolean, false).parse(b"YES"), Ok(Value::Boolean(true)));
        assert_eq!(parser(ColumnType::Boolean, false).parse(b"f"), Ok(Value::Boolean(false)));
        assert_eq!(parser(ColumnType::Date, false).parse(b"1970-01-02"), Ok(Value::Date(1)));
        assert_eq!(parser(ColumnType::Date, false).parse(b"1970-1-2"), Ok(Value::Date(1)));
        assert_eq!(
            parser(ColumnType::Timestamp, false).parse(b"1970-01-01T00:00:01Z"),
            Ok(Value::Timestamp(1_000_000))
        );
    }

    #[test]
    fn faults_say_what_was_expected_and_what_to_do() {
        let fault = Parser::new(ColumnType::Number, false, &ValueOptions::default()).unwrap().parse(b"NA").unwrap_err();
        assert_eq!(fault.code().as_str(), "not_a_number");
        assert_eq!(fault.reason(), "\"NA\" is not a number. Expected something like 12.5.");
        assert_eq!(fault.advice(), "Correct it; if it means empty, add it to the null markers.");
        let fault = parser(ColumnType::Number, false).parse(b"12,5").unwrap_err();
        assert!(fault.advice().contains("decimal point"), "{fault}");
        let french = ValueOptions { date_format: "%d/%m/%Y".to_owned(), ..ValueOptions::default() };
        let fault = Parser::new(ColumnType::Date, false, &french).unwrap().parse(b"2026-11-22").unwrap_err();
        assert!(fault.reason().contains("22/11/2026"), "{fault}");
        let long = vec![b'x'; 500];
        assert!(parser(ColumnType::Integer, false).parse(&long).unwrap_err().reason().len() < 150);
    }

    #[test]
    fn words_that_are_nearly_right_are_refused() {
        assert_eq!(parser(ColumnType::Integer, false).parse(b"12.0").unwrap_err().code(), FaultCode::NotWhole);
        assert_eq!(parser(ColumnType::Date, false).parse(b"2026-02-30").unwrap_err().code(), FaultCode::NotADate);
        assert_eq!(parser(ColumnType::Boolean, false).parse(b"maybe").unwrap_err().code(), FaultCode::NotABoolean);
        assert_eq!(parser(ColumnType::Text, false).parse(b"\xff").unwrap_err().code(), FaultCode::NotInEncoding);
    }
}
