//! Deleting a schedule, and having it back.

use super::save::lost_file;
use super::slots::{Planned, refuse_alike, take_slot};
use super::{enter_to_change, enter_to_schedule};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::members::By;
use crate::schedules::model::Schedule;
use crate::schedules::store::{self, Standing};

/// Deletes a schedule: it plans nothing more, and its history stays.
pub fn delete(conn: &mut Conn, by: &By, id: i64, expected: Option<i64>, now: Moment) -> Result<()> {
    let (was, _) = enter_to_change(conn, by, id, expected)?;
    archive(conn, by, &was, now)
}

/// Archives a schedule that was read under its lock.
pub(super) fn archive(conn: &mut Conn, by: &By, was: &Schedule, now: Moment) -> Result<()> {
    store::archive(conn, was.id, by.member.id, now)?;
    let entry = Entry::of("schedule.deleted", "schedule", was.id).application(was.application_id);
    by.audit(conn, entry.before(was.for_audit()), now)
}

/// Brings a deleted schedule back as it was, on or off, with its Owner; its next occurrence counts from now, and
/// without one it is finished. One that is there already is the answer.
///
/// `Conflict` when its configuration has four others by now, one that is alike, or is gone, or its run name is taken.
pub fn restore(conn: &mut Conn, by: &By, application_id: i64, id: i64, now: Moment) -> Result<Schedule> {
    let here = |schedule: &Schedule| schedule.application_id == application_id;
    let seen = store::by_id_even_archived(conn, id)?.filter(here).ok_or(AppError::NotFound)?;
    let entered = enter_to_schedule(conn, by, application_id)?;
    db::lock_row(conn, "schedules", id)?;
    if let Some(there) = store::by_id(conn, id)? {
        return Ok(there);
    }
    let target = match Planned::find(conn, application_id, seen.target)? {
        Some(planned) => planned,
        None => {
            let what = if seen.target.set().is_some() { "import set" } else { "import configuration" };
            return Err(AppError::Conflict(format!("Its {what} was deleted too, so it cannot be restored.")));
        }
    };
    if lost_file(conn, application_id, &seen)? {
        let why = "Its kept file was deleted too, so it cannot be restored. Make a new schedule with another file.";
        return Err(AppError::Conflict(why.into()));
    }
    if let Some(name) = &seen.run_name
        && store::with_run_name(conn, application_id, name, id)?.is_some()
    {
        return Err(AppError::Conflict(format!(
            "Another schedule of {} now has the run name \"{name}\". Give that one another name first.",
            entered.application.name
        )));
    }
    let until = seen.off_until.filter(|until| *until > now);
    let enabled = seen.enabled || (seen.off_until.is_some() && until.is_none());
    let upcoming = seen.next_from(now);
    let finished_at = seen.finished_at.or(if upcoming.is_none() && seen.broken.is_none() { Some(now) } else { None });
    if finished_at.is_none() && seen.broken.is_none() {
        refuse_alike(conn, &target, (&seen.rule, seen.parameters.as_ref()), Some(id), now)?;
    }
    let slot_key = if finished_at.is_none() { Some(take_slot(conn, &target, Some(id), now)?) } else { None };
    let standing = Standing {
        enabled,
        off_since: seen.off_since.filter(|_| !enabled),
        off_until: until,
        next_at: upcoming.filter(|_| enabled && finished_at.is_none() && seen.broken.is_none()),
    };
    store::unarchive(conn, id, &standing, slot_key, finished_at, by.member.id, now)?;
    let schedule = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entry = Entry::of("schedule.restored", "schedule", id).application(application_id);
    by.audit(conn, entry.after(schedule.for_audit()), now)?;
    Ok(schedule)
}
