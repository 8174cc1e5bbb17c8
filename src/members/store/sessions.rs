//! Sessions in the database: of each the hash of its cookie.

use chrono::Duration;

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::sessions;
use crate::error::Result;
use crate::secrets;

/// How long a session lasts.
pub const SESSION_DAYS: i64 = 14;

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
}

/// The living session of a cookie's value.
pub fn find(conn: &mut Conn, token: &str, now: Moment) -> Result<Option<Session>> {
    let row = sessions::table
        .filter(sessions::token_hash.eq(secrets::hash("session", token)))
        .filter(sessions::expires_at.gt(now.micros()))
        .select((sessions::id, sessions::member_id, sessions::seen_at))
        .first::<(i64, i64, Moment)>(conn)
        .optional()?;
    Ok(row.map(|(id, member_id, seen_at)| Session { id, member_id, seen_at }))
}

pub fn seen(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(sessions::table.find(id)).set(sessions::seen_at.eq(now.micros())).execute(conn)?;
    Ok(())
}
