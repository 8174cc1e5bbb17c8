//! `{A}/settings/kept-files/{kept}`: one kept file, who loads it, its versions; and the file in its place.

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::list::receive;
use super::{find, find_to_change, list_of, shell_of};
use crate::app::App;
use crate::applications::Entered;
use crate::error::{AppError, FieldErrors, Result};
use crate::files;
use crate::files::kept::{KeptFile, KeptVersion, actions};
use crate::in_use::{Named, Thing};
use crate::members::{By, SignedIn};
use crate::web::{Flash, Page, Shell, download as web_download, refused, see_other};
use crate::words;

#[derive(Template)]
#[template(path = "files/show.html")]
struct ShowPage {
    shell: Shell,
    here: String,
    name: String,
    about: String,
    may_import: bool,
    uses: Vec<Named>,
    versions: Vec<Row>,
    zone: String,
    errors: FieldErrors,
}

struct Row {
    version: i64,
    file: String,
    size: String,
    sha256: String,
    kept_by: String,
    kept_at: String,
}

async fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (kept, entered): (KeptFile, &Entered),
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let in_use = app.in_use;
    let (kept, versions, uses) = app
        .read(move |conn| {
            let versions = actions::versions(conn, &kept)?;
            let uses = in_use.all(conn, Thing::KeptFile(kept.id))?;
            Ok((kept, versions, uses))
        })
        .await?;
    let zone = entered.application.time_zone;
    let row = |version: KeptVersion| Row {
        version: version.version,
        file: version.file_name,
        size: words::bytes(version.bytes),
        sha256: version.sha256,
        kept_by: version.kept_by_name,
        kept_at: words::date_time(version.kept_at, zone),
    };
    let newest = &kept.newest;
    let about = format!(
        "Version {}, {}, uploaded by {} {}.",
        newest.version,
        words::bytes(newest.bytes),
        newest.kept_by_name,
        words::relative(newest.kept_at, app.now())
    );
    let template = ShowPage {
        shell: shell_of(request, app, by, entered, Some(&kept.name)),
        here: format!("{}/{}", list_of(kept.application_id), kept.id),
        about,
        may_import: entered.may_import(),
        uses,
        versions: versions.into_iter().map(row).collect(),
        zone: zone.to_string(),
        errors,
        name: kept.name,
    };
    Page::with(status, request, &template)
}

/// `GET {A}/settings/kept-files/{kept}`
pub async fn show(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let (kept, entered) = find(&app, &by, *ids).await?;
    page(&request, &app, &by, (kept, &entered), (StatusCode::OK, FieldErrors::new())).await
}

/// `POST {A}/settings/kept-files/{kept}/files` with the file that takes its place.
pub async fn replace(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
    parts: Multipart,
) -> Result<HttpResponse> {
    let (kept, _) = find_to_change(&app, &by, *ids).await?;
    let (by, entered, stored) = receive(&request, &app, ids.0, parts).await?;
    let (who, id, now, was) = (by.clone(), kept.id, app.now(), kept.newest.version);
    let replaced = match stored {
        Ok(stored) => app.write(move |conn| actions::replace(conn, &who, (id, None), &stored, now)).await,
        Err(error) => Err(error),
    };
    match replaced {
        Ok(kept) => {
            let said = if kept.newest.version == was {
                format!("“{}” is this very file already. Nothing changed.", kept.name)
            } else {
                format!("Replaced “{}”. Runs from now on load version {}.", kept.name, kept.newest.version)
            };
            Ok(see_other(&format!("{}/{id}", list_of(ids.0)), Some(Flash::new(said))))
        }
        Err(error) => {
            let answer = refused(error)?;
            page(&request, &app, &by, (kept, &entered), answer).await
        }
    }
}

/// `GET {A}/settings/kept-files/{kept}/versions/{version}`: the file itself, for who may import it.
pub async fn download(app: Data<App>, SignedIn(by): SignedIn, ids: Path<(i64, i64, i64)>) -> Result<HttpResponse> {
    let (application_id, id, number) = *ids;
    let (kept, _) = find_to_change(&app, &by, (application_id, id)).await?;
    let blocks = app.blocks.clone();
    let version = app
        .read(move |conn| {
            let versions = actions::versions(conn, &kept)?;
            versions.into_iter().find(|version| version.version == number).ok_or(AppError::NotFound)
        })
        .await?;
    let stored = crate::app::off_thread({
        let blocks = blocks.clone();
        move || files::open(&blocks, version.file_id)
    })
    .await?;
    let (stem, ending) = files::stem_and_ending(&stored.name);
    let ending = if ending.is_empty() { "txt" } else { ending.trim_start_matches('.') };
    let (title, ending) = (stem.to_owned(), ending.to_owned());
    web_download::download((&app, by.member.id), (&title, &ending, "application/octet-stream"), move |out| {
        let mut reader = stored.reader(&blocks);
        std::io::copy(&mut reader, out).map_err(AppError::internal)?;
        Ok(())
    })
}
