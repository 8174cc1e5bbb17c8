//! Freezes in the database.

use std::collections::HashMap;

use super::model::{Draft, Freeze};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{applications, freeze_skips, freezes};
use crate::db::{self, Conn, on};
use crate::error::{AppError, Result};
use crate::names::name_key;

type Row = (i64, i64, String, Moment, Moment, bool, i64, i64, Moment, Option<Moment>, String);

macro_rules! columns {
    () => {
        (
            freezes::id,
            freezes::application_id,
            freezes::name,
            freezes::starts_at,
            freezes::ends_at,
            freezes::run_once,
            freezes::version,
            freezes::created_by,
            freezes::created_at,
            freezes::archived_at,
            applications::time_zone,
        )
    };
}

fn freeze(row: Row) -> Freeze {
    let (id, application_id, name, starts_at, ends_at, run_once, version, created_by, created_at, archived_at, zone) =
        row;
    let time_zone = zone.parse().unwrap_or(chrono_tz::UTC);
    Freeze {
        id,
        application_id,
        name,
        starts_at,
        ends_at,
        run_once,
        version,
        created_by,
        created_at,
        archived_at,
        time_zone,
    }
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Freeze>> {
    let row = freezes::table
        .inner_join(applications::table)
        .filter(freezes::id.eq(id).and(freezes::archived_at.is_null()))
        .select(columns!())
        .first::<Row>(conn);
    Ok(row.optional()?.map(freeze))
}

/// The freezes of an Application that were not deleted, past ones too, by their beginning; for a caller that has
/// entered it.
pub fn of_application(conn: &mut Conn, application_id: i64) -> Result<Vec<Freeze>> {
    let rows = freezes::table
        .inner_join(applications::table)
        .filter(freezes::application_id.eq(application_id).and(freezes::archived_at.is_null()))
        .order((freezes::starts_at, freezes::id))
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(freeze).collect())
}

/// Those of these Applications that held at some instant from `from` to `until`, deleted ones for as long as they held.
pub fn holding(conn: &mut Conn, application_ids: &[i64], from: Moment, until: Moment) -> Result<Vec<Freeze>> {
    let rows = freezes::table
        .inner_join(applications::table)
        .filter(freezes::application_id.eq_any(application_ids))
        .filter(freezes::ends_at.gt(from).and(freezes::starts_at.le(until)))
        .filter(freezes::starts_at.lt(freezes::ends_at))
        .order(freezes::id)
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(freeze).collect())
}

/// Those that have ended, and the clock has not seen to it.
pub fn unsettled(conn: &mut Conn, application_id: Option<i64>, now: Moment) -> Result<Vec<Freeze>> {
    let mut query = freezes::table.inner_join(applications::table).into_boxed::<db::Backend>();
    if let Some(id) = application_id {
        query = query.filter(freezes::application_id.eq(id));
    }
    let rows = query
        .filter(freezes::settled_at.is_null().and(freezes::ends_at.le(now)))
        .order(freezes::id)
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(freeze).collect())
}

/// Marks as seen to; answers whether nobody else had.
pub fn settle(conn: &mut Conn, id: i64, now: Moment) -> Result<bool> {
    let changed = diesel::update(freezes::table.filter(freezes::id.eq(id).and(freezes::settled_at.is_null())))
        .set(freezes::settled_at.eq(now))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Holds a freeze until the transaction ends, and before it in the order of ids, in which the clock holds them too, those
/// whose names a change of it gives back.
pub fn lock_to_change(conn: &mut Conn, application_id: i64, id: i64, now: Moment) -> Result<()> {
    let mut ids = names_to_free(conn, application_id, now)?;
    ids.push(id);
    Ok(db::lock_rows(conn, "freezes", &ids)?)
}

/// Those that have ended and hold their names still.
fn names_to_free(conn: &mut Conn, application_id: i64, now: Moment) -> Result<Vec<i64>> {
    Ok(freezes::table
        .filter(freezes::application_id.eq(application_id).and(freezes::ends_at.le(now)))
        .filter(freezes::name_key.not_like("ended:%"))
        .order(freezes::id)
        .select(freezes::id)
        .load(conn)?)
}

fn free_names(conn: &mut Conn, application_id: i64, now: Moment) -> Result<()> {
    for id in names_to_free(conn, application_id, now)? {
        diesel::update(freezes::table.find(id)).set(freezes::name_key.eq(ended_key(id))).execute(conn)?;
    }
    Ok(())
}

fn ended_key(id: i64) -> String {
    format!("ended:{id}")
}

/// In lower case, marked so that no name looks like a key that was given back.
fn living_key(name: &str) -> String {
    format!("n:{}", name_key(name))
}

pub fn insert(conn: &mut Conn, application_id: i64, draft: &Draft, by: i64, now: Moment) -> Result<i64> {
    free_names(conn, application_id, now)?;
    diesel::insert_into(freezes::table)
        .values((
            freezes::application_id.eq(application_id),
            freezes::name.eq(&draft.name),
            freezes::name_key.eq(living_key(&draft.name)),
            freezes::starts_at.eq(draft.starts_at),
            freezes::ends_at.eq(draft.ends_at),
            freezes::run_once.eq(draft.run_once),
            freezes::version.eq(1),
            freezes::created_by.eq(by),
            freezes::created_at.eq(now),
        ))
        .returning(freezes::id)
        .get_result(conn)
        .map_err(|e| taken(e, &draft.name))
}

pub fn update(conn: &mut Conn, was: &Freeze, draft: &Draft, now: Moment) -> Result<()> {
    free_names(conn, was.application_id, now)?;
    diesel::update(freezes::table.find(was.id))
        .set((
            freezes::name.eq(&draft.name),
            freezes::name_key.eq(living_key(&draft.name)),
            freezes::starts_at.eq(draft.starts_at),
            freezes::ends_at.eq(draft.ends_at),
            freezes::run_once.eq(draft.run_once),
            freezes::version.eq(was.version + 1),
        ))
        .execute(conn)
        .map_err(|e| taken(e, &draft.name))?;
    Ok(())
}

fn taken(error: diesel::result::Error, name: &str) -> AppError {
    if db::is_taken(&error) {
        return AppError::Conflict(format!("A freeze named \"{name}\" has not ended yet. Choose another name."));
    }
    error.into()
}

/// Ends at an instant that is not before its beginning.
pub fn end(conn: &mut Conn, was: &Freeze, at: Moment) -> Result<()> {
    diesel::update(freezes::table.find(was.id))
        .set((freezes::ends_at.eq(at), freezes::version.eq(was.version + 1)))
        .execute(conn)?;
    Ok(())
}

pub fn archive(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(freezes::table.find(id))
        .set((freezes::name_key.eq(ended_key(id)), freezes::archived_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// What a freeze has skipped of a schedule so far.
#[derive(Clone, Debug, PartialEq, Insertable, Queryable)]
#[diesel(table_name = freeze_skips)]
pub struct Skip {
    pub freeze_id: i64,
    pub schedule_id: i64,
    /// What it would have run: a schedule that was moved within the freeze skips for each of its targets.
    pub target_key: String,
    /// The Skipped run that stands for all of them.
    pub run_id: i64,
    pub occurrences: i64,
    /// The latest occurrence.
    pub newest_at: Moment,
}

pub fn skips(conn: &mut Conn, freeze_ids: &[i64]) -> Result<Vec<Skip>> {
    Ok(freeze_skips::table
        .filter(freeze_skips::freeze_id.eq_any(freeze_ids))
        .order((freeze_skips::freeze_id, freeze_skips::schedule_id, freeze_skips::newest_at))
        .select((
            freeze_skips::freeze_id,
            freeze_skips::schedule_id,
            freeze_skips::target_key,
            freeze_skips::run_id,
            freeze_skips::occurrences,
            freeze_skips::newest_at,
        ))
        .load(conn)?)
}

/// How many occurrences each of these freezes has skipped.
pub fn skipped(conn: &mut Conn, freeze_ids: &[i64]) -> Result<HashMap<i64, i64>> {
    let mut counts = HashMap::new();
    for skip in skips(conn, freeze_ids)? {
        *counts.entry(skip.freeze_id).or_default() += skip.occurrences;
    }
    Ok(counts)
}

pub fn insert_skips(conn: &mut Conn, skips: &[Skip]) -> Result<()> {
    for chunk in skips.chunks(1_000) {
        on!(conn, c => diesel::insert_into(freeze_skips::table).values(chunk).execute_rows(c))?;
    }
    Ok(())
}

/// So many more of what that skip stands for, the newest then.
pub fn grow_skip(conn: &mut Conn, of: &Skip, more: i64, newest_at: Moment) -> Result<()> {
    diesel::update(freeze_skips::table.find((of.freeze_id, of.schedule_id, &of.target_key)))
        .set((freeze_skips::occurrences.eq(freeze_skips::occurrences + more), freeze_skips::newest_at.eq(newest_at)))
        .execute(conn)?;
    Ok(())
}

/// Those that have not ended, in another Application.
pub fn copy_all(conn: &mut Conn, from: i64, to: i64, by: i64, now: Moment) -> Result<usize> {
    let open: Vec<Freeze> = of_application(conn, from)?.into_iter().filter(|freeze| freeze.ends_at > now).collect();
    for Freeze { name, starts_at, ends_at, run_once, .. } in open.iter().cloned() {
        insert(conn, to, &Draft { name, starts_at, ends_at, run_once }, by, now)?;
    }
    Ok(open.len())
}

/// Those of an Application that have not ended, each as the audit log keeps it.
pub fn audited_all(conn: &mut Conn, application_id: i64, now: Moment) -> Result<Vec<(i64, serde_json::Value)>> {
    let open = of_application(conn, application_id)?.into_iter().filter(|freeze| freeze.ends_at > now);
    Ok(open.map(|freeze| (freeze.id, freeze.json())).collect())
}

/// All of an Application that have not ended are deleted.
pub fn archive_all(conn: &mut Conn, application_id: i64, now: Moment) -> Result<()> {
    for freeze in of_application(conn, application_id)?.into_iter().filter(|freeze| freeze.ends_at > now) {
        archive(conn, freeze.id, now)?;
    }
    Ok(())
}
