//! What people do with promises, by page and by API alike: whoever imports in the Application, as with schedules. Each
//! action belongs into one write transaction and records what was and what is in the audit log.

use super::model::{Memory, Promise, ReadyForm};
use super::store;
use crate::applications::{self, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::import_sets::{self, Known};
use crate::imports::Target;
use crate::members::{By, Scope};

/// What a promise is or would be of, for whom may open Import Scheduling of its Application.
pub fn find(conn: &mut Conn, by: &By, target: Target) -> Result<(Option<Promise>, Known, Entered)> {
    let known = import_sets::known_of(conn, target)?.filter(|known| !known.archived).ok_or(AppError::NotFound)?;
    let entered = applications::enter(conn, by, known.application_id)?;
    entered.need_open_scheduling(conn)?;
    Ok((store::of_target(conn, target)?, known, entered))
}

/// The same for who may change it.
pub fn find_to_change(conn: &mut Conn, by: &By, target: Target) -> Result<(Option<Promise>, Known, Entered)> {
    let known = import_sets::known_of(conn, target)?.filter(|known| !known.archived).ok_or(AppError::NotFound)?;
    let entered = applications::enter(conn, by, known.application_id)?;
    entered.need_import(conn, by, Scope::Schedule)?;
    Ok((store::of_target(conn, target)?, known, entered))
}

/// Two who save go one after the other.
fn held(conn: &mut Conn, by: &By, target: Target) -> Result<(Option<Promise>, Entered)> {
    db::lock_row(conn, target.table(), target.id())?;
    let (promise, _, entered) = find_to_change(conn, by, target)?;
    Ok((promise, entered))
}

/// Promises, or promises otherwise. `expected` is the version that the person saw; deadlines before now are not judged by
/// it. `Invalid` names each wrong field (`weekdays`, `time`, `time_zone`).
pub fn set(
    conn: &mut Conn,
    by: &By,
    target: Target,
    form: &ReadyForm,
    expected: Option<i64>,
    now: Moment,
) -> Result<Promise> {
    let (was, entered) = held(conn, by, target)?;
    let rule = form.parse()?;
    matches(expected, was.as_ref())?;
    let application_id = entered.application.id;
    let memory = Memory::begun(&rule, now);
    let (id, before) = match was {
        Some(was) if was.rule == rule => return Ok(was),
        Some(was) => {
            store::update(conn, &was, &rule, &memory, by.member.id, now)?;
            (was.id, Some(was.for_audit()))
        }
        None => (store::insert(conn, (application_id, target), &rule, &memory, by.member.id, now)?, None),
    };
    let is = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let action = if before.is_some() { "promise.changed" } else { "promise.made" };
    let entry = Entry::of(action, "promise", id).application(application_id).after(is.for_audit());
    let entry = before.into_iter().fold(entry, Entry::before);
    by.audit(conn, entry, now)?;
    Ok(is)
}

/// Promises nothing any more.
pub fn remove(conn: &mut Conn, by: &By, target: Target, expected: Option<i64>, now: Moment) -> Result<()> {
    let (was, entered) = held(conn, by, target)?;
    let was = was.ok_or(AppError::NotFound)?;
    matches(expected, Some(&was))?;
    store::delete(conn, was.id)?;
    let entry = Entry::of("promise.removed", "promise", was.id).application(entered.application.id);
    by.audit(conn, entry.before(was.for_audit()), now)
}

fn matches(expected: Option<i64>, was: Option<&Promise>) -> Result<()> {
    match (expected, was) {
        // A form that was opened when there was none.
        (Some(0), None) => Ok(()),
        (Some(expected), was) if was.map(|was| was.version) != Some(expected) => Err(AppError::Stale(match was {
            Some(was) => format!("Someone changed it after you opened it. It now says: {}.", was.sentence()),
            None => "Someone removed it after you opened it. Save again to set it anew.".into(),
        })),
        _ => Ok(()),
    }
}
