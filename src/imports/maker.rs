//! Makes a cell of a Block out of a row of the source, where its line of the mapping does more than read a column.

use std::sync::Arc;

use super::mapping::{Expr, Mapping};
use super::transform::{Case, Part, Transform};
use crate::applications::blocks::{Column, Unit, period};
use crate::error::FieldErrors;
use crate::formats::{Cell, CellFault, ColumnType, FaultCode, Noted, Parser, Record, Value, ValueOptions};
use crate::translations::{Otherwise, Translation};

/// The longest text of a cell, in bytes.
const MAX_MADE: usize = 64 * 1024;

/// Made once per column and load.
pub struct Maker {
    pieces: Vec<Piece>,
    transform: Transform,
    /// By which values become others.
    table: Option<Arc<Translation>>,
    column_type: ColumnType,
    /// Reads what is there; an empty cell is empty.
    parser: Parser,
    /// Reads what an empty one becomes, or says that a value is required where one is.
    last: Parser,
    /// Reads a date where a time is written, which is another day in another zone.
    moment: Parser,
    values: ValueOptions,
}

enum Piece {
    /// The cell at this index of the row.
    Cell(usize),
    Text(String),
}

impl Maker {
    /// Of a line that does something; `None`: the cell of its column is read as it is. `place` finds a column of the source.
    pub fn of(
        line: &Mapping,
        column: &Column,
        values: &ValueOptions,
        table: Option<Arc<Translation>>,
        place: impl Fn(&str) -> Option<usize>,
    ) -> Result<Option<Self>, FieldErrors> {
        let pieces = match &line.fills {
            Expr::Column(name) if !line.transform.is_none() => place(name).map(Piece::Cell).into_iter().collect(),
            Expr::Join(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Column(name) => place(name).map(Piece::Cell),
                    Part::Text(text) => Some(Piece::Text(text.clone())),
                })
                .collect(),
            _ => return Ok(None),
        };
        let read_as = line.transform.read_as(column.column_type);
        let parser =
            |kind, required| Parser::new(kind, required, values).map(|parser| parser.with_nulls(line.nulls.as_deref()));
        Ok(Some(Self {
            pieces,
            transform: line.transform.clone(),
            table,
            column_type: column.column_type,
            parser: parser(read_as, false)?,
            last: parser(column.column_type, column.must_be_filled())?,
            moment: parser(ColumnType::Timestamp, false)?,
            values: values.clone(),
        }))
    }

    /// The cells of the row that it reads.
    pub fn cells(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Cell(index) => Some(*index),
            Piece::Text(_) => None,
        })
    }

    /// What is read, as people see it beside what becomes of it.
    pub fn came(&self, record: &Record) -> String {
        let mut text = String::new();
        self.join(record, &mut text);
        text
    }

    /// The value of the column in this row. Text that is made stands in `made`.
    pub fn make<'a>(
        &'a self,
        record: &'a Record,
        made: &'a mut String,
        noted: &mut Noted,
    ) -> Result<Value<'a>, CellFault> {
        made.clear();
        let of_text = self.transform.is_of_text() || self.pieces.len() != 1;
        if of_text {
            self.join(record, made);
            self.reword(made)?;
            if made.len() > MAX_MADE {
                let reason = "The text that is made here is longer than 64 KiB.".to_owned();
                return Err(CellFault::new(FaultCode::TooLong, reason, "Shorten what it is made of.".to_owned()));
            }
        }
        let value = match self.transform.period {
            Some(unit) => self.period(record, of_text, unit, made, noted)?,
            None => self.read(record, of_text, made, noted)?,
        };
        match (value, &self.transform.default) {
            (Value::Empty, default) => self.last.parse(default.as_deref().unwrap_or_default().as_bytes()),
            (value, _) if self.transform.negate => self.negated(value),
            (value, _) => Ok(value),
        }
    }

    /// What the cell, or the text that was made of it, says.
    fn read<'a>(
        &'a self,
        record: &'a Record,
        of_text: bool,
        made: &'a str,
        noted: &mut Noted,
    ) -> Result<Value<'a>, CellFault> {
        match self.pieces.as_slice() {
            // What has a type keeps it where nothing was made of its text.
            [Piece::Cell(index)] if !of_text || record.field(*index) == made.as_bytes() => {
                self.parser.take_noting(record.cell(*index), noted)
            }
            _ => self.parser.take_noting(Cell::Text(made.as_bytes()), noted),
        }
    }

    /// A value of the source as a translation table is asked for it, and as null markers meet it.
    pub fn reworded(transform: &Transform, value: &str) -> String {
        let text = if transform.trim { value.trim_matches(is_blank) } else { value };
        match transform.case {
            None => text.to_owned(),
            Some(Case::Upper) => text.to_uppercase(),
            Some(Case::Lower) => text.to_lowercase(),
            Some(Case::Title) => titled(text),
        }
    }

    fn join(&self, record: &Record, text: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Cell(index) => text.push_str(&record.text(*index)),
                Piece::Text(piece) => text.push_str(piece),
            }
        }
    }

    /// Trim, then case, then translation.
    fn reword(&self, text: &mut String) -> Result<(), CellFault> {
        if self.transform.trim || self.transform.case.is_some() {
            *text = Self::reworded(&self.transform, text);
        }
        let Some(table) = &self.table else { return Ok(()) };
        match (table.entries.get(text.as_str()), table.otherwise) {
            (Some(other), _) => text.clone_from(other),
            (None, Otherwise::Keep) => {}
            (None, Otherwise::Empty) => text.clear(),
            (None, Otherwise::Reject) if text.is_empty() => {}
            (None, Otherwise::Reject) => {
                let reason = format!("\"{}\" is not in the translation table \"{}\".", cut(text), table.name);
                let advice = "Add it to that table, or correct the cell.".to_owned();
                return Err(CellFault::new(FaultCode::NotTranslated, reason, advice));
            }
        }
        Ok(())
    }

    fn period<'a>(
        &'a self,
        record: &'a Record,
        of_text: bool,
        unit: Unit,
        made: &'a mut String,
        noted: &mut Noted,
    ) -> Result<Value<'a>, CellFault> {
        let day = match self.day(record, of_text, made, noted)? {
            Some(day) => day,
            None => return Ok(Value::Empty),
        };
        let begins = self.transform.year_begins.unwrap_or(1);
        let outside = || {
            let reason = "The period of this date begins before the year 0001.".to_owned();
            CellFault::new(FaultCode::OutOfCalendar, reason, "Correct the year.".to_owned())
        };
        let first = period::first_day(unit, begins, day).ok_or_else(outside)?;
        if self.column_type == ColumnType::Date {
            return Ok(Value::Date(first));
        }
        *made = period::name(unit, begins, day).ok_or_else(outside)?;
        Ok(Value::Text(made))
    }

    /// The day that the cell says; none where it is empty.
    fn day(&self, record: &Record, of_text: bool, made: &str, noted: &mut Noted) -> Result<Option<i32>, CellFault> {
        let fault = match self.read(record, of_text, made, noted) {
            Ok(Value::Date(day)) => return Ok(Some(day)),
            Ok(_) => return Ok(None),
            Err(fault) => fault,
        };
        let moment = match self.pieces.as_slice() {
            [Piece::Cell(index)] if !of_text => self.moment.take_noting(record.cell(*index), noted),
            _ => self.moment.take_noting(Cell::Text(made.as_bytes()), noted),
        };
        let Ok(Value::Timestamp(micros)) = moment else { return Err(fault) };
        Ok(Some(self.values.day_of(micros)))
    }

    fn negated<'a>(&self, value: Value<'a>) -> Result<Value<'a>, CellFault> {
        Ok(match value {
            // Zero has no sign that both databases keep.
            Value::Number(number) => Value::Number(-number + 0.0),
            Value::Integer(number) => Value::Integer(number.checked_neg().ok_or_else(|| {
                let reason = format!("{number} with its sign flipped is too large for a column of type integer.");
                CellFault::new(FaultCode::TooLarge, reason, "Make the column a number.".to_owned())
            })?),
            value => value,
        })
    }
}

/// Space of every kind, and what nobody sees.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}')
}

/// The first letter of each word large, the others small.
fn titled(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut within = false;
    for c in text.chars() {
        if !c.is_alphanumeric() {
            titled.push(c);
        } else if within {
            titled.extend(c.to_lowercase());
        } else {
            titled.extend(c.to_uppercase());
        }
        // The s of "it's" begins no word.
        within = c.is_alphanumeric() || (within && matches!(c, '\'' | '’'));
    }
    titled
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}
