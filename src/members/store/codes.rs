//! Codes that open one door once, in the database: of each the hash.

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::one_time_tokens as codes;
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
