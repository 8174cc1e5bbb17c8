//! Making, revoking and opening the address of a calendar.

use serde_json::json;

use super::store::{self, Feed};
use crate::app::App;
use crate::applications::{Entered, enter, entered_by};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::in_use::Shut;
use crate::members::{self, By};
use crate::secrets;

/// Makes an address and answers its secret part, which is nowhere kept. The one before it works no more.
pub fn make(conn: &mut Conn, by: &By, application_id: Option<i64>, now: Moment) -> Result<String> {
    if let Some(id) = application_id {
        enter(conn, by, id)?.need_open_scheduling(conn)?;
    }
    // Of two that are made at one moment the second takes the place of the first.
    db::lock_row(conn, "members", by.member.id)?;
    let text = secrets::random_token();
    let id = store::put(conn, by.member.id, application_id, &text, now)?;
    audited(conn, by, "calendar.address_made", (id, application_id), now)?;
    Ok(text)
}

/// Ends an address; `false`: there was none.
pub fn revoke(conn: &mut Conn, by: &By, application_id: Option<i64>, now: Moment) -> Result<bool> {
    let Some(id) = store::remove(conn, by.member.id, application_id)? else { return Ok(false) };
    audited(conn, by, "calendar.address_revoked", (id, application_id), now)?;
    Ok(true)
}

fn audited(
    conn: &mut Conn,
    by: &By,
    action: &'static str,
    (id, application_id): (i64, Option<i64>),
    now: Moment,
) -> Result<()> {
    let entry = Entry::of(action, "calendar", id).after(json!({ "application_id": application_id }));
    let entry = match application_id {
        Some(id) => entry.application(id),
        None => entry,
    };
    by.audit(conn, entry, now)
}

/// The addresses of the member who acts.
pub fn list(conn: &mut Conn, by: &By) -> Result<Vec<Feed>> {
    store::of_member(conn, by.member.id)
}

/// What an address leads to.
pub struct Opened {
    pub feed: Feed,
    pub by: By,
    /// Those that the member may look at now.
    pub entered: Vec<Entered>,
}

/// `NotFound` unless it works and there is something that its member may see there.
pub fn open(conn: &mut Conn, text: &str) -> Result<Opened> {
    let feed = store::find(conn, text)?.ok_or(AppError::NotFound)?;
    let member = members::by_id(conn, feed.member_id)?.filter(|member| member.active).ok_or(AppError::NotFound)?;
    let by = By::page(member);
    let mut entered = match feed.application_id {
        Some(id) => vec![enter(conn, &by, id)?],
        None => entered_by(conn, &by)?,
    };
    // As the calendar on the pages, which only they may open.
    entered.retain(Entered::may_open_scheduling);
    if feed.application_id.is_some() && entered.is_empty() {
        Err(AppError::NotFound)
    } else {
        Ok(Opened { feed, by, entered })
    }
}

/// Ends the addresses of a member, with all else that opens the account.
pub fn end_of_member(conn: &mut Conn, member_id: i64) -> Result<Vec<Shut>> {
    let all = store::of_member(conn, member_id)?;
    store::remove_all(conn, member_id)?;
    let shut = |feed: Feed| {
        let (id, application_id) = (feed.id, feed.application_id);
        Shut { action: "calendar.address_revoked", kind: "calendar", id, application_id }
    };
    Ok(all.into_iter().map(shut).collect())
}

/// Ends the addresses of members who are deactivated, for good: those that were made in that moment, or left by a version in
/// which they did not end with the account.
pub fn end_of_inactive(app: &App) -> Result<usize> {
    // Nearly always there are none, and nobody takes the write lock for nothing.
    match app.db.read(store::any_of_inactive)? {
        true => app.db.write(store::remove_of_inactive),
        false => Ok(0),
    }
}
