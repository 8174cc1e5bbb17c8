//! What the clock does to schedules: `runs::dispatcher` asks what is due and claims it; those that are off until a
//! date turn themselves on. Nobody acts here, so nothing is asked about rights.

use super::due;
pub use super::due::{Due, Step};
use super::first_at_or_after;
use super::store;
use crate::audit::{self, Actor, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::Result;
use crate::members::Channel;

/// Which configurations have something due, the longest waiting first, and how many schedules each.
pub fn due_configurations(conn: &mut Conn, now: Moment) -> Result<Vec<(i64, usize)>> {
    due::due_configurations(conn, now)
}

/// The due schedules of these configurations, by id.
pub fn due_of(conn: &mut Conn, configuration_ids: &[i64], now: Moment) -> Result<Vec<Due>> {
    due::due_of(conn, configuration_ids, now)
}

/// Moves each schedule from the occurrence that was read to a later one, or finishes it. Answers whom nobody else had
/// moved: their occurrences are the caller's.
pub fn claim(conn: &mut Conn, steps: &[Step], now: Moment) -> Result<Vec<i64>> {
    due::claim(conn, steps, now)
}

/// The earliest occurrence that is still to be claimed.
pub fn next_due(conn: &mut Conn) -> Result<Option<Moment>> {
    due::next_due(conn)
}

/// Whether [`wake`] has something to do.
pub fn sleeps_over(conn: &mut Conn, now: Moment) -> Result<bool> {
    Ok(!due::to_wake(conn, now)?.is_empty())
}

/// Turns on what was off until now or an earlier moment. What was planned after that moment counts as planned, even
/// if the server was away.
pub fn wake(conn: &mut Conn, now: Moment) -> Result<usize> {
    let ids = due::to_wake(conn, now)?;
    for id in &ids {
        db::lock_row(conn, "schedules", *id)?;
        let Some(schedule) = store::by_id(conn, *id)? else { continue };
        if let Some(until) = schedule.off_until.filter(|until| *until <= now) {
            let next_at = first_at_or_after(&schedule.rule, until);
            due::wake(conn, &schedule, next_at, now)?;
            let Some(awake) = store::by_id(conn, *id)? else { continue };
            let actor = Actor { member_id: None, name: "The clock".into(), channel: Channel::Clock.as_str() };
            let entry = Entry::of("schedule.turned-on", "schedule", *id).application(schedule.application_id);
            audit::record(conn, &actor, entry.before(schedule.for_audit()).after(awake.for_audit()), now)?;
        }
    }
    Ok(ids.len())
}
