//! The secrets among the values of sets' steps, when the key that seals them changes.

use diesel::prelude::*;
use serde_json::Value;

use super::model::SetDefinition;
use crate::db::Conn;
use crate::db::schema::set_versions;
use crate::error::{AppError, Result};
use crate::parameters;
use crate::secrets::Secrets;

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
                && let Some(anew) = parameters::seal_anew(step.configuration_id, values, old, new)?
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

/// Seals anew the secrets among values for the runs of a set: each was sealed for the configuration of a step, of whichever
/// version that was. `None` where nothing is.
pub fn seal_values_anew(
    conn: &mut Conn,
    set_id: i64,
    values: &Value,
    (old, new): (&Secrets, &Secrets),
) -> Result<Option<Value>> {
    let versions: Vec<String> =
        set_versions::table.filter(set_versions::set_id.eq(set_id)).select(set_versions::definition).load(conn)?;
    let read = versions.iter().filter_map(|text| serde_json::from_str::<SetDefinition>(text).ok());
    let mut configurations: Vec<i64> = read.flat_map(|set| set.steps).map(|step| step.configuration_id).collect();
    configurations.sort_unstable();
    configurations.dedup();
    let Value::Object(mut values) = values.clone() else { return Ok(None) };
    let mut changed = false;
    for (name, value) in &mut values {
        let own = name.split_once('.').map_or(name.as_str(), |(_, own)| own);
        let alone = Value::Object([(own.to_owned(), value.clone())].into_iter().collect());
        for configuration_id in &configurations {
            if let Some(mut anew) = parameters::seal_anew(*configuration_id, &alone, old, new)? {
                *value = anew[own].take();
                changed = true;
                break;
            }
        }
    }
    Ok(changed.then_some(Value::Object(values)))
}
