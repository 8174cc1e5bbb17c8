//! What people do with translation tables, by page and by API alike: whoever configures the Application. Each action
//! belongs into one write transaction and records what was and what is in the audit log.

use super::draft::{Draft, faults};
use super::model::Translation;
use super::store;
use crate::applications::{self, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::{self, InUse, Thing};
use crate::members::By;

/// Enters an Application to read its tables: whoever opens Import Scheduling, or configures.
pub fn enter(conn: &mut Conn, by: &By, application_id: i64) -> Result<Entered> {
    let entered = applications::enter(conn, by, application_id)?;
    if !entered.may_configure() {
        entered.need_open_scheduling(conn)?;
    }
    Ok(entered)
}

/// One table, with its Application entered.
pub fn find(conn: &mut Conn, by: &By, id: i64) -> Result<(Translation, Entered)> {
    let table = store::by_id(conn, id)?;
    let entered = enter(conn, by, table.application_id)?;
    Ok((table, entered))
}

/// Makes a table.
///
/// `Invalid` names each wrong field (`name`, `entries`, `entries[3].from`); `Conflict` when the name is taken.
pub fn create(conn: &mut Conn, by: &By, application_id: i64, draft: Draft, now: Moment) -> Result<Translation> {
    enter(conn, by, application_id)?.need_configure(conn, by)?;
    let draft = draft.check(None)?;
    let id = store::insert(conn, application_id, &draft, now)?;
    let made = store::by_id(conn, id)?;
    let entry = Entry::of("translation.created", "translation", id).application(application_id);
    by.audit(conn, entry.after(made.audited(None)), now)?;
    Ok(made)
}

/// Changes a table; what changes nothing makes no version. `expected` is the version that the person saw.
pub fn update(
    conn: &mut Conn,
    by: &By,
    id: i64,
    expected: Option<i64>,
    draft: Draft,
    now: Moment,
) -> Result<Translation> {
    let entered = find(conn, by, id)?.1;
    let was = hold(conn, by, &entered, id, expected)?;
    let draft = draft.check(Some(&was))?;
    save(conn, by, was, draft, now)
}

/// Lets a table say from now on what one value becomes, whatever it said of it before; for a caller that has entered its
/// Application. `Invalid` names `from`, `to` or `entries`.
pub fn learn(
    conn: &mut Conn,
    by: &By,
    entered: &Entered,
    id: i64,
    source: &str,
    target: &str,
    now: Moment,
) -> Result<Translation> {
    let was = hold(conn, by, entered, id, None)?;
    let entry = (source.to_owned(), target.to_owned());
    let mut errors = FieldErrors::new();
    for fault in faults(std::slice::from_ref(&entry)) {
        errors.add(fault.side, fault.why);
    }
    let entry = errors.ok_or(entry)?;
    let mut entries = was.entries.clone();
    entries.insert(entry.0, entry.1);
    let draft = Draft { name: was.name.clone(), otherwise: was.otherwise, entries: entries.into_iter().collect() };
    let draft = draft.check(Some(&was))?;
    save(conn, by, was, draft, now)
}

/// Deletes a table that no import uses: its name is free again.
pub fn delete(conn: &mut Conn, in_use: InUse, by: &By, id: i64, expected: Option<i64>, now: Moment) -> Result<()> {
    let entered = find(conn, by, id)?.1;
    let was = hold(conn, by, &entered, id, expected)?;
    let uses = in_use.all(conn, Thing::Translation(id))?;
    if !uses.is_empty() {
        return Err(AppError::Conflict(format!(
            "\"{}\" is used by import configurations: {}. Change their mapping or delete them first.",
            was.name,
            in_use::words(&uses, ", ")
        )));
    }
    store::archive(conn, id, now)?;
    let entry = Entry::of("translation.deleted", "translation", id).application(was.application_id);
    by.audit(conn, entry.before(was.audited(None)), now)
}

/// Holds a table of this Application until the transaction ends, for who may change it.
fn hold(conn: &mut Conn, by: &By, entered: &Entered, id: i64, expected: Option<i64>) -> Result<Translation> {
    db::lock_row(conn, "translations", id)?;
    entered.need_configure(conn, by)?;
    let was = store::by_id(conn, id)?;
    if was.application_id != entered.application.id {
        return Err(AppError::NotFound);
    }
    if expected.is_some_and(|version| version != was.version) {
        return Err(AppError::Stale(format!(
            "\"{}\" was changed after you opened this page. To see the new version, open it in another tab.",
            was.name
        )));
    }
    Ok(was)
}

/// `draft` is checked.
fn save(conn: &mut Conn, by: &By, was: Translation, draft: Draft, now: Moment) -> Result<Translation> {
    let is = Translation {
        name: draft.name,
        otherwise: draft.otherwise,
        entries: draft.entries.into_iter().collect(),
        ..was.clone()
    };
    if is == was {
        return Ok(was);
    }
    let is = Translation { version: was.version + 1, ..is };
    store::update(conn, &was, &is)?;
    let entry = Entry::of("translation.updated", "translation", was.id).application(was.application_id);
    by.audit(conn, entry.before(was.audited(Some(&is))).after(is.audited(Some(&was))), now)?;
    Ok(is)
}
