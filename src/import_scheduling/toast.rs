//! A message beside a fragment: htmx puts it into the page's toasts.

use actix_web::body::MessageBody;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::error::{AppError, Result};
use crate::web::{Flash, Shell};

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
