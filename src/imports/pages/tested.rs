//! A test run on pages: asking for one, and what it found.

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;
use serde_json::Value;

use super::{Place, place};
use crate::app::App;
use crate::applications::blocks::Block;
use crate::applications::blocks::pages::Compared;
use crate::applications::blocks::rejects::Cause;
use crate::error::{AppError, FieldErrors, Result};
use crate::imports::pipeline::Changed;
use crate::imports::test_run::{self, Asked, From, Tested, Verdict};
use crate::imports::{tried, values_target};
use crate::members::{By, Scope, SignedIn};
use crate::parameters::{self, Fields, Values};
use crate::web::form::Upload;
use crate::web::{Form, Icon, Page, Shell, refused, see_other};
use crate::words;

/// `imports/tested_part.html` draws it, included with this as `t`.
pub struct Found {
    pub class: &'static str,
    pub icon: Icon,
    pub words: String,
    pub why: Option<String>,
    pub compared: Option<Compared>,
    pub rejected: String,
    pub bad_cells: String,
    pub causes: Vec<FoundCause>,
    pub changes: Vec<(String, &'static str, String)>,
}

pub struct FoundCause {
    pub cells: String,
    pub reason: String,
    pub column: String,
    pub advice: String,
    pub rows: Vec<(i64, String)>,
}

impl Found {
    pub fn of(block: &Block, tested: Tested) -> Self {
        let Tested { verdict, words, counts, difference, told, causes, rejects, rejected_cells } = tested;
        let (class, icon, said) = match verdict {
            Verdict::Success => ("is-ok", "ok", "A run would load every row."),
            Verdict::Partial => ("is-warn", "part", "A run would load the good rows and reject the others."),
            Verdict::NothingNew => ("is-run", "info", "A run would change nothing."),
            Verdict::Held => ("is-warn", "pause", "A run would be Held until somebody approves it."),
            Verdict::Failed => ("is-bad", "bad", "A run would fail."),
            Verdict::Unfinished => ("is-warn", "warn", "The test run came to no end."),
        };
        let read = format!("{} read.", words::counted(counts.read, "row was", "rows were"));
        let said = if counts.read > 0 { format!("{said} {read}") } else { said.to_owned() };
        let cause = |cause: Cause| FoundCause {
            rows: (rejects.iter())
                .filter(|cell| cell.code == cause.code && cell.column == cause.column)
                .map(|cell| (cell.line, if cell.value.is_empty() { "(empty)".into() } else { cell.value.clone() }))
                .collect(),
            cells: words::count(cause.cells),
            reason: cause.reason,
            column: cause.column,
            advice: cause.advice,
        };
        Self {
            class,
            icon,
            words: said,
            why: words,
            compared: difference.map(|difference| Compared::of(block, &difference)),
            rejected: words::counted(counts.rejected, "rejected row", "rejected rows"),
            bad_cells: words::counted(rejected_cells, "bad cell", "bad cells"),
            causes: causes.into_iter().map(cause).collect(),
            changes: told.changes.into_iter().map(shown).collect(),
        }
    }
}

fn shown(changed: Changed) -> (String, &'static str, String) {
    (changed.column, changed.kind.words(), words::count(changed.cells))
}

#[derive(Template)]
#[template(path = "imports/tested.html")]
struct TestedPage {
    shell: Shell,
    title: String,
    block: String,
    block_href: String,
    back: String,
    t: Found,
}

#[derive(Template)]
#[template(path = "imports/test_file.html")]
struct FilePage {
    shell: Shell,
    title: String,
    here: String,
    errors: FieldErrors,
    takes_file: bool,
    values: Fields,
}

/// The configuration, for who may run it; and its own page.
async fn to_test(app: &App, by: &By, path: (i64, i64)) -> Result<(Place, String)> {
    let (asked, application_id) = (by.clone(), path.0);
    // Before anything is looked up that a Viewer may not see.
    app.read(move |conn| {
        crate::applications::enter(conn, &asked, application_id)?.need_import(conn, &asked, Scope::Run)
    })
    .await?;
    let place = place(app, by, path.0, Some(path.1)).await?;
    let here = format!("{}/{}", place.list(), path.1);
    Ok((place, here))
}

fn title(place: &Place) -> String {
    place.found.as_ref().map(|(configuration, _)| format!("Test run of {}", configuration.name)).unwrap_or_default()
}

async fn answer(
    (request, app, by): (&HttpRequest, &Data<App>, &By),
    (place, here): (&Place, &str),
    (from, values): (From, Values),
) -> Result<HttpResponse> {
    let (configuration, definition) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let block = place.blocks.iter().find(|block| block.id == configuration.block_id).ok_or(AppError::NotFound)?;
    let asked = Asked { block: block.clone(), definition: definition.clone(), from, values };
    let tested = test_run::test(app, by, asked, test_run::PATIENCE).await?;
    let title = title(place);
    let template = TestedPage {
        shell: place.shell(request, app, by, &title),
        title,
        block: block.name.clone(),
        block_href: format!("{}/blocks/{}", place.base(), block.id),
        back: here.to_owned(),
        t: Found::of(block, tested),
    };
    Page::ok(request, &template)
}

/// `GET …/{i}/test-run`: asks for the file, where it takes one; else its page, which has the button.
pub async fn test_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let (place, here) = to_test(&app, &by, *path).await?;
    if !place.found.as_ref().is_some_and(|(found, definition)| found.needs_file() || !definition.parameters.is_empty())
    {
        return Ok(see_other(&here, None));
    }
    file_page((&request, &app, &by), &place, (here, None), (StatusCode::OK, FieldErrors::new()))
}

fn file_page(
    (request, app, by): (&HttpRequest, &App, &By),
    place: &Place,
    (here, typed): (String, Option<Value>),
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let title = title(place);
    let (configuration, definition) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let values = Fields::of(&definition.parameters, "", typed.as_ref(), &errors);
    let (shell, takes_file) = (place.shell(request, app, by, &title), configuration.needs_file());
    Page::with(status, request, &FilePage { shell, title, here, errors, takes_file, values })
}

/// `POST …/{i}/test-run`
pub async fn test(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let (place, here) = to_test(&app, &by, *path).await?;
    let (configuration, definition) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let from = match From::of(configuration, definition) {
        Some(from) if definition.parameters.is_empty() || parameters::asked(&form, "") => from,
        _ => return Ok(see_other(&format!("{here}/test-run"), None)),
    };
    try_with((&request, &app, &by), (&place, here), from, &form).await
}

/// Tries it with the values of a form, or asks for them again.
async fn try_with(
    (request, app, by): (&HttpRequest, &Data<App>, &By),
    (place, here): (&Place, String),
    from: From,
    form: &Form,
) -> Result<HttpResponse> {
    let (configuration, definition) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let leads = place.leads();
    let target = values_target(configuration, definition, &leads);
    let typed = parameters::given(&definition.parameters, "", form, None);
    match tried(&target, &app.secrets, typed.as_ref(), (app.now(), place.entered.application.time_zone)) {
        Ok(values) => answer((request, app, by), (place, &here), (from, values)).await,
        Err(error) => {
            let said = refused(error)?;
            file_page((request, app, by), place, (here, typed), said)
        }
    }
}

/// `POST …/{i}/test-run/files` with the file.
pub async fn test_with_file(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    parts: Multipart,
) -> Result<HttpResponse> {
    to_test(&app, &by, *path).await?;
    let upload = Upload::read(&request, parts).await?;
    // A file may be long on its way: who sent it, and what they may, is asked anew.
    let SignedIn(by) = SignedIn::extract(&request).await?;
    let (place, here) = to_test(&app, &by, *path).await?;
    if !place.found.as_ref().is_some_and(|(configuration, _)| configuration.needs_file()) {
        return Ok(see_other(&here, None));
    }
    match upload.file.filter(|file| file.bytes > 0 || !file.name.is_empty()) {
        Some(file) => {
            let from = From::Given { name: file.name, file: file.file };
            try_with((&request, &app, &by), (&place, here), from, &upload.form).await
        }
        None => {
            let errors = FieldErrors::one("file", "Choose the file to test.");
            let said = (StatusCode::UNPROCESSABLE_ENTITY, errors);
            let definition = place.found.as_ref().map(|(_, definition)| definition).ok_or(AppError::NotFound)?;
            let typed = parameters::given(&definition.parameters, "", &upload.form, None);
            file_page((&request, &app, &by), &place, (here, typed), said)
        }
    }
}
