//! What is told of a run's work: its steps and its numbers.

use std::cmp::Ordering;
use std::time::Instant;

use chrono::Duration;

use crate::app::App;
use crate::applications::blocks;
use crate::clock::Moment;
use crate::connectors::{Content, FetchError, Fetched};
use crate::files::kept;
use crate::imports::pipeline::{self, LoadError, LoadReport};
use crate::runs::model::{Run, RunResult, RunStep};
use crate::words;

/// The steps of a load that began then and came to its end.
pub fn loaded(report: &LoadReport, at: Moment) -> Vec<RunStep> {
    report.steps.iter().map(|step| shown(step, "success", at)).collect()
}

/// The steps of one that failed: what went on beside the step that failed, or would have followed, was broken off.
pub fn broken(failure: &LoadError, at: Moment) -> Vec<RunStep> {
    let named = failure.kind.step().and_then(|name| failure.steps.iter().position(|step| step.name == name));
    let failed = named.unwrap_or(failure.steps.len().saturating_sub(1));
    let status = |n: usize| match n.cmp(&failed) {
        Ordering::Less => "success",
        Ordering::Equal => "failed",
        Ordering::Greater => "cancelled",
    };
    failure.steps.iter().enumerate().map(|(n, step)| shown(step, status(n), at)).collect()
}

fn shown(step: &pipeline::Step, status: &str, at: Moment) -> RunStep {
    let span = |of| Duration::from_std(of).unwrap_or_default();
    RunStep {
        name: step.name.to_owned(),
        status: status.to_owned(),
        detail: step.detail.clone(),
        started_at: at.plus(span(step.began)),
        duration: span(step.duration),
    }
}

/// The numbers of a load.
pub fn result(counts: &pipeline::Counts, told: &pipeline::Told) -> RunResult {
    RunResult {
        read: counts.read,
        added: counts.added,
        changed: counts.changed,
        removed: counts.removed,
        unchanged: counts.unchanged,
        rejected: counts.rejected,
        bytes: counts.bytes,
        source_name: None,
        source_sha256: None,
        told: told.clone(),
    }
}

/// The numbers of what an earlier attempt loaded, with the name and hash of what that one read.
pub fn result_of_earlier(report: &LoadReport) -> RunResult {
    let mut known = result(&report.counts, &report.told);
    if let Some(row) = &report.earlier {
        (known.source_name, known.source_sha256) = (row.source_name.clone(), row.source_sha256.clone());
    }
    known
}

/// A step that has just ended.
pub fn step(name: &str, (at, began): (Moment, Instant), good: bool, detail: &str) -> RunStep {
    RunStep {
        name: name.to_owned(),
        status: if good { "success" } else { "failed" }.to_owned(),
        detail: detail.to_owned(),
        started_at: at,
        duration: Duration::from_std(began.elapsed()).unwrap_or_default(),
    }
}

/// What was fetched from where, or why not.
pub fn fetch_words(connection: &str, answer: &Result<(String, Fetched), FetchError>) -> String {
    match answer {
        Ok((_, Fetched { content: Content::Rows(_), name, .. })) => format!("A query of {name} from {connection}."),
        Ok((_, fetched)) => {
            let size = words::bytes(i64::try_from(fetched.bytes).unwrap_or(i64::MAX));
            format!("{} from {connection}, {size}.", fetched.name)
        }
        Err(error) => error.sentence.clone(),
    }
}

/// "the Block still holds the data of 7 October 2026."
pub fn still_holds(app: &App, block_id: i64) -> String {
    match app.blocks.read(|conn| blocks::ledger::state(conn, block_id)).map(|state| state.loaded_at) {
        Ok(Some(at)) => format!("the Block still holds the data of {}.", at.utc().format("%-d %B %Y")),
        Ok(None) => "the Block is still empty.".to_owned(),
        Err(_) => "the Block is unchanged.".to_owned(),
    }
}

/// Why an import that takes a file has none.
pub fn no_file(name: &str, run: &Run) -> String {
    match kept::id_in(run.parameters.as_ref()) {
        Some(_) => format!("The kept file of {name} was deleted. Choose another one in its schedule."),
        None => format!("{name} needs a file, and none was given."),
    }
}
