//! A rule that is always valid, and its JSON: the column it is stored in and the fields that the API shows.

use chrono::{DateTime, NaiveDate, NaiveTime, Timelike, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::draft::RuleDraft;

/// How a schedule repeats, from when, in whose time, until when. Made by [`RuleDraft::parse`] alone, so that a value
/// of this type needs no further checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    pub(super) repeat: Repeat,
    pub(super) start_date: NaiveDate,
    /// Whole minutes.
    pub(super) start_time: NaiveTime,
    pub(super) time_zone: Tz,
    /// The last local date, inclusive; `None` never ends.
    pub(super) end_date: Option<NaiveDate>,
}

impl Rule {
    /// Stands for a rule that cannot be read: one instant, long past.
    pub(super) const NEVER: Self = Self {
        repeat: Repeat::Once,
        start_date: DateTime::UNIX_EPOCH.naive_utc().date(),
        start_time: NaiveTime::MIN,
        time_zone: Tz::UTC,
        end_date: None,
    };
}

/// The kinds of repeating, each with the fields that belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repeat {
    Once,
    /// Every 5, 10, … 55 minutes of elapsed time.
    Minutes {
        every: u32,
        window: Option<Window>,
    },
    /// 1: every hour of elapsed time; 2, 3, 4, 6, 8 or 12: slots of the wall clock.
    Hours {
        every: u32,
        window: Option<Window>,
    },
    /// Every 1 to 366 days.
    Days {
        every: u32,
    },
    /// Every 1 to 52 weeks on chosen weekdays.
    Weeks {
        every: u32,
        weekdays: Weekdays,
    },
    /// In chosen months (`None`: all) on chosen days.
    Months {
        months: Option<Months>,
        days: DaysOfMonth,
    },
}

/// Only on these weekdays (`None`: all), from a local time (`None`: 00:00) to a local time, excluded (`None`: 24:00).
/// From after to means over midnight; the weekday is then that of the day on which it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    pub weekdays: Option<Weekdays>,
    pub from: Option<NaiveTime>,
    pub to: Option<NaiveTime>,
}

/// A set of weekdays, never empty. Monday is bit 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Weekdays(u8);

/// A set of months, never empty. January is bit 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Months(u16);

/// A set of days of the month, never empty; bit n is day n, bit 0 is Last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DaysOfMonth(u32);

pub(super) const WEEKDAY_KEYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const WEEKDAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

impl Weekdays {
    pub const ALL: Self = Self(0b111_1111);
    pub const MONDAY_TO_FRIDAY: Self = Self(0b001_1111);

    /// `None` when there is none.
    pub fn of(days: impl IntoIterator<Item = Weekday>) -> Option<Self> {
        let bits = days.into_iter().fold(0, |bits, day| bits | 1 << day.num_days_from_monday());
        (bits != 0).then_some(Self(bits))
    }

    pub fn contains(self, day: Weekday) -> bool {
        self.0 >> day.num_days_from_monday() & 1 == 1
    }

    /// From Monday on.
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        WEEKDAYS.into_iter().filter(move |day| self.contains(*day))
    }

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn keys(self) -> Vec<&'static str> {
        self.iter().map(|day| WEEKDAY_KEYS[day.num_days_from_monday() as usize]).collect()
    }
}

impl Months {
    /// Of numbers 1 to 12; `None` when there is none or one is out of range.
    pub fn of(months: impl IntoIterator<Item = u32>) -> Option<Self> {
        let bits = months.into_iter().try_fold(0, |bits, m| (1..=12).contains(&m).then(|| bits | 1 << m))?;
        (bits != 0).then_some(Self(bits))
    }

    pub fn contains(self, month: u32) -> bool {
        self.0 >> month & 1 == 1
    }

    pub fn iter(self) -> impl Iterator<Item = u32> {
        (1..=12).filter(move |m| self.contains(*m))
    }
}

impl DaysOfMonth {
    /// Of days 1 to 31, and Last; `None` when there is nothing or one is out of range.
    pub fn of(days: impl IntoIterator<Item = u32>, last: bool) -> Option<Self> {
        let first = u32::from(last);
        let bits = days.into_iter().try_fold(first, |bits, d| (1..=31).contains(&d).then(|| bits | 1 << d))?;
        (bits != 0).then_some(Self(bits))
    }

    pub fn contains(self, day: u32) -> bool {
        day > 0 && self.0 >> day & 1 == 1
    }

    pub fn has_last(self) -> bool {
        self.0 & 1 == 1
    }

    pub fn iter(self) -> impl Iterator<Item = u32> {
        (1..=31).filter(move |d| self.contains(*d))
    }

    /// The days in a month of so many days, as bits: what the month lacks has become its last day.
    pub(super) fn in_month_of(self, length: u32) -> u32 {
        let kept = self.0 & !1 & (u32::MAX >> (31 - length));
        if self.has_last() || self.0 & !1 != kept { kept | 1 << length } else { kept }
    }
}

impl Window {
    /// Seconds since midnight.
    pub(super) fn opens_at(&self) -> i64 {
        self.from.map_or(0, |t| i64::from(t.num_seconds_from_midnight()))
    }

    /// Seconds since midnight; up to 24:00.
    pub(super) fn shuts_at(&self) -> i64 {
        self.to.map_or(86_400, |t| i64::from(t.num_seconds_from_midnight()))
    }

    pub(super) fn weekday_bits(&self) -> u8 {
        self.weekdays.unwrap_or(Weekdays::ALL).bits()
    }

    fn to_json(self) -> Value {
        json!({
            "weekdays": self.weekdays.map(Weekdays::keys),
            "from": self.from.map(hh_mm),
            "to": self.to.map(hh_mm),
        })
    }
}

impl Repeat {
    /// The value of `repeat`.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Minutes { .. } => "minutes",
            Self::Hours { .. } => "hours",
            Self::Days { .. } => "days",
            Self::Weeks { .. } => "weeks",
            Self::Months { .. } => "months",
        }
    }

    pub fn every(&self) -> Option<u32> {
        match *self {
            Self::Minutes { every, .. } | Self::Hours { every, .. } => Some(every),
            Self::Days { every } | Self::Weeks { every, .. } => Some(every),
            Self::Once | Self::Months { .. } => None,
        }
    }

    pub fn window(&self) -> Option<&Window> {
        match self {
            Self::Minutes { window, .. } | Self::Hours { window, .. } => window.as_ref(),
            _ => None,
        }
    }
}

impl Rule {
    /// The names of a rule's fields, in the order of the form; what else an API body holds is not a rule's.
    pub const FIELDS: [&'static str; 10] = [
        "repeat",
        "every",
        "weekdays",
        "months",
        "days_of_month",
        "window",
        "start_date",
        "start_time",
        "time_zone",
        "end_date",
    ];

    pub fn repeat(&self) -> &Repeat {
        &self.repeat
    }

    pub fn start_date(&self) -> NaiveDate {
        self.start_date
    }

    pub fn start_time(&self) -> NaiveTime {
        self.start_time
    }

    pub fn time_zone(&self) -> Tz {
        self.time_zone
    }

    pub fn end_date(&self) -> Option<NaiveDate> {
        self.end_date
    }

    pub fn is_once(&self) -> bool {
        self.repeat == Repeat::Once
    }

    /// The JSON of the contract: every field of [`Rule::FIELDS`], null where the repeat has none. Laid under the
    /// fields of a PATCH and read again by [`RuleDraft::from_json`], it makes the merged rule.
    pub fn to_map(&self) -> Map<String, Value> {
        let mut map = Map::new();
        let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
        let (weekdays, months, days) = match self.repeat {
            Repeat::Weeks { weekdays, .. } => (Some(weekdays), None, None),
            Repeat::Months { months, days } => (None, months, Some(days)),
            _ => (None, None, None),
        };
        put("repeat", json!(self.repeat.key()));
        put("every", json!(self.repeat.every()));
        put("weekdays", json!(weekdays.map(Weekdays::keys)));
        put("months", json!(months.map(|m| m.iter().collect::<Vec<_>>())));
        put("days_of_month", days.map_or(Value::Null, days_json));
        put("window", self.repeat.window().map_or(Value::Null, |w| w.to_json()));
        put("start_date", json!(self.start_date.format("%Y-%m-%d").to_string()));
        put("start_time", json!(hh_mm(self.start_time)));
        put("time_zone", json!(self.time_zone.name()));
        put("end_date", json!(self.end_date.map(|d| d.format("%Y-%m-%d").to_string())));
        map
    }
}

fn days_json(days: DaysOfMonth) -> Value {
    let mut list: Vec<Value> = days.iter().map(Value::from).collect();
    if days.has_last() {
        list.push("last".into());
    }
    Value::Array(list)
}

pub(super) fn hh_mm(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_map().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = Map::deserialize(deserializer)?;
        RuleDraft::from_json(&map).parse().map_err(serde::de::Error::custom)
    }
}
