//! What people do with what is broken. Whoever sees an Application sees its incidents; whoever may import says that they
//! are on it, lets it be quiet, and runs all of it again.

use serde_json::{Value, json};

use super::model::Incident;
use super::store;
use crate::applications::{self, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::members::{By, Scope};
use crate::notifications::letter;
use crate::notifications::model::NoticeKind;
use crate::{runs, words};

/// So many imports are run again by one click.
pub const TOGETHER: i64 = 100;

/// An incident, with how its member stands in its Application.
pub fn find(conn: &mut Conn, by: &By, id: i64) -> Result<(Incident, Entered)> {
    let incident = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entered = applications::enter(conn, by, incident.application_id.ok_or(AppError::NotFound)?)?;
    Ok((incident, entered))
}

/// The same for who wants to do something about it while it is open.
fn open(conn: &mut Conn, by: &By, id: i64) -> Result<Incident> {
    let (incident, entered) = find(conn, by, id)?;
    entered.need_import(conn, by, Scope::Run)?;
    match incident.closed_at {
        Some(_) => Err(AppError::Conflict("This incident is resolved. There is nothing left to do.".to_owned())),
        None => Ok(incident),
    }
}

/// Whether whoever asks may do something about it.
pub fn may(conn: &mut Conn, by: &By, id: i64) -> Result<()> {
    open(conn, by, id).map(|_| ())
}

/// Whoever asks is on it: nobody is reminded any more. Who was on it already is so for as long again.
pub fn take(conn: &mut Conn, by: &By, id: i64, now: Moment) -> Result<()> {
    let incident = open_to_change(conn, by, id)?;
    store::take(conn, id, Some(by.member.id), now)?;
    let change = ("taken_by", json!(incident.taken_by), json!(by.member.id));
    tell(conn, by, "incident.taken", &incident, change, now)
}

/// Nobody is on it any more.
pub fn release(conn: &mut Conn, by: &By, id: i64, now: Moment) -> Result<()> {
    let incident = open_to_change(conn, by, id)?;
    if incident.taken_by.is_none() {
        return Ok(());
    }
    store::take(conn, id, None, now)?;
    tell(conn, by, "incident.released", &incident, ("taken_by", json!(incident.taken_by), Value::Null), now)
}

/// Nobody is reminded until then; with `None` as if it had not been said.
pub fn snooze(conn: &mut Conn, by: &By, id: i64, until: Option<Moment>, now: Moment) -> Result<()> {
    let incident = open_to_change(conn, by, id)?;
    let was = incident.snoozed_until.filter(|_| incident.is_snoozed(now));
    if was == until {
        return Ok(());
    }
    store::snooze(conn, id, until)?;
    let action = if until.is_some() { "incident.snoozed" } else { "incident.snooze_ended" };
    tell(conn, by, action, &incident, ("snoozed_until", json!(was), json!(until)), now)
}

/// The same as [`open`]; of two who do something about it at one moment the second finds what the first did.
fn open_to_change(conn: &mut Conn, by: &By, id: i64) -> Result<Incident> {
    db::lock_row(conn, "incidents", id)?;
    open(conn, by, id)
}

/// Writes down what was done: which of its values became what.
fn tell(
    conn: &mut Conn,
    by: &By,
    action: &'static str,
    incident: &Incident,
    (what, was, is): (&str, Value, Value),
    now: Moment,
) -> Result<()> {
    let name = name(conn, incident)?;
    let entry = Entry::of(action, "incident", incident.id);
    let entry = incident.application_id.into_iter().fold(entry, Entry::application);
    by.audit(conn, entry.before(json!({ "name": name, what: was })).after(json!({ "name": name, what: is })), now)
}

/// "Payroll DE failed", "3 imports failed": as its page calls it.
fn name(conn: &mut Conn, incident: &Incident) -> Result<String> {
    if incident.kind == NoticeKind::WillFail {
        return Ok(letter::parted(&incident.cause).0.to_owned());
    }
    let failing = store::failing(conn, &[incident.id])?.remove(&incident.id).unwrap_or_default();
    let first = store::affected(conn, incident.id, 1)?.first().map(|one| one.run_id);
    let of = match (failing, first) {
        (0 | 1, Some(run_id)) => letter::name_of(conn, run_id)?,
        (n, _) => words::counted(n, "import", "imports"),
    };
    Ok(letter::title(&of, incident.kind))
}

/// What came of running all again.
#[derive(Debug, Default)]
pub struct Again {
    pub started: Vec<i64>,
    /// Why others were not, each once.
    pub refused: Vec<String>,
}

/// Runs again what still fails, each as "Run again" would.
pub fn run_again(conn: &mut Conn, by: &By, id: i64, now: Moment) -> Result<Again> {
    let incident = open(conn, by, id)?;
    let mut again = Again::default();
    for one in store::affected(conn, incident.id, TOGETHER)?.iter().filter(|one| one.recovered_at.is_none()) {
        match runs::actions::again(conn, by, one.run_id, now) {
            Ok(started) => again.started.push(started.run.id),
            Err(error @ (AppError::Conflict(_) | AppError::TooMany { .. } | AppError::NotFound)) => {
                let why = error.to_string();
                if !again.refused.contains(&why) {
                    again.refused.push(why);
                }
            }
            Err(other) => return Err(other),
        }
    }
    Ok(again)
}
