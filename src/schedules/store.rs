//! Schedules in the database.

use std::collections::HashMap;

use super::clock_store::unreadable;
use super::model::{About, Notify, Outline, Schedule, State};
use super::recipients_store;
use super::rule::Rule;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{members, schedules};
use crate::error::{AppError, Result};
use crate::imports::Target;

pub use super::standing_store::{Standing, archive, set_owner, set_standing, touch, unarchive};

#[derive(Queryable)]
struct Row {
    id: i64,
    application_id: i64,
    configuration_id: Option<i64>,
    set_id: Option<i64>,
    run_name: Option<String>,
    rule: String,
    enabled: bool,
    off_since: Option<Moment>,
    off_until: Option<Moment>,
    next_at: Option<Moment>,
    claimed_at: Option<Moment>,
    broken: Option<String>,
    owner_id: i64,
    notify_about: Option<About>,
    notify_after: i32,
    parameters: Option<String>,
    version: i64,
    created_at: Moment,
    updated_at: Moment,
    updated_by: i64,
    finished_at: Option<Moment>,
}

macro_rules! columns {
    () => {
        (
            schedules::id,
            schedules::application_id,
            schedules::configuration_id,
            schedules::set_id,
            schedules::run_name,
            schedules::rule,
            schedules::enabled,
            schedules::off_since,
            schedules::off_until,
            schedules::next_at,
            schedules::claimed_at,
            schedules::broken,
            schedules::owner_id,
            schedules::notify_about,
            schedules::notify_after,
            schedules::parameters,
            schedules::version,
            schedules::created_at,
            schedules::updated_at,
            schedules::updated_by,
            schedules::finished_at,
        )
    };
}

fn rows(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Schedule>> {
    let ids: Vec<i64> = rows.iter().filter(|row| row.notify_about.is_some()).map(|row| row.id).collect();
    let mut told = recipients_store::of(conn, &ids)?;
    rows.into_iter()
        .filter_map(|row| Some((Target::of(row.configuration_id, row.set_id)?, row)))
        .map(|(target, row)| {
            // One that cannot be read is shown as broken, among the others.
            let (rule, unread) = match serde_json::from_str(&row.rule) {
                Ok(rule) => (rule, None),
                Err(error) => (Rule::NEVER, Some(unreadable("rule", &error))),
            };
            let (parameters, lost) = match row.parameters.as_deref().map(serde_json::from_str).transpose() {
                Ok(parameters) => (parameters, None),
                Err(error) => (None, Some(unreadable("parameters", &error))),
            };
            Ok(Schedule {
                id: row.id,
                application_id: row.application_id,
                target,
                run_name: row.run_name,
                rule,
                enabled: row.enabled,
                off_since: row.off_since,
                off_until: row.off_until,
                next_at: row.next_at,
                claimed_at: row.claimed_at,
                broken: row.broken.or(unread).or(lost),
                owner_id: row.owner_id,
                notify: row.notify_about.map(|about| {
                    let (member_ids, group_ids) = told.remove(&row.id).unwrap_or_default();
                    Notify { about, member_ids, group_ids, after: row.notify_after }
                }),
                parameters,
                version: row.version,
                created_at: row.created_at,
                updated_at: row.updated_at,
                updated_by: row.updated_by,
                finished_at: row.finished_at,
            })
        })
        .collect()
}

/// Also a deleted one, for the history that names it.
pub fn by_id_even_archived(conn: &mut Conn, id: i64) -> Result<Option<Schedule>> {
    let row = schedules::table.find(id).select(columns!()).first::<Row>(conn).optional()?;
    Ok(rows(conn, row.into_iter().collect())?.pop())
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Schedule>> {
    let row = schedules::table
        .filter(schedules::id.eq(id).and(schedules::archived_at.is_null()))
        .select(columns!())
        .first::<Row>(conn)
        .optional()?;
    Ok(rows(conn, row.into_iter().collect())?.pop())
}

/// Those of an Application that are deleted.
pub fn archived_by_ids(conn: &mut Conn, application_id: i64, ids: &[i64]) -> Result<Vec<Schedule>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = schedules::table
        .filter(schedules::application_id.eq(application_id).and(schedules::archived_at.is_not_null()))
        .filter(schedules::id.eq_any(ids))
        .order(schedules::id)
        .select(columns!())
        .load::<Row>(conn)?;
    rows(conn, found)
}

/// Those of an Application, but not what is deleted, by configuration.
pub fn by_ids(conn: &mut Conn, application_id: i64, ids: &[i64]) -> Result<Vec<Schedule>> {
    let found = schedules::table
        .filter(schedules::application_id.eq(application_id).and(schedules::archived_at.is_null()))
        .filter(schedules::id.eq_any(ids))
        .order((schedules::configuration_id, schedules::set_id, schedules::id))
        .select(columns!())
        .load::<Row>(conn)?;
    rows(conn, found)
}

/// Those that have something to come, of all Applications.
pub fn unfinished(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Schedule>> {
    let found = schedules::table
        .filter(schedules::id.eq_any(ids).and(schedules::archived_at.is_null()))
        .filter(schedules::finished_at.is_null())
        .order((schedules::application_id, schedules::configuration_id, schedules::set_id, schedules::id))
        .select(columns!())
        .load::<Row>(conn)?;
    rows(conn, found)
}

pub fn of_application(conn: &mut Conn, application_id: i64) -> Result<Vec<Schedule>> {
    let found = schedules::table
        .filter(schedules::application_id.eq(application_id).and(schedules::archived_at.is_null()))
        .order((schedules::configuration_id, schedules::set_id, schedules::id))
        .select(columns!())
        .load::<Row>(conn)?;
    rows(conn, found)
}

/// What a long list knows of each schedule of an Application, in the order of their ids: no rule is read.
pub fn outlines(conn: &mut Conn, application_id: i64) -> Result<Vec<Outline>> {
    type Row = (i64, Option<i64>, Option<i64>, i64, Option<Moment>, bool, Option<Moment>);
    let rows: Vec<Row> = schedules::table
        .filter(schedules::application_id.eq(application_id).and(schedules::archived_at.is_null()))
        .order(schedules::id)
        .select((
            schedules::id,
            schedules::configuration_id,
            schedules::set_id,
            schedules::owner_id,
            schedules::next_at,
            schedules::enabled,
            schedules::finished_at,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, configuration_id, set_id, owner_id, next_at, enabled, finished_at)| {
            let state = State::of(enabled, finished_at);
            Some(Outline { id, target: Target::of(configuration_id, set_id)?, owner_id, next_at, state })
        })
        .collect())
}

pub fn of_targets(conn: &mut Conn, targets: &[Target]) -> Result<Vec<Schedule>> {
    let keys: Vec<String> = targets.iter().map(Target::to_string).collect();
    let found = schedules::table
        .filter(schedules::target_key.eq_any(keys).and(schedules::archived_at.is_null()))
        .order((schedules::configuration_id, schedules::set_id, schedules::id))
        .select(columns!())
        .load::<Row>(conn)?;
    rows(conn, found)
}

pub fn page(conn: &mut Conn, application_id: i64, after: i64, limit: i64) -> Result<Vec<Schedule>> {
    let found = schedules::table
        .filter(schedules::application_id.eq(application_id).and(schedules::archived_at.is_null()))
        .filter(schedules::id.gt(after))
        .order(schedules::id)
        .limit(limit)
        .select(columns!())
        .load::<Row>(conn)?;
    rows(conn, found)
}

/// The next 500 schedules after that id, of all Applications, whose next occurrence is to come.
pub fn planned_after(conn: &mut Conn, id: i64, now: Moment) -> Result<Vec<Schedule>> {
    let found = schedules::table
        .filter(schedules::id.gt(id).and(schedules::next_at.gt(now)).and(schedules::archived_at.is_null()))
        .order(schedules::id)
        .limit(500)
        .select(columns!())
        .load::<Row>(conn)?;
    rows(conn, found)
}

/// The schedules that hold a slot of a target, with it.
pub fn slot_holders(conn: &mut Conn, target: Target) -> Result<Vec<(Schedule, String)>> {
    let found: Vec<(i64, Option<String>)> = schedules::table
        .filter(schedules::target_key.eq(target.to_string()))
        .filter(schedules::slot_key.is_not_null())
        .select((schedules::id, schedules::slot_key))
        .load(conn)?;
    let keys: HashMap<i64, String> = found.into_iter().filter_map(|(id, key)| Some((id, key?))).collect();
    let ids: Vec<i64> = keys.keys().copied().collect();
    let found = schedules::table.filter(schedules::id.eq_any(ids)).select(columns!()).load::<Row>(conn)?;
    let held = rows(conn, found)?;
    Ok(held.into_iter().filter_map(|s| keys.get(&s.id).map(|key| (s.clone(), key.clone()))).collect())
}

/// A schedule that has no further occurrence gives its slot back; one of which an occurrence is due and unclaimed is
/// finished by the dispatcher, once that is claimed.
pub fn free_slot(conn: &mut Conn, id: i64, finished_at: Option<Moment>) -> Result<()> {
    diesel::update(schedules::table.find(id))
        .set((schedules::slot_key.eq(None::<String>), schedules::finished_at.eq(finished_at)))
        .execute(conn)?;
    Ok(())
}

/// The unfinished schedule of the Application, other than this one, that has a run name (case ignored), and its Owner's name.
pub fn with_run_name(
    conn: &mut Conn,
    application_id: i64,
    name: &str,
    besides: i64,
) -> Result<Option<(Schedule, String)>> {
    let names: Vec<(i64, Option<String>)> = schedules::table
        .filter(schedules::application_id.eq(application_id).and(schedules::archived_at.is_null()))
        .filter(schedules::finished_at.is_null().and(schedules::run_name.is_not_null()))
        .filter(schedules::id.ne(besides))
        .order(schedules::id)
        .select((schedules::id, schedules::run_name))
        .load(conn)?;
    let name = name.to_lowercase();
    let is_it = |(_, other): &(i64, Option<String>)| other.as_ref().is_some_and(|other| other.to_lowercase() == name);
    let Some((id, _)) = names.into_iter().find(is_it) else { return Ok(None) };
    let Some(holder) = by_id(conn, id)? else { return Ok(None) };
    let owner = member_name(conn, holder.owner_id)?;
    Ok(Some((holder, owner)))
}

/// What is written when a schedule is saved.
pub struct Saved<'a> {
    pub application_id: i64,
    pub target: Target,
    pub slot_key: Option<String>,
    pub run_name: Option<&'a str>,
    pub rule: &'a Rule,
    pub enabled: bool,
    pub off_since: Option<Moment>,
    pub off_until: Option<Moment>,
    pub next_at: Option<Moment>,
    /// Of this rule.
    pub claimed_at: Option<Moment>,
    pub owner_id: i64,
    pub notify: Option<&'a Notify>,
    pub parameters: Option<&'a serde_json::Value>,
    pub finished_at: Option<Moment>,
    pub updated_by: i64,
}

macro_rules! saved_values {
    ($saved:expr, $now:expr) => {
        (
            schedules::application_id.eq($saved.application_id),
            schedules::configuration_id.eq($saved.target.configuration()),
            schedules::set_id.eq($saved.target.set()),
            schedules::target_key.eq($saved.target.to_string()),
            schedules::slot_key.eq(&$saved.slot_key),
            schedules::run_name.eq($saved.run_name),
            schedules::rule.eq(serde_json::to_string($saved.rule).map_err(AppError::internal)?),
            schedules::enabled.eq($saved.enabled),
            schedules::off_since.eq($saved.off_since),
            schedules::off_until.eq($saved.off_until),
            schedules::next_at.eq($saved.next_at),
            schedules::claimed_at.eq($saved.claimed_at),
            schedules::broken.eq(None::<String>),
            schedules::owner_id.eq($saved.owner_id),
            schedules::notify_about.eq($saved.notify.map(|n| n.about)),
            schedules::notify_after.eq($saved.notify.map_or(1, |n| n.after)),
            schedules::parameters.eq($saved.parameters.map(|p| p.to_string())),
            schedules::finished_at.eq($saved.finished_at),
            schedules::updated_by.eq($saved.updated_by),
            schedules::updated_at.eq($now),
        )
    };
}

/// `form`: which form made it, once.
pub fn insert(conn: &mut Conn, saved: &Saved, form: Option<&str>, now: Moment) -> Result<i64> {
    let id: i64 = diesel::insert_into(schedules::table)
        .values((
            saved_values!(saved, now),
            schedules::version.eq(1),
            schedules::created_at.eq(now),
            schedules::made_by_form.eq(form),
        ))
        .returning(schedules::id)
        .get_result(conn)?;
    recipients_store::insert(conn, id, saved.notify)?;
    Ok(id)
}

/// The schedule that a form made, also one that was deleted since.
pub fn made_by_form(conn: &mut Conn, form: &str) -> Result<Option<i64>> {
    Ok(schedules::table.filter(schedules::made_by_form.eq(form)).select(schedules::id).first(conn).optional()?)
}

/// Saves over a version; `false` when somebody saved another one in between.
pub fn update(conn: &mut Conn, was: &Schedule, saved: &Saved, now: Moment) -> Result<bool> {
    let query = diesel::update(schedules::table.filter(
        schedules::id.eq(was.id).and(schedules::version.eq(was.version)).and(schedules::archived_at.is_null()),
    ))
    .set((saved_values!(saved, now), schedules::version.eq(was.version + 1)));
    if query.execute(conn)? == 0 {
        return Ok(false);
    }
    recipients_store::delete(conn, was.id)?;
    recipients_store::insert(conn, was.id, saved.notify)?;
    Ok(true)
}

pub fn member_name(conn: &mut Conn, id: i64) -> Result<String> {
    Ok(members::table.find(id).select(members::name).first(conn)?)
}
