//! What is told of a run's work: its steps and its numbers.

use std::time::Instant;

use chrono::Duration;

use crate::app::App;
use crate::applications::blocks;
use crate::clock::Moment;
use crate::connectors::{Content, FetchError, Fetched};
use crate::imports::pipeline;
use crate::runs::model::{RunResult, RunStep};
use crate::words;

/// The steps of a load that began then.
pub fn shown(steps: &[pipeline::Step], status: &str, at: Moment) -> Vec<RunStep> {
    let of = |s: &pipeline::Step| RunStep {
        name: s.name.to_owned(),
        status: status.to_owned(),
        detail: s.detail.clone(),
        started_at: at,
        duration: Duration::from_std(s.duration).unwrap_or_default(),
    };
    steps.iter().map(of).collect()
}

/// The numbers of a load.
pub fn result(counts: &pipeline::Counts) -> RunResult {
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
    }
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
        Ok(None) => "the Block is empty still.".to_owned(),
        Err(_) => "the Block holds what it held before.".to_owned(),
    }
}
