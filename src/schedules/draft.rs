//! What a form or an API body sent, before anybody knows whether it is a rule. Each value is kept as it came, so that
//! a wrong one becomes a reason beside its field; all reasons are collected, not only the first.

use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::{Map, Value};

use super::rule::{DaysOfMonth, Months, Repeat, Rule, WEEKDAY_KEYS, Weekdays, Window};
use crate::clock::zone_named;
use crate::error::FieldErrors;

/// A rule as it was sent: nothing, something, or nonsense in each field.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RuleDraft {
    #[serde(flatten)]
    fields: Map<String, Value>,
    #[serde(skip)]
    names: Names,
}

/// How a wrong field is named: by its path in the JSON, or by its control in the form.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Names {
    #[default]
    Json,
    Form,
}

impl RuleDraft {
    /// Takes the fields of a rule out of an API body; others are not looked at. Null counts as absent.
    pub fn from_json(body: &Map<String, Value>) -> Self {
        Self { fields: rule_fields(body), names: Names::Json }
    }

    /// Leaves out what would not belong to another repeat, and `every`, which counts in the unit of the old one.
    pub fn repeat_as(&mut self, repeat: &str) {
        let own = belongs(repeat).map_or(&[] as &[&str], |(_, own)| own);
        let common = ["repeat", "start_date", "start_time", "time_zone"];
        let stays = |name: &str| common.contains(&name) || (own.contains(&name) && name != "every");
        self.fields.retain(|name, _| stays(name));
    }

    /// The same, with wrong fields named as the form's controls are.
    pub(super) fn from_form(values: &Map<String, Value>) -> Self {
        Self { fields: rule_fields(values), names: Names::Form }
    }

    /// The rule, or everything that is wrong with it, in the order of the form.
    pub fn parse(self) -> Result<Rule, FieldErrors> {
        let mut reader = Reader { draft: &self, errors: FieldErrors::new() };
        let repeat = reader.repeat();
        let start_date = reader.start_date();
        let start_time = reader.start_time();
        let time_zone = reader.time_zone();
        let end_date = reader.end_date(start_date);
        let errors = reader.errors;
        match (repeat, start_date, start_time, time_zone) {
            (Some(repeat), Some(start_date), Some(start_time), Some(time_zone)) => {
                errors.ok_or(Rule { repeat, start_date, start_time, time_zone, end_date })
            }
            _ => Err(errors),
        }
    }
}

/// Null counts as absent, and so does a blank end: it is Forever.
fn rule_fields(from: &Map<String, Value>) -> Map<String, Value> {
    let absent = |name: &str, value: &Value| value.is_null() || (name == "end_date" && *value == "");
    let known = from.iter().filter(|(name, value)| Rule::FIELDS.contains(&name.as_str()) && !absent(name, value));
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The fields that each repeat has besides start and zone, and the word that people read for it.
fn belongs(repeat: &str) -> Option<(&'static str, &'static [&'static str])> {
    Some(match repeat {
        "once" => ("Once", &[]),
        "minutes" => ("Minutes", &["every", "window", "end_date"]),
        "hours" => ("Hourly", &["every", "window", "end_date"]),
        "days" => ("Daily", &["every", "end_date"]),
        "weeks" => ("Weekly", &["every", "weekdays", "end_date"]),
        "months" => ("Monthly", &["months", "days_of_month", "end_date"]),
        _ => return None,
    })
}

/// Numbers of just so many digits, and nothing else. A page reads the rules of hundreds of schedules: chrono's patterns,
/// which also take less digits than these, cost more than all else of it.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[u32; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

struct Reader<'a> {
    draft: &'a RuleDraft,
    errors: FieldErrors,
}

impl<'a> Reader<'a> {
    fn get(&self, field: &str) -> Option<&'a Value> {
        self.draft.fields.get(field)
    }

    fn wrong<T>(&mut self, field: &str, detail: impl Into<String>) -> Option<T> {
        let form = self.draft.names == Names::Form;
        let field = match (field, self.get("repeat").and_then(Value::as_str)) {
            ("every", Some(repeat)) if form => format!("every_{repeat}"),
            _ if form => field.replace('.', "_"),
            _ => field.to_owned(),
        };
        self.errors.add(field, detail);
        None
    }

    fn repeat(&mut self) -> Option<Repeat> {
        let Some(sent) = self.get("repeat") else {
            return self.wrong("repeat", "Choose how it repeats.");
        };
        let Some((key, (word, own))) = sent.as_str().and_then(|key| Some((key, belongs(key)?))) else {
            let detail =
                format!("{} is not a way to repeat: use once, minutes, hours, days, weeks or months.", shown(sent));
            return self.wrong("repeat", detail);
        };
        for field in ["every", "weekdays", "months", "days_of_month", "window", "end_date"] {
            if self.get(field).is_some() && !own.contains(&field) {
                self.wrong::<()>(field, format!("{word} has no {}: leave it out.", spoken(field)));
            }
        }
        match key {
            "once" => Some(Repeat::Once),
            "minutes" => {
                let every =
                    self.every(None, |n| (5..=55).contains(&n) && n % 5 == 0, "5, 10, 15 and so on up to 55 minutes");
                let window = self.window();
                Some(Repeat::Minutes { every: every?, window: window? })
            }
            "hours" => {
                let every =
                    self.every(Some(1), |n| [1, 2, 3, 4, 6, 8, 12].contains(&n), "1, 2, 3, 4, 6, 8 or 12 hours");
                let window = self.window();
                Some(Repeat::Hours { every: every?, window: window? })
            }
            "days" => {
                let every = self.every(Some(1), |n| (1..=366).contains(&n), "1 to 366 days");
                Some(Repeat::Days { every: every? })
            }
            "weeks" => {
                let every = self.every(Some(1), |n| (1..=52).contains(&n), "1 to 52 weeks");
                let weekdays = match self.get("weekdays") {
                    Some(sent) => self.weekdays("weekdays", sent),
                    None => self.wrong("weekdays", "Choose at least one weekday."),
                };
                Some(Repeat::Weeks { every: every?, weekdays: weekdays? })
            }
            _ => {
                let months = match self.get("months") {
                    Some(sent) => self.months(sent).map(Some),
                    None => Some(None),
                };
                let days = match self.get("days_of_month") {
                    Some(sent) => self.days_of_month(sent),
                    None => self.wrong("days_of_month", "Choose at least one day of the month, or Last."),
                };
                Some(Repeat::Months { months: months?, days: days? })
            }
        }
    }

    fn every(&mut self, absent: Option<u32>, fits: impl Fn(u32) -> bool, choices: &str) -> Option<u32> {
        let Some(sent) = self.get("every") else {
            return absent.or_else(|| self.wrong("every", format!("Choose how often: {choices}.")));
        };
        let number = sent.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| fits(*n));
        number.or_else(|| self.wrong("every", format!("{} is not possible: use {choices}.", shown(sent))))
    }

    fn list(&mut self, field: &str, sent: &'a Value, what: &str) -> Option<&'a Vec<Value>> {
        match sent.as_array() {
            Some(list) if list.is_empty() => self.wrong(field, format!("Choose at least one {what}.")),
            Some(list) => Some(list),
            None => self.wrong(field, format!("{} is not a list.", shown(sent))),
        }
    }

    fn weekdays(&mut self, field: &str, sent: &'a Value) -> Option<Weekdays> {
        let mut days = Vec::new();
        for item in self.list(field, sent, "weekday")? {
            match item.as_str().and_then(weekday) {
                Some(day) => days.push(day),
                None => {
                    let detail = format!("{} is not a weekday: use mon, tue, wed, thu, fri, sat or sun.", shown(item));
                    return self.wrong(field, detail);
                }
            }
        }
        Weekdays::of(days)
    }

    fn months(&mut self, sent: &'a Value) -> Option<Months> {
        let mut months = Vec::new();
        for item in self.list("months", sent, "month")? {
            match item.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=12).contains(n)) {
                Some(month) => months.push(month),
                None => return self.wrong("months", format!("{} is not a month: use 1 to 12.", shown(item))),
            }
        }
        Months::of(months)
    }

    fn days_of_month(&mut self, sent: &'a Value) -> Option<DaysOfMonth> {
        let (mut days, mut last) = (Vec::new(), false);
        for item in self.list("days_of_month", sent, "day of the month, or Last")? {
            match item.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=31).contains(n)) {
                Some(day) => days.push(day),
                None if item.as_str() == Some("last") => last = true,
                None => {
                    let detail = format!("{} is not a day of the month: use 1 to 31, or last.", shown(item));
                    return self.wrong("days_of_month", detail);
                }
            }
        }
        DaysOfMonth::of(days, last)
    }

    /// `Some(None)`: there is none and that is fine.
    fn window(&mut self) -> Option<Option<Window>> {
        let Some(sent) = self.get("window") else {
            return Some(None);
        };
        let Some(fields) = sent.as_object() else {
            return self.wrong("window", format!("{} is not a window: give weekdays, from and to.", shown(sent)));
        };
        let mut fine = true;
        for name in fields.keys().filter(|name| !["weekdays", "from", "to"].contains(&name.as_str())) {
            self.wrong::<()>(&format!("window.{name}"), "A window has weekdays, from and to, nothing else.");
            fine = false;
        }
        let mut window = Window { weekdays: None, from: None, to: None };
        if let Some(sent) = fields.get("weekdays").filter(|v| !v.is_null()) {
            window.weekdays = self.weekdays("window.weekdays", sent);
            fine &= window.weekdays.is_some();
        }
        for (name, field) in [("from", "window.from"), ("to", "window.to")] {
            if let Some(sent) = fields.get(name).filter(|v| !v.is_null()) {
                // The end of the day ends a window that has no other end.
                if name == "to" && *sent == "24:00" {
                    continue;
                }
                let time = self.time(field, sent);
                fine &= time.is_some();
                *(if name == "from" { &mut window.from } else { &mut window.to }) = time;
            }
        }
        if fine && window.opens_at() == window.shuts_at() {
            return self.wrong(
                "window.to",
                "From and to are the same time: the window would be empty. Leave both out for the whole day.",
            );
        }
        fine.then_some(Some(window))
    }

    fn time(&mut self, field: &str, sent: &Value) -> Option<NaiveTime> {
        let text = sent.as_str().unwrap_or_default();
        let time = numbers(text, ':', [2, 2]).and_then(|[hour, minute]| NaiveTime::from_hms_opt(hour, minute, 0));
        time.or_else(|| {
            self.wrong(field, format!("{} is not a time: use hours and minutes such as 07:30.", shown(sent)))
        })
    }

    fn date(&mut self, field: &str, sent: &Value) -> Option<NaiveDate> {
        let text = sent.as_str().unwrap_or_default();
        let date = numbers(text, '-', [4, 2, 2])
            .and_then(|[year, month, day]| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day));
        match date {
            None => {
                self.wrong(field, format!("{} is not a date: use year, month and day such as 2026-10-25.", shown(sent)))
            }
            Some(date) if !(1970..=2099).contains(&date.year()) => {
                self.wrong(field, format!("{text} is out of range: use a date from 1970 to 2099."))
            }
            date => date,
        }
    }

    fn start_date(&mut self) -> Option<NaiveDate> {
        match self.get("start_date") {
            Some(sent) => self.date("start_date", sent),
            None => self.wrong("start_date", "Enter a start date."),
        }
    }

    fn start_time(&mut self) -> Option<NaiveTime> {
        match self.get("start_time") {
            Some(sent) => self.time("start_time", sent),
            None => self.wrong("start_time", "Enter a start time."),
        }
    }

    fn time_zone(&mut self) -> Option<Tz> {
        let Some(sent) = self.get("time_zone") else {
            return self.wrong("time_zone", "Choose a time zone.");
        };
        let zone = sent.as_str().and_then(zone_named);
        zone.or_else(|| {
            self.wrong(
                "time_zone",
                format!("{} is not a known time zone: use an IANA name such as Europe/Paris.", shown(sent)),
            )
        })
    }

    fn end_date(&mut self, start: Option<NaiveDate>) -> Option<NaiveDate> {
        let sent = self.get("end_date")?;
        let end = self.date("end_date", sent)?;
        match start {
            Some(start) if end < start => self.wrong(
                "end_date",
                format!("The end date, {}, is before the start date, {}.", written(end), written(start)),
            ),
            _ => Some(end),
        }
    }
}

fn weekday(key: &str) -> Option<Weekday> {
    let index = WEEKDAY_KEYS.iter().position(|k| *k == key)?;
    Weekday::try_from(u8::try_from(index).ok()?).ok()
}

fn written(date: NaiveDate) -> String {
    date.format("%-d %b %Y").to_string()
}

/// What people call a field.
fn spoken(field: &str) -> &str {
    match field {
        "days_of_month" => "days of the month",
        "end_date" => "end date",
        other => other,
    }
}

/// What was sent, quoted and cut to a length that fits on a line.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text.is_empty() => return "An empty text".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut cut: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("“{cut}”")
}
