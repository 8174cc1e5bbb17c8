//! Runs: what happened, and what may be done about it.

use actix_web::web::Payload;
use serde_json::Value;

use super::call::{Call, Nothing};
use super::operation::{Csv, OrText, csv};
use super::upload::{self, FileQuery};
use super::{Answer, Begun, Body, List, PageQuery, Problem, Reply, Shown};
use crate::applications::blocks::rejects;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::AppError;
use crate::imports::pipeline::Changed;
use crate::members::{By, Scope};
use crate::parameters::mask;
use crate::runs::sets::{self, SetStep};
use crate::runs::{Filter, Hold, LogLine, Run, RunResult, RunStatus, Trigger, actions, decisions};
use crate::shape::{Object, answer, sent};

sent! {
    /// Which runs.
    pub struct RunsQuery {
        application_id: i64,
        configuration_id: i64,
        schedule_id: i64,
        set_id: i64,
        /// The run of the set that they belong to.
        parent_id: i64,
        status: RunStatus,
        trigger: Trigger;
        page: PageQuery,
    }
}

sent! {
    /// How to run.
    pub struct RunBody {
        /// Values for the parameters of the configuration.
        parameters: Object,
    }
}

sent! {
    /// How to run again.
    pub struct AgainBody {
        /// Of a set: run all steps, also those that were done. Default: false.
        all: bool,
    }
}

answer! {
    /// One execution of an import configuration or an import set, or a restore of what a Block held before.
    pub struct RunAnswer of (run: &Run) {
        id: i64 = run.id,
        application_id: i64 = run.application_id,
        /// Null for a restore and for the run of a set.
        configuration_id: Option<i64> = run.configuration_id,
        /// The version of the configuration that it uses.
        configuration_version: Option<i64> = run.configuration_version,
        block_id: Option<i64> = run.block_id,
        set_id: Option<i64> = run.set_id,
        parent_id: Option<i64> = run.parent_id,
        schedule_id: Option<i64> = run.schedule_id,
        /// The planned instant; null for a run started by hand, unless it runs an earlier one again.
        planned_at: Option<Moment> = run.planned_at,
        /// The last occurrence of a range that was missed or skipped by a freeze.
        planned_until: Option<Moment> = run.planned_until,
        repeat_no: i32 = run.repeat_no,
        again_of: Option<i64> = run.again_of,
        /// For a restore: the run whose contents the Block holds again.
        restores_run_id: Option<i64> = run.restores,
        trigger: Trigger = run.trigger,
        /// Who started it, or whose token did.
        started_by: Option<i64> = run.started_by,
        /// The member whose rights it uses.
        as_member_id: Option<i64> = run.as_member_id,
        name: String = run.name.clone(),
        status: RunStatus = run.status,
        /// Why it waits, was skipped or was missed, or another remark.
        reason: Option<String> = run.reason.clone(),
        /// Why it failed.
        cause: Option<String> = run.cause.clone(),
        late: bool = run.late,
        /// When it joined the queue.
        queued_at: Moment = run.queued_at,
        /// When a worker started it.
        started_at: Option<Moment> = run.started_at,
        finished_at: Option<Moment> = run.finished_at,
        /// How many times a worker has started it.
        attempt: i32 = run.attempt,
        /// The values that were given. A secret is shown as `••••`.
        parameters: Option<Object> = shown(run.parameters.as_ref()),
        /// The values with which it runs, defaults included and relative dates as days. Settled when it starts, and
        /// kept by its further attempts and when it is run again.
        resolved_parameters: Option<Object> = shown(run.resolved.as_ref()),
        /// 0 until there is something to count.
        rows: RowsAnswer = RowsAnswer::of(&run.result.clone().unwrap_or_default()),
        /// Cells that were changed while loading, by column and kind.
        changes: Vec<ChangeAnswer> = changes(run),
        /// Blank lines of the source, which were skipped.
        blank_lines: i64 = run.result.as_ref().map_or(0, |result| result.told.blank),
        bytes: i64 = run.result.as_ref().map_or(0, |result| result.bytes),
        /// While it is held.
        held: Option<HeldAnswer> = run.hold.as_ref().map(HeldAnswer::of),
        /// Of the run of a set, where one run is shown.
        steps: Vec<SetStepAnswer> = Vec::new(),
    }
}

answer! {
    /// One step of a set's run.
    pub struct SetStepAnswer of (step: &SetStep) {
        position: i32 = step.position,
        configuration_id: i64 = step.configuration_id,
        /// The run that does or did it; null while it waits, and once it was skipped.
        run_id: Option<i64> = step.run_id,
        /// Null while it waits.
        status: Option<RunStatus> = step.status,
        /// Whether an earlier run of the set had done it.
        taken_over: bool = step.taken_over,
    }
}

answer! {
    /// What a run did to its Block. For Replace, `added` is what was loaded and `removed` what was there before.
    pub struct RowsAnswer of (result: &RunResult) {
        read: i64 = result.read,
        added: i64 = result.added,
        changed: i64 = result.changed,
        removed: i64 = result.removed,
        unchanged: i64 = result.unchanged,
        rejected: i64 = result.rejected,
    }
}

answer! {
    /// What the volume guard holds until somebody approves or rejects it.
    pub struct HeldAnswer of (hold: &Hold) {
        /// Then the run ends as failed.
        until: Moment = hold.until,
        /// How many rows would replace those of the Block.
        rows: i64 = hold.stopped.rows,
        /// How many rows the Block holds.
        usual: i64 = hold.stopped.usual,
    }
}

fn shown(values: Option<&Value>) -> Option<Object> {
    mask(values?).as_object().cloned()
}

fn changes(run: &Run) -> Vec<ChangeAnswer> {
    run.result.iter().flat_map(|result| &result.told.changes).map(ChangeAnswer::of).collect()
}

answer! {
    /// Cells of a column that were changed while loading.
    pub struct ChangeAnswer of (changed: &Changed) {
        /// The column's name in the source.
        column: String = changed.column.clone(),
        /// `spaces`, `plus`, `leading_zeros`, `exponent`, `group_separator`, `second_digits`, `time` or `null_marker`.
        kind: String = changed.kind.to_string(),
        cells: i64 = changed.cells,
    }
}

answer! {
    /// A line of a run's log.
    pub struct LogLineAnswer of (line: LogLine) {
        at: Moment = line.at,
        /// `info`, `warning` or `error`.
        level: String = line.level,
        message: String = line.message,
    }
}

/// `GET runs?application_id=&configuration_id=&…`, the newest first.
pub async fn list(call: Call<RunsQuery>) -> Answer<Shown<List<RunAnswer>>> {
    let RunsQuery { application_id, configuration_id, schedule_id, set_id, parent_id, status, trigger, page } =
        call.query.clone();
    let filter = Filter { application_id, configuration_id, schedule_id, set_id, parent_id, status, trigger };
    let found = call.read(move |conn, by| actions::list(conn, by, &filter, page.before(), page.fetch())).await?;
    Ok(Reply::ok(call.query.page.list(found, |run| run.id, |run| RunAnswer::of(&run))))
}

/// `GET runs/{r}`
pub async fn show(call: Call) -> Answer<Shown<RunAnswer>> {
    let id = call.id("r")?;
    let found = call.read(move |conn, by| {
        let (run, _) = actions::find(conn, by, id)?;
        let of_set = if run.set_id.is_some() { sets::of(conn, id)? } else { None };
        Ok((run, of_set))
    });
    let (run, of_set) = found.await?;
    let steps = of_set.iter().flat_map(|of| &of.steps).map(SetStepAnswer::of).collect();
    Ok(Reply::ok(RunAnswer { steps, ..RunAnswer::of(&run) }))
}

/// `GET runs/{r}/rejected-rows.csv`
pub async fn rejected_rows(call: Call) -> Result<Csv, Problem> {
    let id = call.id("r")?;
    let run = call.read(move |conn, by| {
        let (run, entered) = actions::find(conn, by, id)?;
        entered.need_open_scheduling(conn)?;
        Ok(run)
    });
    let (run, blocks) = (run.await?, call.app.blocks.clone());
    csv(&call, &format!("{} {id} rejected rows", run.name), move |out| rejects::write_csv(&blocks, id, out))
}

/// `GET runs/{r}/log`: a list, or lines of text for who accepts only those.
pub async fn log(call: Call<PageQuery>) -> Result<OrText<Shown<List<LogLineAnswer>>>, Problem> {
    let id = call.id("r")?;
    let lines = call.read(move |conn, by| {
        let (run, _) = actions::find(conn, by, id)?;
        actions::log(conn, &run)
    });
    let lines = lines.await?;
    if call.header("Accept").is_some_and(|accept| accept.starts_with("text/plain")) {
        return Ok(OrText::Text(lines.iter().map(|l| format!("{} {} {}\n", l.at, l.level, l.message)).collect()));
    }
    let numbered: Vec<(i64, LogLine)> = (1..).zip(lines).collect();
    let page = call.query.of_all(numbered, |(number, _)| *number, |(_, line)| LogLineAnswer::of(line));
    Ok(OrText::Json(Reply::ok(page)))
}

/// `POST runs/{r}/cancel`: the run as it stands; its end may come a moment later.
pub async fn cancel(call: Call, body: Body<Nothing>) -> Answer<Begun<RunAnswer>> {
    let (id, now) = (call.id("r")?, call.now());
    call.once(body, move |conn, by, body| {
        body.read()?;
        Ok(begun(&actions::cancel(conn, by, id, now)?))
    })
    .await
}

/// `POST runs/{r}/again`
pub async fn again(call: Call, body: Body<AgainBody>) -> Answer<Begun<RunAnswer>> {
    let (id, now) = (call.id("r")?, call.now());
    let answer = call
        .once(body, move |conn, by, body| {
            let all = body.read()?.all.unwrap_or_default();
            Ok(begun(&actions::again_from(conn, by, id, all, now)?.run))
        })
        .await;
    call.app.work.notify_one();
    answer
}

/// `POST runs/{r}/approve`: the run in the queue; what it holds is loaded a moment later.
pub async fn approve(call: Call, body: Body<Nothing>) -> Answer<Begun<RunAnswer>> {
    let (id, now) = (call.id("r")?, call.now());
    let answer = call
        .once(body, move |conn, by, body| {
            body.read()?;
            Ok(begun(&decisions::approve(conn, by, id, now)?))
        })
        .await;
    call.app.work.notify_one();
    answer
}

/// `POST runs/{r}/reject`
pub async fn reject(call: Call, body: Body<Nothing>) -> Answer<Begun<RunAnswer>> {
    let (id, now) = (call.id("r")?, call.now());
    call.once(body, move |conn, by, body| {
        body.read()?;
        Ok(begun(&decisions::reject(conn, by, id, now)?))
    })
    .await
}

/// `POST runs/{r}/files`: rows that the run rejected, corrected, as a run of their own. As a form with the part `file`,
/// or the file itself with `?name=`.
pub async fn give_corrected(call: Call<FileQuery>, payload: Payload) -> Answer<Begun<RunAnswer>> {
    let (id, now) = (call.id("r")?, call.now());
    // Before anything is received, and again before it is kept.
    let may = move |conn: &mut Conn, by: &By| {
        let (run, entered) = actions::find(conn, by, id)?;
        entered.need_import(conn, by, Scope::Run)?;
        actions::why_not_corrected(conn, &run)?.map_or(Ok(()), |why| Err(AppError::Conflict(why)))
    };
    call.read(may).await?;
    let upload::Given { name, file, parameters } = upload::receive(&call, payload.into_inner()).await?;
    if parameters.is_some() {
        return Err(
            AppError::invalid("parameters", "Corrected rows are loaded with the parameters of their run.").into()
        );
    }
    let kept = upload::keep(&call, may, name, file).await?;
    let sent = format!("{} {}", kept.name, kept.sha256);
    let begun = move |conn: &mut Conn, by: &By| {
        Ok(begun(&actions::give_corrected(conn, by, id, (kept.id, &kept.sha256), now)?))
    };
    let answer = call.once_for(sent.as_bytes(), begun).await;
    call.app.work.notify_one();
    answer
}

/// The answer to whoever asked for a run.
pub fn begun(run: &Run) -> Reply<Begun<RunAnswer>> {
    Reply::accepted(format!("runs/{}", run.id), RunAnswer::of(run))
}
