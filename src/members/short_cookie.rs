//! What a browser keeps at the door for some minutes: sealed by whoever sets it, sent along where a page of others leads back
//! here, and bound to this host where TLS protects it.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

use crate::app::App;

pub(super) const MINUTES: i64 = 10;

/// Its name on a loopback address, and behind TLS.
pub struct ShortCookie(pub &'static str, pub &'static str);

impl ShortCookie {
    fn name(&self, app: &App) -> &'static str {
        if app.secure() { self.1 } else { self.0 }
    }

    /// What the cookie of a request holds.
    pub fn value(&self, request: &HttpRequest, app: &App) -> Option<String> {
        Some(request.cookie(self.name(app))?.value().to_owned())
    }

    /// The cookie with this value; `None` takes it away.
    pub fn with(&self, app: &App, value: Option<String>) -> Cookie<'static> {
        let gone = value.is_none();
        let mut cookie = Cookie::build(self.name(app), value.unwrap_or_default())
            .path("/")
            .http_only(true)
            .secure(app.secure())
            .same_site(SameSite::Lax)
            .max_age(Duration::minutes(MINUTES))
            .finish();
        if gone {
            cookie.make_removal();
        }
        cookie
    }
}
