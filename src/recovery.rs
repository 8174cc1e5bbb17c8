//! What is put right at every start, before anything runs.
//!
//! New zone data tells other instants for the times of the clock that schedules name: what is planned is reckoned anew.
//!
//! The two databases may be of different ages, because one of them was restored from a copy, or because a power cut took
//! more from one than from the other.
//! Ids that only one of them knows must not be handed out again: a run would be taken for another that has its number in
//! the rows of a Block, a lease with an older fence could not load, and a file given by hand would be another run's. So the
//! sequences of each are raised above what the other knows, by one process at a time: two that read and then set could
//! set one back.

use crate::app::App;
use crate::applications::blocks::{self, ledger};
use crate::db;
use crate::environments::standing;
use crate::error::Result;
use crate::files::kept;
use crate::{runs, schedules, workspace};

/// Raises what hands out ids and fences above what the other database knows, lets both mean the same by each Block, and
/// plans by the zone data of this program.
pub fn at_start(app: &App) -> Result<()> {
    db::alone(&app.db, || {
        standing::wake(app)?;
        raise_all(app)?;
        reckon_anew(app)
    })
}

/// What is due already is not touched; whoever claims it plans on by this data.
fn reckon_anew(app: &App) -> Result<()> {
    if app.db.read(workspace::zone_data)?.as_deref() == Some(schedules::ZONE_DATA) {
        return Ok(());
    }
    let (now, mut after, mut moved) = (app.now(), 0, 0);
    while let Some(reckoned) = app.db.write(|conn| schedules::clock::reckon_anew(conn, after, now))? {
        after = reckoned.last_id;
        moved += reckoned.moved;
    }
    if moved > 0 {
        tracing::warn!(moved, version = schedules::ZONE_DATA, "new time zone data: next occurrences were moved");
    }
    app.db.write(|conn| workspace::set_zone_data(conn, schedules::ZONE_DATA))
}

fn raise_all(app: &App) -> Result<()> {
    let known = app.blocks.read(ledger::highest)?;
    app.db.write(|conn| {
        workspace::raise_fence(conn, known.fence)?;
        raise(conn, "runs", known.run_id)?;
        raise(conn, "blocks", known.block_id)
    })?;
    let named = app.db.read(|conn| Ok(runs::highest_file(conn)?.max(kept::highest_file(conn)?)))?;
    app.blocks.write(|conn| raise(conn, "files", named))?;
    blocks::keep_all_in_step(&app.db, &app.blocks)
}

fn raise(conn: &mut db::Conn, table: &'static str, above: i64) -> Result<()> {
    if db::raise_ids(conn, table, above)? {
        tracing::warn!(
            table,
            above,
            "one database is older than the other: its new ids continue above the highest known one"
        );
    }
    Ok(())
}
