//! Codes that open one door once, in the database: of each the hash. Some are a member's, and end with time.

use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::one_time_tokens as codes;
use crate::db::{Conn, on};
use crate::error::Result;

pub fn insert(conn: &mut Conn, purpose: &str, hash: &str, now: Moment) -> Result<()> {
    diesel::insert_into(codes::table)
        .values((codes::token_hash.eq(hash), codes::purpose.eq(purpose), codes::created_at.eq(now.micros())))
        .execute(conn)?;
    Ok(())
}

/// Whether the code opens the door still.
pub fn is_open(conn: &mut Conn, purpose: &str, hash: &str) -> Result<bool> {
    let known = codes::table
        .filter(codes::purpose.eq(purpose).and(codes::used_at.is_null()).and(codes::token_hash.eq(hash)))
        .select(codes::id)
        .first::<i64>(conn)
        .optional()?;
    Ok(known.is_some())
}

/// The door is gone, for every code that opened it.
pub fn use_up(conn: &mut Conn, purpose: &str, now: Moment) -> Result<()> {
    diesel::update(codes::table.filter(codes::purpose.eq(purpose).and(codes::used_at.is_null())))
        .set(codes::used_at.eq(now.micros()))
        .execute(conn)?;
    Ok(())
}

/// A member's code.
pub struct Of<'a> {
    pub purpose: &'a str,
    pub member_id: i64,
    /// Who made it for them; `None`: nobody.
    pub made_by: Option<i64>,
}

pub fn insert_of(conn: &mut Conn, of: &Of, hash: &str, expires_at: Moment, now: Moment) -> Result<()> {
    diesel::insert_into(codes::table)
        .values((
            codes::token_hash.eq(hash),
            codes::purpose.eq(of.purpose),
            codes::member_id.eq(of.member_id),
            codes::made_by.eq(of.made_by),
            codes::created_at.eq(now.micros()),
            codes::expires_at.eq(expires_at.micros()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whose code it is, while it works.
pub fn member_of(conn: &mut Conn, purpose: &str, hash: &str, now: Moment) -> Result<Option<i64>> {
    let member = codes::table
        .filter(codes::purpose.eq(purpose).and(codes::token_hash.eq(hash)))
        .filter(codes::used_at.is_null().and(codes::expires_at.gt(now.micros())))
        .select(codes::member_id)
        .first::<Option<i64>>(conn)
        .optional()?;
    Ok(member.flatten())
}

/// How many of a member's codes work.
pub fn working(conn: &mut Conn, of: &Of, now: Moment) -> Result<i64> {
    Ok(codes::table
        .filter(codes::purpose.eq(of.purpose).and(codes::member_id.eq(of.member_id)))
        .filter(codes::used_at.is_null().and(codes::expires_at.gt(now.micros())))
        .count()
        .get_result(conn)?)
}

/// Ends every code of a member.
pub fn end_of_member(conn: &mut Conn, member_id: i64, now: Moment) -> Result<()> {
    diesel::update(codes::table.filter(codes::member_id.eq(member_id).and(codes::used_at.is_null())))
        .set(codes::used_at.eq(now.micros()))
        .execute(conn)?;
    Ok(())
}

/// Ends every code that a member made for others.
pub fn end_made_by(conn: &mut Conn, member_id: i64, now: Moment) -> Result<()> {
    diesel::update(codes::table.filter(codes::made_by.eq(member_id).and(codes::used_at.is_null())))
        .set(codes::used_at.eq(now.micros()))
        .execute(conn)?;
    Ok(())
}

/// Uses up what was never kept before; `false` where it was used already.
pub fn spend(conn: &mut Conn, purpose: &str, hash: &str, expires_at: Moment, now: Moment) -> Result<bool> {
    let values = (
        codes::token_hash.eq(hash),
        codes::purpose.eq(purpose),
        codes::created_at.eq(now.micros()),
        codes::expires_at.eq(expires_at.micros()),
        codes::used_at.eq(now.micros()),
    );
    Ok(on!(conn, c => diesel::insert_into(codes::table).values(values).on_conflict_do_nothing().execute(c))? > 0)
}

/// Removes codes that ran out.
pub fn forget_ended(conn: &mut Conn, now: Moment) -> Result<usize> {
    Ok(diesel::delete(codes::table.filter(codes::expires_at.le(now.micros()))).execute(conn)?)
}
