//! Another Owner for schedules, without saving them: what Administrators do, and who takes what nobody can run.

use std::collections::{BTreeMap, BTreeSet};

use super::stale;
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::members::By;
use crate::schedules::model::{Notify, Schedule};
use crate::schedules::{held_store, recipients_store, store};

/// What the log calls it.
pub const HANDED_OVER: &str = "schedule.handed-over";
pub const TAKEN: &str = "schedule.ownership-taken";
const RECIPIENTS: &str = "schedule.recipients-replaced";

/// A schedule that was read under its lock, with its Owner and recipients to be.
#[derive(Clone, Debug)]
pub struct Gift {
    pub was: Schedule,
    pub owner_id: i64,
    pub notify: Option<Notify>,
}

/// How schedules are given away.
#[derive(Clone, Copy, Debug)]
pub struct Giving {
    /// What the log calls it: [`HANDED_OVER`] or [`TAKEN`].
    pub action: &'static str,
    /// The recipients are not told.
    pub untold: bool,
    /// They go back to who had them.
    pub undone: bool,
}

/// Gives schedules away that were read under their locks: each with an entry of the log and a new version, in a number of
/// statements that does not grow with theirs. What is due stays due.
pub fn give(conn: &mut Conn, by: &By, gifts: &[Gift], giving: Giving, now: Moment) -> Result<Vec<Schedule>> {
    let ids: Vec<i64> = gifts.iter().map(|gift| gift.was.id).collect();
    let mut owners: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    let mut gone = BTreeMap::<i64, Vec<i64>>::new();
    let mut come = Vec::<(i64, i64)>::new();
    let (mut entries, mut given) = (Vec::new(), Vec::new());
    for Gift { was, owner_id, notify } in gifts {
        let passes = was.owner_id != *owner_id;
        if passes {
            owners.entry(*owner_id).or_default().push(was.id);
        }
        let (before, after) = (named(was.notify.as_ref()), named(notify.as_ref()));
        for member_id in before.difference(&after) {
            gone.entry(*member_id).or_default().push(was.id);
        }
        come.extend(after.difference(&before).map(|member_id| (was.id, *member_id)));
        let schedule = Schedule {
            owner_id: *owner_id,
            notify: notify.clone(),
            version: was.version + 1,
            updated_at: now,
            updated_by: by.member.id,
            ..was.clone()
        };
        let mut shown = schedule.for_audit();
        if giving.untold {
            shown["untold"] = true.into();
        }
        if giving.undone {
            shown["undone"] = true.into();
        }
        let entry = Entry::of(if passes { giving.action } else { RECIPIENTS }, "schedule", was.id);
        entries.push(entry.application(was.application_id).before(was.for_audit()).after(shown));
        given.push(schedule);
    }
    if store::touch(conn, &ids, by.member.id, now)? != ids.len() {
        return Err(gifts.first().map_or(AppError::NotFound, |gift| stale(conn, gift.was.id)));
    }
    for (owner_id, ids) in &owners {
        store::set_owner(conn, ids, *owner_id)?;
    }
    recipients_store::change(conn, &gone, &come)?;
    by.audit_all(conn, entries, now)?;
    Ok(given)
}

fn named(notify: Option<&Notify>) -> BTreeSet<i64> {
    notify.into_iter().flat_map(|notify| notify.member_ids.iter().copied()).collect()
}

/// The recipients with one member for another, each once.
pub fn replaced(notify: Option<&Notify>, (from, to): (i64, i64)) -> Option<Notify> {
    let mut notify = notify?.clone();
    if notify.member_ids.contains(&from) {
        notify.member_ids.retain(|id| *id != from && *id != to);
        notify.member_ids.push(to);
        notify.member_ids.sort_unstable();
    }
    Some(notify)
}

/// What has something to come and belongs to a member, or tells them, in all Applications: by Application and target.
pub fn held(conn: &mut Conn, member_id: i64) -> Result<Vec<Schedule>> {
    let ids = Vec::from_iter(held_store::held(conn, member_id)?);
    store::unfinished(conn, &ids)
}

/// The same, held until the transaction ends: nobody saves and the clock does not move them meanwhile.
pub fn hold(conn: &mut Conn, member_id: i64) -> Result<Vec<Schedule>> {
    let ids = Vec::from_iter(held_store::held(conn, member_id)?);
    let locked = hold_those(conn, &ids)?;
    let held = held_store::held(conn, member_id)?;
    Ok(locked.into_iter().filter(|schedule| held.contains(&schedule.id)).collect())
}

/// These, where they have something to come: by Application and target.
pub fn unfinished(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Schedule>> {
    store::unfinished(conn, ids)
}

/// The same, held until the transaction ends.
pub fn hold_those(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Schedule>> {
    let applications: BTreeSet<i64> = store::unfinished(conn, ids)?.iter().map(|s| s.application_id).collect();
    // In the order in which whoever saves holds them: the Application, then the schedule.
    db::lock_rows(conn, "applications", &Vec::from_iter(applications))?;
    db::lock_rows(conn, "schedules", ids)?;
    store::unfinished(conn, ids)
}
