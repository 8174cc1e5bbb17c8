//! What earlier runs of an import could not do to their files. Each run of it tries that again once it has fetched, and
//! where what it fetched is the very file that one of them loaded as this one would, it has nothing new to load.

use std::time::Instant;

use super::ending_store as ending;
use super::intents_store::{self as intents, Kept};
use super::settling::{done, intent, name, tried, words_of};
use super::told::step;
use super::work::{Job, Origin, Undone, of_app_error};
use crate::app::App;
use crate::connectors::{FailureKind, FetchRequest, Settled};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::imports::{self, AfterSuccess, Definition, Source, Version};
use crate::names::plain_path;
use crate::runs::model::{Run, RunStep};
use crate::runs::store;
use crate::words;

/// A file that an earlier run loaded.
pub struct Earlier {
    kept: Kept,
    /// This run would load it in the same way. Whoever runs one of those again wants it loaded.
    alike: bool,
}

/// Those of the files of a Connection.
pub fn of(conn: &mut Conn, job: &Job<'_>, version: &Version, connection_id: i64) -> Result<Vec<Earlier>> {
    let mut found = Vec::new();
    for kept in intents::of_earlier(conn, job.run, connection_id)? {
        let alike = !job.replaces.contains(&kept.run_id) && loads_alike(conn, (job.run, version), &kept)?;
        found.push(Earlier { kept, alike });
    }
    Ok(found)
}

fn loads_alike(conn: &mut Conn, (run, version): (&Run, &Version), kept: &Kept) -> Result<bool> {
    // Other values make another load of the same definition.
    if !version.definition.parameters.is_empty()
        && store::by_id(conn, kept.run_id)?.is_none_or(|earlier| earlier.resolved != run.resolved)
    {
        return Ok(false);
    }
    match imports::version(conn, kept.configuration_id, kept.configuration_version) {
        Ok(then) => Ok(then.is_some_and(|then| load_of(&then) == load_of(version))),
        // One that cannot be read any more loads like none.
        Err(AppError::Internal(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What decides how a file is loaded of which no row is rejected: not how often that is tried, nor what becomes of it.
fn load_of(version: &Version) -> impl PartialEq {
    let Definition {
        source,
        mapping,
        columns,
        mode,
        scope,
        rejects: _,
        guard: _,
        unknown_items,
        overlap: _,
        attempts: _,
        attempt_seconds: _,
        parameters,
    } = version.definition.clone();
    let path = source.path.as_deref().map(plain_path);
    let source = Source { path, after_success: AfterSuccess::Leave, move_to: None, ..source };
    (version.block_id, source, mapping, columns, mode, scope, unknown_items, parameters)
}

/// What a run is to do after it looked.
pub enum Next {
    /// What it fetched was loaded, as is said here.
    NothingNew(String),
    /// It goes on, with something to say or not.
    GoOn(Option<String>),
}

/// Looks after those files. `fetched` is the stamp of the file that is there now. If this run loads it in another way
/// than the earlier run did, the file is left to this run.
pub fn look_after(
    app: &App,
    job: &Job<'_>,
    origin: &Origin,
    fetched: std::result::Result<Option<String>, FailureKind>,
    steps: &mut Vec<RunStep>,
) -> std::result::Result<Next, Undone> {
    let (found, missing) = match fetched {
        Ok(stamp) => (stamp, false),
        Err(FailureKind::Missing) => (None, true),
        Err(_) => return Ok(Next::GoOn(None)),
    };
    let (by, mut remark) = (job.run.id, None);
    let told = |run: i64, said: &str| {
        let told = app.db.write(|conn| ending::settled_later(conn, run, said, app.now()));
        told.map_err(|error| of_app_error(error, job.run))
    };
    for Earlier { kept, alike } in &origin.earlier {
        let run = kept.run_id;
        let reads = matches!(&origin.request, FetchRequest::Path(path) if plain_path(path) == plain_path(&kept.path));
        let Some(deed) = origin.deed.as_ref().filter(|_| reads) else {
            told(run, &format!("Run {by} did not try again, because the import had been changed."))?;
            continue;
        };
        let same = found.as_ref() == Some(&kept.stamp);
        if !alike && (same || missing) {
            continue;
        }
        let began = (app.now(), Instant::now());
        let settled = tried(app, origin.connector.as_ref(), &intent(kept.clone(), deed.clone()));
        let (good, failed) = (matches!(settled, Ok(Settled::Done(_))), settled.is_err());
        let left = matches!(settled, Ok(Settled::Left(_)));
        let words = words_of(settled);
        if good || left {
            told(run, &format!("Run {by} tried it again: {words}"))?;
        }
        if good || failed {
            steps.push(step(name(deed), began, good, &words));
        }
        if same || (missing && good) {
            let still = if failed { format!(", which still could not be {}", done(deed)) } else { String::new() };
            return Ok(Next::NothingNew(format!(
                "Nothing new: run {run} had already loaded this file{still}. {words}"
            )));
        }
        let still = || format!("The file of run {run} still could not be {}. {words}", done(deed));
        remark = words::sentences([remark, failed.then(still)]);
    }
    Ok(Next::GoOn(remark))
}
