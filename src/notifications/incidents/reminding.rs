//! One step: who was told that something broke is reminded once a day while it stays broken.

use chrono::Duration;

use super::model::Incident;
use super::{opening, store};
use crate::app::App;
use crate::applications;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::notifications::event::Event;
use crate::notifications::model::NoticeKind;
use crate::notifications::{announcing, letter, recipients};
use crate::words;

/// So long after recipients last heard of it.
const EVERY: Duration = Duration::days(1);
/// So often while it does not fail again.
const MOST: i32 = 7;
/// So many in one transaction.
const BATCH: i64 = 50;

/// Reminds of what is due; how many incidents that were. Safe in many processes at once. Blocks.
pub fn step(app: &App) -> Result<usize> {
    let mut done = 0;
    loop {
        let now = app.now();
        let of = (now.minus(EVERY), MOST);
        let due = app.db.read(|conn| store::to_remind_of(conn, of, now, BATCH))?;
        if due.is_empty() || app.stop.is_cancelled() {
            return Ok(done);
        }
        app.db.write(|conn| due.iter().try_for_each(|incident| remind(conn, app, incident, now)))?;
        done += due.len();
    }
}

fn remind(conn: &mut Conn, app: &App, incident: &Incident, now: Moment) -> Result<()> {
    if !store::reminded(conn, incident, now)? {
        return Ok(());
    }
    let application = incident.application_id.map(|id| applications::by_id(conn, id)).transpose()?.flatten();
    let Some(application) = application else { return Ok(()) };
    if !opening::still_fails(conn, incident)? {
        store::close(conn, incident.id, now)?;
        return Ok(());
    }
    let told = store::told_of(conn, &[incident.id])?;
    let who = recipients::who_may_see(conn, &told, &application)?;
    let affected = store::affected(conn, incident.id, 2)?;
    let Some(run) = affected.first().map(|one| one.run_id) else { return Ok(()) };
    let title = match affected.len() {
        1 => letter::still(&letter::name_of(conn, run)?, incident.kind),
        _ => {
            let failing = store::failing(conn, &[incident.id])?.remove(&incident.id).unwrap_or_default();
            letter::still(&words::counted(failing, "import", "imports"), incident.kind)
        }
    };
    let zone = application.time_zone;
    let since = words::date_time(incident.opened_at, zone);
    let took = words::duration(now.since(incident.opened_at));
    let ran = words::counted(incident.failures, "run", "runs");
    let detail = letter::bounded(&format!("Since {since}, {zone}: {took}, {ran}. {}", incident.cause));
    let event = Event {
        key: format!("incident:{}:reminder:{}", incident.id, incident.told_at.micros()),
        kind: NoticeKind::Reminder,
        application_id: Some(application.id),
        run_id: Some(run),
        incident_id: Some(incident.id),
        link: None,
        title,
        detail,
        at: now,
        who,
    };
    announcing::announce(conn, app, &event, now)
}
