//! Import sets and their versions in the database.

use diesel::dsl::case_when;
use diesel::sql_types::{BigInt, Nullable};

use super::model::{ImportSet, Outline, SetDefinition, Step};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{import_sets, members, set_versions};
use crate::db::{Conn, is_taken};
use crate::error::{AppError, Result};
use crate::files::kept::{self, FILE};
use crate::imports::ConfigurationStatus;
use crate::names::name_key;

type Row = (i64, i64, String, i64, Option<ConfigurationStatus>, Option<i64>, Moment, Option<Moment>);

macro_rules! columns {
    () => {
        (
            import_sets::id,
            import_sets::application_id,
            import_sets::name,
            import_sets::version,
            import_sets::status,
            import_sets::status_run_id,
            import_sets::created_at,
            import_sets::archived_at,
        )
    };
}

fn set((id, application_id, name, version, status, status_run_id, created_at, archived): Row) -> ImportSet {
    ImportSet { id, application_id, name, version, status, status_run_id, created_at, archived: archived.is_some() }
}

fn definition(text: &str) -> Result<SetDefinition> {
    serde_json::from_str(text).map_err(AppError::internal)
}

/// One set, archived or not: runs and history name both.
pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<ImportSet>> {
    Ok(import_sets::table.find(id).select(columns!()).first::<Row>(conn).optional()?.map(set))
}

/// Those of the ids that exist, archived or not.
pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<Vec<ImportSet>> {
    let rows = import_sets::table
        .filter(import_sets::id.eq_any(ids))
        .order((import_sets::name, import_sets::id))
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(set).collect())
}

/// The keys of the names that an Application's sets have.
pub fn name_keys(conn: &mut Conn, application_id: i64) -> Result<Vec<String>> {
    let living = import_sets::application_id.eq(application_id).and(import_sets::archived_at.is_null());
    Ok(import_sets::table.filter(living).select(import_sets::name_key).load(conn)?)
}

/// What a version of a set does.
pub fn version(conn: &mut Conn, set_id: i64, version: i64) -> Result<Option<SetDefinition>> {
    let stored: Option<String> =
        set_versions::table.find((set_id, version)).select(set_versions::definition).first(conn).optional()?;
    stored.as_deref().map(definition).transpose()
}

/// An Application's sets by name, each with its newest definition.
pub fn list(conn: &mut Conn, application_id: i64) -> Result<Vec<(ImportSet, SetDefinition)>> {
    let rows = import_sets::table
        .inner_join(set_versions::table)
        .filter(set_versions::version.eq(import_sets::version))
        .filter(import_sets::application_id.eq(application_id).and(import_sets::archived_at.is_null()))
        .order((import_sets::name_key, import_sets::id))
        .select((columns!(), set_versions::definition))
        .load::<(Row, String)>(conn)?;
    defined(rows)
}

/// What a long list knows of each set of an Application, by name.
pub fn outlines(conn: &mut Conn, application_id: i64) -> Result<Vec<Outline>> {
    let here = import_sets::application_id.eq(application_id).and(import_sets::archived_at.is_null());
    let rows: Vec<(i64, String, Option<ConfigurationStatus>, Option<Moment>)> = import_sets::table
        .filter(here)
        .order((import_sets::name_key, import_sets::id))
        .select((import_sets::id, import_sets::name, import_sets::status, import_sets::status_at))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, name, status, status_at)| Outline { id, name, status, status_at }).collect())
}

/// Some of them, each with its newest definition; what is not there is left out.
pub fn listed_of(conn: &mut Conn, application_id: i64, ids: &[i64]) -> Result<Vec<(ImportSet, SetDefinition)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = import_sets::table
        .inner_join(set_versions::table)
        .filter(set_versions::version.eq(import_sets::version))
        .filter(import_sets::application_id.eq(application_id).and(import_sets::archived_at.is_null()))
        .filter(import_sets::id.eq_any(ids))
        .select((columns!(), set_versions::definition))
        .load::<(Row, String)>(conn)?;
    defined(rows)
}

/// The next ones by id.
pub fn page(conn: &mut Conn, application_id: i64, after: i64, limit: i64) -> Result<Vec<(ImportSet, SetDefinition)>> {
    let rows = import_sets::table
        .inner_join(set_versions::table)
        .filter(set_versions::version.eq(import_sets::version))
        .filter(import_sets::application_id.eq(application_id).and(import_sets::archived_at.is_null()))
        .filter(import_sets::id.gt(after))
        .order(import_sets::id)
        .limit(limit)
        .select((columns!(), set_versions::definition))
        .load::<(Row, String)>(conn)?;
    defined(rows)
}

/// The sets of these Applications that are not deleted, each with the configurations that it runs.
pub fn running(conn: &mut Conn, application_ids: &[i64]) -> Result<Vec<(i64, Vec<i64>)>> {
    let rows: Vec<(i64, String)> = import_sets::table
        .inner_join(set_versions::table)
        .filter(set_versions::version.eq(import_sets::version))
        .filter(import_sets::application_id.eq_any(application_ids).and(import_sets::archived_at.is_null()))
        .select((import_sets::id, set_versions::definition))
        .load(conn)?;
    let with_steps = |(id, text): (i64, String)| {
        let steps = definition(&text)?.steps.into_iter();
        Ok((id, steps.map(|step| step.configuration_id).collect()))
    };
    rows.into_iter().map(with_steps).collect()
}

fn defined(rows: Vec<(Row, String)>) -> Result<Vec<(ImportSet, SetDefinition)>> {
    rows.into_iter().map(|(row, text)| Ok((set(row), definition(&text)?))).collect()
}

/// The sets that are not deleted and whose newest version names a configuration: id, name, Application.
pub fn using(conn: &mut Conn, configuration_id: i64) -> Result<Vec<(i64, String, i64)>> {
    let part = format!("\"configuration_id\":{configuration_id}");
    with_step(conn, &part, |step| step.configuration_id == configuration_id)
}

/// Those that keep a file for a step.
pub fn with_file(conn: &mut Conn, kept_file_id: i64) -> Result<Vec<(i64, String, i64)>> {
    let part = format!("\"{FILE}\":{kept_file_id}");
    with_step(conn, &part, |step| kept::id_in(step.parameters.as_ref()) == Some(kept_file_id))
}

/// Those with such a step, whose text has a part that tells which ones are worth reading.
fn with_step(conn: &mut Conn, part: &str, is_it: impl Fn(&Step) -> bool) -> Result<Vec<(i64, String, i64)>> {
    let rows: Vec<(i64, String, i64, String)> = import_sets::table
        .inner_join(set_versions::table)
        .filter(set_versions::version.eq(import_sets::version))
        .filter(set_versions::definition.like(format!("%{part}%")))
        .filter(import_sets::archived_at.is_null())
        .order((import_sets::name, import_sets::id))
        .select((import_sets::id, import_sets::name, import_sets::application_id, set_versions::definition))
        .load(conn)?;
    let mut found = Vec::new();
    for (id, name, application_id, text) in rows {
        if definition(&text)?.steps.iter().any(&is_it) {
            found.push((id, name, application_id));
        }
    }
    Ok(found)
}

pub fn insert(conn: &mut Conn, application_id: i64, name: &str, now: Moment) -> Result<i64> {
    diesel::insert_into(import_sets::table)
        .values((
            import_sets::application_id.eq(application_id),
            import_sets::name.eq(name),
            import_sets::name_key.eq(name_key(name)),
            import_sets::created_at.eq(now),
        ))
        .returning(import_sets::id)
        .get_result(conn)
        .map_err(|e| taken(e, name))
}

pub fn update(conn: &mut Conn, id: i64, name: &str, version: i64) -> Result<()> {
    diesel::update(import_sets::table.find(id))
        .set((import_sets::name.eq(name), import_sets::name_key.eq(name_key(name)), import_sets::version.eq(version)))
        .execute(conn)
        .map_err(|e| taken(e, name))?;
    Ok(())
}

fn taken(error: diesel::result::Error, name: &str) -> AppError {
    if is_taken(&error) {
        return AppError::Conflict(format!(
            "An import set named \"{name}\" already exists in this Application. Choose another name."
        ));
    }
    error.into()
}

pub fn insert_version(
    conn: &mut Conn,
    (id, version): (i64, i64),
    definition: &SetDefinition,
    member_id: i64,
    now: Moment,
) -> Result<()> {
    diesel::insert_into(set_versions::table)
        .values((
            set_versions::set_id.eq(id),
            set_versions::version.eq(version),
            set_versions::definition.eq(serde_json::to_string(definition).map_err(AppError::internal)?),
            set_versions::created_by.eq(member_id),
            set_versions::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Who saved a version, and when.
pub fn saved_by(conn: &mut Conn, id: i64, version: i64) -> Result<Option<(String, Moment)>> {
    Ok(set_versions::table
        .inner_join(members::table.on(set_versions::created_by.eq(members::id.nullable())))
        .filter(set_versions::set_id.eq(id).and(set_versions::version.eq(version)))
        .select((members::name, set_versions::created_at))
        .first(conn)
        .optional()?)
}

/// It is gone from lists and its name is free; its versions and history stay.
pub fn archive(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(import_sets::table.find(id))
        .set((import_sets::name_key.eq(format!("archived:{id}")), import_sets::archived_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Keeps how a Run ended: the one that is written last counts, also when the clock was set back in between. Its moment
/// never goes back.
pub fn set_status(conn: &mut Conn, id: i64, status: ConfigurationStatus, run_id: i64, ended_at: Moment) -> Result<()> {
    diesel::update(import_sets::table.find(id))
        .set((
            import_sets::status.eq(status),
            import_sets::status_run_id.eq(run_id),
            import_sets::status_at.eq(case_when(import_sets::status_at.gt(ended_at), import_sets::status_at)
                .otherwise(ended_at.into_sql::<Nullable<BigInt>>())),
        ))
        .execute(conn)?;
    Ok(())
}
