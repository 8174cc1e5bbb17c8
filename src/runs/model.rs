//! A run, and what it tells.

use chrono::Duration;
use serde_json::Value;

use super::lifecycle::{RunStatus, Trigger};
use crate::applications::blocks::RunKey;
use crate::clock::Moment;
use crate::imports::Target;
use crate::imports::guard::Stopped;
use crate::imports::pipeline::Told;
use crate::schedules::run_name;
use crate::words;

/// One execution of a configuration, or a restore of what a Block held before.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub id: i64,
    /// Random, and never given to another run.
    pub uid: String,
    pub application_id: i64,
    /// `None`: the run of a set, or a restore.
    pub configuration_id: Option<i64>,
    /// The version of the configuration that it uses.
    pub configuration_version: Option<i64>,
    pub block_id: Option<i64>,
    pub set_id: Option<i64>,
    pub parent_id: Option<i64>,
    pub schedule_id: Option<i64>,
    /// The instant that it stands for; `None`: started by hand, and not a repeat.
    pub planned_at: Option<Moment>,
    /// The last occurrence of a range that was missed or skipped by a freeze.
    pub planned_until: Option<Moment>,
    pub repeat_no: i32,
    pub again_of: Option<i64>,
    /// It is no import: it shows again what this run loaded, whose own row may be gone.
    pub restores: Option<i64>,
    pub trigger: Trigger,
    /// Who started it, or whose token did.
    pub started_by: Option<i64>,
    /// With whose rights it acts.
    pub as_member_id: Option<i64>,
    pub name: String,
    pub status: RunStatus,
    /// Why it waits, was skipped or missed, or what else is to be said; a plain sentence.
    pub reason: Option<String>,
    /// Why it failed; plain sentences.
    pub cause: Option<String>,
    pub late: bool,
    /// How many times a worker has started it.
    pub attempt: i32,
    /// The values that were given, secrets sealed.
    pub parameters: Option<Value>,
    /// All values that it goes with, once it has begun: no day and no later save changes them.
    pub resolved: Option<Value>,
    /// There are some, and they cannot be read: it is not to go without them.
    pub parameters_lost: bool,
    /// The file that was given by hand.
    pub file_id: Option<i64>,
    /// When it was claimed by the dispatcher, or asked for.
    pub queued_at: Moment,
    /// When it may begin (again); `None` once it has ended.
    pub available_at: Option<Moment>,
    /// When a worker took it.
    pub started_at: Option<Moment>,
    pub finished_at: Option<Moment>,
    /// Once it has ended with something to count.
    pub result: Option<RunResult>,
    /// While it is Held.
    pub hold: Option<Hold>,
}

/// What the volume guard holds of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub stopped: Stopped,
    /// Until then somebody may decide.
    pub until: Moment,
    /// As the run was when it was held.
    pub started_at: Option<Moment>,
    pub finished_at: Moment,
    /// Who approved it; a worker is about to make it visible.
    pub approved_by: Option<i64>,
}

/// What a run did to its Block. For Replace, `added` is what was loaded and `removed` what was held before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunResult {
    pub read: i64,
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
    pub unchanged: i64,
    pub rejected: i64,
    pub bytes: i64,
    pub source_name: Option<String>,
    pub source_sha256: Option<String>,
    /// What its load tells beside the counts.
    pub told: Told,
}

impl RunResult {
    fn is_all_unchanged(&self) -> bool {
        self.added + self.changed == 0 && self.unchanged > 0
    }

    /// "1,458 rows"; where all were there already, "all 1,458 rows unchanged", which is no failure.
    pub fn loaded_short(&self) -> String {
        let all = if self.rejected == 0 && self.unchanged > 1 { "all " } else { "" };
        match self.is_all_unchanged() {
            true => format!("{all}{} unchanged", words::rows(self.unchanged)),
            false => words::rows(self.added + self.changed),
        }
    }

    /// The same as a sentence begins: "1,458 rows loaded", "All 1,458 rows unchanged".
    pub fn loaded_words(&self) -> String {
        let short = self.loaded_short();
        match short.strip_prefix("all ") {
            Some(rows) => format!("All {rows}"),
            None if self.is_all_unchanged() => short,
            None => format!("{short} loaded"),
        }
    }
}

/// One step of a run: fetching, reading, loading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStep {
    pub name: String,
    /// `success`, `failed`, `cancelled`.
    pub status: String,
    pub detail: String,
    pub started_at: Moment,
    pub duration: Duration,
}

/// A line of a run's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: Moment,
    /// `info`, `warning`, `error`.
    pub level: String,
    pub message: String,
}

impl LogLine {
    pub fn new(at: Moment, level: &str, message: impl Into<String>) -> Self {
        Self { at, level: level.to_owned(), message: message.into() }
    }
}

impl RunStep {
    /// Its line of the log.
    pub fn line(&self) -> LogLine {
        let level = if self.status == "failed" { "error" } else { "info" };
        LogLine::new(self.started_at.plus(self.duration), level, format!("{}: {}", self.name, self.detail))
    }
}

/// How far a running run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub phase: String,
    pub rows: i64,
    pub bytes: i64,
    pub bytes_total: Option<i64>,
    pub cancel_requested: bool,
}

/// A run with all that its Summary shows; rejected rows are in the Block database.
#[derive(Clone, Debug)]
pub struct Summary {
    pub run: Run,
    pub steps: Vec<RunStep>,
    pub log: Vec<LogLine>,
    /// While it runs.
    pub progress: Option<Progress>,
    /// The median of the configuration's last ten successes.
    pub usual_duration: Option<Duration>,
    /// Whether "Run again" is offered; the member's rights are another question.
    pub may_run_again: bool,
    /// The runs of the same configuration before and after it.
    pub before: Option<i64>,
    pub after: Option<i64>,
}

/// Which runs to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub application_id: Option<i64>,
    pub configuration_id: Option<i64>,
    pub schedule_id: Option<i64>,
    pub set_id: Option<i64>,
    pub parent_id: Option<i64>,
    pub status: Option<RunStatus>,
    pub trigger: Option<Trigger>,
}

/// Stands beside the given values in their column, and holds the resolved ones. No parameter is named so.
const RESOLVED: &str = "=";

impl Run {
    /// Given and resolved values as one column keeps them: what is copied to another run takes both along.
    pub fn kept_values(&self) -> Option<String> {
        Self::kept(self.parameters.as_ref(), self.resolved.as_ref())
    }

    pub(super) fn kept(given: Option<&Value>, resolved: Option<&Value>) -> Option<String> {
        let Some(resolved) = resolved else { return given.map(Value::to_string) };
        let mut kept = given.and_then(Value::as_object).cloned().unwrap_or_default();
        kept.insert(RESOLVED.to_owned(), resolved.clone());
        Some(Value::Object(kept).to_string())
    }

    /// Reads them back: given, resolved.
    pub(super) fn of_kept(mut kept: Option<Value>) -> (Option<Value>, Option<Value>) {
        let resolved = kept.as_mut().and_then(Value::as_object_mut).and_then(|kept| kept.remove(RESOLVED));
        let given = kept.filter(|given| resolved.is_none() || given.as_object().is_none_or(|given| !given.is_empty()));
        (given, resolved)
    }

    /// Its name for where its instant stands beside it.
    pub fn title(&self) -> &str {
        run_name::without_stamp(&self.name)
    }

    /// What the log says of the attempt that goes on, or has just ended: that it began, and each step as it ended.
    pub fn attempt_lines(&self, steps: &[RunStep]) -> Vec<LogLine> {
        let began = self.started_at.map(|at| LogLine::new(at, "info", format!("Attempt {} started.", self.attempt)));
        began.into_iter().chain(steps.iter().map(RunStep::line)).collect()
    }

    /// As the Block database knows it.
    pub fn key(&self) -> RunKey {
        RunKey { uid: self.uid.clone(), id: self.id }
    }

    /// What it runs.
    pub fn target(&self) -> Option<Target> {
        Target::of(self.configuration_id, self.set_id)
    }

    /// The instant that relative dates are counted from: kept over "Run again".
    pub fn stands_for(&self) -> Moment {
        self.planned_at.unwrap_or(self.queued_at)
    }

    /// From a worker's taking it to its end; of one that ended before it began, by a clock that was set, not known.
    pub fn duration(&self) -> Option<Duration> {
        Some(self.finished_at?.since(self.started_at?)).filter(|took| *took >= Duration::zero())
    }
}
