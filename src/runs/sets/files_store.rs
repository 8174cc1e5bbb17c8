//! Which runs of sets have yet to load a kept file.

use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{runs, set_run_steps};
use crate::error::Result;
use crate::files::kept;

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
    let names = |text: &Option<String>| kept::named_in(text.as_deref(), kept_file_id);
    let mut found: Vec<i64> =
        of_runs.into_iter().chain(of_steps).filter(|(_, text)| names(text)).map(|(id, _)| id).collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
