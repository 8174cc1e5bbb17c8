//! How a cell that has a type already meets the type of its column. The rules:
//!
//! - Null, and a member that is not there, is empty. Null markers are asked for numbers too, by their text.
//! - Text is read as text of any other source is, by the source's value options.
//! - A number goes into an integer column only when it is whole and in 64 bits, however it is written (12, 12.0, 1e3);
//!   into a number column only when a double holds it, as number text does (see `number`). What would become another
//!   number is a fault, never changed in silence.
//! - 1 and 0 are also true and false, which is how SQLite keeps them.
//! - A number, true or false goes into a text column as it is written; true and false into a boolean column.
//! - An object or a list goes into a text column as JSON; bytes that are no text go nowhere.

use super::change::{Change, Noted, note};
use super::column_type::ColumnType;
use super::fault::{CellFault, FaultCode};
use super::number::{Numerals, digits};
use super::parser::Parser;
use super::rows::Cell;
use super::value::Value;

/// JSON's way to write numbers.
const PLAIN: Numerals = Numerals::PLAIN;

/// Above this a double does not hold every whole number.
const EXACT: i64 = 1 << 53;

impl Parser {
    /// The value of a cell, typed or not, or what is wrong with it.
    #[inline]
    pub fn take<'a>(&self, cell: Cell<'a>) -> Result<Value<'a>, CellFault> {
        self.take_noting(cell, &mut None)
    }

    /// The same, with what became of a cell that would not come back as it was written.
    #[inline]
    pub fn take_noting<'a>(&self, cell: Cell<'a>, noted: &mut Noted) -> Result<Value<'a>, CellFault> {
        match cell {
            Cell::Text(text) => self.noting(text, noted).map_err(|code| self.fault(code, text)),
            typed => self.typed(typed, noted).map_err(|code| self.fault(code, text_of(&typed))),
        }
    }

    fn typed<'a>(&self, cell: Cell<'a>, noted: &mut Noted) -> Result<Value<'a>, FaultCode> {
        use ColumnType as T;
        let kind = self.column_type();
        let text = text_of(&cell);
        if matches!(cell, Cell::Null) {
            return self.empty();
        }
        if matches!(cell, Cell::Literal(_) | Cell::Integer(..) | Cell::Number(..)) && self.is_empty(text) {
            return self.emptied(text, noted);
        }
        match (cell, kind) {
            (Cell::Binary(_), _) => Err(FaultCode::Binary),
            (Cell::Nested(json), T::Text) => as_text(json),
            (Cell::Nested(_), _) => Err(FaultCode::Nested),
            (Cell::Boolean(truth), T::Boolean) => Ok(Value::Boolean(truth)),
            (_, T::Text | T::Dimension) => as_text(text),
            (Cell::Integer(number, _), T::Integer) => Ok(Value::Integer(number)),
            (Cell::Integer(number, _), T::Number) => whole(number),
            (Cell::Number(number, _), T::Integer) => integer(number),
            (Cell::Number(number, _), T::Number) if number.is_finite() => Ok(Value::Number(number + 0.0)),
            (Cell::Literal(digits), T::Integer) => literal_integer(digits, noted),
            (Cell::Literal(digits), T::Number) => PLAIN.number(digits, noted).map(|number| Value::Number(number + 0.0)),
            (Cell::Literal(b"1") | Cell::Integer(1, _), T::Boolean) => Ok(Value::Boolean(true)),
            (Cell::Literal(b"0") | Cell::Integer(0, _), T::Boolean) => Ok(Value::Boolean(false)),
            (_, T::Integer) => Err(FaultCode::NotAnInteger),
            (_, T::Number) => Err(FaultCode::NotANumber),
            (_, T::Boolean) => Err(FaultCode::NotABoolean),
            (_, T::Date) => Err(FaultCode::NotADate),
            (_, T::Timestamp) => Err(FaultCode::NotATimestamp),
        }
    }
}

fn text_of<'a>(cell: &Cell<'a>) -> &'a [u8] {
    match *cell {
        Cell::Text(text) | Cell::Literal(text) | Cell::Nested(text) => text,
        Cell::Integer(_, text) | Cell::Number(_, text) => text,
        Cell::Boolean(true) => b"true",
        Cell::Boolean(false) => b"false",
        Cell::Null => b"",
        Cell::Binary(_) => b"bytes",
    }
}

fn as_text(bytes: &[u8]) -> Result<Value<'_>, FaultCode> {
    std::str::from_utf8(bytes).map(Value::Text).map_err(|_| FaultCode::NotInEncoding)
}

fn whole<'a>(number: i64) -> Result<Value<'a>, FaultCode> {
    // Doubling back tells: i64::MAX becomes 2^63 and back i64::MAX, so it is asked for apart.
    if (-EXACT..=EXACT).contains(&number) || (number != i64::MAX && number as f64 as i64 == number) {
        Ok(Value::Number(number as f64))
    } else {
        Err(FaultCode::TooPrecise)
    }
}

fn integer<'a>(number: f64) -> Result<Value<'a>, FaultCode> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    if !number.is_finite() {
        Err(FaultCode::NotAnInteger)
    } else if number.fract() != 0.0 {
        Err(FaultCode::NotWhole)
    } else if (-END..END).contains(&number) {
        Ok(Value::Integer(number as i64))
    } else {
        Err(FaultCode::TooLarge)
    }
}

fn literal_integer<'a>(literal: &[u8], noted: &mut Noted) -> Result<Value<'a>, FaultCode> {
    match PLAIN.integer(literal, noted) {
        Ok(number) => return Ok(Value::Integer(number)),
        Err(FaultCode::NotWhole) => {}
        Err(code) => return Err(code),
    }
    let (mut found, power) = digits(literal).ok_or(FaultCode::TooLarge)?;
    if found.is_empty() {
        return Ok(Value::Integer(0));
    }
    if power < 0 {
        return Err(FaultCode::NotWhole);
    }
    if power > 18 {
        return Err(FaultCode::TooLarge);
    }
    found.resize(found.len() + power as usize, b'0');
    if literal.starts_with(b"-") {
        found.insert(0, b'-');
    }
    if literal.iter().any(|byte| byte.eq_ignore_ascii_case(&b'e')) {
        note(noted, Change::Exponent);
    }
    PLAIN.integer(&found, &mut None).map(Value::Integer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::ValueOptions;

    fn take(kind: ColumnType, cell: Cell<'_>) -> Result<Value<'_>, FaultCode> {
        let options = ValueOptions { decimal_point: ",".into(), ..ValueOptions::default() };
        Parser::new(kind, false, &options).unwrap().take(cell).map_err(|fault| fault.code())
    }

    fn literal(kind: ColumnType, text: &str) -> Result<Value<'_>, FaultCode> {
        take(kind, Cell::Literal(text.as_bytes()))
    }

    #[test]
    fn what_becomes_of_a_number_is_noted_as_in_text() {
        for (kind, text, change) in [
            (ColumnType::Integer, "1e3", Some(Change::Exponent)),
            (ColumnType::Number, "1e3", Some(Change::Exponent)),
            (ColumnType::Integer, "12.0", None),
            (ColumnType::Integer, "12", None),
        ] {
            let mut noted = None;
            let parser = Parser::new(kind, false, &ValueOptions::default()).unwrap();
            parser.take_noting(Cell::Literal(text.as_bytes()), &mut noted).unwrap();
            assert_eq!(noted, change, "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_whole_however_they_are_written() {
        for (text, number) in [
            ("12", 12),
            ("12.0", 12),
            ("1e3", 1_000),
            ("-1.5E1", -15),
            ("0.0", 0),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("922337203685477580.7e1", i64::MAX),
        ] {
            assert_eq!(literal(ColumnType::Integer, text), Ok(Value::Integer(number)), "{text}");
        }
        for (text, code) in [
            ("12.5", FaultCode::NotWhole),
            ("1e-1", FaultCode::NotWhole),
            ("9223372036854775808", FaultCode::TooLarge),
            ("1e19", FaultCode::TooLarge),
        ] {
            assert_eq!(literal(ColumnType::Integer, text), Err(code), "{text}");
        }
        assert_eq!(take(ColumnType::Integer, Cell::Number(12.0, b"12.0")), Ok(Value::Integer(12)));
        assert_eq!(take(ColumnType::Integer, Cell::Number(9.3e18, b"9.3e18")), Err(FaultCode::TooLarge));
    }

    #[test]
    fn a_number_that_a_double_cannot_hold_is_not_changed_in_silence() {
        for text in [
            "0.1",
            "12.50",
            "1e3",
            "0.10000000000000001",
            "9007199254740992",
            "1e300",
            "100000000000000000000",
            "1152921504606846976",
            "10.357019999999999",
            "0.30000000000000004",
            "-0.0e-400",
            "5e-324",
        ] {
            assert_eq!(literal(ColumnType::Number, text), Ok(Value::Number(text.parse().unwrap())), "{text}");
        }
        for text in [
            "9007199254740993",
            "9007199254740993.0",
            "9007199254740993.5",
            "9.007199254740993e15",
            "0.30000000000000001",
            "1234567890123456789",
            "0.1234567890123456789",
            "1e-400",
        ] {
            assert_eq!(literal(ColumnType::Number, text), Err(FaultCode::TooPrecise), "{text}");
            let written = text.replace('.', ",");
            assert_eq!(take(ColumnType::Number, Cell::Text(written.as_bytes())), Err(FaultCode::TooPrecise), "{text}");
        }
        assert_eq!(take(ColumnType::Number, Cell::Integer(1 << 60, b"1")), Ok(Value::Number((1_i64 << 60) as f64)));
        assert_eq!(take(ColumnType::Number, Cell::Integer((1 << 53) + 1, b"1")), Err(FaultCode::TooPrecise));
        assert_eq!(take(ColumnType::Number, Cell::Integer(i64::MAX, b"1")), Err(FaultCode::TooPrecise));
    }

    #[test]
    fn other_types_meet_their_columns_by_the_rules() {
        use ColumnType as T;
        assert_eq!(take(T::Integer, Cell::Null), Ok(Value::Empty));
        assert_eq!(literal(T::Text, "12.50"), Ok(Value::Text("12.50")));
        assert_eq!(take(T::Text, Cell::Boolean(true)), Ok(Value::Text("true")));
        assert_eq!(take(T::Boolean, Cell::Boolean(false)), Ok(Value::Boolean(false)));
        assert_eq!(take(T::Boolean, Cell::Integer(1, b"1")), Ok(Value::Boolean(true)));
        assert_eq!(literal(T::Boolean, "2"), Err(FaultCode::NotABoolean));
        assert_eq!(take(T::Integer, Cell::Boolean(true)), Err(FaultCode::NotAnInteger));
        assert_eq!(literal(T::Date, "20260101"), Err(FaultCode::NotADate));
        assert_eq!(take(T::Number, Cell::Text(b"12,5")), Ok(Value::Number(12.5)));
        assert_eq!(take(T::Text, Cell::Nested(b"[1]")), Ok(Value::Text("[1]")));
        assert_eq!(take(T::Dimension, Cell::Nested(b"[1]")), Err(FaultCode::Nested));
        assert_eq!(take(T::Text, Cell::Binary(3)), Err(FaultCode::Binary));
    }
}
