//! What was promoted into an Application, as long as somebody is to be asked to look at the schedules that came with it.

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::promotions;
use crate::error::Result;

/// Schedules that came from another Application, off since then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable)]
pub struct Promotion {
    pub application_id: i64,
    pub at: Moment,
    pub from_id: i64,
    /// By whom.
    pub member_id: i64,
}

/// The newest first.
pub fn of(conn: &mut Conn, application_id: i64) -> Result<Vec<Promotion>> {
    let of = promotions::table.filter(promotions::application_id.eq(application_id));
    Ok(of.order(promotions::at.desc()).load(conn)?)
}

pub fn insert(conn: &mut Conn, of: &Promotion) -> Result<()> {
    forget(conn, of.application_id, of.at)?;
    diesel::insert_into(promotions::table)
        .values((
            promotions::application_id.eq(of.application_id),
            promotions::at.eq(of.at),
            promotions::from_id.eq(of.from_id),
            promotions::member_id.eq(of.member_id),
        ))
        .execute(conn)?;
    Ok(())
}

/// Nothing of it waits any more.
pub fn forget(conn: &mut Conn, application_id: i64, at: Moment) -> Result<()> {
    let it = promotions::application_id.eq(application_id).and(promotions::at.eq(at));
    diesel::delete(promotions::table.filter(it)).execute(conn)?;
    Ok(())
}

/// Nobody is to be asked any more.
pub fn forget_all(conn: &mut Conn, application_id: i64) -> Result<usize> {
    Ok(diesel::delete(promotions::table.filter(promotions::application_id.eq(application_id))).execute(conn)?)
}
