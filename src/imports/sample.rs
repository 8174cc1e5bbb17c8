//! A look at a source: what a preview shows and what a new Block is proposed from.

use std::time::{Duration, Instant};

use crate::app::{App, off_thread};
use crate::applications::blocks::{self, Block, BlockRow, Column};
use crate::connections;
use crate::connectors::{self, Content, FetchContext, FetchRequest, Fetched};
use crate::error::{AppError, Result};
use crate::files;
use crate::formats::{
    Format, FormatError, Limits, Proposal, ProposedColumn, ReadOptions, Record, propose, propose_rows,
};

/// Where a sample is read from. Whether the member may is the caller's to have asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    Connection {
        id: i64,
        request: FetchRequest,
    },
    /// A file given by hand, kept under this id.
    File(i64),
    Block(i64),
}

/// How long a preview waits for its source.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many rows of a Block are shown.
const SHOWN: i64 = 50;

/// How much of a file that lies elsewhere it asks for: all of most, and little beside the largest.
const BEGINNING: u64 = 16 * 1024 * 1024;

/// Looks at a source for as long as `patience` says: as `given` options say, or guessing them. `Invalid` says in words why it cannot
/// be read: at `source.path` or `source.query` (a Connection), at `file`, or at the option that is wrong.
pub async fn look(app: &App, origin: Origin, given: Option<ReadOptions>, patience: Duration) -> Result<Proposal> {
    let (db, pool, secrets, outside) = (app.db.clone(), app.blocks.clone(), app.secrets.clone(), app.outside());
    off_thread(move || match origin {
        Origin::Connection { id, request } => {
            let field = match request {
                FetchRequest::Path(_) => "source.path",
                FetchRequest::Query(_) | FetchRequest::Bound { .. } => "source.query",
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
            let stored = files::open(&pool, id).map_err(|error| match error {
                AppError::NotFound => AppError::invalid("file", "The file is no longer stored. Choose it again."),
                other => other,
            })?;
            propose(stored.reader(&pool), &stored.name, given.as_ref(), true, patience).map_err(|e| refused("file", e))
        }
        Origin::Block(id) => {
            let block = db.read(|conn| blocks::find(conn, id))?;
            let rows = pool.read(|conn| blocks::rows(conn, &block, 0, SHOWN))?;
            Ok(of_block(&block, &rows))
        }
    })
    .await
}

/// What is shown of a Block: nothing of it has to be guessed.
fn of_block(block: &Block, rows: &[BlockRow]) -> Proposal {
    let text = |row: &BlockRow| -> Vec<String> {
        row.cells.iter().zip(&block.columns).map(|(cell, column)| cell.text(column.column_type)).collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(text).collect();
    let column = |(i, column): (usize, &Column)| {
        let mut examples: Vec<String> = rows.iter().map(|row| row[i].clone()).filter(|cell| !cell.is_empty()).collect();
        examples.dedup();
        examples.truncate(3);
        ProposedColumn {
            name: column.name.clone(),
            column_type: column.column_type,
            nullable: !column.must_be_filled(),
            key: column.key,
            ignored: false,
            examples,
            becomes: None,
            against: None,
        }
    };
    let limits = Limits::default();
    let record = |(line, row): (u64, &Vec<String>)| {
        let mut record = Record::new();
        record.begin(line);
        row.iter().for_each(|cell| record.push_text(cell.as_bytes(), &limits));
        record
    };
    Proposal {
        options: ReadOptions::of(Format::Rows),
        columns: block.columns.iter().enumerate().map(column).collect(),
        records: (1..).zip(&rows).map(record).collect(),
        rows,
        notes: Vec::new(),
        questions: Vec::new(),
        if_said: Vec::new(),
    }
}

fn refused(field: &str, error: FormatError) -> AppError {
    match error {
        FormatError::Options(errors) => errors.into(),
        other => AppError::invalid(field, other.to_string()),
    }
}
