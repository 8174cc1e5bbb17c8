//! What takes long after a clone, a refresh or a reset: a step that goes on wherever the last one was cut off, in whatever
//! process. Each Block's rows are copied in one transaction of the Block database, so that a Block has all of them or none;
//! what is removed goes batch by batch. No run of the Application begins before its rows are what they are to be: what it
//! adds would stand among those that go, or keep those away that come.

use super::model::{Environment, Made};
use super::store;
use crate::app::App;
use crate::applications;
use crate::applications::blocks::{self, copying};
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::runs::{self, retention};

/// Goes on with all that is left to do; how many Applications are finished. One that cannot be finished yet keeps none of the
/// others waiting. Blocks, for long.
pub fn step(app: &App) -> Result<usize> {
    let mut finished = 0;
    for environment in app.db.read(store::unfinished)? {
        match go_on(app, &environment) {
            Ok(done) => finished += usize::from(done),
            Err(error) => {
                let application = environment.application_id;
                tracing::warn!(application, %error, "an Application is not copied or emptied yet; it is tried again");
            }
        }
        if app.stop.is_cancelled() {
            break;
        }
    }
    Ok(finished)
}

fn go_on(app: &App, of: &Environment) -> Result<bool> {
    let id = of.application_id;
    // Nobody looks for the rows of one that was archived meanwhile.
    let is_there = app.db.read(|conn| Ok(applications::by_id(conn, id)?.is_some()))?;
    let done = !is_there
        || match of.made {
            Made::Clone => copy_rows(app, of)?,
            Made::Refresh => remove_archived(app, of)? && copy_rows(app, of)?,
            Made::Reset => remove_all(app, of)?,
        };
    if done {
        let_begin(app, of)?;
        app.db.write(|conn| store::finish(conn, of, app.now()))?;
    }
    Ok(done)
}

/// Its rows are what they are to be: runs begin again, unless something else was begun since.
fn let_begin(app: &App, of: &Environment) -> Result<()> {
    let id = of.application_id;
    app.db.write(|conn| {
        // Who begins something else holds the same row.
        db::lock_row(conn, "applications", id)?;
        if store::is_last(conn, of)? { runs::go_on(conn, id) } else { Ok(()) }
    })?;
    app.work.notify_one();
    Ok(())
}

fn copy_rows(app: &App, of: &Environment) -> Result<bool> {
    for (from, to) in app.db.read(|conn| store::rows_left(conn, of.application_id))? {
        if app.stop.is_cancelled() {
            return Ok(false);
        }
        let found = |conn: &mut Conn| Ok((blocks::find(conn, from), blocks::find(conn, to)));
        match app.db.read(found)? {
            (Ok(from), Ok(to)) => {
                let stop = || app.stop.is_cancelled();
                let rows = copying::copy_rows(&app.blocks, &stop, &from, &to, app.now())?;
                tracing::debug!(from = from.id, to = to.id, rows, "the rows of a Block were copied");
            }
            // What was deleted meanwhile has no rows to copy, or nowhere to copy them to.
            (Err(AppError::NotFound), _) | (_, Err(AppError::NotFound)) => {}
            (Err(error), _) | (_, Err(error)) => return Err(error),
        }
        app.db.write(|conn| store::rows_copied(conn, to))?;
    }
    Ok(true)
}

/// What the Blocks held whose place those of the original took.
fn remove_archived(app: &App, of: &Environment) -> Result<bool> {
    for block in app.db.read(|conn| copying::archived(conn, of.application_id))? {
        if app.stop.is_cancelled() {
            return Ok(false);
        }
        copying::empty(&app.blocks, block, of.at)?;
    }
    Ok(true)
}

/// The rows first: while history goes, nobody takes them for something that it explains.
fn remove_all(app: &App, of: &Environment) -> Result<bool> {
    for block in app.db.read(|conn| blocks::list(conn, of.application_id))? {
        if app.stop.is_cancelled() {
            return Ok(false);
        }
        copying::empty(&app.blocks, block.id, of.at)?;
    }
    if !remove_archived(app, of)? {
        return Ok(false);
    }
    // History may take long.
    let_begin(app, of)?;
    retention::erase(app, of.application_id, of.at)
}
