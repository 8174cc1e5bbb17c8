//! The switch of a schedule, and deleting one.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;

use super::list::answer_card;
use super::way_back;
use crate::app::App;
use crate::applications::settings_shell;
use crate::error::{AppError, Result};
use crate::imports;
use crate::members::{By, Scope, SignedIn};
use crate::schedules::{Schedule, actions};
use crate::web::form::Query;
use crate::web::page::is_fragment;
use crate::web::{Crumb, Flash, Form, Page, Shell, see_other, words};

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
            let (schedule, _) = actions::find(conn, &asked, id)?;
            if schedule.application_id != application_id {
                return Err(AppError::NotFound);
            }
            actions::switch(conn, &asked, id, on, None, now)
        })
        .await?;
    let schedule = &switched.schedule;
    let mut text = format!("Turned {}: {}.", if on { "on" } else { "off" }, schedule.sentence());
    if switched.passed > 0 {
        let passed = words::counted(switched.passed as i64, "occurrence", "occurrences");
        text.push_str(&format!(" {passed} passed while it was off; Run now makes up for them."));
    }
    let undo = format!("/applications/{application_id}/schedules/{id}/switch");
    let back = way_back(application_id, form.get("back"));
    let fields = (!on).then_some(("enabled", "on")).into_iter().chain(back.map(|back| ("back", back)));
    let flash = Flash::new(text).undo(undo, &fields.collect::<Vec<_>>());
    if is_fragment(&request) {
        let card = answer_card(&request, &app, &by, application_id, schedule.configuration_id).await?;
        return super::toast::beside(&request, &app, card, &flash);
    }
    Ok(see_other(&back.map_or_else(|| row(application_id, id), str::to_owned), Some(flash)))
}

fn row(application_id: i64, id: i64) -> String {
    format!("/applications/{application_id}/settings/import-scheduling#sched-{id}")
}

#[derive(Template)]
#[template(path = "import_scheduling/delete_form.html")]
struct DeleteForm {
    base: String,
    id: i64,
    csrf: String,
    back: String,
    sentence: String,
    configuration: String,
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
    let (schedule, entered, configuration) = app
        .read(move |conn| {
            let (schedule, entered) = actions::find(conn, &asked, id)?;
            if schedule.application_id != application_id {
                return Err(AppError::NotFound);
            }
            entered.need_import(conn, &asked, Scope::Schedule)?;
            let configuration = imports::by_id(conn, schedule.configuration_id)?.ok_or(AppError::NotFound)?;
            Ok((schedule, entered, configuration))
        })
        .await?;
    let base = format!("/applications/{application_id}");
    let list = format!("{base}/settings/import-scheduling");
    let form = DeleteForm {
        id,
        csrf: Shell::new(&request, &app, "").csrf,
        back: way_back(application_id, query.get("back")).unwrap_or(&list).to_owned(),
        sentence: schedule.sentence(),
        configuration: configuration.name,
        base,
    };
    if is_fragment(&request) {
        return Page::ok(&request, &DeleteDialog { form });
    }
    let shell = settings_shell(&request, &app, &by, &entered, "Delete schedule").at(&list).crumbs([
        Crumb::to(&entered.application.name, &form.base),
        Crumb::to("Import Scheduling", &list),
        Crumb::here("Delete schedule"),
    ]);
    Page::ok(&request, &DeletePage { shell, form })
}

/// `POST /applications/{a}/schedules/{s}/delete`
pub async fn delete(
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let (application_id, id) = path.into_inner();
    let now = app.now();
    let deleted = app.write(move |conn| delete_in(conn, &by, application_id, id, now)).await?;
    let list = format!("/applications/{application_id}/settings/import-scheduling");
    let to = way_back(application_id, form.get("back")).unwrap_or(&list);
    Ok(see_other(to, Some(Flash::new(format!("Deleted: {}.", deleted.sentence())))))
}

fn delete_in(
    conn: &mut crate::db::Conn,
    by: &By,
    application_id: i64,
    id: i64,
    now: crate::clock::Moment,
) -> Result<Schedule> {
    let (schedule, _) = actions::find(conn, by, id)?;
    if schedule.application_id != application_id {
        return Err(AppError::NotFound);
    }
    actions::delete(conn, by, id, None, now)?;
    Ok(schedule)
}
