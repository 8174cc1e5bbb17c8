//! The limit of four: each unfinished schedule holds one of the slots of its configuration.

use std::collections::{BTreeSet, HashMap};

use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::imports::Configuration;
use crate::schedules::model::SLOTS;
use crate::schedules::store;

/// A slot of the configuration for a schedule: the one that it holds, or a free one. Frees those of schedules that
/// have no further occurrence first.
pub(super) fn take_slot(conn: &mut Conn, target: &Configuration, holder: Option<i64>, now: Moment) -> Result<String> {
    db::lock_row(conn, "import_configurations", target.id)?;
    let mut taken = BTreeSet::new();
    for (schedule, key) in store::slot_holders(conn, target.id)? {
        if Some(schedule.id) == holder {
            return Ok(key);
        }
        if schedule.holds_slot(now) {
            taken.insert(key);
            continue;
        }
        // An occurrence that is due and unclaimed is still the dispatcher's.
        store::free_slot(conn, schedule.id, if schedule.next_at.is_none() { Some(now) } else { None })?;
    }
    let key = |slot: i64| format!("{}:{slot}", store::target_key(target.id));
    (1..=SLOTS).map(key).find(|key| !taken.contains(key)).ok_or_else(|| {
        AppError::Conflict(format!("{} has four schedules already; delete or edit one of them.", target.name))
    })
}

/// How many slots of each configuration of an Application hold a schedule with a future, for a caller that has entered
/// it; a configuration without any is left out.
pub fn slots_taken(conn: &mut Conn, application_id: i64, now: Moment) -> Result<HashMap<i64, i64>> {
    let mut taken = HashMap::new();
    for schedule in store::of_application(conn, application_id)?.iter().filter(|schedule| schedule.holds_slot(now)) {
        *taken.entry(schedule.configuration_id).or_default() += 1;
    }
    Ok(taken)
}
