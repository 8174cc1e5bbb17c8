//! What stands in a member's calendar: what ran lately, with how it ended, and each occurrence that is to come, for as far
//! as both are few enough for a calendar program.

use std::collections::{HashMap, HashSet};

use chrono::Duration;

use super::actions::Opened;
use super::ical::{Calendar, Event, instant};
use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::freezes::{self, Freeze};
use crate::import_sets;
use crate::imports::Target;
use crate::runs::{Run, RunResult, RunStatus, across};
use crate::schedules::{self, Ahead, occurrences};
use crate::words;

const BACK: Duration = Duration::days(31);
const FORTH: Duration = Duration::days(60);
/// So many of both at most: what is nearest.
const MOST_RUNS: i64 = 1_000;
const MOST_PLANNED: usize = 2_000;
/// Of one schedule no more than so many, so that one that runs often leaves room for the others.
const MOST_EACH: usize = 200;
/// So many schedules are looked at, those that run first.
const MOST_SCHEDULES: usize = 2_000;
/// Of so many imports it is asked how long they usually take.
const KNOWN: usize = 400;
/// A calendar draws nothing that is shorter.
const SHORTEST: Duration = Duration::minutes(1);

/// What the addresses in a calendar begin with, without a slash at the end; and the name of the host.
pub struct Place {
    pub base: String,
    pub host: String,
}

struct Scene<'a> {
    opened: &'a Opened,
    place: &'a Place,
    usual: HashMap<Target, Duration>,
    names: HashMap<Target, String>,
    freezes: HashMap<i64, Vec<Freeze>>,
}

/// The calendar as its member may see it at this moment.
pub fn calendar(conn: &mut Conn, opened: &Opened, place: &Place, now: Moment) -> Result<Calendar> {
    let ids: Vec<i64> = opened.entered.iter().map(|entered| entered.application.id).collect();
    if ids.is_empty() {
        let about = "You have no access to any Application's calendar, so nothing is shown.".to_owned();
        return Ok(Calendar { name: "Tidegate".into(), about, events: Vec::new() });
    }
    let runs = across::since(conn, &ids, now.minus(BACK), MOST_RUNS + 1)?;
    let ahead = schedules::ahead(conn, &ids, MOST_SCHEDULES as i64)?;
    let resting = schedules::resting(conn, &ids, MOST_SCHEDULES as i64)?;
    let few = ahead.len() < MOST_SCHEDULES && resting.len() < MOST_SCHEDULES;
    let ahead: Vec<Ahead> = ahead.into_iter().chain(resting).collect();
    let mut targets: Vec<Target> = ahead.iter().map(|ahead| ahead.target).collect();
    targets.sort_unstable();
    targets.dedup();
    let names = import_sets::known(conn, &targets)?.into_iter().map(|(target, known)| (target, known.name)).collect();
    targets.truncate(KNOWN);
    let mut freezes: HashMap<i64, Vec<Freeze>> = HashMap::new();
    for freeze in freezes::by_clock::holding(conn, &ids, now, now.plus(FORTH))? {
        freezes.entry(freeze.application_id).or_default().push(freeze);
    }
    let usual = if targets.is_empty() { HashMap::new() } else { across::usual_durations(conn, &targets)? };
    let scene = Scene { opened, place, usual, names, freezes };
    let (past, runs_cut) = scene.past(runs);
    let rules = schedules::rules(conn, &ahead.iter().map(|ahead| ahead.id).collect::<Vec<_>>())?;
    let (planned, cut) = scene.planned(&ahead, &rules, now);
    let name = match (opened.feed.application_id, opened.entered.as_slice()) {
        (Some(_), [only]) => format!("Tidegate: {}", only.application.name),
        _ => "Tidegate".to_owned(),
    };
    let about = scene.about(runs_cut, Cut { schedules: !few, ..cut });
    Ok(Calendar { name, about, events: past.into_iter().chain(planned).collect() })
}

/// What is not shown of what is to come.
#[derive(Clone, Copy, Default)]
struct Cut {
    /// Nothing after this.
    after: Option<Moment>,
    /// Of schedules that run often.
    often: bool,
    /// There are too many schedules.
    schedules: bool,
}

impl Scene<'_> {
    fn of(&self, application_id: i64) -> Option<&Entered> {
        self.opened.entered.iter().find(|entered| entered.application.id == application_id)
    }

    /// What ran, the latest repeat of each occurrence; and whether there was more.
    fn past(&self, runs: Vec<Run>) -> (Vec<Event>, bool) {
        let cut = runs.len() as i64 > MOST_RUNS;
        let mut seen = HashSet::new();
        let mut events = Vec::new();
        // The newest comes first.
        for run in runs.into_iter().take(MOST_RUNS as usize).filter(|run| run.restores.is_none()) {
            let uid = match (run.schedule_id, run.planned_at) {
                (Some(schedule), Some(at)) => self.uid(schedule, at),
                _ => format!("run-{}@{}", run.uid, self.place.host),
            };
            if seen.insert(uid.clone()) {
                events.extend(self.run(&run, uid));
            }
        }
        (events, cut)
    }

    fn run(&self, run: &Run, uid: String) -> Option<Event> {
        let entered = self.of(run.application_id)?;
        let from = run.stands_for();
        let usual = run.target().and_then(|target| self.usual.get(&target).copied());
        let took = run.duration().or(usual).unwrap_or(SHORTEST).max(SHORTEST);
        let to = run.planned_until.map_or(from.plus(took), |until| until.max(from).plus(SHORTEST));
        let said = run.cause.clone().or(run.reason.clone());
        let said = said.or(run.hold.map(|hold| hold.stopped.words()));
        let loaded = run.result.as_ref().filter(|_| run.status.has_loaded()).map(RunResult::loaded_words);
        let said = match (loaded, said) {
            (Some(loaded), Some(said)) => format!("{loaded}. {said}"),
            (Some(loaded), None) => format!("{loaded}."),
            (None, said) => said.unwrap_or_default(),
        };
        Some(Event {
            uid,
            from,
            to,
            stamp: run.queued_at,
            summary: match run.status {
                RunStatus::Success => format!("✓ {}", run.title()),
                status => format!("{}: {}", status.words(), run.title()),
            },
            description: said,
            category: entered.application.name.clone(),
            url: format!("{}/runs/{}", self.place.base, run.id),
        })
    }

    /// What is to come, the next first.
    fn planned(&self, ahead: &[Ahead], rules: &HashMap<i64, schedules::Rule>, now: Moment) -> (Vec<Event>, Cut) {
        let end = now.plus(FORTH);
        let mut cut = Cut::default();
        let mut all: Vec<(Moment, usize)> = Vec::new();
        for (n, of) in ahead.iter().enumerate() {
            let Some(rule) = rules.get(&of.id) else { continue };
            let just_before = of.next_at.minus(Duration::microseconds(1));
            let mut instants = occurrences(rule, just_before).take_while(|at| *at < end);
            all.extend(instants.by_ref().take(MOST_EACH).map(|at| (at, n)));
            cut.often |= instants.next().is_some();
        }
        all.sort_unstable();
        if all.len() > MOST_PLANNED {
            all.truncate(MOST_PLANNED);
            cut.after = all.last().map(|(at, _)| *at);
        }
        let event = |(at, n): (Moment, usize)| {
            let of = &ahead[n];
            self.occurrence(of, rules.get(&of.id)?, at)
        };
        (all.into_iter().filter_map(event).collect(), cut)
    }

    fn occurrence(&self, of: &Ahead, rule: &schedules::Rule, at: Moment) -> Option<Event> {
        let entered = self.of(of.application_id)?;
        let frozen = self.freezes.get(&of.application_id).and_then(|freezes| freezes::at(freezes, at));
        let name = of.called(self.names.get(&of.target).map(String::as_str), at, rule.time_zone());
        let took = self.usual.get(&of.target).copied().unwrap_or(SHORTEST).max(SHORTEST);
        let list = format!("{}/applications/{}/settings/import-scheduling", self.place.base, of.application_id);
        Some(Event {
            uid: self.uid(of.id, at),
            from: at,
            to: at.plus(took),
            stamp: self.opened.feed.made_at,
            summary: if frozen.is_some() { format!("Skipped: {name}") } else { name },
            description: match frozen {
                Some(freeze) => freeze.foretold(),
                None => format!("Planned: {}.", schedules::sentence(rule)),
            },
            category: entered.application.name.clone(),
            url: format!("{list}?open={}#sched-{}", of.target.short(), of.id),
        })
    }

    fn uid(&self, schedule: i64, at: Moment) -> String {
        format!("schedule-{schedule}-{}@{}", instant(at), self.place.host)
    }

    /// What the calendar shows, and what it does not.
    fn about(&self, runs_cut: bool, cut: Cut) -> String {
        let names: Vec<&str> = self.opened.entered.iter().map(|e| e.application.name.as_str()).collect();
        let of = match names.as_slice() {
            [one] => (*one).to_owned(),
            [one, other] => format!("{one} and {other}"),
            many => words::counted(many.len() as i64, "Application", "Applications"),
        };
        let mut said =
            format!("The imports of {of}: what ran in the last 31 days, and what is planned in the next 60.");
        if runs_cut {
            said += &format!(" Only the latest {} runs are shown.", words::count(MOST_RUNS));
        }
        if let Some(after) = cut.after {
            let until = after.utc().format("%-d %b %Y, %H:%M");
            said += &format!(
                " Only the next {} planned runs are shown, until {until} UTC.",
                words::count(MOST_PLANNED as i64)
            );
        }
        if cut.often {
            said += &format!(" At most the next {MOST_EACH} runs of each schedule are shown.");
        }
        if cut.schedules {
            said += &format!(" Only the {} schedules that run first are shown.", words::count(MOST_SCHEDULES as i64));
        }
        said
    }
}
