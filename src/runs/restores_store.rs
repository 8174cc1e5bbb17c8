//! Which runs are restores, and of what. Each is kept under an import, as every run is, and is no run of it.

use std::collections::HashMap;

use super::queue_store::{self as queue, NewRun};
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{run_restores, runs};
use crate::error::Result;

/// That a run is not a restore, which is kept under an import and is no run of it.
#[diesel::dsl::auto_type]
pub fn is_import() -> _ {
    runs::id.ne_all(run_restores::table.select(run_restores::run_id))
}

/// The same of the run `x`.
pub const IS_IMPORT: &str = "x.id NOT IN (SELECT run_id FROM run_restores)";

/// Puts a run into the queue that restores what another run loaded.
pub fn insert(conn: &mut Conn, new: &NewRun, restores_run_id: i64) -> Result<i64> {
    let id = queue::insert(conn, new)?;
    let row = (run_restores::run_id.eq(id), run_restores::restores_run_id.eq(restores_run_id));
    diesel::insert_into(run_restores::table).values(row).execute(conn)?;
    Ok(id)
}

/// Of those of these that are restores, the runs whose contents they show.
pub fn of_all(conn: &mut Conn, run_ids: &[i64]) -> Result<HashMap<i64, i64>> {
    if run_ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(run_restores::table.filter(run_restores::run_id.eq_any(run_ids)).load(conn)?.into_iter().collect())
}

/// The import under which a restore is kept: whose run made the contents or, where that run is gone, filled the Block last.
pub fn import_that_filled(conn: &mut Conn, block_id: i64, run_id: i64) -> Result<Option<i64>> {
    let of_run = runs::table.find(run_id).select(runs::configuration_id);
    if let Some(id) = of_run.first::<Option<i64>>(conn).optional()?.flatten() {
        return Ok(Some(id));
    }
    let filled = runs::table.filter(runs::block_id.eq(block_id).and(runs::configuration_id.is_not_null()));
    let last = filled.order(runs::id.desc()).select(runs::configuration_id).first::<Option<i64>>(conn).optional()?;
    Ok(last.flatten())
}
