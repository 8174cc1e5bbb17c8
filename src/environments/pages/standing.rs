//! Whether this is the living one of several copies of a Workspace.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::{App, off_thread};
use crate::environments::standing;
use crate::error::{AppError, Result};
use crate::members::{SignedIn, shell};
use crate::web::{Crumb, Flash, Form, Page, Shell, see_other};
use crate::{words, workspace};

/// The page.
const HERE: &str = "/settings/environment";

#[derive(Template)]
#[template(path = "environments/standing.html")]
struct StandingPage {
    shell: Shell,
    since: Option<String>,
}

/// `GET /settings/environment`
pub async fn standing(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    let asks = by.clone();
    let since = app
        .read(move |conn| {
            asks.need_administrator(conn)?;
            let zone = workspace::get(conn)?.time_zone;
            let since = workspace::standing_by_since(conn)?;
            Ok(since.map(|since| format!("{} ({zone})", words::date_time(since, zone))))
        })
        .await?;
    let shell = shell(&request, &app, &by, "Environment").at(HERE).crumbs([Crumb::here("Environment")]);
    Page::ok(&request, &StandingPage { shell, since })
}

/// `POST /settings/environment`: this is the living one.
pub async fn confirm(app: Data<App>, SignedIn(by): SignedIn, _: Form) -> Result<HttpResponse> {
    let there = app.clone();
    let confirmed = off_thread(move || {
        let now = there.now();
        there.db.lend(|conn| standing::confirm(conn, &there, &by, now))
    });
    let words = match confirmed.await {
        Ok(()) => "This is the living Workspace. Schedules run and messages leave again.".to_owned(),
        Err(AppError::Conflict(words)) => words,
        Err(error) => return Err(error),
    };
    app.set_standing_by(false);
    app.work.notify_one();
    Ok(see_other(HERE, Some(Flash::new(words))))
}
