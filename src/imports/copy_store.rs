//! The configurations of an Application in another; put away; without what their runs left.

use std::collections::BTreeMap;

use diesel::sql_types::BigInt;
use serde_json::Value;

use super::listed::Listed;
use super::model::{Configuration, Definition, Draft};
use super::{parse, store};
use crate::applications::blocks;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::import_configurations;
use crate::db::{Conn, on};
use crate::error::{AppError, Result};
use crate::translations;

/// What stands for what in the copy, by id: what is not named stays as it is.
pub struct Copies<'a> {
    pub blocks: &'a BTreeMap<i64, i64>,
    pub translations: &'a BTreeMap<i64, i64>,
    pub connections: &'a BTreeMap<i64, i64>,
}

impl Copies<'_> {
    /// A configuration as it would be there.
    pub fn draft(&self, configuration: &Configuration, definition: Definition) -> Draft {
        let of = |copies: &BTreeMap<i64, i64>, id: i64| copies.get(&id).copied().unwrap_or(id);
        let mut draft = Draft::of(configuration, &definition);
        draft.block_id = of(self.blocks, draft.block_id);
        draft.source_block_id = draft.source_block_id.map(|id| of(self.blocks, id));
        draft.connection_id = draft.connection_id.map(|id| of(self.connections, id));
        for line in draft.definition.mapping.iter_mut().flatten() {
            line.transform.translate = line.transform.translate.map(|id| of(self.translations, id));
        }
        draft
    }
}

/// The newest version of each; the id of each copy by that of what it is a copy of.
pub fn copy_all(
    conn: &mut Conn,
    (from, to): (i64, i64),
    copies: &Copies<'_>,
    member_id: i64,
    now: Moment,
) -> Result<BTreeMap<i64, i64>> {
    let mut copied = BTreeMap::new();
    for listed in store::list(conn, from)? {
        if !all_copied(conn, from, &listed, copies)? {
            let name = &listed.configuration.name;
            let said = format!("The import configuration \"{name}\" was changed while it was copied. Try again.");
            return Err(AppError::Stale(said));
        }
        let draft = copies.draft(&listed.configuration, listed.definition);
        let id = store::insert(conn, to, &draft, now)?;
        store::insert_version(conn, id, 1, &draft, member_id, now)?;
        copied.insert(listed.configuration.id, id);
    }
    Ok(copied)
}

/// Whether all that it names of its Application was copied. What was made since was not, and a copy that names it would read
/// or fill the original's.
fn all_copied(conn: &mut Conn, from: i64, listed: &Listed, copies: &Copies<'_>) -> Result<bool> {
    let named = [Some(listed.configuration.block_id), listed.configuration.source_block_id].into_iter().flatten();
    for id in named.filter(|id| !copies.blocks.contains_key(id)) {
        // The source may be another Application's.
        if blocks::is_of(conn, id, from)? {
            return Ok(false);
        }
    }
    let tables = listed.definition.translations().into_iter();
    let left: Vec<i64> = tables.filter(|id| !copies.translations.contains_key(id)).collect();
    Ok(translations::by_ids(conn, &left)?.iter().all(|table| table.application_id != from))
}

/// By how many configurations of an Application each Connection is read.
pub fn connections_of(conn: &mut Conn, application_id: i64) -> Result<Vec<(i64, i64)>> {
    let here = import_configurations::application_id.eq(application_id);
    let rows: Vec<(Option<i64>, i64)> = import_configurations::table
        .filter(here.and(import_configurations::archived_at.is_null()))
        .filter(import_configurations::connection_id.is_not_null())
        .group_by(import_configurations::connection_id)
        .select((import_configurations::connection_id, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(id, count)| Some((id?, count))).collect())
}

/// The ids of those that are not archived.
pub fn ids_of(conn: &mut Conn, application_id: i64) -> Result<Vec<i64>> {
    let here = import_configurations::application_id.eq(application_id);
    Ok(import_configurations::table
        .filter(here.and(import_configurations::archived_at.is_null()))
        .order(import_configurations::id)
        .select(import_configurations::id)
        .load(conn)?)
}

/// All of an Application, each as the audit log keeps it.
pub fn audited_all(conn: &mut Conn, application_id: i64) -> Result<Vec<(i64, Value)>> {
    let all = store::list(conn, application_id)?;
    Ok(all.iter().map(|of| (of.configuration.id, parse::json(&of.configuration, &of.definition))).collect())
}

/// All of an Application are gone from lists.
pub fn archive_all(conn: &mut Conn, application_id: i64, now: Moment) -> Result<()> {
    let query = diesel::sql_query(
        "UPDATE import_configurations SET name_key = 'archived:' || id, archived_at = $1 \
         WHERE application_id = $2 AND archived_at IS NULL",
    )
    .bind::<BigInt, _>(now.micros())
    .bind::<BigInt, _>(application_id);
    on!(conn, c => query.execute(c))?;
    Ok(())
}

/// None of an Application has run yet; deleted ones too.
pub fn forget_statuses(conn: &mut Conn, application_id: i64) -> Result<()> {
    diesel::update(import_configurations::table.filter(import_configurations::application_id.eq(application_id)))
        .set((
            import_configurations::status.eq(None::<String>),
            import_configurations::status_run_id.eq(None::<i64>),
            import_configurations::status_at.eq(None::<Moment>),
        ))
        .execute(conn)?;
    Ok(())
}
