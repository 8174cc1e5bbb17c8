//! What a webhook is sent: JSON that is documented in the README, and keeps its names.

use serde_json::{Value, json};
use url::Url;

use crate::applications;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::notifications::model::Notice;
use crate::runs::{self, Run};
use crate::schedules;

/// The body of a notice. `event_id` is the same whenever it is sent once more.
pub fn of(conn: &mut Conn, base: &Url, notice: &Notice, event_id: &str) -> Result<Value> {
    let application = notice.application_id.map(|id| applications::by_id(conn, id)).transpose()?.flatten();
    let run = notice.run_id.map(|id| runs::by_id(conn, id)).transpose()?.flatten();
    let run = run.map(|run| of_run(conn, base, &run)).transpose()?;
    Ok(json!({
        "id": event_id,
        "type": notice.kind,
        "at": notice.at,
        "title": notice.title,
        "detail": notice.detail,
        // What chats show that know nothing else of it.
        "text": if notice.detail.is_empty() { notice.title.clone() } else { format!("{}: {}", notice.title, notice.detail) },
        "application": application.map(|application| json!({"id": application.id, "name": application.name})),
        "incident_id": notice.incident_id,
        "run": run,
    }))
}

/// The body of a test.
pub fn test(event_id: &str, sentence: &str, at: Moment) -> Value {
    json!({
        "id": event_id, "type": "test", "at": at, "title": sentence, "detail": "", "text": sentence,
        "application": null, "incident_id": null, "run": null,
    })
}

fn of_run(conn: &mut Conn, base: &Url, run: &Run) -> Result<Value> {
    let (mut last_success, mut next_run) = (None, None);
    if let Some(target) = run.target() {
        last_success = runs::last_success(conn, target, run.id)?;
        let schedules = schedules::actions::of_targets(conn, &[target])?;
        next_run = schedules.iter().filter_map(|schedule| schedule.next_at).min();
    }
    let rows = run.result.as_ref().map(|result| {
        json!({
            "read": result.read, "added": result.added, "changed": result.changed, "removed": result.removed,
            "unchanged": result.unchanged, "rejected": result.rejected,
        })
    });
    Ok(json!({
        "id": run.id,
        "name": run.name,
        "status": run.status,
        "cause": run.cause,
        "reason": run.reason,
        "planned_at": run.planned_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "attempt": run.attempt,
        "rows": rows,
        "last_success_at": last_success,
        "next_run_at": next_run,
        "url": base.join(&format!("/runs/{}", run.id)).map(String::from).unwrap_or_default(),
    }))
}
