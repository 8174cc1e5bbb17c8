//! How a deed is answered. On the list that is open htmx puts in its place what changed: the cards, the numbers and
//! tabs above them and the message; the dialog goes, and the focus is on the schedule. Anywhere else it goes on to the
//! page from which it was done, or to the schedule's place in the list.

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderName, HeaderValue, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::json;

use super::card::Card;
use super::list::{Parts, Tabs};
use super::overview::Overview;
use super::view::View;
use super::{switch, way_back};
use crate::app::App;
use crate::error::{AppError, Result};
use crate::imports::Target;
use crate::members::By;
use crate::web::page::is_fragment;
use crate::web::{Flash, Shell, see_other};

/// What was done to schedules of an Application.
pub struct Deed<'a> {
    pub application_id: i64,
    /// What the cards are of that show it. The first has what somebody looks for now.
    pub cards: &'a [Target],
    /// The schedule to look at; where it is gone, the next one.
    pub schedule: Option<i64>,
    /// It came into its card by this, so that the page may show neither.
    pub arrives: bool,
    /// The page that its form names.
    pub from: &'a str,
}

/// Where on the list it is.
pub struct Landing {
    /// The page with these cards open.
    pub address: String,
    /// "#sched-7"
    pub place: String,
    /// Whether the open page can show it.
    pub is_here: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"{% for card in cards %}{{ card }}{% endfor %}{% if let Some(overview) = overview %}{{ overview }}{% endif %}{% if let Some(tabs) = tabs %}{{ tabs }}{% endif %}{% if let Some(flash) = flash %}<div id="toasts" class="toasts" role="status" aria-live="polite" hx-swap-oob="innerHTML">{% include "web/toast.html" %}</div>{% endif %}"##
)]
struct Fragments<'a> {
    shell: Shell,
    cards: Vec<Card>,
    overview: Option<Overview>,
    tabs: Option<Tabs>,
    flash: Option<&'a Flash>,
}

/// The page of Import Scheduling from which a request was sent: htmx says what is open, a form what it was opened from,
/// and a link is followed from somewhere.
pub fn came_from(request: &HttpRequest, application_id: i64, named: &str) -> Option<String> {
    let header = |name: &str| {
        let url = url::Url::parse(request.headers().get(name)?.to_str().ok()?).ok()?;
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        way_back(application_id, path).map(str::to_owned)
    };
    let named = || way_back(application_id, named).map(str::to_owned);
    header("HX-Current-URL").or_else(named).or_else(|| header("Referer"))
}

/// Whether this is an address of the list, however it is asked for.
pub fn is_list(application_id: i64, address: &str) -> bool {
    address.split(['?', '#']).next() == Some(switch::list(application_id).as_str())
}

pub async fn answer(
    (request, app, by): (&HttpRequest, &App, &By),
    deed: Deed<'_>,
    flash: Flash,
) -> Result<HttpResponse> {
    let from = came_from(request, deed.application_id, deed.from);
    if let Some(elsewhere) = from.as_deref().filter(|from| !is_list(deed.application_id, from)) {
        return on_to(request, elsewhere, "", flash);
    }
    let view = from.as_deref().map(View::at).unwrap_or_default();
    let (parts, landing) = Parts::of_deed((request, app, by), &deed, &view).await?;
    let open = came_from(request, deed.application_id, "").is_some_and(|open| is_list(deed.application_id, &open));
    if !is_fragment(request) || !open || !landing.is_here {
        return on_to(request, &landing.address, &landing.place, flash);
    }
    let mut response = beside(request, app, parts, Some(&flash))?;
    let done = json!({ "done": { "place": landing.place } }).to_string();
    let value = HeaderValue::from_str(&done).map_err(AppError::internal)?;
    response.headers_mut().insert(HeaderName::from_static("hx-trigger"), value);
    Ok(response)
}

/// Parts of the list, as htmx puts each in its place, and the message.
pub fn beside(request: &HttpRequest, app: &App, parts: Parts, flash: Option<&Flash>) -> Result<HttpResponse> {
    let Parts { cards, overview, tabs } = parts;
    let html = crate::web::render(&Fragments { shell: Shell::new(request, app, ""), cards, overview, tabs, flash })?;
    Ok(HttpResponse::Ok().content_type(ContentType::html()).body(html))
}

/// On to a page, or to a place in it, with a message; for htmx the page is loaded anew.
pub fn on_to(request: &HttpRequest, page: &str, place: &str, flash: Flash) -> Result<HttpResponse> {
    let mut response = see_other(&format!("{page}{place}"), Some(flash));
    if is_fragment(request) {
        *response.status_mut() = StatusCode::OK;
        let open = request.headers().get("HX-Current-URL").and_then(|url| url.to_str().ok()).unwrap_or_default();
        // The page that is open would only scroll to the place, and stay as it was.
        let place = if open.split('#').next().is_some_and(|open| open.ends_with(page)) { "" } else { place };
        let value = HeaderValue::from_str(&format!("{page}{place}")).map_err(AppError::internal)?;
        response.headers_mut().remove(LOCATION);
        response.headers_mut().insert(HeaderName::from_static("hx-redirect"), value);
    }
    Ok(response)
}
