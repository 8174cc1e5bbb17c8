//! The secrets among the values of runs, when the key that seals them changes: of each run, and of the steps that the run
//! of a set was to take.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::Value;

use super::model::Run;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{runs, set_run_steps};
use crate::error::{AppError, Result};
use crate::import_sets;
use crate::imports::Target;
use crate::parameters;
use crate::secrets::Secrets;

const SEALED: &str = "%\"sealed\":%";

/// Id, configuration, set, values.
type Row = (i64, Option<i64>, Option<i64>, Option<String>);

/// Seals anew the secrets of all runs.
pub fn seal_anew(conn: &mut Conn, old: &Secrets, new: &Secrets) -> Result<()> {
    let found: Vec<Row> = runs::table
        .filter(runs::parameters.like(SEALED))
        .select((runs::id, runs::configuration_id, runs::set_id, runs::parameters))
        .load(conn)?;
    let mut sealed_for: HashMap<Target, Vec<i64>> = HashMap::new();
    for (id, configuration_id, set_id, text) in found {
        let (Some(target), Some(text)) = (Target::of(configuration_id, set_id), text) else { continue };
        let Ok(kept) = serde_json::from_str::<Value>(&text) else { continue };
        let (given, resolved) = Run::of_kept(Some(kept));
        let configurations = match sealed_for.entry(target) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(place) => place.insert(import_sets::sealed_for(conn, target)?),
        };
        let anew = |values: Option<Value>| -> Result<Option<Value>> {
            let Some(values) = values else { return Ok(None) };
            Ok(Some(parameters::seal_anew(configurations, &values, old, new)?.unwrap_or(values)))
        };
        let text = Run::kept(anew(given)?.as_ref(), anew(resolved)?.as_ref());
        diesel::update(runs::table.find(id)).set(runs::parameters.eq(text)).execute(conn)?;
    }
    let found: Vec<(i64, i32, i64, Option<String>)> = set_run_steps::table
        .filter(set_run_steps::parameters.like(SEALED))
        .select((
            set_run_steps::run_id,
            set_run_steps::position,
            set_run_steps::configuration_id,
            set_run_steps::parameters,
        ))
        .load(conn)?;
    for (run_id, position, configuration_id, text) in found {
        let Ok(values) = serde_json::from_str::<Value>(&text.unwrap_or_default()) else { continue };
        if let Some(anew) = parameters::seal_anew(&[configuration_id], &values, old, new)? {
            let text = serde_json::to_string(&anew).map_err(AppError::internal)?;
            let step = set_run_steps::run_id.eq(run_id).and(set_run_steps::position.eq(position));
            diesel::update(set_run_steps::table.filter(step)).set(set_run_steps::parameters.eq(text)).execute(conn)?;
        }
    }
    Ok(())
}
