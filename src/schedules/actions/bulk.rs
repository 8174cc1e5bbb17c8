//! The same deed to several schedules: all of it in one transaction, each in the audit log.

use super::switch::{Turn, is_turned, turn};
use super::{Picked, enter_to_schedule, pick, remove};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::Result;
use crate::members::By;
use crate::schedules::model::{Schedule, State};

/// What is done to each.
#[derive(Clone, Copy, Debug)]
pub enum Bulk {
    On,
    Off,
    Delete,
}

/// What became of each schedule.
#[derive(Clone, Debug, Default)]
pub struct Done {
    pub changed: Vec<Schedule>,
    /// Were that way before.
    pub already: Vec<Schedule>,
    /// Have no further occurrence, so that they cannot be turned on or off.
    pub finished: Vec<Schedule>,
    /// Were deleted before.
    pub gone: Vec<Schedule>,
}

/// Does it to all of these schedules of an Application that are there. The switch changes no Owner.
///
/// `NotFound` when one of them was never there or is another Application's: then nothing is done.
pub fn bulk(conn: &mut Conn, by: &By, application_id: i64, ids: &[i64], what: Bulk, now: Moment) -> Result<Done> {
    let entered = enter_to_schedule(conn, by, application_id)?;
    // The dispatcher moves next occurrences meanwhile; from here on it waits.
    db::lock_rows(conn, "schedules", ids)?;
    let Picked { there, gone } = pick(conn, &entered, ids)?;
    let mut done = Done { gone, ..Done::default() };
    for was in there {
        match what {
            Bulk::On | Bulk::Off => {
                let to = if matches!(what, Bulk::On) { Turn::On } else { Turn::Off };
                let ended = was.state() == State::Finished || (to.is_on() && was.upcoming(now).is_none());
                if ended {
                    done.finished.push(was);
                } else if is_turned(&was, to) {
                    done.already.push(was);
                } else {
                    done.changed.push(turn(conn, by, &was, to, now)?);
                }
            }
            Bulk::Delete => {
                remove::archive(conn, by, &was, now)?;
                done.changed.push(was);
            }
        }
    }
    Ok(done)
}
