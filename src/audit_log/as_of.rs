//! How things stood when a day ended: what was scheduled, mapped and permitted, in one download for an auditor. It is read
//! from the audit log, which holds each thing as it was after each change.

use std::collections::HashSet;
use std::io::Write;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{Days, NaiveTime};
use serde_json::json;

use super::pages;
use super::scene::Scene;
use crate::app::App;
use crate::audit::{self, Recorded};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{self, SignedIn};
use crate::schedules::instant;
use crate::web::download;
use crate::web::form::Query;

/// What is told of each kind: its word in the file, the entries that hold it or say that it went, and whether it is one in
/// each Application.
const PARTS: [(&str, &[&str], bool); 12] = [
    (
        "members",
        &["member.added", "member.changed", "member.profile_changed", "member.activated", "member.deactivated"],
        false,
    ),
    ("roles", &["role.created", "role.changed", "role.deleted"], false),
    ("groups", &["group.created", "group.changed", "group.deleted"], false),
    ("access", &["access.changed"], true),
    ("access_of_groups", &["group.access_changed"], true),
    ("applications", &["application.created", "application.changed", "application.archived"], false),
    ("blocks", &["block.created", "block.changed", "block.deleted"], false),
    (
        "connections",
        &["connection.created", "connection.updated", "connection.authorised", "connection.deleted"],
        false,
    ),
    (
        "import_configurations",
        &["import_configuration.created", "import_configuration.updated", "import_configuration.deleted"],
        false,
    ),
    ("import_sets", &["import_set.created", "import_set.updated", "import_set.deleted"], false),
    (
        "schedules",
        &[
            "schedule.created",
            "schedule.updated",
            "schedule.restored",
            "schedule.handed-over",
            "schedule.ownership-taken",
            "schedule.recipients-replaced",
            "schedule.turned-on",
            "schedule.turned-off",
            "schedule.turned-off-until",
            "schedule.deleted",
        ],
        false,
    ),
    ("freezes", &["freeze.created", "freeze.updated", "freeze.ended", "freeze.deleted"], false),
];

/// So many are read at once.
const READ: i64 = 500;

/// The Applications that were archived by then: what is in them was scheduled, mapped and permitted no more.
fn archived(conn: &mut Conn, until: Moment) -> Result<HashSet<i64>> {
    let archived = &["application.archived"][..];
    let (mut ids, mut after) = (HashSet::new(), 0);
    loop {
        let entries = audit::as_of(conn, (archived, false), until, after, READ)?;
        let Some(last) = entries.last() else { return Ok(ids) };
        after = last.id;
        ids.extend(entries.iter().filter_map(|entry| entry.subject_id));
    }
}

/// `GET /audit/as-of?day=2026-11-25`: by the clock of whoever asks. A day of which nothing is known is answered by the page.
pub async fn as_of(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, query: Query) -> Result<HttpResponse> {
    let (who, now) = (by.clone(), app.now());
    let zone = app
        .read(move |conn| {
            who.need_sight(conn)?;
            members::zone_of(conn, who.member.time_zone)
        })
        .await?;
    let today = now.in_zone(zone).date_naive();
    let day = match query.get("day") {
        "" => today.pred_opt(),
        text => super::day(text),
    };
    let day = match day {
        Some(day) if day <= today => day,
        wrong => {
            let said = match wrong {
                Some(_) => "Choose today or an earlier day. Nothing is known of later days.",
                None => "Choose a day.",
            };
            let context = (&request, app.get_ref(), &by);
            return pages::page(context, &Query::default(), Some(query.get("day")), FieldErrors::one("day", said))
                .await;
        }
    };
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
    let until: Moment = instant(zone, next.and_time(NaiveTime::MIN));
    let pool = app.db.clone();
    let head = json!({ "day": day, "time_zone": zone.name(), "until": until, "made_at": now });
    let name = format!("as of {day}");
    download::download((&app, by.member.id), (&name, "json", "application/json"), move |out| {
        let say = |out: &mut dyn Write, text: &str| out.write_all(text.as_bytes()).map_err(AppError::internal);
        say(out, &format!("{{\n\"as_of\": {head}"))?;
        let (gone, built_in) = pool.read(|conn| Ok((archived(conn, until)?, members::roles::built_in(conn)?)))?;
        for (word, actions, by_application) in PARTS {
            say(out, &format!(",\n\"{word}\": ["))?;
            let (mut after, mut first) = (0, true);
            let mut tell = |out: &mut dyn Write, one: serde_json::Value| {
                let between = if std::mem::take(&mut first) { "" } else { "," };
                say(out, &format!("{between}\n{one}"))
            };
            if word == "roles" {
                // They are there from the beginning, and nobody changes them.
                for role in &built_in {
                    tell(out, json!({ "id": role.id, "name": role.name, "built_in": true, "is": role.shown() }))?;
                }
            }
            loop {
                let (entries, scene) = pool.read(|conn| {
                    let entries = audit::as_of(conn, (actions, by_application), until, after, READ)?;
                    let scene = Scene::load(conn, &by, &entries)?;
                    Ok((entries, scene))
                })?;
                let Some(last) = entries.last() else { break };
                after = last.id;
                // Of what went there is nothing after.
                let goes = |entry: &&Recorded| entry.application_id.is_some_and(|id| gone.contains(&id));
                for entry in entries.iter().filter(|entry| entry.after.is_some() && !goes(entry)) {
                    let one = json!({
                        "id": entry.subject_id, "application_id": entry.application_id, "name": scene.name(entry),
                        "since": entry.at, "by": entry.member_name, "is": entry.after,
                    });
                    tell(out, one)?;
                }
            }
            say(out, "]")?;
        }
        say(out, "\n}\n")
    })
}
