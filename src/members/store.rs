//! Members and roles in the database.

use diesel::prelude::*;

use super::model::Member;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::schema::{members, roles};
use crate::error::Result;

type Row = (i64, String, String, String, String, bool, Option<String>, i64, Moment);

/// The columns of a [`Member`], of members joined with roles.
macro_rules! columns {
    () => {
        (
            members::id,
            members::email,
            members::name,
            roles::name,
            roles::permissions,
            members::active,
            members::time_zone,
            members::version,
            members::created_at,
        )
    };
}

fn member((id, email, name, role, permissions, active, time_zone, version, created_at): Row) -> Member {
    Member {
        id,
        email,
        name,
        role,
        permissions: serde_json::from_str(&permissions).unwrap_or_default(),
        active,
        time_zone: time_zone.and_then(|zone| zone.parse().ok()),
        version,
        created_at,
    }
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Member>> {
    let row = members::table.inner_join(roles::table).filter(members::id.eq(id)).select(columns!()).first::<Row>(conn);
    Ok(row.optional()?.map(member))
}

/// Those of the ids that exist, in the order of their names.
pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Member>> {
    let rows = members::table
        .inner_join(roles::table)
        .filter(members::id.eq_any(ids.to_vec()))
        .order(members::name)
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(member).collect())
}

/// Case does not tell two addresses apart.
pub fn by_email(conn: &mut Conn, email: &str) -> Result<Option<Member>> {
    let row = members::table
        .inner_join(roles::table)
        .filter(members::email_key.eq(email.trim().to_lowercase()))
        .select(columns!())
        .first::<Row>(conn);
    Ok(row.optional()?.map(member))
}

pub fn all(conn: &mut Conn) -> Result<Vec<Member>> {
    let rows = members::table
        .inner_join(roles::table)
        .order((members::active.desc(), members::name, members::id))
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(member).collect())
}

/// The active Administrators, to be named where a right is missing.
pub fn administrators(conn: &mut Conn) -> Result<Vec<Member>> {
    Ok(all(conn)?.into_iter().filter(|m| m.active && m.is_administrator()).collect())
}
