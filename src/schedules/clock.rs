//! What the clock does to schedules: `runs::dispatching` asks what is due and claims it; those that are off until a
//! date turn themselves on. Nobody acts here, so nothing is asked about rights.

pub use super::clock_store::{AllDue, Due, Step, claim, due_of, due_targets, next_due, overdue, set_aside, to_wake};

use super::Schedule;
use super::clock_store;
use super::store;
use crate::audit::{self, Actor, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::Result;
use crate::members::Channel;

/// The schedules of an Application by configuration, for the clock, which acts for nobody.
pub fn of_application(conn: &mut Conn, application_id: i64) -> Result<Vec<Schedule>> {
    store::of_application(conn, application_id)
}

/// What one step of [`reckon_anew`] did.
#[derive(Clone, Copy, Debug)]
pub struct Reckoned {
    pub last_id: i64,
    pub moved: usize,
}

/// Plans the next of the schedules after that id anew, by the zone data of this program, where their next occurrence has
/// not come yet; `None`: there are no more. One that is broken stays for the clock to set aside.
pub fn reckon_anew(conn: &mut Conn, after: i64, now: Moment) -> Result<Option<Reckoned>> {
    let planned = store::planned_after(conn, after, now)?;
    let Some(last_id) = planned.last().map(|schedule| schedule.id) else { return Ok(None) };
    let steps: Vec<Step> = planned
        .iter()
        .filter(|schedule| schedule.broken.is_none())
        .filter_map(|schedule| {
            let (from, to) = (schedule.next_at?, schedule.next_from(now));
            (to != Some(from)).then_some(Step { id: schedule.id, from, claimed: None, to })
        })
        .collect();
    let moved = clock_store::claim(conn, &steps, now)?.len();
    Ok(Some(Reckoned { last_id, moved }))
}

/// Turns on what was off until now or an earlier moment. What was planned after that moment counts as planned, even
/// if the server was away. One that is broken is set aside.
pub fn wake(conn: &mut Conn, now: Moment) -> Result<usize> {
    let ids = clock_store::to_wake(conn, now)?;
    for id in &ids {
        db::lock_row(conn, "schedules", *id)?;
        let Some(schedule) = store::by_id(conn, *id)? else { continue };
        if let Some(reason) = schedule.broken {
            clock_store::set_aside(conn, &[(*id, reason)])?;
            continue;
        }
        if let Some(until) = schedule.off_until.filter(|until| *until <= now) {
            let next_at = schedule.next_from(until);
            clock_store::wake(conn, &schedule, next_at, now)?;
            let Some(awake) = store::by_id(conn, *id)? else { continue };
            let actor = Actor::nobody("The clock", Channel::Clock.as_str());
            let entry = Entry::of("schedule.turned-on", "schedule", *id).application(schedule.application_id);
            audit::record(conn, &actor, entry.before(schedule.for_audit()).after(awake.for_audit()), now)?;
        }
    }
    Ok(ids.len())
}
