//! The step that takes a queued run and sees it through to its end. The step around it has no logic: a process takes as
//! many at a time as it is allowed ([`Config::runs_at_once`](crate::config::Config)), each on a thread of its own.
//!
//! While the work goes on, a second thread beats: it prolongs the lease, tells how far the run is, and looks whether
//! somebody asked to cancel. Whatever the work brings counts only while the lease is this worker's.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration as Span, Instant};

use tokio_util::sync::CancellationToken;

use super::ending_store::{self as ending, Back, Ending};
use super::may_begin::{self as checks, Looked};
pub use super::taking_store::Taken;
use super::waiting::{self, NEVER_RESTS};
use super::work::{Board, Done, Import, Job, Retry, Undone, Work, of_app_error};
use super::{deciding, leases_store as leases, taking_store as taking};
use crate::app::App;
use crate::applications::blocks::ledger;
use crate::error::{AppError, Result};
use crate::memory;
use crate::runs::lifecycle::RunStatus;
use crate::runs::policy::{Policy, back_off, back_off_while_busy};

/// How often the second thread looks whether somebody asked to cancel.
const LOOK: Span = Span::from_millis(500);
/// How often it looks at the room on the disk, which a load fills quickly.
const GLANCE: Span = Span::from_millis(50);
/// How long a run may go on after the process was asked to stop; then it is given back.
const GRACE_AT_STOP: Span = Span::from_secs(15);
/// A run that took longer may have filled buffers that are worth giving back.
const LONG: Span = Span::from_millis(500);
const DISK_FULL: &str = "The disk is full: free some space and run the import again. Nothing was loaded; the Block \
                         is unchanged.";
/// How long a run waits that could not begin for a reason of ours.
const SOON: i64 = 10;

/// Takes one queued run, if there is one that may begin, and sees it through. Answers its id.
pub fn step(app: &App) -> Result<Option<i64>> {
    step_with(app, &Import)
}

/// The same with other work than an import's.
pub fn step_with(app: &App, work: &dyn Work) -> Result<Option<i64>> {
    let Some(taken) = take(app)? else { return Ok(None) };
    let id = taken.run.id;
    see_through(app, taken, work)?;
    Ok(Some(id))
}

/// Takes the next queued run that may begin, if there is one.
pub fn take(app: &App) -> Result<Option<Taken>> {
    Ok(take_up_to(app, 1)?.pop())
}

/// The same for whoever has just ended one: while many wait it is not worth asking first.
pub fn take_next(app: &App) -> Result<Option<Taken>> {
    Ok(if app.stop.is_cancelled() { None } else { take_now(app, 1)?.pop() })
}

/// Takes so many of the queued runs that may begin, in one transaction.
pub fn take_up_to(app: &App, places: usize) -> Result<Vec<Taken>> {
    if may_take(app)? { take_now(app, places) } else { Ok(Vec::new()) }
}

/// Whether a queued run may begin. Each second's beat asks before it rings: nearly always there is none, and nobody is
/// woken for nothing.
pub fn may_take(app: &App) -> Result<bool> {
    let now = app.now();
    Ok(!app.stop.is_cancelled() && app.db.read(|conn| taking::may_take(conn, now))?)
}

fn take_now(app: &App, places: usize) -> Result<Vec<Taken>> {
    loop {
        let now = app.now();
        let took = app.db.write(|conn| taking::take(conn, app, places, now))?;
        if !took.taken.is_empty() || !took.more {
            return Ok(took.taken);
        }
    }
}

/// Why the work was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Stop {
    None = 0,
    Cancel = 1,
    LeaseLost = 2,
    ShuttingDown = 3,
    OutOfTime = 4,
    DiskFull = 5,
}

/// Shared by the work and the heartbeat.
#[derive(Default)]
struct Signals {
    cancel: CancellationToken,
    cancelled: AtomicBool,
    stop: AtomicU8,
}

impl Signals {
    /// The first reason stays.
    fn stop(&self, why: Stop) {
        let _ = self.stop.compare_exchange(0, why as u8, Ordering::AcqRel, Ordering::Acquire);
        self.cancelled.store(true, Ordering::Release);
        self.cancel.cancel();
    }

    fn stopped(&self) -> Stop {
        match self.stop.load(Ordering::Acquire) {
            1 => Stop::Cancel,
            2 => Stop::LeaseLost,
            3 => Stop::ShuttingDown,
            4 => Stop::OutOfTime,
            5 => Stop::DiskFull,
            _ => Stop::None,
        }
    }
}

/// Does the work of a run that was taken, and ends it.
pub fn see_through(app: &App, taken: Taken, work: &dyn Work) -> Result<()> {
    let Taken { run, fence, policy, .. } = &taken;
    let _at_work = app.at_work.enter(run.id);
    let policy = match policy {
        Ok(policy) => policy,
        Err(why) => return finish(app, &taken, &Ending::failed(why)),
    };
    let looked = app.db.read(|conn| checks::look(conn, run));
    let Looked { why_not, replaces, approved } = match looked {
        Ok(looked) => looked,
        Err(AppError::Unavailable { .. }) => return give_back(app, &taken, "The database was busy when it started."),
        Err(other) => return conclude(app, &taken, policy, Stop::None, Err(of_app_error(other, run))),
    };
    let reason = why_not.or_else(|| app.disk.is_short().then(|| DISK_FULL.to_owned()));
    if let Some(reason) = reason {
        return finish(app, &taken, &Ending::failed(reason));
    }
    let began = Instant::now();
    let (signals, board) = (Signals::default(), Board::default());
    let deadline = Instant::now() + Span::from_secs(u64::try_from(policy.attempt_seconds).unwrap_or(3_600).max(1));
    let disk_full = || signals.stop(Stop::DiskFull);
    let listen = || {
        // What is over before anybody sees it go on is not asked about: a query less for each small run.
        let seen = began.elapsed() >= LOOK;
        if seen && matches!(app.db.read(|conn| leases::cancel_requested(conn, run.id, *fence)), Ok(Some(true))) {
            signals.stop(Stop::Cancel);
        }
    };
    let job = Job {
        run,
        fence: *fence,
        replaces,
        approved,
        cancel: &signals.cancel,
        cancelled: &signals.cancelled,
        deadline,
        board: &board,
        disk_full: &disk_full,
        listen: &listen,
    };
    let (done, end_of_work) = channel::<()>();
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| beat(app, &taken, &board, &signals, deadline, end_of_work));
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| work.perform(app, &job)));
        drop(done);
        outcome
    });
    let outcome = outcome.unwrap_or_else(|_| {
        tracing::error!(run = run.id, "the work of a run panicked");
        // It may have loaded before: then the rescue tells it.
        let nothing = run
            .block_id
            .is_none_or(|block| matches!(app.blocks.read(|conn| ledger::ledger(conn, &run.uid, block)), Ok(None)));
        let retry = if nothing { Retry::No } else { Retry::Unknown };
        Err(Undone::new("Something went wrong in Tidegate. The server's log says more.", retry))
    });
    conclude(app, &taken, policy, signals.stopped(), outcome)?;
    if let Some(block_id) = run.block_id {
        deciding::look_after(app, block_id);
    }
    if app.disk.is_short() {
        app.blocks.shrink();
    }
    if began.elapsed() > LONG {
        memory::give_back();
    }
    Ok(())
}

/// Beats until the work has ended.
fn beat(app: &App, taken: &Taken, board: &Board, signals: &Signals, deadline: Instant, end: Receiver<()>) {
    let (id, fence) = (taken.run.id, taken.fence);
    let mut told = leases::Report::default();
    let mut beaten = Instant::now();
    let mut asked_to_stop: Option<Instant> = None;
    let mut looked = Instant::now();
    while end.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
        if app.disk.is_short() {
            signals.stop(Stop::DiskFull);
        }
        if looked.elapsed() < LOOK {
            continue;
        }
        looked = Instant::now();
        if Instant::now() >= deadline {
            signals.stop(Stop::OutOfTime);
        }
        if app.stop.is_cancelled() && asked_to_stop.get_or_insert_with(Instant::now).elapsed() >= GRACE_AT_STOP {
            signals.stop(Stop::ShuttingDown);
        }
        let report = board.read();
        let answer = if report != told || beaten.elapsed() >= leases::heartbeat(app) {
            let until = app.now().plus(leases::lease(app));
            let beat = app.db.write(|conn| {
                let answer = leases::beat(conn, id, fence, &report, until)?;
                if answer.is_some() && report.steps != told.steps {
                    ending::write_steps(conn, id, &report.steps)?;
                }
                Ok(answer)
            });
            beat.inspect(|_| (told, beaten) = (report, Instant::now()))
        } else {
            app.db.read(|conn| leases::cancel_requested(conn, id, fence))
        };
        match answer {
            Ok(Some(false)) => {}
            Ok(Some(true)) => signals.stop(Stop::Cancel),
            Ok(None) => signals.stop(Stop::LeaseLost),
            // The database is away: go on while the lease would still hold.
            Err(error) if beaten.elapsed() < Span::from_secs(app.config.lease_seconds.into()) => {
                tracing::warn!(run = id, %error, "a heartbeat did not come through");
            }
            Err(_) => signals.stop(Stop::LeaseLost),
        }
    }
}

fn conclude(
    app: &App,
    taken: &Taken,
    policy: &Policy,
    stop: Stop,
    outcome: std::result::Result<Done, Undone>,
) -> Result<()> {
    let run = &taken.run;
    let undone = match outcome {
        // What became visible stays visible, whoever asked to stop meanwhile.
        Ok(done) => {
            app.held_up.over(run.id);
            return finish(app, taken, &of_done(done));
        }
        Err(undone) => undone,
    };
    let Undone { cause, retry, result, steps, log } = undone;
    let held_up = waiting::held_up(app, policy, run, &retry);
    if retry == Retry::Unknown {
        tracing::warn!(run = run.id, %cause, "whether a run loaded is not known; the rescue will ask the ledger");
        return Ok(());
    }
    let result = result.map(|result| *result);
    let mut ending = Ending { result, steps, log, ..Ending::failed(&cause) };
    match stop {
        Stop::LeaseLost => {
            tracing::warn!(run = run.id, "the lease was lost; another worker has taken over");
            return Ok(());
        }
        Stop::Cancel => {
            return finish(app, taken, &ending::cancelled(Some(&ending)));
        }
        Stop::DiskFull => {
            app.blocks.shrink();
            return finish(app, taken, &Ending { cause: Some(DISK_FULL.into()), ..ending });
        }
        Stop::ShuttingDown => {
            let ending = ending::broken_off(ending);
            let back = Back {
                reason: "The server stopped during the run. The run will start again.",
                attempt_counts: false,
                wait: None,
                ending: Some(&ending),
            };
            return put_back(app, taken, &back);
        }
        Stop::OutOfTime | Stop::None => {}
    }
    let retry = if stop == Stop::OutOfTime { Retry::Later } else { retry };
    let cause = if stop == Stop::OutOfTime {
        format!(
            "The attempt took longer than its limit of {}. Nothing was loaded; the Block is unchanged.",
            crate::words::duration(chrono::Duration::seconds(policy.attempt_seconds))
        )
    } else {
        cause
    };
    if let (Retry::Rest(left), Some(so_far)) = (&retry, held_up) {
        // Ever less often, because whoever writes for long writes a large file.
        let wait = Some((*left).max(so_far / 4));
        return put_back(app, taken, &Back { reason: &cause, attempt_counts: false, wait, ending: None });
    }
    if let Retry::Rest(_) = retry {
        app.held_up.over(run.id);
        ending.cause = Some(format!("{cause} {NEVER_RESTS}"));
        return finish(app, taken, &ending);
    }
    if held_up.is_none() && (retry == Retry::No || run.attempt >= policy.attempts) {
        ending.cause = Some(if run.attempt > 1 && retry != Retry::No {
            format!("{cause} It was tried {} times.", run.attempt)
        } else {
            cause
        });
        return finish(app, taken, &ending);
    }
    let wait = match (&retry, held_up) {
        (_, Some(so_far)) => back_off_while_busy(run.id, so_far),
        (Retry::After(wait), None) => *wait,
        _ => back_off(run.id, run.attempt),
    };
    let at = app.now().plus(wait).utc().format("%H:%M:%S");
    let reason = format!(
        "Attempt {} failed: {cause} The next attempt starts {}, at {at} UTC.",
        run.attempt,
        waiting::in_words(wait)
    );
    put_back(
        app,
        taken,
        &Back { reason: &reason, attempt_counts: held_up.is_none(), wait: Some(wait), ending: Some(&ending) },
    )
}

fn of_done(done: Done) -> Ending {
    Ending {
        status: match done.result.rejected {
            _ if done.held.is_some() => RunStatus::Held,
            0 => RunStatus::Success,
            _ => RunStatus::Partial,
        },
        reason: done.remark,
        cause: None,
        result: Some(done.result),
        steps: done.steps,
        log: done.log,
        unsettled: done.unsettled,
        held: done.held,
    }
}

/// The database may be away for a while just now: what is lost here, the rescue finds out from the ledger.
fn finish(app: &App, taken: &Taken, ending: &Ending) -> Result<()> {
    let mine = persist(app, || {
        let now = app.now();
        app.db.write(|conn| ending::end(conn, &taken.ended_at(now), taken.fence, ending, now))
    })?;
    if !mine {
        tracing::warn!(run = taken.run.id, "a run had been taken over when it ended; nothing was written");
    }
    app.work.notify_one();
    Ok(())
}

/// Gives back a run that was taken and could not begin, for no fault of its own: it costs no attempt.
pub fn give_back(app: &App, taken: &Taken, why: &str) -> Result<()> {
    let reason = format!("{why} It starts again after {SOON} s.");
    let wait = Some(chrono::Duration::seconds(SOON));
    put_back(app, taken, &Back { reason: &reason, attempt_counts: false, wait, ending: None })
}

fn put_back(app: &App, taken: &Taken, back: &Back<'_>) -> Result<()> {
    persist(app, || {
        let now = app.now();
        app.db.write(|conn| ending::put_back(conn, &taken.ended_at(now), taken.fence, back, now))
    })?;
    app.work.notify_one();
    Ok(())
}

/// Tries again for a while, as long as the database is busy or unavailable. The lease may run out meanwhile: then the rescue finds
/// out how the run ended, and this finds the lease gone and writes nothing. On a full disk it tries for as long as this
/// process serves: nobody else knows why the run ended, and the rescue leaves alone what a thread here sees through.
fn persist<T>(app: &App, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    loop {
        match attempt() {
            Err(AppError::Unavailable { .. }) if began.elapsed() < Span::from_secs(45) => {}
            Err(AppError::DiskFull) if !app.stop.is_cancelled() => {
                app.disk.give_way();
                app.blocks.shrink();
                app.db.shrink();
            }
            other => return other,
        }
        std::thread::sleep(Span::from_millis(500));
    }
}
