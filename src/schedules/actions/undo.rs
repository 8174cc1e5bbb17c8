//! Taking back what one did: the switch, off until, deleting, taking the ownership, one by one and in bulk. The audit log
//! knows what was before. Only what nobody has changed since goes back. Hand-overs are kept by `ownership`.

use super::hand_over::{Gift, Giving, HANDED_OVER, TAKEN, give};
use super::switch::stand;
use super::{changed_since, enter_to_schedule, remove};
use crate::audit::{self, Recorded};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::members::By;
use crate::schedules::model::{Before, Schedule, State};
use crate::schedules::store::{self, Standing};

/// What became of the schedules that a deed had changed.
#[derive(Clone, Debug, Default)]
pub struct Undone {
    /// As they were before, also those that were so already.
    pub back: Vec<Schedule>,
    /// Changed by somebody since, or with nothing left to plan: they stay as they are.
    pub stays: usize,
    /// It was a deletion: they were gone.
    pub deleted: bool,
    /// It was taking the ownership: they are their former Owner's.
    pub taken: bool,
}

/// Takes back what this member did to schedules of an Application at that moment. Sent twice, it is done once.
///
/// `Stale`, in words that say who and when, when all of it was changed since; `Conflict` when there is nothing to take
/// back, or a deleted schedule finds its place taken.
pub fn undo(conn: &mut Conn, by: &By, application_id: i64, at: Moment, now: Moment) -> Result<Undone> {
    enter_to_schedule(conn, by, application_id)?;
    let mut undone = Undone::default();
    let mut last = None;
    for entry in audit::done_at(conn, application_id, by.member.id, "schedule", at)? {
        let Some(id) = entry.subject_id else { continue };
        undone.deleted |= entry.action == "schedule.deleted";
        undone.taken |= entry.action == TAKEN;
        match one(conn, by, application_id, id, &entry, now)? {
            Some(Some(schedule)) => undone.back.push(schedule),
            Some(None) => {
                undone.stays += 1;
                last = Some(id);
            }
            None => {}
        }
    }
    match (undone.back.is_empty(), last) {
        (true, Some(id)) => Err(changed_since(conn, id, "Nothing was undone.")),
        (true, None) => Err(AppError::Conflict("There is nothing to undo.".into())),
        _ => Ok(undone),
    }
}

/// The outer `None`: nothing that can be taken back. The inner one: it stays as it is.
fn one(
    conn: &mut Conn,
    by: &By,
    application_id: i64,
    id: i64,
    entry: &Recorded,
    now: Moment,
) -> Result<Option<Option<Schedule>>> {
    let Some(before) = entry.before.as_ref().and_then(Before::of_audit) else { return Ok(None) };
    if entry.action == "schedule.deleted" {
        db::lock_row(conn, "schedules", id)?;
        let there = store::by_id_even_archived(conn, id)?;
        // Back already, or deleted once more since: by somebody who meant it.
        if store::by_id(conn, id)?.is_none() && there.is_none_or(|gone| gone.version != before.version + 1) {
            return Ok(Some(None));
        }
        return Ok(Some(Some(remove::restore(conn, by, application_id, id, now)?)));
    }
    if entry.action == TAKEN {
        return give_back(conn, by, id, &before, now).map(Some);
    }
    if !entry.action.starts_with("schedule.turned-") {
        return Ok(None);
    }
    db::lock_row(conn, "schedules", id)?;
    let Some(is) = store::by_id(conn, id)? else { return Ok(Some(None)) };
    // A second click finds what the first one did.
    if (is.enabled, is.off_until) == (before.enabled, before.off_until) {
        return Ok(Some(Some(is)));
    }
    if is.version != before.version + 1 {
        return Ok(Some(None));
    }
    let until = before.off_until.filter(|until| *until > now);
    let enabled = before.enabled || (before.off_until.is_some() && until.is_none());
    let upcoming = is.next_from(now);
    if is.state() == State::Finished || (enabled && upcoming.is_none()) {
        return Ok(Some(None));
    }
    let standing = Standing {
        enabled,
        off_since: before.off_since.filter(|_| !enabled),
        off_until: until,
        next_at: upcoming.filter(|_| enabled),
    };
    let action = match (enabled, until) {
        (true, _) => "schedule.turned-on",
        (false, None) => "schedule.turned-off",
        (false, Some(_)) => "schedule.turned-off-until",
    };
    Ok(Some(Some(stand(conn, by, &is, &standing, action, now)?)))
}

/// To the Owner from whom it was taken, who may still be unable to run it: then it is flagged again, as it was.
fn give_back(conn: &mut Conn, by: &By, id: i64, before: &Before, now: Moment) -> Result<Option<Schedule>> {
    db::lock_row(conn, "schedules", id)?;
    let Some(is) = store::by_id(conn, id)? else { return Ok(None) };
    if is.owner_id == before.owner_id {
        return Ok(Some(is));
    }
    if is.version != before.version + 1 {
        return Ok(None);
    }
    let gift = Gift { owner_id: before.owner_id, notify: is.notify.clone(), was: is };
    Ok(give(conn, by, &[gift], Giving { action: HANDED_OVER, untold: false, undone: true }, now)?.pop())
}
