//! The Workspace's Slack, and whom Slack knows, in the database.

use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{slack, slack_members};
use crate::db::{Conn, on};
use crate::error::Result;

/// The one row.
const ONE: i64 = 1;

/// What is kept of the Workspace's Slack.
#[derive(Clone, Debug, Queryable)]
pub struct Kept {
    pub sealed_token: String,
    pub team: String,
    pub set_at: Moment,
    pub answered_at: Option<Moment>,
    pub broken_at: Option<Moment>,
    pub said: Option<String>,
}

/// What is set; none where nothing is.
pub fn get(conn: &mut Conn) -> Result<Option<Kept>> {
    let columns = (slack::sealed_token, slack::team, slack::set_at, slack::answered_at, slack::broken_at, slack::said);
    Ok(slack::table.find(ONE).select(columns).first(conn).optional()?)
}

/// Sets a token in the place of any other. Whom the other's Slack knew is forgotten.
pub fn set(conn: &mut Conn, sealed_token: &str, team: &str, now: Moment) -> Result<()> {
    remove(conn)?;
    let values = (
        slack::id.eq(ONE),
        slack::sealed_token.eq(sealed_token),
        slack::team.eq(team),
        slack::set_at.eq(now),
        slack::answered_at.eq(Some(now)),
    );
    diesel::insert_into(slack::table).values(values).execute(conn)?;
    Ok(())
}

/// The same token, sealed otherwise.
pub fn set_sealed(conn: &mut Conn, sealed_token: &str) -> Result<()> {
    diesel::update(slack::table.find(ONE)).set(slack::sealed_token.eq(sealed_token)).execute(conn)?;
    Ok(())
}

pub fn remove(conn: &mut Conn) -> Result<()> {
    diesel::delete(slack_members::table).execute(conn)?;
    diesel::delete(slack::table).execute(conn)?;
    Ok(())
}

/// Slack took something with the token that was set then.
pub fn answered(conn: &mut Conn, set_at: Moment, now: Moment) -> Result<()> {
    let same = slack::table.find(ONE).filter(slack::set_at.eq(set_at));
    diesel::update(same)
        .set((slack::answered_at.eq(now), slack::broken_at.eq(None::<Moment>), slack::said.eq(None::<String>)))
        .execute(conn)?;
    Ok(())
}

/// Slack takes nothing with the token that was set then; since when, stays.
pub fn broke(conn: &mut Conn, set_at: Moment, said: &str, now: Moment) -> Result<()> {
    let same = slack::table.find(ONE).filter(slack::set_at.eq(set_at).and(slack::broken_at.is_null()));
    diesel::update(same).set((slack::broken_at.eq(now), slack::said.eq(said))).execute(conn)?;
    Ok(())
}

/// The address that was asked for, whom Slack knew by it, and when that was.
pub fn member(conn: &mut Conn, member_id: i64) -> Result<Option<(String, Option<String>, Moment)>> {
    let columns = (slack_members::email, slack_members::slack_id, slack_members::asked_at);
    Ok(slack_members::table.find(member_id).select(columns).first(conn).optional()?)
}

/// Remembers what Slack answered about an address.
pub fn remember(conn: &mut Conn, member_id: i64, email: &str, slack_id: Option<&str>, now: Moment) -> Result<()> {
    let values = (
        slack_members::member_id.eq(member_id),
        slack_members::email.eq(email),
        slack_members::slack_id.eq(slack_id),
        slack_members::asked_at.eq(now),
    );
    forget(conn, member_id)?;
    on!(conn, c => diesel::insert_into(slack_members::table).values(values).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

pub fn forget(conn: &mut Conn, member_id: i64) -> Result<()> {
    diesel::delete(slack_members::table.find(member_id)).execute(conn)?;
    Ok(())
}
