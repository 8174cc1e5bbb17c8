//! Which configurations use a Block, a Connection or a translation table.

use super::model::Definition;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{applications, configuration_versions, import_configurations};
use crate::error::Result;

/// The configurations that fill a Block or read from it: id, name, Application.
pub fn using_block(conn: &mut Conn, block_id: i64) -> Result<Vec<(i64, String, i64)>> {
    Ok(import_configurations::table
        .filter(import_configurations::block_id.eq(block_id).or(import_configurations::source_block_id.eq(block_id)))
        .filter(import_configurations::archived_at.is_null())
        .order((import_configurations::name, import_configurations::id))
        .select((import_configurations::id, import_configurations::name, import_configurations::application_id))
        .load(conn)?)
}

/// Those that read through a Connection: id, name, Application and its name.
pub fn using_connection(conn: &mut Conn, id: i64) -> Result<Vec<(i64, String, i64, String)>> {
    Ok(import_configurations::table
        .inner_join(applications::table)
        .filter(import_configurations::connection_id.eq(id))
        .filter(import_configurations::archived_at.is_null().and(applications::archived_at.is_null()))
        .order((applications::name, import_configurations::name, import_configurations::id))
        .select((import_configurations::id, import_configurations::name, applications::id, applications::name))
        .load(conn)?)
}

/// Those whose mapping translates by a table: id, name, Application.
pub fn using_translation(conn: &mut Conn, id: i64) -> Result<Vec<(i64, String, i64)>> {
    // The text tells which ones are worth reading.
    let rows: Vec<(i64, String, i64, String)> = import_configurations::table
        .inner_join(configuration_versions::table)
        .filter(configuration_versions::version.eq(import_configurations::version))
        .filter(configuration_versions::definition.like(format!("%\"translate\":{id}%")))
        .filter(import_configurations::archived_at.is_null())
        .order((import_configurations::name, import_configurations::id))
        .select((
            import_configurations::id,
            import_configurations::name,
            import_configurations::application_id,
            configuration_versions::definition,
        ))
        .load(conn)?;
    let uses = |text: &str| serde_json::from_str::<Definition>(text).is_ok_and(|d| d.translations().contains(&id));
    Ok(rows.into_iter().filter(|row| uses(&row.3)).map(|(id, name, application, _)| (id, name, application)).collect())
}
