//! What a rule will do, explained before it is saved: the next occurrences, with a line under each that a clock change
//! or a short month alters, and a hint for schedules that run very often.

use chrono::{DateTime, Datelike, NaiveDateTime};

use super::recurrence::{elapsed_step, first_at_or_after, next_after};
use super::rule::{Repeat, Rule};
use super::sentence::{and, month_name, sentence, short_date};
use super::wall::{local_start, month_length, slot_of};
use super::zone::{DAY, Landing, land, naive, offset_at};
use crate::clock::Moment;
use crate::imports::Overlap;
use crate::shape::answer;

/// What happens when a rule is saved now.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    pub sentence: String,
    pub occurrences: Vec<PreviewOccurrence>,
    /// Set when the schedule ends within what was asked for: that many runs, then none.
    pub ends_after: Option<usize>,
    /// For schedules that run very often.
    pub hint: Option<String>,
}

answer! {
    /// One planned instant.
    pub struct PreviewOccurrence of (rule: &Rule, at: Moment) {
        at: Moment = at,
        /// On the rule's own clock, such as `2026-10-25T02:30:00+02:00[Europe/Paris]`.
        local: String = local_rfc(rule, at),
        /// What a clock change, a short month or a freeze does to it.
        note: Option<String> = note(rule, at),
    }
}

impl Preview {
    /// "3 runs, then it ends"; empty while it goes on.
    pub fn ends_words(&self) -> Option<String> {
        self.ends_after.map(|count| match count {
            0 => "It never runs".to_owned(),
            1 => "1 run, then it ends".to_owned(),
            count => format!("{count} runs, then it ends"),
        })
    }
}

/// The next `count` occurrences at or after `now`; `overlap` is that of the configuration, where one is chosen.
pub fn preview(rule: &Rule, overlap: Option<Overlap>, now: Moment, count: usize) -> Preview {
    let mut next = first_at_or_after(rule, now);
    let mut occurrences = Vec::new();
    while let Some(at) = next.filter(|_| occurrences.len() < count) {
        occurrences.push(PreviewOccurrence::of(rule, at));
        next = next_after(rule, at);
    }
    Preview {
        sentence: sentence(rule),
        ends_after: next.is_none().then_some(occurrences.len()),
        hint: frequency_hint(rule, overlap),
        occurrences,
    }
}

/// An instant on the rule's own clock: RFC 3339 with its offset, then the zone's name.
pub fn local_rfc(rule: &Rule, at: Moment) -> String {
    format!("{}[{}]", at.in_zone(rule.time_zone).format("%Y-%m-%dT%H:%M:%S%:z"), rule.time_zone)
}

/// Whether it runs more often than every so many minutes.
pub fn too_soon(rule: &Rule, minutes: u32) -> bool {
    elapsed_step(rule).is_some_and(|step| step < i64::from(minutes) * 60)
}

/// Words for a schedule that runs more often than every 15 minutes, with what its configuration does on overlap;
/// `None`: the configuration is not known yet.
pub fn frequency_hint(rule: &Rule, overlap: Option<Overlap>) -> Option<String> {
    let every = rule.repeat.every().filter(|_| too_soon(rule, 15))?;
    let then = match overlap {
        None => "the next one is skipped, unless its configuration queues one",
        Some(Overlap::Skip) => "the next one is skipped, as its configuration says",
        Some(Overlap::Queue) => {
            "the next one waits and starts right after it, as its configuration says; any further one is skipped"
        }
    };
    Some(format!(
        "Every {every} minutes is frequent: 15 minutes or more between imports give each one time to finish. \
         When one is still running when the next is due, {then}."
    ))
}

/// The line under an occurrence that a clock change or a short month alters; `None` for the others.
pub fn note(rule: &Rule, at: Moment) -> Option<String> {
    let second = at.micros().div_euclid(1_000_000);
    let notes: Vec<String> = match elapsed_step(rule) {
        Some(_) => elapsed_note(rule, second).into_iter().collect(),
        None => {
            let (slot, landing) = slot_of(rule, second)?;
            [short_month_note(rule, slot), clock_note(rule, slot, landing)].into_iter().flatten().collect()
        }
    };
    (!notes.is_empty()).then(|| notes.join(" "))
}

fn clock_note(rule: &Rule, slot: i64, landing: Landing) -> Option<String> {
    match landing {
        Landing::Plain(_) => None,
        Landing::Twice(at) => Some(format!(
            "Clocks go back: {} happens twice. It runs once, the first time ({}).",
            hour(slot),
            utc_offset(offset_at(rule.time_zone, at))
        )),
        Landing::Skipped(at) => {
            let lands = at + offset_at(rule.time_zone, at);
            let (missing, real) = (naive(slot), naive(lands));
            Some(if lands - slot >= DAY {
                let day = short_date(missing.date());
                format!("The calendar skips {day} there. It runs on {} at {}.", short_date(real.date()), hour(lands))
            } else if missing.date() != real.date() {
                let day = short_date(real.date());
                format!(
                    "Clocks go forward: {} does not exist that day. It runs on {day} at {}.",
                    hour(slot),
                    hour(lands)
                )
            } else {
                format!("Clocks go forward: {} does not exist that day. It runs at {}.", hour(slot), hour(lands))
            })
        }
    }
}

/// Steps of elapsed time go on over a clock change; only their first start can be moved, and an hour can come twice.
fn elapsed_note(rule: &Rule, at: i64) -> Option<String> {
    let zone = rule.time_zone;
    let start = local_start(rule);
    let landing = land(zone, start);
    if landing.at() == at && matches!(landing, Landing::Skipped(_)) {
        return clock_note(rule, start, landing);
    }
    let offset = offset_at(zone, at);
    match land(zone, at + offset) {
        Landing::Twice(first) => Some(format!(
            "Clocks go back: {} happens twice. This is the {} of the two ({}).",
            hour(at + offset),
            if first == at { "first" } else { "second" },
            utc_offset(offset)
        )),
        _ => None,
    }
}

fn short_month_note(rule: &Rule, slot: i64) -> Option<String> {
    let Repeat::Months { days, .. } = rule.repeat else {
        return None;
    };
    let date = naive(slot).date();
    let length = month_length(date.year(), date.month());
    let lacking: Vec<String> = days.iter().filter(|day| *day > length).map(|day| day.to_string()).collect();
    if lacking.is_empty() || date.day() != length {
        return None;
    }
    let month = match date.month() {
        2 => format!("February {}", date.year()),
        month => month_name(month).to_owned(),
    };
    let (days, verb) = if lacking.len() == 1 { ("day", "becomes") } else { ("days", "become") };
    let last = if length % 10 == 1 { format!("{length}st") } else { format!("{length}th") };
    Some(format!("{month} has {length} days: {days} {} {verb} the {last}.", and(&lacking)))
}

/// "02:30".
fn hour(local: i64) -> String {
    let time: NaiveDateTime = naive(local);
    time.format("%H:%M").to_string()
}

/// "UTC+2", "UTC-3:30", of seconds ahead of UTC.
pub fn utc_offset(seconds: i64) -> String {
    let (sign, size) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
    let time = DateTime::from_timestamp(size, 0).unwrap_or_default();
    let minutes = size / 60 % 60;
    if minutes == 0 {
        format!("UTC{sign}{}", time.format("%-H"))
    } else {
        format!("UTC{sign}{}", time.format("%-H:%M"))
    }
}
