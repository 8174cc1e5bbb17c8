//! Ending a freeze before its time, and deleting one.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::{find_to_change, list_of, shell_of};
use crate::app::App;
use crate::error::Result;
use crate::freezes::{Stage, actions};
use crate::members::SignedIn;
use crate::web::{ConfirmPage, Flash, Form, see_other};

/// `POST {A}/settings/freezes/{f}/end`
pub async fn end(app: Data<App>, SignedIn(by): SignedIn, ids: Path<(i64, i64)>, form: Form) -> Result<HttpResponse> {
    let now = app.now();
    let (freeze, _) = find_to_change(&app, &by, *ids).await?;
    let version = form.id("version");
    let ended = app.write(move |conn| actions::end(conn, &by, freeze.id, version, now)).await?;
    let then = if ended.run_once { " Each skipped import runs once." } else { "" };
    let said = format!("“{}” has ended. Schedules run again.{then}", ended.name);
    Ok(see_other(&list_of(ids.0), Some(Flash::new(said))))
}

/// `GET {A}/settings/freezes/{f}/delete` asks.
pub async fn delete_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let (freeze, entered) = find_to_change(&app, &by, *ids).await?;
    let back = format!("{}/{}", list_of(ids.0), freeze.id);
    let what_stays = match freeze.stage(app.now()) {
        Stage::Upcoming => "Nothing will be frozen.",
        Stage::Now => {
            "Schedules run again at once, and what was skipped does not run. To run it once, end the freeze \
             instead. What it skipped stays in the history."
        }
        Stage::Ended => "What it skipped stays in the history.",
    };
    let template = ConfirmPage {
        shell: shell_of(&request, &app, &by, &entered, Some("Delete a freeze")),
        action: format!("{back}/delete"),
        back,
        question: format!("Delete the freeze “{}”?", freeze.name),
        what_stays: what_stays.into(),
        verb: "Delete freeze",
        uses: Vec::new(),
        first: "",
        refused: None,
    };
    template.answer(&request, None)
}

/// `POST {A}/settings/freezes/{f}/delete`
pub async fn delete(app: Data<App>, SignedIn(by): SignedIn, ids: Path<(i64, i64)>) -> Result<HttpResponse> {
    let now = app.now();
    let (freeze, _) = find_to_change(&app, &by, *ids).await?;
    let said = format!("Deleted the freeze “{}”.", freeze.name);
    app.write(move |conn| actions::delete(conn, &by, freeze.id, None, now)).await?;
    Ok(see_other(&list_of(ids.0), Some(Flash::new(said))))
}
