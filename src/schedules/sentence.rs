//! A rule in words. One function for rows, the dialog, messages, history, audit and the API alike.

use chrono::{NaiveDate, Timelike, Weekday};
use chrono_tz::Tz;

use super::recurrence::elapsed_step;
use super::rule::{DaysOfMonth, Months, Repeat, Rule, Weekdays, Window, hh_mm};
use super::wall::local_start;
use super::zone::{DAY, offset_at};
use crate::words;

/// "Every 2 weeks on Monday and Thursday at 01:00, Europe/Paris".
pub fn sentence(rule: &Rule) -> String {
    format!("{}, {}", headline(rule), rule.time_zone)
}

/// The sentence without its zone.
pub fn headline(rule: &Rule) -> String {
    let at = hh_mm(rule.start_time);
    match &rule.repeat {
        Repeat::Once => format!("Once on {} at {at}", short_date(rule.start_date)),
        Repeat::Minutes { every, window } => format!("Every {every} minutes{}", window_words(window.as_ref())),
        Repeat::Hours { every: 1, window } => {
            let window = window_words(window.as_ref());
            if keeps_its_minute(rule) {
                format!("Every hour at :{:02}{window}", rule.start_time.minute())
            } else {
                format!("Every hour from {at}{window}")
            }
        }
        Repeat::Hours { every, window } => {
            let first = rule.start_time.hour() % every;
            let minute = rule.start_time.minute();
            format!("Every {every} hours from {first:02}:{minute:02}{}", window_words(window.as_ref()))
        }
        Repeat::Days { every: 1 } => format!("Every day at {at}"),
        Repeat::Days { every } => format!("Every {every} days at {at}"),
        Repeat::Weeks { every: 1, weekdays } => format!("Every {} at {at}", each_week(*weekdays)),
        Repeat::Weeks { every, weekdays } => match weekday_words(*weekdays) {
            Words::List(days) => format!("Every {every} weeks on {days} at {at}"),
            Words::Range(days) => format!("Every {every} weeks, {days}, at {at}"),
        },
        Repeat::Months { months, days } => format!("On {} of {} at {at}", day_words(*days), month_words(*months)),
    }
}

/// "Starting Sun 11 Oct 2026, with no end date"; for steps of elapsed time also the time of the first start.
pub fn bounds(rule: &Rule) -> String {
    if rule.is_once() {
        return "It runs once".to_owned();
    }
    let start = match elapsed_step(rule) {
        Some(_) => format!("{} at {}", short_date(rule.start_date), hh_mm(rule.start_time)),
        None => short_date(rule.start_date),
    };
    match rule.end_date {
        Some(end) => format!("Starting {start}, until {}", short_date(end)),
        None => format!("Starting {start}, with no end date"),
    }
}

/// The line under a headline: "No end date", "Asia/Tokyo, until 31 Dec 2026"; the usual zone is said above the list.
pub fn zone_and_end(rule: &Rule, usual: Tz) -> String {
    let zone = (rule.time_zone != usual).then(|| rule.time_zone.to_string());
    let end = match rule.end_date {
        _ if rule.is_once() => None,
        Some(end) => Some(format!("until {}", end.format("%-d %b %Y"))),
        None => Some("no end date".into()),
    };
    let line: Vec<String> = zone.into_iter().chain(end).collect();
    words::capitalized(&line.join(", "))
}

/// "Sun 11 Oct 2026".
pub fn short_date(date: NaiveDate) -> String {
    date.format("%a %-d %b %Y").to_string()
}

/// Whether an hourly run stays on its minute: not where the clocks change by half an hour.
fn keeps_its_minute(rule: &Rule) -> bool {
    let start = local_start(rule);
    let minute = |at: i64| offset_at(rule.time_zone, at).rem_euclid(3_600);
    (1..=4).all(|quarter| minute(start) == minute(start + quarter * 91 * DAY))
}

/// A plain list goes after "on"; a range stands alone.
enum Words {
    List(String),
    Range(String),
}

fn weekday_words(weekdays: Weekdays) -> Words {
    let days: Vec<u32> = weekdays.iter().map(|d| d.num_days_from_monday()).collect();
    if weekdays == Weekdays::ALL {
        return Words::Range("every day of the week".to_owned());
    }
    let words = ranges(&days, |d| weekday_name(d).to_owned());
    if days.len() > 2 && words.len() == 1 { Words::Range(and(&words)) } else { Words::List(and(&words)) }
}

fn each_week(weekdays: Weekdays) -> String {
    match weekdays {
        Weekdays::ALL => "day".to_owned(),
        Weekdays::MONDAY_TO_FRIDAY => "weekday".to_owned(),
        other => match weekday_words(other) {
            Words::List(days) => days,
            Words::Range(days) => format!("week, {days},"),
        },
    }
}

fn day_words(days: DaysOfMonth) -> String {
    let numbers: Vec<u32> = days.iter().collect();
    let mut words = ranges(&numbers, |d| d.to_string());
    let one = numbers.len() == 1;
    if let Some(first) = words.first_mut() {
        *first = format!("{} {first}", if one { "day" } else { "days" });
    }
    if days.has_last() {
        words.push("the last day".to_owned());
    }
    and(&words)
}

fn month_words(months: Option<Months>) -> String {
    let numbers: Vec<u32> = months.iter().flat_map(|m| m.iter()).collect();
    match numbers[..] {
        [] => "every month".to_owned(),
        [only] => format!("every {}", month_name(only)),
        _ if numbers.len() == 12 => "every month".to_owned(),
        _ => and(&ranges(&numbers, |m| month_name(m).to_owned())),
    }
}

fn window_words(window: Option<&Window>) -> String {
    let Some(window) = window else {
        return String::new();
    };
    let mut words = match (window.from.map(hh_mm), window.to.map(hh_mm)) {
        (Some(from), Some(to)) if from > to => format!(", {from} to {to} the next day"),
        (Some(from), Some(to)) => format!(", {from} to {to}"),
        (Some(from), None) => format!(", from {from} to midnight"),
        (None, Some(to)) => format!(", from midnight to {to}"),
        (None, None) => String::new(),
    };
    if let Some(weekdays) = window.weekdays.filter(|w| *w != Weekdays::ALL) {
        match weekday_words(weekdays) {
            Words::List(days) | Words::Range(days) => words += &format!(", {days}"),
        }
    }
    words
}

/// Ascending numbers in words, three or more in a row as "a to b".
fn ranges(numbers: &[u32], name: impl Fn(u32) -> String) -> Vec<String> {
    let mut words = Vec::new();
    for run in numbers.chunk_by(|a, b| a + 1 == *b) {
        match run {
            [first, _, .., last] => words.push(format!("{} to {}", name(*first), name(*last))),
            few => words.extend(few.iter().map(|n| name(*n))),
        }
    }
    words
}

/// "a", "a and b", "a, b and c".
pub(super) fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn weekday_name(from_monday: u32) -> &'static str {
    let day = u8::try_from(from_monday).ok().and_then(|d| Weekday::try_from(d).ok());
    match day.unwrap_or(Weekday::Mon) {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}

pub(super) fn month_name(month: u32) -> &'static str {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    NAMES[(month.saturating_sub(1) % 12) as usize]
}
