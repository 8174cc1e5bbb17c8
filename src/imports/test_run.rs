//! A test run: everything that a run does but its commit, and what that would do. It is no run: no ledger row, no run, no
//! status tells of it, no file is moved, and what it staged and rejected is gone when it ends. Whether somebody may is the
//! caller's to have asked; of the source it is asked here, as before a run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::web::Data;
use tokio_util::sync::CancellationToken;

use super::model::{Configuration, Definition};
use super::pipeline::SourceFile;
use super::pipeline::{self, Counts, FailureKind, LoadContext, LoadError, LoadReport, Outcome, Plan, Source, Told};
use crate::app::{App, off_thread};
use crate::applications::blocks::difference::Difference;
use crate::applications::blocks::rejects::{self, Cause, RejectedCell};
use crate::applications::blocks::{self, Block, Feed, RunKey, trial};
use crate::applications::enter;
use crate::connections;
use crate::connectors::{self, Check, Content, FetchContext, FetchRequest, Fetched};
use crate::db::Pool;
use crate::error::{AppError, Result};
use crate::files;
use crate::formats::Rows;
use crate::members::By;
use crate::parameters::Values;
use crate::spool::Spooled;

/// How long a test run may take, from the first byte to the last row compared.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// So many bad cells of each cause are shown.
const EXAMPLES: i64 = 5;

/// What is to be tried.
pub struct Asked {
    /// Its id is 0 where it is not there yet.
    pub block: Block,
    pub definition: Definition,
    pub from: From,
    /// Of the definition's parameters.
    pub values: Values,
}

/// Where the rows come from.
pub enum From {
    Connection {
        id: i64,
        request: FetchRequest,
    },
    /// A file given by hand, kept under this id.
    Kept(i64),
    /// One that was given for this test alone.
    Given {
        name: String,
        file: Spooled,
    },
    Block(i64),
}

impl From {
    /// Of a configuration that takes no file.
    pub fn of(configuration: &Configuration, definition: &Definition) -> Option<Self> {
        match (configuration.connection_id, configuration.source_block_id) {
            (Some(id), _) => Some(Self::Connection { id, request: definition.source.request() }),
            (None, Some(id)) => Some(Self::Block(id)),
            (None, None) => None,
        }
    }
}

/// What a run would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Success,
    Partial,
    NothingNew,
    /// The volume guard would hold it.
    Held,
    Failed,
    /// Nobody knows: the test came to no end.
    Unfinished,
}

/// What a test run found.
#[derive(Debug)]
pub struct Tested {
    pub verdict: Verdict,
    /// What there is to say about it, in sentences; nothing of a Success.
    pub words: Option<String>,
    pub counts: Counts,
    /// Of what a run would load, or hold.
    pub difference: Option<Difference>,
    pub told: Told,
    pub causes: Vec<Cause>,
    /// Some of each cause.
    pub rejects: Vec<RejectedCell>,
    pub rejected_cells: i64,
}

impl Tested {
    fn new(verdict: Verdict, words: impl Into<String>) -> Self {
        Self {
            verdict,
            words: Some(words.into()).filter(|words| !words.is_empty()),
            counts: Counts::default(),
            difference: None,
            told: Told::default(),
            causes: Vec::new(),
            rejects: Vec::new(),
            rejected_cells: 0,
        }
    }

    fn failed(why: impl Into<String>) -> Self {
        Self::new(Verdict::Failed, why)
    }
}

/// Tries it for as long as `patience` says, off the async threads. It ends when its time is over, when nobody waits for it any more, or with the process;
/// `TooMany` where others are going on.
pub async fn test(app: &Data<App>, by: &By, asked: Asked, patience: Duration) -> Result<Tested> {
    let permit = app.test_runs.clone().try_acquire_owned().map_err(|_| AppError::TooMany {
        what: "Other test runs are going on, and only two go on at once.",
        after_seconds: 15,
    })?;
    let (app, by, cancel) = (app.clone(), by.clone(), app.stop.child_token());
    let _nobody_waits = cancel.clone().drop_guard();
    off_thread(move || {
        let _permit = permit;
        try_out(&app, &by, asked, (Instant::now() + patience, &cancel))
    })
    .await
}

/// What is loaded, on its way there.
enum Got {
    File { source: SourceFile, check: Check },
    Rows { rows: Box<dyn Rows>, name: String },
    Block(Box<Feed>),
}

fn try_out(app: &App, by: &By, asked: Asked, (deadline, cancel): (Instant, &CancellationToken)) -> Result<Tested> {
    let Asked { block, definition, from, values } = asked;
    if app.disk.is_short() {
        return Err(AppError::DiskFull);
    }
    let kind = match &from {
        From::Connection { id, .. } if !values.is_empty() => app.db.read(|conn| connections::by_id(conn, *id))?,
        _ => None,
    };
    let kind = kind.and_then(|connection| connection.kind());
    let definition = match super::fill(&definition, &values, kind, &block) {
        Ok(definition) => definition,
        Err(why) => return Ok(Tested::failed(why)),
    };
    let mut plan = app.db.read(|conn| Plan::of(conn, block, &definition))?;
    plan.is_trial = true;
    let got = match from {
        From::Connection { id, request } => {
            let request = if values.is_empty() { request } else { definition.source.request() };
            fetch(app, &plan.block, (id, &request, &values), (deadline, cancel))?
        }
        From::Kept(id) => kept(app, id)?,
        From::Given { name, file } => Ok(given(name, file)?),
        From::Block(id) => feed(app, by, id, (&definition, &plan.block))?,
    };
    match got {
        Ok(got) => load(app, &plan, got, (deadline, cancel)),
        Err(_) if Instant::now() >= deadline => Ok(Tested::new(Verdict::Unfinished, TOO_LONG)),
        Err(why) => Ok(Tested::failed(why)),
    }
}

const TOO_LONG: &str =
    "The test run was stopped after 60 seconds. A run may take longer: to see what it does, run the import.";

/// Why there is nothing to load, in a sentence.
type Nothing = String;

fn fetch(
    app: &App,
    block: &Block,
    (id, request, values): (i64, &FetchRequest, &Values),
    (deadline, cancel): (Instant, &CancellationToken),
) -> Result<Result<Got, Nothing>> {
    let opened = app.db.read(|conn| {
        let connection = connections::by_id(conn, id)?.ok_or(AppError::NotFound)?;
        let connector = connections::connector_with(conn, &app.secrets, &connection, values)?;
        Ok((connection, connector))
    });
    let opened = match opened {
        Ok(opened) => opened,
        Err(AppError::Conflict(words)) => return Ok(Err(words)),
        Err(AppError::NotFound) => return Ok(Err("The Connection was deleted.".to_owned())),
        Err(other) => return Err(other),
    };
    let (connection, connector) = opened;
    if !connection.application_ids.contains(&block.application_id) {
        return Ok(Err(format!(
            "The Connection {} is no longer authorised for this Application. An Administrator can authorise it.",
            connection.name
        )));
    }
    let outside = app.outside();
    let context = FetchContext { cancel: cancel.clone(), ..FetchContext::until(&outside, deadline) };
    let fetched = connector.fetch(request, &context).and_then(connectors::only);
    Ok(fetched.map_err(|error| error.sentence).map(|fetched| match fetched {
        Fetched { content: Content::File { file, check }, name, bytes, .. } => {
            Got::File { source: SourceFile { file, name, bytes, sha256: String::new(), by_hand: false }, check }
        }
        Fetched { content: Content::Rows(rows), name, .. } => Got::Rows { rows, name },
    }))
}

fn kept(app: &App, id: i64) -> Result<Result<Got, Nothing>> {
    let stored = match files::open(&app.blocks, id) {
        Ok(stored) => stored,
        Err(AppError::NotFound) => return Ok(Err("The file is no longer stored. Choose it again.".to_owned())),
        Err(other) => return Err(other),
    };
    let file = stored.to_file(&app.blocks, &app.spool)?;
    given(stored.name, file).map(Ok)
}

fn given(name: String, file: Spooled) -> Result<Got> {
    let (file, room) = file.into_parts();
    let bytes = file.metadata().map_err(AppError::internal)?.len();
    let check = Check::ours(String::new(), room);
    Ok(Got::File { source: SourceFile { file, name, bytes, sha256: String::new(), by_hand: true }, check })
}

fn feed(app: &App, by: &By, id: i64, (definition, target): (&Definition, &Block)) -> Result<Result<Got, Nothing>> {
    let source = app.db.read(|conn| {
        let source = blocks::find(conn, id)?;
        enter(conn, by, source.application_id)?;
        Ok(source)
    });
    let source = match source {
        Ok(source) => source,
        Err(AppError::NotFound) => {
            return Ok(Err(format!(
                "The Block that feeds {} was deleted, or you may not view its Application.",
                target.name
            )));
        }
        Err(other) => return Err(other),
    };
    let feed = match super::feed(definition, &source, target, app.now()) {
        Ok(feed) => Box::new(feed),
        Err(errors) => return Ok(Err(errors.details())),
    };
    blocks::keep_in_step(&app.db, &app.blocks, std::slice::from_ref(&feed.source))?;
    Ok(Ok(Got::Block(feed)))
}

/// Ends a trial, however it went.
struct Ending<'a>(&'a Pool, RunKey);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.write(|conn| trial::end(conn, &self.1)) {
            tracing::warn!(%error, "what a test run staged is left to the next cleanup");
        }
    }
}

fn load(app: &App, plan: &Plan, got: Got, (deadline, cancel): (Instant, &CancellationToken)) -> Result<Tested> {
    let cancelled = AtomicBool::new(false);
    let progress = |_| {
        if cancel.is_cancelled() || app.disk.is_short() {
            cancelled.store(true, Ordering::Relaxed);
        }
    };
    let ending = Ending(&app.blocks, trial::run());
    let context = LoadContext {
        blocks: &app.blocks,
        run: &ending.1,
        fence: i64::MAX,
        clock: app.clock.as_ref(),
        cancelled: &cancelled,
        deadline: Some(deadline),
        progress: &progress,
    };
    let ended = match got {
        Got::File { source, check } => {
            let unchanged = || check.verify_unchanged().map_err(|error| error.sentence);
            pipeline::run_if_unchanged(plan, Source::File(&source), &context, &unchanged)
        }
        Got::Rows { rows, name } => {
            let rows = Source::Rows { rows, name, spool: app.spool.clone() };
            pipeline::run_if_unchanged(plan, rows, &context, &|| Ok(()))
        }
        Got::Block(feed) => pipeline::run_from_block(plan, &feed, &context, &|| Ok(())),
    };
    let mut tested = match ended {
        Ok(report) => done(report),
        Err(failure) => undone(app, failure)?,
    };
    let id = ending.1.id;
    (tested.causes, tested.rejects, tested.rejected_cells) = app.blocks.read(|conn| {
        Ok((rejects::causes(conn, id)?, rejects::examples(conn, id, EXAMPLES)?, rejects::count_cells(conn, id)?))
    })?;
    Ok(tested)
}

fn done(report: LoadReport) -> Tested {
    let LoadReport { outcome, counts, told, difference, .. } = report;
    let (verdict, words) = match outcome {
        Outcome::Loaded => (Verdict::Success, None),
        Outcome::Partial => (Verdict::Partial, None),
        Outcome::NothingNew => (Verdict::NothingNew, Some("The source has no rows.".to_owned())),
        Outcome::Held(stopped) => (Verdict::Held, Some(stopped.words())),
    };
    let words = crate::words::sentences([words, told.would_remark()]);
    Tested {
        counts,
        told,
        difference: difference.map(|found| *found),
        ..Tested::new(verdict, words.unwrap_or_default())
    }
}

fn undone(app: &App, failure: LoadError) -> Result<Tested> {
    if let Some(detail) = &failure.detail {
        tracing::error!(%detail, "a test run failed");
    }
    let (verdict, words) = match failure.kind {
        FailureKind::DeadlinePassed => (Verdict::Unfinished, TOO_LONG.to_owned()),
        FailureKind::Cancelled if app.disk.is_short() => return Err(AppError::DiskFull),
        FailureKind::Cancelled => (Verdict::Unfinished, "The test run was cancelled.".to_owned()),
        FailureKind::Source
        | FailureKind::SourceUnreadable
        | FailureKind::Columns
        | FailureKind::Rejected
        | FailureKind::Changed => (Verdict::Failed, failure.cause),
        _ => (Verdict::Unfinished, failure.cause),
    };
    Ok(Tested { counts: *failure.counts, told: *failure.told, ..Tested::new(verdict, words) })
}
