//! What people do with what they were told: each with their own alone. What an Application told them is there as long as
//! they see it, and there again when they see it again.

use super::choices_store::{self as choices, Choice};
use super::model::Notice;
use super::store::{self, Filter, Found, Own};
use crate::applications;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::{By, Scope};

/// The newest notices of whoever asks, before one of them.
pub fn list(conn: &mut Conn, by: &By, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Vec<Notice>> {
    by.need_scope(Scope::Read)?;
    let own = own(conn, by)?;
    store::list(conn, &own, filter, before, limit)
}

/// A page of an inbox.
pub struct Inbox {
    pub found: Found,
    pub unread: i64,
    /// The last one's id: up to it all can be marked as read.
    pub last: Option<i64>,
}

/// A page of the inbox of whoever asks: `most` of their notices before one of them.
pub fn inbox(conn: &mut Conn, by: &By, filter: &Filter, before: Option<i64>, most: usize) -> Result<Inbox> {
    by.need_scope(Scope::Read)?;
    let own = own(conn, by)?;
    // Before the page is read: what comes in between is not on it, and must not be marked with it.
    let last = store::last_id(conn, &own)?;
    let found = store::find(conn, &own, filter, before, most)?;
    Ok(Inbox { found, unread: store::unread(conn, &own)?, last })
}

/// How many of them were not read.
pub fn unread(conn: &mut Conn, by: &By) -> Result<i64> {
    let own = own(conn, by)?;
    store::unread(conn, &own)
}

fn own(conn: &mut Conn, by: &By) -> Result<Own> {
    Ok(Own { member_id: by.member.id, seen: applications::sight(conn, by)? })
}

/// One of them; another member's is not there.
pub fn find(conn: &mut Conn, by: &By, id: i64) -> Result<Notice> {
    by.need_scope(Scope::Read)?;
    let notice = store::by_id(conn, id)?.filter(|notice| notice.member_id == by.member.id);
    let notice = notice.ok_or(AppError::NotFound)?;
    let seen = applications::sight(conn, by)?;
    match (notice.application_id, seen) {
        (Some(of), Some(seen)) if !seen.contains(&of) => Err(AppError::NotFound),
        _ => Ok(notice),
    }
}

/// Marks one as read or unread. One that was read keeps the moment of that.
pub fn set_read(conn: &mut Conn, by: &By, id: i64, read: bool, now: Moment) -> Result<Notice> {
    let notice = find(conn, by, id)?;
    if notice.read_at.is_some() == read {
        return Ok(notice);
    }
    let read_at = Some(now).filter(|_| read);
    store::set_read(conn, id, read_at)?;
    Ok(Notice { read_at, ..notice })
}

/// Marks all as read that stood on the page: those up to an id. How many they were.
pub fn set_all_read(conn: &mut Conn, by: &By, up_to: i64, now: Moment) -> Result<usize> {
    let own = own(conn, by)?;
    store::set_all_read(conn, &own, up_to, now)
}

/// By which ways whoever asks is told.
pub fn choice(conn: &mut Conn, by: &By) -> Result<Choice> {
    Ok(choices::of(conn, &[by.member.id])?.remove(&by.member.id).unwrap_or_default())
}

/// Keeps what whoever asks has chosen.
pub fn choose(conn: &mut Conn, by: &By, choice: Choice) -> Result<()> {
    choices::choose(conn, by.member.id, choice)
}
