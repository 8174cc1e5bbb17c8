//! The Summary of a set's run: each step with its time, its counts and its cause, and how to go on.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::applications::blocks;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::import_scheduling::card::Chip;
use crate::import_scheduling::cards::status_chip;
use crate::import_sets::{self, OnFailure, SetDefinition};
use crate::runs::sets::{self, SetRun, SetStep};
use crate::runs::{Run, RunResult, RunStatus, glance};
use crate::words;

use super::RunScene;

/// What is known of a set's run beside the run itself.
pub(super) struct SetScene {
    name: String,
    of: SetRun,
    definition: SetDefinition,
    /// The steps' runs.
    runs: HashMap<i64, Run>,
    /// The names of their Blocks.
    blocks: HashMap<i64, String>,
}

/// What is drawn of it.
pub struct SetPart {
    pub done: String,
    pub done_sub: String,
    pub rows: String,
    pub rows_sub: String,
    pub order: &'static str,
    pub order_sub: &'static str,
    pub steps: Vec<StepRow>,
    pub lane: Option<Lane>,
    /// "Run again from step 4"
    pub again: String,
    /// "Run all 6 again", where that is another thing.
    pub all_again: Option<String>,
}

pub struct StepRow {
    pub position: i32,
    pub name: String,
    pub block: String,
    pub chip: Chip,
    /// The run of the step.
    pub href: Option<String>,
    pub started: String,
    pub took: String,
    pub did: String,
    pub more: String,
    /// It waits for a decision.
    pub hot: bool,
}

/// When each step ran, as bars below each other.
pub struct Lane {
    pub label: String,
    pub height: usize,
    /// Class, x, y, width of 1,000.
    pub bars: Vec<(&'static str, i64, usize, i64)>,
}

impl SetScene {
    pub(super) fn load(conn: &mut Conn, run: &Run) -> Result<Option<Self>> {
        let Some(set_id) = run.set_id else { return Ok(None) };
        let set = import_sets::by_id(conn, set_id)?.ok_or(AppError::NotFound)?;
        let Some(of) = sets::of(conn, run.id)? else { return Ok(None) };
        let Some(definition) = sets::definition(conn, set_id, of.set_version)? else { return Ok(None) };
        let ids: Vec<i64> = of.steps.iter().filter_map(|step| step.run_id).collect();
        let runs = glance::by_ids(conn, &ids)?;
        let mut names = HashMap::new();
        for id in runs.values().filter_map(|run| run.block_id) {
            if let Entry::Vacant(vacant) = names.entry(id) {
                vacant.insert(blocks::find_even_archived(conn, id)?.name);
            }
        }
        Ok(Some(Self { name: set.name, of, definition, runs, blocks: names }))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// "version 7"
    pub(super) fn version_words(&self) -> String {
        format!("version {}", self.of.set_version)
    }

    pub(super) fn of(&self) -> &SetRun {
        &self.of
    }

    fn run_of(&self, step: &SetStep) -> Option<&Run> {
        self.runs.get(&step.run_id?)
    }

    /// The first step that is not done.
    fn first_left(&self) -> Option<&SetStep> {
        self.of.steps.iter().find(|step| !step.is_done())
    }

    fn part(&self, scene: &RunScene) -> SetPart {
        let steps = &self.of.steps;
        let total = steps.len() as i64;
        let count = |wanted: &[RunStatus]| {
            steps.iter().filter(|step| step.status.is_some_and(|status| wanted.contains(&status))).count() as i64
        };
        let loaded = count(&[RunStatus::Success, RunStatus::Partial]);
        let sub: Vec<String> = [
            (count(&[RunStatus::Failed]), "failed"),
            (count(&[RunStatus::Held]), "held"),
            (count(&[RunStatus::Cancelled]), "cancelled"),
            (count(&[RunStatus::Skipped]), "skipped"),
        ]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
        let own = steps.iter().filter(|step| !step.taken_over).filter_map(|step| self.run_of(step)?.result.as_ref());
        let (rows, rejected) = own.fold((0, 0), |(rows, rejected), result| {
            (rows + result.added + result.changed, rejected + result.rejected)
        });
        let left = self.first_left().filter(|_| loaded > 0);
        SetPart {
            done: format!("{loaded} of {}", words::counted(total, "step", "steps")),
            done_sub: sub.join(", "),
            rows: format!("{} loaded", words::count(rows)),
            rows_sub: format!("{} rejected", words::count(rejected)),
            order: self.definition.execution.label(),
            order_sub: match self.definition.on_failure {
                OnFailure::Stop => "stops at a failure",
                OnFailure::Continue => "goes on after a failure",
            },
            steps: steps.iter().map(|step| self.row(step, scene)).collect(),
            lane: self.lane(scene),
            again: match left {
                Some(step) => format!("Run again from step {}", step.position),
                None => "Run Again".to_owned(),
            },
            all_again: left.map(|_| match total {
                1 => "Run it again".to_owned(),
                total => format!("Run all {total} again"),
            }),
        }
    }

    fn row(&self, step: &SetStep, scene: &RunScene) -> StepRow {
        let run = self.run_of(step);
        let zone = scene.zone();
        let status = step.status;
        let result = run.and_then(|run| run.result.as_ref()).filter(|_| status.is_some_and(RunStatus::has_loaded));
        let did = match (result, run) {
            (Some(result), _) => changed_words(result),
            (None, Some(run)) if run.hold.is_some() => "Nothing was loaded yet.".to_owned(),
            (None, Some(run)) => run.cause.clone().or_else(|| run.reason.clone()).unwrap_or_default(),
            (None, None) if status == Some(RunStatus::Skipped) => self.why_skipped(),
            (None, None) => String::new(),
        };
        let again = match step.run_id.filter(|_| step.taken_over) {
            Some(id) => format!("Taken over from run {}.", words::count(id)),
            None => String::new(),
        };
        let held = run.and_then(|run| run.hold.as_ref());
        let more = match held {
            Some(hold) => format!("It waits for a decision until {}.", words::date_time(hold.until, zone)),
            None => again,
        };
        StepRow {
            position: step.position,
            name: step.name.clone(),
            block: run.and_then(|run| self.blocks.get(&run.block_id?).cloned()).unwrap_or_default(),
            chip: match status {
                Some(status) => status_chip(status),
                None => Chip { class: "", icon: "clock", word: "Waiting" },
            },
            href: run.map(|run| format!("/runs/{}", run.id)),
            started: run.and_then(|run| run.started_at).map(|at| words::clock_time(at, zone)).unwrap_or_default(),
            took: run.and_then(Run::duration).map(words::duration).unwrap_or_default(),
            did,
            more,
            hot: held.is_some(),
        }
    }

    /// Why a step was not begun.
    fn why_skipped(&self) -> String {
        if let Some(name) = &self.of.cancelled_by {
            return format!("{name} cancelled the import set.");
        }
        let stopped = self.of.steps.iter().find(|step| !step.is_done() && step.run_id.is_some());
        stopped.map_or_else(String::new, |step| format!("Step {} stopped the set.", step.position))
    }

    /// Bars for what ran, while there is something to compare.
    fn lane(&self, scene: &RunScene) -> Option<Lane> {
        let own = || self.of.steps.iter().filter(|step| !step.taken_over);
        let begins = own().filter_map(|step| self.run_of(step)?.started_at).min()?;
        let ends = own().filter_map(|step| Some(self.run_of(step)?.finished_at.unwrap_or(scene.now))).max()?;
        let whole = ends.since(begins).num_milliseconds();
        if whole <= 0 || self.of.steps.len() < 2 {
            return None;
        }
        let mut bars = Vec::new();
        let mut said = Vec::new();
        for (i, step) in self.of.steps.iter().enumerate() {
            let Some(run) = self.run_of(step).filter(|_| !step.taken_over) else { continue };
            let (Some(from), to) = (run.started_at, run.finished_at.unwrap_or(scene.now)) else { continue };
            let class = match step.status {
                Some(RunStatus::Success) => "ok",
                Some(RunStatus::Partial | RunStatus::Held) => "warn",
                Some(RunStatus::Failed) => "bad",
                _ => "run",
            };
            let x = from.since(begins).num_milliseconds() * 1_000 / whole;
            let width = (to.since(from).num_milliseconds() * 1_000 / whole).max(4);
            bars.push((class, x, 4 + 10 * i, width));
            let (from, to) = (words::clock_time(from, scene.zone()), words::clock_time(to, scene.zone()));
            said.push(format!("{} from {from} to {to}", step.position));
        }
        let label = format!("When each step ran: {}.", said.join(", "));
        Some(Lane { label, height: 4 + 10 * self.of.steps.len(), bars })
    }
}

impl RunScene {
    pub(super) fn set_part(&self) -> Option<SetPart> {
        Some(self.set.as_ref()?.part(self))
    }
}

/// "4 added, 11 changed, 0 removed"
fn changed_words(result: &RunResult) -> String {
    let rejected = match result.rejected {
        0 => String::new(),
        n => format!(", {} rejected", words::count(n)),
    };
    if result.added + result.changed + result.removed == 0 {
        return match result.unchanged {
            0 => format!("Nothing new{rejected}"),
            n => format!("Nothing new, {} unchanged{rejected}", words::count(n)),
        };
    }
    let parts = [(result.added, "added"), (result.changed, "changed"), (result.removed, "removed")];
    let all: Vec<String> = parts.into_iter().map(|(n, word)| format!("{} {word}", words::count(n))).collect();
    format!("{}{rejected}", all.join(", "))
}
