//! What people do with what is broken. Whoever sees an Application sees its incidents; whoever may import says that they
//! are on it, lets it be quiet, and runs all of it again.

use super::model::Incident;
use super::store;
use crate::applications::{self, Entered};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::{By, Scope};
use crate::runs;

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

/// Whoever asks is on it: nobody is reminded any more.
pub fn take(conn: &mut Conn, by: &By, id: i64, now: Moment) -> Result<()> {
    let incident = open(conn, by, id)?;
    store::take(conn, incident.id, Some(by.member.id), now)
}

/// Nobody is on it any more.
pub fn release(conn: &mut Conn, by: &By, id: i64, now: Moment) -> Result<()> {
    let incident = open(conn, by, id)?;
    store::take(conn, incident.id, None, now)
}

/// Nobody is reminded until then; with `None` as if it had not been said.
pub fn snooze(conn: &mut Conn, by: &By, id: i64, until: Option<Moment>) -> Result<()> {
    let incident = open(conn, by, id)?;
    store::snooze(conn, incident.id, until)
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
