//! To which file a run does what its version says once it is loaded. It is written down before the load, and stays when
//! the run is over, until it is known to be done, or a later run of the import finds that it has no object any more.

use super::leases_store as leases;
use crate::db::prelude::*;
use crate::db::schema::{run_holds, run_intents};
use crate::db::{self, Conn};
use crate::error::Result;
use crate::runs::model::Run;

/// The file of a run, and all that says whether another one would load it in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = run_intents)]
pub struct Kept {
    pub run_id: i64,
    pub configuration_id: i64,
    pub configuration_version: i64,
    pub block_id: i64,
    pub connection_id: i64,
    pub path: String,
    /// Which file it was ([`Check::stamp`](crate::connectors::Check::stamp)).
    pub stamp: String,
}

/// Writes it down; `false` when the lease of its run is not this worker's any more.
pub fn keep(conn: &mut Conn, fence: i64, kept: &Kept) -> Result<bool> {
    // As whoever ends the run holds it.
    db::lock_row(conn, "runs", kept.run_id)?;
    if leases::cancel_requested(conn, kept.run_id, fence)?.is_none() {
        return Ok(false);
    }
    forget(conn, kept.run_id)?;
    diesel::insert_into(run_intents::table).values(kept).execute(conn)?;
    Ok(true)
}

pub fn of(conn: &mut Conn, run_id: i64) -> Result<Option<Kept>> {
    Ok(run_intents::table.find(run_id).first(conn).optional()?)
}

/// What earlier runs of the same configuration left of files of this Connection.
pub fn of_earlier(conn: &mut Conn, run: &Run, connection_id: i64) -> Result<Vec<Kept>> {
    Ok(run_intents::table
        .filter(run_intents::configuration_id.nullable().eq(run.configuration_id))
        .filter(run_intents::connection_id.eq(connection_id).and(run_intents::run_id.ne(run.id)))
        // What is held is not loaded yet, and its file is not done with.
        .filter(run_intents::run_id.ne_all(run_holds::table.select(run_holds::run_id)))
        .order(run_intents::run_id)
        .load(conn)?)
}

/// It is done, or has no object any more; `false` when there is none.
pub fn forget(conn: &mut Conn, run_id: i64) -> Result<bool> {
    Ok(diesel::delete(run_intents::table.find(run_id)).execute(conn)? == 1)
}

/// The run, or an attempt of it, is over. Where it has loaded its file, what earlier runs were to do to the very same is
/// its own now; and where that is done, or it loaded nothing, none is left.
pub fn end(conn: &mut Conn, run_id: i64, loaded: bool, unsettled: bool) -> Result<()> {
    let Some(mine) = of(conn, run_id)? else { return Ok(()) };
    if loaded {
        let same = run_intents::table
            .filter(run_intents::configuration_id.eq(mine.configuration_id))
            .filter(run_intents::connection_id.eq(mine.connection_id).and(run_intents::stamp.eq(mine.stamp)))
            .filter(run_intents::run_id.ne(run_id));
        diesel::delete(same).execute(conn)?;
    }
    if !unsettled {
        forget(conn, run_id)?;
    }
    Ok(())
}
