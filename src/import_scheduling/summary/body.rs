//! What a Summary draws, from what is known about the run.

use askama::Template;
use askama::filters::HtmlSafe;
use chrono::Duration;
use chrono_tz::Tz;
use serde_json::Value;

use super::RunScene;
use super::decision::Decision;
use super::of_set::SetPart;
use super::rejected::CauseRow;
use super::times::Time;
use super::told;
use super::ways::Note;
use crate::files::kept::{self, FILE};
use crate::import_scheduling::card::{Chip, Progress};
use crate::import_scheduling::cards::status_chip;
use crate::import_scheduling::history::{self, by_whom};
use crate::import_scheduling::progress::set_progress;
use crate::imports::pipeline::CHECK;
use crate::parameters::{mask, shown};
use crate::runs::{Run, RunResult, RunStatus};
use crate::web::Icon;
use crate::words;

#[derive(Template)]
#[template(path = "import_scheduling/summary_body.html")]
pub struct Body {
    id: i64,
    active: bool,
    csrf: String,
    heading: String,
    chip: Chip,
    number: String,
    trigger: String,
    late: bool,
    history: String,
    may_cancel: bool,
    may_again: bool,
    /// While it goes, Run Again keeps its place and does nothing.
    waits: bool,
    /// Whether Run Again is the first thing to do: there is nothing to put right before.
    leads: bool,
    progress: Option<Progress>,
    /// While it is Held.
    decision: Option<Decision>,
    note: Option<Note>,
    slow: Option<String>,
    result: String,
    result_sub: String,
    duration: String,
    usual: String,
    /// How late it started: a word and how long.
    start: (&'static str, String),
    attempt: i32,
    attempts_sub: String,
    /// Of a set's run, what stands in the place of the rest.
    set: Option<SetPart>,
    steps: Vec<Step>,
    steps_zone: String,
    no_steps: &'static str,
    counts: Vec<Count>,
    /// Cells that were changed while loading: column, kind of change, how many.
    changes: Vec<(String, &'static str, String)>,
    rejects: Option<Rejects>,
    /// It changed rows, or what it did to them.
    changed: bool,
    /// There are counts, or will be.
    counted: bool,
    log: Vec<String>,
    details: Vec<Detail>,
    /// What it goes with: label, value, and as what it was given where that reads otherwise.
    values: Vec<(String, String, Option<String>)>,
    times: Vec<Time>,
    zone: String,
}

impl HtmlSafe for Body {}

/// What was rejected, and what to do about it.
struct Rejects {
    /// "12 rejected rows"
    title: String,
    words: String,
    /// Whether the member may download them.
    may_take: bool,
    /// Whether that is the first thing to do.
    leads: bool,
    causes: Vec<CauseRow>,
    /// Whether corrected rows can be given, or why not.
    correct: Option<std::result::Result<(), String>>,
}

struct Step {
    class: &'static str,
    icon: Icon,
    word: String,
    name: String,
    detail: String,
    duration: String,
}

struct Count {
    label: &'static str,
    value: String,
}

struct Detail {
    label: &'static str,
    value: String,
    sub: Option<String>,
    href: Option<String>,
}

impl RunScene {
    /// The values that it goes with, once it has begun; before that those that were given. No secret is among them.
    fn values(&self) -> Vec<(String, String, Option<String>)> {
        let run = &self.summary.run;
        let masked = |values: &Option<Value>| values.as_ref().map(mask).unwrap_or_default();
        let (given, resolved) = (masked(&run.parameters), masked(&run.resolved));
        let values = if resolved.is_object() { &resolved } else { &given };
        let declared = self.definition.as_ref().map_or(&[][..], |definition| definition.parameters.as_slice());
        let named = |(name, value): (&String, &Value)| {
            let label = declared.iter().find(|parameter| parameter.name == *name).map_or(name.as_str(), |p| p.label());
            let said = given.get(name).filter(|said| *said != value).map(shown);
            match self.file_named(name, value) {
                Some((label, file)) => (label, file, None),
                None => (label.to_owned(), shown(value), said),
            }
        };
        // What a configuration is given stands among the details.
        let takes_file = self.configuration.as_ref().is_some_and(|configuration| configuration.needs_file());
        let values = values.as_object().into_iter().flatten().filter(|(name, _)| !(takes_file && *name == FILE));
        values.map(named).collect()
    }

    /// Of a set, the kept file that a value means: "Step 2, kept file" and its name.
    fn file_named(&self, name: &str, value: &Value) -> Option<(String, String)> {
        let id = value.as_i64().filter(|_| self.set.is_some() && kept::is_file(name))?;
        let file = self.files.iter().find(|kept| kept.id == id)?;
        let label = name.split_once('.').map_or("Kept file".to_owned(), |(step, _)| format!("Step {step}, kept file"));
        Some((label, file.name.clone()))
    }

    pub(super) fn zone(&self) -> Tz {
        self.schedule.as_ref().map_or(self.entered.application.time_zone, |s| s.rule.time_zone())
    }

    pub fn body(&self, csrf: String) -> Body {
        let (run, zone) = (&self.summary.run, self.zone());
        let result = run.result.clone().unwrap_or_default();
        let may_import = self.entered.may_import();
        let active = run.status.is_open();
        let blank = result.told.blank > 0;
        let attempts = self.definition.as_ref().map(|d| d.attempts);
        let usual = self.summary.usual_duration.map(words::duration);
        let base = format!("/applications/{}", run.application_id);
        let rejects = self.rejects(&result, may_import);
        let fix = rejects.as_ref().is_some_and(|rejects| rejects.leads);
        let leads = !fix && (self.may_pass() || self.ways().is_empty());
        Body {
            id: run.id,
            active,
            csrf,
            heading: match run.planned_until {
                Some(until) => {
                    let (from, until) = (words::date_time(run.stands_for(), zone), words::date_time(until, zone));
                    format!("{}, {from} to {until}", run.title())
                }
                None => format!("{}, {}", run.title(), words::date_time(run.stands_for(), zone)),
            },
            chip: status_chip(run.status),
            number: words::count(run.id),
            trigger: by_whom(run, &self.names),
            late: run.late,
            history: match run.target() {
                Some(target) => history::address(run.application_id, target),
                None => match (run.restores, run.block_id) {
                    (Some(_), Some(id)) => format!("{base}/blocks/{id}"),
                    _ => format!("{base}/settings/import-scheduling"),
                },
            },
            may_cancel: active && may_import,
            waits: active && may_import,
            may_again: self.summary.may_run_again && may_import,
            progress: self.progress(),
            decision: self.decision(),
            note: self.note(!leads && !fix),
            slow: self.slow.clone(),
            leads,
            result: self.result_words(),
            result_sub: match result.rejected {
                0 => String::new(),
                n => format!("{} of {} rejected", words::count(n), words::counted(result.read, "row", "rows")),
            },
            duration: match run.duration() {
                Some(duration) => words::duration(duration),
                None if run.status.is_open() => "Not yet".into(),
                None => "None".into(),
            },
            usual: usual.map(|usual| format!("usually {usual}")).unwrap_or_default(),
            start: start(run),
            attempt: run.attempt,
            attempts_sub: attempts.map(|n| format!("of {n}")).unwrap_or_default(),
            set: self.set_part(),
            steps: self.summary.steps.iter().map(|s| step(s, result.rejected)).chain(self.now_at()).collect(),
            steps_zone: format!("{zone} time"),
            no_steps: match run.status {
                RunStatus::Queued => "It has not started yet.",
                _ => "The run did not start, so there are no steps.",
            },
            counts: [
                ("Read", result.read),
                ("Added", result.added),
                ("Changed", result.changed),
                ("Removed", result.removed),
                ("Unchanged", result.unchanged),
                ("Rejected", result.rejected),
            ]
            .into_iter()
            .map(|(label, n)| Count { label, value: if active { "Not yet".into() } else { words::count(n) } })
            .chain([Count {
                label: "Bytes",
                value: if active { "Not yet".into() } else { words::bytes(result.bytes) },
            }])
            .chain(blank.then(|| Count { label: "Blank lines", value: words::count(result.told.blank) }))
            .collect(),
            changes: (result.told.changes.into_iter())
                .map(|changed| (changed.column, changed.kind.words(), words::count(changed.cells)))
                .collect(),
            rejects,
            changed: result.added + result.changed + result.removed > 0,
            counted: active || run.result.is_some(),
            log: self.summary.log.iter().map(|l| format!("{} {}", words::clock_time(l.at, zone), l.message)).collect(),
            values: self.values(),
            details: self.details(&base),
            times: self.times(),
            zone: zone.to_string(),
        }
    }

    fn rejects(&self, result: &RunResult, may_import: bool) -> Option<Rejects> {
        let may_take = self.entered.may_open_scheduling();
        (result.rejected > 0 && self.set.is_none()).then(|| Rejects {
            title: words::counted(result.rejected, "rejected row", "rejected rows"),
            words: words::counted(self.rejected_cells, "bad cell", "bad cells"),
            may_take,
            leads: may_take && self.lost(),
            causes: self.cause_rows(),
            correct: may_import.then(|| self.not_corrected.clone().map_or(Ok(()), Err)),
        })
    }

    fn progress(&self) -> Option<Progress> {
        let run = &self.summary.run;
        if let Some(set) = &self.set {
            return run.status.is_open().then(|| set_progress(run, set.of(), self.now));
        }
        let elapsed = words::duration(self.now.since(run.started_at.unwrap_or(run.queued_at)));
        let Some(now) = self.summary.progress.as_ref().filter(|_| run.status == RunStatus::Running) else {
            let phase = run.reason.clone().unwrap_or_else(|| "Waiting for a worker".into());
            let waiting = Progress { phase, rows: String::new(), value: 0, max: None, elapsed, cancelling: false };
            return run.status.is_open().then_some(waiting);
        };
        Some(Progress {
            phase: now.phase.clone(),
            rows: far(now),
            value: now.bytes,
            max: now.bytes_total.filter(|all| *all > now.bytes),
            elapsed,
            cancelling: now.cancel_requested,
        })
    }

    /// The step that goes on.
    fn now_at(&self) -> Option<Step> {
        let now = self.summary.progress.as_ref().filter(|_| self.summary.run.status == RunStatus::Running)?;
        Some(Step {
            class: "is-run",
            icon: "spin",
            word: "running".into(),
            name: now.phase.clone(),
            detail: far(now),
            duration: String::new(),
        })
    }

    fn result_words(&self) -> String {
        let run = &self.summary.run;
        match run.status {
            RunStatus::Success | RunStatus::Partial => run.result.clone().unwrap_or_default().loaded_words(),
            RunStatus::Failed => "Nothing loaded".into(),
            other => other.words().into(),
        }
    }

    fn details(&self, base: &str) -> Vec<Detail> {
        let run = &self.summary.run;
        let mut details = Vec::new();
        let mut add = |label, value: String, sub: Option<String>, href: Option<String>| {
            details.push(Detail { label, value, sub, href });
        };
        if let Some(block) = &self.block {
            add("Block", block.name.clone(), None, Some(format!("{base}/blocks/{}", block.id)));
        }
        if let Some(configuration) = &self.configuration {
            let version = run.configuration_version.map(|v| format!("version {v}"));
            let href = format!("{base}/settings/import-configurations/{}", configuration.id);
            let open = self.entered.may_configure() || self.entered.may_open_scheduling();
            add("Configuration", configuration.name.clone(), version, open.then_some(href));
        }
        if let (Some(set), Some(id)) = (&self.set, run.set_id) {
            let href = format!("{base}/settings/import-sets/{id}");
            let open = self.entered.may_configure() || self.entered.may_open_scheduling();
            add("Import set", set.name().to_owned(), Some(set.version_words()), open.then_some(href));
        }
        if let Some(parent) = run.parent_id {
            add("Step of", format!("Run {}", words::count(parent)), None, Some(format!("/runs/{parent}")));
        }
        if let Some(schedule) = &self.schedule {
            add("Schedule", schedule.sentence(), None, None);
        }
        if let Some(name) = run.as_member_id.and_then(|id| self.names.get(&id)) {
            let gone = run.as_member_id.is_some_and(|id| self.gone.contains(&id));
            add("Run as", format!("{name}{}", if gone { " (deactivated)" } else { "" }), None, None);
        }
        if let Some((id, name, version)) = &self.kept {
            let open = self.entered.may_open_scheduling();
            let href = id.filter(|_| open).map(|id| format!("{base}/settings/kept-files/{id}"));
            let deleted = if id.is_none() { ", deleted since" } else { "" };
            add("Kept file", name.clone(), Some(format!("version {version}{deleted}")), href);
        }
        if !self.told.is_empty() || !self.posted.is_empty() {
            add("Told", told::words(&self.told, &self.posted, self.entered.sees_everything), None, None);
        }
        if let Some(result) = &run.result
            && let Some(name) = &result.source_name
        {
            add("Source", name.clone(), result.source_sha256.as_ref().map(|h| format!("SHA-256 {h}")), None);
        }
        for (label, other) in [("Previous run", self.summary.before), ("Next run", self.summary.after)] {
            let Some(other) = other else { continue };
            add(label, format!("Run {}", words::count(other)), None, Some(format!("/runs/{other}")));
        }
        if let Some(of) = run.restores {
            add("Restores", format!("Run {}", words::count(of)), None, Some(format!("/runs/{of}")));
        }
        if let Some(earlier) = run.again_of {
            add("Runs again", format!("Run {}", words::count(earlier)), None, Some(format!("/runs/{earlier}")));
        }
        details
    }
}

/// How many rows were read, or bytes fetched.
fn far(now: &crate::runs::Progress) -> String {
    match (now.rows, now.bytes_total) {
        (0, _) if now.bytes == 0 => String::new(),
        (0, _) => words::bytes(now.bytes),
        (rows, Some(total)) => format!("{}, {} of {}", words::rows(rows), words::bytes(now.bytes), words::bytes(total)),
        (rows, None) => words::rows(rows),
    }
}

/// Whether it stands for an occurrence, and not for a press of a button.
fn by_schedule(run: &Run) -> bool {
    run.planned_at.is_some() && run.again_of.is_none()
}

fn start(run: &Run) -> (&'static str, String) {
    let planned = run.planned_at.filter(|_| by_schedule(run));
    let after = |from| run.started_at.map(|at| at.since(from).max(Duration::zero()));
    match (planned, after(planned.unwrap_or(run.queued_at))) {
        (_, None) => ("Started", if run.status.is_open() { "Not yet" } else { "Never" }.into()),
        (Some(_), Some(late)) if late < Duration::seconds(1) => ("Started", "On time".into()),
        (Some(_), Some(late)) => ("Started late by", words::duration(late)),
        (None, Some(waited)) => ("Waited", words::duration(waited)),
    }
}

fn step(step: &crate::runs::RunStep, rejected: i64) -> Step {
    let partial = step.status == "success" && step.name == CHECK && rejected > 0;
    let word = if partial { "partial" } else { step.status.as_str() };
    let (class, icon) = match word {
        "failed" => ("is-bad", "x"),
        "partial" => ("is-warn", "warn"),
        "cancelled" => ("is-idle", "x"),
        _ => ("is-ok", "check"),
    };
    Step {
        class,
        icon,
        word: word.to_owned(),
        name: step.name.clone(),
        detail: step.detail.clone(),
        duration: words::duration(step.duration),
    }
}
