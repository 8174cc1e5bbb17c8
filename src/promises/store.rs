//! Promises in the database.

use std::collections::HashMap;

use diesel::dsl::count_star;

use super::model::{Counts, Memory, Promise, State};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::promises;
use crate::db::{Conn, is_taken};
use crate::error::{AppError, Result};
use crate::imports::Target;
use crate::schedules::Rule;

#[derive(Queryable)]
struct Row {
    id: i64,
    application_id: i64,
    target_key: String,
    rule: String,
    version: i64,
    updated_at: Moment,
    state: State,
    deadline: Option<Moment>,
    settled: Moment,
    counts_from: Moment,
    late_since: Option<Moment>,
    answered_deadline: Option<Moment>,
    answered_at: Option<Moment>,
    feared: Option<Moment>,
    copied: bool,
}

macro_rules! columns {
    () => {
        (
            promises::id,
            promises::application_id,
            promises::target_key,
            promises::rule,
            promises::version,
            promises::updated_at,
            promises::state,
            promises::deadline,
            promises::settled,
            promises::counts_from,
            promises::late_since,
            promises::answered_deadline,
            promises::answered_at,
            promises::feared,
            promises::copied,
        )
    };
}

/// One that cannot be read is nobody's; it keeps no other from being kept.
fn promise(row: Row) -> Option<Promise> {
    let read = Target::parse(&row.target_key).zip(serde_json::from_str::<Rule>(&row.rule).ok());
    let Some((target, rule)) = read else {
        tracing::error!(promise = row.id, "a promise cannot be read");
        return None;
    };
    Some(Promise {
        id: row.id,
        application_id: row.application_id,
        target,
        rule,
        version: row.version,
        updated_at: row.updated_at,
        copied: row.copied,
        memory: Memory {
            state: row.state,
            deadline: row.deadline,
            settled: row.settled,
            counts_from: row.counts_from,
            late_since: row.late_since,
            answered: row.answered_deadline.zip(row.answered_at),
            feared: row.feared,
        },
    })
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Promise>> {
    let row = promises::table.find(id).select(columns!()).first::<Row>(conn).optional()?;
    Ok(row.and_then(promise))
}

pub fn of_target(conn: &mut Conn, target: Target) -> Result<Option<Promise>> {
    Ok(of_targets(conn, &[target])?.pop())
}

pub fn of_targets(conn: &mut Conn, targets: &[Target]) -> Result<Vec<Promise>> {
    let keys: Vec<String> = targets.iter().map(Target::to_string).collect();
    let rows = promises::table.filter(promises::target_key.eq_any(keys)).select(columns!()).load::<Row>(conn)?;
    Ok(rows.into_iter().filter_map(promise).collect())
}

/// The next ones by id, of all Applications, and the last id that was looked at.
pub fn page(conn: &mut Conn, after: i64, limit: i64) -> Result<(Vec<Promise>, Option<i64>)> {
    let next = promises::table.filter(promises::id.gt(after)).order(promises::id).limit(limit);
    let rows = next.select(columns!()).load::<Row>(conn)?;
    let last = rows.last().map(|row| row.id);
    Ok((rows.into_iter().filter_map(promise).collect(), last))
}

/// How the promises of these Applications stand, as they were last looked at: one that has none is left out. One query.
pub fn of_applications(conn: &mut Conn, application_ids: &[i64]) -> Result<HashMap<i64, Counts>> {
    let rows: Vec<(i64, State, i64)> = promises::table
        .filter(promises::application_id.eq_any(application_ids))
        .group_by((promises::application_id, promises::state))
        .select((promises::application_id, promises::state, count_star()))
        .load(conn)?;
    let mut all: HashMap<i64, Counts> = HashMap::new();
    for (application_id, state, n) in rows {
        let counts = all.entry(application_id).or_default();
        match state {
            State::Fresh => counts.fresh = n,
            State::AtRisk => counts.at_risk = n,
            State::Late => counts.late = n,
            State::Resting => counts.resting = n,
        }
    }
    Ok(all)
}

/// Those of these Applications that are late, or may be, as they were last looked at: the earliest deadline first. One query.
pub fn endangered(conn: &mut Conn, application_ids: &[i64], limit: i64) -> Result<Vec<Promise>> {
    let stands = promises::state.eq_any([State::Late, State::AtRisk]);
    let rows = promises::table
        .filter(promises::application_id.eq_any(application_ids).and(stands))
        .order((promises::deadline, promises::id))
        .limit(limit)
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().filter_map(promise).collect())
}

macro_rules! remembered {
    ($memory:expr) => {
        (
            promises::state.eq($memory.state),
            promises::deadline.eq($memory.deadline),
            promises::settled.eq($memory.settled),
            promises::counts_from.eq($memory.counts_from),
            promises::late_since.eq($memory.late_since),
            promises::answered_deadline.eq($memory.answered.map(|(due, _)| due)),
            promises::answered_at.eq($memory.answered.map(|(_, at)| at)),
            promises::feared.eq($memory.feared),
        )
    };
}

fn stored(rule: &Rule) -> Result<String> {
    serde_json::to_string(rule).map_err(AppError::internal)
}

pub fn insert(
    conn: &mut Conn,
    (application_id, target): (i64, Target),
    rule: &Rule,
    memory: &Memory,
    by: i64,
    now: Moment,
) -> Result<i64> {
    diesel::insert_into(promises::table)
        .values((
            promises::application_id.eq(application_id),
            promises::configuration_id.eq(target.configuration()),
            promises::set_id.eq(target.set()),
            promises::target_key.eq(target.to_string()),
            promises::rule.eq(stored(rule)?),
            promises::version.eq(1),
            promises::updated_at.eq(now),
            promises::updated_by.eq(by),
            remembered!(memory),
        ))
        .returning(promises::id)
        .get_result(conn)
        .map_err(|error| match is_taken(&error) {
            true => AppError::Stale("Someone has just set a Ready by time. Open it again.".into()),
            false => error.into(),
        })
}

/// Other deadlines.
pub fn update(conn: &mut Conn, was: &Promise, rule: &Rule, memory: &Memory, by: i64, now: Moment) -> Result<()> {
    diesel::update(promises::table.find(was.id))
        .set((
            promises::rule.eq(stored(rule)?),
            promises::version.eq(was.version + 1),
            promises::updated_at.eq(now),
            promises::updated_by.eq(by),
            promises::copied.eq(false),
            remembered!(memory),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn remember(conn: &mut Conn, id: i64, memory: &Memory) -> Result<()> {
    diesel::update(promises::table.find(id)).set(remembered!(memory)).execute(conn)?;
    Ok(())
}

pub fn delete(conn: &mut Conn, id: i64) -> Result<()> {
    diesel::delete(promises::table.find(id)).execute(conn)?;
    Ok(())
}

/// Those of an Application in another, where they rest until something is on; `copy` says of what each is then.
pub fn copy_all(
    conn: &mut Conn,
    (from, to): (i64, i64),
    copy: &dyn Fn(Target) -> Option<Target>,
    by: i64,
    now: Moment,
) -> Result<usize> {
    let here = promises::table.filter(promises::application_id.eq(from)).order(promises::id);
    let rows = here.select(columns!()).load::<Row>(conn)?;
    let mut copied = 0;
    for promise in rows.into_iter().filter_map(promise) {
        let Some(target) = copy(promise.target) else { continue };
        let id = insert(conn, (to, target), &promise.rule, &Memory::resting(&promise.rule, now), by, now)?;
        diesel::update(promises::table.find(id)).set(promises::copied.eq(true)).execute(conn)?;
        copied += 1;
    }
    Ok(copied)
}

/// All of an Application, each as the audit log keeps it.
pub fn audited_all(conn: &mut Conn, application_id: i64) -> Result<Vec<(i64, serde_json::Value)>> {
    let here = promises::table.filter(promises::application_id.eq(application_id)).order(promises::id);
    let all = here.select(columns!()).load::<Row>(conn)?.into_iter().filter_map(promise);
    Ok(all.map(|promise| (promise.id, promise.for_audit())).collect())
}

/// An Application promises nothing any more.
pub fn delete_all(conn: &mut Conn, application_id: i64) -> Result<()> {
    diesel::delete(promises::table.filter(promises::application_id.eq(application_id))).execute(conn)?;
    Ok(())
}

/// From here on nothing that was loaded counts, and nothing is late: an Application was emptied. They rest as copied ones do.
pub fn begin_anew(conn: &mut Conn, application_id: i64, now: Moment) -> Result<()> {
    let here = promises::table.filter(promises::application_id.eq(application_id)).order(promises::id);
    for promise in here.select(columns!()).load::<Row>(conn)?.into_iter().filter_map(promise) {
        remember(conn, promise.id, &Memory::resting(&promise.rule, now))?;
        diesel::update(promises::table.find(promise.id)).set(promises::copied.eq(true)).execute(conn)?;
    }
    Ok(())
}
