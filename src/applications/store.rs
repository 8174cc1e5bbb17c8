//! Applications and access to them in the database.

use diesel::prelude::*;

use super::access::Grants;
use super::model::Application;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::schema::{application_access, applications, members};
use crate::error::Result;

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
