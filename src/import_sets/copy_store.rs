//! The import sets of an Application in another; put away; without what their runs left.

use std::collections::BTreeMap;

use diesel::sql_types::BigInt;
use serde_json::Value;

use super::body::audited;
use super::step_values::of_target;
use super::store;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::import_sets;
use crate::db::{Conn, on};
use crate::error::{AppError, Result};
use crate::files::kept;
use crate::imports::Target;
use crate::parameters;
use crate::secrets::Secrets;

/// What stands for what in the copy, by id.
pub struct Copies<'a> {
    pub configurations: &'a BTreeMap<i64, i64>,
    pub kept_files: &'a BTreeMap<i64, i64>,
    pub secrets: &'a Secrets,
}

impl Copies<'_> {
    /// Values that were given for the runs of a target, as they are for the runs of its copy.
    pub fn values(&self, conn: &mut Conn, of: Target, values: Option<&Value>) -> Result<Option<Value>> {
        let Some(values) = values else { return Ok(None) };
        let sealed = parameters::sealed_for_copies(values, self.configurations, self.secrets)?;
        // Another import may declare a number of that name.
        let is_file = of_target(conn, of)?.iter().any(|declared| declared.parameter.is_file);
        Ok(Some(kept::renumbered(sealed, self.kept_files, |_| is_file)))
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
    for (set, mut definition) in store::list(conn, from)? {
        for step in &mut definition.steps {
            let of = Target::Configuration(step.configuration_id);
            step.parameters = copies.values(conn, of, step.parameters.as_ref())?;
            step.configuration_id = *copies.configurations.get(&step.configuration_id).ok_or_else(|| {
                AppError::Stale(format!("The import set \"{}\" was changed while it was copied. Try again.", set.name))
            })?;
        }
        let id = store::insert(conn, to, &set.name, now)?;
        store::insert_version(conn, (id, 1), &definition, member_id, now)?;
        copied.insert(set.id, id);
    }
    Ok(copied)
}

/// The ids of those that are not archived.
pub fn ids_of(conn: &mut Conn, application_id: i64) -> Result<Vec<i64>> {
    let living = import_sets::application_id.eq(application_id).and(import_sets::archived_at.is_null());
    Ok(import_sets::table.filter(living).order(import_sets::id).select(import_sets::id).load(conn)?)
}

/// All of an Application, each as the audit log keeps it.
pub fn audited_all(conn: &mut Conn, application_id: i64) -> Result<Vec<(i64, Value)>> {
    let all = store::list(conn, application_id)?;
    Ok(all.iter().map(|(set, definition)| (set.id, audited(set, definition))).collect())
}

/// All of an Application are gone from lists.
pub fn archive_all(conn: &mut Conn, application_id: i64, now: Moment) -> Result<()> {
    let query = diesel::sql_query(
        "UPDATE import_sets SET name_key = 'archived:' || id, archived_at = $1 \
         WHERE application_id = $2 AND archived_at IS NULL",
    )
    .bind::<BigInt, _>(now.micros())
    .bind::<BigInt, _>(application_id);
    on!(conn, c => query.execute(c))?;
    Ok(())
}

/// None of an Application has run yet; deleted ones too.
pub fn forget_statuses(conn: &mut Conn, application_id: i64) -> Result<()> {
    diesel::update(import_sets::table.filter(import_sets::application_id.eq(application_id)))
        .set((
            import_sets::status.eq(None::<String>),
            import_sets::status_run_id.eq(None::<i64>),
            import_sets::status_at.eq(None::<Moment>),
        ))
        .execute(conn)?;
    Ok(())
}
