//! What is done to a file after a load: left, moved or deleted, as the version of its import says. The intent stands
//! with the lease before anything is loaded, so that whoever takes a run over whose load became visible does it as well;
//! and the run holds the file until it is done, so that no other run loads it a second time.

use std::time::{Duration as Span, Instant};

use super::leases_store as leases;
use super::told::step;
use super::work::{Job, Retry, Undone, of_app_error};
use crate::app::App;
use crate::connections;
use crate::connectors::{Check, Connector, Deed, FetchContext, FetchRequest, Intent, Settled};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::runs::model::{Run, RunStep};
use crate::runs::runnable_store as runnable;

/// How long it may take.
const PATIENCE: Span = Span::from_secs(30);

/// What became of the file: a step of the run, and what is to be said beside its numbers.
pub struct After {
    pub step: Option<RunStep>,
    pub remark: Option<String>,
}

/// Notes what is to be done to the file that was fetched, before anything of it is loaded.
pub fn intend(
    app: &App,
    job: &Job<'_>,
    deed: &Deed,
    request: &FetchRequest,
    check: &Check,
) -> std::result::Result<Intent, Undone> {
    let FetchRequest::Path(path) = request else { return Err(Undone::new("A query has no file.", Retry::No)) };
    let stamp = check.stamp().unwrap_or_default();
    let intent = Intent { deed: deed.clone(), path: path.clone(), stamp, run: job.run.id };
    match app.db.write(|conn| leases::intend(conn, job.run.id, job.fence, &intent)) {
        Ok(true) => Ok(intent),
        Ok(false) => Err(Undone::new("Another worker took this run over.", Retry::No)),
        Err(error) => Err(of_app_error(error, job)),
    }
}

/// Does what was intended, after the load.
pub fn settle(app: &App, connector: &dyn Connector, intent: &Intent, rejected: i64) -> After {
    let done = match intent.deed {
        Deed::Move { .. } => "moved",
        Deed::Delete => "deleted",
    };
    if rejected > 0 {
        let words = format!("The file was not {done}, because not every row of it was loaded.");
        return After { step: None, remark: Some(words) };
    }
    let began = (app.now(), Instant::now());
    let outside = app.outside();
    let (good, words) = match connector.settle(intent, &FetchContext::until(&outside, Instant::now() + PATIENCE)) {
        Ok(Settled::Done(words)) => (true, words),
        Ok(Settled::Left(words)) => (false, words),
        Err(error) => (false, error.sentence),
    };
    let name = if matches!(intent.deed, Deed::Delete) { "Delete" } else { "Move" };
    let remark = (!good).then(|| format!("The rows were loaded, but the file was not {done}. {words}"));
    After { step: Some(step(name, began, good, &words)), remark }
}

/// The same for a run whose worker is gone and whose load is visible; `None` where nothing was intended.
pub fn settle_for(app: &App, run: &Run, rejected: i64) -> Result<Option<After>> {
    let Some(intent) = app.db.read(|conn| leases::intent(conn, run.id))? else { return Ok(None) };
    let left = |why: &str| {
        let remark = format!("The rows were loaded, but the file was left where it is: {why}");
        After { step: None, remark: Some(remark) }
    };
    Ok(Some(match app.db.read(|conn| connector_of(app, conn, run)) {
        Ok(Some(connector)) => settle(app, connector.as_ref(), &intent, rejected),
        Ok(None) | Err(AppError::NotFound) => left("its Connection is gone."),
        Err(AppError::Conflict(why)) => left(&why),
        // Whoever cannot ask now asks again: a file that is left for want of an answer would be loaded twice.
        Err(error) => return Err(error),
    }))
}

fn connector_of(app: &App, conn: &mut Conn, run: &Run) -> Result<Option<Box<dyn Connector>>> {
    let (Some(configuration), Some(version)) = (run.configuration_id, run.configuration_version) else {
        return Ok(None);
    };
    let followed = runnable::followed(conn, configuration, Some(version))?;
    let Some(connection) = followed.and_then(|followed| followed.connection_id) else { return Ok(None) };
    if !connections::authorised_for(conn, connection, run.application_id)? {
        return Ok(None);
    }
    connections::open(conn, &app.secrets, connection).map(|(_, connector)| Some(connector))
}
