//! Hand-overs in the database, for as long as they can be undone and a little longer.

use std::collections::HashMap;

use chrono::Duration;
use diesel::dsl::{count, count_star};

use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{hand_over_lines as lines, hand_overs};
use crate::db::{Conn, on};
use crate::error::Result;

/// So long one is listed.
pub(super) const KEPT: Duration = Duration::days(30);
/// So many rows in one statement, which takes 65,535 values at most.
const ROWS: usize = 5_000;

#[derive(Clone, Debug, Queryable)]
pub struct HandOver {
    pub id: i64,
    pub at: Moment,
    pub by_id: i64,
    /// `None`: several.
    pub from_id: Option<i64>,
    pub to_id: i64,
    /// `from` was deactivated with it.
    pub leaves: bool,
    /// The recipients were not told.
    pub untold: bool,
    pub undone_at: Option<Moment>,
    pub undone_by: Option<i64>,
}

/// What it did to a schedule.
#[derive(Clone, Copy, Debug, Queryable)]
pub struct Line {
    pub schedule_id: i64,
    /// `None`: the Owner stayed.
    pub owner_was: Option<i64>,
    /// In whose place the new Owner is told; `None`: in nobody's.
    pub told_was: Option<i64>,
    /// The new Owner was told before as well.
    pub told_before: bool,
    /// The version that it made.
    pub version: i64,
}

/// What is to be kept.
pub struct New {
    pub by_id: i64,
    pub from_id: Option<i64>,
    pub to_id: i64,
    pub leaves: bool,
    pub untold: bool,
}

pub fn insert(conn: &mut Conn, new: &New, of: &[Line], now: Moment) -> Result<i64> {
    let id: i64 = diesel::insert_into(hand_overs::table)
        .values((
            hand_overs::at.eq(now),
            hand_overs::by_id.eq(new.by_id),
            hand_overs::from_id.eq(new.from_id),
            hand_overs::to_id.eq(new.to_id),
            hand_overs::leaves.eq(new.leaves),
            hand_overs::untold.eq(new.untold),
        ))
        .returning(hand_overs::id)
        .get_result(conn)?;
    let row = |line: &Line| {
        (
            lines::hand_over_id.eq(id),
            lines::schedule_id.eq(line.schedule_id),
            lines::owner_was.eq(line.owner_was),
            lines::told_was.eq(line.told_was),
            lines::told_before.eq(line.told_before),
            lines::version.eq(line.version),
        )
    };
    for of in of.chunks(ROWS) {
        let rows: Vec<_> = of.iter().map(row).collect();
        on!(conn, c => diesel::insert_into(lines::table).values(&rows).execute_rows(c))?;
    }
    Ok(id)
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<HandOver>> {
    Ok(hand_overs::table.find(id).first(conn).optional()?)
}

pub fn lines_of(conn: &mut Conn, id: i64) -> Result<Vec<Line>> {
    let of = lines::table.filter(lines::hand_over_id.eq(id)).order(lines::schedule_id);
    let columns = (lines::schedule_id, lines::owner_was, lines::told_was, lines::told_before, lines::version);
    Ok(of.select(columns).load(conn)?)
}

/// The newest first.
pub fn recent(conn: &mut Conn, limit: i64) -> Result<Vec<HandOver>> {
    Ok(hand_overs::table.order(hand_overs::id.desc()).limit(limit).load(conn)?)
}

/// How many schedules each changed, and how many of them got another Owner.
pub fn counts(conn: &mut Conn, ids: &[i64]) -> Result<HashMap<i64, (i64, i64)>> {
    let of = lines::table.filter(lines::hand_over_id.eq_any(ids)).group_by(lines::hand_over_id);
    let counted = of.select((lines::hand_over_id, count_star(), count(lines::owner_was)));
    let counted: Vec<(i64, i64, i64)> = counted.load(conn)?;
    Ok(counted.into_iter().map(|(id, all, passed)| (id, (all, passed))).collect())
}

pub fn undone(conn: &mut Conn, id: i64, by: i64, now: Moment) -> Result<()> {
    diesel::update(hand_overs::table.find(id))
        .set((hand_overs::undone_at.eq(now), hand_overs::undone_by.eq(by)))
        .execute(conn)?;
    Ok(())
}

/// What is long past: the audit log keeps it.
pub fn forget_old(conn: &mut Conn, now: Moment) -> Result<usize> {
    Ok(diesel::delete(hand_overs::table.filter(hand_overs::at.lt(now.minus(KEPT)))).execute(conn)?)
}
