//! What people do with what they were told: each with their own alone. What was told stays theirs, also when they may see
//! the Application no more.

use super::choices_store::{self as choices, Choice};
use super::model::Notice;
use super::store::{self, Filter};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::{By, Scope};

/// The newest notices of whoever asks, before one of them.
pub fn list(conn: &mut Conn, by: &By, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Vec<Notice>> {
    by.need_scope(Scope::Read)?;
    store::list(conn, by.member.id, filter, before, limit)
}

/// The id that whoever asks was given last: up to it all can be marked as read.
pub fn last_id(conn: &mut Conn, by: &By) -> Result<Option<i64>> {
    store::last_id(conn, by.member.id)
}

/// How many of them were not read.
pub fn unread(conn: &mut Conn, by: &By) -> Result<i64> {
    store::unread(conn, by.member.id)
}

/// One of them; another member's is not there.
pub fn find(conn: &mut Conn, by: &By, id: i64) -> Result<Notice> {
    by.need_scope(Scope::Read)?;
    store::by_id(conn, id)?.filter(|notice| notice.member_id == by.member.id).ok_or(AppError::NotFound)
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
    store::set_all_read(conn, by.member.id, up_to, now)
}

/// By which ways whoever asks is told.
pub fn choice(conn: &mut Conn, by: &By) -> Result<Choice> {
    Ok(choices::of(conn, &[by.member.id])?.remove(&by.member.id).unwrap_or_default())
}

/// Keeps what whoever asks has chosen.
pub fn choose(conn: &mut Conn, by: &By, choice: Choice) -> Result<()> {
    choices::choose(conn, by.member.id, choice)
}
