//! The run of a load from the first byte to the commit.

use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::again::{self, Again};
use super::checker::Checker;
use super::context::{LoadContext, READING, Source, SourceFile};
use super::guarding;
use super::held_up;
use super::outcome::{FailureKind, LoadError, LoadReport};
use super::plan::{Plan, dimension_routes, new_columns, routes};
use super::reading::{PARCELS, Parcel, Reading, read_all};
use super::rejects::{Keeper, decide, from_format, goes_on};
use super::told::Changes;
use crate::applications::blocks::batch::Batch;
use crate::applications::blocks::difference::Difference;
use crate::applications::blocks::ledger::{self, LedgerRow, LoadRefused};
use crate::applications::blocks::rejects::RejectBatch;
use crate::applications::blocks::{Loader, Making, Staging, fill_at_once, trial};
use crate::db::{Conn, Location, sqlite};
use crate::error::AppError;
use crate::formats::Rows;

/// The number of the file among those of a run.
pub(super) const FILE: i32 = 1;

/// Loads the file into the Block, all of its accepted rows or none. Blocks: call it from a thread that may. A run
/// whose load the ledger knows already is answered from there and loads nothing twice.
pub fn run(plan: &Plan, source: &SourceFile, context: &LoadContext<'_>) -> Result<LoadReport, LoadError> {
    match context.blocks.read(|conn| ledger::ledger(conn, &context.run.uid, plan.block.id))? {
        Some(row) => LoadReport::from_ledger(row),
        None => run_if_unchanged(plan, Source::File(source), context, &|| Ok(())),
    }
}

/// The same of a run that the ledger does not know; `unchanged` is asked after the last byte was read and before it
/// counts, and says why the source is not to be trusted when it is not what it was.
pub fn run_if_unchanged(
    plan: &Plan,
    source: Source<'_>,
    context: &LoadContext<'_>,
    unchanged: &dyn Fn() -> Result<(), String>,
) -> Result<LoadReport, LoadError> {
    context.go_on()?;
    let began = Instant::now();
    let size = match &source {
        Source::File(file) => i64::try_from(file.bytes).ok(),
        Source::Rows { .. } => None,
    };
    let place = AtomicU64::new(0);
    let (name, sha256) = (source.name().to_owned(), source.sha256().to_owned());
    let opened = again::first(source, &plan.read, plan.looks_twice(), (context.cancelled, &place));
    // Who cancelled wants to read that, and not that the file could not be read.
    context.go_on()?;
    let (reader, again) = opened.map_err(|failure| failure.at_once(began.elapsed()))?;
    if reader.columns().is_empty() {
        let read = Reading { blank: reader.blank() as i64, ..Reading::default() };
        return guarding::nothing(plan, context, (&name, &sha256), (&read, Vec::new()), unchanged);
    }
    let utf8 = reader.is_utf8();
    let routes = routes(plan, reader.columns(), reader.ignored(), context.clock.now())
        .map_err(|why| LoadError::new(FailureKind::Columns, why).at_once(began.elapsed()))?;
    let new_columns = new_columns(plan, reader.columns(), reader.ignored());
    let stages = if dimension_routes(plan, &routes).is_empty() { 0 } else { plan.keeps };
    let checker = Checker::new(routes, reader.columns().to_vec(), reader.ignored().to_vec(), stages);

    let mut load = Load {
        plan,
        name: &name,
        sha256: &sha256,
        again,
        context,
        checker: &checker,
        keeper: Keeper::new(&checker, plan, utf8),
        read: Reading::default(),
        changes: Changes::default(),
        new_columns,
        created: Vec::new(),
        began,
        place: &place,
        size,
        wrote: None,
        loading: Duration::ZERO,
        checking: Duration::ZERO,
        committing: false,
        difference: None,
    };
    let shown = load.run(reader, unchanged);
    load.ended(shown, unchanged)
}

pub(super) struct Load<'a> {
    pub plan: &'a Plan,
    pub name: &'a str,
    pub sha256: &'a str,
    pub again: Again<'a>,
    pub context: &'a LoadContext<'a>,
    pub checker: &'a Checker,
    pub keeper: Keeper<'a>,
    pub read: Reading,
    /// Once all is read.
    pub changes: Changes,
    /// Of the source, that the Block has too and that are none of the import's.
    pub new_columns: Vec<String>,
    /// Once all is staged: the items that are created, by list.
    pub created: Vec<(String, i64)>,
    pub began: Instant,
    /// How far the file was read, and how long it is.
    pub place: &'a AtomicU64,
    pub size: Option<i64>,
    /// When the first row was written.
    pub wrote: Option<Instant>,
    pub loading: Duration,
    /// Of the checks that SQL does.
    pub checking: Duration,
    /// The load was asked to become visible; if no answer came it may be.
    pub committing: bool,
    /// Of a trial: what would be another in the Block.
    pub difference: Option<Difference>,
}

impl Load<'_> {
    /// Reads on a thread of its own and writes on this one. Answers the ledger's row; none when the source has no rows.
    fn run(
        &mut self,
        reader: Box<dyn Rows + '_>,
        unchanged: &dyn Fn() -> Result<(), String>,
    ) -> Result<Option<LedgerRow>, LoadError> {
        let positions: Vec<i32> = self.checker.routes().iter().map(|route| route.column.position).collect();
        let (full, arriving) = sync_channel::<Parcel>(PARCELS);
        let (empty, returning) = sync_channel::<Parcel>(PARCELS);
        for _ in 0..PARCELS {
            let batch = Batch::new(positions.len());
            // There is room for all of them.
            let _ = empty.send(Parcel { batch, rejects: RejectBatch::default(), read: Reading::default() });
        }
        let (checker, cancelled) = (self.checker, self.context.cancelled);
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .name(format!("read {}", self.context.run.id))
                .spawn_scoped(scope, move || read_all(reader, checker, cancelled, returning, full))
                .map_err(|error| {
                    let why = "The server had no free thread to read the source. Run the import again.";
                    let mut failure = LoadError::new(FailureKind::Internal, why);
                    failure.detail = Some(error.to_string());
                    failure
                })?;
            // Says why no more parcels come; by then the channels are closed, so the reader ends if it has not.
            let read = move || match thread.join() {
                Ok(read) => read.map_err(from_format),
                Err(_) => Err(LoadError::new(
                    FailureKind::Internal,
                    "Tidegate failed to read the source. The server's log says more.",
                )),
            };
            let first = arriving.recv().ok();
            let second = first.is_some().then(|| arriving.recv().ok()).flatten();
            match (first, second) {
                (None, _) => {
                    drop(empty);
                    read().map(|_| None)
                }
                (Some(only), None) if !self.plan.is_trial => {
                    drop(empty);
                    self.changes = read()?;
                    self.at_once(only, &positions, unchanged)
                }
                (Some(first), second) => self.staged(|load, staging| {
                    let blocks = load.context.blocks;
                    blocks.until(&load.context.is_over(), &mut blocks.connect()?, |conn| {
                        let there = std::iter::once(first).chain(second);
                        let written = load.write_all(there, arriving, empty, conn, staging, &positions);
                        let read = read().map(|changes| load.changes = changes);
                        written.and(read)?;
                        load.finish(conn, staging, &positions, unchanged)
                    })
                }),
            }
        })
    }

    fn begin(&self, conn: &mut Conn, making: Making) -> Result<Staging, LoadRefused> {
        let LoadContext { run, fence, clock, .. } = *self.context;
        if self.plan.is_trial {
            return Ok(trial::begin(conn, &self.plan.block, run, clock.now())?);
        }
        ledger::begin(conn, &self.plan.block, run, fence, making, clock.now())
    }

    /// A source that fits into one parcel goes in and becomes visible in one transaction: each more, or a connection of
    /// its own, costs more than such a load.
    fn at_once(
        &mut self,
        mut only: Parcel,
        positions: &[i32],
        unchanged: &dyn Fn() -> Result<(), String>,
    ) -> Result<Option<LedgerRow>, LoadError> {
        self.read = only.read;
        if self.read.rows == 0 {
            return Ok(None);
        }
        self.context.go_on()?;
        // Before the transaction, which others wait for. Only rows that are wrong as a whole are read again within it.
        trust(unchanged)?;
        self.context.go_on()?;
        let mut failed = None;
        let done = self.in_line(|load, conn| {
            let staging = match load.begin(conn, Making::AtOnce) {
                Ok(staging) => staging,
                Err(LoadRefused::Database(error)) => return Err(error),
                Err(why) => {
                    failed = Some(why.into());
                    return Ok(None);
                }
            };
            let written = load.write_only(conn, &staging, &mut only, positions);
            written.and_then(|()| load.finish(conn, &staging, positions, &|| Ok(()))).or_else(|failure| {
                failed = Some(failure);
                // What was rejected stays, to be shown; where the database itself failed, nothing does.
                ledger::abandon(conn, &staging)?;
                Ok(None)
            })
        })?;
        failed
            .map_or(done.map_err(LoadError::from_database), Err)
            .map_err(|failure| held_up::in_words(failure, self.context.blocks, self.plan.block.id))
    }

    /// Runs a transaction in the Block database. One at a time writes to SQLite's file: whoever finds it held, by a load
    /// whose last statement is long, waits as long as the attempt may take.
    fn in_line<T>(
        &mut self,
        mut deeds: impl FnMut(&mut Self, &mut Conn) -> Result<T, AppError>,
    ) -> Result<Result<T, AppError>, LoadError> {
        let blocks = self.context.blocks;
        loop {
            let mut begun = false;
            let done = sqlite::until(&self.context.is_over(), || {
                blocks.write(|conn| {
                    begun = true;
                    deeds(self, conn)
                })
            });
            match (&done, blocks.location()) {
                (Err(AppError::Unavailable { .. }), Location::Sqlite { .. }) if !begun => self.context.go_on()?,
                _ => return Ok(done),
            }
            self.tell("Waiting for another load");
        }
    }

    /// A longer one fills a table that nobody sees, in as many transactions as it likes.
    pub fn staged(
        &mut self,
        fill: impl FnOnce(&mut Self, &Staging) -> Result<Option<LedgerRow>, LoadError>,
    ) -> Result<Option<LedgerRow>, LoadError> {
        let blocks = self.context.blocks;
        let begun = self.in_line(|load, conn| match load.begin(conn, Making::Staged) {
            Err(LoadRefused::Database(error)) => Err(error),
            begun => Ok(begun),
        })?;
        let staging = begun??;
        blocks.lend(|conn| {
            ledger::drop_earlier(conn, &staging);
            Ok::<_, AppError>(())
        })?;
        let mut done = fill(self, &staging);
        if done.as_ref().is_err_and(|failure| failure.kind == FailureKind::Internal)
            && blocks.read(|conn| ledger::is_overtaken(conn, &staging)).unwrap_or(false)
        {
            // The successor dropped the staging table under this load's feet.
            done = Err(LoadRefused::FenceLost.into());
        }
        if !matches!(done, Ok(Some(_))) && !self.plan.is_trial {
            // A table that stays behind here is dropped by the next cleanup: the end of a run waits for no other's.
            let dropped = blocks.write_soon(|conn| ledger::abandon(conn, &staging));
            if let Err(error) = dropped {
                tracing::warn!(run = self.context.run.id, %error, "a staging table is left to the next cleanup");
            }
        }
        done
    }

    fn write_all(
        &mut self,
        there: impl Iterator<Item = Parcel>,
        arriving: Receiver<Parcel>,
        empty: SyncSender<Parcel>,
        conn: &mut Conn,
        staging: &Staging,
        positions: &[i32],
    ) -> Result<(), LoadError> {
        let mut loader = Loader::open(self.context.blocks, conn, staging, FILE, positions)?;
        // Ends when the reader has closed its end.
        let mut parcels = there.chain(arriving);
        let mut next = parcels.next();
        while let Some(mut parcel) = next.take() {
            // Until there are rejected rows to write, which the connection cannot do meanwhile.
            let mut stopped = Ok(());
            let (began, mut waited) = (Instant::now(), Duration::ZERO);
            self.wrote.get_or_insert(began);
            let filled = loader.fill(conn, &mut |write| {
                while stopped.is_ok() {
                    stopped = self.context.go_on().and_then(|()| goes_on(self.plan, &self.read));
                    if stopped.is_err() {
                        break;
                    }
                    write(&parcel.batch)?;
                    parcel.batch.clear();
                    self.read = parcel.read;
                    self.tell(READING);
                    if !parcel.rejects.is_empty() {
                        break;
                    }
                    let waits = Instant::now();
                    let following = parcels.next();
                    waited += waits.elapsed();
                    let Some(following) = following else { break };
                    // A reader that is done takes no more parcels.
                    let _ = empty.send(std::mem::replace(&mut parcel, following));
                }
                Ok(())
            });
            self.loading += began.elapsed().saturating_sub(waited);
            stopped?;
            filled?;
            self.keep(conn, staging, &mut parcel)?;
            let _ = empty.send(parcel);
            next = parcels.next();
        }
        loader.finish(conn)?;
        self.context.go_on()
    }

    fn write_only(
        &mut self,
        conn: &mut Conn,
        staging: &Staging,
        parcel: &mut Parcel,
        positions: &[i32],
    ) -> Result<(), LoadError> {
        let began = Instant::now();
        self.wrote = Some(began);
        if !parcel.batch.is_empty() {
            fill_at_once(conn, staging, FILE, positions, &parcel.batch)?;
        }
        self.tell(READING);
        self.loading += began.elapsed();
        self.keep(conn, staging, parcel)
    }

    /// Writes down the rejected rows of a parcel, and takes them out.
    fn keep(&mut self, conn: &mut Conn, staging: &Staging, parcel: &mut Parcel) -> Result<(), LoadError> {
        let began = Instant::now();
        self.keeper.write(conn, staging, &mut parcel.rejects)?;
        parcel.rejects.clear();
        self.loading += began.elapsed();
        Ok(())
    }

    /// What follows when all is staged: checks as a whole, the decision, the commit.
    pub fn finish(
        &mut self,
        conn: &mut Conn,
        staging: &Staging,
        positions: &[i32],
        unchanged: &dyn Fn() -> Result<(), String>,
    ) -> Result<Option<LedgerRow>, LoadError> {
        if self.read.rows == 0 {
            return Ok(None);
        }
        self.context.go_on()?;
        let (staged, rejected) = self.check_as_a_whole(conn, staging)?;
        decide(self.plan, self.read.rows, rejected, &self.told()).map_err(|mut failure| {
            failure.counts.rejected = rejected;
            failure
        })?;
        self.context.go_on()?;
        trust(unchanged)?;
        self.context.go_on()?;
        self.commit(conn, staging, positions, (staged, rejected)).map(Some)
    }
}

/// Whether the source is still what it was when it was opened.
pub(super) fn trust(unchanged: &dyn Fn() -> Result<(), String>) -> Result<(), LoadError> {
    unchanged().map_err(|why| LoadError::new(FailureKind::SourceUnreadable, why))
}
