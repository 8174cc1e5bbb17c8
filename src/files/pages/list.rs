//! `{A}/settings/kept-files`: the files that an Application keeps.

use std::cmp::Ordering;

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;

use super::{FileField, list_of, may_change, shell_of, store};
use crate::app::App;
use crate::applications::Entered;
use crate::error::{AppError, FieldErrors, Result};
use crate::files::kept::{KeptFile, actions, of_application};
use crate::members::{By, SignedIn};
use crate::web::form::{Query, Upload};
use crate::web::list::Sort;
use crate::web::{Flash, Listing, Page, Shell, is_fragment, refused, see_other};
use crate::words;

#[derive(Template)]
#[template(path = "files/list.html")]
struct ListPage {
    shell: Shell,
    here: String,
    may_import: bool,
    /// There is none at all.
    none: bool,
    list: Listing,
    rows: Vec<Row>,
    errors: FieldErrors,
}

struct Row {
    id: i64,
    name: String,
    size: String,
    version: i64,
    /// "Grace Hopper, 2 days ago"
    kept: String,
}

const SORTS: [Sort<KeptFile>; 2] = [
    ("name", "Name", |_, _| Ordering::Equal),
    ("newest", "Newest first", |a, b| b.newest.kept_at.cmp(&a.newest.kept_at)),
];

async fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (entered, files): (&Entered, Vec<KeptFile>),
    query: &Query,
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let (here, none, now) = (list_of(entered.application.id), files.is_empty(), app.now());
    let (list, shown) = Listing::of(&here, query, files, &SORTS, |kept| kept.name.clone());
    let row = |kept: KeptFile| Row {
        id: kept.id,
        name: kept.name,
        size: words::bytes(kept.newest.bytes),
        version: kept.newest.version,
        kept: format!("{}, {}", kept.newest.kept_by_name, words::relative(kept.newest.kept_at, now)),
    };
    let rows = shown.into_iter().map(row).collect();
    let shell = shell_of(request, app, by, entered, None);
    let template = ListPage { shell, here, may_import: entered.may_import(), none, list, rows, errors };
    Page::with(status, request, &template)
}

async fn all(app: &App, by: &By, application_id: i64) -> Result<(Entered, Vec<KeptFile>)> {
    let by = by.clone();
    app.read(move |conn| Ok((actions::enter(conn, &by, application_id)?, of_application(conn, application_id)?))).await
}

/// `GET {A}/settings/kept-files?q=&sort=&page=`
pub async fn list(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let (entered, files) = all(&app, &by, *id).await?;
    page(&request, &app, &by, (&entered, files), &query, (StatusCode::OK, FieldErrors::new())).await
}

/// `POST {A}/settings/kept-files/files` with a file. With the name of a form's control (`?field=`) the answer to scripts is that
/// control, in which the file is chosen.
pub async fn keep(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    query: Query,
    parts: Multipart,
) -> Result<HttpResponse> {
    let (application_id, now) = (*id, app.now());
    may_change(&app, &by, application_id).await?;
    let (by, entered, stored) = receive(&request, &app, application_id, parts).await?;
    let kept = match stored {
        Ok(stored) => {
            let by = by.clone();
            app.write(move |conn| actions::keep(conn, &by, application_id, &stored, now)).await
        }
        Err(error) => Err(error),
    };
    let (kept, (status, errors)) = match kept {
        Ok(kept) => (Some(kept), (StatusCode::OK, FieldErrors::new())),
        Err(error) => (None, refused(error)?),
    };
    let field = query.some("field").filter(|_| is_fragment(&request)).filter(|name| name.len() <= 200);
    if let Some(field) = field {
        let files = app.read(move |conn| of_application(conn, application_id)).await?;
        let error = errors.0.into_iter().next().map(|error| error.detail);
        let control = FileField::of(application_id, field, "Kept file", &files, kept.map(|kept| kept.id), error);
        return Page::with(status, &request, &control);
    }
    match kept {
        Some(kept) => {
            let said = format!("“{}” is kept. A schedule or a step of an import set can load it now.", kept.name);
            Ok(see_other(&list_of(application_id), Some(Flash::new(said))))
        }
        None => {
            let files = app.read(move |conn| of_application(conn, application_id)).await?;
            page(&request, &app, &by, (&entered, files), &query, (status, errors)).await
        }
    }
}

/// The file of a form, stored, and who sent it: it may be long on its way, so who it is, and whether they may, is asked
/// anew before anything is kept.
pub(super) async fn receive(
    request: &HttpRequest,
    app: &App,
    application_id: i64,
    parts: Multipart,
) -> Result<(By, Entered, Result<super::Stored>)> {
    let upload = Upload::read(request, parts).await;
    let SignedIn(by) = SignedIn::extract(request).await?;
    let entered = may_change(app, &by, application_id).await?;
    let stored = match upload.map(|upload| upload.file.filter(|file| !file.name.is_empty())) {
        Ok(Some(file)) => store(app, file).await,
        Ok(None) => Err(AppError::invalid("file", "Choose the file to keep.")),
        Err(error) => Err(error),
    };
    Ok((by, entered, stored))
}
