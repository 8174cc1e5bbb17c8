//! Which freezes hold, and which have ended and are truly over.
//! Nobody acts here, so nothing is asked about rights.

use std::collections::{BTreeSet, HashMap};

use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::Result;
use crate::freezes::{self, Freeze, by_clock};
use crate::schedules::LATE;

/// The freezes of these Applications that held at some instant from `from` to `until`. They are locked: nobody ends one
/// of them while occurrences are being skipped under it.
pub fn holding(conn: &mut Conn, application_ids: &[i64], from: Moment, until: Moment) -> Result<Vec<Freeze>> {
    let seen = by_clock::holding(conn, application_ids, from, until)?;
    if seen.is_empty() {
        return Ok(seen);
    }
    lock(conn, seen.iter().map(|f| f.id))?;
    by_clock::holding(conn, application_ids, from, until)
}

/// Which Applications have a freeze that has ended and was not settled.
pub fn ended(conn: &mut Conn, now: Moment) -> Result<BTreeSet<i64>> {
    Ok(by_clock::unsettled(conn, None, now)?.into_iter().map(|f| f.application_id).collect())
}

/// The ended and unsettled freezes of an Application, each with the instant at which it is truly over: when no other
/// holds any more. One that another outlasts until after `now` is left out; so is one that ended a while ago when another
/// holds now: nothing begins late while the Application is frozen.
pub fn over(conn: &mut Conn, application_id: i64, now: Moment) -> Result<Vec<(Moment, Freeze)>> {
    let ended = by_clock::unsettled(conn, Some(application_id), now)?;
    let Some(first) = ended.iter().map(|f| f.ends_at).min() else { return Ok(Vec::new()) };
    let others = by_clock::holding(conn, &[application_id], first, now)?;
    let over = ended.into_iter().map(|f| (freezes::released(&others, f.ends_at), f));
    let frozen_now = freezes::at(&others, now).is_some();
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

/// What these freezes have skipped, by freeze, schedule and target.
pub fn skips(conn: &mut Conn, freeze_ids: &[i64]) -> Result<HashMap<(i64, i64, String), by_clock::Skip>> {
    let skips = by_clock::skips(conn, freeze_ids)?;
    Ok(skips.into_iter().map(|skip| ((skip.freeze_id, skip.schedule_id, skip.target_key.clone()), skip)).collect())
}
