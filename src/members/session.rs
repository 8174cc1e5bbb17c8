//! Sessions: a random cookie whose hash stands in the database, so that any process can end it. They last 14 days,
//! and for Administrators at most 24 hours without a request.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use chrono::Duration;
use diesel::prelude::*;
use futures_util::Future;

use super::model::{By, Channel};
use super::store;
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::schema::{api_tokens, sessions};
use crate::error::{AppError, Result};
use crate::secrets;
use crate::web::csrf;

pub const SESSION_DAYS: i64 = 14;
const ADMINISTRATOR_IDLE_HOURS: i64 = 24;
/// `seen_at` is written at most so often, not with every request.
const SEEN_EVERY_SECONDS: i64 = 60;

/// Begins a session and answers the cookie's value.
pub fn start_session(conn: &mut Conn, member_id: i64, now: Moment) -> Result<String> {
    let token = secrets::random_token();
    diesel::insert_into(sessions::table)
        .values((
            sessions::token_hash.eq(secrets::hash("session", &token)),
            sessions::member_id.eq(member_id),
            sessions::created_at.eq(now.micros()),
            sessions::seen_at.eq(now.micros()),
            sessions::expires_at.eq(now.plus(Duration::days(SESSION_DAYS)).micros()),
        ))
        .execute(conn)?;
    Ok(token)
}

/// Ends the session of a cookie's value, if there is one.
pub fn end_session(conn: &mut Conn, token: &str) -> Result<()> {
    diesel::delete(sessions::table.filter(sessions::token_hash.eq(secrets::hash("session", token)))).execute(conn)?;
    Ok(())
}

/// Ends a member's sessions, except that of a cookie's value.
pub fn end_sessions(conn: &mut Conn, member_id: i64, keep: Option<&str>) -> Result<usize> {
    let keep = keep.map(|token| secrets::hash("session", token)).unwrap_or_default();
    let theirs = sessions::table.filter(sessions::member_id.eq(member_id).and(sessions::token_hash.ne(keep)));
    Ok(diesel::delete(theirs).execute(conn)?)
}

/// A place where a member is signed in.
pub struct SessionRow {
    pub created_at: Moment,
    pub seen_at: Moment,
    /// The one that asks.
    pub current: bool,
}

/// A member's living sessions, the latest used first. `token` is the cookie's value of the one that asks.
pub fn sessions_of(conn: &mut Conn, member_id: i64, token: &str, now: Moment) -> Result<Vec<SessionRow>> {
    let own = secrets::hash("session", token);
    let rows = sessions::table
        .filter(sessions::member_id.eq(member_id).and(sessions::expires_at.gt(now.micros())))
        .order((sessions::seen_at.desc(), sessions::id.desc()))
        .select((sessions::created_at, sessions::seen_at, sessions::token_hash))
        .load::<(Moment, Moment, String)>(conn)?;
    Ok(rows
        .into_iter()
        .map(|(created_at, seen_at, hash)| SessionRow { created_at, seen_at, current: hash == own })
        .collect())
}

/// Removes sessions that ended by themselves.
pub fn forget_ended(conn: &mut Conn, now: Moment) -> Result<usize> {
    Ok(diesel::delete(sessions::table.filter(sessions::expires_at.le(now.micros()))).execute(conn)?)
}

/// Tokens that were revoked or ran out are listed for so long.
const ENDED_TOKENS: Duration = Duration::days(90);

/// Removes tokens that ended long ago, of which nothing is kept any more.
pub fn forget_tokens(conn: &mut Conn, now: Moment) -> Result<usize> {
    let old = now.minus(ENDED_TOKENS).micros();
    let ended = api_tokens::revoked_at.lt(old).or(api_tokens::expires_at.lt(old));
    Ok(diesel::delete(api_tokens::table.filter(ended)).execute(conn)?)
}

fn resume(conn: &mut Conn, token: &str, now: Moment) -> Result<By> {
    let (id, member_id, seen_at) = sessions::table
        .filter(sessions::token_hash.eq(secrets::hash("session", token)))
        .filter(sessions::expires_at.gt(now.micros()))
        .select((sessions::id, sessions::member_id, sessions::seen_at))
        .first::<(i64, i64, Moment)>(conn)
        .optional()?
        .ok_or(AppError::SignedOut)?;
    let member = store::by_id(conn, member_id)?.filter(|m| m.active).ok_or(AppError::SignedOut)?;
    let idle = now.since(seen_at);
    if member.is_administrator() && idle > Duration::hours(ADMINISTRATOR_IDLE_HOURS) {
        return Err(AppError::SignedOut);
    }
    if idle > Duration::seconds(SEEN_EVERY_SECONDS) {
        diesel::update(sessions::table.find(id)).set(sessions::seen_at.eq(now.micros())).execute(conn)?;
    }
    Ok(By::page(member))
}

fn authenticate(conn: &mut Conn, token: &str, now: Moment) -> Result<(i64, By)> {
    let (id, member_id, scopes, last_used_at) = api_tokens::table
        .filter(api_tokens::token_hash.eq(secrets::hash("token", token)))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::expires_at.is_null().or(api_tokens::expires_at.gt(now.micros())))
        .select((api_tokens::id, api_tokens::member_id, api_tokens::scopes, api_tokens::last_used_at))
        .first::<(i64, i64, Option<String>, Option<Moment>)>(conn)
        .optional()?
        .ok_or(AppError::SignedOut)?;
    let member = store::by_id(conn, member_id)?.filter(|m| m.active).ok_or(AppError::SignedOut)?;
    if last_used_at.is_none_or(|at| now.since(at) > Duration::seconds(SEEN_EVERY_SECONDS)) {
        diesel::update(api_tokens::table.find(id)).set(api_tokens::last_used_at.eq(now.micros())).execute(conn)?;
    }
    let scopes = scopes.map(|scopes| serde_json::from_str(&scopes)).transpose().map_err(AppError::internal)?;
    Ok((id, By { member, channel: Channel::Token, scopes }))
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
            let now = app.now();
            app.read(move |conn| resume(conn, &token, now)).await.map(SignedIn)
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
        Box::pin(async move {
            let app = app.ok_or_else(|| AppError::internal("no App"))?;
            let token = token.ok_or(AppError::SignedOut)?;
            let now = app.now();
            let proof = secrets::hash("proof", &token);
            let (token_id, by) = app.read(move |conn| authenticate(conn, &token, now)).await?;
            Ok(Bearer { by, token_id, proof })
        })
    }
}
