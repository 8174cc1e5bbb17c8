//! Starting an import right now, running one again, cancelling one.

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;

use super::{list, way_back};
use crate::app::{App, off_thread};
use crate::applications::{Entered, enter, settings_shell};
use crate::error::{AppError, FieldErrors, Result};
use crate::files;
use crate::imports::{self, Configuration, Target};
use crate::members::{By, Scope, SignedIn};
use crate::parameters::{self, Fields, Parameter};
use crate::runs::{Run, RunStatus, Started, actions};
use crate::web::form::Upload;
use crate::web::page::is_fragment;
use crate::web::{Crumb, Flash, Form, Page, Shell, refused, see_other};

/// The address that starts a run.
pub fn runs(application_id: i64, target: Target) -> String {
    let kind = if target.set().is_some() { "sets" } else { "configurations" };
    format!("/applications/{application_id}/settings/import-{kind}/{}/runs", target.id())
}

/// Where a form without JavaScript goes back to: the list, the calendar, or the run's Summary when it names no place.
fn back(form: &Form, run: &Run) -> String {
    let list = format!("/applications/{}/settings/import-scheduling", run.application_id);
    match way_back(run.application_id, form.get("back")) {
        Some(back) if back.split('?').next() == Some(list.as_str()) => {
            format!("{back}#cfg-{}", run.target().map(Target::short).unwrap_or_default())
        }
        back => back.map_or_else(|| format!("/runs/{}", run.id), str::to_owned),
    }
}

/// The page from which it was asked, with what was done.
pub(super) async fn answer(
    request: &HttpRequest,
    app: &App,
    by: &By,
    form: &Form,
    run: &Run,
    flash: Flash,
) -> Result<HttpResponse> {
    if let (true, Some(target)) = (is_fragment(request), run.target()) {
        return list::of_run((request, app, by), (run.application_id, target), form, &flash).await;
    }
    Ok(see_other(&back(form, run), Some(flash)))
}

pub(super) fn started_words(started: &Started) -> Flash {
    let name = started.run.title();
    Flash::new(match (started.waiting_already, started.run.status) {
        (true, RunStatus::Running) => format!("{name} is already running."),
        (true, _) => format!("{name} is already in the queue."),
        (false, _) => format!("Started: {name}."),
    })
}

/// `POST /applications/{a}/settings/import-configurations/{i}/runs`: start an import right now.
pub async fn run_now(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let (application_id, id) = path.into_inner();
    let (asked, now, secrets) = (by.clone(), app.now(), app.secrets.clone());
    let sent = form.clone();
    let started = app
        .write(move |conn| {
            let (entered, configuration) = belongs(conn, &asked, application_id, id)?;
            entered.need_import(conn, &asked, Scope::Run)?;
            let declared = declared(conn, &configuration)?;
            if !declared.is_empty() && !parameters::asked(&sent, "") {
                return Ok(None);
            }
            let values = parameters::given(&declared, "", &sent, None);
            actions::start_by_hand(conn, &secrets, &asked, Target::Configuration(id), None, values, now).map(Some)
        })
        .await;
    let page = format!("/applications/{application_id}/settings/import-configurations/{id}/run");
    match started {
        Ok(Some(started)) => {
            app.work.notify_one();
            answer(&request, &app, &by, &form, &started.run, started_words(&started)).await
        }
        // Its values are asked for first.
        Ok(None) if is_fragment(&request) => Ok(HttpResponse::Ok().insert_header(("HX-Redirect", page)).finish()),
        Ok(None) => Ok(see_other(&page, None)),
        Err(error) if parameters::asked(&form, "") => {
            let answer = refused(error)?;
            let found = configuration_here(&app, &by, (application_id, id)).await?;
            file_page(&request, &app, &by, &found, (answer, &form))
        }
        Err(error) => Err(error),
    }
}

/// What it asks for when it runs.
fn declared(conn: &mut crate::db::Conn, configuration: &Configuration) -> Result<Vec<Parameter>> {
    let version = imports::version(conn, configuration.id, configuration.version)?;
    Ok(version.map(|version| version.definition.parameters).unwrap_or_default())
}

fn belongs(
    conn: &mut crate::db::Conn,
    by: &By,
    application_id: i64,
    configuration_id: i64,
) -> Result<(Entered, Configuration)> {
    let entered = enter(conn, by, application_id)?;
    let configuration = imports::by_id(conn, configuration_id)?
        .filter(|c| c.application_id == application_id && !c.archived)
        .ok_or(AppError::NotFound)?;
    Ok((entered, configuration))
}

/// `POST /runs/{r}/again`
pub async fn again(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let (asked, id, now) = (by.clone(), *id, app.now());
    let all = form.ticked("all");
    let started = app.write(move |conn| actions::again_from(conn, &asked, id, all, now)).await?;
    app.work.notify_one();
    answer(&request, &app, &by, &form, &started.run, started_words(&started)).await
}

/// `POST /runs/{r}/cancel`
pub async fn cancel(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let (asked, id, now) = (by.clone(), *id, app.now());
    let run = app.write(move |conn| actions::cancel(conn, &asked, id, now)).await?;
    app.work.notify_one();
    let words = if run.status.is_open() { "Cancelling" } else { "Cancelled" };
    answer(&request, &app, &by, &form, &run, Flash::new(format!("{words}: {}.", run.title()))).await
}

#[derive(Template)]
#[template(path = "import_scheduling/run_with_file.html")]
pub(super) struct FilePage {
    pub shell: Shell,
    pub title: String,
    pub lede: String,
    pub hint: &'static str,
    pub button: &'static str,
    pub action: String,
    pub back: String,
    pub errors: FieldErrors,
    pub takes_file: bool,
    /// Of the import's parameters.
    pub values: Fields,
}

fn file_page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (entered, configuration, declared): &(Entered, Configuration, Vec<Parameter>),
    ((status, errors), form): ((StatusCode, FieldErrors), &Form),
) -> Result<HttpResponse> {
    let base = format!("/applications/{}", entered.application.id);
    let back = format!("{base}/settings/import-scheduling");
    let title = format!("Run {}", configuration.name);
    let shell = settings_shell(request, app, by, entered, &title)
        .at(&back)
        .crumbs([Crumb::to("Import Scheduling", &back), Crumb::here(&title)]);
    let takes_file = configuration.needs_file();
    let deed = if takes_file { "files" } else { "runs" };
    let action = format!("{base}/settings/import-configurations/{}/{deed}", configuration.id);
    let lede = match takes_file {
        true => format!("{} needs a file for each run.", configuration.name),
        false => format!("{} asks for values. Relative dates are counted from today.", configuration.name),
    };
    let hint = "A file in the format of this import, gzipped or not.";
    let typed = parameters::given(declared, "", form, None);
    let values = Fields::of(declared, "", typed.as_ref(), &errors);
    let template = FilePage { shell, title, lede, hint, button: "Run now", action, back, errors, takes_file, values };
    Page::with(status, request, &template)
}

async fn configuration_here(app: &App, by: &By, path: (i64, i64)) -> Result<(Entered, Configuration, Vec<Parameter>)> {
    let by = by.clone();
    app.read(move |conn| {
        let found = belongs(conn, &by, path.0, path.1)?;
        found.0.need_import(conn, &by, Scope::Run)?;
        let declared = declared(conn, &found.1)?;
        Ok((found.0, found.1, declared))
    })
    .await
}

/// `GET /applications/{a}/settings/import-configurations/{i}/run`: asks for the file that the run takes.
pub async fn file_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let found = configuration_here(&app, &by, *path).await?;
    file_page(&request, &app, &by, &found, ((StatusCode::OK, FieldErrors::new()), &Form::default()))
}

/// `POST /applications/{a}/settings/import-configurations/{i}/files` with the file, or with the ticket of one that is
/// kept already (`sample`).
pub async fn run_with_file(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    parts: Multipart,
) -> Result<HttpResponse> {
    configuration_here(&app, &by, *path).await?;
    let upload = Upload::read(&request, parts).await?;
    // A file may be long on its way: who sent it, and what they may, is asked anew.
    let SignedIn(by) = SignedIn::extract(&request).await?;
    let found = configuration_here(&app, &by, *path).await?;
    let kept = files::of_ticket(&app.secrets, path.0, by.member.id, upload.form.get("sample"));
    let given = upload.file.filter(|file| file.bytes > 0 || !file.name.is_empty());
    if given.is_none() && kept.is_none() {
        let errors = FieldErrors::one("file", "Choose the file to import.");
        return file_page(&request, &app, &by, &found, ((StatusCode::UNPROCESSABLE_ENTITY, errors), &upload.form));
    }
    let (shared, asked, id, now) = (app.clone(), by.clone(), found.1.id, app.now());
    let values = parameters::given(&found.2, "", &upload.form, None);
    let started = off_thread(move || {
        let file_id = match given {
            Some(given) => Some(files::save(&shared.blocks, &given.name, given.file, now)?),
            None => kept,
        };
        shared.db.write(|conn| {
            actions::start_by_hand(conn, &shared.secrets, &asked, Target::Configuration(id), file_id, values, now)
        })
    })
    .await;
    match started {
        Ok(started) => {
            app.work.notify_one();
            Ok(see_other(&format!("/runs/{}", started.run.id), Some(started_words(&started))))
        }
        Err(error) => {
            let answer = refused(error)?;
            file_page(&request, &app, &by, &found, (answer, &upload.form))
        }
    }
}
