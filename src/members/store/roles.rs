//! Roles in the database.

use std::collections::HashMap;

use crate::db::prelude::*;
use crate::db::schema::{invitations, members, roles};
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::members::permissions::{BUILT_IN_ROLES, Permission};
use crate::members::roles::Role;

type Row = (i64, String, String, bool, i64);
type Columns = (roles::id, roles::name, roles::permissions, roles::built_in, roles::version);

const COLUMNS: Columns = (roles::id, roles::name, roles::permissions, roles::built_in, roles::version);

fn role((id, name, permissions, built_in, version): Row) -> Role {
    Role { id, name, permissions: serde_json::from_str(&permissions).unwrap_or_default(), built_in, version }
}

fn stored(permissions: &[Permission]) -> Result<String> {
    serde_json::to_string(permissions).map_err(AppError::internal)
}

/// Those that every Workspace begins with first.
pub fn all_roles(conn: &mut Conn) -> Result<Vec<Role>> {
    let rows = roles::table.order((roles::built_in.desc(), roles::id)).select(COLUMNS).load::<Row>(conn)?;
    Ok(rows.into_iter().map(role).collect())
}

pub fn role_by_id(conn: &mut Conn, id: i64) -> Result<Option<Role>> {
    Ok(roles::table.filter(roles::id.eq(id)).select(COLUMNS).first::<Row>(conn).optional()?.map(role))
}

/// How many members hold each, active or not.
pub fn holders(conn: &mut Conn) -> Result<HashMap<i64, i64>> {
    let counted = members::table.group_by(members::role_id).select((members::role_id, diesel::dsl::count_star()));
    Ok(counted.load::<(i64, i64)>(conn)?.into_iter().collect())
}

/// The members who hold a role, active or not: id and name, by name.
pub fn holders_of(conn: &mut Conn, id: i64) -> Result<Vec<(i64, String)>> {
    let of = members::table.filter(members::role_id.eq(id)).order((members::name, members::id));
    Ok(of.select((members::id, members::name)).load(conn)?)
}

/// The names of those who are invited to hold it.
pub fn invited_to(conn: &mut Conn, id: i64) -> Result<Vec<String>> {
    let to = invitations::table.filter(invitations::role_id.eq(id)).order(invitations::id);
    Ok(to.select(invitations::name).load(conn)?)
}

pub fn insert_role(conn: &mut Conn, name: &str, permissions: &[Permission]) -> Result<i64> {
    let values = (roles::name.eq(name), roles::permissions.eq(stored(permissions)?), roles::built_in.eq(false));
    Ok(diesel::insert_into(roles::table).values(values).returning(roles::id).get_result(conn)?)
}

pub fn update_role(conn: &mut Conn, id: i64, name: &str, permissions: &[Permission]) -> Result<()> {
    diesel::update(roles::table.find(id))
        .set((roles::name.eq(name), roles::permissions.eq(stored(permissions)?), roles::version.eq(roles::version + 1)))
        .execute(conn)?;
    Ok(())
}

pub fn delete_role(conn: &mut Conn, id: i64) -> Result<()> {
    diesel::delete(roles::table.find(id)).execute(conn)?;
    Ok(())
}

pub fn role_id(conn: &mut Conn, name: &str) -> Result<Option<i64>> {
    Ok(roles::table.filter(roles::name.eq(name)).select(roles::id).first(conn).optional()?)
}

/// The names of all roles, those that every Workspace begins with first.
pub fn role_names(conn: &mut Conn) -> Result<Vec<String>> {
    Ok(all_roles(conn)?.into_iter().map(|role| role.name).collect())
}

/// Whether a role gives a permission; one that is not there gives none.
pub fn role_may(conn: &mut Conn, name: &str, permission: Permission) -> Result<bool> {
    Ok(all_roles(conn)?.iter().any(|role| role.name == name && role.permissions.contains(&permission)))
}

/// Adds the built-in roles that are not there yet. Where people made one of that name before, theirs stays.
pub fn add_built_in_roles(conn: &mut Conn) -> Result<()> {
    db::lock_row(conn, "workspace", 1)?;
    for (name, permissions) in BUILT_IN_ROLES {
        if role_id(conn, name)?.is_none() {
            diesel::insert_into(roles::table)
                .values((roles::name.eq(name), roles::permissions.eq(stored(permissions)?), roles::built_in.eq(true)))
                .execute(conn)?;
        }
    }
    Ok(())
}
