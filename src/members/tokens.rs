//! API tokens: made by a member for their scripts, shown once, acting as the member and dying with them.

use diesel::prelude::*;
use serde_json::json;

use super::actions::command;
use super::model::{By, Member, check_name};
use super::permissions::Scope;
use crate::audit::{self, Actor, Entry};
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::schema::api_tokens as tokens;
use crate::error::{AppError, FieldErrors, Result};
use crate::secrets;

/// Begins every token, so that one that leaked is recognised for what it is.
const PREFIX: &str = "tg_";

/// A token as its member sees it: never its text.
pub struct Token {
    pub id: i64,
    pub name: String,
    /// `None`: all that the member may do.
    pub scopes: Option<Vec<Scope>>,
    pub created_at: Moment,
    pub last_used_at: Option<Moment>,
}

impl Token {
    /// "read, run"; "all that you may do".
    pub fn scope_words(&self) -> String {
        match &self.scopes {
            Some(scopes) => scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", "),
            None => "all that you may do".into(),
        }
    }
}

/// Makes a token for the member who acts and answers its text, which is nowhere kept. No scopes: all that they may do.
pub fn create(conn: &mut Conn, by: &By, name: &str, scopes: &[Scope], now: Moment) -> Result<String> {
    insert(conn, &by.actor(), by.member.id, name, scopes, now)
}

/// The same from the command line, for any active member.
pub fn create_by_command(
    conn: &mut Conn,
    member: &Member,
    name: &str,
    scopes: &[Scope],
    now: Moment,
) -> Result<String> {
    if !member.active {
        return Err(AppError::Conflict(format!("{} is deactivated; activate the account first", member.email)));
    }
    insert(conn, &command(), member.id, name, scopes, now)
}

fn insert(conn: &mut Conn, actor: &Actor, member_id: i64, name: &str, scopes: &[Scope], now: Moment) -> Result<String> {
    let mut errors = FieldErrors::new();
    let name = check_name("token_name", name, &mut errors);
    errors.ok_or(())?;
    let text = format!("{PREFIX}{}", secrets::random_token());
    let kept = if scopes.is_empty() { None } else { Some(serde_json::to_string(scopes).map_err(AppError::internal)?) };
    let id: i64 = diesel::insert_into(tokens::table)
        .values((
            tokens::token_hash.eq(secrets::hash("token", &text)),
            tokens::member_id.eq(member_id),
            tokens::name.eq(&name),
            tokens::scopes.eq(kept),
            tokens::created_at.eq(now.micros()),
        ))
        .returning(tokens::id)
        .get_result(conn)?;
    let after = json!({ "name": name, "scopes": scopes, "member_id": member_id });
    audit::record(conn, actor, Entry::of("token.created", "token", id).after(after), now)?;
    Ok(text)
}

/// The tokens of the member who acts that still work, the newest first.
pub fn list(conn: &mut Conn, by: &By) -> Result<Vec<Token>> {
    let rows = tokens::table
        .filter(tokens::member_id.eq(by.member.id).and(tokens::revoked_at.is_null()))
        .order(tokens::id.desc())
        .select((tokens::id, tokens::name, tokens::scopes, tokens::created_at, tokens::last_used_at))
        .load::<(i64, String, Option<String>, Moment, Option<Moment>)>(conn)?;
    rows.into_iter()
        .map(|(id, name, scopes, created_at, last_used_at)| {
            let scopes = scopes.map(|s| serde_json::from_str(&s)).transpose().map_err(AppError::internal)?;
            Ok(Token { id, name, scopes, created_at, last_used_at })
        })
        .collect()
}

/// Ends a token of the member who acts.
pub fn revoke(conn: &mut Conn, by: &By, id: i64, now: Moment) -> Result<()> {
    let living = tokens::table
        .filter(tokens::id.eq(id).and(tokens::member_id.eq(by.member.id)).and(tokens::revoked_at.is_null()));
    let revoked = diesel::update(living).set(tokens::revoked_at.eq(now.micros())).execute(conn)?;
    if revoked == 0 {
        return Err(AppError::NotFound);
    }
    by.audit(conn, Entry::of("token.revoked", "token", id), now)
}
