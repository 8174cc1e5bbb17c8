//! What is done to a file after a load: left, moved or deleted, as the version of its import says. That it is to be done
//! is written down before anything is loaded, so that whoever takes a run over whose load became visible does it as well;
//! and the run holds the file until it is done, so that no other run loads it a second time. What could not be done stays
//! written down when the run has ended, for [`unsettled`](super::unsettled).

use std::time::{Duration as Span, Instant};

use super::intents_store::{self as intents, Kept};
use super::told::step;
use super::work::{Job, Origin, Retry, Undone, of_app_error};
use crate::app::App;
use crate::connections;
use crate::connectors::{Connector, Deed, FetchContext, FetchError, FetchRequest, Intent, Settled};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::imports;
use crate::runs::model::{Run, RunStep};

/// How long it may take.
const PATIENCE: Span = Span::from_secs(30);

const AGAIN: &str =
    "The next run tries again and does not load the same file a second time, unless the import is changed first.";

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
    origin: &Origin,
    stamp: Option<String>,
) -> std::result::Result<Option<Intent>, Undone> {
    let (Some(deed), Some(stamp), FetchRequest::Path(path)) = (origin.deed.clone(), stamp, &origin.request) else {
        return Ok(None);
    };
    let kept = Kept {
        run_id: job.run.id,
        configuration_id: origin.configuration_id,
        configuration_version: origin.version,
        block_id: origin.block_id,
        connection_id: origin.connection_id,
        path: path.clone(),
        stamp,
    };
    match app.db.write(|conn| intents::keep(conn, job.fence, &kept)) {
        Ok(true) => Ok(Some(intent(kept, deed))),
        Ok(false) => Err(Undone::new("Another worker took this run over.", Retry::No)),
        Err(error) => Err(of_app_error(error, job.run)),
    }
}

pub fn intent(kept: Kept, deed: Deed) -> Intent {
    Intent { deed, path: kept.path, stamp: kept.stamp, run: kept.run_id }
}

/// Does what was intended, after the load.
pub fn settle(app: &App, connector: &dyn Connector, intent: &Intent, rejected: i64) -> After {
    let done = done(&intent.deed);
    if rejected > 0 {
        let words = format!("The file was not {done}, because some of its rows were rejected.");
        return After { step: None, remark: Some(words), unsettled: false };
    }
    let began = (app.now(), Instant::now());
    let settled = tried(app, connector, intent);
    // A file that is missing now may come back with its disk.
    let unsettled = matches!(settled, Ok(Settled::Gone(_)) | Err(_));
    let (remark, good) = match &settled {
        Ok(Settled::Done(_) | Settled::Gone(_)) => (None, true),
        Ok(Settled::Left(words)) => (Some(words.clone()), false),
        Err(error) => (Some(format!("{} {AGAIN}", error.sentence)), false),
    };
    let remark = remark.map(|why| format!("The rows were loaded, but the file was not {done}. {why}"));
    After { step: Some(step(name(&intent.deed), began, good, &words_of(settled))), remark, unsettled }
}

pub fn tried(app: &App, connector: &dyn Connector, intent: &Intent) -> std::result::Result<Settled, FetchError> {
    if app.stands_by() {
        return Err(FetchError::standing_by());
    }
    let outside = app.outside();
    connector.settle(intent, &FetchContext::until(&outside, Instant::now() + PATIENCE))
}

pub fn words_of(settled: std::result::Result<Settled, FetchError>) -> String {
    match settled {
        Ok(Settled::Done(words) | Settled::Left(words) | Settled::Gone(words)) => words,
        Err(error) => error.sentence,
    }
}

pub fn name(deed: &Deed) -> &'static str {
    if matches!(deed, Deed::Delete) { "Delete" } else { "Move" }
}

pub fn done(deed: &Deed) -> &'static str {
    if matches!(deed, Deed::Delete) { "deleted" } else { "moved" }
}

/// The same as [`settle`] for a run whose worker is gone and whose load is visible; `None` where nothing was intended.
/// `Err`: our database is busy or unavailable; the caller tries again.
pub fn settle_for(app: &App, run: &Run, rejected: i64) -> Result<Option<After>> {
    let looked = app.db.read(|conn| {
        let Some(kept) = intents::of(conn, run.id)? else { return Ok(None) };
        let (connector, deed) = to_do(app, conn, run, &kept)?;
        Ok(Some((connector, intent(kept, deed))))
    });
    let why = match looked {
        Ok(None) => return Ok(None),
        Ok(Some((connector, intent))) => return Ok(Some(settle(app, connector.as_ref(), &intent, rejected))),
        Err(error @ (AppError::Unavailable { .. } | AppError::DiskFull)) => return Err(error),
        // This does not mend itself: the run ends, and the next one fails with it where someone reads the cause.
        Err(error) => of_app_error(error, run).cause,
    };
    let (unsettled, again) = (rejected == 0, if rejected == 0 { AGAIN } else { "" });
    let remark = format!("The rows were loaded, but the file was left where it is. {why} {again}");
    Ok(Some(After { step: None, remark: Some(remark.trim_end().to_owned()), unsettled }))
}

fn to_do(app: &App, conn: &mut Conn, run: &Run, kept: &Kept) -> Result<(Box<dyn Connector>, Deed)> {
    let version = imports::version(conn, kept.configuration_id, kept.configuration_version)?;
    let deed = version.and_then(|version| version.definition.source.deed());
    let deed = deed.ok_or_else(|| {
        AppError::internal("a file is to be moved or deleted, but the version of its import leaves files")
    })?;
    if !connections::authorised_for(conn, kept.connection_id, run.application_id)? {
        return Err(AppError::Conflict(
            "The Connection was deleted, or is no longer authorised for this Application.".into(),
        ));
    }
    connections::open(conn, &app.secrets, kept.connection_id).map(|(_, connector)| (connector, deed))
}
