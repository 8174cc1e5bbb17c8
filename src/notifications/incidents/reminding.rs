//! One step: who was told that something broke is reminded once a day while it stays broken.

use chrono::Duration;

use super::model::Incident;
use super::{opening, store};
use crate::app::App;
use crate::applications;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::notifications::event::Event;
use crate::notifications::model::NoticeKind;
use crate::notifications::{announcing, letter, recipients};
use crate::{members, words};

/// So long after recipients last heard of it.
const EVERY: Duration = Duration::days(1);
/// So often while it does not fail again.
const MOST: i32 = 7;
/// Whoever is on it for so long is asked again, by a reminder.
pub const TAKEN: Duration = Duration::days(3);
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
        for incident in &due {
            // One that cannot be told holds up no other.
            match app.db.write(|conn| remind(conn, app, incident, now)) {
                Err(error @ (AppError::Unavailable { .. } | AppError::DiskFull)) => return Err(error),
                Err(error) => {
                    tracing::error!(incident = incident.id, %error, "nobody can be reminded");
                    app.db.write(|conn| store::reminded(conn, incident, now))?;
                }
                Ok(()) => {}
            }
        }
        done += due.len();
    }
}

/// Closes what holds nothing that is there still, and lets go of what somebody took long ago, or can do nothing about any
/// more. Blocks.
pub fn tidy(app: &App) -> Result<()> {
    let now = app.now();
    let open = app.db.read(store::all_open)?;
    for incident in open {
        let taker = incident.taken_by.filter(|_| incident.taken_at.is_some());
        app.db.write(|conn| {
            let application = incident.application_id.map(|id| applications::by_id(conn, id)).transpose()?.flatten();
            let fails = opening::still_fails(conn, &incident)?;
            let Some(application) = application.filter(|_| fails) else {
                return store::close(conn, incident.id, now).map(|_| ());
            };
            let Some(taker) = taker else { return Ok(()) };
            let taker = members::by_id(conn, taker)?.filter(|member| member.active);
            // Who may import there no more keeps nobody's reminders quiet.
            let stays = match taker {
                Some(taker) => applications::standing(conn, &taker, application)?.may_import(),
                None => false,
            };
            let long = incident.taken_at.is_some_and(|at| now.since(at) > TAKEN);
            if stays && !long { Ok(()) } else { store::take(conn, incident.id, None, now) }
        })?;
    }
    Ok(())
}

/// Whether all that it holds has failed for another cause since: that is what people are reminded of.
fn fails_otherwise(conn: &mut Conn, incident: &Incident) -> Result<bool> {
    for one in store::affected(conn, incident.id, BATCH)?.iter().filter(|one| one.recovered_at.is_none()) {
        if store::open_of(conn, one.target)?.iter().all(|(_, run_id)| *run_id <= one.run_id) {
            return Ok(false);
        }
    }
    Ok(true)
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
    if fails_otherwise(conn, incident)? {
        return Ok(());
    }
    let told = store::told_of(conn, &[incident.id])?;
    let concerned = opening::concerned(conn, incident.id, &application)?;
    let mut who = recipients::who_may_see(conn, &told, &application)?;
    let heard = store::heard_since(conn, incident.id, now.minus(EVERY))?;
    // Who is a recipient no more has heard enough, and so has who heard of it today.
    who.retain(|id| concerned.contains(id) && !heard.contains(id));
    let affected = store::affected(conn, incident.id, 2)?;
    let Some(run) = affected.first().map(|one| one.run_id) else { return Ok(()) };
    let title = match affected.len() {
        1 => letter::still(&letter::name_of(conn, run)?, false, incident.kind),
        _ => {
            let failing = store::failing(conn, &[incident.id])?.remove(&incident.id).unwrap_or_default();
            letter::still(&words::counted(failing, "import", "imports"), failing != 1, incident.kind)
        }
    };
    let zone = application.time_zone;
    let since = words::date_time(incident.opened_at, zone);
    let took = words::rough(now.since(incident.opened_at));
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
