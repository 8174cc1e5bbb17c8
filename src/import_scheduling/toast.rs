//! How what was done is told: beside a fragment, where htmx puts it into the page's toasts, or on the page that follows.

use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::error::{AppError, Result};
use crate::web::page::is_fragment;
use crate::web::{Flash, Shell, see_other};

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<div id="toasts" class="toasts" role="status" aria-live="polite" hx-swap-oob="innerHTML">{% include "web/toast.html" %}</div>"##
)]
struct Toast<'a> {
    shell: Shell,
    flash: &'a Flash,
}

/// The fragment, and the message with it.
pub fn beside(request: &HttpRequest, app: &App, fragment: HttpResponse, flash: &Flash) -> Result<HttpResponse> {
    let toast = crate::web::render(&Toast { shell: Shell::new(request, app, ""), flash })?;
    let (head, body) = fragment.into_parts();
    let mut html = body.try_into_bytes().map_err(|_| AppError::internal("a fragment that is not whole"))?.to_vec();
    html.extend_from_slice(toast.as_bytes());
    Ok(head.set_body(html).map_into_boxed_body())
}

/// On to the list, or to a place in it, with a message; for htmx the list is loaded anew.
pub fn on_to(request: &HttpRequest, list: &str, place: &str, flash: Flash) -> Result<HttpResponse> {
    let mut response = see_other(&format!("{list}{place}"), Some(flash));
    if is_fragment(request) {
        *response.status_mut() = StatusCode::OK;
        // Without the place in the page: the list that is open would only scroll there, and stay as it was.
        let value = HeaderValue::from_str(list).map_err(AppError::internal)?;
        response.headers_mut().remove(LOCATION);
        response.headers_mut().insert(HeaderName::from_static("hx-redirect"), value);
    }
    Ok(response)
}
