//! Whom schedules tell, in the database: members, and groups of them.

use std::collections::{BTreeMap, HashMap};

use super::model::Notify;
use crate::db::prelude::*;
use crate::db::schema::{schedule_recipient_groups as groups, schedule_recipients as members, schedules};
use crate::db::{Conn, on};
use crate::error::Result;

/// So many rows in one statement, which takes 65,535 values at most.
const ROWS: usize = 5_000;

/// The ids of members, and those of groups, in ascending order.
type Told = (Vec<i64>, Vec<i64>);

/// By schedule.
pub fn of(conn: &mut Conn, schedule_ids: &[i64]) -> Result<HashMap<i64, Told>> {
    let mut all: HashMap<i64, Told> = HashMap::new();
    if schedule_ids.is_empty() {
        return Ok(all);
    }
    let named = members::table
        .filter(members::schedule_id.eq_any(schedule_ids))
        .order((members::schedule_id, members::member_id));
    for (schedule, member) in named.load::<(i64, i64)>(conn)? {
        all.entry(schedule).or_default().0.push(member);
    }
    let named =
        groups::table.filter(groups::schedule_id.eq_any(schedule_ids)).order((groups::schedule_id, groups::group_id));
    for (schedule, group) in named.load::<(i64, i64)>(conn)? {
        all.entry(schedule).or_default().1.push(group);
    }
    Ok(all)
}

/// For a schedule that has none.
pub fn insert(conn: &mut Conn, id: i64, notify: Option<&Notify>) -> Result<()> {
    let Some(notify) = notify else { return Ok(()) };
    let rows: Vec<_> =
        notify.member_ids.iter().map(|m| (members::schedule_id.eq(id), members::member_id.eq(*m))).collect();
    if !rows.is_empty() {
        on!(conn, c => diesel::insert_into(members::table).values(&rows).execute_rows(c))?;
    }
    let rows: Vec<_> = notify.group_ids.iter().map(|g| (groups::schedule_id.eq(id), groups::group_id.eq(*g))).collect();
    if !rows.is_empty() {
        on!(conn, c => diesel::insert_into(groups::table).values(&rows).execute_rows(c))?;
    }
    Ok(())
}

pub fn delete(conn: &mut Conn, id: i64) -> Result<()> {
    diesel::delete(members::table.filter(members::schedule_id.eq(id))).execute(conn)?;
    diesel::delete(groups::table.filter(groups::schedule_id.eq(id))).execute(conn)?;
    Ok(())
}

/// `gone`: by member, what tells them no more. `come`: schedule and member.
pub fn change(conn: &mut Conn, gone: &BTreeMap<i64, Vec<i64>>, come: &[(i64, i64)]) -> Result<()> {
    use members::{member_id, schedule_id, table};
    for (member, ids) in gone {
        let theirs = table.filter(member_id.eq(*member).and(schedule_id.eq_any(ids)));
        diesel::delete(theirs).execute(conn)?;
    }
    let rows: Vec<_> = come.iter().map(|(s, m)| (schedule_id.eq(*s), member_id.eq(*m))).collect();
    for rows in rows.chunks(ROWS) {
        on!(conn, c => diesel::insert_into(table).values(rows).execute_rows(c))?;
    }
    Ok(())
}

/// The schedules that tell a group and are not deleted: by Application.
pub fn telling_group(conn: &mut Conn, group_id: i64) -> Result<Vec<(i64, i64)>> {
    let telling = schedules::table
        .inner_join(groups::table)
        .filter(groups::group_id.eq(group_id).and(schedules::archived_at.is_null()))
        .order((schedules::application_id, schedules::id));
    Ok(telling.select((schedules::application_id, schedules::id)).load(conn)?)
}
