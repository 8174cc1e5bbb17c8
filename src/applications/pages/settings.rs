//! General settings of an Application, and putting it away.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::{App, off_thread};
use crate::applications::actions::{self, Change};
use crate::applications::{Application, Entered, enter, settings_shell};
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::Thing;
use crate::members::{By, SignedIn};
use crate::web::{ConfirmPage, Crumb, Flash, Form, Page, Shell, overtaken, refused, see_other, zones};

#[derive(Template)]
#[template(path = "applications/general.html")]
struct GeneralPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    application: Application,
    may_configure: bool,
}

/// Whole minutes, or a sentence.
pub(super) fn spacing(form: &Form, errors: &mut FieldErrors) -> i32 {
    form.get("spacing_minutes").parse().unwrap_or_else(|_| {
        errors.add("spacing_minutes", "Enter whole minutes, such as 15.");
        0
    })
}

async fn entered(app: &App, by: &By, id: i64) -> Result<Entered> {
    let by = by.clone();
    app.read(move |conn| enter(conn, &by, id)).await
}

fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    entered: Entered,
    refused: Option<(StatusCode, FieldErrors, &Form)>,
) -> Result<HttpResponse> {
    let application = entered.application.clone();
    let kept = Form(vec![
        ("name".into(), application.name.clone()),
        ("time_zone".into(), application.time_zone.name().into()),
        ("spacing_minutes".into(), application.spacing_minutes.to_string()),
        ("version".into(), application.version.to_string()),
    ]);
    let (status, errors, form) = refused.unwrap_or((StatusCode::OK, FieldErrors::new(), &kept));
    let at = format!("/applications/{}", application.id);
    let shell = settings_shell(request, app, by, &entered, "General")
        .at(&format!("{at}/settings"))
        .crumbs([Crumb::here("General")]);
    let may_configure = entered.may_configure();
    Page::with(status, request, &GeneralPage { shell, errors, form, application, may_configure })
}

/// `GET {A}/settings`
pub async fn general(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let entered = entered(&app, &by, id.into_inner()).await?;
    page(&request, &app, &by, entered, None)
}

/// `POST {A}/settings`
pub async fn save(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let (asks, now) = (by.clone(), app.now());
    // Who may not answers before what is wrong.
    let entered = app
        .read(move |conn| {
            let entered = enter(conn, &asks, id)?;
            entered.need_configure(conn, &asks)?;
            Ok(entered)
        })
        .await?;
    let saved = async {
        let mut errors = FieldErrors::new();
        let zone = zones::parse(form.get("time_zone")).map_err(|reason| errors.add("time_zone", reason)).ok();
        let spacing_minutes = Some(spacing(&form, &mut errors));
        errors.ok_or(())?;
        let name = Some(form.get("name").to_owned());
        let change = Change { name, time_zone: zone, spacing_minutes, version: form.id("version") };
        let (by, app) = (by.clone(), app.clone());
        let renames = form.get("name").trim() != entered.application.name;
        off_thread(move || {
            if renames {
                app.blocks.rest()?;
            }
            app.db.lend(|conn| actions::edit(conn, &app.blocks, &by, id, &change, now))
        })
        .await
    };
    match saved.await {
        Ok(application) => {
            let words = format!("The settings of {} are saved.", application.name);
            Ok(see_other(&format!("/applications/{id}/settings"), Some(Flash::new(words))))
        }
        Err(error) => {
            let mut form = form;
            let error = overtaken(error, entered.application.version, |version| form.set("version", version));
            let (status, errors) = refused(error)?;
            page(&request, &app, &by, entered, Some((status, errors, &form)))
        }
    }
}

async fn archive_page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    entered: Entered,
    refusal: Option<(StatusCode, String)>,
) -> Result<HttpResponse> {
    let (id, name) = (entered.application.id, entered.application.name.clone());
    let in_use = app.in_use;
    let uses = app.read(move |conn| in_use.all(conn, Thing::Application(id))).await?;
    let back = format!("/applications/{id}/settings");
    let shell = settings_shell(request, app, by, &entered, "Archive")
        .at(&back)
        .crumbs([Crumb::to("General", &back), Crumb::here("Archive")]);
    let page = ConfirmPage {
        shell,
        action: format!("/applications/{id}/archive"),
        back,
        question: format!("Archive {name}?"),
        what_stays: "No one will see it, its Blocks, its imports or its schedules. The Workspace keeps its \
                     history, and the name can be used again."
            .into(),
        verb: "Archive Application",
        uses,
        first: "First wait for its imports or cancel them, and turn its schedules off.",
        refused: None,
    };
    page.answer(request, refusal)
}

/// `GET {A}/archive`: asks.
pub async fn archive_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let (asks, id) = (by.clone(), id.into_inner());
    let entered = app
        .read(move |conn| {
            let entered = enter(conn, &asks, id)?;
            entered.need_configure(conn, &asks)?;
            Ok(entered)
        })
        .await?;
    archive_page(&request, &app, &by, entered, None).await
}

/// `POST {A}/archive`
pub async fn archive(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    _: Form,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let there = entered(&app, &by, id).await?;
    let (asks, now, in_use) = (by.clone(), app.now(), app.in_use);
    match app.write(move |conn| actions::archive(conn, in_use, &asks, id, now)).await {
        Ok(()) => Ok(see_other("/", Some(Flash::new(format!("{} is archived.", there.application.name))))),
        Err(AppError::Conflict(words)) => {
            archive_page(&request, &app, &by, there, Some((StatusCode::CONFLICT, words))).await
        }
        Err(error) => Err(error),
    }
}
