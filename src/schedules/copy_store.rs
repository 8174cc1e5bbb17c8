//! The schedules of an Application in another, all of them off; turned off; put away.

use std::collections::BTreeMap;

use serde_json::Value;

use super::model::{About, Notify, Schedule};
use super::{recipients_store, store};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::schedules;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::import_sets;
use crate::imports::Target;

/// What stands for what in the copy, and who for whom.
pub struct Copies<'a> {
    pub values: &'a import_sets::Copies<'a>,
    pub sets: &'a BTreeMap<i64, i64>,
    /// The Owner in the copy.
    pub owner: &'a dyn Fn(i64) -> i64,
    /// Whether somebody may be told there.
    pub told: &'a dyn Fn(i64) -> bool,
}

impl Copies<'_> {
    fn target(&self, target: Target) -> Result<Target> {
        let copy = match target {
            Target::Configuration(id) => self.values.configurations.get(&id).map(|id| Target::Configuration(*id)),
            Target::Set(id) => self.sets.get(&id).map(|id| Target::Set(*id)),
        };
        copy.ok_or_else(|| AppError::Stale("A schedule was changed while it was copied. Try again.".into()))
    }
}

#[derive(Queryable)]
struct Row {
    id: i64,
    configuration_id: Option<i64>,
    set_id: Option<i64>,
    slot_key: Option<String>,
    run_name: Option<String>,
    rule: String,
    enabled: bool,
    off_since: Option<Moment>,
    off_until: Option<Moment>,
    broken: Option<String>,
    owner_id: i64,
    notify_about: Option<About>,
    notify_after: i32,
    parameters: Option<String>,
    finished_at: Option<Moment>,
}

impl Row {
    /// Since when its copy is off: one that was off for good stays what it was, any other waits to be looked at.
    fn off_since(&self, now: Moment) -> Moment {
        let for_good = !self.enabled && self.off_until.is_none();
        self.off_since.filter(|since| for_good && *since < now).unwrap_or(now)
    }
}

/// As they are stored, so that what cannot be read is copied too; the id of each copy by that of what it is a copy of.
pub fn copy_all(
    conn: &mut Conn,
    (from, to): (i64, i64),
    copies: &Copies<'_>,
    member_id: i64,
    now: Moment,
) -> Result<BTreeMap<i64, i64>> {
    let found = schedules::table
        .filter(schedules::application_id.eq(from).and(schedules::archived_at.is_null()))
        .order(schedules::id)
        .select((
            schedules::id,
            schedules::configuration_id,
            schedules::set_id,
            schedules::slot_key,
            schedules::run_name,
            schedules::rule,
            schedules::enabled,
            schedules::off_since,
            schedules::off_until,
            schedules::broken,
            schedules::owner_id,
            schedules::notify_about,
            schedules::notify_after,
            schedules::parameters,
            schedules::finished_at,
        ))
        .load::<Row>(conn)?;
    let mut copied = BTreeMap::new();
    for row in found {
        let Some(was) = Target::of(row.configuration_id, row.set_id) else { continue };
        let target = copies.target(was)?;
        let slot = row.slot_key.as_deref().and_then(|key| key.rsplit(':').next());
        let parameters = match row.parameters.as_deref().map(serde_json::from_str::<Value>) {
            Some(Ok(values)) => copies.values.values(conn, was, Some(&values))?.map(|values| values.to_string()),
            _ => row.parameters.clone(),
        };
        let (members, group_ids) = recipients_store::of(conn, &[row.id])?.remove(&row.id).unwrap_or_default();
        let member_ids: Vec<i64> = members.into_iter().filter(|member| (copies.told)(*member)).collect();
        // Who of a group may be told there is asked when something is told.
        let notify = row.notify_about.filter(|_| !member_ids.is_empty() || !group_ids.is_empty()).map(|about| Notify {
            about,
            member_ids,
            group_ids,
            after: row.notify_after,
        });
        let id: i64 = diesel::insert_into(schedules::table)
            .values((
                (
                    schedules::application_id.eq(to),
                    schedules::configuration_id.eq(target.configuration()),
                    schedules::set_id.eq(target.set()),
                    schedules::target_key.eq(target.to_string()),
                    schedules::slot_key.eq(slot.map(|slot| format!("{target}:{slot}"))),
                    schedules::run_name.eq(&row.run_name),
                    schedules::rule.eq(&row.rule),
                    schedules::enabled.eq(false),
                    schedules::off_since.eq(row.off_since(now)),
                    schedules::broken.eq(&row.broken),
                    schedules::owner_id.eq((copies.owner)(row.owner_id)),
                ),
                (
                    schedules::notify_about.eq(notify.as_ref().map(|notify| notify.about)),
                    schedules::notify_after.eq(row.notify_after),
                    schedules::parameters.eq(parameters),
                    schedules::finished_at.eq(row.finished_at),
                    schedules::version.eq(1),
                    schedules::created_at.eq(now),
                    schedules::updated_at.eq(now),
                    schedules::updated_by.eq(member_id),
                ),
            ))
            .returning(schedules::id)
            .get_result(conn)?;
        recipients_store::insert(conn, id, notify.as_ref())?;
        copied.insert(row.id, id);
    }
    Ok(copied)
}

/// All of an Application, also those that are finished.
pub fn all_of(conn: &mut Conn, application_id: i64) -> Result<Vec<Schedule>> {
    store::of_application(conn, application_id)
}

/// Holds all of an Application, so that the clock begins none of them meanwhile.
pub fn lock_all(conn: &mut Conn, application_id: i64) -> Result<()> {
    let living = schedules::application_id.eq(application_id).and(schedules::archived_at.is_null());
    let ids: Vec<i64> = schedules::table.filter(living).order(schedules::id).select(schedules::id).load(conn)?;
    Ok(db::lock_rows(conn, "schedules", &ids)?)
}

/// Turns off all that are on, or would come on by themselves; how many.
pub fn turn_all_off(conn: &mut Conn, application_id: i64, member_id: i64, now: Moment) -> Result<usize> {
    let living = schedules::application_id.eq(application_id).and(schedules::archived_at.is_null());
    let goes = schedules::enabled.eq(true).or(schedules::off_until.is_not_null());
    let query = diesel::update(schedules::table.filter(living.and(schedules::finished_at.is_null()).and(goes))).set((
        schedules::enabled.eq(false),
        schedules::off_since.eq(now),
        schedules::off_until.eq(None::<Moment>),
        schedules::next_at.eq(None::<Moment>),
        schedules::updated_at.eq(now),
        schedules::updated_by.eq(member_id),
        schedules::version.eq(schedules::version + 1),
    ));
    Ok(query.execute(conn)?)
}

/// All of an Application are deleted; their history keeps them.
pub fn archive_all(conn: &mut Conn, application_id: i64, member_id: i64, now: Moment) -> Result<usize> {
    let living = schedules::application_id.eq(application_id).and(schedules::archived_at.is_null());
    let query = diesel::update(schedules::table.filter(living)).set((
        schedules::archived_at.eq(now),
        schedules::slot_key.eq(None::<String>),
        schedules::next_at.eq(None::<Moment>),
        schedules::updated_at.eq(now),
        schedules::updated_by.eq(member_id),
        schedules::version.eq(schedules::version + 1),
    ));
    Ok(query.execute(conn)?)
}

/// How many of an Application are off since one of these very moments.
pub fn count_off_since(conn: &mut Conn, application_id: i64, at: &[Moment]) -> Result<i64> {
    let at: Vec<i64> = at.iter().map(|at| at.micros()).collect();
    let living = schedules::application_id.eq(application_id).and(schedules::archived_at.is_null());
    let off = schedules::enabled.eq(false).and(schedules::finished_at.is_null()).and(schedules::off_until.is_null());
    Ok(schedules::table.filter(living.and(off).and(schedules::off_since.eq_any(at))).count().get_result(conn)?)
}

/// How many of an Application have not finished.
pub fn count_unfinished(conn: &mut Conn, application_id: i64) -> Result<i64> {
    let living = schedules::application_id.eq(application_id).and(schedules::archived_at.is_null());
    Ok(schedules::table.filter(living.and(schedules::finished_at.is_null())).count().get_result(conn)?)
}
