//! What somebody took lately that its Owner could not run: the audit log knows it, and whether it was given back.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::store::KEPT;
use crate::audit::{self, Recorded};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::members::By;
use crate::schedules::actions::{HANDED_OVER, TAKEN};
use crate::schedules::owner_and_recipients;

/// So many takings are looked at.
const LOOKED_AT: i64 = 1_000;

/// What one member took from another at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub at: Moment,
    pub from_id: i64,
    pub by_id: i64,
    pub schedules: i64,
    /// Who took them gave all of them back.
    pub undone: bool,
}

/// The latest of them, the newest first.
pub fn recent(conn: &mut Conn, by: &By, now: Moment) -> Result<Vec<Taken>> {
    by.need_administrator(conn)?;
    let since = now.minus(KEPT);
    let entries = audit::of_action(conn, ("schedule", TAKEN), since, LOOKED_AT)?;
    let taken: Vec<(Moment, Passed)> = entries.iter().filter_map(|entry| Some((entry.at, passed(entry)?))).collect();
    let schedules: Vec<i64> = taken.iter().map(|(_, one)| one.schedule).collect();
    let given = audit::of_action_on(conn, ("schedule", HANDED_OVER), &schedules, since)?;
    let given: Vec<Passed> = given.iter().filter_map(passed).collect();
    let mut found: BTreeMap<(Reverse<Moment>, i64, i64), (i64, i64)> = BTreeMap::new();
    for (at, one) in &taken {
        let back = |other: &&Passed| {
            (other.schedule, other.from, other.to, other.by) == (one.schedule, one.to, one.from, one.to)
                && other.entry > one.entry
        };
        let (schedules, returned) = found.entry((Reverse(*at), one.to, one.from)).or_default();
        *schedules += 1;
        *returned += i64::from(given.iter().any(|other| back(&other)));
    }
    let of = |((Reverse(at), by_id, from_id), (schedules, returned))| Taken {
        at,
        from_id,
        by_id,
        schedules,
        undone: schedules == returned,
    };
    Ok(found.into_iter().map(of).collect())
}

/// A schedule that got another Owner.
struct Passed {
    entry: i64,
    schedule: i64,
    from: i64,
    to: i64,
    by: i64,
}

fn passed(entry: &Recorded) -> Option<Passed> {
    let (from, _) = owner_and_recipients(entry.before.as_ref()?)?;
    let (to, _) = owner_and_recipients(entry.after.as_ref()?)?;
    Some(Passed { entry: entry.id, schedule: entry.subject_id?, from, to, by: entry.member_id? })
}
