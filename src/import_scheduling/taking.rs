//! Taking the ownership of what its Owner cannot run any more: of one schedule, or of all that one of them has here.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::done::{self, Deed};
use super::switch::{self, undoable};
use super::view::View;
use super::way_back;
use crate::app::App;
use crate::error::{AppError, Result};
use crate::members::SignedIn;
use crate::schedules::actions;
use crate::web::{Flash, Form};
use crate::words;

/// `POST /applications/{a}/schedules/{s}/take-ownership`
pub async fn take(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let ((application_id, id), asks, now) = (path.into_inner(), by.clone(), app.now());
    let (schedule, took) = app
        .write(move |conn| {
            let (was, _) = actions::find_in(conn, &asks, application_id, id)?;
            let is = actions::take(conn, &asks, id, None, now)?;
            let took = is.version != was.version;
            Ok((is, took))
        })
        .await?;
    let mut flash = Flash::new(format!("You now own: {}.", schedule.sentence()));
    if took {
        flash = undoable(flash, application_id, now, way_back(application_id, form.get("back")));
    }
    let deed =
        Deed { application_id, cards: &[schedule.target], schedule: Some(id), arrives: false, from: form.get("back") };
    done::answer((&request, &app, &by), deed, flash).await
}

/// `POST /applications/{a}/schedules/take-ownership` with `owner`: all that are flagged of them; without, all.
pub async fn take_all(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let (application_id, owner, asks, now) = (*application_id, form.id("owner"), by.clone(), app.now());
    let taken = app.write(move |conn| actions::take_all(conn, &asks, application_id, owner, now)).await?;
    if taken.is_empty() {
        return Err(AppError::Conflict("No schedule needs a new Owner any more.".into()));
    }
    let off = taken.iter().filter(|schedule| schedule.next_at.is_none()).count();
    let off = match (off, taken.len()) {
        (0, _) => String::new(),
        (1, 1) => " It is still off.".to_owned(),
        (off, all) if off == all => " They are still off.".to_owned(),
        (1, _) => " 1 of them is still off.".to_owned(),
        (off, _) => format!(" {} of them are still off.", words::count(off as i64)),
    };
    let owns = words::counted(taken.len() as i64, "more schedule", "more schedules");
    let flash = Flash::new(format!("You now own {owns}.{off}"));
    let from = View::of(&form).address(&switch::list(application_id));
    let flash = undoable(flash, application_id, now, Some(&from));
    let deed = Deed {
        application_id,
        cards: &switch::cards(&taken),
        schedule: taken.first().map(|schedule| schedule.id),
        arrives: false,
        from: &from,
    };
    done::answer((&request, &app, &by), deed, flash).await
}
