//! What is done to a file after a load: left, moved or deleted, as the version of its import says. The intent stands
//! with the lease before anything is loaded, so that whoever takes a run over whose load became visible does it as well;
//! and the run holds the file until it is done, so that no other run loads it a second time. What could not be done stays
//! intended when the run has ended: the next run of the import tries it before it reads anything.

use std::time::{Duration as Span, Instant};

use super::ending_store as ending;
use super::leases_store as leases;
use super::told::step;
use super::work::{Done, Job, Retry, Undone, of_app_error};
use crate::app::App;
use crate::connections;
use crate::connectors::{Check, Connector, Deed, FetchContext, FetchError, FetchRequest, Intent, Settled};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::names::plain_path;
use crate::runs::model::{Run, RunStep};
use crate::runs::runnable_store as runnable;

/// How long it may take.
const PATIENCE: Span = Span::from_secs(30);

/// What became of the file: a step of the run, and what is to be said beside its numbers.
pub struct After {
    pub step: Option<RunStep>,
    pub remark: Option<String>,
    /// The next run of the import tries it again.
    pub unsettled: bool,
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
        Err(error) => Err(of_app_error(error, job.run)),
    }
}

/// Does what was intended, after the load.
pub fn settle(app: &App, connector: &dyn Connector, intent: &Intent, rejected: i64) -> After {
    let done = done(&intent.deed);
    if rejected > 0 {
        let words = format!("The file was not {done}, because not every row of it was loaded.");
        return After { step: None, remark: Some(words), unsettled: false };
    }
    let began = (app.now(), Instant::now());
    let settled = tried(app, connector, intent);
    let (good, unsettled) = (matches!(settled, Ok(Settled::Done(_))), settled.is_err());
    let words = words_of(settled);
    let again = "The next run of this import tries it again, and does not load the same file a second time.";
    let remark = (!good).then(|| {
        let again = if unsettled { again } else { "" };
        format!("The rows were loaded, but the file was not {done}. {words} {again}").trim_end().to_owned()
    });
    After { step: Some(step(name(&intent.deed), began, good, &words)), remark, unsettled }
}

/// Before anything is fetched: what earlier runs of the import could not do to the file that this one is to read. Where
/// it cannot be done now either, the file is still theirs, and the run has nothing new to load. Whoever runs one of
/// those again wants it loaded.
pub fn of_earlier_runs(
    app: &App,
    job: &Job<'_>,
    connector: &dyn Connector,
    deed: &Deed,
    request: &FetchRequest,
) -> std::result::Result<Option<Done>, Undone> {
    let (FetchRequest::Path(path), Some(configuration)) = (request, job.run.configuration_id) else { return Ok(None) };
    let unsettled = app.db.read(|conn| leases::unsettled(conn, configuration)).map_err(|e| of_app_error(e, job.run))?;
    for (run, intent) in unsettled {
        if job.replaces.contains(&run) || plain_path(&intent.path) != plain_path(path) {
            continue;
        }
        let began = (app.now(), Instant::now());
        let intent = Intent { deed: deed.clone(), ..intent };
        let settled = tried(app, connector, &intent);
        let (failed, words) = (settled.is_err(), words_of(settled));
        if failed {
            let remark = format!(
                "Nothing new: run {run} loaded the file that is there, and it still could not be {}. {words}",
                done(deed)
            );
            let steps = vec![step(name(deed), began, false, &words)];
            return Ok(Some(Done { remark: Some(remark), steps, ..Done::default() }));
        }
        app.db
            .write(|conn| ending::settled_later(conn, run, job.run.id, &words, app.now()))
            .map_err(|error| of_app_error(error, job.run))?;
    }
    Ok(None)
}

fn tried(app: &App, connector: &dyn Connector, intent: &Intent) -> std::result::Result<Settled, FetchError> {
    let outside = app.outside();
    connector.settle(intent, &FetchContext::until(&outside, Instant::now() + PATIENCE))
}

fn words_of(settled: std::result::Result<Settled, FetchError>) -> String {
    match settled {
        Ok(Settled::Done(words) | Settled::Left(words)) => words,
        Err(error) => error.sentence,
    }
}

fn name(deed: &Deed) -> &'static str {
    if matches!(deed, Deed::Delete) { "Delete" } else { "Move" }
}

fn done(deed: &Deed) -> &'static str {
    if matches!(deed, Deed::Delete) { "deleted" } else { "moved" }
}

/// The same for a run whose worker is gone and whose load is visible; `None` where nothing was intended.
pub fn settle_for(app: &App, run: &Run, rejected: i64) -> Result<Option<After>> {
    let Some(intent) = app.db.read(|conn| leases::intent(conn, run.id))? else { return Ok(None) };
    let left = |why: &str| {
        let remark = format!("The rows were loaded, but the file was left where it is: {why}");
        After { step: None, remark: Some(remark), unsettled: false }
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
