//! Asking before a table is gone.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::{find_to_change, list_of, shell_of};
use crate::app::App;
use crate::applications::Entered;
use crate::error::{AppError, Result};
use crate::in_use::Thing;
use crate::members::{By, SignedIn};
use crate::translations::{Translation, actions};
use crate::web::{ConfirmPage, Flash, see_other};

async fn confirm(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (table, entered): (&Translation, &Entered),
    refusal: Option<(StatusCode, String)>,
) -> Result<HttpResponse> {
    let (in_use, id) = (app.in_use, table.id);
    let uses = app.read(move |conn| in_use.all(conn, Thing::Translation(id))).await?;
    let back = format!("{}/{id}", list_of(table.application_id));
    let template = ConfirmPage {
        shell: shell_of(request, app, by, entered, Some("Delete a translation table")),
        action: format!("{back}/delete"),
        back,
        question: format!("Delete the translation table “{}”?", table.name),
        what_stays: "No import uses it. What was imported stays as it is.".into(),
        verb: "Delete translation table",
        uses,
        first: "First change the mapping of these import configurations, or delete them.",
        refused: None,
    };
    template.answer(request, refusal)
}

/// `GET {A}/settings/translations/{t}/delete`
pub async fn delete_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let (table, entered) = find_to_change(&app, &by, *ids).await?;
    confirm(&request, &app, &by, (&table, &entered), None).await
}

/// `POST {A}/settings/translations/{t}/delete`
pub async fn delete(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let (table, entered) = find_to_change(&app, &by, *ids).await?;
    let (who, id, now, in_use) = (by.clone(), table.id, app.now(), app.in_use);
    match app.write(move |conn| actions::delete(conn, in_use, &who, id, None, now)).await {
        Ok(()) => {
            let said = format!("Deleted the translation table “{}”.", table.name);
            Ok(see_other(&list_of(ids.0), Some(Flash::new(said))))
        }
        Err(AppError::Conflict(words)) => {
            confirm(&request, &app, &by, (&table, &entered), Some((StatusCode::CONFLICT, words))).await
        }
        Err(error) => Err(error),
    }
}
