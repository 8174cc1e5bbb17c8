//! Which days the calendar shows, and where an instant lies in them. Pure. A day is the instants from its first to
//! that of the next day in one zone, whatever its clocks do meanwhile: 23, 24 or 25 hours, or none at all.

use chrono::{Datelike, Days, Duration, LocalResult, Months, NaiveDate, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;

use crate::clock::Moment;
use crate::schedules::{ClockChange, clock_change, day_begins, utc_offset};

/// Dates lie in these years; what is asked beyond becomes the nearest of them.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2099;

/// How much is shown at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    Day,
    #[default]
    Week,
    Month,
}

impl View {
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// What is none of them is a week.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|view| view.key() == text).unwrap_or_default()
    }

    /// As the address has it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Day => "Day",
            Self::Week => "Week",
            Self::Month => "Month",
        }
    }
}

/// A date and its instants, `from` included, `to` excluded; they are one where the calendar skips the date.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    pub date: NaiveDate,
    pub from: Moment,
    pub to: Moment,
    /// Of the month that is shown; in the other views always.
    pub inside: bool,
    pub change: Option<ClockChange>,
}

/// The days that are shown, one after the other.
#[derive(Clone, Debug)]
pub struct Frame {
    pub view: View,
    /// The day that was asked for: it is among them.
    pub date: NaiveDate,
    pub zone: Tz,
    pub days: Vec<Day>,
    /// The date of now, shown or not.
    pub today: NaiveDate,
}

impl Frame {
    pub fn new(view: View, date: Option<NaiveDate>, zone: Tz, now: Moment) -> Self {
        let today = now.in_zone(zone).date_naive();
        let date = within_years(date.unwrap_or(today));
        let (first, count) = match view {
            View::Day => (date, 1),
            View::Week => (monday(date), 7),
            View::Month => {
                let first = monday(first_of_month(date));
                let last = plus_months(first_of_month(date), 1).pred_opt().unwrap_or(date);
                let sunday = plus_days(monday(last), 6);
                (first, sunday.signed_duration_since(first).num_days() + 1)
            }
        };
        let days = (0..count)
            .map(|n| {
                let day = plus_days(first, n);
                let (from, to) = (day_begins(zone, day), day_begins(zone, plus_days(day, 1)));
                let inside = view != View::Month || day.month() == date.month();
                Day { date: day, from, to, inside, change: clock_change(zone, from, to) }
            })
            .collect();
        Self { view, date, zone, days, today }
    }

    pub fn from(&self) -> Moment {
        self.days.first().map_or(Moment::from_micros(0), |day| day.from)
    }

    pub fn to(&self) -> Moment {
        self.days.last().map_or(Moment::from_micros(0), |day| day.to)
    }

    /// The day in which an instant lies.
    pub fn day_of(&self, at: Moment) -> Option<usize> {
        let after = self.days.partition_point(|day| day.to <= at);
        (at >= self.from()).then_some(after).filter(|n| *n < self.days.len())
    }

    /// Where today is among the days; `None` when it is not shown.
    pub fn today(&self) -> Option<usize> {
        self.days.iter().position(|day| day.date == self.today)
    }

    /// The date to ask for to see what comes before; `None` at the end of all dates.
    pub fn previous(&self) -> Option<NaiveDate> {
        let date = match self.view {
            View::Day => self.date.pred_opt()?,
            View::Week => self.date.checked_sub_days(Days::new(7))?,
            View::Month => first_of_month(self.date).checked_sub_months(Months::new(1))?,
        };
        YEARS.contains(&date.year()).then_some(date)
    }

    /// The date to ask for to see what comes after.
    pub fn next(&self) -> Option<NaiveDate> {
        let date = match self.view {
            View::Day => self.date.succ_opt()?,
            View::Week => self.date.checked_add_days(Days::new(7))?,
            View::Month => plus_months(first_of_month(self.date), 1),
        };
        YEARS.contains(&date.year()).then_some(date)
    }

    /// "Thursday 8 October 2026", "5 to 11 October 2026", "October 2026".
    pub fn title(&self) -> String {
        let (Some(first), Some(last)) = (self.days.first(), self.days.last()) else { return String::new() };
        let (first, last) = (first.date, last.date);
        match self.view {
            View::Day => self.date.format("%A %-d %B %Y").to_string(),
            View::Month => self.date.format("%B %Y").to_string(),
            View::Week if first.month() == last.month() => format!("{} to {}", first.day(), last.format("%-d %B %Y")),
            View::Week if first.year() == last.year() => {
                format!("{} to {}", first.format("%-d %B"), last.format("%-d %B %Y"))
            }
            View::Week => format!("{} to {}", first.format("%-d %B %Y"), last.format("%-d %B %Y")),
        }
    }

    /// The hour of the wall clock at an instant.
    pub fn hour_of(&self, at: Moment) -> u32 {
        at.in_zone(self.zone).hour()
    }

    /// "02:30" as the day's clock says it; with what it is ahead of UTC where that time comes twice, with the weekday
    /// where the clock went back into the day before.
    pub fn clock(&self, at: Moment) -> String {
        let local = at.in_zone(self.zone);
        let mut words = local.format("%H:%M").to_string();
        if matches!(self.zone.from_local_datetime(&local.naive_local()), LocalResult::Ambiguous(..)) {
            let ahead = local.naive_local().signed_duration_since(local.naive_utc());
            words += &format!(" {}", utc_offset(ahead.num_seconds()));
        }
        if self.day_of(at).is_some_and(|n| self.days[n].date != local.date_naive()) {
            words = format!("{} {words}", local.format("%a"));
        }
        words
    }

    /// The parts of a day in which the wall clock shows one hour, in the order of time: an hour that comes twice is
    /// there twice.
    pub fn hours(&self, day: usize) -> Vec<(u32, Moment, Moment)> {
        let Day { mut from, to, change, .. } = self.days[day];
        let mut hours = Vec::new();
        while from < to {
            let local = from.in_zone(self.zone);
            let into = Duration::seconds(i64::from(local.minute() * 60 + local.second()));
            let mut until = from.plus(Duration::hours(1)).minus(into).min(to);
            if let Some(change) = change.filter(|change| change.at > from) {
                until = until.min(change.at);
            }
            hours.push((local.hour(), from, until));
            from = until;
        }
        hours
    }

    /// Whether a day's clock never shows an hour, because it is put forward over it.
    pub fn lacks(&self, day: usize, hour: u32) -> bool {
        let Day { date, change, .. } = self.days[day];
        let never = |minute| {
            let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
            matches!(self.zone.from_local_datetime(&date.and_time(time)), LocalResult::None)
        };
        change.is_some() && (0..60).step_by(5).all(never)
    }
}

impl Day {
    /// "23 hours: clocks go forward at 02:00"; `None` for a day of 24.
    pub fn clock_words(&self) -> Option<String> {
        if self.from == self.to {
            return Some("The calendar skips this day".into());
        }
        let minutes = self.to.since(self.from).num_minutes();
        // Where a whole day was skipped, that one says so and not the day after.
        let change = self.change.filter(|_| minutes != 24 * 60)?;
        let long = match (minutes / 60, minutes % 60) {
            (hours, 0) => format!("{hours} hours"),
            (hours, minutes) => format!("{hours} h {minutes:02} min"),
        };
        let way = if change.after > change.before { "forward" } else { "back" };
        // As the clock shows it before it is touched.
        let at = change.at.plus(Duration::seconds(change.before)).utc().format("%H:%M").to_string();
        Some(format!("{long}: clocks go {way} at {}", if at == "00:00" { "midnight" } else { &at }))
    }
}

fn within_years(date: NaiveDate) -> NaiveDate {
    let (first, last) = (NaiveDate::default(), NaiveDate::from_ymd_opt(*YEARS.end(), 12, 31).unwrap_or(NaiveDate::MAX));
    date.clamp(first, last)
}

fn monday(date: NaiveDate) -> NaiveDate {
    plus_days(date, -i64::from(date.weekday().num_days_from_monday()))
}

fn first_of_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

fn plus_days(date: NaiveDate, days: i64) -> NaiveDate {
    date.checked_add_signed(Duration::days(days)).unwrap_or(date)
}

fn plus_months(date: NaiveDate, months: u32) -> NaiveDate {
    date.checked_add_months(Months::new(months)).unwrap_or(date)
}
