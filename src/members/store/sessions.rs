//! Sessions in the database: of each the hash of its cookie.

use std::net::IpAddr;

use chrono::Duration;

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{sessions, workspace};
use crate::error::Result;
use crate::secrets;
use crate::workspace::Whom;

/// How long a session lasts.
pub const SESSION_DAYS: i64 = 14;

/// So many of a member's are listed.
pub const LISTED: i64 = 50;

/// From where a session begins.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub address: Option<IpAddr>,
    /// "Firefox on Linux".
    pub browser: Option<String>,
}

/// Begins a session and answers the cookie's value.
pub fn start_session(conn: &mut Conn, member_id: i64, from: &Origin, now: Moment) -> Result<String> {
    let token = secrets::random_token();
    diesel::insert_into(sessions::table)
        .values((
            sessions::token_hash.eq(secrets::hash("session", &token)),
            sessions::member_id.eq(member_id),
            sessions::created_at.eq(now.micros()),
            sessions::seen_at.eq(now.micros()),
            sessions::expires_at.eq(now.plus(Duration::days(SESSION_DAYS)).micros()),
            sessions::address.eq(from.address.map(|address| address.to_string())),
            sessions::browser.eq(&from.browser),
        ))
        .execute(conn)?;
    Ok(token)
}

/// Ends the session of a cookie's value, if there is one.
pub fn end_session(conn: &mut Conn, token: &str) -> Result<()> {
    diesel::delete(sessions::table.filter(sessions::token_hash.eq(secrets::hash("session", token)))).execute(conn)?;
    Ok(())
}

/// Ends one of a member's sessions; `false` when they have no such.
pub fn end_one(conn: &mut Conn, member_id: i64, id: i64) -> Result<bool> {
    let theirs = sessions::table.filter(sessions::id.eq(id).and(sessions::member_id.eq(member_id)));
    Ok(diesel::delete(theirs).execute(conn)? > 0)
}

/// Ends a member's sessions, except this one.
pub fn end_sessions(conn: &mut Conn, member_id: i64, keep: Option<i64>) -> Result<usize> {
    let keep = keep.unwrap_or_default();
    let theirs = sessions::table.filter(sessions::member_id.eq(member_id).and(sessions::id.ne(keep)));
    Ok(diesel::delete(theirs).execute(conn)?)
}

/// A place where a member is signed in.
pub struct SessionRow {
    pub id: i64,
    pub created_at: Moment,
    pub seen_at: Moment,
    pub address: Option<String>,
    pub browser: Option<String>,
    /// The one that asks.
    pub current: bool,
}

/// A member's living sessions, that which asks first, then the latest used; of very many the first [`LISTED`]. `token` is
/// the cookie's value of the one that asks.
pub fn sessions_of(conn: &mut Conn, member_id: i64, token: &str, now: Moment) -> Result<Vec<SessionRow>> {
    type Row = (i64, Moment, Moment, Option<String>, Option<String>, String);
    let own = secrets::hash("session", token);
    let rows = sessions::table
        .filter(sessions::member_id.eq(member_id).and(sessions::expires_at.gt(now.micros())))
        .order((sessions::token_hash.eq(&own).desc(), sessions::seen_at.desc(), sessions::id.desc()))
        .limit(LISTED)
        .select((
            sessions::id,
            sessions::created_at,
            sessions::seen_at,
            sessions::address,
            sessions::browser,
            sessions::token_hash,
        ))
        .load::<Row>(conn)?;
    let row = |(id, created_at, seen_at, address, browser, hash): Row| {
        let current = hash == own;
        SessionRow { id, created_at, seen_at, address, browser, current }
    };
    Ok(rows.into_iter().map(row).collect())
}

/// How many of a member's sessions live.
pub fn count(conn: &mut Conn, member_id: i64, now: Moment) -> Result<i64> {
    let living = sessions::table.filter(sessions::member_id.eq(member_id).and(sessions::expires_at.gt(now.micros())));
    Ok(living.count().get_result(conn)?)
}

/// Removes sessions that ended by themselves.
pub fn forget_ended(conn: &mut Conn, now: Moment) -> Result<usize> {
    Ok(diesel::delete(sessions::table.filter(sessions::expires_at.le(now.micros()))).execute(conn)?)
}

/// A living session.
pub struct Session {
    pub id: i64,
    pub member_id: i64,
    pub seen_at: Moment,
    /// Of whom the Workspace demands a second factor: asked here, because every request needs it.
    pub second_factor_of: Whom,
}

/// The living session of a cookie's value.
pub fn find(conn: &mut Conn, token: &str, now: Moment) -> Result<Option<Session>> {
    let row = sessions::table
        .filter(sessions::token_hash.eq(secrets::hash("session", token)))
        .filter(sessions::expires_at.gt(now.micros()))
        .select((
            sessions::id,
            sessions::member_id,
            sessions::seen_at,
            workspace::table.select(workspace::second_factor_of).single_value(),
        ))
        .first::<(i64, i64, Moment, Option<String>)>(conn)
        .optional()?;
    Ok(row.map(|(id, member_id, seen_at, whom)| Session {
        id,
        member_id,
        seen_at,
        second_factor_of: whom.as_deref().and_then(Whom::parse).unwrap_or(Whom::Nobody),
    }))
}

pub fn seen(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(sessions::table.find(id)).set(sessions::seen_at.eq(now.micros())).execute(conn)?;
    Ok(())
}
