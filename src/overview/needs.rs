//! What needs somebody: one line for each trouble, with the one thing that helps, where the member may do it.

use std::collections::{HashMap, HashSet};

use chrono::Duration;
use chrono_tz::Tz;

use super::going::{Going, named};
use super::need::{Deed, Need, Rank};
use super::ready;
use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::import_scheduling::{Place, runs_address};
use crate::import_sets::{self, ImportSet};
use crate::imports::{self, Configuration, Target};
use crate::notifications::incidents::{self, Broken};
use crate::notifications::{self, NoticeKind};
use crate::runs::across::{self, Trouble};
use crate::runs::{Run, RunResult, RunStatus, glance};
use crate::words;

/// So many are looked for.
const LOOKED_FOR: usize = 100;
/// So many are in sight; the others are folded.
const IN_SIGHT: usize = 8;
/// What was missed before is history.
const MISSED: Duration = Duration::days(7);
/// What was to begin so long ago, and waits still.
const WAITS: Duration = Duration::minutes(15);

pub struct Needs {
    pub lines: Vec<Need>,
    pub folded: Vec<Need>,
    /// There are others, which are older.
    pub more: bool,
    /// The member may do something about some of it.
    yours: bool,
}

/// What the lines are made of.
struct Facts<'a> {
    entered: &'a [Entered],
    runs: HashMap<i64, Run>,
    configurations: HashMap<i64, Configuration>,
    sets: HashMap<i64, ImportSet>,
    /// What is broken for one cause.
    broken: Vec<Broken>,
    failed_steps: HashMap<i64, String>,
    now: Moment,
    zone: Tz,
}

impl Needs {
    /// In these Applications, all of which the member sees, by the clock of a zone.
    pub fn load(conn: &mut Conn, entered: &[Entered], going: &Going, (now, zone): (Moment, Tz)) -> Result<Self> {
        let ids: Vec<i64> = entered.iter().map(|entered| entered.application.id).collect();
        let mut troubles = across::troubles(conn, &ids, LOOKED_FOR as i64 + 1)?;
        let more = troubles.len() > LOOKED_FOR;
        troubles.truncate(LOOKED_FOR);
        let missed = across::missed(conn, &ids, now.minus(MISSED), LOOKED_FOR as i64)?;
        let run_ids: Vec<i64> = troubles.iter().map(|trouble| trouble.run_id).chain(missed.iter().copied()).collect();
        let runs = glance::by_ids(conn, &run_ids)?;
        let mut imports: Vec<i64> = runs.values().filter_map(|run| run.configuration_id).collect();
        imports.sort_unstable();
        imports.dedup();
        let sets: Vec<i64> = missed.iter().filter_map(|id| runs.get(id)?.set_id).collect();
        let sets = if sets.is_empty() { Vec::new() } else { import_sets::by_ids(conn, &sets)? };
        let configurations = if imports.is_empty() { Vec::new() } else { imports::by_ids(conn, &imports)? };
        let failed: Vec<i64> = runs.values().filter(|r| r.status == RunStatus::Failed).map(|r| r.id).collect();
        let facts = Facts {
            failed_steps: glance::failed_steps(conn, &failed)?,
            configurations: configurations.into_iter().map(|c| (c.id, c)).collect(),
            sets: sets.into_iter().map(|set| (set.id, set)).collect(),
            broken: incidents::broken(conn, &ids, LOOKED_FOR as i64)?,
            entered,
            runs,
            now,
            zone,
        };
        let mut lines = facts.of_troubles(&troubles, going);
        lines.extend(facts.broken.iter().filter_map(|broken| facts.will_fail(broken)));
        lines.extend(facts.of_missed(&missed, &troubles, going));
        lines.extend(going.runs.iter().filter_map(|run| facts.late(run, going)));
        let told = troubles.iter().map(|trouble| trouble.target).collect();
        lines.extend(ready::lines(conn, entered, &told, (now, zone))?);
        // Within a rank they come as they are, the latest first.
        lines.sort_by_key(|line| line.rank);
        let folded = if lines.len() > IN_SIGHT + 1 { lines.split_off(IN_SIGHT) } else { Vec::new() };
        let yours = entered.iter().any(|entered| entered.may_import() || entered.may_configure());
        Ok(Self { lines, folded, more, yours })
    }

    pub fn count(&self) -> usize {
        self.lines.len() + self.folded.len()
    }

    /// "Needs you"; "Needs attention" where the member can only look.
    pub fn title(&self) -> String {
        format!("Needs {}", self.whom())
    }

    fn whom(&self) -> &'static str {
        if self.yours { "you" } else { "attention" }
    }

    /// "3 need you", "nothing needs you"; "over 100 need you".
    pub fn words(&self) -> String {
        let whom = self.whom();
        match (self.count(), self.more) {
            (0, _) => format!("nothing needs {whom}"),
            (n, true) => format!("over {n} need {whom}"),
            (1, _) => format!("1 needs {whom}"),
            (n, _) => format!("{n} need {whom}"),
        }
    }
}

fn on_it(incident: &Broken) -> String {
    incident.on_it.as_ref().map(|name| format!(" {name} is on it.")).unwrap_or_default()
}

/// The schedules of an Application, those of one Owner together.
fn by_owner(application_id: i64) -> String {
    format!("/applications/{application_id}/settings/import-scheduling?sort=owner")
}

/// Where what its Owner cannot run gets another.
fn take(entered: &Entered) -> Deed {
    let label = if entered.may_import() { "Take ownership" } else { "View schedules" };
    Deed::Go { label: label.into(), href: by_owner(entered.application.id), icon: Some("key"), leads: false }
}

impl Facts<'_> {
    fn of(&self, application_id: i64) -> Option<&Entered> {
        self.entered.iter().find(|entered| entered.application.id == application_id)
    }

    fn when(&self, at: Moment) -> String {
        words::near(at, self.now, self.zone)
    }

    /// A step that failed in a set whose run failed of it is told with the set, and what goes on anew not at all. What
    /// broke for one cause is one line.
    fn of_troubles(&self, troubles: &[Trouble], going: &Going) -> Vec<Need> {
        let of_sets: HashSet<i64> = troubles.iter().filter(|t| t.target.set().is_some()).map(|t| t.run_id).collect();
        let needs = |trouble: &&Trouble| {
            let Some(run) = self.runs.get(&trouble.run_id) else { return false };
            let told = run.parent_id.is_some_and(|set_run| of_sets.contains(&set_run));
            run.status == RunStatus::Held || !(told || going.has(trouble.target))
        };
        let troubles: Vec<&Trouble> = troubles.iter().filter(needs).collect();
        let mut told = HashSet::new();
        let line = |trouble: &&Trouble| {
            let run = self.runs.get(&trouble.run_id)?;
            let incident = self.broken.iter().find(|broken| broken.targets.contains(&trouble.target));
            let Some(incident) = incident.filter(|_| run.status != RunStatus::Held) else {
                return self.trouble(trouble, run);
            };
            let together: Vec<&Trouble> =
                troubles.iter().copied().filter(|other| incident.targets.contains(&other.target)).collect();
            if together.len() > 1 {
                return told.insert(incident.id).then(|| self.together(incident, &together, run)).flatten();
            }
            let line = self.trouble(trouble, run)?;
            Some(Need { detail: format!("{}{}", line.detail, on_it(incident)), ..line })
        };
        troubles.iter().filter_map(line).collect()
    }

    /// What broke for one cause: "Sign-in refused (401)", "14 imports, since 05:15: A, B and 12 others. Mo is on it."
    fn together(&self, incident: &Broken, troubles: &[&Trouble], run: &Run) -> Option<Need> {
        const NAMED: usize = 3;
        let application_id = run.application_id;
        let entered = self.of(application_id)?;
        let names: Vec<&str> = troubles.iter().take(NAMED).map(|trouble| trouble.name.as_str()).collect();
        let more = troubles.len() - names.len();
        let others =
            if more > 0 { format!(" and {}", words::counted(more as i64, "other", "others")) } else { String::new() };
        let count = words::counted(troubles.len() as i64, "import", "imports");
        let since = self.when(incident.opened_at);
        let deed = match self.deed(run, entered) {
            Deed::Do { .. } => Deed::Do {
                label: format!("Run all {} again", troubles.len()),
                action: format!("/incidents/{}/run-again", incident.id),
            },
            Deed::Go { href, .. } if href == format!("/runs/{}", run.id) => {
                Deed::go("View the incident", format!("/incidents/{}", incident.id))
            }
            other => other,
        };
        Some(Need {
            class: "is-bad",
            icon: "bad",
            title: incident
                .cause
                .split_once(". ")
                .map_or(incident.cause.as_str(), |(first, _)| first)
                .trim_end_matches('.')
                .to_owned(),
            href: format!("/incidents/{}", incident.id),
            application: named(self.entered, application_id),
            detail: format!("{count}, since {since}: {}{others}.{}", names.join(", "), on_it(incident)),
            deed,
            rank: Rank::Failed,
        })
    }

    /// Schedules that their Owner cannot run any more.
    fn will_fail(&self, broken: &Broken) -> Option<Need> {
        let id = broken.application_id.filter(|_| broken.kind == NoticeKind::WillFail)?;
        let entered = self.of(id)?;
        let (title, detail) = notifications::parted(&broken.cause);
        let list = by_owner(id);
        entered.may_open_scheduling().then(|| Need {
            class: "is-warn",
            icon: "warn",
            title: title.to_owned(),
            href: list,
            application: named(self.entered, id),
            detail: format!("{detail}{}", on_it(broken)),
            deed: take(entered),
            rank: Rank::WillFail,
        })
    }

    fn trouble(&self, trouble: &Trouble, run: &Run) -> Option<Need> {
        let entered = self.of(trouble.application_id)?;
        let (name, since) = (&trouble.name, self.when(trouble.at));
        let then = words::then(trouble.at, self.now, self.zone);
        let (class, icon, title, detail, rank) = match run.status {
            RunStatus::Held => {
                let hold = run.hold.as_ref()?;
                let until = words::then(hold.until, self.now, self.zone);
                let detail =
                    format!("{} Held since {since}. It fails {until} unless someone decides.", hold.stopped.words());
                ("is-warn", "pause", format!("{name} is held"), detail, Rank::Held)
            }
            RunStatus::Partial => {
                let detail = match run.set_id {
                    Some(_) => {
                        format!("{} Ended {then}.", run.reason.as_deref().unwrap_or("Not all steps succeeded."))
                    }
                    None => format!("{}. Ended {then}.", run.result.clone().unwrap_or_default().loaded_words()),
                };
                let title = match &run.result {
                    Some(RunResult { rejected: rejected @ 1.., .. }) => {
                        format!("{name}: {}", words::counted(*rejected, "row rejected", "rows rejected"))
                    }
                    _ => format!("{name} is partial"),
                };
                ("is-warn", "part", title, detail, Rank::Partial)
            }
            _ => {
                let cause = run.cause.as_deref().or(run.reason.as_deref()).unwrap_or("The cause is not known.");
                let cause = cause.split_once(". ").map_or(cause.to_owned(), |(first, _)| format!("{first}."));
                ("is-bad", "bad", format!("{name} failed"), format!("{cause} Failed {then}."), Rank::Failed)
            }
        };
        Some(Need {
            class,
            icon,
            title,
            href: format!("/runs/{}", run.id),
            application: named(self.entered, trouble.application_id),
            detail,
            deed: self.deed(run, entered),
            rank,
        })
    }

    /// What helps, by where the cause lies and what the member may do.
    fn deed(&self, run: &Run, entered: &Entered) -> Deed {
        let here = format!("/runs/{}", run.id);
        let configuration = run.configuration_id.and_then(|id| self.configurations.get(&id));
        let place = Place::of(run.status, self.failed_steps.get(&run.id).map(String::as_str));
        match run.status {
            RunStatus::Held if entered.may_import() => {
                Deed::Go { label: "Decide".into(), href: here, icon: None, leads: true }
            }
            RunStatus::Partial if run.set_id.is_none() && entered.may_import() => {
                match run.result.as_ref().map_or(0, |result| result.rejected) {
                    0 => Deed::summary(run.id),
                    n => Deed::go(format!("Fix {}", words::rows(n)), here),
                }
            }
            RunStatus::Failed => match configuration {
                Some(Configuration { connection_id: Some(id), .. })
                    if place == Place::Connection && entered.sees_everything && entered.may_import() =>
                {
                    let href = format!("/connections/{id}");
                    Deed::Go { label: "Check the Connection".into(), href, icon: Some("plug"), leads: false }
                }
                Some(found) if place == Place::Mapping && entered.may_configure() => {
                    let base = format!("/applications/{}", found.application_id);
                    let href = format!("{base}/settings/import-configurations/{}#mapping", found.id);
                    Deed::go("Edit the configuration", href)
                }
                _ if place == Place::Elsewhere && self.is_of_unable(run) && entered.may_open_scheduling() => {
                    take(entered)
                }
                _ if entered.may_import() => {
                    Deed::Do { label: "Run Again".into(), action: format!("/runs/{}/again", run.id) }
                }
                _ => Deed::summary(run.id),
            },
            _ => Deed::summary(run.id),
        }
    }

    /// Whether the clock started it for an Owner who cannot run it still.
    fn is_of_unable(&self, run: &Run) -> bool {
        let owner = run.as_member_id.filter(|_| run.schedule_id.is_some());
        owner.is_some_and(|owner| self.broken.iter().any(|broken| broken.is_of_owner(owner, run.application_id)))
    }

    /// Occurrences that did not run, each import once; not where it ran since.
    fn of_missed(&self, missed: &[i64], troubles: &[Trouble], going: &Going) -> Vec<Need> {
        let mut seen: HashSet<Target> = troubles.iter().map(|trouble| trouble.target).collect();
        let mut lines = Vec::new();
        for run in missed.iter().filter_map(|id| self.runs.get(id)) {
            let (Some(target), Some(entered)) = (run.target(), self.of(run.application_id)) else { continue };
            let configuration = run.configuration_id.and_then(|id| self.configurations.get(&id));
            let set = run.set_id.and_then(|id| self.sets.get(&id));
            let of = configuration.map(|c| (c.archived, c.status_run_id, c.name.as_str()));
            let of = of.or(set.map(|set| (set.archived, set.status_run_id, set.name.as_str())));
            let ran = of.is_none_or(|(archived, last, _)| archived || last.is_some_and(|last| last > run.id));
            if !seen.insert(target) || ran || going.has(target) {
                continue;
            }
            let planned = self.when(run.stands_for());
            let can = entered.may_import() && configuration.is_none_or(|c| !c.needs_file());
            lines.push(Need {
                class: "is-warn",
                icon: "clock",
                title: format!("{} was missed", of.map_or(run.title(), |(.., name)| name)),
                href: format!("/runs/{}", run.id),
                application: named(self.entered, run.application_id),
                detail: format!("Planned for {planned}. {}", run.reason.as_deref().unwrap_or_default())
                    .trim()
                    .to_owned(),
                deed: match can {
                    true => Deed::Do { label: "Run now".into(), action: runs_address(run.application_id, target) },
                    false => Deed::summary(run.id),
                },
                rank: Rank::Late,
            });
        }
        lines
    }

    /// It takes far longer than usual, or should have begun long ago.
    fn late(&self, run: &Run, going: &Going) -> Option<Need> {
        let name = going.name(run);
        let (title, detail) = match (going.too_long(run), run.planned_at) {
            (Some((took, usual)), _) => {
                let (took, usual) = (words::duration(took), words::duration(usual));
                (format!("{name} is taking long"), format!("It has been running for {took}; it usually takes {usual}."))
            }
            (None, Some(planned)) if run.status == RunStatus::Queued && self.now.since(planned) > WAITS => {
                let why = run.reason.as_deref().unwrap_or("It is waiting for a worker.");
                (format!("{name} has not started"), format!("Planned for {}. {why}", self.when(planned)))
            }
            _ => return None,
        };
        Some(Need {
            class: "is-warn",
            icon: "clock",
            title,
            href: format!("/runs/{}", run.id),
            application: named(self.entered, run.application_id),
            detail,
            deed: Deed::summary(run.id),
            rank: Rank::Late,
        })
    }
}
