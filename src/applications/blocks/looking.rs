//! How somebody looks at the rows of a Block: searched, filtered by columns, sorted. What people type becomes a [`Look`]
//! here, or a word about why it does not.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime};

use super::model::{Block, Column};
use super::store::rows::Cell;
use crate::db::text_enum;
use crate::formats::ColumnType;

/// The longest text to search for.
pub const MOST_CHARS: usize = 1_000;

text_enum! {
    /// What is asked of a column.
    pub enum Asks {
        Is = "is",
        Contains = "contains",
        Range = "range",
        Empty = "empty",
        Filled = "filled",
    }
}

impl Asks {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::Contains => "contains",
            Self::Range => "is from … to",
            Self::Empty => "is empty",
            Self::Filled => "is not empty",
        }
    }
}

/// The rows that are looked at, and in which order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// Somewhere in a text of the row.
    pub search: String,
    pub filters: Vec<Filter>,
    pub sort: Option<Sort>,
}

impl Look {
    /// Whether it leaves out no row.
    pub fn is_whole(&self) -> bool {
        self.search.is_empty() && self.filters.is_empty()
    }
}

/// By a column, and by the order of loading where it is the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    pub column: Column,
    pub descending: bool,
}

/// What must be true of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub column: Column,
    pub test: Test,
    asks: Asks,
    value: String,
    to: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Is(Cell),
    Contains(String),
    /// Both ends are in it.
    Range(Option<Cell>, Option<Cell>),
    Empty,
    Filled,
}

/// What is wrong, and in which of the two values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub in_to: bool,
    pub words: String,
}

impl Filter {
    /// From what somebody typed.
    pub fn new(column: &Column, asks: Asks, value: &str, to: &str) -> Result<Self, Wrong> {
        let at = |in_to| move |words: String| Wrong { in_to, words };
        let kind = column.column_type;
        let text = matches!(kind, ColumnType::Text | ColumnType::Dimension);
        for (in_to, typed) in [(false, value), (true, to)] {
            if typed.chars().count() > MOST_CHARS {
                return Err(at(in_to)("Enter at most 1,000 characters.".into()));
            }
        }
        let test = match asks {
            Asks::Empty => Test::Empty,
            Asks::Filled => Test::Filled,
            Asks::Contains if !text => {
                return Err(at(false)(format!("Only texts contain something. Choose another condition for {kind}.")));
            }
            Asks::Range if text || kind == ColumnType::Boolean => {
                return Err(at(false)(format!("There is no from … to of {kind}. Choose another condition.")));
            }
            Asks::Is | Asks::Contains if value.is_empty() => return Err(at(false)("Enter a value.".into())),
            Asks::Contains => Test::Contains(value.to_owned()),
            Asks::Is => match span(kind, value).map_err(at(false))? {
                (from, to) if from == to => Test::Is(from),
                (from, to) => Test::Range(Some(from), Some(to)),
            },
            Asks::Range => {
                let end = |typed: &str| if typed.is_empty() { Ok(None) } else { span(kind, typed).map(Some) };
                let (from, until) = (end(value).map_err(at(false))?, end(to).map_err(at(true))?);
                if from.is_none() && until.is_none() {
                    return Err(at(false)("Enter a value, or the one after it, or both.".into()));
                }
                Test::Range(from.map(|(from, _)| from), until.map(|(_, to)| to))
            }
        };
        let takes = |typed: &str, does: bool| if does { typed.to_owned() } else { String::new() };
        let valued = !matches!(asks, Asks::Empty | Asks::Filled);
        Ok(Self { column: column.clone(), test, asks, value: takes(value, valued), to: takes(to, asks == Asks::Range) })
    }

    /// From an address: `3~is~Nord`. `Err`: why it is left out.
    pub fn read(block: &Block, written: &str) -> Result<Self, String> {
        let mut parts = written.splitn(3, '~');
        let position = parts.next().and_then(|part| part.parse::<i32>().ok());
        let column = block.columns.iter().find(|column| Some(column.position) == position);
        let column = column.ok_or("A filter names a column that this Block does not have. It was left out.")?;
        let asks = parts.next().and_then(Asks::parse);
        let asks =
            asks.ok_or_else(|| format!("The filter of {} was not understood, and was left out.", column.name))?;
        let rest = parts.next().unwrap_or_default();
        let (value, to) = if asks == Asks::Range { rest.split_once('~').unwrap_or((rest, "")) } else { (rest, "") };
        Self::new(column, asks, value, to)
            .map_err(|wrong| format!("The filter of {} was left out. {}", column.name, wrong.words))
    }

    /// As an address has it.
    pub fn written(&self) -> String {
        let Self { column, asks, value, to, .. } = self;
        match asks {
            Asks::Empty | Asks::Filled => format!("{}~{asks}", column.position),
            Asks::Range => format!("{}~{asks}~{value}~{to}", column.position),
            Asks::Is | Asks::Contains => format!("{}~{asks}~{value}", column.position),
        }
    }

    /// "Region contains “Nord”", "Amount is from 5 to 10".
    pub fn words(&self) -> String {
        let Self { column, asks, value, to, .. } = self;
        let name = &column.name;
        match asks {
            Asks::Empty | Asks::Filled => format!("{name} {}", asks.words()),
            Asks::Is | Asks::Contains => format!("{name} {} “{value}”", asks.words()),
            Asks::Range if to.is_empty() => format!("{name} is from {value}"),
            Asks::Range if value.is_empty() => format!("{name} is up to {to}"),
            Asks::Range => format!("{name} is from {value} to {to}"),
        }
    }
}

/// The first and the last cell that a text means: a day holds many timestamps, a number is one. `Err`: what to enter.
fn span(kind: ColumnType, typed: &str) -> Result<(Cell, Cell), String> {
    let one = |cell: Cell| (cell.clone(), cell);
    let digits = || ungrouped(typed).unwrap_or_default();
    match kind {
        ColumnType::Text | ColumnType::Dimension => Ok(one(Cell::Text(typed.to_owned()))),
        ColumnType::Integer => {
            let number = digits().parse().map_err(|_| "Enter a whole number, such as 1200.".to_owned())?;
            Ok(one(Cell::Integer(number)))
        }
        ColumnType::Number => {
            let number = digits().parse().ok().filter(|number: &f64| number.is_finite());
            Ok(one(Cell::Number(number.ok_or("Enter a number, such as 1200.5.")?)))
        }
        ColumnType::Boolean => match typed.to_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(one(Cell::Boolean(true))),
            "false" | "no" | "0" => Ok(one(Cell::Boolean(false))),
            _ => Err("Enter true or false.".into()),
        },
        ColumnType::Date => {
            let date = date(typed).ok_or("Enter a date, such as 2026-10-08.")?;
            Ok(one(Cell::Date(days(date))))
        }
        ColumnType::Timestamp => {
            let (from, lasts) = timestamp(typed).ok_or("Enter a time in UTC, such as 2026-10-08 16:30, or a date.")?;
            Ok((Cell::Timestamp(from), Cell::Timestamp(from + lasts)))
        }
    }
}

/// A number without what stands between its thousands; none where that stands elsewhere, so that 1,5 is not 15.
fn ungrouped(typed: &str) -> Option<String> {
    let is_mark = |c: char| matches!(c, ',' | ' ' | '\u{a0}' | '\u{202f}');
    let whole = typed.split('.').next().unwrap_or_default();
    let mut groups = whole.split(is_mark);
    groups.next();
    let thousands = groups.all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()));
    (thousands && !typed[whole.len()..].contains(is_mark)).then(|| typed.replace(is_mark, ""))
}

fn date(typed: &str) -> Option<NaiveDate> {
    use chrono::Datelike;
    let date = NaiveDate::parse_from_str(typed, "%Y-%m-%d").ok()?;
    (1..=9999).contains(&date.year()).then_some(date)
}

fn days(date: NaiveDate) -> i32 {
    date.signed_duration_since(NaiveDate::default()).num_days() as i32
}

/// When it begins, and how long it lasts: what nobody said, such as the seconds, may be any.
fn timestamp(typed: &str) -> Option<(i64, i64)> {
    let inside = |micros: i64, lasts: Duration| Some((micros, lasts.num_microseconds()? - 1));
    if let Some(date) = date(typed) {
        return inside(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros(), Duration::days(1));
    }
    let typed = typed.replacen('T', " ", 1);
    let plain = typed.strip_suffix('Z').unwrap_or(&typed);
    date(plain.get(..10)?)?;
    if let Ok(minute) = NaiveDateTime::parse_from_str(plain, "%Y-%m-%d %H:%M") {
        return inside(minute.and_utc().timestamp_micros(), Duration::minutes(1));
    }
    let exact = NaiveDateTime::parse_from_str(plain, "%Y-%m-%d %H:%M:%S%.f").map(|at| at.and_utc().timestamp_micros());
    let exact = exact.or_else(|_| DateTime::parse_from_rfc3339(&typed).map(|at| at.timestamp_micros()));
    Some((exact.ok()?, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(column_type: ColumnType) -> Column {
        let name = "Amount".to_owned();
        Column { id: 1, position: 3, name, column_type, dimension_block_id: None, key: false, required: false }
    }

    fn test(column_type: ColumnType, asks: Asks, value: &str, to: &str) -> Result<Test, String> {
        Filter::new(&column(column_type), asks, value, to).map(|filter| filter.test).map_err(|wrong| wrong.words)
    }

    #[test]
    fn what_is_typed_becomes_cells_of_its_column() {
        use ColumnType::{Boolean, Date, Integer, Number, Text, Timestamp};
        assert_eq!(test(Integer, Asks::Is, "1,200", ""), Ok(Test::Is(Cell::Integer(1200))));
        assert_eq!(test(Number, Asks::Range, "", "-0.5"), Ok(Test::Range(None, Some(Cell::Number(-0.5)))));
        assert_eq!(test(Boolean, Asks::Is, "Yes", ""), Ok(Test::Is(Cell::Boolean(true))));
        assert_eq!(test(Date, Asks::Is, "1970-01-02", ""), Ok(Test::Is(Cell::Date(1))));
        let day = Test::Range(Some(Cell::Timestamp(0)), Some(Cell::Timestamp(86_400_000_000 - 1)));
        assert_eq!(test(Timestamp, Asks::Is, "1970-01-01", ""), Ok(day.clone()));
        assert_eq!(test(Timestamp, Asks::Range, "1970-01-01", "1970-01-01"), Ok(day));
        assert_eq!(test(Timestamp, Asks::Is, "1970-01-01T00:00:01Z", ""), Ok(Test::Is(Cell::Timestamp(1_000_000))));
        assert_eq!(test(Timestamp, Asks::Is, "1970-01-01T01:00:00+01:00", ""), Ok(Test::Is(Cell::Timestamp(0))));
        assert_eq!(test(Text, Asks::Contains, "a~b", ""), Ok(Test::Contains("a~b".into())));
        for (kind, asks, value) in [
            (Integer, Asks::Is, "ten"),
            (Integer, Asks::Is, "99999999999999999999"),
            (Integer, Asks::Is, ""),
            (Integer, Asks::Range, ""),
            (Integer, Asks::Contains, "1"),
            (Number, Asks::Is, "NaN"),
            (Boolean, Asks::Is, "maybe"),
            (Boolean, Asks::Range, "true"),
            (Date, Asks::Is, "2026-02-30"),
            (Date, Asks::Is, "12026-02-03"),
            (Timestamp, Asks::Is, "ä2026-02-03 1"),
            (Timestamp, Asks::Is, "2026-02-03 25:00"),
            (Text, Asks::Range, "a"),
        ] {
            assert!(test(kind, asks, value, "").is_err(), "{kind} {asks} {value}");
        }
        assert!(Filter::new(&column(Integer), Asks::Range, "1", "x").unwrap_err().in_to);
        assert!(test(Text, Asks::Is, &"x".repeat(MOST_CHARS + 1), "").is_err());
    }

    #[test]
    fn an_address_says_what_was_typed() {
        let block = Block {
            id: 1,
            application_id: 1,
            name: "B".into(),
            kind: super::super::BlockKind::TransactionList,
            columns: vec![column(ColumnType::Integer)],
            version: 1,
            created_at: crate::clock::Moment::from_micros(0),
        };
        for (written, words) in [
            ("3~is~5", "Amount is “5”"),
            ("3~range~5~", "Amount is from 5"),
            ("3~range~~10", "Amount is up to 10"),
            ("3~range~5~10", "Amount is from 5 to 10"),
            ("3~empty", "Amount is empty"),
        ] {
            let filter = Filter::read(&block, written).unwrap();
            assert_eq!((filter.written().as_str(), filter.words().as_str()), (written, words));
        }
        for odd in ["", "4~is~5", "3~like~5", "3", "x~is~5", "3~is~x"] {
            assert!(Filter::read(&block, odd).is_err(), "{odd}");
        }
    }
}
