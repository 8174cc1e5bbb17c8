//! Invitations in the database: of each the hash of its link.

use std::collections::HashMap;

use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{groups, invitation_groups as to_groups, invitations, members, roles};
use crate::db::{Conn, on};
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

/// Each with the names of its groups.
fn with_groups(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Invitation>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let mut within: HashMap<i64, Vec<String>> = HashMap::new();
    if !ids.is_empty() {
        let named = to_groups::table
            .inner_join(groups::table)
            .filter(to_groups::invitation_id.eq_any(ids))
            .order((groups::name, groups::id))
            .select((to_groups::invitation_id, groups::name));
        for (id, name) in named.load::<(i64, String)>(conn)? {
            within.entry(id).or_default().push(name);
        }
    }
    let invitation = |(id, email, name, role, invited_by, created_at, expires_at): Row| {
        let groups = within.remove(&id).unwrap_or_default();
        Invitation { id, email, name, role, groups, invited_by, created_at, expires_at }
    };
    Ok(rows.into_iter().map(invitation).collect())
}

/// In which groups the invited person is to be.
pub fn set_groups(conn: &mut Conn, id: i64, group_ids: &[i64]) -> Result<()> {
    let rows: Vec<_> =
        group_ids.iter().map(|group| (to_groups::invitation_id.eq(id), to_groups::group_id.eq(*group))).collect();
    if !rows.is_empty() {
        on!(conn, c => diesel::insert_into(to_groups::table).values(&rows).execute_rows(c))?;
    }
    Ok(())
}

pub fn group_ids(conn: &mut Conn, id: i64) -> Result<Vec<i64>> {
    let of = to_groups::table.filter(to_groups::invitation_id.eq(id)).order(to_groups::group_id);
    Ok(of.select(to_groups::group_id).load(conn)?)
}

/// The newest first.
pub fn all(conn: &mut Conn) -> Result<Vec<Invitation>> {
    let rows = invitations::table
        .inner_join(roles::table)
        .inner_join(members::table)
        .order(invitations::id.desc())
        .select(columns!())
        .load::<Row>(conn)?;
    with_groups(conn, rows)
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Invitation>> {
    let row = invitations::table
        .inner_join(roles::table)
        .inner_join(members::table)
        .filter(invitations::id.eq(id))
        .select(columns!())
        .first::<Row>(conn)
        .optional()?;
    Ok(with_groups(conn, row.into_iter().collect())?.pop())
}

/// The invitation whose link has this hash, while it works.
pub fn working(conn: &mut Conn, hash: &str, now: Moment) -> Result<Option<Invitation>> {
    let row = invitations::table
        .inner_join(roles::table)
        .inner_join(members::table)
        .filter(invitations::token_hash.eq(hash).and(invitations::expires_at.gt(now.micros())))
        .select(columns!())
        .first::<Row>(conn)
        .optional()?;
    Ok(with_groups(conn, row.into_iter().collect())?.pop())
}

/// Whether an address was invited; case does not tell two apart.
pub fn has(conn: &mut Conn, email: &str) -> Result<bool> {
    let there = invitations::table.filter(invitations::email_key.eq(email.to_lowercase())).count();
    Ok(there.get_result::<i64>(conn)? > 0)
}

pub fn count(conn: &mut Conn) -> Result<i64> {
    Ok(invitations::table.count().get_result(conn)?)
}

/// How many that a member sent still work.
pub fn count_by(conn: &mut Conn, member_id: i64, now: Moment) -> Result<i64> {
    let sent = invitations::invited_by.eq(member_id).and(invitations::expires_at.gt(now.micros()));
    Ok(invitations::table.filter(sent).count().get_result(conn)?)
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

/// What a member invited ends with their right to invite.
pub fn delete_by(conn: &mut Conn, member_id: i64) -> Result<()> {
    diesel::delete(invitations::table.filter(invitations::invited_by.eq(member_id))).execute(conn)?;
    Ok(())
}

/// Removes those that ran out before.
pub fn forget(conn: &mut Conn, before: Moment) -> Result<usize> {
    Ok(diesel::delete(invitations::table.filter(invitations::expires_at.lt(before.micros()))).execute(conn)?)
}
