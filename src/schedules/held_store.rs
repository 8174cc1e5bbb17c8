//! What a member holds in schedules: those that they own, and those about which they are told.

use std::collections::{BTreeMap, BTreeSet};

use crate::applications::{self as rooms, Application};
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{applications, schedule_recipients, schedules};
use crate::error::Result;

/// In one Application; only what has a future occurrence counts.
#[derive(Clone, Debug)]
pub struct Held {
    pub application: Application,
    pub owns: i64,
    /// When the first of those that they own runs.
    pub next_at: Option<Moment>,
    pub told: i64,
}

/// Schedules that are on, of one owner in one Application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owned {
    pub owner_id: i64,
    pub application_id: i64,
    pub schedules: i64,
}

/// Who owns how many of the schedules that are planned.
pub fn owners(conn: &mut Conn) -> Result<Vec<Owned>> {
    let rows: Vec<(i64, i64, i64)> = schedules::table
        .filter(schedules::next_at.is_not_null().and(schedules::archived_at.is_null()))
        .group_by((schedules::owner_id, schedules::application_id))
        .select((schedules::owner_id, schedules::application_id, diesel::dsl::count_star()))
        .load(conn)?;
    let of = |(owner_id, application_id, schedules)| Owned { owner_id, application_id, schedules };
    Ok(rows.into_iter().map(of).collect())
}

/// What has something to come, in Applications that are not archived.
macro_rules! unfinished {
    () => {
        schedules::finished_at.is_null().and(schedules::archived_at.is_null()).and(
            schedules::application_id
                .eq_any(applications::table.filter(applications::archived_at.is_null()).select(applications::id)),
        )
    };
}

/// What a member holds: the ids, each once.
pub fn held(conn: &mut Conn, member_id: i64) -> Result<BTreeSet<i64>> {
    let owned = schedules::table.filter(schedules::owner_id.eq(member_id).and(unfinished!()));
    let mut ids: BTreeSet<i64> = owned.select(schedules::id).load(conn)?.into_iter().collect();
    let told = schedules::table.inner_join(schedule_recipients::table);
    let told = told.filter(schedule_recipients::member_id.eq(member_id).and(unfinished!()));
    ids.extend(told.select(schedules::id).load::<i64>(conn)?);
    Ok(ids)
}

/// What one owner has to come in one Application.
#[derive(Clone, Copy, Debug)]
pub struct Estate {
    pub owner_id: i64,
    pub application_id: i64,
    pub schedules: i64,
    /// When the first of them runs.
    pub next_at: Option<Moment>,
}

/// Who owns what has something to come.
pub fn estates(conn: &mut Conn) -> Result<Vec<Estate>> {
    let rows: Vec<(i64, i64, i64, Option<Moment>)> = schedules::table
        .filter(unfinished!())
        .group_by((schedules::owner_id, schedules::application_id))
        .order((schedules::application_id, schedules::owner_id))
        .select((
            schedules::owner_id,
            schedules::application_id,
            diesel::dsl::count_star(),
            diesel::dsl::min(schedules::next_at),
        ))
        .load(conn)?;
    let of = |(owner_id, application_id, schedules, next_at)| Estate { owner_id, application_id, schedules, next_at };
    Ok(rows.into_iter().map(of).collect())
}

/// Who is told about how many of them.
pub fn told(conn: &mut Conn) -> Result<Vec<(i64, i64)>> {
    let all = schedules::table.inner_join(schedule_recipients::table).filter(unfinished!());
    let by_member = all.group_by(schedule_recipients::member_id);
    Ok(by_member.select((schedule_recipients::member_id, diesel::dsl::count_star())).load(conn)?)
}

/// Whose a schedule is, deleted or not.
pub fn owner_of(conn: &mut Conn, id: i64) -> Result<Option<i64>> {
    Ok(schedules::table.find(id).select(schedules::owner_id).first(conn).optional()?)
}

/// By the names of the Applications.
pub fn held_by(conn: &mut Conn, member_id: i64) -> Result<Vec<Held>> {
    let owned: Vec<(i64, Option<Moment>)> = schedules::table
        .filter(schedules::owner_id.eq(member_id))
        .filter(schedules::finished_at.is_null().and(schedules::archived_at.is_null()))
        .select((schedules::application_id, schedules::next_at))
        .load(conn)?;
    let told: Vec<i64> = schedules::table
        .inner_join(schedule_recipients::table)
        .filter(schedule_recipients::member_id.eq(member_id))
        .filter(schedules::finished_at.is_null().and(schedules::archived_at.is_null()))
        .select(schedules::application_id)
        .load(conn)?;
    let mut counts: BTreeMap<i64, (i64, Option<Moment>, i64)> = BTreeMap::new();
    for (application, next_at) in owned {
        let (owns, first, _) = counts.entry(application).or_default();
        *owns += 1;
        *first = [*first, next_at].into_iter().flatten().min();
    }
    for application in told {
        counts.entry(application).or_default().2 += 1;
    }
    let mut held = Vec::new();
    for (id, (owns, next_at, told)) in counts {
        // What is archived plans nothing.
        if let Some(application) = rooms::by_id(conn, id)? {
            held.push(Held { application, owns, next_at, told });
        }
    }
    held.sort_by(|a, b| a.application.name.cmp(&b.application.name));
    Ok(held)
}
