//! The secrets among the values of sets' steps, when the key that seals them changes.

use diesel::prelude::*;

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
