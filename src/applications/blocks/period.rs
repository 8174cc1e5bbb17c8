//! The period that a day lies in: its first day, and its name. Pure. Days are counted from 1970-01-01.

use chrono::{Datelike, NaiveDate, TimeDelta};

use crate::db::text_enum;

text_enum! {
    /// What a date is rounded down to.
    pub enum Unit { Day = "day", Week = "week", Month = "month", Quarter = "quarter", Year = "year" }
}

impl Unit {
    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Day => "Its day",
            Self::Week => "Its week",
            Self::Month => "Its month",
            Self::Quarter => "Its quarter",
            Self::Year => "Its year",
        }
    }
}

/// The first day of the period; `None` where that is before the year 0001. `begins` is the month in which a year begins.
pub fn first_day(unit: Unit, begins: u32, day: i32) -> Option<i32> {
    let date = date_of(day)?;
    let first = match unit {
        Unit::Day => date,
        Unit::Week => date.checked_sub_signed(TimeDelta::days(date.weekday().num_days_from_monday().into()))?,
        Unit::Month => date.with_day(1)?,
        Unit::Quarter => months_before(date, months_into(date, begins) % 3)?,
        Unit::Year => months_before(date, months_into(date, begins))?,
    };
    (first.year() >= 1).then(|| day_of(first))
}

/// The name of the period: 2026-03-04, 2026-W10, 2026-03, 2026-Q1, 2026. A year that does not begin in January is called
/// after the year in which it ends: FY2027, FY2027-Q1.
pub fn name(unit: Unit, begins: u32, day: i32) -> Option<String> {
    let date = date_of(day)?;
    let into = months_into(date, begins);
    let quarter = into / 3 + 1;
    let (year, fiscal) = match begins {
        1 => (date.year(), ""),
        _ => (months_before(date, into)?.year() + 1, "FY"),
    };
    Some(match unit {
        Unit::Day => date.format("%Y-%m-%d").to_string(),
        Unit::Week => date.format("%G-W%V").to_string(),
        Unit::Month => date.format("%Y-%m").to_string(),
        Unit::Quarter => format!("{fiscal}{year:04}-Q{quarter}"),
        Unit::Year => format!("{fiscal}{year:04}"),
    })
}

/// How many months of its year are over.
fn months_into(date: NaiveDate, begins: u32) -> u32 {
    (date.month() + 12 - begins) % 12
}

/// The first day of the month that is so many months before that of a day.
fn months_before(date: NaiveDate, months: u32) -> Option<NaiveDate> {
    date.with_day(1)?.checked_sub_months(chrono::Months::new(months))
}

fn date_of(day: i32) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(day)
}

fn day_of(date: NaiveDate) -> i32 {
    date.to_epoch_days()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i32 {
        day_of(text.parse().unwrap())
    }

    #[test]
    fn each_day_lies_in_its_period() {
        for (unit, begins, of, first, called) in [
            (Unit::Day, 1, "2026-03-04", "2026-03-04", "2026-03-04"),
            (Unit::Week, 1, "2026-03-04", "2026-03-02", "2026-W10"),
            (Unit::Week, 1, "2027-01-01", "2026-12-28", "2026-W53"),
            (Unit::Month, 1, "2026-03-31", "2026-03-01", "2026-03"),
            (Unit::Quarter, 1, "2026-03-31", "2026-01-01", "2026-Q1"),
            (Unit::Quarter, 1, "2026-12-31", "2026-10-01", "2026-Q4"),
            (Unit::Year, 1, "2026-12-31", "2026-01-01", "2026"),
            (Unit::Year, 4, "2026-03-31", "2025-04-01", "FY2026"),
            (Unit::Year, 4, "2026-04-01", "2026-04-01", "FY2027"),
            (Unit::Quarter, 4, "2026-03-31", "2026-01-01", "FY2026-Q4"),
            (Unit::Quarter, 4, "2026-04-01", "2026-04-01", "FY2027-Q1"),
            (Unit::Quarter, 12, "2026-01-31", "2025-12-01", "FY2026-Q1"),
            (Unit::Year, 12, "2026-11-30", "2025-12-01", "FY2026"),
            (Unit::Year, 1, "0987-05-05", "0987-01-01", "0987"),
        ] {
            assert_eq!(first_day(unit, begins, day(of)), Some(day(first)), "{unit} {begins} {of}");
            assert_eq!(name(unit, begins, day(of)).as_deref(), Some(called), "{unit} {begins} {of}");
        }
        assert_eq!(first_day(Unit::Year, 4, day("0001-01-01")), None, "it began before the calendar does");
    }

    #[test]
    fn a_period_begins_where_the_one_before_ends_and_holds_its_days() {
        for unit in Unit::ALL.iter().copied() {
            for begins in 1..=12 {
                let mut before = first_day(unit, begins, day("2023-12-31")).unwrap();
                for now in day("2024-01-01")..day("2025-02-01") {
                    let first = first_day(unit, begins, now).unwrap();
                    assert!(first == before || first == now, "{unit} {begins} {now}");
                    assert_eq!(first_day(unit, begins, first), Some(first));
                    assert_eq!(
                        name(unit, begins, now) == name(unit, begins, now - 1),
                        first == before && first != now,
                        "a name for each period"
                    );
                    before = first;
                }
            }
        }
    }
}
