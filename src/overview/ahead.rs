//! What is to come: the next runs, and tonight.

use std::collections::HashMap;

use chrono_tz::Tz;

use super::going::named;
use super::night::{self, Drawing, Night, Plan, Ran};
use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::freezes::{self, Freeze};
use crate::import_sets;
use crate::imports::Target;
use crate::runs::{Run, across};
use crate::schedules::{self, Ahead};
use crate::words;

/// So many schedules are looked at, those that run first.
const LOOKED_AT: usize = 2_000;
/// So many of the next runs are shown.
const SHOWN: usize = 6;
/// Of so many imports it is asked how long they usually take; the others are taken to be short.
const KNOWN: usize = 400;
/// So many runs of the night that goes on are looked at.
const BEGUN: i64 = 300;

pub struct Coming {
    pub lines: Vec<Line>,
    pub night: Drawing,
    /// When each Application runs something next.
    pub next_of_each: HashMap<i64, Moment>,
}

/// One of the next runs.
pub struct Line {
    /// "08:30"
    pub clock: String,
    pub iso: String,
    pub name: String,
    /// Its schedule in Import Scheduling.
    pub href: String,
    pub application: Option<String>,
    /// It runs an import set, which `name` is that of.
    pub is_set: bool,
    /// "in 18 min", "tomorrow"
    pub when: String,
    /// A freeze will skip it.
    pub frozen: Option<String>,
}

impl Coming {
    /// In the Applications among these whose schedules the member may see.
    pub fn load(conn: &mut Conn, entered: &[Entered], (now, zone): (Moment, Tz)) -> Result<Self> {
        let ids: Vec<i64> = entered.iter().filter(|e| e.may_open_scheduling()).map(|e| e.application.id).collect();
        let night = Night::of(now, zone);
        let ahead = if ids.is_empty() { Vec::new() } else { schedules::ahead(conn, &ids, LOOKED_AT as i64)? };
        let cut = ahead.len() == LOOKED_AT;
        let tonight: Vec<&Ahead> = ahead.iter().filter(|ahead| ahead.next_at < night.to).collect();
        let shown = ahead.iter().take(SHOWN);
        let rules = schedules::rules(conn, &tonight.iter().copied().chain(shown).map(|a| a.id).collect::<Vec<_>>())?;
        let mut targets: Vec<Target> =
            tonight.iter().copied().chain(ahead.iter().take(SHOWN)).map(|ahead| ahead.target).collect();
        targets.sort_unstable();
        targets.dedup();
        let known = import_sets::known(conn, &targets)?;
        targets.truncate(KNOWN);
        let usual = if targets.is_empty() { HashMap::new() } else { across::usual_durations(conn, &targets)? };
        let mut frozen: HashMap<i64, Vec<Freeze>> = HashMap::new();
        if let Some(last) = ahead.iter().take(SHOWN).map(|ahead| ahead.next_at).chain([night.to]).max() {
            for freeze in freezes::by_clock::holding(conn, &ids, now, last)? {
                frozen.entry(freeze.application_id).or_default().push(freeze);
            }
        }
        let none = Vec::new();
        let freezes_of = |ahead: &Ahead| frozen.get(&ahead.application_id).unwrap_or(&none);
        let name = |ahead: &Ahead| {
            let zone = rules.get(&ahead.id).map_or(zone, |rule| rule.time_zone());
            ahead.called(known.get(&ahead.target).map(|known| known.name.as_str()), ahead.next_at, zone)
        };
        // What its runs are called says what it is by a word at its end; a line says it beside the name.
        let is_set = |ahead: &Ahead| ahead.run_name.is_none() && matches!(ahead.target, Target::Set(_));
        let of = |ahead: &Ahead| named(entered, ahead.application_id);
        let plan = |ahead: &&Ahead| {
            Some(Plan {
                name: name(ahead),
                application: of(ahead).unwrap_or_default(),
                rule: rules.get(&ahead.id)?,
                next_at: ahead.next_at,
                usual: usual.get(&ahead.target).copied(),
                freezes: freezes_of(ahead),
            })
        };
        let plans: Vec<Plan> = tonight.iter().filter_map(plan).collect();
        let (ran, ran_more) = so_far(conn, entered, &ids, night, now)?;
        let line = |ahead: &Ahead| Line {
            clock: ahead.next_at.in_zone(zone).format("%H:%M").to_string(),
            iso: words::machine_time(ahead.next_at),
            name: known
                .get(&ahead.target)
                .filter(|_| is_set(ahead))
                .map_or_else(|| name(ahead), |set| set.name.clone()),
            is_set: is_set(ahead),
            href: format!(
                "/applications/{}/settings/import-scheduling?open={}#sched-{}",
                ahead.application_id,
                ahead.target.short(),
                ahead.id
            ),
            application: of(ahead),
            when: when(ahead.next_at, now, zone),
            frozen: freezes::at(freezes_of(ahead), ahead.next_at).map(|freeze| freeze.name.clone()),
        };
        // All of them are known, unless there are more schedules than were looked at.
        let mut next_of_each = HashMap::new();
        for ahead in ahead.iter().rev() {
            next_of_each.insert(ahead.application_id, ahead.next_at);
        }
        if cut && next_of_each.len() < ids.len() {
            next_of_each = schedules::next_of_each(conn, &ids)?;
        }
        Ok(Self {
            lines: ahead.iter().take(SHOWN).map(line).collect(),
            night: night::draw(&plans, (&ran, ran_more), night, cut && tonight.len() == LOOKED_AT, (now, zone)),
            next_of_each,
        })
    }
}

/// What has begun by schedule since the night did, where it has: the latest, if they are very many, and whether there
/// may be more.
fn so_far(conn: &mut Conn, entered: &[Entered], ids: &[i64], night: Night, now: Moment) -> Result<(Vec<Ran>, bool)> {
    if ids.is_empty() || night.from >= now {
        return Ok((Vec::new(), false));
    }
    let runs = across::begun_by_schedule(conn, ids, night.from, BEGUN)?;
    let more = runs.len() as i64 == BEGUN;
    let ran = |run: Run| {
        let (from, schedule) = (run.started_at?, run.schedule_id?);
        Some(Ran {
            schedule,
            name: run.title().to_owned(),
            application: named(entered, run.application_id).unwrap_or_default(),
            from,
            to: run.finished_at.unwrap_or(now).max(from),
            status: run.status,
        })
    };
    Ok((runs.into_iter().filter_map(ran).collect(), more))
}

fn when(at: Moment, now: Moment, zone: Tz) -> String {
    if at <= now {
        return "due now".into();
    }
    let words = words::short_time(at, now, zone);
    match words.rsplit_once(", ") {
        Some(("Today", _)) => words::relative(at, now),
        Some(("Tomorrow", _)) => "tomorrow".into(),
        Some((day, _)) => day.to_owned(),
        None => words,
    }
}
