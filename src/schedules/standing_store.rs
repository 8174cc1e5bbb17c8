//! How schedules stand in the database: on or off, whose they are, deleted or there again.

use super::model::{Notify, Schedule};
use super::store::set_recipients;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{schedule_recipients, schedules};
use crate::error::Result;

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

/// Another Owner, and the recipients as they are then. `false` when somebody saved it in between.
pub fn set_owner(
    conn: &mut Conn,
    was: &Schedule,
    owner_id: i64,
    notify: Option<&Notify>,
    by: i64,
    now: Moment,
) -> Result<bool> {
    let query = diesel::update(schedules::table.filter(
        schedules::id.eq(was.id).and(schedules::version.eq(was.version)).and(schedules::archived_at.is_null()),
    ))
    .set((
        schedules::owner_id.eq(owner_id),
        schedules::updated_at.eq(now),
        schedules::updated_by.eq(by),
        schedules::version.eq(was.version + 1),
    ));
    if query.execute(conn)? == 0 {
        return Ok(false);
    }
    if was.notify.as_ref() != notify {
        diesel::delete(schedule_recipients::table.filter(schedule_recipients::schedule_id.eq(was.id))).execute(conn)?;
        set_recipients(conn, was.id, notify)?;
    }
    Ok(true)
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
