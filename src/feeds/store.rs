//! The addresses of calendars in the database: of each the hash.

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{calendar_feeds as feeds, members};
use crate::error::Result;
use crate::secrets;

/// An address that works, as its member sees it: never its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    pub id: i64,
    pub member_id: i64,
    /// `None`: of all that the member sees.
    pub application_id: Option<i64>,
    pub made_at: Moment,
}

type Row = (i64, i64, Option<i64>, Moment);

fn feed((id, member_id, application_id, made_at): Row) -> Feed {
    Feed { id, member_id, application_id, made_at }
}

fn scope_key(application_id: Option<i64>) -> String {
    application_id.map_or_else(|| "all".to_owned(), |id| id.to_string())
}

/// Takes the place of the one that was there.
pub fn put(conn: &mut Conn, member_id: i64, application_id: Option<i64>, text: &str, now: Moment) -> Result<i64> {
    remove(conn, member_id, application_id)?;
    Ok(diesel::insert_into(feeds::table)
        .values((
            feeds::member_id.eq(member_id),
            feeds::application_id.eq(application_id),
            feeds::scope_key.eq(scope_key(application_id)),
            feeds::token_hash.eq(secrets::hash("calendar", text)),
            feeds::made_at.eq(now),
        ))
        .returning(feeds::id)
        .get_result(conn)?)
}

/// Which one it was; `None`: there was none.
pub fn remove(conn: &mut Conn, member_id: i64, application_id: Option<i64>) -> Result<Option<i64>> {
    let there = feeds::table.filter(feeds::member_id.eq(member_id).and(feeds::scope_key.eq(scope_key(application_id))));
    let id: Option<i64> = there.select(feeds::id).first(conn).optional()?;
    if let Some(id) = id {
        diesel::delete(feeds::table.find(id)).execute(conn)?;
    }
    Ok(id)
}

pub fn of_member(conn: &mut Conn, member_id: i64) -> Result<Vec<Feed>> {
    let rows = feeds::table
        .filter(feeds::member_id.eq(member_id))
        .order(feeds::id)
        .select((feeds::id, feeds::member_id, feeds::application_id, feeds::made_at))
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(feed).collect())
}

pub fn find(conn: &mut Conn, text: &str) -> Result<Option<Feed>> {
    let row = feeds::table
        .filter(feeds::token_hash.eq(secrets::hash("calendar", text)))
        .select((feeds::id, feeds::member_id, feeds::application_id, feeds::made_at))
        .first::<Row>(conn)
        .optional()?;
    Ok(row.map(feed))
}

/// How many a member has.
pub fn count(conn: &mut Conn, member_id: i64) -> Result<i64> {
    Ok(feeds::table.filter(feeds::member_id.eq(member_id)).count().get_result(conn)?)
}

/// Removes all of a member.
pub fn remove_all(conn: &mut Conn, member_id: i64) -> Result<usize> {
    Ok(diesel::delete(feeds::table.filter(feeds::member_id.eq(member_id))).execute(conn)?)
}

/// Whether any belong to members who are deactivated.
pub fn any_of_inactive(conn: &mut Conn) -> Result<bool> {
    let of_inactive = feeds::table.inner_join(members::table).filter(members::active.eq(false)).select(feeds::id);
    Ok(of_inactive.first::<i64>(conn).optional()?.is_some())
}

/// Removes those of members who are deactivated, so that no later activation revives them.
pub fn remove_of_inactive(conn: &mut Conn) -> Result<usize> {
    let inactive = members::table.filter(members::active.eq(false)).select(members::id);
    Ok(diesel::delete(feeds::table.filter(feeds::member_id.eq_any(inactive))).execute(conn)?)
}
