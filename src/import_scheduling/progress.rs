//! How far a run is, as cards and Summaries draw it.

use super::card::Progress;
use super::cards_scene::CardsScene;
use crate::clock::Moment;
use crate::imports::pipeline::READING;
use crate::runs::sets::{SetRun, SetStep};
use crate::runs::{Run, RunStatus};
use crate::words;

impl CardsScene {
    pub(super) fn progress(&self, run: &Run, usual: Option<&Run>) -> Progress {
        if let Some(of) = self.set_runs.get(&run.id) {
            return set_progress(run, of, self.now);
        }
        let now = self.progress.get(&run.id);
        let elapsed = run.started_at.map(|at| words::duration(self.now.since(at)));
        let (Some(now), true) = (now, run.status == RunStatus::Running) else {
            return Progress {
                phase: run.reason.clone().unwrap_or_else(|| "Waiting for a worker".into()),
                rows: String::new(),
                value: 0,
                max: None,
                elapsed: words::duration(self.now.since(run.queued_at)),
                cancelling: false,
            };
        };
        // What comes before and after the reading takes a time that nobody knows.
        let usual = usual.and_then(|run| run.result.as_ref()).map(|r| r.read).filter(|_| now.phase == READING);
        let max = usual.filter(|read| *read > now.rows);
        let rows = match max {
            Some(max) => format!("{} of about {}", words::count(now.rows), words::counted(max, "row", "rows")),
            None if now.rows > 0 => words::counted(now.rows, "row", "rows"),
            None if now.bytes > 0 => words::bytes(now.bytes),
            None => String::new(),
        };
        // Without a usual number it counts by bytes; what is all read is no longer measured.
        let bytes = now.bytes_total.filter(|total| max.is_none() && *total > now.bytes);
        let (value, max) = if bytes.is_some() { (now.bytes, bytes) } else { (now.rows, max) };
        let cancelling = now.cancel_requested;
        Progress { phase: now.phase.clone(), rows, value, max, elapsed: elapsed.unwrap_or_default(), cancelling }
    }
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
