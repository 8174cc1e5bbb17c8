//! What the clock asks of the table of schedules, and how it moves them on; people's part is in `store`.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};
use std::collections::HashMap;

use super::model::Schedule;
use super::rule::Rule;
use crate::clock::Moment;
use crate::db::schema::schedules;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};

/// A schedule whose moment has come, or one of a configuration that has such a schedule.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: i64,
    pub application_id: i64,
    pub configuration_id: i64,
    pub rule: Rule,
    /// The occurrence to claim; never later than the moment that was asked about.
    pub next_at: Moment,
    pub run_name: Option<String>,
    pub owner_id: i64,
    pub parameters: Option<String>,
}

/// Which configurations have something due, and how many schedules each: light, to be cut into batches.
pub fn due_targets(conn: &mut Conn, now: Moment) -> Result<Vec<(i64, usize)>> {
    let found: Vec<Option<i64>> = schedules::table
        .filter(schedules::next_at.le(now))
        .order((schedules::next_at, schedules::id))
        .select(schedules::configuration_id)
        .load(conn)?;
    let mut order = Vec::new();
    let mut counts: HashMap<i64, usize> = HashMap::new();
    for id in found.into_iter().flatten() {
        let count = counts.entry(id).or_default();
        if *count == 0 {
            order.push(id);
        }
        *count += 1;
    }
    Ok(order.into_iter().map(|id| (id, counts[&id])).collect())
}

/// What is due of these configurations, by id. Held until the transaction ends, in the order of ids as people's actions
/// hold them: a rule that is saved meanwhile is the one that moves on.
pub fn due_of(conn: &mut Conn, configuration_ids: &[i64], now: Moment) -> Result<Vec<Due>> {
    if let Conn::Pg(conn) = conn {
        let held =
            "SELECT 1 FROM schedules WHERE next_at <= $1 AND configuration_id = ANY($2) ORDER BY id FOR NO KEY UPDATE";
        let query = diesel::sql_query(held).bind::<BigInt, _>(now.micros());
        query.bind::<Array<BigInt>, _>(configuration_ids).execute(conn)?;
    }
    type DueRow = (i64, i64, Option<i64>, String, Option<Moment>, Option<String>, i64, Option<String>);
    let found: Vec<DueRow> = schedules::table
        .filter(schedules::next_at.le(now))
        .filter(schedules::configuration_id.eq_any(configuration_ids))
        .order(schedules::id)
        .select((
            schedules::id,
            schedules::application_id,
            schedules::configuration_id,
            schedules::rule,
            schedules::next_at,
            schedules::run_name,
            schedules::owner_id,
            schedules::parameters,
        ))
        .load(conn)?;
    let mut due = Vec::with_capacity(found.len());
    for (id, application_id, configuration_id, rule, next_at, run_name, owner_id, parameters) in found {
        let (Some(configuration_id), Some(next_at)) = (configuration_id, next_at) else { continue };
        due.push(Due {
            id,
            application_id,
            configuration_id,
            rule: serde_json::from_str(&rule).map_err(AppError::internal)?,
            next_at,
            run_name,
            owner_id,
            parameters,
        });
    }
    Ok(due)
}

/// The step of a schedule from the occurrence that was due to the one after all that is claimed.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub id: i64,
    pub from: Moment,
    pub to: Option<Moment>,
}

/// Moves `next_at` of many schedules at once, each only from where it was read (compare-and-set), and finishes those
/// that have no further occurrence. Answers which were moved: only their occurrences are the caller's.
pub fn claim(conn: &mut Conn, steps: &[Step], now: Moment) -> Result<Vec<i64>> {
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    // Numbers only, so that they may stand in the text.
    let mut sql = String::with_capacity(64 * steps.len() + 400);
    sql.push_str("UPDATE schedules SET next_at = v.column3, ");
    let now = now.micros();
    sql += &format!(
        "finished_at = CASE WHEN v.column3 IS NULL THEN {now} ELSE finished_at END, \
         slot_key = CASE WHEN v.column3 IS NULL THEN NULL ELSE slot_key END FROM (VALUES "
    );
    for (i, step) in steps.iter().enumerate() {
        let to = step.to.map_or("CAST(NULL AS BIGINT)".to_owned(), |at| at.micros().to_string());
        let comma = if i == 0 { "" } else { "," };
        sql += &format!("{comma}({},{},{to})", step.id, step.from.micros());
    }
    sql.push_str(
        ") AS v WHERE schedules.id = v.column1 AND schedules.next_at = v.column2 AND schedules.archived_at IS NULL \
         RETURNING schedules.id AS id",
    );
    let moved: Vec<db::IdRow> = diesel::sql_query(sql).load(conn)?;
    Ok(moved.into_iter().map(|row| row.id).collect())
}

/// The earliest occurrence that is still to be claimed, of all schedules.
pub fn next_due(conn: &mut Conn) -> Result<Option<Moment>> {
    let found: Option<Option<Moment>> = schedules::table
        .filter(schedules::next_at.is_not_null())
        .order(schedules::next_at)
        .select(schedules::next_at)
        .first(conn)
        .optional()?;
    Ok(found.flatten())
}

/// Those that turn themselves on again by now.
pub fn to_wake(conn: &mut Conn, now: Moment) -> Result<Vec<i64>> {
    let asleep = schedules::off_until.le(now).and(schedules::archived_at.is_null());
    Ok(schedules::table.filter(asleep).select(schedules::id).limit(500).load(conn)?)
}

/// Turned on again at the moment for which that was planned; without a further occurrence it is finished.
pub fn wake(conn: &mut Conn, schedule: &Schedule, next_at: Option<Moment>, now: Moment) -> Result<()> {
    let finished_at = if next_at.is_none() { Some(now) } else { None };
    diesel::update(
        schedules::table.filter(
            schedules::id
                .eq(schedule.id)
                .and(schedules::version.eq(schedule.version))
                .and(schedules::archived_at.is_null()),
        ),
    )
    .set((
        schedules::enabled.eq(true),
        schedules::off_since.eq(None::<Moment>),
        schedules::off_until.eq(None::<Moment>),
        schedules::next_at.eq(next_at),
        schedules::finished_at.eq(finished_at),
        schedules::version.eq(schedule.version + 1),
    ))
    .execute(conn)?;
    if finished_at.is_some() {
        super::store::free_slot(conn, schedule.id, finished_at)?;
    }
    Ok(())
}
