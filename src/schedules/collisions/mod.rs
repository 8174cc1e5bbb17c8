//! Schedules that come too close: two occurrences of different ones within the Application's spacing that share a
//! Connection, an import configuration or a Block. Instants are compared, never rules, over the next 31 days; whoever
//! schedules is warned and never hindered, and offered the nearest start that is free.
//!
//! [`look`] is pure. [`neighbours`] reads, in one query, what it is to look at.

mod circle;
mod store;
mod timeline;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::{Datelike, Duration, NaiveDate, NaiveTime, Timelike};
use serde::Serialize;

pub use circle::circle;
pub(super) use timeline::{HALF_MINUTE, Timeline};

use super::recurrence::{first_at_or_after, latest_at_or_before, moment};
use super::rule::Rule;
use super::sentence::{headline, short_date};
use super::wall::local_start;
use super::zone::{Landing, land, naive};
use crate::clock::Moment;
use crate::db::{Conn, text_enum};
use crate::error::Result;
use crate::members::By;
use crate::shape::{Described, Schemas, answer};

/// How far ahead is looked.
pub const DAYS: i64 = 31;

/// A schedule that is on, with what it uses. That of a set is one for each of its steps: all that they use counts from its
/// start.
#[derive(Clone, Debug)]
pub struct Neighbour {
    pub id: i64,
    pub application_id: i64,
    pub application_name: String,
    /// Whether the member who asks may see its Application; of others nothing but its instants is told.
    pub seen: bool,
    /// The set of which this is a step.
    pub set_id: Option<i64>,
    pub configuration_id: i64,
    pub block_id: i64,
    pub connection_id: Option<i64>,
    /// The Block that feeds it.
    pub source_block_id: Option<i64>,
    /// Its run name, else its configuration's or set's name.
    pub name: String,
    pub rule: Rule,
}

/// What a schedule would use, and how far apart imports of its Application are to begin; of a set, what one of its steps
/// would.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub application_id: i64,
    /// The set of which this is a step.
    pub set_id: Option<i64>,
    pub configuration_id: i64,
    pub block_id: i64,
    pub connection_id: Option<i64>,
    /// The Block that feeds it.
    pub source_block_id: Option<i64>,
    /// Minutes; 0: nothing is too close.
    pub spacing_minutes: i32,
    /// The schedule that is edited: it does not collide with itself.
    pub schedule_id: Option<i64>,
}

text_enum! {
    /// What two schedules both use.
    pub enum Share { Connection = "connection", ImportConfiguration = "import_configuration", Block = "block" }
}

answer! {
    /// A schedule that collides, and where it first does.
    pub struct Collision {
        /// Null if you may not see its Application.
        schedule_id: Option<i64>,
        sentence: String,
        /// The occurrence of your schedule.
        at: Moment,
        /// The nearest occurrence of the other schedule.
        other_at: Moment,
        /// What both schedules use.
        shares: Vec<Share>,
    }
}

/// A start on the wall clock of the rule's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    pub date: NaiveDate,
    pub time: NaiveTime,
}

/// All that comes too close, the earliest first, and the nearest start with which nothing would.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collisions {
    pub list: Vec<Collision>,
    /// `None`: nothing collides, or nothing is free within a day.
    pub suggestion: Option<Start>,
}

/// The schedules that are on in an Application, and those elsewhere on a Connection that it uses, for a caller that
/// has entered it. A number of queries that does not grow with them.
pub fn neighbours(conn: &mut Conn, by: &By, application_id: i64) -> Result<Vec<Neighbour>> {
    store::neighbours(conn, by, application_id)
}

/// What a rule would collide with if it were saved now, for a configuration or the steps of a set.
pub fn look(rule: &Rule, targets: &[Target], neighbours: &[Neighbour], now: Moment) -> Collisions {
    let list = collisions(rule, targets, neighbours, now);
    let suggestion = if list.is_empty() { None } else { nearest_free(rule, targets, neighbours, now) };
    Collisions { list, suggestion }
}

/// The warnings alone.
pub fn collisions(rule: &Rule, targets: &[Target], neighbours: &[Neighbour], now: Moment) -> Vec<Collision> {
    let Some((target, reach)) = targets.first().and_then(|target| Some((target, target.reach()?))) else {
        return Vec::new();
    };
    let mut near = horizon(now);
    near.mark(rule, reach, reach);
    let mut found: Vec<(Moment, Moment, &Neighbour, Vec<Share>)> = Vec::new();
    for (other, shares) in shared(targets, neighbours) {
        if let Some(on) = near.first_on(&other.rule)
            && let Some((at, other_at)) = pair(rule, &other.rule, on, reach, now)
        {
            found.push((at, other_at, other, shares));
        }
    }
    found.sort_by_key(|(at, other_at, other, _)| (*at, *other_at, other.id));
    let collision = |(at, other_at, other, shares): (Moment, Moment, &Neighbour, Vec<Share>)| Collision {
        schedule_id: Some(other.id).filter(|_| other.seen),
        sentence: words(rule, target, other, &shares, at, other_at),
        at,
        other_at,
        shares,
    };
    found.into_iter().map(collision).collect()
}

/// The nearest start on whole five minutes, at most a day away from the one given, with which nothing collides; of two
/// that are as near, the later. Never one whose first occurrence would be in the past.
pub fn nearest_free(rule: &Rule, targets: &[Target], neighbours: &[Neighbour], now: Moment) -> Option<Start> {
    let reach = targets.first()?.reach()?;
    let mut taken = horizon(now);
    for (other, _) in shared(targets, neighbours) {
        taken.mark(&other.rule, reach, reach);
    }
    let start = local_start(rule);
    let away = (1..=24 * 60).flat_map(|minutes| [start + minutes * 60, start - minutes * 60]);
    away.filter_map(|local| moved(rule, local, now))
        .find(|moved| taken.has(moved) && taken.first_on(moved).is_none())
        .map(|moved| Start { date: moved.start_date, time: moved.start_time })
}

/// The schedules that use something of what the targets use, each once, and what that is.
fn shared<'a>(targets: &[Target], neighbours: &'a [Neighbour]) -> Vec<(&'a Neighbour, Vec<Share>)> {
    let mut found: Vec<(&Neighbour, Vec<Share>)> = Vec::new();
    let mut places: HashMap<(i64, i64), usize> = HashMap::new();
    for other in neighbours {
        let all = targets.iter().flat_map(|target| target.shares(other));
        let shares: Vec<Share> =
            Share::ALL.iter().copied().filter(|share| all.clone().any(|one| one == *share)).collect();
        if shares.is_empty() {
            continue;
        }
        match places.entry((other.application_id, other.id)) {
            Entry::Vacant(place) => {
                place.insert(found.len());
                found.push((other, shares));
            }
            Entry::Occupied(place) => {
                let there = &mut found[*place.get()].1;
                *there = Share::ALL.iter().copied().filter(|s| there.contains(s) || shares.contains(s)).collect();
            }
        }
    }
    found
}

/// The rule begun at another local time, where that is one to offer.
fn moved(rule: &Rule, local: i64, now: Moment) -> Option<Rule> {
    let begin = naive(local);
    let (date, time) = (begin.date(), begin.time());
    let fits =
        time.minute() % 5 == 0 && (1970..=2099).contains(&date.year()) && rule.end_date.is_none_or(|end| date <= end);
    if !fits {
        return None;
    }
    // A start in the past is one to offer only where the rule began long ago and goes on; one that clocks skip never.
    let began = |local: i64| moment(land(rule.time_zone, local).at()) < now;
    let skipped = matches!(land(rule.time_zone, local), Landing::Skipped(_));
    let goes_on = !rule.is_once() && began(local_start(rule));
    (!skipped && (goes_on || !began(local))).then_some(Rule { start_date: date, start_time: time, ..*rule })
}

fn horizon(now: Moment) -> Timeline {
    Timeline::new(now, now.plus(Duration::days(DAYS)))
}

/// The earliest occurrence near one of another rule, and the other's that is nearest to that.
fn pair(rule: &Rule, other: &Rule, on: i64, reach: i64, now: Moment) -> Option<(Moment, Moment)> {
    let until = now.plus(Duration::days(DAYS));
    let at = first_at_or_after(rule, moment(on - reach).max(now))?;
    let before = latest_at_or_before(other, at).filter(|before| *before >= now);
    let after = first_at_or_after(other, at).filter(|after| *after <= until);
    let other_at = match (before, after) {
        (Some(before), Some(after)) if after.since(at) < at.since(before) => after,
        (before, after) => before.or(after)?,
    };
    Some((at, other_at))
}

impl Target {
    /// How far from an occurrence another is still too close, in seconds; strictly less than the spacing.
    fn reach(&self) -> Option<i64> {
        let spacing = i64::from(self.spacing_minutes).clamp(0, DAYS * 24 * 60) * 60;
        (spacing > 0).then_some(spacing - HALF_MINUTE)
    }

    /// What it has in common with another schedule; nothing with the one that is edited.
    fn shares(&self, other: &Neighbour) -> Vec<Share> {
        // By its Application too, so that nobody finds out the id of what they may not see by leaving it out.
        if self.schedule_id == Some(other.id) && self.application_id == other.application_id {
            return Vec::new();
        }
        let connection = self.connection_id.is_some() && self.connection_id == other.connection_id;
        [
            (Share::Connection, connection),
            (Share::ImportConfiguration, self.configuration_id == other.configuration_id),
            (Share::Block, self.block_id == other.block_id),
        ]
        .into_iter()
        .filter_map(|(share, both)| both.then_some(share))
        .collect()
    }
}

/// "Airports, every day at 02:25, uses the same Connection 5 minutes earlier: on Fri 9 Oct 2026 at 02:25."
fn words(rule: &Rule, target: &Target, other: &Neighbour, shares: &[Share], at: Moment, other_at: Moment) -> String {
    let who = if !other.seen {
        "A schedule in another Application".to_owned()
    } else {
        let mut when = headline(&other.rule);
        when[..1].make_ascii_lowercase();
        if other.rule.time_zone != rule.time_zone {
            when = format!("{when} ({})", other.rule.time_zone);
        }
        let place = if other.application_id == target.application_id { "" } else { &other.application_name };
        format!("{}{}{place}, {when},", other.name, if place.is_empty() { "" } else { " in " })
    };
    let what = match shares {
        _ if target.set_id.is_some() && target.set_id == other.set_id => "runs the same import set",
        shares if shares.contains(&Share::ImportConfiguration) => "runs the same import configuration",
        [Share::Connection, Share::Block] => "uses the same Connection and Block",
        [Share::Block] => "fills the same Block",
        _ => "uses the same Connection",
    };
    let local = other_at.in_zone(rule.time_zone);
    let (day, time) = (short_date(local.date_naive()), local.format("%H:%M"));
    format!("{who} {what} {}: on {day} at {time}.", apart(other_at.since(at)))
}

/// "5 minutes earlier", "at the same time".
fn apart(by: Duration) -> String {
    let minutes = (by.num_seconds().abs() + 59) / 60;
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    match by.num_seconds() {
        0 => "at the same time".to_owned(),
        seconds if seconds < 0 => format!("{minutes} {unit} earlier"),
        _ => format!("{minutes} {unit} later"),
    }
}

impl Start {
    /// "02:45"; with its date where that is another than the rule's.
    pub fn words(&self, rule: &Rule) -> String {
        let time = self.time.format("%H:%M");
        if self.date == rule.start_date { time.to_string() } else { format!("{time} on {}", short_date(self.date)) }
    }
}

impl Described for Start {
    fn schema(_: &mut Schemas) -> serde_json::Value {
        serde_json::json!({
            "type": "object",
            "properties": {
                "start_date": { "type": "string", "format": "date" },
                "start_time": { "type": "string", "examples": ["02:45"] },
            },
            "required": ["start_date", "start_time"],
            "additionalProperties": false,
        })
    }
}

impl Serialize for Start {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let start_date = self.date.format("%Y-%m-%d").to_string();
        let start_time = self.time.format("%H:%M").to_string();
        serde_json::json!({ "start_date": start_date, "start_time": start_time }).serialize(serializer)
    }
}
