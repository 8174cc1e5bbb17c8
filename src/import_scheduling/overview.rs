//! What stands above the list: what comes next, what the last day did, and what somebody should know now.

use askama::Template;
use askama::filters::HtmlSafe;
use chrono::Duration;

use super::switch;
use super::view::Outlines;
use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::freezes::{self, Freeze};
use crate::imports::Target;
use crate::members::Member;
use crate::runs::{RunStatus, glance};
use crate::schedules::flagged::Flag;
use crate::schedules::{self, Schedule, State, actions};
use crate::words;

/// No worker seen for so long is worth a warning.
const QUIET: Duration = Duration::minutes(3);
/// So many schedules are looked at whose next occurrence a freeze will skip.
const LOOKED_AT: usize = 50;

#[derive(Template)]
#[template(path = "import_scheduling/overview.html")]
pub struct Overview {
    here: String,
    /// It stands beside something else that htmx asked for.
    oob: bool,
    no_worker: Option<String>,
    frozen: Option<Frozen>,
    owners_gone: Vec<OwnerGone>,
    next: Option<Next>,
    on: usize,
    schedules: usize,
    runs: String,
    failed: String,
    rows_loaded: String,
}

impl HtmlSafe for Overview {}

/// Nothing starts by schedule now.
struct Frozen {
    name: String,
    until: String,
    href: String,
}

struct OwnerGone {
    id: i64,
    name: String,
    words: String,
    take: String,
    may_take: bool,
    /// For who may hand over.
    hand_over: Option<String>,
}

struct Next {
    when: String,
    rest: String,
}

/// That nobody works, where it is so. `waiting`: something is in the queue.
pub fn no_worker(conn: &mut Conn, waiting: bool, now: Moment) -> Result<Option<String>> {
    let seen_at = glance::worker_seen_at(conn)?;
    let quiet = seen_at.map(|at| now.since(at)).filter(|quiet| *quiet > QUIET);
    Ok(match (seen_at, quiet) {
        (None, _) if waiting => Some("No worker has been seen yet.".into()),
        (_, quiet) => quiet.map(|quiet| format!("No worker has been seen for {}.", words::duration(quiet))),
    })
}

/// Administrators may; Auditors see everything and import nothing.
pub fn may_hand_over(entered: &Entered) -> bool {
    entered.sees_everything && entered.may_import()
}

impl Overview {
    /// To stand beside something else that htmx asked for.
    pub fn beside(self) -> Self {
        Self { oob: true, ..self }
    }

    pub fn load(conn: &mut Conn, entered: &Entered, all: &Outlines, now: Moment) -> Result<Self> {
        let id = entered.application.id;
        let freezes = freezes::of_application(conn, id)?;
        let last_day = glance::last_day(conn, entered, now)?;
        let waiting = all.open.values().any(|run| run.status == RunStatus::Queued);
        let base = format!("/applications/{id}");
        Ok(Self {
            here: switch::list(id),
            oob: false,
            no_worker: no_worker(conn, waiting, now)?,
            frozen: freezes::at(&freezes, now).map(|freeze| Frozen {
                name: freeze.name.clone(),
                until: freeze.end_words(),
                href: format!("{base}/settings/freezes/{}", freeze.id),
            }),
            owners_gone: owners_gone(entered, all),
            next: next(conn, entered, all, &freezes)?.map(|(at, schedule)| {
                let of = match schedule.target {
                    Target::Configuration(id) => all.configurations.iter().find(|c| c.id == id).map(|c| &c.name),
                    Target::Set(id) => all.sets.iter().find(|set| set.id == id).map(|set| &set.name),
                };
                Next {
                    when: words::short_time(at, now, schedule.rule.time_zone()),
                    rest: format!(
                        "{}, {}",
                        words::relative_in(at, now, schedule.rule.time_zone()),
                        of.map_or("", String::as_str)
                    ),
                }
            }),
            on: all.schedules.iter().filter(|s| s.state == State::On).count(),
            schedules: all.schedules.iter().filter(|s| s.state != State::Finished).count(),
            runs: words::counted(last_day.runs, "run", "runs"),
            failed: format!("{} failed", words::count(last_day.failed)),
            rows_loaded: words::count(last_day.rows_loaded),
        })
    }
}

/// Which schedule runs next. Rules are read of the next one alone, and of those that a freeze holds back.
fn next(conn: &mut Conn, entered: &Entered, all: &Outlines, freezes: &[Freeze]) -> Result<Option<(Moment, Schedule)>> {
    let mut planned: Vec<&schedules::Outline> = all.schedules.iter().filter(|s| s.next_at.is_some()).collect();
    planned.sort_by_key(|s| (s.next_at, s.id));
    let held = |s: &&&schedules::Outline| s.next_at.is_some_and(|at| freezes::at(freezes, at).is_some());
    let free = planned.iter().find(|s| !held(s)).map(|s| s.id);
    let ids: Vec<i64> = planned.iter().filter(held).map(|s| s.id).take(LOOKED_AT).chain(free).collect();
    if ids.is_empty() {
        return Ok(None);
    }
    let found = actions::pick(conn, entered, &ids)?;
    let next = found.there.into_iter().filter_map(|schedule| Some((freezes::next_run(freezes, &schedule)?, schedule)));
    Ok(next.min_by_key(|(at, schedule)| (*at, schedule.id)))
}

/// Of what an Owner cannot run, so many are on and so many off: "2 schedules they own will fail until another member owns them."
fn what_fails(on: usize, off: usize) -> String {
    let schedules = |n: usize| words::counted(n as i64, "schedule", "schedules");
    match (on, off) {
        (0, off) => format!("{} they own, now off, would fail until another member owns them.", schedules(off)),
        (on, 0) => format!("{} they own will fail until another member owns them.", schedules(on)),
        (on, off) => {
            let off = words::count(off as i64);
            format!(
                "{} they own will fail until another member owns them, and {off} that are off would.",
                schedules(on)
            )
        }
    }
}

/// Owners who cannot run what they own: their schedules will fail.
fn owners_gone(entered: &Entered, all: &Outlines) -> Vec<OwnerGone> {
    let mut gone: Vec<(&Member, &Flag)> =
        all.members.values().filter_map(|member| Some((member, all.flags.get(&member.id)?))).collect();
    gone.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    gone.into_iter()
        .filter_map(|(member, flag)| {
            let owned = || all.schedules.iter().filter(|s| s.owner_id == member.id && s.state != State::Finished);
            let (count, on) = (owned().count(), owned().filter(|s| s.next_at.is_some()).count());
            (count > 0).then(|| OwnerGone {
                id: member.id,
                name: flag.words(&member.name),
                words: what_fails(on, count - on),
                take: match count {
                    1 => "Take ownership".into(),
                    n => format!("Take all {}", words::count(n as i64)),
                },
                may_take: entered.may_import(),
                hand_over: may_hand_over(entered)
                    .then(|| format!("/ownership/hand-over?from={}&application={}", member.id, entered.application.id)),
            })
        })
        .collect()
}
