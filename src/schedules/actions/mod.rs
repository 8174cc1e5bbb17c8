//! What people do with schedules, by page and by API alike. Each action belongs into one write transaction; it asks
//! for both import permissions, keeps the limit of four and records what was and what is in the audit log.

mod as_before;
mod bulk;
mod copy;
mod hand_over;
mod remove;
mod save;
mod slots;
mod switch;
mod take;
mod undo;

pub use as_before::as_before;
pub use bulk::{Bulk, Done, bulk};
pub use copy::draft_of_copy;
pub use hand_over::{Gift, Giving, HANDED_OVER, TAKEN, give, held, hold, hold_those, replaced, unfinished};
pub use remove::{delete, restore};
pub use save::{create, create_once, update};
pub use slots::{in_the_way, is_alike, slots_taken};
pub use switch::{off_until, switch};
pub use take::{take, take_all};
pub use undo::{Undone, undo};

use super::model::{Outline, Schedule};
use super::store;
use crate::applications::{self, Entered};
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::imports::Target;
use crate::members::{By, Scope};
use crate::words;

/// One schedule, for whom may open Import Scheduling of its Application.
pub fn find(conn: &mut Conn, by: &By, id: i64) -> Result<(Schedule, Entered)> {
    let schedule = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entered = applications::enter(conn, by, schedule.application_id)?;
    entered.need_open_scheduling(conn)?;
    Ok((schedule, entered))
}

/// The same at an address of an Application: another's schedule answers like what is not there.
pub fn find_in(conn: &mut Conn, by: &By, application_id: i64, id: i64) -> Result<(Schedule, Entered)> {
    let found = find(conn, by, id)?;
    if found.0.application_id == application_id { Ok(found) } else { Err(AppError::NotFound) }
}

/// Schedules that somebody ticked on a page of a while ago.
#[derive(Clone, Debug, Default)]
pub struct Picked {
    pub there: Vec<Schedule>,
    /// Deleted since.
    pub gone: Vec<Schedule>,
}

/// These schedules of the Application by configuration. `NotFound` when one of them was never there, or is another
/// Application's.
pub fn pick(conn: &mut Conn, entered: &Entered, ids: &[i64]) -> Result<Picked> {
    let application_id = entered.application.id;
    let mut wanted = ids.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let there = store::by_ids(conn, application_id, &wanted)?;
    wanted.retain(|id| !there.iter().any(|schedule| schedule.id == *id));
    let gone = store::archived_by_ids(conn, application_id, &wanted)?;
    if gone.len() == wanted.len() { Ok(Picked { there, gone }) } else { Err(AppError::NotFound) }
}

/// The schedules of the Application by configuration. Two queries.
pub fn of_application(conn: &mut Conn, entered: &Entered) -> Result<Vec<Schedule>> {
    store::of_application(conn, entered.application.id)
}

/// The schedules of several configurations and sets, for a caller that has entered their Application. Two queries.
pub fn of_targets(conn: &mut Conn, targets: &[Target]) -> Result<Vec<Schedule>> {
    store::of_targets(conn, targets)
}

/// What a long list knows of the schedules of the Application. One query.
pub fn outlines(conn: &mut Conn, entered: &Entered) -> Result<Vec<Outline>> {
    store::outlines(conn, entered.application.id)
}

/// The next schedules of the Application by id.
pub fn page(conn: &mut Conn, entered: &Entered, after: i64, limit: i64) -> Result<Vec<Schedule>> {
    store::page(conn, entered.application.id, after, limit)
}

/// A schedule by id, also a deleted one: for the history that names it, within an Application that was entered.
pub fn find_even_deleted(conn: &mut Conn, id: i64) -> Result<Option<Schedule>> {
    store::by_id_even_archived(conn, id)
}

/// Whether another unfinished schedule of the Application has this run name.
pub fn run_name_is_taken(conn: &mut Conn, entered: &Entered, name: &str, besides: Option<i64>) -> Result<bool> {
    Ok(store::with_run_name(conn, entered.application.id, name, besides.unwrap_or_default())?.is_some())
}

fn enter_to_schedule(conn: &mut Conn, by: &By, application_id: i64) -> Result<Entered> {
    // Run names are unique in the Application: two who save go one after the other. The right is asked after the wait, in
    // which it may have ended.
    db::lock_row(conn, "applications", application_id)?;
    let entered = applications::enter(conn, by, application_id)?;
    entered.need_import(conn, by, Scope::Schedule)?;
    Ok(entered)
}

fn enter_to_change(conn: &mut Conn, by: &By, id: i64, expected: Option<i64>) -> Result<(Schedule, Entered)> {
    let seen = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entered = enter_to_schedule(conn, by, seen.application_id)?;
    // The dispatcher moves the next occurrence meanwhile; from here on it waits.
    db::lock_row(conn, "schedules", id)?;
    let schedule = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    if expected.is_some_and(|version| version != schedule.version) {
        return Err(stale(conn, id));
    }
    Ok((schedule, entered))
}

/// Somebody else saved it since.
fn stale(conn: &mut Conn, id: i64) -> AppError {
    changed_since(conn, id, "Compare it with yours.")
}

/// Says who changed it and when, and what follows from that; a failure to find that out is the better error.
fn changed_since(conn: &mut Conn, id: i64, so: &str) -> AppError {
    let mut told = || -> Result<String> {
        let schedule = store::by_id_even_archived(conn, id)?.ok_or(AppError::NotFound)?;
        let who = store::member_name(conn, schedule.updated_by)?;
        let zone = schedule.rule.time_zone();
        let when = words::date_time(schedule.updated_at, zone);
        Ok(format!(
            "{who} changed this schedule on {when} ({zone}), after you opened it. It now says: {}. {so}",
            schedule.sentence()
        ))
    };
    told().map_or_else(|error| error, AppError::Stale)
}
