//! Connections in the database.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::Connection;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{applications, connection_applications, connections};
use crate::db::{Conn, is_taken};
use crate::error::{AppError, Result};
use crate::names::name_key;

type Row = (i64, String, String, String, Option<String>, i64, Moment, Option<String>);

macro_rules! columns {
    () => {
        (
            connections::id,
            connections::name,
            connections::kind,
            connections::settings,
            connections::sealed_secrets,
            connections::version,
            connections::created_at,
            connections::secret_ends_on,
        )
    };
}

/// What stands in `sealed_secrets`: which are set since when, readable, and all of them as one sealed JSON object.
#[derive(Default, Serialize, Deserialize)]
pub struct Sealed {
    pub set: BTreeMap<String, i64>,
    pub sealed: String,
}

fn assemble(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Connection>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let mut by_connection: HashMap<i64, Vec<i64>> = HashMap::new();
    let authorised: Vec<(i64, i64)> = connection_applications::table
        .filter(connection_applications::connection_id.eq_any(ids))
        .order((connection_applications::connection_id, connection_applications::application_id))
        .select((connection_applications::connection_id, connection_applications::application_id))
        .load(conn)?;
    for (connection, application) in authorised {
        by_connection.entry(connection).or_default().push(application);
    }
    let mut found = Vec::with_capacity(rows.len());
    for (id, name, kind, settings, sealed, version, created_at, secret_ends_on) in rows {
        let set = read_sealed(sealed.as_deref())?.set;
        found.push(Connection {
            id,
            name,
            kind,
            settings: serde_json::from_str(&settings).map_err(AppError::internal)?,
            secrets: set.into_iter().map(|(name, at)| (name, Moment::from_micros(at))).collect(),
            application_ids: by_connection.remove(&id).unwrap_or_default(),
            secret_ends_on: secret_ends_on.and_then(|day| day.parse().ok()),
            version,
            created_at,
        });
    }
    Ok(found)
}

fn read_sealed(text: Option<&str>) -> Result<Sealed> {
    text.map_or(Ok(Sealed::default()), |text| serde_json::from_str(text).map_err(AppError::internal))
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Connection>> {
    let row = connections::table
        .filter(connections::id.eq(id).and(connections::archived_at.is_null()))
        .select(columns!())
        .first::<Row>(conn)
        .optional()?;
    Ok(assemble(conn, row.into_iter().collect())?.pop())
}

/// Those of the ids that exist, archived ones too: for lists that name them.
pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Connection>> {
    let rows = connections::table.filter(connections::id.eq_any(ids)).select(columns!()).load::<Row>(conn)?;
    assemble(conn, rows)
}

/// Kind and settings of those of the ids that exist, archived ones too.
pub fn settings_of(conn: &mut Conn, ids: &[i64]) -> Result<Vec<(i64, String, Value)>> {
    let rows: Vec<(i64, String, String)> = connections::table
        .filter(connections::id.eq_any(ids))
        .select((connections::id, connections::kind, connections::settings))
        .load(conn)?;
    let read = |(id, kind, text): (i64, String, String)| {
        Ok((id, kind, serde_json::from_str(&text).map_err(AppError::internal)?))
    };
    rows.into_iter().map(read).collect()
}

/// All by name.
pub fn all(conn: &mut Conn) -> Result<Vec<Connection>> {
    let rows = connections::table
        .filter(connections::archived_at.is_null())
        .order((connections::name_key, connections::id))
        .select(columns!())
        .load::<Row>(conn)?;
    assemble(conn, rows)
}

/// The next ones by id.
pub fn page(conn: &mut Conn, after: i64, limit: i64) -> Result<Vec<Connection>> {
    let rows = connections::table
        .filter(connections::archived_at.is_null().and(connections::id.gt(after)))
        .order(connections::id)
        .limit(limit)
        .select(columns!())
        .load::<Row>(conn)?;
    assemble(conn, rows)
}

/// Those that are authorised for an Application, by name.
pub fn of_application(conn: &mut Conn, application_id: i64) -> Result<Vec<Connection>> {
    let rows = connections::table
        .inner_join(connection_applications::table)
        .filter(connection_applications::application_id.eq(application_id))
        .filter(connections::archived_at.is_null())
        .order((connections::name_key, connections::id))
        .select(columns!())
        .load::<Row>(conn)?;
    assemble(conn, rows)
}

/// Whether an Application may import through a Connection that is still there.
pub fn authorised_for(conn: &mut Conn, connection_id: i64, application_id: i64) -> Result<bool> {
    let found: Option<i64> = connections::table
        .inner_join(connection_applications::table)
        .filter(connections::id.eq(connection_id).and(connections::archived_at.is_null()))
        .filter(connection_applications::application_id.eq(application_id))
        .select(connections::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// All that is sealed, of archived Connections too: id, name, secrets.
pub fn all_sealed(conn: &mut Conn) -> Result<Vec<(i64, String, Sealed)>> {
    let rows: Vec<(i64, String, Option<String>)> = connections::table
        .order(connections::id)
        .select((connections::id, connections::name, connections::sealed_secrets))
        .load(conn)?;
    let read = |(id, name, text): (i64, String, Option<String>)| Ok((id, name, read_sealed(text.as_deref())?));
    let all: Vec<(i64, String, Sealed)> = rows.into_iter().map(read).collect::<Result<_>>()?;
    Ok(all.into_iter().filter(|(_, _, sealed)| !sealed.set.is_empty()).collect())
}

/// The same secrets, sealed otherwise.
pub fn set_sealed(conn: &mut Conn, id: i64, sealed: &Sealed) -> Result<()> {
    let text = serde_json::to_string(sealed).map_err(AppError::internal)?;
    diesel::update(connections::table.find(id)).set(connections::sealed_secrets.eq(text)).execute(conn)?;
    Ok(())
}

/// The sealed secrets of one Connection.
pub fn sealed(conn: &mut Conn, id: i64) -> Result<Sealed> {
    let text: Option<String> =
        connections::table.filter(connections::id.eq(id)).select(connections::sealed_secrets).first(conn)?;
    read_sealed(text.as_deref())
}

pub fn insert(conn: &mut Conn, name: &str, kind: &str, now: Moment) -> Result<i64> {
    diesel::insert_into(connections::table)
        .values((
            connections::name.eq(name),
            connections::name_key.eq(name_key(name)),
            connections::kind.eq(kind),
            connections::settings.eq("{}"),
            connections::created_at.eq(now),
        ))
        .returning(connections::id)
        .get_result(conn)
        .map_err(|e| taken(e, name))
}

/// Writes what can change. `version` is the new one.
pub fn update(conn: &mut Conn, id: i64, name: &str, settings: &str, sealed: &Sealed, version: i64) -> Result<()> {
    let sealed =
        if sealed.set.is_empty() { None } else { Some(serde_json::to_string(sealed).map_err(AppError::internal)?) };
    diesel::update(connections::table.filter(connections::id.eq(id)))
        .set((
            connections::name.eq(name),
            connections::name_key.eq(name_key(name)),
            connections::settings.eq(settings),
            connections::sealed_secrets.eq(sealed),
            connections::version.eq(version),
        ))
        .execute(conn)
        .map_err(|e| taken(e, name))?;
    Ok(())
}

/// Until which day its secret works.
pub fn set_last_day(conn: &mut Conn, id: i64, day: Option<NaiveDate>) -> Result<()> {
    let day = day.map(|day| day.to_string());
    diesel::update(connections::table.find(id)).set(connections::secret_ends_on.eq(day)).execute(conn)?;
    Ok(())
}

/// Those whose secret works until a day of these at the latest, and has not ended before the first.
pub fn ending(conn: &mut Conn, from: NaiveDate, to: NaiveDate) -> Result<Vec<Connection>> {
    let rows = connections::table
        .filter(connections::archived_at.is_null())
        .filter(connections::secret_ends_on.ge(from.to_string()).and(connections::secret_ends_on.le(to.to_string())))
        .order(connections::id)
        .select(columns!())
        .load::<Row>(conn)?;
    assemble(conn, rows)
}

fn taken(error: diesel::result::Error, name: &str) -> AppError {
    if is_taken(&error) {
        AppError::Conflict(format!("A Connection named \"{name}\" already exists. Choose another name."))
    } else {
        error.into()
    }
}

/// Makes it authorised for exactly these Applications.
pub fn authorise(conn: &mut Conn, id: i64, application_ids: &[i64]) -> Result<()> {
    diesel::delete(connection_applications::table.filter(connection_applications::connection_id.eq(id)))
        .execute(conn)?;
    for application_id in application_ids {
        diesel::insert_into(connection_applications::table)
            .values((
                connection_applications::connection_id.eq(id),
                connection_applications::application_id.eq(*application_id),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Those of the ids that are Applications.
pub fn existing_applications(conn: &mut Conn, ids: &[i64]) -> Result<Vec<i64>> {
    Ok(applications::table
        .filter(applications::id.eq_any(ids).and(applications::archived_at.is_null()))
        .select(applications::id)
        .load(conn)?)
}

/// It is gone from lists, its name is free, its secrets are forgotten; what ran through it stays.
pub fn archive(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(connections::table.filter(connections::id.eq(id)))
        .set((
            connections::name_key.eq(format!("archived:{id}")),
            connections::sealed_secrets.eq(None::<String>),
            connections::archived_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
