//! From what all columns say to one notation for the file, a type for each column, and the questions that are left.

use serde::{Deserialize, Serialize};

use super::candidates::{Candidates, Order, Way};
use super::evidence::{Column, shown_as};
use crate::formats::column_type::ColumnType;
use crate::formats::values::ValueOptions;

/// What the source does not tell: a cell that reads in more than one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    pub about: About,
    /// The column in which the cell stands, and the cell.
    pub column: String,
    pub cell: String,
    /// The likelier first.
    pub readings: Vec<Reading>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Numbers,
    Dates,
}

/// One way to read the cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The value as Tidegate writes it.
    pub value: String,
    /// What to set for it.
    pub options: ValueOptions,
}

/// The columns with their names; `said`: one that is of the type in question because somebody says so.
#[derive(Clone, Copy)]
struct Seen<'a> {
    columns: &'a [Column],
    names: &'a [String],
    candidates: &'a Candidates,
    said: Option<usize>,
}

/// Sets the notation that explains the most columns, and says what cannot be told.
pub(super) fn settle(
    columns: &[Column],
    names: &[String],
    candidates: &Candidates,
    options: &mut ValueOptions,
) -> Vec<Question> {
    let seen = Seen { columns, names, candidates, said: None };
    let mut questions = Vec::new();
    questions.extend(settle_numbers(seen, options));
    questions.extend(settle_dates(seen, options));
    questions
}

/// What must be asked once somebody says that a column of text holds numbers or dates after all: saying so tells nothing
/// about separators and the order of days and months.
pub(super) fn if_said(
    columns: &[Column],
    names: &[String],
    candidates: &Candidates,
    options: &ValueOptions,
) -> Vec<Question> {
    let mut questions = Vec::new();
    for (i, column) in columns.iter().enumerate() {
        if column.has_doubts() && type_of(column, candidates, options).0 == ColumnType::Text {
            let seen = Seen { columns, names, candidates, said: Some(i) };
            questions.extend(settle_numbers(seen, &mut options.clone()));
            questions.extend(settle_dates(seen, &mut options.clone()));
        }
    }
    questions
}

impl<'a> Seen<'a> {
    fn fits(&self, column: usize, i: usize) -> bool {
        let fits = if self.said == Some(column) { Column::nearest } else { Column::fits };
        fits(&self.columns[column], i, self.candidates)
    }

    fn count(&self, i: usize) -> usize {
        (0..self.columns.len()).filter(|column| self.fits(*column, i)).count()
    }

    /// The first column with a cell that both read, and differently; of one that somebody speaks of, that one.
    fn doubt(&self, one: usize, other: usize) -> Option<(usize, &'a str)> {
        let both = |column: &usize| {
            self.said.is_none_or(|said| said == *column) && self.fits(*column, one) && self.fits(*column, other)
        };
        let mut columns = (0..self.columns.len()).filter(both);
        columns.find_map(|column| Some((column, self.columns[column].doubt(one, other, self.candidates)?)))
    }
}

fn settle_numbers(seen: Seen<'_>, options: &mut ValueOptions) -> Option<Question> {
    let Seen { names, candidates, .. } = seen;
    let of = |number: usize| {
        let is_it = |c: &super::candidates::Candidate| c.kind == ColumnType::Number && c.way == Way::Number(number);
        candidates.list.iter().position(is_it)
    };
    let ways: Vec<(usize, usize, usize)> =
        (0..candidates.notations.len()).filter_map(|number| of(number).map(|i| (number, i, seen.count(i)))).collect();
    let most = ways.iter().map(|(.., votes)| *votes).max().filter(|most| *most > 0)?;
    let (number, best, _) = *ways.iter().find(|(.., votes)| *votes == most)?;
    let set = |number: usize, base: &ValueOptions| {
        let notation = &candidates.notations[number];
        ValueOptions {
            decimal_point: notation.decimal_point.clone(),
            group_separator: notation.group_separator.clone(),
            negative: notation.negative,
            affixes: notation.affixes.clone(),
            ..base.clone()
        }
    };
    let rivals = ways.iter().filter(|(other, _, votes)| *votes == most && *other != number);
    let found = rivals.clone().find_map(|(_, i, _)| seen.doubt(best, *i));
    *options = set(number, options);
    let (column, cell) = found?;
    let mut readings = vec![Reading { value: shown_as(&candidates.list[best], cell), options: options.clone() }];
    for (other, i, _) in rivals {
        let value = shown_as(&candidates.list[*i], cell);
        if !value.is_empty() && readings.iter().all(|reading| reading.value != value) {
            readings.push(Reading { value, options: set(*other, options) });
        }
    }
    Some(Question { about: About::Numbers, column: names[column].clone(), cell: cell.to_owned(), readings })
}

/// What an order of dates makes of the file.
struct Dated {
    date: Option<usize>,
    timestamp: Option<usize>,
    votes: usize,
}

fn settle_dates(seen: Seen<'_>, options: &mut ValueOptions) -> Option<Question> {
    let Seen { names, candidates, .. } = seen;
    let best_of = |kind: ColumnType, order: Order| {
        let belongs = |way: Way| way == Way::Date(order) || way == Way::Date(Order::Plain);
        let mut best: Option<(usize, usize)> = None;
        for (i, _) in candidates.list.iter().enumerate().filter(|(_, c)| c.kind == kind && belongs(c.way)) {
            let votes = seen.count(i);
            if votes > 0 && best.is_none_or(|(_, most)| votes > most) {
                best = Some((i, votes));
            }
        }
        best
    };
    let dated: Vec<Dated> = [Order::Day, Order::Month, Order::Year]
        .into_iter()
        .map(|order| {
            let (date, timestamp) = (best_of(ColumnType::Date, order), best_of(ColumnType::Timestamp, order));
            let votes = |found: Option<(usize, usize)>| found.map_or(0, |(_, votes)| votes);
            Dated {
                date: date.map(|(i, _)| i),
                timestamp: timestamp.map(|(i, _)| i),
                votes: votes(date) + votes(timestamp),
            }
        })
        .collect();
    let most = dated.iter().map(|dated| dated.votes).max().filter(|most| *most > 0)?;
    let set = |dated: &Dated, base: &ValueOptions| {
        let mut options = base.clone();
        if let Some(i) = dated.date {
            options.date_format.clone_from(&candidates.list[i].options.date_format);
        }
        if let Some(i) = dated.timestamp {
            options.timestamp_format.clone_from(&candidates.list[i].options.timestamp_format);
        }
        options
    };
    let mut likely = dated.iter().filter(|dated| dated.votes == most);
    let best = likely.next()?;
    let pairs = |other: &Dated| [best.date.zip(other.date), best.timestamp.zip(other.timestamp)];
    let doubt_with = |other: &Dated| {
        let mut found = pairs(other).into_iter().flatten().filter(|(one, two)| one != two);
        found.find_map(|(one, two)| seen.doubt(one, two).map(|(column, cell)| (column, cell, one, two)))
    };
    let rivals: Vec<&Dated> = likely.collect();
    let before = options.clone();
    *options = set(best, options);
    let (column, cell, one, _) = rivals.iter().find_map(|other| doubt_with(other))?;
    let kind = candidates.list[one].kind;
    let mut readings = vec![Reading { value: shown_as(&candidates.list[one], cell), options: options.clone() }];
    for other in rivals {
        let Some(i) = (if kind == ColumnType::Date { other.date } else { other.timestamp }) else { continue };
        let value = shown_as(&candidates.list[i], cell);
        if !value.is_empty() && readings.iter().all(|reading| reading.value != value) {
            readings.push(Reading { value, options: set(other, &before) });
        }
    }
    Some(Question { about: About::Dates, column: names[column].clone(), cell: cell.to_owned(), readings })
}

/// The type of a column under the options that were settled, with the candidate that reads it.
pub(super) fn type_of(column: &Column, candidates: &Candidates, options: &ValueOptions) -> (ColumnType, Option<usize>) {
    let found = under(candidates, options).into_iter().find(|i| column.fits(*i, candidates));
    (found.map_or(ColumnType::Text, |i| candidates.list[i].kind), found)
}

/// The candidates that hold under the options, in the order of their types.
pub(super) fn under(candidates: &Candidates, options: &ValueOptions) -> Vec<usize> {
    let kinds = [ColumnType::Integer, ColumnType::Number, ColumnType::Boolean, ColumnType::Date, ColumnType::Timestamp];
    let holds = |kind: ColumnType, of: &ValueOptions| match kind {
        ColumnType::Integer | ColumnType::Number => {
            (&of.decimal_point, &of.group_separator, of.negative, &of.affixes)
                == (&options.decimal_point, &options.group_separator, options.negative, &options.affixes)
        }
        ColumnType::Date => of.date_format == options.date_format,
        ColumnType::Timestamp => of.timestamp_format == options.timestamp_format,
        _ => true,
    };
    let of_kind = |kind: ColumnType| candidates.list.iter().position(|c| c.kind == kind && holds(kind, &c.options));
    kinds.into_iter().filter_map(of_kind).collect()
}
