//! What ends with a member's account: shown before, and ended by an Administrator.

use serde_json::json;

use super::model::By;
use super::store::{self, invitations as kept, sessions, tokens as living};
use super::tokens;
use crate::audit::{self, Entry};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};

/// By how many doors a member comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doors {
    pub sessions: i64,
    pub tokens: i64,
    /// Invitations they sent that still work.
    pub invitations: i64,
}

/// Those that are open now.
pub fn doors(conn: &mut Conn, member_id: i64, now: Moment) -> Result<Doors> {
    let tokens = living::of_member(conn, member_id)?.iter().filter(|token| !token.has_ended(now)).count() as i64;
    let (sessions, invitations) = (sessions::count(conn, member_id, now)?, kept::count_by(conn, member_id, now)?);
    Ok(Doors { sessions, tokens, invitations })
}

/// Signs a member out everywhere; how many sessions that ended.
pub fn end_sessions(conn: &mut Conn, by: &By, member_id: i64, now: Moment) -> Result<usize> {
    by.need_administrator(conn)?;
    store::by_id(conn, member_id)?.ok_or(AppError::NotFound)?;
    // Asked before: they may be one's own.
    let actor = by.actor(conn)?;
    let ended = sessions::end_sessions(conn, member_id, None)?;
    if ended > 0 {
        let entry = Entry::of("member.sessions_ended", "member", member_id).after(json!({ "sessions": ended }));
        audit::record(conn, &actor, entry, now)?;
    }
    Ok(ended)
}

/// Ends all tokens of a member; the account stays.
pub fn revoke_tokens(conn: &mut Conn, by: &By, member_id: i64, now: Moment) -> Result<()> {
    by.need_administrator(conn)?;
    let actor = by.actor(conn)?;
    tokens::revoke_all(conn, &actor, member_id, now)
}
