//! What is to come across several Applications, for a page about all of them; the caller has entered each.

use std::collections::HashMap;

use chrono_tz::Tz;
use diesel::dsl::min;

use super::rule::Rule;
use super::run_name;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::schedules;
use crate::error::Result;
use crate::imports::Target;

/// A schedule that has something to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ahead {
    pub id: i64,
    pub application_id: i64,
    pub target: Target,
    /// What its runs are called; `None`: as what it runs.
    pub run_name: Option<String>,
    /// Its next occurrence, which may be due.
    pub next_at: Moment,
}

type Row = (i64, i64, Option<i64>, Option<i64>, Option<String>, Option<Moment>);

fn of_row((id, application_id, configuration_id, set_id, run_name, next_at): Row) -> Option<Ahead> {
    let target = Target::of(configuration_id, set_id)?;
    Some(Ahead { id, application_id, target, run_name, next_at: next_at? })
}

impl Ahead {
    /// What the run of an occurrence will be called, as far as that is known before; its instant stands beside it.
    /// `name`: of what it runs.
    pub fn called(&self, name: Option<&str>, at: Moment, zone: Tz) -> String {
        let named = match (&self.run_name, name, self.target) {
            (Some(name), ..) => name.clone(),
            (None, Some(name), Target::Configuration(_)) => name.to_owned(),
            (None, Some(name), Target::Set(_)) => run_name::of_set(name),
            (None, None, _) => return "A deleted import".to_owned(),
        };
        run_name::without_stamp(&run_name::at(&named, at, zone, |_| None)).to_owned()
    }
}

/// Those whose next occurrence comes first; `limit` of them. No rule is read.
pub fn ahead(conn: &mut Conn, application_ids: &[i64], limit: i64) -> Result<Vec<Ahead>> {
    let rows: Vec<Row> = schedules::table
        .filter(schedules::application_id.eq_any(application_ids).and(schedules::archived_at.is_null()))
        .filter(schedules::next_at.is_not_null())
        .order((schedules::next_at, schedules::id))
        .limit(limit)
        .select((
            schedules::id,
            schedules::application_id,
            schedules::configuration_id,
            schedules::set_id,
            schedules::run_name,
            schedules::next_at,
        ))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(of_row).collect())
}

/// Those that are off and turn themselves on again, with that instant as their next one; `limit` of them.
pub fn resting(conn: &mut Conn, application_ids: &[i64], limit: i64) -> Result<Vec<Ahead>> {
    let rows: Vec<Row> = schedules::table
        .filter(schedules::application_id.eq_any(application_ids).and(schedules::archived_at.is_null()))
        .filter(schedules::off_until.is_not_null().and(schedules::finished_at.is_null()))
        .filter(schedules::enabled.eq(false))
        .order((schedules::off_until, schedules::id))
        .limit(limit)
        .select((
            schedules::id,
            schedules::application_id,
            schedules::configuration_id,
            schedules::set_id,
            schedules::run_name,
            schedules::off_until,
        ))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(of_row).collect())
}

/// When each of these Applications runs something next.
pub fn next_of_each(conn: &mut Conn, application_ids: &[i64]) -> Result<HashMap<i64, Moment>> {
    if application_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, Option<Moment>)> = schedules::table
        .filter(schedules::application_id.eq_any(application_ids).and(schedules::archived_at.is_null()))
        .filter(schedules::next_at.is_not_null())
        .group_by(schedules::application_id)
        .select((schedules::application_id, min(schedules::next_at)))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(id, at)| Some((id, at?))).collect())
}

/// The rules of these schedules; of one that cannot be read nothing.
pub fn rules(conn: &mut Conn, ids: &[i64]) -> Result<HashMap<i64, Rule>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, String)> =
        schedules::table.filter(schedules::id.eq_any(ids)).select((schedules::id, schedules::rule)).load(conn)?;
    Ok(rows.into_iter().filter_map(|(id, rule)| Some((id, serde_json::from_str(&rule).ok()?))).collect())
}

/// Whether something was ever scheduled in one of them that is still there.
pub fn any_in(conn: &mut Conn, application_ids: &[i64]) -> Result<bool> {
    let there = schedules::application_id.eq_any(application_ids).and(schedules::archived_at.is_null());
    Ok(schedules::table.filter(there).select(schedules::id).first::<i64>(conn).optional()?.is_some())
}
