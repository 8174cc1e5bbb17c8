//! How schedules stand in the database: on or off, whose they are, deleted or there again.

use std::collections::BTreeMap;

use super::model::Schedule;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{schedule_recipients, schedules};
use crate::db::{Conn, on};
use crate::error::Result;

/// So many rows in one statement, which takes 65,535 values at most.
const ROWS: usize = 5_000;

/// How a schedule stands: what the switch changes.
pub struct Standing {
    pub enabled: bool,
    pub off_since: Option<Moment>,
    pub off_until: Option<Moment>,
    pub next_at: Option<Moment>,
}

/// `false` when somebody saved it in between.
pub fn set_standing(conn: &mut Conn, was: &Schedule, standing: &Standing, by: i64, now: Moment) -> Result<bool> {
    let query = diesel::update(schedules::table.filter(
        schedules::id.eq(was.id).and(schedules::version.eq(was.version)).and(schedules::archived_at.is_null()),
    ))
    .set((
        schedules::enabled.eq(standing.enabled),
        schedules::off_since.eq(standing.off_since),
        schedules::off_until.eq(standing.off_until),
        schedules::next_at.eq(standing.next_at),
        schedules::updated_at.eq(now),
        schedules::updated_by.eq(by),
        schedules::version.eq(was.version + 1),
    ));
    Ok(query.execute(conn)? > 0)
}

/// Raises the versions of schedules that are held; how many are there.
pub fn touch(conn: &mut Conn, ids: &[i64], by: i64, now: Moment) -> Result<usize> {
    let there = schedules::table.filter(schedules::id.eq_any(ids).and(schedules::archived_at.is_null()));
    let changes =
        (schedules::updated_at.eq(now), schedules::updated_by.eq(by), schedules::version.eq(schedules::version + 1));
    Ok(diesel::update(there).set(changes).execute(conn)?)
}

/// Another Owner for all of these.
pub fn set_owner(conn: &mut Conn, ids: &[i64], owner_id: i64) -> Result<()> {
    let these = schedules::table.filter(schedules::id.eq_any(ids));
    diesel::update(these).set(schedules::owner_id.eq(owner_id)).execute(conn)?;
    Ok(())
}

/// `gone`: by member, what tells them no more. `come`: schedule and member.
pub fn change_recipients(conn: &mut Conn, gone: &BTreeMap<i64, Vec<i64>>, come: &[(i64, i64)]) -> Result<()> {
    use schedule_recipients::{member_id, schedule_id, table};
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

/// Deleted: its history keeps it.
pub fn archive(conn: &mut Conn, id: i64, by: i64, now: Moment) -> Result<()> {
    diesel::update(schedules::table.find(id))
        .set((
            schedules::archived_at.eq(now),
            schedules::slot_key.eq(None::<String>),
            schedules::next_at.eq(None::<Moment>),
            schedules::updated_at.eq(now),
            schedules::updated_by.eq(by),
            schedules::version.eq(schedules::version + 1),
        ))
        .execute(conn)?;
    Ok(())
}

/// There again, with a slot unless it is finished.
pub fn unarchive(
    conn: &mut Conn,
    id: i64,
    standing: &Standing,
    slot_key: Option<String>,
    finished_at: Option<Moment>,
    by: i64,
    now: Moment,
) -> Result<()> {
    diesel::update(schedules::table.find(id))
        .set((
            schedules::archived_at.eq(None::<Moment>),
            schedules::slot_key.eq(slot_key),
            schedules::finished_at.eq(finished_at),
            schedules::enabled.eq(standing.enabled),
            schedules::off_since.eq(standing.off_since),
            schedules::off_until.eq(standing.off_until),
            schedules::next_at.eq(standing.next_at),
            schedules::updated_at.eq(now),
            schedules::updated_by.eq(by),
            schedules::version.eq(schedules::version + 1),
        ))
        .execute(conn)?;
    Ok(())
}
