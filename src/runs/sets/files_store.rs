//! Which runs of sets have yet to load a kept file.

use diesel::prelude::*;
use serde_json::Value;

use crate::db::Conn;
use crate::db::schema::{runs, set_run_steps};
use crate::error::Result;
use crate::files::kept::FILE;

/// Runs of sets that have not ended and whose values, or those of a step that was not begun, name a kept file.
pub fn open_with_file(conn: &mut Conn, kept_file_id: i64) -> Result<Vec<i64>> {
    let open = || runs::table.filter(runs::finished_at.is_null().and(runs::set_id.is_not_null()));
    let of_runs: Vec<(i64, Option<String>)> =
        open().filter(runs::parameters.is_not_null()).select((runs::id, runs::parameters)).load(conn)?;
    let of_steps: Vec<(i64, Option<String>)> = set_run_steps::table
        .filter(set_run_steps::run_id.eq_any(open().select(runs::id)))
        .filter(set_run_steps::step_run_id.is_null().and(set_run_steps::status.is_null()))
        .select((set_run_steps::run_id, set_run_steps::parameters))
        .load(conn)?;
    let is_file = |name: &str| name.rsplit('.').next() == Some(FILE);
    let names = |text: &Option<String>| {
        let values: Option<Value> = text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let is_it = |(name, value): (&String, &Value)| is_file(name) && value.as_i64() == Some(kept_file_id);
        values.as_ref().and_then(Value::as_object).is_some_and(|values| values.iter().any(is_it))
    };
    let mut found: Vec<i64> =
        of_runs.into_iter().chain(of_steps).filter(|(_, text)| names(text)).map(|(id, _)| id).collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
