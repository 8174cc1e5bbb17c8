//! Kept files and their versions in the Workspace's tables.

use std::collections::BTreeMap;

use super::model::{KeptFile, KeptVersion};
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{kept_file_versions as versions, kept_files, members};
use crate::error::Result;
use crate::files::Stored;
use crate::names::name_key;

type VersionRow = (i64, i64, String, i64, String, i64, String, Moment);
type Row = (i64, i64, String, VersionRow);

macro_rules! version_columns {
    () => {
        (
            versions::version,
            versions::file_id,
            versions::name,
            versions::bytes,
            versions::sha256,
            versions::kept_by,
            members::name,
            versions::kept_at,
        )
    };
}

macro_rules! living {
    () => {
        kept_files::table
            .inner_join(versions::table.inner_join(members::table))
            .filter(versions::version.eq(kept_files::version).and(kept_files::archived_at.is_null()))
    };
}

macro_rules! columns {
    () => {
        (kept_files::id, kept_files::application_id, kept_files::name, version_columns!())
    };
}

fn version((version, file_id, file_name, bytes, sha256, kept_by, kept_by_name, kept_at): VersionRow) -> KeptVersion {
    KeptVersion { version, file_id, file_name, bytes, sha256, kept_by, kept_by_name, kept_at }
}

fn kept((id, application_id, name, newest): Row) -> KeptFile {
    KeptFile { id, application_id, name, newest: version(newest) }
}

/// One that was not deleted.
pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<KeptFile>> {
    Ok(living!().filter(kept_files::id.eq(id)).select(columns!()).first::<Row>(conn).optional()?.map(kept))
}

/// Those of an Application by name, for a caller that has entered it.
pub fn of_application(conn: &mut Conn, application_id: i64) -> Result<Vec<KeptFile>> {
    let rows = living!()
        .filter(kept_files::application_id.eq(application_id))
        .order((kept_files::name_key, kept_files::id))
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(kept).collect())
}

/// The versions that are remembered, the newest first.
pub fn versions(conn: &mut Conn, id: i64) -> Result<Vec<KeptVersion>> {
    let rows = versions::table
        .inner_join(members::table)
        .filter(versions::kept_file_id.eq(id))
        .order(versions::version.desc())
        .select(version_columns!())
        .load::<VersionRow>(conn)?;
    Ok(rows.into_iter().map(version).collect())
}

/// Of which kept file, deleted or not, a file of the Block database is a version: its id unless it was deleted, its name,
/// the version.
pub fn by_file(conn: &mut Conn, file_id: i64) -> Result<Option<(Option<i64>, String, i64)>> {
    let found: Option<(i64, Option<Moment>, String, i64)> = versions::table
        .inner_join(kept_files::table)
        .filter(versions::file_id.eq(file_id))
        .select((kept_files::id, kept_files::archived_at, kept_files::name, versions::version))
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, archived, name, version)| (Some(id).filter(|_| archived.is_none()), name, version)))
}

/// Those of these files of the Block database that are versions of kept ones which were not deleted.
pub fn named(conn: &mut Conn, file_ids: &[i64]) -> Result<Vec<i64>> {
    Ok(versions::table
        .inner_join(kept_files::table)
        .filter(versions::file_id.eq_any(file_ids).and(kept_files::archived_at.is_null()))
        .select(versions::file_id)
        .load(conn)?)
}

/// The largest id of a file in the Block database that a version names.
pub fn highest_file(conn: &mut Conn) -> Result<i64> {
    Ok(versions::table.select(diesel::dsl::max(versions::file_id)).first::<Option<i64>>(conn)?.unwrap_or(0))
}

/// Makes one; its first version is still to be inserted.
pub fn insert(conn: &mut Conn, application_id: i64, name: &str, now: Moment) -> Result<i64> {
    Ok(diesel::insert_into(kept_files::table)
        .values((
            kept_files::application_id.eq(application_id),
            kept_files::name.eq(name),
            kept_files::name_key.eq(name_key(name)),
            kept_files::created_at.eq(now),
        ))
        .returning(kept_files::id)
        .get_result(conn)?)
}

/// What it is from now on; versions up to `forgotten` are so no more.
pub fn insert_version(
    conn: &mut Conn,
    (id, version, forgotten): (i64, i64, i64),
    stored: &Stored,
    kept_by: i64,
    now: Moment,
) -> Result<()> {
    diesel::insert_into(versions::table)
        .values((
            versions::kept_file_id.eq(id),
            versions::version.eq(version),
            versions::file_id.eq(stored.id),
            versions::name.eq(&stored.name),
            versions::bytes.eq(stored.bytes),
            versions::sha256.eq(&stored.sha256),
            versions::kept_by.eq(kept_by),
            versions::kept_at.eq(now),
        ))
        .execute(conn)?;
    diesel::update(kept_files::table.find(id)).set(kept_files::version.eq(version)).execute(conn)?;
    let old = versions::table.filter(versions::kept_file_id.eq(id).and(versions::version.le(forgotten)));
    diesel::delete(old).execute(conn)?;
    Ok(())
}

/// It is gone from lists, and its name is free. Its versions are still told of the runs that loaded them.
pub fn archive(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(kept_files::table.find(id))
        .set((kept_files::name_key.eq(format!("archived:{id}")), kept_files::archived_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// The same files in another Application, each as it is now; the id of each copy by that of what it is a copy of. The bytes
/// are there once: whoever removes files asks whether any of them is kept.
pub fn copy_all(conn: &mut Conn, from: i64, to: i64, now: Moment) -> Result<BTreeMap<i64, i64>> {
    let mut copies = BTreeMap::new();
    for KeptFile { id, name, newest, .. } in of_application(conn, from)? {
        let copy = insert(conn, to, &name, now)?;
        let stored = Stored { id: newest.file_id, name: newest.file_name, bytes: newest.bytes, sha256: newest.sha256 };
        insert_version(conn, (copy, 1, 0), &stored, newest.kept_by, newest.kept_at)?;
        copies.insert(id, copy);
    }
    Ok(copies)
}

/// All of an Application are gone from lists.
pub fn archive_all(conn: &mut Conn, application_id: i64, now: Moment) -> Result<()> {
    for kept in of_application(conn, application_id)? {
        archive(conn, kept.id, now)?;
    }
    Ok(())
}
