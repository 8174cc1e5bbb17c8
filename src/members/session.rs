//! Sessions: a random cookie whose hash stands in the database, so that any process can end it. They last 14 days,
//! and for Administrators at most 24 hours without a request.
//!
//! A request only reads: when it was made is noted, and written a little later ([`write_seen`]). So a page that looks is
//! there while another process writes for long, or when the disk is full.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono::Duration;
use futures_util::Future;

use super::model::{By, Channel, Member};
use super::second_factor;
use super::shell::shell;
use super::store::sessions::SessionRow;
use super::store::{self, sessions, tokens};
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::going::{Acting, Seen, Sign};
use crate::secrets;
use crate::web::guard::Detour;
use crate::web::{client_address, csrf};
use crate::workspace::Whom;

const ADMINISTRATOR_IDLE_HOURS: i64 = 24;
/// What is open to whoever has yet to set up the second factor that is demanded.
const LEADS_THERE: [&str; 4] = ["/account/second-factor", "/session", "/signed-in", "/notifications/bell"];
/// It is noted at most so often, not with every request.
const SEEN_EVERY_SECONDS: i64 = 60;

/// Who it is, and of whom a second factor is demanded.
fn resume(conn: &mut Conn, seen: &Seen, token: &str, now: Moment) -> Result<(By, Whom)> {
    let session = sessions::find(conn, token, now)?.ok_or(AppError::SignedOut)?;
    let member = store::by_id(conn, session.member_id)?.filter(|m| m.active).ok_or(AppError::SignedOut)?;
    let sign = Sign::Session(session.id);
    let idle = now.since(session.seen_at.max(seen.last(sign).unwrap_or(session.seen_at)));
    if member.is_administrator() && idle > Duration::hours(ADMINISTRATOR_IDLE_HOURS) {
        return Err(AppError::SignedOut);
    }
    if idle > Duration::seconds(SEEN_EVERY_SECONDS) {
        seen.note(sign, now);
    }
    Ok((By { sign: Some(sign), ..By::page(member) }, session.second_factor_of))
}

fn authenticate(conn: &mut Conn, seen: &Seen, token: &str, now: Moment) -> Result<(i64, By)> {
    let token = tokens::find(conn, token)?.ok_or(AppError::SignedOut)?;
    let member = store::by_id(conn, token.member_id)?.filter(|m| m.active).ok_or(AppError::SignedOut)?;
    if token.expires_at.is_some_and(|at| at <= now) {
        return Err(AppError::TokenEnded);
    }
    let sign = Sign::Token(token.id);
    let last = token.last_used_at.max(seen.last(sign));
    if last.is_none_or(|at| now.since(at) > Duration::seconds(SEEN_EVERY_SECONDS)) {
        seen.note(sign, now);
    }
    let by = By {
        channel: Channel::Token,
        scopes: token.scopes,
        token: Some(token.name),
        sign: Some(sign),
        ..By::page(member)
    };
    Ok((token.id, by))
}

/// Writes down who was seen since the last time.
pub fn write_seen(app: &App) -> Result<()> {
    let noted = app.seen.all();
    if noted.is_empty() {
        return Ok(());
    }
    app.db.write(|conn| {
        noted.iter().try_for_each(|(sign, at)| match *sign {
            Sign::Session(id) => sessions::seen(conn, id, *at),
            Sign::Token(id) => tokens::used(conn, id, *at),
        })
    })?;
    app.seen.forget(&noted);
    Ok(())
}

/// A member's sessions that still open something, the one with this cookie's value first.
pub(super) fn open_of(conn: &mut Conn, member: &Member, token: &str, now: Moment) -> Result<Vec<SessionRow>> {
    let mut rows = sessions::sessions_of(conn, member.id, token, now)?;
    let idle = Duration::hours(ADMINISTRATOR_IDLE_HOURS);
    rows.retain(|row| row.current || !member.is_administrator() || now.since(row.seen_at) <= idle);
    Ok(rows)
}

/// Extractor: the member whose session the request's cookie names.
pub struct SignedIn(pub By);

/// Extractor: the member whose API token the request carries. Cookies do not count.
pub struct Bearer {
    pub by: By,
    pub token_id: i64,
    /// Made from the token itself, and kept nowhere: for fingerprints that nobody without the token can make.
    pub proof: String,
}

/// For whoever looks at the request later, and refuses it.
fn acting(by: &By) -> Acting {
    Acting { member: (by.member.id, by.member.name.clone()), channel: by.channel.as_str() }
}

impl FromRequest for SignedIn {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<Data<App>>().cloned();
        let request = request.clone();
        Box::pin(async move {
            let app = app.ok_or_else(|| AppError::internal("no App"))?;
            let secure = app.base_url.scheme() == "https";
            let token = csrf::session_value(&request, secure).ok_or(AppError::SignedOut)?;
            let (now, noting) = (app.now(), app.clone());
            let resumed = app.read(move |conn| {
                let (by, demanded_of) = resume(conn, &noting.seen, &token, now)?;
                let lacks = second_factor::is_missing(conn, demanded_of, &by.member)?;
                Ok((by, lacks))
            });
            let (by, lacks) = resumed.await?;
            let by = by.from(client_address(&request, &app.config));
            request.extensions_mut().insert(acting(&by));
            if lacks && !LEADS_THERE.iter().any(|path| request.path().starts_with(path)) {
                request.extensions_mut().insert(Detour("/account/second-factor"));
                return Err(AppError::Forbidden("Set up your second factor first.".into()));
            }
            // For the page that says what went wrong, should it.
            let around = shell(&request, &app, &by, "");
            request.extensions_mut().insert(around);
            Ok(SignedIn(by))
        })
    }
}

impl FromRequest for Bearer {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<Data<App>>().cloned();
        let token = request
            .headers()
            .get("Authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(str::to_owned);
        let request = request.clone();
        Box::pin(async move {
            let app = app.ok_or_else(|| AppError::internal("no App"))?;
            let token = token.ok_or(AppError::SignedOut)?;
            let (now, noting) = (app.now(), app.clone());
            let proof = secrets::hash("proof", &token);
            let (token_id, by) = app.read(move |conn| authenticate(conn, &noting.seen, &token, now)).await?;
            let by = by.from(client_address(&request, &app.config));
            request.extensions_mut().insert(acting(&by));
            Ok(Bearer { by, token_id, proof })
        })
    }
}
