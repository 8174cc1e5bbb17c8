//! The calendar itself, and the page on which its address is made and revoked.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::actions;
use super::scene::{self, Place};
use crate::app::App;
use crate::applications::{Entered, entered_by};
use crate::error::{AppError, Result};
use crate::members::{By, SignedIn, shell};
use crate::secrets;
use crate::web::form::Query;
use crate::web::{Crumb, Flash, Form, Page, Shell, see_other};
use crate::words;
use crate::workspace;

/// It is its member's, and asked for anew each time.
const PRIVATE: &str = "private, no-cache";

/// `GET /calendar/{feed}.ics`: for whoever has the address, without signing in. Nothing is written.
pub async fn feed(request: HttpRequest, app: Data<App>, text: Path<String>) -> Result<HttpResponse> {
    let (text, now, shared) = (text.into_inner(), app.now(), app.clone());
    let calendar = app
        .read(move |conn| {
            let opened = actions::open(conn, &text)?;
            if !shared.calendars.may_ask(opened.feed.id, now) {
                return Err(AppError::TooMany { what: "This calendar is requested too often.", after_seconds: 60 });
            }
            let base = shared.base_url.as_str().trim_end_matches('/').to_owned();
            let place = Place { base, host: shared.base_url.host_str().unwrap_or("localhost").to_owned() };
            scene::calendar(conn, &opened, &place, now)
        })
        .await;
    let text = match calendar {
        Ok(calendar) => calendar.text(),
        Err(error @ (AppError::NotFound | AppError::TooMany { .. })) => return Ok(plain(&error)),
        Err(error) => return Err(error),
    };
    let tag = format!("\"{}\"", &secrets::hash("calendar text", &text)[..22]);
    let known = request.headers().get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let is_known = known.is_some_and(|tags| tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag));
    let mut answer = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((CACHE_CONTROL, PRIVATE)).insert_header((ETAG, tag));
    if is_known {
        return Ok(answer.finish());
    }
    let name = ("Content-Disposition", "inline; filename=\"tidegate.ics\"");
    Ok(answer.content_type("text/calendar; charset=utf-8").insert_header(name).body(text))
}

/// For a program: a sentence, and no page.
fn plain(error: &AppError) -> HttpResponse {
    let (status, words, wait) = match error {
        AppError::TooMany { after_seconds, .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "This calendar is requested too often. Try again in a minute.\n",
            Some(*after_seconds),
        ),
        _ => (
            StatusCode::NOT_FOUND,
            "There is no calendar at this address. It may have been replaced or revoked.\n",
            None,
        ),
    };
    let mut answer = HttpResponse::build(status);
    if let Some(seconds) = wait {
        answer.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    answer.content_type("text/plain; charset=utf-8").body(words)
}

#[derive(Template)]
#[template(path = "feeds/page.html")]
struct FeedsPage {
    shell: Shell,
    rows: Vec<Row>,
    /// An address that was just made: the only time that it is shown; and of what.
    fresh: Option<(String, String)>,
}

/// What there is, or may be, an address of.
struct Row {
    /// Empty: all of them.
    id: String,
    name: String,
    /// The calendar on the pages.
    href: Option<String>,
    made: Option<String>,
    /// The one that was just asked about.
    chosen: bool,
}

async fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (status, fresh): (StatusCode, Option<(Option<i64>, String)>),
    chosen: Option<i64>,
) -> Result<HttpResponse> {
    let asks = by.clone();
    let (entered, feeds, workspace) = app
        .read(move |conn| Ok((entered_by(conn, &asks)?, actions::list(conn, &asks)?, workspace::get(conn)?)))
        .await?;
    let (zone, now) = (by.member.time_zone.unwrap_or(workspace.time_zone), app.now());
    let made = |id: Option<i64>| {
        let feed = feeds.iter().find(|feed| feed.application_id == id)?;
        Some(format!("{} ({})", words::date_time(feed.made_at, zone), words::relative(feed.made_at, now)))
    };
    let all = Row { id: String::new(), name: "All Applications".into(), href: None, made: made(None), chosen: false };
    let one = |entered: &Entered| {
        let id = entered.application.id;
        Row {
            id: id.to_string(),
            name: entered.application.name.clone(),
            href: Some(format!("/applications/{id}/settings/import-scheduling/calendar")),
            made: made(Some(id)),
            chosen: chosen == Some(id),
        }
    };
    let name = |id: Option<i64>| match id {
        Some(id) => entered.iter().find(|e| e.application.id == id).map_or("", |e| e.application.name.as_str()),
        None => "All Applications",
    };
    let fresh = fresh.map(|(id, text)| {
        (format!("{}/calendar/{text}.ics", app.base_url.as_str().trim_end_matches('/')), name(id).to_owned())
    });
    let rows = std::iter::once(all).chain(entered.iter().filter(|e| e.may_open_scheduling()).map(one)).collect();
    let shell = shell(request, app, by, "Calendar subscriptions").at("/account");
    let crumbs = [Crumb::to("Your account", "/account"), Crumb::here("Calendar subscriptions")];
    Page::with(status, request, &FeedsPage { shell: shell.crumbs(crumbs), rows, fresh })
}

/// `GET /calendar?application=`
pub async fn feeds(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, query: Query) -> Result<HttpResponse> {
    page(&request, &app, &by, (StatusCode::OK, None), query.id("application")).await
}

/// `POST /calendar`, of an `application` or of all: the answer shows the address, this once.
pub async fn make(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    let (asks, of, now) = (by.clone(), of(&form)?, app.now());
    let text = app.write(move |conn| actions::make(conn, &asks, of, now)).await?;
    page(&request, &app, &by, (StatusCode::CREATED, Some((of, text))), of).await
}

/// `POST /calendar/revoke`
pub async fn revoke(app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    let (of, now) = (of(&form)?, app.now());
    let said = match app.write(move |conn| actions::revoke(conn, &by, of, now)).await? {
        true => "The address is revoked. Calendars that subscribed to it get no more updates.",
        false => "There was no address to revoke.",
    };
    Ok(see_other("/calendar", Some(Flash::new(said))))
}

/// Of which Application; none: of all. What is no number is none that there is.
fn of(form: &Form) -> Result<Option<i64>> {
    match form.some("application") {
        None => Ok(None),
        Some(_) => form.id("application").map(Some).ok_or(AppError::NotFound),
    }
}
