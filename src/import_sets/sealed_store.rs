//! The secrets among the values of sets' steps, when the key that seals them changes.

use super::model::SetDefinition;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::set_versions;
use crate::error::{AppError, Result};
use crate::imports::Target;
use crate::parameters;
use crate::secrets::Secrets;

/// The configurations that are or were steps of a set: a secret for its runs is sealed for one of them.
fn steps_ever(conn: &mut Conn, set_id: i64) -> Result<Vec<i64>> {
    let of_set = set_versions::table.filter(set_versions::set_id.eq(set_id));
    let texts: Vec<String> = of_set.select(set_versions::definition).load(conn)?;
    let definitions = texts.iter().filter_map(|text| serde_json::from_str::<SetDefinition>(text).ok());
    let mut ids: Vec<i64> = definitions.flat_map(|set| set.steps).map(|step| step.configuration_id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// For which configurations the secrets are sealed that somebody gives for the runs of a configuration or a set.
pub fn sealed_for(conn: &mut Conn, target: Target) -> Result<Vec<i64>> {
    match target {
        Target::Configuration(id) => Ok(vec![id]),
        Target::Set(id) => steps_ever(conn, id),
    }
}

/// Seals anew the secrets of all versions of all sets.
pub fn seal_anew(conn: &mut Conn, old: &Secrets, new: &Secrets) -> Result<()> {
    let found: Vec<(i64, i64, String)> = set_versions::table
        .filter(set_versions::definition.like("%\"sealed\":%"))
        .select((set_versions::set_id, set_versions::version, set_versions::definition))
        .load(conn)?;
    for (set_id, version, text) in found {
        let Ok(mut definition) = serde_json::from_str::<SetDefinition>(&text) else { continue };
        for step in &mut definition.steps {
            if let Some(values) = &step.parameters
                && let Some(anew) = parameters::seal_anew(&[step.configuration_id], values, old, new)?
            {
                step.parameters = Some(anew);
            }
        }
        let text = serde_json::to_string(&definition).map_err(AppError::internal)?;
        let row = set_versions::set_id.eq(set_id).and(set_versions::version.eq(version));
        diesel::update(set_versions::table.filter(row)).set(set_versions::definition.eq(text)).execute(conn)?;
    }
    Ok(())
}
