//! One step: Administrators are told before the secret of a Connection ends, 14 days and again 2 days before.

use chrono::{Duration, NaiveDate};

use super::announcing::announce;
use super::event::Event;
use super::letter;
use super::model::NoticeKind;
use crate::app::App;
use crate::clock::Moment;
use crate::connections::{self, Connection};
use crate::db::Conn;
use crate::error::Result;
use crate::{members, workspace};

/// So many days before, and again so many.
const FIRST: i64 = 14;
const LAST: i64 = 2;

/// Tells of what ends soon; the key makes it once. Safe in many processes at once. Blocks.
pub fn step(app: &App) -> Result<()> {
    let now = app.now();
    let (today, ending) = app.db.read(|conn| {
        let today = now.in_zone(workspace::get(conn)?.time_zone).date_naive();
        Ok((today, connections::ending(conn, today, today + Duration::days(FIRST))?))
    })?;
    if ending.is_empty() {
        return Ok(());
    }
    app.db.write(|conn| ending.iter().try_for_each(|connection| tell(conn, app, connection, today, now)))
}

fn tell(conn: &mut Conn, app: &App, connection: &Connection, today: NaiveDate, now: Moment) -> Result<()> {
    let Some(day) = connection.secret_ends_on else { return Ok(()) };
    let left = (day - today).num_days();
    let when = match left {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        n => format!("in {n} days"),
    };
    let event = Event {
        key: format!("secret:{}:{day}:{}", connection.id, if left <= LAST { LAST } else { FIRST }),
        kind: NoticeKind::Expires,
        application_id: None,
        run_id: None,
        incident_id: None,
        link: Some(format!("/connections/{}", connection.id)),
        title: format!("The secret of {} expires {when}", letter::short(&connection.name)),
        detail: format!(
            "Its last day is {}. After that, imports that use this Connection fail. Get a new secret, and enter it in the \
             Connection together with its last day.",
            day.format("%a %-d %b %Y")
        ),
        at: now,
        who: members::administrators(conn)?.into_iter().map(|member| member.id).collect(),
    };
    announce(conn, app, &event, now)
}
