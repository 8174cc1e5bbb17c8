//! Asking before a set is gone.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::{Place, find_to_change, list_of, shell_of};
use crate::app::App;
use crate::error::{AppError, Result};
use crate::import_sets::actions;
use crate::in_use::Thing;
use crate::members::{By, SignedIn};
use crate::web::{ConfirmPage, Flash, see_other};

async fn confirm(
    request: &HttpRequest,
    app: &App,
    by: &By,
    place: &Place,
    refusal: Option<(StatusCode, String)>,
) -> Result<HttpResponse> {
    let (in_use, set) = (app.in_use, place.set()?);
    let id = set.id;
    let uses = app.read(move |conn| in_use.all(conn, Thing::Set(id))).await?;
    let back = format!("{}/{id}", list_of(set.application_id));
    let template = ConfirmPage {
        shell: shell_of(request, app, by, &place.entered, Some("Delete an import set")),
        action: format!("{back}/delete"),
        back,
        question: format!("Delete the import set “{}”?", set.name),
        what_stays: "Its import configurations, the rows that they loaded, and the history of its runs stay.".into(),
        verb: "Delete import set",
        uses,
        first: "First wait for its runs or cancel them, and delete its schedules.",
        refused: None,
    };
    template.answer(request, refusal)
}

/// `GET {A}/settings/import-sets/{set}/delete`
pub async fn delete_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let place = find_to_change(&app, &by, ids.0, Some(ids.1)).await?;
    confirm(&request, &app, &by, &place, None).await
}

/// `POST {A}/settings/import-sets/{set}/delete`
pub async fn delete(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let place = find_to_change(&app, &by, ids.0, Some(ids.1)).await?;
    let (who, entered, id, now, in_use) = (by.clone(), place.entered.clone(), ids.1, app.now(), app.in_use);
    match app.write(move |conn| actions::archive(conn, in_use, &who, &entered, (id, None), now)).await {
        Ok(()) => {
            let said = format!("Deleted the import set “{}”.", place.set()?.name);
            Ok(see_other(&list_of(ids.0), Some(Flash::new(said))))
        }
        Err(AppError::Conflict(words)) => {
            confirm(&request, &app, &by, &place, Some((StatusCode::CONFLICT, words))).await
        }
        Err(error) => Err(error),
    }
}
