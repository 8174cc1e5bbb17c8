//! Applications in the database; who may do what in them stands in `access_store`.

use chrono_tz::Tz;

use super::model::Application;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::applications;
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
