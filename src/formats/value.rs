//! A cell that is what its column holds, and its text again.

use std::io::Write as _;

use super::calendar;
use super::column_type::ColumnType;

/// A typed cell. Text borrows from the row it was read from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Empty,
    /// Text, and the key of an item of a Dimension list.
    Text(&'a str),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

/// Appends the text of a value as it stands in a page, an answer of the API or a CSV: a number in its shortest
/// form, a date as year-month-day, a timestamp in RFC 3339 UTC, a boolean as true or false, nothing for Empty.
/// A whole number is also read as what its column says, because a database hands dates and booleans back as such.
pub fn write_text(value: &Value<'_>, kind: ColumnType, out: &mut Vec<u8>) {
    match (*value, kind) {
        (Value::Empty, _) => {}
        (Value::Text(text), _) => out.extend_from_slice(text.as_bytes()),
        (Value::Integer(number), ColumnType::Boolean) => write_boolean(number != 0, out),
        (Value::Integer(days), ColumnType::Date) => {
            calendar::write_date(days.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32, out);
        }
        (Value::Integer(micros), ColumnType::Timestamp) => calendar::write_timestamp(micros, out),
        (Value::Integer(number), _) => write_shown(out, number),
        (Value::Number(number), _) => write_number(number, out),
        (Value::Boolean(truth), _) => write_boolean(truth, out),
        (Value::Date(days), _) => calendar::write_date(days, out),
        (Value::Timestamp(micros), _) => calendar::write_timestamp(micros, out),
    }
}

fn write_boolean(truth: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if truth { b"true" } else { b"false" });
}

/// The fewest digits that read back as the same double; very large and very small ones with an exponent.
fn write_number(number: f64, out: &mut Vec<u8>) {
    let size = number.abs();
    if number == 0.0 {
        out.push(b'0');
    } else if (1e-6..1e21).contains(&size) {
        write_shown(out, number);
    } else {
        write_shown(out, format_args!("{number:e}"));
    }
}

fn write_shown(out: &mut Vec<u8>, shown: impl std::fmt::Display) {
    // Writing to memory cannot fail.
    let _ = write!(out, "{shown}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Value<'_>, kind: ColumnType) -> String {
        let mut out = Vec::new();
        write_text(&value, kind, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_short_and_read_back() {
        for (number, shown) in
            [(12.5, "12.5"), (1000.0, "1000"), (-0.0, "0"), (0.1, "0.1"), (1e300, "1e300"), (2.5e-7, "2.5e-7")]
        {
            assert_eq!(text(Value::Number(number), ColumnType::Number), shown);
            assert_eq!(shown.parse::<f64>().unwrap(), number);
        }
        assert_eq!(text(Value::Number(10.357019999999999), ColumnType::Number), "10.357019999999999");
    }

    #[test]
    fn each_type_has_its_text() {
        assert_eq!(text(Value::Empty, ColumnType::Number), "");
        assert_eq!(text(Value::Text("as it is "), ColumnType::Text), "as it is ");
        assert_eq!(text(Value::Integer(-7), ColumnType::Integer), "-7");
        assert_eq!(text(Value::Boolean(true), ColumnType::Boolean), "true");
        assert_eq!(text(Value::Integer(0), ColumnType::Boolean), "false");
        assert_eq!(text(Value::Date(-1), ColumnType::Date), "1969-12-31");
        assert_eq!(text(Value::Integer(-1), ColumnType::Timestamp), "1969-12-31T23:59:59.999999Z");
        assert_eq!(text(Value::Timestamp(1_357_020_000_000_000), ColumnType::Timestamp), "2013-01-01T06:00:00Z");
    }
}
