//! Applications and access to them in the database.

use std::collections::HashMap;

use chrono_tz::Tz;

use super::access::Grants;
use super::model::Application;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{application_access, applications, members};
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::names::name_key;

type Row = (i64, String, String, i32, i64, Moment);

macro_rules! columns {
    () => {
        (
            applications::id,
            applications::name,
            applications::time_zone,
            applications::spacing_minutes,
            applications::version,
            applications::created_at,
        )
    };
}

fn application((id, name, time_zone, spacing_minutes, version, created_at): Row) -> Application {
    Application {
        id,
        name,
        time_zone: time_zone.parse().unwrap_or(chrono_tz::UTC),
        spacing_minutes,
        version,
        created_at,
    }
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Application>> {
    let row = applications::table
        .filter(applications::id.eq(id).and(applications::archived_at.is_null()))
        .select(columns!())
        .first::<Row>(conn);
    Ok(row.optional()?.map(application))
}

/// Those of the ids that are not archived.
pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Application>> {
    let rows = applications::table
        .filter(applications::id.eq_any(ids).and(applications::archived_at.is_null()))
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(application).collect())
}

pub fn all(conn: &mut Conn) -> Result<Vec<Application>> {
    let rows = applications::table
        .filter(applications::archived_at.is_null())
        .order((applications::name, applications::id))
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(application).collect())
}

/// Those in which the member may at least view.
pub fn with_access(conn: &mut Conn, member_id: i64) -> Result<Vec<Application>> {
    let rows = applications::table
        .inner_join(application_access::table)
        .filter(applications::archived_at.is_null())
        .filter(application_access::member_id.eq(member_id).and(application_access::can_view.eq(true)))
        .order((applications::name, applications::id))
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(application).collect())
}

pub fn grants(conn: &mut Conn, application_id: i64, member_id: i64) -> Result<Option<Grants>> {
    let row = application_access::table
        .find((application_id, member_id))
        .select((application_access::can_view, application_access::can_import_data, application_access::can_configure))
        .first::<(bool, bool, bool)>(conn)
        .optional()?;
    Ok(row.map(|(view, import_data, configure)| Grants { view, import_data, configure }))
}

/// All that a member was given, by Application.
pub fn grants_of(conn: &mut Conn, member_id: i64) -> Result<HashMap<i64, Grants>> {
    let rows = application_access::table
        .filter(application_access::member_id.eq(member_id))
        .select((
            application_access::application_id,
            application_access::can_view,
            application_access::can_import_data,
            application_access::can_configure,
        ))
        .load::<(i64, bool, bool, bool)>(conn)?;
    let grants = |(id, view, import_data, configure)| (id, Grants { view, import_data, configure });
    Ok(rows.into_iter().map(grants).collect())
}

/// The names of active members who may configure the Application.
pub fn configurer_names(conn: &mut Conn, application_id: i64) -> Result<Vec<String>> {
    Ok(application_access::table
        .inner_join(members::table)
        .filter(application_access::application_id.eq(application_id))
        .filter(application_access::can_configure.eq(true).and(members::active.eq(true)))
        .order(members::name)
        .select(members::name)
        .load(conn)?)
}

pub fn insert(conn: &mut Conn, name: &str, time_zone: Tz, spacing_minutes: i32, now: Moment) -> Result<i64> {
    diesel::insert_into(applications::table)
        .values((
            applications::name.eq(name),
            applications::name_key.eq(name_key(name)),
            applications::time_zone.eq(time_zone.name()),
            applications::spacing_minutes.eq(spacing_minutes),
            applications::version.eq(1),
            applications::created_at.eq(now.micros()),
        ))
        .returning(applications::id)
        .get_result(conn)
        .map_err(|e| taken(e, name))
}

pub fn update(conn: &mut Conn, id: i64, name: &str, time_zone: Tz, spacing_minutes: i32) -> Result<()> {
    diesel::update(applications::table.find(id))
        .set((
            applications::name.eq(name),
            applications::name_key.eq(name_key(name)),
            applications::time_zone.eq(time_zone.name()),
            applications::spacing_minutes.eq(spacing_minutes),
            applications::version.eq(applications::version + 1),
        ))
        .execute(conn)
        .map_err(|e| taken(e, name))?;
    Ok(())
}

fn taken(error: diesel::result::Error, name: &str) -> AppError {
    if db::is_taken(&error) {
        return AppError::Conflict(format!("An Application named {name} already exists. Choose another name."));
    }
    error.into()
}

/// Frees the name and hides the Application.
pub fn archive(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(applications::table.find(id))
        .set((applications::name_key.eq(format!("archived:{id}")), applications::archived_at.eq(now.micros())))
        .execute(conn)?;
    Ok(())
}

/// Gives a member these permissions; none at all takes the access away.
pub fn set_grants(conn: &mut Conn, application_id: i64, member_id: i64, grants: Grants) -> Result<()> {
    diesel::delete(application_access::table.find((application_id, member_id))).execute(conn)?;
    if grants != Grants::default() {
        diesel::insert_into(application_access::table)
            .values((
                application_access::application_id.eq(application_id),
                application_access::member_id.eq(member_id),
                application_access::can_view.eq(grants.view),
                application_access::can_import_data.eq(grants.import_data),
                application_access::can_configure.eq(grants.configure),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Who was given what, by the member's id.
pub fn all_grants(conn: &mut Conn, application_id: i64) -> Result<Vec<(i64, Grants)>> {
    let rows = application_access::table
        .filter(application_access::application_id.eq(application_id))
        .select((
            application_access::member_id,
            application_access::can_view,
            application_access::can_import_data,
            application_access::can_configure,
        ))
        .load::<(i64, bool, bool, bool)>(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, view, import_data, configure)| (id, Grants { view, import_data, configure }))
        .collect())
}

/// The members to whom the Application grants View.
pub fn viewer_ids(conn: &mut Conn, application_id: i64) -> Result<Vec<i64>> {
    Ok(application_access::table
        .filter(application_access::application_id.eq(application_id).and(application_access::can_view.eq(true)))
        .select(application_access::member_id)
        .load(conn)?)
}

/// Lets the members of one Application into another, each with the same permissions, but for who has some there already.
pub fn copy_access(conn: &mut Conn, from: i64, to: i64) -> Result<usize> {
    let there: Vec<i64> = all_grants(conn, to)?.into_iter().map(|(member, _)| member).collect();
    let mut copied = 0;
    for (member, grants) in all_grants(conn, from)?.into_iter().filter(|(member, _)| !there.contains(member)) {
        set_grants(conn, to, member, grants)?;
        copied += 1;
    }
    Ok(copied)
}
