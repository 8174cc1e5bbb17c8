//! The switch: on, off, off until a date. The Owner stays.

use chrono::Duration;

use super::{enter_to_change, stale};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::By;
use crate::schedules::model::{Schedule, State, Switched};
use crate::schedules::rule::Rule;
use crate::schedules::store::{self, Standing};
use crate::schedules::{count_between, first_at_or_after, latest_at_or_before};
use crate::words;

/// The least that two moments differ by.
const INSTANT: Duration = Duration::microseconds(1);

/// Which way to turn it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    On,
    Off,
    OffUntil(Moment),
}

impl Turn {
    pub(super) fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

/// Turns a schedule on or off; its Owner stays. On again it waits for its next occurrence: what passed while it was
/// off is counted, never made up for.
pub fn switch(conn: &mut Conn, by: &By, id: i64, on: bool, expected: Option<i64>, now: Moment) -> Result<Switched> {
    turned(conn, by, id, if on { Turn::On } else { Turn::Off }, expected, now)
}

/// Turns a schedule off until a moment, at which it turns itself on; its Owner stays.
///
/// `Invalid` on `off_until` when the moment is past, or nothing is planned from it on; `Conflict` when it has finished.
pub fn off_until(
    conn: &mut Conn,
    by: &By,
    id: i64,
    until: Moment,
    expected: Option<i64>,
    now: Moment,
) -> Result<Switched> {
    turned(conn, by, id, Turn::OffUntil(until), expected, now)
}

fn turned(conn: &mut Conn, by: &By, id: i64, to: Turn, expected: Option<i64>, now: Moment) -> Result<Switched> {
    let (was, _) = enter_to_change(conn, by, id, expected)?;
    if was.state() == State::Finished {
        return Err(AppError::Conflict(
            "This schedule has finished: it has no further occurrence. Edit it to give it a later end.".into(),
        ));
    }
    if is_turned(&was, to) {
        return Ok(Switched { schedule: was, passed: 0, changed: false });
    }
    if let Some(reason) = was.broken.as_ref().filter(|_| !matches!(to, Turn::Off)) {
        return Err(AppError::Conflict(reason.clone()));
    }
    match to {
        Turn::On => was.rule.check_future(now)?,
        Turn::Off => {}
        Turn::OffUntil(until) => check_until(&was.rule, until, now)?,
    }
    let passed = match was.off_since.filter(|_| to.is_on()) {
        // From just after the one to just after the other.
        Some(since) => count_between(&was.rule, since.plus(INSTANT), now.plus(INSTANT)),
        None => 0,
    };
    let schedule = turn(conn, by, &was, to, now)?;
    Ok(Switched { schedule, passed, changed: true })
}

/// Whether it is that way already.
pub(super) fn is_turned(schedule: &Schedule, to: Turn) -> bool {
    match to {
        Turn::On => schedule.enabled,
        Turn::Off => !schedule.enabled && schedule.off_until.is_none(),
        Turn::OffUntil(until) => !schedule.enabled && schedule.off_until == Some(until),
    }
}

/// Refuses a moment until which a schedule cannot be off.
pub(super) fn check_until(rule: &Rule, until: Moment, now: Moment) -> Result<(), FieldErrors> {
    if until <= now {
        let detail = "This time is in the past. Choose a later one, or turn the schedule on.";
        return Err(FieldErrors::one("off_until", detail));
    }
    if first_at_or_after(rule, until).is_some() {
        return Ok(());
    }
    let zone = rule.time_zone();
    let detail = match latest_at_or_before(rule, until).filter(|last| *last > now) {
        Some(last) => format!(
            "No run is left by then: the last one is on {} ({zone}). Choose an earlier date, or delete the schedule.",
            words::date_time(last, zone)
        ),
        None => "No run is left by then: the schedule has no further occurrence.".to_owned(),
    };
    Err(FieldErrors::one("off_until", detail))
}

/// Turns a schedule that was read under its lock and is not yet that way.
pub(super) fn turn(conn: &mut Conn, by: &By, was: &Schedule, to: Turn, now: Moment) -> Result<Schedule> {
    let on = to.is_on();
    let standing = Standing {
        enabled: on,
        off_since: if on { None } else { was.off_since.or(Some(now)) },
        off_until: if let Turn::OffUntil(until) = to { Some(until) } else { None },
        next_at: if on { was.next_from(now) } else { None },
    };
    let action = match to {
        Turn::On => "schedule.turned-on",
        Turn::Off => "schedule.turned-off",
        Turn::OffUntil(_) => "schedule.turned-off-until",
    };
    stand(conn, by, was, &standing, action, now)
}

/// Writes how a schedule stands, and the log of it.
pub(super) fn stand(
    conn: &mut Conn,
    by: &By,
    was: &Schedule,
    standing: &Standing,
    action: &'static str,
    now: Moment,
) -> Result<Schedule> {
    if !store::set_standing(conn, was, standing, by.member.id, now)? {
        return Err(stale(conn, was.id));
    }
    let schedule = Schedule {
        enabled: standing.enabled,
        off_since: standing.off_since,
        off_until: standing.off_until,
        next_at: standing.next_at,
        version: was.version + 1,
        updated_at: now,
        updated_by: by.member.id,
        ..was.clone()
    };
    let entry = Entry::of(action, "schedule", was.id).application(was.application_id);
    by.audit(conn, entry.before(was.for_audit()).after(schedule.for_audit()), now)?;
    Ok(schedule)
}
