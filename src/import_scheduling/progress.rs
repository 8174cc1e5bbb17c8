//! How far a run is, as cards and Summaries draw it.

use super::card::Progress;
use super::cards_scene::CardsScene;
use crate::clock::Moment;
use crate::imports::pipeline::READING;
use crate::runs::sets::{SetRun, SetStep};
use crate::runs::{self, Run, RunStatus};
use crate::words;

impl CardsScene {
    pub(super) fn progress(&self, run: &Run, usual: Option<&Run>) -> Progress {
        match self.set_runs.get(&run.id) {
            Some(of) => set_progress(run, of, self.now),
            None => run_progress(run, self.progress.get(&run.id), usual, self.now),
        }
    }
}

/// How far the run of an import is, where a worker told `far`; `usual` is one that ended.
pub fn run_progress(run: &Run, far: Option<&runs::Progress>, usual: Option<&Run>, now: Moment) -> Progress {
    let elapsed = run.started_at.map(|at| words::duration(now.since(at)));
    let (Some(far), true) = (far, run.status == RunStatus::Running) else {
        return Progress {
            phase: run.reason.clone().unwrap_or_else(|| "Waiting for a worker".into()),
            rows: String::new(),
            value: 0,
            max: None,
            elapsed: words::duration(now.since(run.queued_at)),
            cancelling: false,
        };
    };
    // What comes before and after the reading takes a time that nobody knows.
    let usual = usual.and_then(|run| run.result.as_ref()).map(|r| r.read).filter(|_| far.phase == READING);
    let max = usual.filter(|read| *read > far.rows);
    let rows = match max {
        Some(max) => format!("{} of about {}", words::count(far.rows), words::counted(max, "row", "rows")),
        None if far.rows > 0 => words::counted(far.rows, "row", "rows"),
        None if far.bytes > 0 => words::bytes(far.bytes),
        None => String::new(),
    };
    // Without a usual number it counts by bytes; what is all read is no longer measured.
    let bytes = far.bytes_total.filter(|total| max.is_none() && *total > far.bytes);
    let (value, max) = if bytes.is_some() { (far.bytes, bytes) } else { (far.rows, max) };
    let cancelling = far.cancel_requested;
    Progress { phase: far.phase.clone(), rows, value, max, elapsed: elapsed.unwrap_or_default(), cancelling }
}

/// At which of its steps the run of a set is.
pub fn set_progress(run: &Run, of: &SetRun, now: Moment) -> Progress {
    let goes: Vec<&SetStep> =
        of.steps.iter().filter(|step| step.status.is_some_and(|status| status.is_open())).collect();
    let ended = of.steps.iter().filter(|step| step.status.is_some_and(|status| !status.is_open())).count();
    let total = of.steps.len();
    Progress {
        phase: match goes.as_slice() {
            [] => "Starting".into(),
            [one] => format!("Step {} of {total}, {}", one.position, one.name),
            several => format!("{} of {total} steps are under way", several.len()),
        },
        rows: String::new(),
        value: ended as i64,
        max: Some(total as i64),
        elapsed: words::duration(now.since(run.started_at.unwrap_or(run.queued_at))),
        cancelling: of.cancelled_by.is_some(),
    }
}
