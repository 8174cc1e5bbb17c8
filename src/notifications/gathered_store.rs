//! Notices that wait for others, in the database.

use super::model::Channel;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{deliveries, gathered, notices};
use crate::error::Result;

/// When a member's newest messages by a channel were written.
pub fn written(conn: &mut Conn, member_id: i64, channel: Channel, limit: i64) -> Result<Vec<Moment>> {
    Ok(notices::table
        .inner_join(deliveries::table)
        .filter(notices::member_id.eq(member_id).and(deliveries::channel.eq(channel)))
        .order(notices::id.desc())
        .limit(limit)
        .select(deliveries::created_at)
        .load(conn)?)
}

/// When the next of what is gathered for a member goes by a channel.
pub fn next(conn: &mut Conn, member_id: i64, channel: Channel, now: Moment) -> Result<Option<Moment>> {
    let mine = gathered::member_id.eq(member_id).and(gathered::channel.eq(channel)).and(gathered::due_at.gt(now));
    Ok(gathered::table.filter(mine).order(gathered::due_at).select(gathered::due_at).first(conn).optional()?)
}

/// A notice waits for others until then.
pub fn gather(conn: &mut Conn, notice_id: i64, member_id: i64, channel: Channel, until: Moment) -> Result<()> {
    let values = (
        gathered::notice_id.eq(notice_id),
        gathered::channel.eq(channel),
        gathered::member_id.eq(member_id),
        gathered::due_at.eq(until),
    );
    diesel::insert_into(gathered::table).values(values).execute(conn)?;
    Ok(())
}

/// Members for whom something was gathered, and by which channel it goes.
pub fn due(conn: &mut Conn, now: Moment, limit: i64) -> Result<Vec<(i64, Channel)>> {
    let due = gathered::table.filter(gathered::due_at.le(now)).select((gathered::member_id, gathered::channel));
    Ok(due.distinct().order((gathered::member_id, gathered::channel)).limit(limit).load(conn)?)
}

/// Takes what was gathered for a member and a channel, the oldest first; nothing where another process did.
pub fn take(conn: &mut Conn, (member_id, channel): (i64, Channel), now: Moment, limit: i64) -> Result<Vec<i64>> {
    let due = gathered::member_id.eq(member_id).and(gathered::channel.eq(channel)).and(gathered::due_at.le(now));
    let ids: Vec<i64> =
        gathered::table.filter(due).order(gathered::notice_id).limit(limit).select(gathered::notice_id).load(conn)?;
    let mut mine = Vec::new();
    for id in ids {
        if diesel::delete(gathered::table.find((id, channel))).execute(conn)? == 1 {
            mine.push(id);
        }
    }
    Ok(mine)
}

/// Nothing that waits goes out.
pub fn withhold(conn: &mut Conn) -> Result<usize> {
    Ok(diesel::delete(gathered::table).execute(conn)?)
}
