//! The switch of a schedule, deleting one, having it back, and Undo.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;

use super::done::{self, Deed, came_from};
use super::{starting, way_back};
use crate::app::App;
use crate::applications::settings_shell;
use crate::clock::Moment;
use crate::error::{AppError, Result};
use crate::import_sets;
use crate::imports::Target;
use crate::members::{Scope, SignedIn};
use crate::schedules::{Schedule, State, actions};
use crate::web::form::Query;
use crate::web::page::is_fragment;
use crate::web::{Crumb, Flash, Form, Page, Shell};
use crate::words;

/// `POST /applications/{a}/schedules/{s}/switch` with `enabled=on` or without.
pub async fn switch(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let (application_id, id) = path.into_inner();
    let (asked, on, now) = (by.clone(), form.ticked("enabled"), app.now());
    let switched = app
        .write(move |conn| {
            actions::find_in(conn, &asked, application_id, id)?;
            actions::switch(conn, &asked, id, on, None, now)
        })
        .await?;
    let schedule = &switched.schedule;
    let mut text = format!("Turned {}: {}.", if on { "on" } else { "off" }, schedule.sentence());
    if switched.passed > 0 {
        let passed = words::counted(switched.passed as i64, "occurrence", "occurrences");
        text.push_str(&format!(" {passed} passed while it was off."));
    }
    let back = way_back(application_id, form.get("back"));
    let mut flash = Flash::new(text);
    if switched.passed > 0 {
        let runs = starting::runs(application_id, schedule.target);
        let list = list(application_id);
        flash = flash.button("Run once now", runs, &[("back", back.unwrap_or(&list)), ("open", "on")]);
    }
    if switched.changed {
        flash = undoable(flash, application_id, now, back);
    }
    let deed =
        Deed { application_id, cards: &[schedule.target], schedule: Some(id), arrives: false, from: form.get("back") };
    done::answer((&request, &app, &by), deed, flash).await
}

/// The address of Import Scheduling.
pub fn list(application_id: i64) -> String {
    format!("/applications/{application_id}/settings/import-scheduling")
}

/// With the button that takes back what this member did at this moment, and comes back to where that was done.
pub fn undoable(flash: Flash, application_id: i64, at: Moment, back: Option<&str>) -> Flash {
    let at = at.micros().to_string();
    let fields: Vec<_> = [("at", at.as_str())].into_iter().chain(back.map(|back| ("back", back))).collect();
    flash.button("Undo", format!("/applications/{application_id}/schedules/undo"), &fields)
}

/// `POST /applications/{a}/schedules/undo` with the moment in microseconds at which the same member did it.
pub async fn undo(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let (application_id, now) = (*application_id, app.now());
    let (asked, at) = (by.clone(), Moment::from_micros(form.id("at").unwrap_or_default()));
    let undone = app.write(move |conn| actions::undo(conn, &asked, application_id, at, now)).await?;
    let mut text = match undone.back.as_slice() {
        [one] if undone.taken => format!("Undone. Its former Owner has it again: {}.", one.sentence()),
        several if undone.taken => {
            format!("Undone. {} schedules are back with their former Owners.", words::count(several.len() as i64))
        }
        [one] => {
            let did = match one.state() {
                State::On => "Turned on",
                State::Off if one.off_until.is_some() => "Off until a date",
                State::Off => "Turned off",
                State::Finished => "Finished",
            };
            format!("Undone. {did}: {}.", one.sentence())
        }
        several => format!("Undone for {} schedules.", words::count(several.len() as i64)),
    };
    if undone.stays > 0 {
        let stay = words::counted(undone.stays as i64, "was changed since and stays", "were changed since and stay");
        text.push_str(&format!(" {stay} that way."));
    }
    let deed = Deed {
        application_id,
        cards: &cards(&undone.back),
        schedule: undone.back.first().map(|schedule| schedule.id),
        arrives: undone.deleted,
        from: form.get("back"),
    };
    done::answer((&request, &app, &by), deed, Flash::new(text)).await
}

/// What schedules run, each once, in their order.
pub fn cards(schedules: &[Schedule]) -> Vec<Target> {
    let mut cards: Vec<Target> = Vec::new();
    for schedule in schedules {
        if !cards.contains(&schedule.target) {
            cards.push(schedule.target);
        }
    }
    cards
}

/// `POST /applications/{a}/schedules/{s}/restore`: what was deleted is back.
pub async fn restore(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let ((application_id, id), now) = (path.into_inner(), app.now());
    let asked = by.clone();
    let schedule = app.write(move |conn| actions::restore(conn, &asked, application_id, id, now)).await?;
    let flash = Flash::new(format!("Restored: {}.", schedule.sentence()));
    let deed =
        Deed { application_id, cards: &[schedule.target], schedule: Some(id), arrives: true, from: form.get("back") };
    done::answer((&request, &app, &by), deed, flash).await
}

#[derive(Template)]
#[template(path = "import_scheduling/delete_form.html")]
struct DeleteForm {
    base: String,
    id: i64,
    csrf: String,
    back: String,
    sentence: String,
    /// What it runs.
    name: String,
    of_set: bool,
}

impl HtmlSafe for DeleteForm {}

#[derive(Template)]
#[template(path = "import_scheduling/delete_dialog.html")]
struct DeleteDialog {
    form: DeleteForm,
}

#[derive(Template)]
#[template(path = "import_scheduling/delete.html")]
struct DeletePage {
    shell: Shell,
    form: DeleteForm,
}

/// `GET /applications/{a}/schedules/{s}/delete?back=` asks.
pub async fn delete_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    let (application_id, id) = path.into_inner();
    let asked = by.clone();
    let (schedule, entered, named) = app
        .read(move |conn| {
            let (schedule, entered) = actions::find_in(conn, &asked, application_id, id)?;
            entered.need_import(conn, &asked, Scope::Schedule)?;
            let named = import_sets::known_of(conn, schedule.target)?.ok_or(AppError::NotFound)?.name;
            Ok((schedule, entered, named))
        })
        .await?;
    let base = format!("/applications/{application_id}");
    let list = format!("{base}/settings/import-scheduling");
    let form = DeleteForm {
        id,
        csrf: Shell::new(&request, &app, "").csrf,
        back: came_from(&request, application_id, query.get("back")).unwrap_or_else(|| list.clone()),
        sentence: schedule.sentence(),
        name: named,
        of_set: schedule.target.set().is_some(),
        base,
    };
    if is_fragment(&request) {
        return Page::ok(&request, &DeleteDialog { form });
    }
    let shell = settings_shell(&request, &app, &by, &entered, "Delete schedule")
        .at(&list)
        .crumbs([Crumb::to("Import Scheduling", &list), Crumb::here("Delete schedule")]);
    Page::ok(&request, &DeletePage { shell, form })
}

/// `POST /applications/{a}/schedules/{s}/delete`
pub async fn delete(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let (application_id, id) = path.into_inner();
    let now = app.now();
    let asked = by.clone();
    let deleted = app
        .write(move |conn| {
            let (schedule, _) = actions::find_in(conn, &asked, application_id, id)?;
            actions::delete(conn, &asked, id, None, now)?;
            Ok(schedule)
        })
        .await?;
    let restore = format!("/applications/{application_id}/schedules/{id}/restore");
    let back = way_back(application_id, form.get("back"));
    let fields: Vec<_> = back.map(|back| ("back", back)).into_iter().collect();
    let flash = Flash::new(format!("Deleted: {}.", deleted.sentence())).button("Undo", restore, &fields);
    let deed =
        Deed { application_id, cards: &[deleted.target], schedule: Some(id), arrives: false, from: form.get("back") };
    done::answer((&request, &app, &by), deed, flash).await
}
