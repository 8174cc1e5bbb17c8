//! What people do with freezes, by page and by API alike: whoever configures the Application. Each action belongs into
//! one write transaction and records what was and what is in the audit log.

use std::collections::HashMap;

use super::holding::{self, WillSkip};
use super::model::{Draft, Freeze, Stage};
use super::store;
use crate::applications::{self, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::By;
use crate::schedules::actions as schedules;

/// Enters an Application to read its freezes: whoever opens Import Scheduling, or configures.
pub fn enter(conn: &mut Conn, by: &By, application_id: i64) -> Result<Entered> {
    let entered = applications::enter(conn, by, application_id)?;
    if !entered.may_configure() {
        entered.need_open_scheduling(conn)?;
    }
    Ok(entered)
}

/// One freeze, with its Application entered.
pub fn find(conn: &mut Conn, by: &By, id: i64) -> Result<(Freeze, Entered)> {
    let freeze = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entered = enter(conn, by, freeze.application_id)?;
    Ok((freeze, entered))
}

/// How many occurrences each of these freezes has skipped so far; one that skipped none is left out.
pub fn skipped(conn: &mut Conn, freezes: &[Freeze]) -> Result<HashMap<i64, i64>> {
    let ids: Vec<i64> = freezes.iter().map(|f| f.id).collect();
    store::skipped(conn, &ids)
}

/// What a freeze would skip if it were saved now, of the schedules that are on.
pub fn will_skip(conn: &mut Conn, entered: &Entered, draft: &Draft, now: Moment) -> Result<WillSkip> {
    let schedules = schedules::of_application(conn, entered)?;
    Ok(holding::will_skip(&schedules, draft.starts_at.max(now), draft.ends_at))
}

/// Makes a freeze. One that would have begun earlier begins now.
///
/// `Invalid` names each wrong field (`name`, `from`, `to`); `Conflict` when an unfinished one has the name.
pub fn create(conn: &mut Conn, by: &By, application_id: i64, draft: Draft, now: Moment) -> Result<Freeze> {
    enter(conn, by, application_id)?.need_configure(conn, by)?;
    let draft = draft.check(None, now)?;
    let id = store::insert(conn, application_id, &draft, by.member.id, now)?;
    let made = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entry = Entry::of("freeze.created", "freeze", id).application(application_id);
    by.audit(conn, entry.after(made.json()), now)?;
    Ok(made)
}

/// Changes a freeze that has not ended. `expected` is the version that the person saw.
pub fn update(conn: &mut Conn, by: &By, id: i64, expected: Option<i64>, draft: Draft, now: Moment) -> Result<Freeze> {
    let was = enter_to_change(conn, by, id, expected, (now, true))?;
    let draft = draft.check(Some(&was), now)?;
    store::update(conn, &was, &draft, now)?;
    changed(conn, by, "freeze.updated", &was, now)
}

/// Ends a freeze that holds, now instead of later. What it is to run once runs with the clock's next step.
pub fn end(conn: &mut Conn, by: &By, id: i64, expected: Option<i64>, now: Moment) -> Result<Freeze> {
    let was = enter_to_change(conn, by, id, expected, (now, true))?;
    if was.stage(now) == Stage::Upcoming {
        return Err(AppError::Conflict(format!(
            "\"{}\" has not started, so it cannot be ended. Delete it instead.",
            was.name
        )));
    }
    store::end(conn, &was, now)?;
    changed(conn, by, "freeze.ended", &was, now)
}

/// Deletes a freeze. One that holds is over at once, and nothing is run to make up for it; what it skipped stays in the
/// history.
pub fn delete(conn: &mut Conn, by: &By, id: i64, expected: Option<i64>, now: Moment) -> Result<()> {
    let was = enter_to_change(conn, by, id, expected, (now, false))?;
    match was.stage(now) {
        Stage::Ended => {}
        Stage::Now => store::end(conn, &was, now)?,
        Stage::Upcoming => {
            store::end(conn, &was, was.starts_at)?;
            store::settle(conn, id, now)?;
        }
    }
    store::archive(conn, id, now)?;
    let entry = Entry::of("freeze.deleted", "freeze", id).application(was.application_id);
    by.audit(conn, entry.before(was.json()), now)
}

/// `unended`: refused when it has ended, whichever version was seen.
fn enter_to_change(
    conn: &mut Conn,
    by: &By,
    id: i64,
    expected: Option<i64>,
    (now, unended): (Moment, bool),
) -> Result<Freeze> {
    let (seen, entered) = find(conn, by, id)?;
    // The dispatcher skips under it meanwhile; from here on it waits. The right is asked after the wait.
    store::lock_to_change(conn, seen.application_id, id, now)?;
    entered.need_configure(conn, by)?;
    let was = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    if unended && was.stage(now) == Stage::Ended {
        return Err(AppError::Conflict(format!(
            "\"{}\" has ended and can no longer change. Create a new freeze.",
            was.name
        )));
    }
    if expected.is_some_and(|version| version != was.version) {
        return Err(AppError::Stale(format!(
            "\"{}\" was changed after you opened this page. To see the new version, open it in another tab.",
            was.name
        )));
    }
    Ok(was)
}

fn changed(conn: &mut Conn, by: &By, action: &'static str, was: &Freeze, now: Moment) -> Result<Freeze> {
    let is = store::by_id(conn, was.id)?.ok_or(AppError::NotFound)?;
    let entry = Entry::of(action, "freeze", was.id).application(was.application_id);
    by.audit(conn, entry.before(was.json()).after(is.json()), now)?;
    Ok(is)
}
