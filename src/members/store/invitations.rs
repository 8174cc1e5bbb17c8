//! Invitations in the database: of each the hash of its link.

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{invitations, members, roles};
use crate::error::Result;
use crate::members::invitations::Invitation;

/// What an invitation is made of, besides when.
pub struct New<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub role_id: i64,
    pub invited_by: i64,
    pub hash: &'a str,
}

type Row = (i64, String, String, String, String, Moment, Moment);

/// The columns of an [`Invitation`], of invitations joined with roles and members.
macro_rules! columns {
    () => {
        (
            invitations::id,
            invitations::email,
            invitations::name,
            roles::name,
            members::name,
            invitations::created_at,
            invitations::expires_at,
        )
    };
}

fn invitation((id, email, name, role, invited_by, created_at, expires_at): Row) -> Invitation {
    Invitation { id, email, name, role, invited_by, created_at, expires_at }
}

/// The newest first.
pub fn all(conn: &mut Conn) -> Result<Vec<Invitation>> {
    let rows = invitations::table
        .inner_join(roles::table)
        .inner_join(members::table)
        .order(invitations::id.desc())
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(invitation).collect())
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Invitation>> {
    let row = invitations::table
        .inner_join(roles::table)
        .inner_join(members::table)
        .filter(invitations::id.eq(id))
        .select(columns!())
        .first::<Row>(conn);
    Ok(row.optional()?.map(invitation))
}

/// The invitation whose link has this hash, while it works.
pub fn working(conn: &mut Conn, hash: &str, now: Moment) -> Result<Option<Invitation>> {
    let row = invitations::table
        .inner_join(roles::table)
        .inner_join(members::table)
        .filter(invitations::token_hash.eq(hash).and(invitations::expires_at.gt(now.micros())))
        .select(columns!())
        .first::<Row>(conn);
    Ok(row.optional()?.map(invitation))
}

/// Whether an address was invited; case does not tell two apart.
pub fn has(conn: &mut Conn, email: &str) -> Result<bool> {
    let there = invitations::table.filter(invitations::email_key.eq(email.to_lowercase())).count();
    Ok(there.get_result::<i64>(conn)? > 0)
}

pub fn count(conn: &mut Conn) -> Result<i64> {
    Ok(invitations::table.count().get_result(conn)?)
}

pub fn insert(conn: &mut Conn, new: &New, expires_at: Moment, now: Moment) -> Result<i64> {
    Ok(diesel::insert_into(invitations::table)
        .values((
            invitations::token_hash.eq(new.hash),
            invitations::email.eq(new.email),
            invitations::email_key.eq(new.email.to_lowercase()),
            invitations::name.eq(new.name),
            invitations::role_id.eq(new.role_id),
            invitations::invited_by.eq(new.invited_by),
            invitations::created_at.eq(now.micros()),
            invitations::expires_at.eq(expires_at.micros()),
        ))
        .returning(invitations::id)
        .get_result(conn)?)
}

/// Another link takes the place of the one before.
pub fn renew(conn: &mut Conn, id: i64, hash: &str, expires_at: Moment) -> Result<()> {
    diesel::update(invitations::table.find(id))
        .set((invitations::token_hash.eq(hash), invitations::expires_at.eq(expires_at.micros())))
        .execute(conn)?;
    Ok(())
}

pub fn delete(conn: &mut Conn, id: i64) -> Result<()> {
    diesel::delete(invitations::table.find(id)).execute(conn)?;
    Ok(())
}

/// Whoever has become a member needs no invitation.
pub fn delete_of(conn: &mut Conn, email: &str) -> Result<()> {
    diesel::delete(invitations::table.filter(invitations::email_key.eq(email.to_lowercase()))).execute(conn)?;
    Ok(())
}

/// Removes those that ran out before.
pub fn forget(conn: &mut Conn, before: Moment) -> Result<usize> {
    Ok(diesel::delete(invitations::table.filter(invitations::expires_at.lt(before.micros()))).execute(conn)?)
}
