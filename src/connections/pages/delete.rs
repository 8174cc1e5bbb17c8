//! Asking before a Connection is gone.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::edit::place;
use crate::app::App;
use crate::applications::shell;
use crate::connections::{Connection, actions};
use crate::error::{AppError, Result};
use crate::in_use::Thing;
use crate::members::{self, By, SignedIn};
use crate::web::{ConfirmPage, Crumb, Flash, see_other};

async fn confirm(
    request: &HttpRequest,
    app: &App,
    by: &By,
    connection: &Connection,
    refusal: Option<(StatusCode, String)>,
) -> Result<HttpResponse> {
    let (in_use, id) = (app.in_use, connection.id);
    let uses = app.read(move |conn| in_use.all(conn, Thing::Connection(id))).await?;
    let back = format!("/connections/{}", connection.id);
    let template = ConfirmPage {
        shell: shell(request, app, by, "Delete a Connection").at("/connections").crumbs([
            Crumb::to("Connections", "/connections"),
            Crumb::to(&connection.name, &back),
            Crumb::here("Delete"),
        ]),
        action: format!("{back}/delete"),
        back,
        question: format!("Delete the Connection “{}”?", connection.name),
        what_stays: "Its secrets are deleted and its name can be used again. Its runs stay in the history.".into(),
        verb: "Delete Connection",
        uses,
        first: "First change the source of these import configurations, or delete them.",
        refused: None,
    };
    template.answer(request, refusal)
}

/// `GET /connections/{c}/delete`
pub async fn delete_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let place = place(&app, &by, Some(*id)).await?;
    members::actions::need_administrator(&app, &by).await?;
    confirm(&request, &app, &by, place.connection.as_ref().ok_or(AppError::NotFound)?, None).await
}

/// `POST /connections/{c}/delete`
pub async fn delete(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let place = place(&app, &by, Some(*id)).await?;
    let connection = place.connection.as_ref().ok_or(AppError::NotFound)?;
    let (who, id, now, in_use) = (by.clone(), connection.id, app.now(), app.in_use);
    match app.write(move |conn| actions::archive(conn, in_use, &who, id, now)).await {
        Ok(()) => {
            let said = format!("Deleted the Connection “{}”.", connection.name);
            Ok(see_other("/connections", Some(Flash::new(said))))
        }
        Err(AppError::Conflict(words)) => {
            confirm(&request, &app, &by, connection, Some((StatusCode::CONFLICT, words))).await
        }
        Err(error) => Err(error),
    }
}
