//! API tokens: made by a member for their scripts, shown once, acting as the member. They end with the member's
//! account, and with their password (whoever could sign in may have made one), or by themselves on a day that was set.

use serde_json::json;

use super::actions::command;
use super::model::{By, Member};
use super::store::tokens;
pub use super::store::tokens::{New, Token};
use crate::audit::{self, Actor, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::names::check_name;
use crate::secrets;

/// Begins every token, so that one that leaked is recognised for what it is.
const PREFIX: &str = "tg_";

/// Makes a token for the member who acts and answers its text, which is nowhere kept.
pub fn create(conn: &mut Conn, by: &By, new: &New, now: Moment) -> Result<String> {
    // Whoever closes the account at this moment, or changes its password, ends this token too.
    db::lock_row(conn, "members", by.member.id)?;
    let actor = by.actor(conn)?;
    insert(conn, &actor, by.member.id, new, now)
}

/// The same from the command line, for any active member.
pub fn create_by_command(conn: &mut Conn, member: &Member, new: &New, now: Moment) -> Result<String> {
    if !member.active {
        return Err(AppError::Conflict(format!("{} is deactivated; activate the account first", member.email)));
    }
    insert(conn, &command(), member.id, new, now)
}

fn insert(conn: &mut Conn, actor: &Actor, member_id: i64, new: &New, now: Moment) -> Result<String> {
    let mut errors = FieldErrors::new();
    let name = check_name("token_name", new.name, None, &mut errors);
    if new.expires_at.is_some_and(|at| at <= now) {
        errors.add("token_expires", "Choose a day that is still to come.");
    }
    errors.ok_or(())?;
    let text = format!("{PREFIX}{}", secrets::random_token());
    let id = tokens::insert(conn, &text, member_id, &New { name: &name, ..*new }, now)?;
    let after = json!({ "name": name, "scopes": new.scopes, "member_id": member_id, "expires_at": new.expires_at });
    audit::record(conn, actor, Entry::of("token.created", "token", id).after(after), now)?;
    Ok(text)
}

/// The tokens of the member who acts that nobody revoked, the newest first.
pub fn list(conn: &mut Conn, by: &By) -> Result<Vec<Token>> {
    tokens::of_member(conn, by.member.id)
}

/// Ends a token of the member who acts.
pub fn revoke(conn: &mut Conn, by: &By, id: i64, now: Moment) -> Result<()> {
    // Asked before: it may be the one that asks.
    let actor = by.actor(conn)?;
    if !tokens::revoke(conn, by.member.id, id, now)? {
        return Err(AppError::NotFound);
    }
    audit::record(conn, &actor, Entry::of("token.revoked", "token", id), now)
}

/// Ends all tokens of a member; no later activation revives them.
pub(super) fn revoke_all(conn: &mut Conn, actor: &Actor, member_id: i64, now: Moment) -> Result<()> {
    for id in tokens::revoke_all(conn, member_id, now)? {
        audit::record(conn, actor, Entry::of("token.revoked", "token", id), now)?;
    }
    Ok(())
}
