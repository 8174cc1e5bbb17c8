//! Runs: what happened, and what may be done about it.

use serde_json::{Value, json};

use super::Answer;
use super::body::Body;
use super::call::Call;
use super::reply::Reply;
use crate::applications::blocks::rejects;
use crate::runs::{Filter, LogLine, Run, RunStatus, Trigger, actions};
use crate::web::download;

/// `GET runs?application_id=&configuration_id=&…`, the newest first.
pub async fn list(call: Call) -> Answer {
    let mut params = call.params();
    let page = params.page();
    let statuses: Vec<&str> = RunStatus::ALL.iter().map(|s| s.as_str()).collect();
    let triggers: Vec<&str> = Trigger::ALL.iter().map(|t| t.as_str()).collect();
    let filter = Filter {
        application_id: params.id("application_id"),
        configuration_id: params.id("configuration_id"),
        schedule_id: params.id("schedule_id"),
        set_id: params.id("set_id"),
        parent_id: params.id("parent_id"),
        status: params.word("status", RunStatus::parse, &statuses),
        trigger: params.word("trigger", Trigger::parse, &triggers),
    };
    params.finish()?;
    let found = call.read(move |conn, by| actions::list(conn, by, &filter, page.after, page.fetch())).await?;
    Ok(Reply::ok(page.list(found, |run| run.id, |run| json(&run))).response())
}

/// `GET runs/{r}`
pub async fn show(call: Call) -> Answer {
    let id = call.id("r")?;
    call.no_params()?;
    let (run, _) = call.read(move |conn, by| actions::find(conn, by, id)).await?;
    Ok(Reply::ok(json(&run)).response())
}

/// `GET runs/{r}/rejected-rows.csv`
pub async fn rejected_rows(call: Call) -> Answer {
    let id = call.id("r")?;
    call.no_params()?;
    let run = call.read(move |conn, by| {
        let (run, entered) = actions::find(conn, by, id)?;
        entered.need_open_scheduling(conn)?;
        Ok(run)
    });
    let (run, blocks) = (run.await?, call.app.blocks.clone());
    let title = format!("{} {id} rejected rows", run.name);
    Ok(download::csv(&title, move |out| rejects::write_csv(&blocks, id, out)))
}

/// `GET runs/{r}/log`: a list, or lines of text for who accepts only those.
pub async fn log(call: Call) -> Answer {
    let id = call.id("r")?;
    let mut params = call.params();
    let page = params.page();
    params.finish()?;
    let lines = call.read(move |conn, by| {
        actions::find(conn, by, id)?;
        actions::log(conn, id)
    });
    let lines = lines.await?;
    if call.header("Accept").is_some_and(|accept| accept.starts_with("text/plain")) {
        let text: String = lines.iter().map(|line| format!("{} {} {}\n", line.at, line.level, line.message)).collect();
        return Ok(actix_web::HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text));
    }
    let numbered: Vec<(i64, LogLine)> = (1..).zip(lines).collect();
    let shown = |(_, line): (i64, LogLine)| json!({ "at": line.at, "level": line.level, "message": line.message });
    Ok(Reply::ok(page.of_all(numbered, |(number, _)| *number, shown)).response())
}

/// `POST runs/{r}/cancel`: the run as it stands; its end may come a moment later.
pub async fn cancel(call: Call, body: Body) -> Answer {
    let (id, now) = (call.id("r")?, call.now());
    call.no_params()?;
    call.once(&body.bytes()?, move |conn, by| {
        body.empty()?;
        let run = actions::cancel(conn, by, id, now)?;
        Ok(Reply::accepted(format!("runs/{id}"), json(&run)))
    })
    .await
}

/// `POST runs/{r}/again`
pub async fn again(call: Call, body: Body) -> Answer {
    let (id, now) = (call.id("r")?, call.now());
    call.no_params()?;
    let answer = call
        .once(&body.bytes()?, move |conn, by| {
            body.empty()?;
            Ok(begun(&actions::again(conn, by, id, now)?.run))
        })
        .await;
    call.app.work.notify_one();
    answer
}

/// The answer to whoever asked for a run.
pub fn begun(run: &Run) -> Reply {
    Reply::accepted(format!("runs/{}", run.id), json(run))
}

/// As the API answers it. Counts are 0 until there is something to count.
pub fn json(run: &Run) -> Value {
    let result = run.result.clone().unwrap_or_default();
    json!({
        "id": run.id,
        "application_id": run.application_id,
        "configuration_id": run.configuration_id,
        "configuration_version": run.configuration_version,
        "block_id": run.block_id,
        "set_id": run.set_id,
        "parent_id": run.parent_id,
        "schedule_id": run.schedule_id,
        "planned_at": run.planned_at,
        "planned_until": run.planned_until,
        "repeat_no": run.repeat_no,
        "again_of": run.again_of,
        "trigger": run.trigger,
        "started_by": run.started_by,
        "as_member_id": run.as_member_id,
        "name": run.name,
        "status": run.status,
        "reason": run.reason,
        "cause": run.cause,
        "late": run.late,
        "queued_at": run.queued_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "attempt": run.attempt,
        "parameters": run.parameters,
        "rows": {
            "read": result.read,
            "added": result.added,
            "changed": result.changed,
            "removed": result.removed,
            "unchanged": result.unchanged,
            "rejected": result.rejected,
        },
        "bytes": result.bytes,
        // The runs of a set have them.
        "steps": [],
    })
}
