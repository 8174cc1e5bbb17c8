//! What the clock asks of the table of schedules, and how it moves them on; people's part is in `store`.

use diesel::sql_types::{Array, BigInt, Text};
use std::collections::HashMap;

use super::model::Schedule;
use super::rule::Rule;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::schedules;
use crate::db::{self, Conn};
use crate::error::Result;
use crate::imports::Target;

/// A schedule whose moment has come.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: i64,
    pub application_id: i64,
    pub target: Target,
    pub rule: Rule,
    /// The occurrence to claim; never later than the moment that was asked about.
    pub next_at: Moment,
    pub run_name: Option<String>,
    pub owner_id: i64,
    pub parameters: Option<String>,
}

/// What has something due, and how many schedules each: light, to be cut into batches.
pub fn due_targets(conn: &mut Conn, now: Moment) -> Result<Vec<(String, usize)>> {
    let found: Vec<String> = schedules::table
        .filter(schedules::next_at.le(now))
        .order((schedules::next_at, schedules::id))
        .select(schedules::target_key)
        .load(conn)?;
    let mut order = Vec::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for key in &found {
        let count = counts.entry(key).or_default();
        if *count == 0 {
            order.push(key);
        }
        *count += 1;
    }
    Ok(order.into_iter().map(|key| (key.clone(), counts[key.as_str()])).collect())
}

/// What is due of some targets.
#[derive(Debug, Default)]
pub struct AllDue {
    /// By id.
    pub good: Vec<Due>,
    /// Schedules with which the clock cannot go on, and why.
    pub broken: Vec<(i64, String)>,
}

/// What is due of these targets (by key). Held until the transaction ends, in the order of ids as people's actions hold
/// them: a rule that is saved meanwhile is the one that moves on.
pub fn due_of(conn: &mut Conn, targets: &[String], now: Moment) -> Result<AllDue> {
    if let Conn::Pg(conn) = conn {
        let held = "SELECT 1 FROM schedules WHERE next_at <= $1 AND target_key = ANY($2) ORDER BY id FOR NO KEY UPDATE";
        let query = diesel::sql_query(held).bind::<BigInt, _>(now.micros());
        query.bind::<Array<Text>, _>(targets).execute(conn)?;
    }
    type DueRow = (i64, i64, String, String, Option<Moment>, Option<String>, i64, Option<String>);
    let found: Vec<DueRow> = schedules::table
        .filter(schedules::next_at.le(now))
        .filter(schedules::target_key.eq_any(targets))
        .order(schedules::id)
        .select((
            schedules::id,
            schedules::application_id,
            schedules::target_key,
            schedules::rule,
            schedules::next_at,
            schedules::run_name,
            schedules::owner_id,
            schedules::parameters,
        ))
        .load(conn)?;
    let mut all = AllDue::default();
    for (id, application_id, target, rule, next_at, run_name, owner_id, parameters) in found {
        let Some(next_at) = next_at else { continue };
        let (target, rule) = match (Target::parse(&target), serde_json::from_str::<Rule>(&rule)) {
            (Some(target), Ok(rule)) => (target, rule),
            (None, _) => {
                all.broken.push((id, format!("\"{target}\" is neither a configuration nor a set.")));
                continue;
            }
            (_, Err(error)) => {
                all.broken.push((id, unreadable("rule", &error)));
                continue;
            }
        };
        let read = parameters.as_deref().map(serde_json::from_str::<serde::de::IgnoredAny>).transpose();
        if let Err(error) = read {
            all.broken.push((id, unreadable("parameters", &error)));
            continue;
        }
        all.good.push(Due { id, application_id, target, rule, next_at, run_name, owner_id, parameters });
    }
    Ok(all)
}

/// Why the clock cannot go on with a schedule, for people.
pub fn unreadable(what: &str, error: &serde_json::Error) -> String {
    format!("Its {what} cannot be read ({error}). Nothing is planned until someone saves it again.")
}

/// Sets schedules aside with the reason, so that all others go on: nothing is planned for them until they are saved.
pub fn set_aside(conn: &mut Conn, broken: &[(i64, String)]) -> Result<()> {
    for (id, reason) in broken {
        diesel::update(schedules::table.find(id))
            .set((
                schedules::broken.eq(reason),
                schedules::next_at.eq(None::<Moment>),
                schedules::off_until.eq(None::<Moment>),
            ))
            .execute(conn)?;
        tracing::error!(schedule = id, reason, "a schedule was set aside");
    }
    Ok(())
}

/// The step of a schedule from the occurrence that was due to the one after all that is claimed.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub id: i64,
    pub from: Moment,
    /// The newest occurrence that is claimed; `None`: none is.
    pub claimed: Option<Moment>,
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
    sql.push_str("UPDATE schedules SET next_at = v.column3, claimed_at = coalesce(v.column4, claimed_at), ");
    let now = now.micros();
    sql += &format!(
        "finished_at = CASE WHEN v.column3 IS NULL THEN {now} ELSE finished_at END, \
         slot_key = CASE WHEN v.column3 IS NULL THEN NULL ELSE slot_key END FROM (VALUES "
    );
    for (i, step) in steps.iter().enumerate() {
        let micros = |at: Option<Moment>| at.map_or("CAST(NULL AS BIGINT)".to_owned(), |at| at.micros().to_string());
        let comma = if i == 0 { "" } else { "," };
        sql += &format!("{comma}({},{},{},{})", step.id, step.from.micros(), micros(step.to), micros(step.claimed));
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

/// Schedules whose next occurrence was due before an instant, with it. A hundred at most.
pub fn overdue(conn: &mut Conn, before: Moment) -> Result<Vec<(i64, Moment)>> {
    let overdue = schedules::table.filter(schedules::next_at.lt(before).and(schedules::archived_at.is_null()));
    let overdue = overdue.order((schedules::next_at, schedules::id)).limit(100);
    Ok(overdue.select((schedules::id, schedules::next_at.assume_not_null())).load(conn)?)
}

/// Those that turn themselves on again by now, by id: so they are held in the order in which everybody holds them.
pub fn to_wake(conn: &mut Conn, now: Moment) -> Result<Vec<i64>> {
    let asleep = schedules::off_until.le(now).and(schedules::archived_at.is_null());
    // Asked for in the order of the index: by id, SQLite would read every schedule each second.
    let asleep = schedules::table.filter(asleep).order((schedules::off_until, schedules::id)).limit(500);
    let mut ids: Vec<i64> = asleep.select(schedules::id).load(conn)?;
    ids.sort_unstable();
    Ok(ids)
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
