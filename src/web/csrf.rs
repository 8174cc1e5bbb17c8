//! The guard against requests that another site makes a browser send: the browser's own word for where a request
//! comes from (`Sec-Fetch-Site`, else `Origin`), and a token that only our pages know.
//!
//! The token is a hash of the session cookie (before sign-in, of a cookie made for this), so nothing is kept for it.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN, REFERER};
use url::Url;

use crate::secrets;

/// The form field of the token.
pub const FIELD: &str = "csrf";
/// The header that htmx sends it in.
pub const HEADER: &str = "X-CSRF-Token";

/// The name of the session cookie: `__Host-sid` where TLS protects it, `sid` on a loopback address.
pub fn session_cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-sid" } else { "sid" }
}

/// A session cookie. The same cookie holds a fresh random value before sign-in, replaced at sign-in.
pub fn session_cookie(secure: bool, value: &str) -> Cookie<'static> {
    Cookie::build(session_cookie_name(secure), value.to_owned())
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .finish()
}

/// What the session cookie of a request holds.
pub fn session_value(request: &HttpRequest, secure: bool) -> Option<String> {
    let value = request.cookie(session_cookie_name(secure))?.value().to_owned();
    (!value.is_empty()).then_some(value)
}

/// What the session cookie of a request holds, or a fresh value for a page before sign-in, whose answer then carries
/// [`session_cookie`] with it.
pub fn session_value_or_fresh(request: &HttpRequest, secure: bool) -> (String, bool) {
    match session_value(request, secure) {
        Some(value) => (value, false),
        None => (secrets::random_token(), true),
    }
}

/// The token that belongs to a session cookie's value.
pub fn token_for(session_value: &str) -> String {
    secrets::hash("csrf", session_value)
}

/// Whether a token belongs to the request's session cookie.
pub fn matches(request: &HttpRequest, secure: bool, token: &str) -> bool {
    session_value(request, secure).is_some_and(|value| secrets::same(&token_for(&value), token))
}

/// Whether the browser says that our own pages sent this. An old browser that says nothing at all is refused. `scheme` is
/// that by which people reach this server.
pub fn same_site(request: &ServiceRequest, scheme: &str) -> bool {
    let headers = request.headers();
    if let Some(site) = headers.get("Sec-Fetch-Site") {
        return site == "same-origin" || site == "none";
    }
    let Some(ours) = text(headers, HOST).and_then(|host| Url::parse(&format!("{scheme}://{host}")).ok()) else {
        return false;
    };
    let from = text(headers, ORIGIN).or_else(|| text(headers, REFERER));
    from.and_then(|from| Url::parse(&from).ok()).is_some_and(|from| from.origin() == ours.origin())
}

fn text(headers: &HeaderMap, name: actix_web::http::header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
