//! The secrets among the values of schedules, when the key that seals them changes.

use serde_json::Value;

use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::schedules;
use crate::error::{AppError, Result};
use crate::import_sets;
use crate::imports::Target;
use crate::parameters;
use crate::secrets::Secrets;

/// Id, configuration, set, values.
type Row = (i64, Option<i64>, Option<i64>, Option<String>);

/// Seals anew the secrets of all schedules, deleted ones too.
pub fn seal_anew(conn: &mut Conn, old: &Secrets, new: &Secrets) -> Result<()> {
    let found: Vec<Row> = schedules::table
        .filter(schedules::parameters.like("%\"sealed\":%"))
        .select((schedules::id, schedules::configuration_id, schedules::set_id, schedules::parameters))
        .load(conn)?;
    for (id, configuration_id, set_id, text) in found {
        let (Some(target), Some(text)) = (Target::of(configuration_id, set_id), text) else { continue };
        // What cannot be read is shown as broken, and is no matter of keys.
        let Ok(values) = serde_json::from_str::<Value>(&text) else { continue };
        let configurations = import_sets::sealed_for(conn, target)?;
        if let Some(anew) = parameters::seal_anew(&configurations, &values, old, new)? {
            let text = serde_json::to_string(&anew).map_err(AppError::internal)?;
            diesel::update(schedules::table.find(id)).set(schedules::parameters.eq(text)).execute(conn)?;
        }
    }
    Ok(())
}
