//! Putting right what a run rejected: its rows, corrected, are given back; or what stands in them means empty.

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use super::crumbs;
use super::starting::FilePage;
use crate::app::{App, off_thread};
use crate::applications::blocks::{self, items};
use crate::applications::{Entered, settings_shell};
use crate::error::{AppError, FieldErrors, Result};
use crate::files;
use crate::imports;
use crate::members::{By, Scope, SignedIn};
use crate::runs::{Run, actions};
use crate::web::form::Upload;
use crate::web::{Flash, Form, Page, refused, see_other};
use crate::words;

/// The run, for who may import, with the newest that loaded corrected rows of it.
type Given = (Run, Entered, Option<i64>);

/// Also why its corrected rows cannot be given.
async fn run_here(app: &App, by: &By, id: i64) -> Result<(Given, FieldErrors)> {
    let by = by.clone();
    app.read(move |conn| {
        let (run, entered) = actions::find(conn, &by, id)?;
        entered.need_import(conn, &by, Scope::Run)?;
        let why = actions::why_not_corrected(conn, &run)?;
        let before = actions::corrected_by(conn, &run)?;
        Ok(((run, entered, before), why.map_or_else(FieldErrors::new, |why| FieldErrors::one("", why))))
    })
    .await
}

fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (run, entered, before): &Given,
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let title = "Import corrected rows".to_owned();
    let list = format!("/applications/{}/settings/import-scheduling", run.application_id);
    let shell = settings_shell(request, app, by, entered, &title).at(&list).crumbs(crumbs(entered, &title));
    let again = before.map(|id| {
        let id = words::count(id);
        format!("Run {id} loaded corrected rows of this run already. Leave those out.")
    });
    let template = FilePage {
        shell,
        lede: format!(
            "Correct the rows that run {} rejected. A separate run loads them; other rows of the Block stay. {}",
            run.id,
            again.unwrap_or_default()
        ),
        hint: "The downloaded file of rejected rows, after your corrections. Its last two columns are ignored.",
        button: "Import these rows",
        action: format!("/runs/{}/files", run.id),
        back: format!("/runs/{}", run.id),
        title,
        errors,
        takes_file: true,
        values: Default::default(),
    };
    Page::with(status, request, &template)
}

/// `GET /runs/{r}/files`: asks for the corrected rows.
pub async fn form(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>) -> Result<HttpResponse> {
    let (found, errors) = run_here(&app, &by, *id).await?;
    page(&request, &app, &by, &found, (StatusCode::OK, errors))
}

/// `POST /runs/{r}/files`
pub async fn give(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    parts: Multipart,
) -> Result<HttpResponse> {
    run_here(&app, &by, *id).await?;
    // Its token stands in it: nothing is told to a form that is none of ours.
    let upload = Upload::read(&request, parts).await?;
    // A file may be long on its way: who sent it, and what they may, is asked anew.
    let SignedIn(by) = SignedIn::extract(&request).await?;
    let (found, errors) = run_here(&app, &by, *id).await?;
    if !errors.is_empty() {
        return page(&request, &app, &by, &found, (StatusCode::CONFLICT, errors));
    }
    let Some(given) = upload.file.filter(|file| file.bytes > 0 || !file.name.is_empty()) else {
        let errors = FieldErrors::one("file", "Choose the file with the corrected rows.");
        return page(&request, &app, &by, &found, (StatusCode::UNPROCESSABLE_ENTITY, errors));
    };
    let (shared, asked, id, now) = (app.clone(), by.clone(), *id, app.now());
    let started = off_thread(move || {
        let file = files::save(&shared.blocks, &given.name, given.file, now)?;
        let sha256 = files::open(&shared.blocks, file)?.sha256;
        shared.db.write(|conn| actions::give_corrected(conn, &asked, id, (file, &sha256), now))
    });
    match started.await {
        Ok(run) => {
            app.work.notify_one();
            Ok(see_other(&format!("/runs/{}", run.id), Some(Flash::new(format!("Started: {}.", run.name)))))
        }
        Err(error) => {
            let answer = refused(error)?;
            page(&request, &app, &by, &found, answer)
        }
    }
}

/// `POST /runs/{r}/treat-as-empty` with a `column` of the source and the `value` that means empty in it.
pub async fn treat_as_empty(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, form: Form) -> Result<HttpResponse> {
    let (id, now, in_use) = (*id, app.now(), app.in_use);
    let (column, value) = (form.get("column").to_owned(), form.get("value").to_owned());
    let saved = app.write(move |conn| {
        let (run, entered) = actions::find(conn, &by, id)?;
        let configuration_id = run.configuration_id.ok_or(AppError::NotFound)?;
        let (found, of) = (run.result.and_then(|result| result.told.learned), (configuration_id, &*column, &*value));
        let saved = imports::treat_as_empty(conn, in_use, &by, &entered, of, found, now)?;
        Ok(format!(
            "“{value}” in {column} now counts as empty (version {} of {}). Run Again loads these rows too.",
            saved.version, saved.name
        ))
    });
    said(id, saved.await)
}

/// `POST /runs/{r}/translate` with a `column` of the source, the `code` of the cause, a `value` and what it
/// `becomes`.
pub async fn translate(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, form: Form) -> Result<HttpResponse> {
    let (id, now, in_use) = (*id, app.now(), app.in_use);
    let text = |name: &str| form.raw(name).to_owned();
    let (column, code, value) = (text("column"), text("code"), text("value"));
    let becomes = form.get("becomes").to_owned();
    let pool = app.blocks.clone();
    let saved = app.write(move |conn| {
        let (run, entered) = actions::find(conn, &by, id)?;
        let configuration_id = run.configuration_id.ok_or(AppError::NotFound)?;
        let found = run.result.and_then(|result| result.told.learned);
        let (of, entry) = ((configuration_id, &*column, found), (&*code, &*value, &*becomes));
        let (saved, table, list) = imports::translate(conn, in_use, &by, &entered, of, entry, now)?;
        if let Some(list) = list.map(|id| blocks::find(conn, id)).transpose()?
            && !pool.read(|conn| items::has(conn, &list, &becomes))?
        {
            return Err(AppError::Conflict(format!(
                "Nothing was changed: “{becomes}” is not an item of {} either. Enter one that is, or add it first.",
                list.name
            )));
        }
        Ok(format!(
            "“{value}” in {column} now becomes “{becomes}”, by the translation table {} ({}). Run Again loads these \
             rows too.",
            table.name, saved.name
        ))
    });
    said(id, saved.await)
}

/// `POST /runs/{r}/create-items`: items that a list lacks are created from now on.
pub async fn create_items(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>) -> Result<HttpResponse> {
    let (id, now, in_use) = (*id, app.now(), app.in_use);
    let saved = app.write(move |conn| {
        let (run, entered) = actions::find(conn, &by, id)?;
        let configuration_id = run.configuration_id.ok_or(AppError::NotFound)?;
        let saved = imports::create_items(conn, in_use, &by, &entered, configuration_id, now)?;
        Ok(format!(
            "{} now creates items that a Dimension list lacks (version {}). Run Again loads these rows too.",
            saved.name, saved.version
        ))
    });
    said(id, saved.await)
}

/// Back on the Summary, with what came of it: also what cannot be done is said there.
fn said(id: i64, saved: Result<String>) -> Result<HttpResponse> {
    let words = match saved {
        Ok(words) => words,
        Err(AppError::Invalid(errors)) => errors.details(),
        Err(AppError::Conflict(words)) => words,
        Err(other) => return Err(other),
    };
    Ok(see_other(&format!("/runs/{id}"), Some(Flash::new(words))))
}
