//! The end of a set's run: written in the transaction that ended its last step.

use super::steps_store as store;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::import_sets;
use crate::imports::ConfigurationStatus;
use crate::runs::lifecycle::RunStatus;
use crate::runs::model::{LogLine, Run, RunResult};
use crate::runs::queue_store as queue;
use crate::runs::store as runs;

/// How it ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub status: RunStatus,
    pub reason: Option<String>,
    pub cause: Option<String>,
}

impl Ended {
    pub fn of(status: RunStatus) -> Self {
        Self { status, reason: None, cause: None }
    }
}

pub fn end(conn: &mut Conn, run: &Run, ended: &Ended, now: Moment) -> Result<()> {
    let Ended { status, reason, cause } = ended;
    let now = run.started_at.map_or(now, |at| now.max(at));
    queue::end_set(conn, run.id, (*status, reason.as_deref(), cause.as_deref()), now)?;
    let (result, lines) = told(conn, run.id)?;
    if let Some(result) = result {
        queue::write_result(conn, run.id, &result)?;
    }
    let last = match cause.as_ref().or(reason.as_ref()) {
        Some(said) => format!("{}: {said}", status.words()),
        None => status.words().to_owned(),
    };
    let level = if cause.is_some() { "error" } else { "info" };
    let lines: Vec<LogLine> = lines.into_iter().chain([LogLine::new(now, level, last)]).collect();
    queue::write_log(conn, run.id, &lines)?;
    let carried = match status {
        RunStatus::Success => ConfigurationStatus::Success,
        RunStatus::Partial => ConfigurationStatus::Partial,
        RunStatus::Failed => ConfigurationStatus::Failed,
        // Cancelled never clears a Failed flag, and tells nobody.
        _ => return Ok(()),
    };
    if let Some(set_id) = run.set_id {
        import_sets::set_status(conn, set_id, carried, run.id, now)?;
    }
    queue::write_outcome(conn, run.id, *status, run.schedule_id, now)
}

/// What the steps of this run did, counted as one, and a line of the log for each.
fn told(conn: &mut Conn, run_id: i64) -> Result<(Option<RunResult>, Vec<LogLine>)> {
    let Some(of) = store::of(conn, run_id)? else { return Ok((None, Vec::new())) };
    let ids: Vec<i64> = of.steps.iter().filter_map(|step| step.run_id).collect();
    let mut all = RunResult::default();
    let mut lines = Vec::new();
    let runs = runs::by_ids(conn, &ids)?;
    for step in &of.steps {
        let Some(run) = runs.iter().find(|run| Some(run.id) == step.run_id) else { continue };
        if step.taken_over {
            continue;
        }
        if let Some(result) = &run.result {
            all.read += result.read;
            all.added += result.added;
            all.changed += result.changed;
            all.removed += result.removed;
            all.unchanged += result.unchanged;
            all.rejected += result.rejected;
            all.bytes += result.bytes;
        }
        let loaded = run.result.as_ref().filter(|_| run.status.has_loaded()).map(RunResult::loaded_short);
        let more = loaded.or_else(|| run.cause.clone().or_else(|| run.reason.clone()));
        let said = more.map_or_else(String::new, |more| format!(", {more}"));
        let level = if run.status.has_loaded() { "info" } else { "error" };
        let line = format!("Step {}, {}: {}{said}", step.position, step.name, run.status.words());
        lines.push(LogLine::new(run.finished_at.unwrap_or(run.queued_at), level, line));
    }
    lines.sort_by_key(|line| line.at);
    Ok((Some(all), lines))
}
