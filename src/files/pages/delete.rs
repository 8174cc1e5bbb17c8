//! Asking before a kept file is gone.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::{find_to_change, list_of, shell_of};
use crate::app::App;
use crate::applications::Entered;
use crate::error::{AppError, Result};
use crate::files::kept::{KeptFile, actions};
use crate::in_use::Thing;
use crate::members::{By, SignedIn};
use crate::web::{ConfirmPage, Flash, see_other};

async fn confirm(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (kept, entered): (&KeptFile, &Entered),
    refusal: Option<(StatusCode, String)>,
) -> Result<HttpResponse> {
    let (in_use, id) = (app.in_use, kept.id);
    let uses = app.read(move |conn| in_use.all(conn, Thing::KeptFile(id))).await?;
    let back = format!("{}/{id}", list_of(kept.application_id));
    let template = ConfirmPage {
        shell: shell_of(request, app, by, entered, Some("Delete a kept file")),
        action: format!("{back}/delete"),
        back,
        question: format!("Delete the kept file “{}”?", kept.name),
        what_stays: "The rows that runs loaded from it stay, and so does their history.".into(),
        verb: "Delete file",
        uses,
        first: "First give these another file, or delete them.",
        refused: None,
    };
    template.answer(request, refusal)
}

/// `GET {A}/settings/kept-files/{kept}/delete`
pub async fn delete_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let (kept, entered) = find_to_change(&app, &by, *ids).await?;
    confirm(&request, &app, &by, (&kept, &entered), None).await
}

/// `POST {A}/settings/kept-files/{kept}/delete`
pub async fn delete(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let (kept, entered) = find_to_change(&app, &by, *ids).await?;
    let (who, id, now, in_use) = (by.clone(), kept.id, app.now(), app.in_use);
    match app.write(move |conn| actions::delete(conn, in_use, &who, (id, None), now)).await {
        Ok(was) => {
            let said = format!("Deleted the kept file “{}”.", was.name);
            Ok(see_other(&list_of(ids.0), Some(Flash::new(said))))
        }
        Err(AppError::Conflict(words)) => {
            confirm(&request, &app, &by, (&kept, &entered), Some((StatusCode::CONFLICT, words))).await
        }
        Err(error) => Err(error),
    }
}
