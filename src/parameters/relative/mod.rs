//! Dates as people say them: `2026-11-25`, `yesterday`, `-3d`, `start of last month`, `monday of this week`. What is said
//! is kept as it was written and means a day once somebody says which day today is.
//!
//! An expression is a base and what is added to it: `end of last month +5d`. Weeks begin on Monday; a month that is
//! too short gives its last day.

mod reading;

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

/// What a form offers to choose from.
pub const USUAL: [&str; 16] = [
    "today",
    "yesterday",
    "-7d",
    "monday of this week",
    "monday of last week",
    "sunday of last week",
    "start of month",
    "end of month",
    "start of last month",
    "end of last month",
    "start of quarter",
    "start of last quarter",
    "end of last quarter",
    "start of year",
    "start of last year",
    "end of last year",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// So many units later, or before where it is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    count: i32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    Date(NaiveDate),
    Today,
    Start(Step),
    End(Step),
    /// Of the week that is so many weeks away.
    OfWeek(Weekday, i32),
    /// The last one before today, or the next one after it.
    Nearest(Weekday, bool),
    /// A day of the month that is so many months away.
    DayOf(u32, i32),
    /// The first (1) to fourth of a weekday in such a month; 0 the last.
    NthOf(u32, Weekday, i32),
}

/// A date that depends on which day today is, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelativeDate {
    base: Base,
    steps: Vec<Step>,
}

impl RelativeDate {
    /// The day that it means when today is this one. `None`: no calendar has it.
    pub fn on(&self, today: NaiveDate) -> Option<NaiveDate> {
        let base = match self.base {
            Base::Date(date) => date,
            Base::Today => today,
            Base::Start(step) => start(today, step)?,
            Base::End(Step { count, unit }) => start(today, Step { count: count + 1, unit })?.pred_opt()?,
            Base::OfWeek(weekday, weeks) => {
                let monday = start(today, Step { count: weeks, unit: Unit::Week })?;
                monday.checked_add_days(Days::new(weekday.num_days_from_monday().into()))?
            }
            Base::Nearest(weekday, after) => nearest(today, weekday, after)?,
            Base::DayOf(day, months) => {
                let first = start(today, Step { count: months, unit: Unit::Month })?;
                (1..=day).rev().take(4).find_map(|day| first.with_day(day))?
            }
            Base::NthOf(0, weekday, months) => {
                let next = start(today, Step { count: months + 1, unit: Unit::Month })?;
                nearest(next, weekday, false)?
            }
            Base::NthOf(nth, weekday, months) => {
                let first = start(today, Step { count: months, unit: Unit::Month })?;
                nearest(first.pred_opt()?, weekday, true)?.checked_add_days(Days::new(u64::from(nth - 1) * 7))?
            }
        };
        let day = self.steps.iter().try_fold(base, |date, step| moved(date, *step))?;
        Some(day).filter(|day| (1..=9_999).contains(&day.year()))
    }

    /// Whether it is the same day whichever day today is.
    pub fn is_fixed(&self) -> bool {
        matches!(self.base, Base::Date(_))
    }

    /// As a person says it: "the first day of last month, 5 days later".
    pub fn words(&self) -> String {
        let (mut words, steps) = match (self.base, self.steps.as_slice()) {
            (Base::Today, [Step { count: -1, unit: Unit::Day }, rest @ ..]) => ("yesterday".to_owned(), rest),
            (Base::Today, [Step { count: 1, unit: Unit::Day }, rest @ ..]) => ("tomorrow".to_owned(), rest),
            (Base::Today, [step, rest @ ..]) => {
                let side = if step.count < 0 { "ago" } else { "from today" };
                (format!("{} {side}", counted(*step)), rest)
            }
            (base, steps) => (base.words(), steps),
        };
        for step in steps {
            let side = if step.count < 0 { "before" } else { "later" };
            words.push_str(&format!(", {} {side}", counted(*step)));
        }
        words
    }
}

impl Base {
    fn words(self) -> String {
        let month = |months| period(Step { count: months, unit: Unit::Month });
        match self {
            Self::Date(date) => date.format("%-d %B %Y").to_string(),
            Self::Today => "today".to_owned(),
            Self::Start(Step { unit: Unit::Day, count }) | Self::End(Step { unit: Unit::Day, count }) => {
                let steps = vec![Step { count, unit: Unit::Day }];
                if count == 0 { "today".to_owned() } else { RelativeDate { base: Self::Today, steps }.words() }
            }
            Self::Start(step) => format!("the first day of {}", period(step)),
            Self::End(step) => format!("the last day of {}", period(step)),
            Self::OfWeek(weekday, weeks) => {
                format!("{} of {}", long(weekday), period(Step { count: weeks, unit: Unit::Week }))
            }
            Self::Nearest(weekday, false) => format!("the last {} before today", long(weekday)),
            Self::Nearest(weekday, true) => format!("the next {} after today", long(weekday)),
            Self::DayOf(day, months) => format!("day {day} of {}", month(months)),
            Self::NthOf(nth, weekday, months) => {
                let nth = ["last", "first", "second", "third", "fourth"].get(nth as usize).unwrap_or(&"last");
                format!("the {nth} {} of {}", long(weekday), month(months))
            }
        }
    }
}

/// "3 days", "1 month".
fn counted(step: Step) -> String {
    let (count, unit) = (step.count.unsigned_abs(), step.unit.word());
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// "this month", "the month 2 months ago".
fn period(step: Step) -> String {
    let unit = step.unit.word();
    match step.count {
        0 => format!("this {unit}"),
        -1 => format!("last {unit}"),
        1 => format!("next {unit}"),
        count => {
            let side = if count < 0 { "ago" } else { "from now" };
            format!("the {unit} {} {side}", counted(step))
        }
    }
}

fn long(weekday: Weekday) -> &'static str {
    const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    NAMES[weekday.num_days_from_monday() as usize % 7]
}

/// The first day of the period that is so many of its kind away from the one that a day lies in.
fn start(day: NaiveDate, Step { count, unit }: Step) -> Option<NaiveDate> {
    let first = match unit {
        Unit::Day => day,
        Unit::Week => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))?,
        Unit::Month => day.with_day(1)?,
        Unit::Quarter => day.with_day(1)?.with_month0(day.month0() / 3 * 3)?,
        Unit::Year => day.with_day(1)?.with_month(1)?,
    };
    moved(first, Step { count, unit })
}

fn moved(day: NaiveDate, Step { count, unit }: Step) -> Option<NaiveDate> {
    let by = count.unsigned_abs();
    let days = |per: u64| {
        let days = Days::new(u64::from(by) * per);
        if count < 0 { day.checked_sub_days(days) } else { day.checked_add_days(days) }
    };
    let months = |per: u32| {
        let months = Months::new(by.checked_mul(per)?);
        if count < 0 { day.checked_sub_months(months) } else { day.checked_add_months(months) }
    };
    match unit {
        Unit::Day => days(1),
        Unit::Week => days(7),
        Unit::Month => months(1),
        Unit::Quarter => months(3),
        Unit::Year => months(12),
    }
}

/// The last such weekday before a day, or the first after it.
fn nearest(day: NaiveDate, weekday: Weekday, after: bool) -> Option<NaiveDate> {
    let mut found = day;
    for _ in 0..7 {
        found = if after { found.succ_opt()? } else { found.pred_opt()? };
        if found.weekday() == weekday {
            break;
        }
    }
    Some(found)
}
