//! `…/schedules/{s}/changes`, `…/import-configurations/{i}/changes`, `…/import-sets/{set}/changes`: the changes of one thing,
//! the newest first, for whoever may see it; and what a schedule was, given back to it.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::pages::Row;
use super::scene::Scene;
use crate::app::App;
use crate::applications::{Entered, enter, settings_shell};
use crate::audit::{self, Filter, Recorded};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::import_sets;
use crate::imports;
use crate::members::{self, By, Scope, SignedIn};
use crate::schedules;
use crate::web::form::Query;
use crate::web::{Crumb, Flash, Form, Page, Shell, see_other};

/// So many stand on a page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "audit_log/changes.html")]
struct ChangesPage {
    shell: Shell,
    /// "Changes: payroll".
    title: String,
    lede: &'static str,
    rows: Vec<(Row, Option<String>)>,
    /// Restoring shows the difference first.
    asks: bool,
    zone: String,
    older: Option<String>,
}

/// What the changes are of.
pub(super) struct Thing {
    pub kind: &'static str,
    pub id: i64,
    pub name: String,
    pub may_restore: bool,
}

impl Thing {
    /// Whether an entry says what it was before somebody changed it.
    pub fn restores(&self, entry: &Recorded) -> bool {
        let says = |key: &str| entry.before.as_ref().is_some_and(|before| before.get(key).is_some());
        match entry.action.as_str() {
            "schedule.updated" => says("repeat"),
            "import_configuration.updated" | "import_set.updated" => says("version"),
            _ => false,
        }
    }
}

fn schedule(conn: &mut Conn, by: &By, (application_id, id): (i64, i64)) -> Result<(Thing, Entered)> {
    let (schedule, entered) = schedules::actions::find_in(conn, by, application_id, id)?;
    let name = schedule.sentence();
    let may_restore = entered.may_import();
    Ok((Thing { kind: "schedule", id, name, may_restore }, entered))
}

/// Whoever configures or schedules sees what became of configurations and sets.
fn enter_to_see(conn: &mut Conn, by: &By, application_id: i64) -> Result<Entered> {
    let entered = enter(conn, by, application_id)?;
    if !(entered.may_open_scheduling() || entered.may_configure()) {
        return Err(entered.need_open_scheduling(conn).err().unwrap_or(AppError::NotFound));
    }
    Ok(entered)
}

pub(super) fn configuration(conn: &mut Conn, by: &By, (application_id, id): (i64, i64)) -> Result<(Thing, Entered)> {
    let entered = enter_to_see(conn, by, application_id)?;
    let found = imports::by_id(conn, id)?.filter(|found| found.application_id == application_id);
    let found = found.ok_or(AppError::NotFound)?;
    let may_restore = entered.may_configure() && !found.archived;
    Ok((Thing { kind: "import_configuration", id, name: found.name, may_restore }, entered))
}

pub(super) fn set(conn: &mut Conn, by: &By, (application_id, id): (i64, i64)) -> Result<(Thing, Entered)> {
    let entered = enter_to_see(conn, by, application_id)?;
    let found = import_sets::by_id(conn, id)?.filter(|found| found.application_id == application_id);
    let found = found.ok_or(AppError::NotFound)?;
    let may_restore = entered.may_configure() && !found.archived;
    Ok((Thing { kind: "import_set", id, name: found.name, may_restore }, entered))
}

/// Finds what an address names, for who may see its changes.
pub(super) type Find = fn(&mut Conn, &By, (i64, i64)) -> Result<(Thing, Entered)>;

async fn page(
    (request, app, by): (HttpRequest, Data<App>, By),
    ids: (i64, i64),
    before: Option<i64>,
    of: Find,
) -> Result<HttpResponse> {
    let (who, now) = (by.clone(), app.now());
    let (thing, entered, mut entries, scene, zone) = app
        .read(move |conn| {
            let (thing, entered) = of(conn, &who, ids)?;
            let subject = Some((thing.kind.to_owned(), thing.id));
            let entries = audit::list(conn, &Filter { subject, ..Filter::default() }, before, PAGE as i64 + 1)?;
            let scene = Scene::load(conn, &who, &entries)?;
            let zone = members::zone_of(conn, who.member.time_zone)?;
            Ok((thing, entered, entries, scene, zone))
        })
        .await?;
    let here = request.path().to_owned();
    let older = (entries.len() > PAGE).then(|| {
        entries.truncate(PAGE);
        format!("{here}?before={}", entries.last().map_or(0, |last| last.id))
    });
    let restores =
        |entry: &Recorded| (thing.may_restore && thing.restores(entry)).then(|| format!("{here}/{}", entry.id));
    let row = |entry: &Recorded| {
        let row = Row::of(entry, &scene, (now, zone));
        // From which address a colleague came is for those who keep the Workspace.
        if by.member.sees_everything() { row } else { row.without_address() }
    };
    let rows: Vec<(Row, Option<String>)> = entries.iter().map(|entry| (row(entry), restores(entry))).collect();
    let title = format!("Changes: {}", thing.name);
    let (rooms, room) = match thing.kind {
        "schedule" => ("Import Scheduling", "import-scheduling"),
        "import_set" => ("Import sets", "import-sets"),
        _ => ("Import configurations", "import-configurations"),
    };
    let list = format!("/applications/{}/settings/{room}", entered.application.id);
    let mut crumbs = vec![Crumb::to(rooms, &list)];
    if thing.kind != "schedule" {
        crumbs.push(Crumb::to(thing.name.clone(), format!("{list}/{}", thing.id)));
    }
    crumbs.push(Crumb::here("Changes"));
    let page = ChangesPage {
        shell: settings_shell(&request, &app, &by, &entered, &title).at(&list).crumbs(crumbs),
        lede: match (thing.may_restore, thing.kind) {
            (false, _) => "",
            (true, "schedule") => {
                "Restore brings back the times, run name and recipients of before a change, and makes you the Owner. \
                 Parameters and the switch stay as they are."
            }
            (true, _) => "Restore brings back what it was before a change, as a new version.",
        },
        asks: thing.kind != "schedule",
        title,
        rows,
        zone: zone.to_string(),
        older,
    };
    Page::ok(&request, &page)
}

/// `GET …/schedules/{s}/changes?before=`
pub async fn of_schedule(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    page((request, app, by), *path, query.id("before"), schedule).await
}

/// `GET …/import-configurations/{i}/changes?before=`
pub async fn of_configuration(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    page((request, app, by), *path, query.id("before"), configuration).await
}

/// `GET …/import-sets/{set}/changes?before=`
pub async fn of_set(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    page((request, app, by), *path, query.id("before"), set).await
}

/// `POST …/schedules/{s}/changes/{entry}`: the schedule as it was before that change.
pub async fn restore(
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64, i64)>,
    _: Form,
) -> Result<HttpResponse> {
    let ((application_id, id, entry), now, secrets) = (path.into_inner(), app.now(), app.secrets.clone());
    let restored = app.write(move |conn| {
        let (_, entered) = schedules::actions::find_in(conn, &by, application_id, id)?;
        entered.need_import(conn, &by, Scope::Schedule)?;
        let entry = audit::by_id(conn, entry)?.filter(|entry| is_of(entry, id)).ok_or(AppError::NotFound)?;
        schedules::actions::as_before(conn, &secrets, &by, id, &entry, now)
    });
    let schedule = match restored.await {
        Ok(schedule) => schedule,
        // Somebody who is told has gone, the time has passed: there is no form to show it beside.
        Err(AppError::Invalid(errors)) => {
            return Err(AppError::Conflict(format!("The schedule cannot be restored. {}", errors.details())));
        }
        Err(other) => return Err(other),
    };
    let said = format!("Restored: {}. You are its Owner now.", schedule.sentence());
    Ok(see_other(&format!("/applications/{application_id}/schedules/{id}/changes"), Some(Flash::new(said))))
}

fn is_of(entry: &Recorded, schedule: i64) -> bool {
    (entry.subject_kind.as_str(), entry.subject_id) == ("schedule", Some(schedule))
}
