//! Translation tables in the database.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::model::{Otherwise, Translation};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{translation_entries as entries, translations};
use crate::db::{self, Conn, on};
use crate::error::{AppError, Result};
use crate::names::name_key;

/// A table as lists show it, without its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    pub id: i64,
    pub application_id: i64,
    pub name: String,
    pub otherwise: Otherwise,
    /// How many there are.
    pub entries: i64,
    pub version: i64,
}

type Row = (i64, i64, String, Otherwise, i64, Option<String>, Option<String>);

/// One table that is not archived.
pub fn by_id(conn: &mut Conn, id: i64) -> Result<Translation> {
    by_ids(conn, &[id])?.pop().ok_or(AppError::NotFound)
}

/// Those of these tables that are not archived, by id. One statement, so that no change comes between a table and its
/// entries.
pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Translation>> {
    // Each run asks, and few imports translate.
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = translations::table
        .left_join(entries::table)
        .filter(translations::id.eq_any(ids))
        .filter(translations::archived_at.is_null())
        .order(translations::id)
        .select((
            translations::id,
            translations::application_id,
            translations::name,
            translations::otherwise,
            translations::version,
            entries::source.nullable(),
            entries::target.nullable(),
        ))
        .load(conn)?;
    let mut found: Vec<Translation> = Vec::new();
    for (id, application_id, name, otherwise, version, source, target) in rows {
        if found.last().is_none_or(|last| last.id != id) {
            found.push(Translation { id, application_id, name, otherwise, entries: BTreeMap::new(), version });
        }
        if let (Some(last), Some(source), Some(target)) = (found.last_mut(), source, target) {
            last.entries.insert(source, target);
        }
    }
    Ok(found)
}

/// The tables of an Application by name; for a caller that has entered it.
pub fn of_application(conn: &mut Conn, application_id: i64) -> Result<Vec<Outline>> {
    type Row = (i64, i64, String, Otherwise, i64, Option<i64>);
    let rows: Vec<Row> = translations::table
        .filter(translations::application_id.eq(application_id))
        .filter(translations::archived_at.is_null())
        .order((translations::name_key, translations::id))
        .select((
            translations::id,
            translations::application_id,
            translations::name,
            translations::otherwise,
            translations::version,
            entries::table.filter(entries::translation_id.eq(translations::id)).count().single_value(),
        ))
        .load(conn)?;
    let outline = |(id, application_id, name, otherwise, version, entries): Row| {
        let entries = entries.unwrap_or_default();
        Outline { id, application_id, name, otherwise, entries, version }
    };
    Ok(rows.into_iter().map(outline).collect())
}

/// `draft` is checked.
pub fn insert(conn: &mut Conn, application_id: i64, draft: &Draft, now: Moment) -> Result<i64> {
    let id: i64 = diesel::insert_into(translations::table)
        .values((
            translations::application_id.eq(application_id),
            translations::name.eq(&draft.name),
            translations::name_key.eq(name_key(&draft.name)),
            translations::otherwise.eq(draft.otherwise),
            translations::created_at.eq(now),
        ))
        .returning(translations::id)
        .get_result(conn)
        .map_err(|e| taken(e, &draft.name))?;
    insert_entries(conn, id, draft.entries.iter().map(|(source, target)| (source, target)))?;
    Ok(id)
}

/// Makes a table what it is to be, version included; only the entries that differ are written.
pub fn update(conn: &mut Conn, was: &Translation, is: &Translation) -> Result<()> {
    diesel::update(translations::table.find(was.id))
        .set((
            translations::name.eq(&is.name),
            translations::name_key.eq(name_key(&is.name)),
            translations::otherwise.eq(is.otherwise),
            translations::version.eq(is.version),
        ))
        .execute(conn)
        .map_err(|e| taken(e, &is.name))?;
    let gone: Vec<&String> = was.differing(is).map(|(source, _)| source).collect();
    for gone in gone.chunks(1_000) {
        let gone = gone.iter().map(|source| source.as_str());
        diesel::delete(entries::table.filter(entries::translation_id.eq(was.id)).filter(entries::source.eq_any(gone)))
            .execute(conn)?;
    }
    insert_entries(conn, was.id, is.differing(was))
}

fn insert_entries<'a>(conn: &mut Conn, id: i64, new: impl Iterator<Item = (&'a String, &'a String)>) -> Result<()> {
    let rows: Vec<_> = new
        .map(|(source, target)| {
            (entries::translation_id.eq(id), entries::source.eq(source), entries::target.eq(target))
        })
        .collect();
    for chunk in rows.chunks(1_000) {
        on!(conn, c => diesel::insert_into(entries::table).values(chunk).execute_rows(c))?;
    }
    Ok(())
}

fn taken(error: diesel::result::Error, name: &str) -> AppError {
    if db::is_taken(&error) {
        return AppError::Conflict(format!(
            "A translation table named \"{name}\" already exists in this Application. Choose another name."
        ));
    }
    error.into()
}

/// It is gone from lists, and its name is free.
pub fn archive(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(translations::table.find(id))
        .set((translations::name_key.eq(format!("archived:{id}")), translations::archived_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// The same tables in another Application; the id of each copy by that of what it is a copy of.
pub fn copy_all(conn: &mut Conn, from: i64, to: i64, now: Moment) -> Result<BTreeMap<i64, i64>> {
    let ids: Vec<i64> = of_application(conn, from)?.into_iter().map(|outline| outline.id).collect();
    let mut copies = BTreeMap::new();
    for table in by_ids(conn, &ids)? {
        let Translation { id, name, otherwise, entries, .. } = table;
        let draft = Draft { name, otherwise, entries: entries.into_iter().collect() };
        copies.insert(id, insert(conn, to, &draft, now)?);
    }
    Ok(copies)
}

/// All of an Application are gone from lists.
pub fn archive_all(conn: &mut Conn, application_id: i64, now: Moment) -> Result<()> {
    for outline in of_application(conn, application_id)? {
        archive(conn, outline.id, now)?;
    }
    Ok(())
}
