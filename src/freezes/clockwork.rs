//! What the clock asks of freezes, for `runs::dispatcher`: what they hold, what they have skipped, and which have ended.
//! Nobody acts here, so nothing is asked about rights.

use std::collections::{BTreeSet, HashMap};

use super::model::Freeze;
pub use super::store::Skip;
use super::store::{self};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::Result;
use crate::schedules::LATE;

/// The freezes of these Applications that held at some instant from `from` to `until`. They are locked: nobody ends one
/// of them while occurrences are being skipped under it.
pub fn holding(conn: &mut Conn, application_ids: &[i64], from: Moment, until: Moment) -> Result<Vec<Freeze>> {
    let seen = store::holding(conn, application_ids, from, until)?;
    if seen.is_empty() {
        return Ok(seen);
    }
    lock(conn, seen.iter().map(|f| f.id))?;
    store::holding(conn, application_ids, from, until)
}

/// Which Applications have a freeze that has ended and was not settled.
pub fn ended(conn: &mut Conn, now: Moment) -> Result<BTreeSet<i64>> {
    Ok(store::unsettled(conn, None, now)?.into_iter().map(|f| f.application_id).collect())
}

/// The ended and unsettled freezes of an Application, each with the instant at which it is truly over: when no other
/// holds any more. One that another outlasts until after `now` is left out; so is one that ended a while ago when another
/// holds now: nothing begins late while the Application is frozen.
pub fn over(conn: &mut Conn, application_id: i64, now: Moment) -> Result<Vec<(Moment, Freeze)>> {
    let ended = store::unsettled(conn, Some(application_id), now)?;
    let Some(first) = ended.iter().map(|f| f.ends_at).min() else { return Ok(Vec::new()) };
    let others = store::holding(conn, &[application_id], first, now)?;
    let over = ended.into_iter().map(|f| (super::released(&others, f.ends_at), f));
    let frozen_now = super::at(&others, now).is_some();
    Ok(over.filter(|(at, _)| *at <= now && !(frozen_now && now.since(*at) > LATE)).collect())
}

/// Holds these freezes until the transaction ends.
pub fn lock(conn: &mut Conn, ids: impl Iterator<Item = i64>) -> Result<()> {
    let ids: BTreeSet<i64> = ids.collect();
    for id in ids {
        db::lock_row(conn, "freezes", id)?;
    }
    Ok(())
}

/// Marks a freeze as seen to; `false` when somebody else had.
pub fn settle(conn: &mut Conn, id: i64, now: Moment) -> Result<bool> {
    store::settle(conn, id, now)
}

/// What these freezes have skipped, by freeze and schedule.
pub fn skips(conn: &mut Conn, freeze_ids: &[i64]) -> Result<HashMap<(i64, i64), Skip>> {
    let skips = store::skips(conn, freeze_ids)?;
    Ok(skips.into_iter().map(|skip| ((skip.freeze_id, skip.schedule_id), skip)).collect())
}

/// The first occurrences that freezes skip of schedules.
pub fn begin_skips(conn: &mut Conn, skips: &[Skip]) -> Result<()> {
    store::insert_skips(conn, skips)
}

/// Further occurrences, the last of them at `newest_at`.
pub fn grow_skip(conn: &mut Conn, freeze_id: i64, schedule_id: i64, more: i64, newest_at: Moment) -> Result<()> {
    store::grow_skip(conn, freeze_id, schedule_id, more, newest_at)
}
