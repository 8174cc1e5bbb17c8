//! API tokens in the database: of each the hash of its text.

use chrono::Duration;

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::api_tokens as tokens;
use crate::error::{AppError, Result};
use crate::members::Scope;
use crate::secrets;

/// A token as its member sees it: never its text.
pub struct Token {
    pub id: i64,
    pub name: String,
    /// `None`: all that the member may do.
    pub scopes: Option<Vec<Scope>>,
    pub created_at: Moment,
    pub last_used_at: Option<Moment>,
    /// `None`: never.
    pub expires_at: Option<Moment>,
}

impl Token {
    /// Whether its day has come.
    pub fn has_ended(&self, now: Moment) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// "read, run"; "everything you may do".
    pub fn scope_words(&self) -> String {
        match &self.scopes {
            Some(scopes) => scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", "),
            None => "everything you may do".into(),
        }
    }
}

/// A token to be.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    pub name: &'a str,
    /// None: all that the member may do.
    pub scopes: &'a [Scope],
    /// `None`: never.
    pub expires_at: Option<Moment>,
}

/// A token that nobody revoked, as a request carries it.
pub struct Living {
    pub id: i64,
    pub member_id: i64,
    pub name: String,
    pub scopes: Option<Vec<Scope>>,
    pub last_used_at: Option<Moment>,
    pub expires_at: Option<Moment>,
}

fn scopes_of(text: Option<String>) -> Result<Option<Vec<Scope>>> {
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(AppError::internal)
}

pub fn insert(conn: &mut Conn, text: &str, member_id: i64, new: &New, now: Moment) -> Result<i64> {
    let scopes =
        if new.scopes.is_empty() { None } else { Some(serde_json::to_string(new.scopes).map_err(AppError::internal)?) };
    Ok(diesel::insert_into(tokens::table)
        .values((
            tokens::token_hash.eq(secrets::hash("token", text)),
            tokens::member_id.eq(member_id),
            tokens::name.eq(new.name),
            tokens::scopes.eq(scopes),
            tokens::created_at.eq(now.micros()),
            tokens::expires_at.eq(new.expires_at),
        ))
        .returning(tokens::id)
        .get_result(conn)?)
}

/// A member's tokens that nobody revoked, the newest first; among them those that ended by themselves, until they are
/// forgotten.
pub fn of_member(conn: &mut Conn, member_id: i64) -> Result<Vec<Token>> {
    let rows = tokens::table
        .filter(tokens::member_id.eq(member_id).and(tokens::revoked_at.is_null()))
        .order(tokens::id.desc())
        .select((
            tokens::id,
            tokens::name,
            tokens::scopes,
            tokens::created_at,
            tokens::last_used_at,
            tokens::expires_at,
        ))
        .load::<(i64, String, Option<String>, Moment, Option<Moment>, Option<Moment>)>(conn)?;
    rows.into_iter()
        .map(|(id, name, scopes, created_at, last_used_at, expires_at)| {
            Ok(Token { id, name, scopes: scopes_of(scopes)?, created_at, last_used_at, expires_at })
        })
        .collect()
}

/// Ends one; `false` when the member has no such token, or it was revoked before.
pub fn revoke(conn: &mut Conn, member_id: i64, id: i64, now: Moment) -> Result<bool> {
    let living =
        tokens::table.filter(tokens::id.eq(id).and(tokens::member_id.eq(member_id)).and(tokens::revoked_at.is_null()));
    Ok(diesel::update(living).set(tokens::revoked_at.eq(now.micros())).execute(conn)? > 0)
}

/// Ends all of a member's that were not revoked before, and answers which they were.
pub fn revoke_all(conn: &mut Conn, member_id: i64, now: Moment) -> Result<Vec<i64>> {
    let ids: Vec<i64> = tokens::table
        .filter(tokens::member_id.eq(member_id).and(tokens::revoked_at.is_null()))
        .order(tokens::id)
        .select(tokens::id)
        .load(conn)?;
    let living = tokens::table.filter(tokens::member_id.eq(member_id).and(tokens::revoked_at.is_null()));
    diesel::update(living).set(tokens::revoked_at.eq(now.micros())).execute(conn)?;
    Ok(ids)
}

/// The token with this text, unless it was revoked. Whether it ended by itself says [`Living::expires_at`].
pub fn find(conn: &mut Conn, text: &str) -> Result<Option<Living>> {
    let row = tokens::table
        .filter(tokens::token_hash.eq(secrets::hash("token", text)))
        .filter(tokens::revoked_at.is_null())
        .select((tokens::id, tokens::member_id, tokens::name, tokens::scopes, tokens::last_used_at, tokens::expires_at))
        .first::<(i64, i64, String, Option<String>, Option<Moment>, Option<Moment>)>(conn)
        .optional()?;
    row.map(|(id, member_id, name, scopes, last_used_at, expires_at)| {
        Ok(Living { id, member_id, name, scopes: scopes_of(scopes)?, last_used_at, expires_at })
    })
    .transpose()
}

pub fn used(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(tokens::table.find(id)).set(tokens::last_used_at.eq(now.micros())).execute(conn)?;
    Ok(())
}

/// Tokens that were revoked or ran out are kept for so long.
const ENDED: Duration = Duration::days(90);

/// Removes tokens that ended long ago, of which nothing is kept any more.
pub fn forget(conn: &mut Conn, now: Moment) -> Result<usize> {
    let old = now.minus(ENDED).micros();
    let ended = tokens::revoked_at.lt(old).or(tokens::expires_at.lt(old));
    Ok(diesel::delete(tokens::table.filter(ended)).execute(conn)?)
}
