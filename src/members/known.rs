//! Browsers in which a member has signed in before. They are told by a cookie that only this installation can make, so
//! that somebody who guesses a member's password elsewhere cannot keep the member out: what is typed in such a browser
//! is counted by itself. It opens nothing, and signing out leaves it.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

use crate::app::App;
use crate::error::Result;
use crate::secrets;

const PLACE: &str = "known browser";
const DAYS: i64 = 365;

/// A browser that is known.
#[derive(Clone, Debug)]
pub struct Known {
    pub member_id: i64,
    pub browser: String,
}

fn name(app: &App) -> &'static str {
    if app.secure() { "__Host-known" } else { "known" }
}

/// The browser of a request; none where its cookie is not ours.
pub fn browser(request: &HttpRequest, app: &App) -> Option<Known> {
    let text = app.secrets.open(PLACE, request.cookie(name(app))?.value()).ok()?;
    let (member_id, browser) = text.split_once(' ')?;
    Some(Known { member_id: member_id.parse().ok()?, browser: browser.to_owned() })
}

/// The cookie by which a browser is known to be this member's. One that is known already stays the same.
pub fn cookie(app: &App, member_id: i64, before: Option<&Known>) -> Result<Cookie<'static>> {
    let before = before.filter(|known| known.member_id == member_id).map(|known| known.browser.clone());
    let browser = before.unwrap_or_else(secrets::random_token);
    let value = app.secrets.seal(PLACE, &format!("{member_id} {browser}"))?;
    Ok(Cookie::build(name(app), value)
        .path("/")
        .http_only(true)
        .secure(app.secure())
        .same_site(SameSite::Lax)
        .max_age(Duration::days(DAYS))
        .finish())
}
