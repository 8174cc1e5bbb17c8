//! A look at the beginning of a source: what a preview shows and what a new Block is proposed from.

use std::time::{Duration, Instant};

use super::files;
use crate::app::{App, off_thread};
use crate::connections;
use crate::connectors::{FetchContext, FetchRequest};
use crate::error::{AppError, Result};
use crate::formats::{CsvOptions, FormatError, Proposal, propose};

/// Where a sample is read from. Whether the member may is the caller's to have asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Connection {
        id: i64,
        path: String,
    },
    /// A file given by hand, kept under this id.
    File(i64),
}

/// How long a preview waits for its source.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads the first rows of a source: as `given` options say, or guessing them. `Invalid` says in words why it cannot
/// be read: at `source.path` (a Connection) or `file`, or at the option that is wrong.
pub async fn look(app: &App, origin: Origin, given: Option<CsvOptions>) -> Result<Proposal> {
    let (db, blocks, secrets, outside) = (app.db.clone(), app.blocks.clone(), app.secrets.clone(), app.outside());
    off_thread(move || match origin {
        Origin::Connection { id, path } => {
            let wrong = |sentence: String| AppError::invalid("source.path", sentence);
            let (_, connector) =
                db.read(|conn| connections::open(conn, &secrets, id)).map_err(|error| match error {
                    AppError::Conflict(words) => wrong(words),
                    other => other,
                })?;
            let context = FetchContext::until(&outside, Instant::now() + PATIENCE);
            let fetched = connector.fetch(&FetchRequest::Path(path), &context).map_err(|e| wrong(e.sentence))?;
            propose(&fetched.file, &fetched.name, given.as_ref()).map_err(|e| refused("source.path", e))
        }
        Origin::File(id) => {
            let stored = files::open(&blocks, id).map_err(|error| match error {
                AppError::NotFound => AppError::invalid("file", "The file is not kept any more. Choose it again."),
                other => other,
            })?;
            propose(stored.reader(&blocks), &stored.name, given.as_ref()).map_err(|e| refused("file", e))
        }
    })
    .await
}

fn refused(field: &str, error: FormatError) -> AppError {
    match error {
        FormatError::Options(errors) => errors.into(),
        other => AppError::invalid(field, other.to_string()),
    }
}
