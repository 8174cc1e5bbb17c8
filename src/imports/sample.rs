//! A look at a source: what a preview shows and what a new Block is proposed from.

use std::time::{Duration, Instant};

use super::files;
use crate::app::{App, off_thread};
use crate::connections;
use crate::connectors::{self, Content, FetchContext, FetchRequest, Fetched};
use crate::error::{AppError, Result};
use crate::formats::{FormatError, Proposal, ReadOptions, propose, propose_rows};

/// Where a sample is read from. Whether the member may is the caller's to have asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Connection {
        id: i64,
        request: FetchRequest,
    },
    /// A file given by hand, kept under this id.
    File(i64),
}

/// How long a preview waits for its source.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of a file that lies elsewhere it asks for: all of most, and little beside the largest.
const BEGINNING: u64 = 16 * 1024 * 1024;

/// Looks at a source for as long as `patience` says: as `given` options say, or guessing them. `Invalid` says in words why it cannot
/// be read: at `source.path` or `source.query` (a Connection), at `file`, or at the option that is wrong.
pub async fn look(app: &App, origin: Origin, given: Option<ReadOptions>, patience: Duration) -> Result<Proposal> {
    let (db, blocks, secrets, outside) = (app.db.clone(), app.blocks.clone(), app.secrets.clone(), app.outside());
    off_thread(move || match origin {
        Origin::Connection { id, request } => {
            let field = match request {
                FetchRequest::Path(_) => "source.path",
                FetchRequest::Query(_) => "source.query",
            };
            let wrong = |sentence: String| AppError::invalid(field, sentence);
            let (_, connector) =
                db.read(|conn| connections::open(conn, &secrets, id)).map_err(|error| match error {
                    AppError::Conflict(words) => wrong(words),
                    other => other,
                })?;
            let context =
                FetchContext { first: Some(BEGINNING), ..FetchContext::until(&outside, Instant::now() + PATIENCE) };
            let fetched = connector.fetch(&request, &context).and_then(connectors::only);
            let Fetched { content, name, whole, .. } = fetched.map_err(|e| wrong(e.sentence))?;
            match content {
                Content::File { file, .. } => propose(file, &name, given.as_ref(), whole, patience),
                Content::Rows(mut rows) => propose_rows(&mut *rows, given.as_ref(), patience),
            }
            .map_err(|e| refused(field, e))
        }
        Origin::File(id) => {
            let stored = files::open(&blocks, id).map_err(|error| match error {
                AppError::NotFound => AppError::invalid("file", "The file is no longer stored. Choose it again."),
                other => other,
            })?;
            propose(stored.reader(&blocks), &stored.name, given.as_ref(), true, patience)
                .map_err(|e| refused("file", e))
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
