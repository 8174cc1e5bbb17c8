//! What runs execute, as it stands now: the configurations and sets, and the versions that say how.

use std::collections::HashMap;

use chrono_tz::Tz;
use serde_json::Value;

use super::policy::Policy;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{applications, configuration_versions, import_configurations, import_sets};
use crate::error::Result;
use crate::files::kept;
use crate::imports::{Definition, Target};
use crate::schedules::run_name;

/// A configuration or a set that may be run. One that was deleted, or whose Application was, is none.
#[derive(Clone, Debug)]
pub struct Runnable {
    pub target: Target,
    pub application_id: i64,
    /// Of the Application.
    pub time_zone: Tz,
    pub name: String,
    pub version: i64,
    /// `None`: a set, whose steps name theirs.
    pub block_id: Option<i64>,
    /// Whether each run needs a file given by hand.
    pub takes_file: bool,
}

impl Runnable {
    /// The kept file that its run with these values is given, where it takes one.
    pub fn kept_file(&self, conn: &mut Conn, values: Option<&Value>) -> Result<Option<i64>> {
        if self.takes_file { kept::now(conn, self.application_id, values) } else { Ok(None) }
    }

    /// What its runs are called unless somebody names them, but for when each was planned.
    pub fn run_name(&self) -> String {
        match self.target {
            Target::Configuration(_) => self.name.clone(),
            Target::Set(_) => run_name::of_set(&self.name),
        }
    }
}

/// Id, Application, its time zone, name, version, Block, Connection, source Block.
type Row = (i64, i64, String, String, i64, i64, Option<i64>, Option<i64>);

/// Those of the targets that may be run.
pub fn runnables(conn: &mut Conn, targets: &[Target]) -> Result<HashMap<Target, Runnable>> {
    let mut found = HashMap::new();
    let ids: Vec<i64> = targets.iter().filter_map(|target| target.configuration()).collect();
    let rows: Vec<Row> = import_configurations::table
        .inner_join(applications::table)
        .filter(import_configurations::id.eq_any(&ids))
        .filter(import_configurations::archived_at.is_null().and(applications::archived_at.is_null()))
        .select((
            import_configurations::id,
            import_configurations::application_id,
            applications::time_zone,
            import_configurations::name,
            import_configurations::version,
            import_configurations::block_id,
            import_configurations::connection_id,
            import_configurations::source_block_id,
        ))
        .load(conn)?;
    for (id, application_id, zone, name, version, block_id, connection_id, source_block_id) in rows {
        let time_zone = zone.parse().unwrap_or(Tz::UTC);
        let target = Target::Configuration(id);
        let (block_id, takes_file) = (Some(block_id), connection_id.is_none() && source_block_id.is_none());
        found.insert(target, Runnable { target, application_id, time_zone, name, version, block_id, takes_file });
    }
    let ids: Vec<i64> = targets.iter().filter_map(|target| target.set()).collect();
    if ids.is_empty() {
        return Ok(found);
    }
    let rows: Vec<(i64, i64, String, String, i64)> = import_sets::table
        .inner_join(applications::table)
        .filter(import_sets::id.eq_any(&ids))
        .filter(import_sets::archived_at.is_null().and(applications::archived_at.is_null()))
        .select((
            import_sets::id,
            import_sets::application_id,
            applications::time_zone,
            import_sets::name,
            import_sets::version,
        ))
        .load(conn)?;
    for (id, application_id, zone, name, version) in rows {
        let time_zone = zone.parse().unwrap_or(Tz::UTC);
        let target = Target::Set(id);
        let runnable = Runnable { target, application_id, time_zone, name, version, block_id: None, takes_file: false };
        found.insert(target, runnable);
    }
    Ok(found)
}

/// What the newest definitions of these configurations say about running them. `Err`: why one cannot be read.
pub fn policies(conn: &mut Conn, targets: &[Target]) -> Result<HashMap<Target, std::result::Result<Policy, String>>> {
    let ids: Vec<i64> = targets.iter().filter_map(|target| target.configuration()).collect();
    let rows: Vec<(i64, String)> = configuration_versions::table
        .inner_join(import_configurations::table)
        .filter(import_configurations::id.eq_any(ids))
        .filter(configuration_versions::version.eq(import_configurations::version))
        .select((configuration_versions::configuration_id, configuration_versions::definition))
        .load(conn)?;
    let read = |(id, text): (i64, String)| (Target::Configuration(id), Policy::of(&text));
    Ok(rows.into_iter().map(read).collect())
}

/// The version of a configuration that a run follows: all that it needs to know, whatever is saved meanwhile.
#[derive(Clone, Debug, Queryable)]
pub struct Followed {
    pub version: i64,
    pub block_id: i64,
    pub connection_id: Option<i64>,
    definition: String,
}

impl Followed {
    /// All that the version says.
    pub fn definition(&self) -> std::result::Result<Definition, String> {
        serde_json::from_str(&self.definition).map_err(|error| format!("The import cannot be read ({error})."))
    }

    /// How it is run. `Err`: why that cannot be read.
    pub fn policy(&self) -> std::result::Result<Policy, String> {
        Policy::of(&self.definition)
    }
}

/// This version of a configuration, or the newest one; `None` when there is no such version.
pub fn followed(conn: &mut Conn, configuration_id: i64, version: Option<i64>) -> Result<Option<Followed>> {
    let selected = (
        configuration_versions::version,
        configuration_versions::block_id,
        configuration_versions::connection_id,
        configuration_versions::definition,
    );
    let of_it = configuration_versions::table.filter(configuration_versions::configuration_id.eq(configuration_id));
    Ok(match version {
        Some(version) => of_it.filter(configuration_versions::version.eq(version)).select(selected).first(conn),
        None => of_it
            .inner_join(import_configurations::table)
            .filter(configuration_versions::version.eq(import_configurations::version))
            .select(selected)
            .first(conn),
    }
    .optional()?)
}
