//! What is flagged now, and what was handed over lately, with its Undo.

use std::cmp::Reverse;
use std::collections::HashMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono_tz::Tz;

use crate::app::App;
use crate::applications;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::members::{self, Member, SignedIn};
use crate::ownership::actions::{self, UNDO_DAYS};
use crate::ownership::taken::{self, Taken};
use crate::schedules::{self, flagged};
use crate::web::{Crumb, Flash, Form, Page, Shell, go_on, local_path};
use crate::words;

/// So many lines are listed.
const MOST: usize = 50;

/// Schedules of one Owner in one Application that will fail.
struct Flagged {
    owner: String,
    owner_id: i64,
    why: String,
    application: String,
    list: String,
    schedules: String,
    next: String,
}

struct Line {
    id: i64,
    when: String,
    from: String,
    to: String,
    schedules: String,
    /// What it was, where not every schedule got another Owner.
    what: Option<String>,
    by: String,
    /// "Undone by Ada"; `None`: it stands.
    undone: Option<String>,
    may_undo: bool,
    /// Undo activates the former Owner again.
    activates: bool,
}

#[derive(Template)]
#[template(path = "ownership/list.html")]
struct ListPage {
    shell: Shell,
    flagged: Vec<Flagged>,
    lines: Vec<Line>,
    undo_days: i64,
    /// In which the moments are told.
    zone: Tz,
}

/// `GET /ownership`
pub async fn list(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    members::actions::need_administrator(&app, &by).await?;
    let (asks, now) = (by.clone(), app.now());
    let (flagged, recent, taken, people, zone) = app
        .read(move |conn| {
            let (recent, mut people) = actions::recent(conn, &asks, now)?;
            let taken = taken::recent(conn, &asks, now)?;
            let takers: Vec<i64> = taken.iter().flat_map(|one| [one.by_id, one.from_id]).collect();
            people.extend(members::by_ids(conn, &takers)?.into_iter().map(|member| (member.id, member)));
            let zone = members::zone_of(conn, asks.member.time_zone)?;
            Ok((flagged_now(conn, now)?, recent, taken, people, zone))
        })
        .await?;
    let name = |id: i64| people.get(&id).map_or("Someone", |member: &Member| &member.name).to_owned();
    let line = |of: actions::Recent| Line {
        id: of.made.id,
        when: words::short_time(of.made.at, now, zone),
        from: of.made.from_id.map_or_else(|| "Several Owners".to_owned(), name),
        to: name(of.made.to_id),
        schedules: words::counted(of.schedules, "schedule", "schedules"),
        what: what(of.schedules, of.passed),
        by: name(of.made.by_id),
        undone: of.made.undone_by.map(|who| format!("Undone by {}", name(who))),
        may_undo: of.may_undo,
        activates: of.activates,
    };
    let took = |one: Taken| Line {
        id: 0,
        when: words::short_time(one.at, now, zone),
        from: name(one.from_id),
        to: name(one.by_id),
        schedules: words::counted(one.schedules, "schedule", "schedules"),
        what: Some("by Take ownership".to_owned()),
        by: name(one.by_id),
        undone: one.undone.then(|| format!("Undone by {}", name(one.by_id))),
        may_undo: false,
        activates: false,
    };
    let handed = recent.into_iter().map(|of| (of.made.at, line(of)));
    let mut lines: Vec<_> = handed.chain(taken.into_iter().map(|one| (one.at, took(one)))).collect();
    lines.sort_by_key(|(at, _)| Reverse(*at));
    let page = ListPage {
        shell: members::shell(&request, &app, &by, "Ownership").at("/ownership").crumbs([Crumb::here("Ownership")]),
        flagged,
        // What can be undone is undone here alone.
        lines: lines
            .into_iter()
            .enumerate()
            .filter(|(n, (_, line))| *n < MOST || line.may_undo)
            .map(|(_, (_, line))| line)
            .collect(),
        undo_days: UNDO_DAYS,
        zone,
    };
    Page::ok(&request, &page)
}

/// What a hand-over was that did not give another Owner to all.
fn what(schedules: i64, passed: i64) -> Option<String> {
    match passed {
        0 => Some("only the recipient changed".to_owned()),
        all if all == schedules => None,
        some => Some(format!("{} got a new Owner; the rest only another recipient", words::count(some))),
    }
}

/// What will fail because its Owner cannot run it, Application by Application.
fn flagged_now(conn: &mut Conn, now: Moment) -> Result<Vec<Flagged>> {
    let estates = schedules::estates(conn)?;
    let owners: Vec<i64> = estates.iter().map(|estate| estate.owner_id).collect();
    let owners: HashMap<i64, Member> = members::by_ids(conn, &owners)?.into_iter().map(|m| (m.id, m)).collect();
    let ids: Vec<i64> = estates.iter().map(|estate| estate.application_id).collect();
    let there: HashMap<i64, _> = applications::by_ids(conn, &ids)?.into_iter().map(|a| (a.id, a)).collect();
    let mut found = Vec::new();
    for of_one in estates.chunk_by(|a, b| a.application_id == b.application_id) {
        let Some(application) = of_one.first().and_then(|estate| there.get(&estate.application_id)) else { continue };
        let here: Vec<Member> = of_one.iter().filter_map(|estate| owners.get(&estate.owner_id).cloned()).collect();
        let flags = flagged::flags(conn, application, &here)?;
        for (estate, owner) in of_one.iter().filter_map(|estate| Some((estate, owners.get(&estate.owner_id)?))) {
            let Some(flag) = flags.get(&owner.id) else { continue };
            let zone = application.time_zone;
            found.push(Flagged {
                owner: owner.name.clone(),
                owner_id: owner.id,
                why: flag.words(&owner.name),
                application: application.name.clone(),
                list: format!("/applications/{}/settings/import-scheduling?sort=owner", application.id),
                schedules: words::counted(estate.schedules, "schedule", "schedules"),
                next: estate
                    .next_at
                    .map_or_else(|| "None".to_owned(), |at| format!("{} ({zone})", words::short_time(at, now, zone))),
            });
        }
    }
    Ok(found)
}

/// `POST /ownership/{hand}/undo`
pub async fn undo(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    members::actions::need_administrator(&app, &by).await?;
    let (enders, id, now) = (app.enders, id.into_inner(), app.now());
    let undone = app.write(move |conn| actions::undo(conn, &by, enders, id, now)).await?;
    let back = local_path(form.get("back")).unwrap_or("/ownership");
    go_on(&request, back, Flash::new(undone.words()))
}
