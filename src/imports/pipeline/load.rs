//! The run of a load from the first byte to the commit.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::again::{self, Again};
use super::check::Checker;
use super::context::{LoadContext, Progress, Source, SourceFile};
use super::outcome::{Counts, FailureKind, LoadError, LoadReport, Outcome, Step, counts_of};
use super::plan::{Plan, dimension_routes, routes};
use super::reading::{PARCELS, Parcel, Reading, read_all};
use super::rejects::{Keeper, decide, from_format, goes_on};
use crate::applications::blocks::batch::Batch;
use crate::applications::blocks::ledger::{self, LedgerRow, LoadRefused};
use crate::applications::blocks::rejects::RejectBatch;
use crate::applications::blocks::{Loader, Merge, Staging, Visible, checks, fill_at_once, rejects as kept, seal};
use crate::db::Conn;
use crate::formats::{ColumnType, Rows};
use crate::words;

/// The number of the file among those of a run.
const FILE: i32 = 1;

/// Loads the file into the Block, all of its accepted rows or none. Blocks: call it from a thread that may. A run
/// whose load the ledger knows already is answered from there and loads nothing twice.
pub fn run(plan: &Plan, source: &SourceFile, context: &LoadContext<'_>) -> Result<LoadReport, LoadError> {
    run_if_unchanged(plan, Source::File(source), context, &|| Ok(()))
}

/// The same; `unchanged` is asked after the last byte was read and before it counts, and says why the source is not to
/// be trusted when it is not what it was.
pub fn run_if_unchanged(
    plan: &Plan,
    source: Source<'_>,
    context: &LoadContext<'_>,
    unchanged: &dyn Fn() -> Result<(), String>,
) -> Result<LoadReport, LoadError> {
    let known = context
        .blocks
        .lend(|conn| ledger::ledger(conn, &context.run.uid, plan.block.id))
        .map_err(LoadError::from_database)?;
    if let Some(row) = known {
        return LoadReport::from_ledger(row);
    }
    context.go_on()?;
    let (name, sha256) = (source.name().to_owned(), source.sha256().to_owned());
    let twice = plan.block.columns.iter().any(|c| c.key || c.column_type == ColumnType::Dimension);
    let opened = again::first(source, &plan.read, twice, context.cancelled);
    // Who cancelled wants to read that, and not that the file could not be read.
    context.go_on()?;
    let (reader, again) = opened?;
    if reader.columns().is_empty() {
        return Ok(nothing_new(&Reading::default(), &name));
    }
    let utf8 = reader.is_utf8();
    let routes =
        routes(plan, reader.columns(), reader.ignored()).map_err(|why| LoadError::new(FailureKind::Columns, why))?;
    let stages = if dimension_routes(plan, &routes).is_empty() { 0 } else { plan.keeps };
    let checker = Checker::new(routes, reader.columns().to_vec(), reader.ignored().to_vec(), stages);

    let begin = |conn: &mut Conn| ledger::begin(conn, &plan.block, context.run, context.fence, context.clock.now());
    let staging = context.blocks.lend(begin).map_err(LoadError::from)?;
    let mut load = Load {
        plan,
        name: &name,
        sha256: &sha256,
        again,
        context,
        checker: &checker,
        keeper: Keeper::new(&staging, &checker, plan, utf8),
        staging: &staging,
        read: Reading::default(),
        loading: Duration::ZERO,
        checking: Duration::ZERO,
    };
    let mut done = load.run(reader, unchanged);
    if done.as_ref().is_err_and(|failure| failure.kind == FailureKind::Internal)
        && context.blocks.read(|conn| ledger::is_overtaken(conn, &staging)).unwrap_or(false)
    {
        // The successor dropped the staging table under this load's feet.
        done = Err(LoadRefused::FenceLost.into());
    }
    let visible = matches!(&done, Ok(report) if report.outcome != Outcome::NothingNew);
    if !visible {
        // A table that stays behind here is dropped by the next cleanup.
        let dropped = context.blocks.lend(|conn| ledger::abandon(conn, &staging));
        if let Err(error) = dropped {
            tracing::warn!(run = context.run.id, %error, "a staging table is left to the next cleanup");
        }
    }
    done.map_err(|mut failure| {
        failure.counts.read = failure.counts.read.max(load.read.rows);
        failure.counts.rejected = failure.counts.rejected.max(load.read.rejected);
        failure.counts.bytes = load.read.bytes;
        failure.steps = load.steps("Nothing was loaded.".to_owned(), failure.counts.rejected);
        failure
    })
}

fn nothing_new(read: &Reading, name: &str) -> LoadReport {
    let detail = format!("{name} holds no rows: nothing new. The Block holds what it held before.");
    LoadReport {
        outcome: Outcome::NothingNew,
        counts: Counts { bytes: read.bytes, ..Counts::default() },
        steps: vec![Step { name: "Read", duration: read.reading, detail }],
        earlier: None,
    }
}

struct Load<'a> {
    plan: &'a Plan,
    name: &'a str,
    sha256: &'a str,
    again: Again<'a>,
    context: &'a LoadContext<'a>,
    checker: &'a Checker,
    keeper: Keeper<'a>,
    staging: &'a Staging,
    read: Reading,
    loading: Duration,
    /// Of the checks that SQL does.
    checking: Duration,
}

impl Load<'_> {
    /// Reads on a thread of its own and writes on this one. A source that fits into one parcel goes in and becomes
    /// visible in one visit to the pool: a connection of one's own costs more than such a load.
    fn run(
        &mut self,
        reader: Box<dyn Rows + '_>,
        unchanged: &dyn Fn() -> Result<(), String>,
    ) -> Result<LoadReport, LoadError> {
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
                    let mut failure =
                        LoadError::new(FailureKind::Internal, "No thread could be had to read the source.");
                    failure.detail = Some(error.to_string());
                    failure
                })?;
            // Says why no more parcels come; by then the channels are closed, so the reader ends if it has not.
            let read = move || match thread.join() {
                Ok(read) => read.map_err(from_format),
                Err(_) => Err(LoadError::new(FailureKind::Internal, "The thread that reads the source died.")),
            };
            let first = arriving.recv().ok();
            let second = first.is_some().then(|| arriving.recv().ok()).flatten();
            let blocks = self.context.blocks;
            let Some(second) = second else {
                drop(empty);
                read()?;
                return blocks.lend(|conn| {
                    if let Some(only) = first {
                        self.context.go_on()?;
                        self.write_only(conn, only, &positions)?;
                    }
                    self.finish(conn, &positions, unchanged)
                });
            };
            let mut conn = blocks.connect()?;
            let written = self.write_all(first.into_iter().chain([second]), arriving, empty, &mut conn, &positions);
            written.and(read())?;
            self.finish(&mut conn, &positions, unchanged)
        })
    }

    fn write_all(
        &mut self,
        there: impl Iterator<Item = Parcel>,
        arriving: Receiver<Parcel>,
        empty: SyncSender<Parcel>,
        conn: &mut Conn,
        positions: &[i32],
    ) -> Result<(), LoadError> {
        let mut loader = Loader::open(self.context.blocks, conn, self.staging, FILE, positions)?;
        // Ends when the reader has closed its end.
        let mut parcels = there.chain(arriving);
        let mut next = parcels.next();
        while let Some(mut parcel) = next.take() {
            // Until there are rejected rows to write, which the connection cannot do meanwhile.
            let mut stopped = Ok(());
            let (began, mut waited) = (Instant::now(), Duration::ZERO);
            let filled = loader.fill(conn, &mut |write| {
                while stopped.is_ok() {
                    stopped =
                        self.context.go_on().and_then(|()| goes_on(self.plan, self.read.rows, self.read.rejected));
                    if stopped.is_err() {
                        break;
                    }
                    write(&parcel.batch)?;
                    parcel.batch.clear();
                    self.read = parcel.read;
                    self.tell("Reading and loading");
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
            self.keep(conn, &mut parcel)?;
            let _ = empty.send(parcel);
            next = parcels.next();
        }
        loader.finish(conn)?;
        self.context.go_on()
    }

    /// Writes the only parcel of a small load.
    fn write_only(&mut self, conn: &mut Conn, mut parcel: Parcel, positions: &[i32]) -> Result<(), LoadError> {
        let began = Instant::now();
        if !parcel.batch.is_empty() {
            fill_at_once(conn, self.staging, FILE, positions, &parcel.batch)?;
        }
        self.read = parcel.read;
        self.tell("Reading and loading");
        self.loading += began.elapsed();
        self.keep(conn, &mut parcel)
    }

    /// Writes down the rejected rows of a parcel, and takes them out.
    fn keep(&mut self, conn: &mut Conn, parcel: &mut Parcel) -> Result<(), LoadError> {
        let began = Instant::now();
        self.keeper.write(conn, &mut parcel.rejects)?;
        parcel.rejects.clear();
        self.loading += began.elapsed();
        Ok(())
    }

    /// What follows when all is staged: checks as a whole, the decision, the commit.
    fn finish(
        &mut self,
        conn: &mut Conn,
        positions: &[i32],
        unchanged: &dyn Fn() -> Result<(), String>,
    ) -> Result<LoadReport, LoadError> {
        if self.read.rows == 0 {
            return Ok(nothing_new(&self.read, self.name));
        }
        self.context.go_on()?;
        let (staged, rejected) = self.check_as_a_whole(conn)?;
        decide(self.plan, self.read.rows, rejected).map_err(|mut failure| {
            failure.counts.rejected = rejected;
            failure
        })?;
        self.context.go_on()?;
        unchanged().map_err(|why| LoadError::new(FailureKind::SourceUnreadable, why))?;
        self.commit(conn, positions, staged, rejected)
    }

    fn tell(&self, phase: &'static str) {
        (self.context.progress)(Progress { phase, rows: self.read.rows, bytes: self.read.bytes });
    }

    /// What can be said only of all rows together. Answers how many rows are staged and how many rejected.
    fn check_as_a_whole(&mut self, conn: &mut Conn) -> Result<(i64, i64), LoadError> {
        self.tell("Checking");
        let began = Instant::now();
        let merge = self.plan.merge();
        let dimensions = dimension_routes(self.plan, self.checker.routes());
        let kept_some = self.checker.stages > 0 && self.read.rejected > 0;
        let mut found = false;
        for (route, key) in dimensions {
            let room = self.keeper.room();
            let unknown = checks::unknown_items(conn, self.staging, merge, &route.staged(), key, room);
            found |= self.keeper.take(unknown?);
            self.context.go_on()?;
        }
        if found || kept_some {
            checks::drop_rejected(conn, self.staging).map_err(LoadError::from_database)?;
        }
        let keys: Vec<_> =
            self.checker.routes().iter().filter(|route| route.column.key).map(|route| route.staged()).collect();
        if !keys.is_empty() {
            let twice = checks::unique_keys(conn, self.staging, &keys, self.keeper.room());
            found |= self.keeper.take(twice?);
            self.context.go_on()?;
            if merge == Merge::Append {
                let (replaced, room) = (&self.plan.replaces_runs, self.keeper.room());
                let known = checks::existing_keys(conn, self.staging, &keys, replaced, room);
                found |= self.keeper.take(known?);
            }
        }
        let mut counts = (self.read.staged, self.read.rejected);
        if found || kept_some {
            self.keeper.fetch(conn, &self.again)?;
            let kept = kept::count(conn, self.context.run.id).map_err(LoadError::from_database)?;
            let rejected = kept + self.keeper.beyond_rows();
            counts = (self.read.rows - rejected, rejected);
        }
        self.keeper.write_beyond(conn)?;
        self.checking += began.elapsed();
        Ok(counts)
    }

    fn commit(
        &mut self,
        conn: &mut Conn,
        positions: &[i32],
        staged: i64,
        rejected: i64,
    ) -> Result<LoadReport, LoadError> {
        self.tell("Making the load visible");
        let began = Instant::now();
        seal(conn, self.staging, FILE, self.plan.merge())?;
        let visible = Visible {
            block: &self.plan.block,
            merge: self.plan.merge(),
            filled: positions,
            replaces_runs: &self.plan.replaces_runs,
            staged,
            read: self.read.rows,
            rejected,
            bytes: self.read.bytes,
            source_name: self.name,
            source_sha256: self.sha256,
        };
        let row = match ledger::commit(conn, &[(self.staging, &visible)], self.context.clock.now()) {
            Ok(mut rows) => {
                rows.pop().ok_or_else(|| LoadError::new(FailureKind::Internal, "The load left no trace."))?
            }
            Err(LoadRefused::Database(error)) => {
                self.known_after_all()?.ok_or_else(|| LoadError::from_database(error))?
            }
            Err(why) => return Err(why.into()),
        };
        self.loading += began.elapsed();
        let counts = counts_of(&row);
        let mut said = vec![format!("{} added", words::rows(counts.added))];
        for (number, word) in
            [(counts.changed, "changed"), (counts.removed, "removed"), (counts.unchanged, "unchanged")]
        {
            if number > 0 {
                said.push(format!("{} {word}", words::count(number)));
            }
        }
        let outcome = if rejected > 0 { Outcome::Partial } else { Outcome::Loaded };
        let steps = self.steps(format!("{}.", said.join(", ")), rejected);
        Ok(LoadReport { outcome, counts, steps, earlier: None })
    }

    /// The answer to a commit may have been lost after the deed: the ledger knows. It is asked for half a minute; who
    /// then still does not know says so, and leaves it to whoever takes the run over.
    fn known_after_all(&self) -> Result<Option<LedgerRow>, LoadError> {
        const PATIENCE: Duration = Duration::from_secs(30);
        let began = Instant::now();
        loop {
            let (run, block) = (&self.context.run.uid, self.plan.block.id);
            // A connection of its own: whoever asks holds one of the pool, which may have no other.
            match self.context.blocks.connect().and_then(|mut conn| ledger::ledger_at_rest(&mut conn, run, block)) {
                Ok(known) => return Ok(known),
                Err(_) if began.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(500)),
                Err(error) => return Err(LoadError::unknown(error)),
            }
        }
    }

    fn steps(&self, loaded: String, rejected: i64) -> Vec<Step> {
        let read = &self.read;
        let from = format!("{} and {} bytes of {}.", words::rows(read.rows), words::count(read.bytes), self.name);
        vec![
            Step { name: "Read", duration: read.reading, detail: from },
            Step {
                name: "Map and check",
                duration: read.checking + self.checking,
                detail: format!("{} rejected.", words::rows(rejected)),
            },
            Step { name: "Load", duration: self.loading, detail: loaded },
        ]
    }
}
