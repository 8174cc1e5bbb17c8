//! All the ways in which a cell may be written, each tried on every cell. One file has one notation of numbers and one
//! order of dates, so each way knows which it belongs to.

use crate::formats::change::Change;
use crate::formats::column_type::ColumnType;
use crate::formats::parser::Parser;
use crate::formats::rows::Cell;
use crate::formats::value::Value;
use crate::formats::values::{Negative, ValueOptions};

/// Decimal points and group separators, the likelier first.
const POINTS: [(&str, Option<&str>); 8] = [
    (".", None),
    (".", Some(",")),
    (",", None),
    (",", Some(".")),
    (".", Some(" ")),
    (",", Some(" ")),
    (".", Some("'")),
    (",", Some("'")),
];
/// What stands beside amounts of money and shares.
const AFFIXES: [&str; 8] = ["$", "€", "£", "¥", "EUR", "USD", "GBP", "%"];

/// Which of its numbers a date says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Nobody can mistake it: a year of four digits first, or a month by its name.
    Plain,
    Day,
    Month,
    /// A year of two digits.
    Year,
}

const DATES: [(&str, Order); 21] = [
    ("%Y-%m-%d", Order::Plain),
    ("%Y/%m/%d", Order::Plain),
    ("%Y.%m.%d", Order::Plain),
    ("%d %b %Y", Order::Plain),
    ("%d-%b-%Y", Order::Plain),
    ("%d-%b-%y", Order::Plain),
    ("%b %d %Y", Order::Plain),
    ("%b %d, %Y", Order::Plain),
    ("%d/%m/%Y", Order::Day),
    ("%d.%m.%Y", Order::Day),
    ("%d-%m-%Y", Order::Day),
    ("%d/%m/%y", Order::Day),
    ("%d.%m.%y", Order::Day),
    ("%d-%m-%y", Order::Day),
    ("%m/%d/%Y", Order::Month),
    ("%m-%d-%Y", Order::Month),
    ("%m/%d/%y", Order::Month),
    ("%m-%d-%y", Order::Month),
    ("%y/%m/%d", Order::Year),
    ("%y-%m-%d", Order::Year),
    ("%y.%m.%d", Order::Year),
];
const TIMES: [&str; 4] = ["%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p"];

/// What a candidate is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Of the options that all have in common.
    Always,
    /// The number among the notations.
    Number(usize),
    Date(Order),
}

pub(super) struct Candidate {
    pub kind: ColumnType,
    pub way: Way,
    pub options: ValueOptions,
    pub parser: Parser,
    /// The candidate that reads less: while that reads all, so does this.
    pub plainer: Option<usize>,
}

/// The ways, in the order in which they are preferred.
pub(super) struct Candidates {
    pub list: Vec<Candidate>,
    pub notations: Vec<ValueOptions>,
    pub nulls: Vec<String>,
}

impl Candidates {
    /// Everything that files hold.
    pub fn all(base: &ValueOptions) -> Self {
        let mut all = Self { list: Vec::new(), notations: Vec::new(), nulls: base.nulls.clone() };
        let affixes: Vec<String> = AFFIXES.map(str::to_owned).to_vec();
        for (negative, affixes) in [(Negative::Leading, Vec::new()), (Negative::Any, affixes)] {
            for (point, group) in POINTS {
                let options = ValueOptions {
                    decimal_point: point.to_owned(),
                    group_separator: group.map(str::to_owned),
                    negative,
                    affixes: affixes.clone(),
                    ..base.clone()
                };
                let way = Way::Number(all.notations.len());
                all.push(ColumnType::Integer, way, &options);
                all.push(ColumnType::Number, way, &options);
                all.notations.push(options);
            }
        }
        all.push(ColumnType::Boolean, Way::Always, base);
        for (format, order) in DATES {
            let options = ValueOptions { date_format: format.to_owned(), ..base.clone() };
            all.push(ColumnType::Date, Way::Date(order), &options);
        }
        all.push(ColumnType::Timestamp, Way::Date(Order::Plain), base);
        for (format, order) in DATES {
            for time in TIMES {
                let format = Some(format!("{format} {time}"));
                let options = ValueOptions { timestamp_format: format, ..base.clone() };
                all.push(ColumnType::Timestamp, Way::Date(order), &options);
            }
        }
        all
    }

    /// What the options say, and nothing else.
    pub fn given(options: &ValueOptions) -> Self {
        let mut all = Self { list: Vec::new(), notations: vec![options.clone()], nulls: options.nulls.clone() };
        all.push(ColumnType::Integer, Way::Number(0), options);
        all.push(ColumnType::Number, Way::Number(0), options);
        all.push(ColumnType::Boolean, Way::Always, options);
        all.push(ColumnType::Date, Way::Date(Order::Plain), options);
        all.push(ColumnType::Timestamp, Way::Date(Order::Plain), options);
        all
    }

    fn push(&mut self, kind: ColumnType, way: Way, options: &ValueOptions) {
        // Options that cannot be used read nothing.
        if let Ok(parser) = Parser::new(kind, false, options) {
            let number = if let Way::Number(number) = way { number.checked_sub(POINTS.len()) } else { None };
            let is_plainer =
                |candidate: &Candidate| candidate.kind == kind && number.map(Way::Number) == Some(candidate.way);
            let plainer = self.list.iter().position(is_plainer);
            self.list.push(Candidate { kind, way, options: options.clone(), parser, plainer });
        }
    }
}

impl Candidate {
    /// The value of a cell, where it is written so.
    pub fn read<'a>(&self, cell: Cell<'a>) -> Option<Value<'a>> {
        if let Cell::Text(text) = cell {
            let mut noted = None;
            let value = self.parser.noting(text, &mut noted).ok();
            // A time that would lose some of its digits, or become another one, is none to guess at.
            return value.filter(|_| !matches!(noted, Some(Change::SecondDigits | Change::Time)));
        }
        // A whole number that is written with a fraction speaks of numbers, and 1 and 0 are no words for true and false
        // where there are words.
        let natural = match (self.kind, &cell) {
            (ColumnType::Integer, Cell::Literal(text)) => !text.iter().any(|b| matches!(b, b'.' | b'e' | b'E')),
            (ColumnType::Integer, Cell::Number(..)) => false,
            (ColumnType::Boolean, cell) => matches!(cell, Cell::Boolean(_)),
            _ => true,
        };
        if natural { self.parser.take(cell).ok() } else { None }
    }
}
