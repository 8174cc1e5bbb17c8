//! The work of a run between its taking and its end: fetch the source, load it into the Block. The executor knows no
//! more of it than [`Work`], so that tests can have it fail as they like.

use std::cell::Cell;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

pub use super::board::Board;
use super::got::Got;
pub use super::retry::Retry;
use super::told::{broken, fetch_words, loaded, no_file, result, step, still_holds};
use super::unsettled::{Earlier, Next};
use super::{deciding, earlier, feeding, restoring, settling, unsettled, values, waiting};
use crate::app::App;
use crate::applications::blocks::{self, Block, Feed};
use crate::connections;
use crate::connectors::{self, Check, Connector, Content, Deed, FetchContext, FetchError, FetchRequest, Fetched};
use crate::error::AppError;
use crate::files;
use crate::imports;
use crate::imports::guard::Stopped;
use crate::imports::pipeline::{self, LoadContext, LoadError, LoadReport, Outcome, Plan, Source, SourceFile};
use crate::runs::model::{Hold, LogLine, Run, RunResult, RunStep};
use crate::words;

/// What a run's work is given.
pub struct Job<'a> {
    pub run: &'a Run,
    pub fence: i64,
    /// The earlier runs of the same occurrence: what they appended goes.
    pub replaces: Vec<i64>,
    /// What the run holds and somebody approved.
    pub approved: Option<Hold>,
    /// Both say the same: stop now.
    pub cancel: &'a CancellationToken,
    pub cancelled: &'a AtomicBool,
    /// When the attempt's time is over.
    pub deadline: Instant,
    pub board: &'a Board,
    /// Stops it because there is no room for more.
    pub disk_full: &'a (dyn Fn() + Sync),
    /// Looks whether somebody has asked to cancel since the last heartbeat, and stops it then.
    pub listen: &'a (dyn Fn() + Sync),
}

/// Work that was done.
#[derive(Clone, Debug, Default)]
pub struct Done {
    pub result: RunResult,
    /// What is to be said beside the numbers.
    pub remark: Option<String>,
    pub steps: Vec<RunStep>,
    pub log: Vec<LogLine>,
    /// All is loaded, and waits for a decision.
    pub held: Option<Stopped>,
    /// What was to be done to the file could not be.
    pub unsettled: bool,
}

/// Work that came to nothing: the Block holds what it held, unless nobody knows ([`Retry::Unknown`]).
#[derive(Clone, Debug)]
pub struct Undone {
    /// Plain sentences.
    pub cause: String,
    pub retry: Retry,
    pub result: Option<Box<RunResult>>,
    pub steps: Vec<RunStep>,
    pub log: Vec<LogLine>,
}

impl Undone {
    pub fn new(cause: impl Into<String>, retry: Retry) -> Self {
        Self { cause: cause.into(), retry, result: None, steps: Vec::new(), log: Vec::new() }
    }
}

/// The step that fetches.
pub const FETCH: &str = "Fetch";
/// Its name where what the import asks for is not there: the cause then lies in the import, not in its Connection.
pub const FIND: &str = "Find";

/// Fetches and loads.
pub trait Work: Sync {
    fn perform(&self, app: &App, job: &Job<'_>) -> Result<Done, Undone>;
}

/// What runs really do.
pub struct Import;

impl Work for Import {
    fn perform(&self, app: &App, job: &Job<'_>) -> Result<Done, Undone> {
        if let Some(hold) = &job.approved {
            return deciding::load(app, job, hold);
        }
        if let Some(made_by) = job.run.restores {
            return restoring::load(app, job, made_by);
        }
        let ready = prepare(app, job)?;
        if let Some(known) = earlier::known(app, job, &ready.plan)? {
            return earlier::done(app, job, known);
        }
        let mut steps = Vec::new();
        let origin = match &ready.from {
            From::Connection(origin) => origin,
            From::File(id) => return load(app, job, &ready.plan, given_file(app, job, *id)?, steps),
            From::Block(feed) => {
                feeding::keep_in_step(app, feed).map_err(|error| of_app_error(error, job.run))?;
                return load(app, job, &ready.plan, Got::Block(feed), steps);
            }
        };
        let got: Result<Got<'_>, _> = fetch(app, job, origin, &mut steps);
        job.board.done(&steps);
        let fetched = got.as_ref().map(Got::stamp).map_err(|error| error.kind);
        let remark = match unsettled::look_after(app, job, origin, fetched, &mut steps)? {
            Next::NothingNew(remark) => return Ok(Done { remark: Some(remark), steps, ..Done::default() }),
            Next::GoOn(remark) => remark,
        };
        job.board.done(&steps);
        let got = match got {
            Ok(got) => got,
            Err(error) => return Err(not_fetched(app, error, ready.plan.block.id, steps)),
        };
        let intent = settling::intend(app, job, origin, got.stamp())?;
        let mut done = load(app, job, &ready.plan, got, steps)?;
        done.remark = words::sentences([remark, done.remark]);
        if let Some(intent) = intent.filter(|_| done.held.is_none()) {
            job.board.done(&done.steps);
            job.board.update(|report| report.phase = "Moving or deleting the file".into());
            let after = settling::settle(app, origin.connector.as_ref(), &intent, done.result.rejected);
            done.steps.extend(after.step);
            done.unsettled = after.unsettled;
            done.remark = words::sentences([done.remark, after.remark]);
        }
        Ok(done)
    }
}

struct Ready {
    plan: Plan,
    from: From,
}

/// From the Connection, given by hand, or of another Block.
enum From {
    Connection(Origin),
    File(i64),
    Block(Box<Feed>),
}

/// What a run reads, and what is to be done to it.
pub struct Origin {
    pub configuration_id: i64,
    pub version: i64,
    pub block_id: i64,
    pub connection_id: i64,
    pub name: String,
    pub connector: Box<dyn Connector>,
    pub request: FetchRequest,
    pub deed: Option<Deed>,
    pub earlier: Vec<Earlier>,
}

/// Looks everything up; what is missing is the exact reason of a failure that no retry mends.
fn prepare(app: &App, job: &Job<'_>) -> Result<Ready, Undone> {
    let looked = app.db.read(|conn| {
        let configuration = job.run.configuration_id.ok_or(AppError::NotFound)?;
        let Some(configuration) = imports::by_id(conn, configuration)?.filter(|c| !c.archived) else {
            return Ok(Err(Undone::new("The import configuration was deleted.", Retry::No)));
        };
        let number = job.run.configuration_version.unwrap_or(configuration.version);
        let version = imports::version(conn, configuration.id, number)?.ok_or(AppError::NotFound)?;
        let block: Block = match blocks::find(conn, version.block_id) {
            Ok(block) => block,
            Err(AppError::NotFound) => {
                let why = format!("The Block that {} fills was deleted.", configuration.name);
                return Ok(Err(Undone::new(why, Retry::No)));
            }
            Err(other) => return Err(other),
        };
        let (definition, values) = match values::filled(conn, &app.secrets, job.run, &version, &block)? {
            Ok(filled) => filled,
            Err(why) => return Ok(Err(Undone::new(why, Retry::No))),
        };
        let mut plan = Plan::of(conn, block, &definition)?;
        plan.replaces_runs = job.replaces.clone();
        if let Some(file) = job.run.file_id {
            return Ok(Ok(Ready { plan, from: From::File(file) }));
        }
        if let Some(source) = version.source_block_id {
            let feed = feeding::feed(conn, job.run, source, &definition, &plan.block, app.now())?;
            return Ok(match feed {
                Ok(feed) => Ok(Ready { plan, from: From::Block(Box::new(feed)) }),
                Err(why) => Err(Undone::new(why, Retry::No)),
            });
        }
        let Some(connection_id) = version.connection_id else {
            let why = no_file(&configuration.name, job.run);
            return Ok(Err(Undone::new(why, Retry::No)));
        };
        // As a step that failed, so that it leads to the Connection.
        let unreachable = |why: String| Undone {
            steps: vec![step(FETCH, (app.now(), Instant::now()), false, &why)],
            ..Undone::new(why, Retry::No)
        };
        let Some(connection) = connections::by_id(conn, connection_id)? else {
            return Ok(Err(unreachable("The Connection was deleted.".to_owned())));
        };
        if !connection.application_ids.contains(&configuration.application_id) {
            return Ok(Err(unreachable(format!(
                "The Connection {} is no longer authorised for this Application. An Administrator can authorise it.",
                connection.name
            ))));
        }
        let connector = match connections::connector_with(conn, &app.secrets, &connection, &values) {
            Ok(connector) => connector,
            Err(AppError::Conflict(words)) => return Ok(Err(unreachable(words))),
            Err(other) => return Err(other),
        };
        let origin = Origin {
            configuration_id: configuration.id,
            version: number,
            block_id: version.block_id,
            connection_id,
            name: connection.name,
            connector,
            request: definition.source.request(),
            deed: definition.source.deed(),
            earlier: unsettled::of(conn, job, &version, connection_id)?,
        };
        Ok(Ok(Ready { plan, from: From::Connection(origin) }))
    });
    match looked {
        Ok(ready) => ready,
        Err(error) => Err(of_app_error(error, job.run)),
    }
}

/// A failure of our own database or code.
pub fn of_app_error(error: AppError, run: &Run) -> Undone {
    tracing::warn!(run = run.id, %error, "a run could not go on");
    match error {
        AppError::Unavailable { .. } => Undone::new("The database was busy or unavailable for too long.", Retry::Later),
        AppError::DiskFull => Undone::new("The disk is full: free some space and run the import again.", Retry::No),
        AppError::Internal(detail) => {
            tracing::error!(run = run.id, %detail, "a run failed because of a fault in Tidegate");
            Undone::new("Something went wrong in Tidegate. The server's log says more.", Retry::No)
        }
        other => Undone::new(other.to_string(), Retry::No),
    }
}

fn fetch(app: &App, job: &Job<'_>, origin: &Origin, steps: &mut Vec<RunStep>) -> Result<Got<'static>, FetchError> {
    let began = (app.now(), Instant::now());
    job.board.update(|report| report.phase = "Fetching".into());
    let board = job.board;
    let progress = move |bytes: u64| board.update(|r| r.bytes = i64::try_from(bytes).unwrap_or(i64::MAX));
    let outside = app.outside();
    let context = FetchContext {
        outside: &outside,
        cancel: job.cancel.clone(),
        deadline: job.deadline,
        progress: &progress,
        limits: connectors::Limits::default(),
        first: None,
    };
    let answer = origin.connector.fetch(&origin.request, &context).and_then(connectors::only);
    // Computing it reads the whole file of a folder: still a part of fetching.
    let answer = answer.and_then(|fetched| match &fetched.content {
        Content::File { check, .. } => Ok((check.sha256(&context)?, fetched)),
        Content::Rows(_) => Ok((String::new(), fetched)),
    });
    let name = if answer.as_ref().is_err_and(|error| error.of_request) { FIND } else { FETCH };
    steps.push(step(name, began, answer.is_ok(), &fetch_words(&origin.name, &answer)));
    Ok(match answer? {
        (sha256, Fetched { content: Content::File { file, check }, name, bytes, .. }) => {
            Got::File { source: SourceFile { file, name, bytes, sha256, by_hand: false }, check }
        }
        (_, Fetched { content: Content::Rows(rows), name, .. }) => Got::Rows { rows, name },
    })
}

fn not_fetched(app: &App, error: FetchError, block_id: i64, steps: Vec<RunStep>) -> Undone {
    let retry = waiting::asked_for(error.retry);
    let cause = match retry {
        // Shown while it waits.
        Retry::Rest(_) => error.sentence,
        _ => format!("{} 0 rows were loaded; {}", error.sentence, still_holds(app, block_id)),
    };
    Undone { steps, ..Undone::new(cause, retry) }
}

fn given_file(app: &App, job: &Job<'_>, id: i64) -> Result<Got<'static>, Undone> {
    let stored = match files::open(&app.blocks, id) {
        Ok(stored) => stored,
        Err(AppError::NotFound) => {
            return Err(Undone::new(
                "The file that was uploaded is no longer stored. Upload it again, or replace the kept file.",
                Retry::No,
            ));
        }
        Err(error) => return Err(of_app_error(error, job.run)),
    };
    let file = stored.to_file(&app.blocks, &app.spool).map_err(|error| of_app_error(error, job.run))?;
    let bytes = u64::try_from(stored.bytes).unwrap_or_default();
    let (file, room) = file.into_parts();
    let check = Check::ours(stored.sha256.clone(), room);
    let source = SourceFile { file, name: stored.name, bytes, sha256: stored.sha256, by_hand: true };
    Ok(Got::File { source, check })
}

fn load(app: &App, job: &Job<'_>, plan: &Plan, got: Got<'_>, mut steps: Vec<RunStep>) -> Result<Done, Undone> {
    let at = app.now();
    let phase = Cell::new((pipeline::READING, (at, Instant::now())));
    let progress = |now: pipeline::Progress| {
        let (before, began) = phase.get();
        if now.phase != before {
            job.board.done_with(before, began);
            phase.set((now.phase, (app.now(), Instant::now())));
        }
        job.board.loads(now);
        // The heartbeat looks too, but on a busy machine a load can fill a disk between two of its glances.
        if app.disk.is_short() {
            (job.disk_full)();
        }
    };
    let key = job.run.key();
    let context = LoadContext {
        blocks: &app.blocks,
        run: &key,
        fence: job.fence,
        clock: app.clock.as_ref(),
        cancelled: job.cancelled,
        deadline: Some(job.deadline),
        progress: &progress,
    };
    let file;
    let kept = matches!(&got, Got::File { source, .. } if source.by_hand);
    let (source, name, sha256, check) = match got {
        Got::File { source, check } => {
            file = source;
            (Ok(Source::File(&file)), file.name.clone(), file.sha256.clone(), Some(check))
        }
        Got::Rows { rows, name } => {
            (Ok(Source::Rows { rows, name: name.clone(), spool: app.spool.clone() }), name, String::new(), None)
        }
        Got::Block(feed) => (Err(feed), feed.source.name.clone(), String::new(), None),
    };
    let unchanged = || {
        // The last moment before it becomes visible.
        (job.listen)();
        check.as_ref().map_or(Ok(()), |check| check.verify_unchanged().map_err(|error| error.sentence))
    };
    let ended = match source {
        Ok(source) => pipeline::run_if_unchanged(plan, source, &context, &unchanged),
        Err(feed) => pipeline::run_from_block(plan, feed, &context, &unchanged),
    };
    // What was read while somebody wrote it says nothing, not even that the file is broken or empty.
    if ended.as_ref().map_or_else(LoadError::is_of_source, |report| report.outcome == Outcome::NothingNew)
        && let Some(Err(changed)) = check.as_ref().map(Check::verify_unchanged)
    {
        return Err(Undone { steps, ..Undone::new(changed.sentence, waiting::asked_for(changed.retry)) });
    }
    let named = |counts: &pipeline::Counts, told: &pipeline::Told| RunResult {
        source_name: Some(name.clone()),
        source_sha256: Some(sha256.clone()).filter(|hash| !hash.is_empty()),
        ..result(counts, told)
    };
    match ended {
        Ok(report) => {
            steps.extend(loaded(&report, at));
            let LoadReport { outcome, counts, told, .. } = report;
            let (held, remark) = match outcome {
                Outcome::NothingNew => {
                    (None, Some("Nothing new: the source has no rows. The Block is unchanged.".to_owned()))
                }
                Outcome::Held(stopped) => (Some(stopped), Some(stopped.remark())),
                Outcome::Loaded | Outcome::Partial => (None, None),
            };
            let remark = words::sentences([remark, told.remark()]);
            Ok(Done { result: named(&counts, &told), remark, steps, held, ..Done::default() })
        }
        Err(failure) => {
            steps.extend(broken(&failure, at));
            // People read the cause; what the database said is for whoever runs the server.
            if let Some(detail) = &failure.detail {
                tracing::error!(run = job.run.id, %detail, "a load failed");
            }
            Err(Undone {
                retry: Retry::of(&failure, kept),
                log: Vec::new(),
                result: Some(Box::new(named(&failure.counts, &failure.told))),
                cause: failure.cause,
                steps,
            })
        }
    }
}
