//! What the recipients are told when a promise turns.

use super::judging::Turn;
use super::model::{Promise, Says, Standing, late_words};
use super::scene::Scene;
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::names::one_line;
use crate::notifications::{self, Event, NoticeKind, recipients};
use crate::words;

/// Tells those whom the schedules tell that load it. The key makes it once for each deadline.
pub fn tell(
    conn: &mut Conn,
    app: &App,
    (scene, promise): (&Scene, &Promise),
    turn: &Turn,
    standing: &Standing,
    now: Moment,
) -> Result<()> {
    let Some((application, known)) = scene.living(promise) else { return Ok(()) };
    let (kind, due) = match turn {
        Turn::AtRisk { deadline } => (NoticeKind::AtRisk, *deadline),
        Turn::Late { deadline } => (NoticeKind::Late, *deadline),
        Turn::InTime { deadline: due, .. } | Turn::Ready { due, .. } => (NoticeKind::Ready, *due),
    };
    let ids = recipients::of_schedules(conn, scene.schedules_of(promise.target), application)?;
    let name: String = one_line(&known.name).chars().take(120).collect();
    let zone = promise.rule.time_zone();
    let when = |at: Moment| format!("{} ({zone})", words::date_time(at, zone));
    let time = due.in_zone(zone).format("%H:%M");
    let (title, detail, run_id) = match turn {
        Turn::AtRisk { .. } => (
            format!("{name} may not be ready by {time}"),
            format!("Due by {}. {}", when(due), why(&standing.says, when)),
            failed_run(&standing.says, known.status_run_id),
        ),
        Turn::Late { .. } => {
            let since = standing.since.filter(|since| *since < due);
            let since = since.map(|since| format!(" It has been late since {}.", when(since))).unwrap_or_default();
            (
                format!("{name} is late: due by {time}"),
                format!("Due by {}.{since} {}", when(due), why(&standing.says, when)),
                failed_run(&standing.says, known.status_run_id),
            )
        }
        Turn::InTime { ready, .. } | Turn::Ready { ready, .. } => {
            let rejected = if ready.partial { " Some rows were rejected." } else { "" };
            let how = match turn {
                Turn::InTime { .. } => "in time after all".to_owned(),
                _ => late_words(due, ready.at),
            };
            (
                format!("{name} is ready, {how}"),
                format!("Due by {}, ready at {}.{rejected}", when(due), when(ready.at)),
                Some(ready.run_id),
            )
        }
    };
    let key = format!("promise:{}:{}:{kind}", promise.id, due.micros());
    let list = format!("/applications/{}/settings/import-scheduling", application.id);
    let card = promise.target.short();
    let link = format!("{list}?open={card}#cfg-{card}");
    let event = Event {
        key,
        kind,
        application_id: Some(application.id),
        run_id,
        incident_id: None,
        link: Some(link),
        title,
        detail: detail.trim_end().to_owned(),
        at: now,
        who: ids,
    };
    notifications::announce(conn, app, &event, now)
}

/// The run to look at, where it is why.
fn failed_run(says: &Says, run_id: Option<i64>) -> Option<i64> {
    matches!(says, Says::Failed(_)).then_some(run_id).flatten()
}

fn why(says: &Says, when: impl Fn(Moment) -> String) -> String {
    match says {
        Says::Expected(at) => format!("It is expected at {}.", when(*at)),
        Says::Failed(Some(at)) => format!("The last run did not succeed, and the next is planned for {}.", when(*at)),
        Says::Failed(None) => "The last run did not succeed, and no other is planned.".to_owned(),
        Says::Unplanned(Some(at)) => format!("The next run is planned for {}.", when(*at)),
        Says::Unplanned(None) => "No run is planned.".to_owned(),
        Says::Ready(_) | Says::ReadyLate(..) | Says::Frozen(_) | Says::Copied | Says::Deleted => String::new(),
    }
}
