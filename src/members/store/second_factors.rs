//! Second factors and recovery codes in the database.

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{members, recovery_codes as codes, second_factors as factors};
use crate::error::Result;

/// A member's second factor as it is kept.
pub struct Kept {
    pub sealed: String,
    /// The step whose code was taken last.
    pub last_step: i64,
    pub set_at: Moment,
}

pub fn get(conn: &mut Conn, member_id: i64) -> Result<Option<Kept>> {
    let row = factors::table
        .find(member_id)
        .select((factors::sealed, factors::last_step, factors::set_at))
        .first::<(String, i64, Moment)>(conn)
        .optional()?;
    Ok(row.map(|(sealed, last_step, set_at)| Kept { sealed, last_step, set_at }))
}

pub fn insert(conn: &mut Conn, member_id: i64, sealed: &str, last_step: i64, now: Moment) -> Result<()> {
    diesel::insert_into(factors::table)
        .values((
            factors::member_id.eq(member_id),
            factors::sealed.eq(sealed),
            factors::last_step.eq(last_step),
            factors::set_at.eq(now.micros()),
        ))
        .execute(conn)?;
    Ok(())
}

/// The code of this step was taken; `false` where it, or a later one, was taken already.
pub fn take(conn: &mut Conn, member_id: i64, step: i64) -> Result<bool> {
    let earlier = factors::table.filter(factors::member_id.eq(member_id).and(factors::last_step.lt(step)));
    Ok(diesel::update(earlier).set(factors::last_step.eq(step)).execute(conn)? > 0)
}

/// Removes it with its recovery codes; `false` where there is none.
pub fn remove(conn: &mut Conn, member_id: i64) -> Result<bool> {
    diesel::delete(codes::table.filter(codes::member_id.eq(member_id))).execute(conn)?;
    Ok(diesel::delete(factors::table.find(member_id)).execute(conn)? > 0)
}

/// Puts these recovery codes in the place of all others.
pub fn set_codes(conn: &mut Conn, member_id: i64, hashes: &[String]) -> Result<()> {
    diesel::delete(codes::table.filter(codes::member_id.eq(member_id))).execute(conn)?;
    for hash in hashes {
        diesel::insert_into(codes::table)
            .values((codes::member_id.eq(member_id), codes::code_hash.eq(hash)))
            .execute(conn)?;
    }
    Ok(())
}

/// Uses up a recovery code; `false` where it is none of theirs, or was used.
pub fn use_code(conn: &mut Conn, member_id: i64, hash: &str, now: Moment) -> Result<bool> {
    let unused = codes::table
        .filter(codes::member_id.eq(member_id).and(codes::code_hash.eq(hash)))
        .filter(codes::used_at.is_null());
    Ok(diesel::update(unused).set(codes::used_at.eq(now.micros())).execute(conn)? > 0)
}

/// How many recovery codes are left.
pub fn codes_left(conn: &mut Conn, member_id: i64) -> Result<i64> {
    let unused = codes::table.filter(codes::member_id.eq(member_id).and(codes::used_at.is_null()));
    Ok(unused.count().get_result(conn)?)
}

/// Whether a member signs in here with a password alone.
pub fn has_password_alone(conn: &mut Conn, member_id: i64) -> Result<bool> {
    let with = factors::table.filter(factors::member_id.eq(member_id)).count().get_result::<i64>(conn)?;
    let password = members::table.find(member_id).select(members::password_hash).first::<Option<String>>(conn)?;
    Ok(with == 0 && password.is_some())
}

/// All of them: whose, and sealed.
pub fn all_sealed(conn: &mut Conn) -> Result<Vec<(i64, String)>> {
    Ok(factors::table.order(factors::member_id).select((factors::member_id, factors::sealed)).load(conn)?)
}

/// The same secret, sealed otherwise.
pub fn set_sealed(conn: &mut Conn, member_id: i64, sealed: &str) -> Result<()> {
    diesel::update(factors::table.find(member_id)).set(factors::sealed.eq(sealed)).execute(conn)?;
    Ok(())
}
