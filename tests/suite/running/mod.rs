//! A queued run is taken, does its work or fails with its reason, and ends exactly once.

mod attempts;
mod block_to_block;
mod changing;
mod corrected;
mod endings;
mod faults;
pub mod held;
mod lost;
mod mending;
mod queue;
mod restored;
mod run_names;
mod set_asked;
pub mod set_values;
pub mod sets;
mod settling;
mod sources;
mod telling;
mod tried;
mod unsettled;
mod watched;

pub use watched::halting;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use chrono::Duration;
use diesel::prelude::*;
use tidegate::app::App;
use tidegate::db::schema::{application_access, connection_applications, members, run_leases, runs as runs_table};
use tidegate::error::{AppError, Result};
use tidegate::imports::{Mode, Overlap, Target};
use tidegate::runs::work::{Done, Job, Retry, Undone, Work};
use tidegate::runs::{Run, RunResult, RunStatus, Started, actions, dispatcher, executor, rescue};

use crate::dispatching::{outcomes, runs, second_process};
use crate::schedules::{create, daily, draft};
use crate::support::stage::{Stage, csv, rows, stage};
use crate::support::{Person, World};

pub async fn try_start(world: &World, by: &Person, stage: &Stage) -> Result<Started> {
    let (by, configuration, now) = (by.clone(), stage.configuration, world.now());
    let secrets = world.app().secrets.clone();
    world
        .try_write(move |conn| {
            let by = by.by(conn)?;
            actions::start_by_hand(conn, &secrets, &by, Target::Configuration(configuration), None, None, now)
        })
        .await
}

pub async fn start(world: &World, stage: &Stage) -> Run {
    try_start(world, &world.olive, stage).await.unwrap_or_else(|e| panic!("{e:?}")).run
}

async fn try_again(world: &World, id: i64) -> Result<Started> {
    let (olive, now) = (world.olive.clone(), world.now());
    world
        .try_write(move |conn| {
            let by = olive.by(conn)?;
            actions::again(conn, &by, id, now)
        })
        .await
}

async fn try_cancel(world: &World, id: i64) -> Result<Run> {
    let (olive, now) = (world.olive.clone(), world.now());
    world
        .try_write(move |conn| {
            let by = olive.by(conn)?;
            actions::cancel(conn, &by, id, now)
        })
        .await
}

pub async fn run(world: &World, id: i64) -> Run {
    let ada = world.ada.clone();
    world
        .read(move |conn| {
            let by = ada.by(conn)?;
            Ok(actions::find(conn, &by, id)?.0)
        })
        .await
}

/// Sees queued runs through until none may begin.
pub async fn work_off(world: &World) {
    while world.step(executor::step).await.is_some() {}
}

/// Work that goes as it was told, attempt by attempt.
struct Script(Mutex<VecDeque<Result<Done, Undone>>>);

impl Script {
    fn of(outcomes: impl IntoIterator<Item = Result<Done, Undone>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(outcomes.into_iter().collect())))
    }
}

impl Work for Script {
    fn perform(&self, _: &App, _: &Job<'_>) -> Result<Done, Undone> {
        self.0.lock().unwrap().pop_front().expect("more attempts than the script has")
    }
}

/// Work that calls something in its middle.
struct Midway<F>(F);

impl<F: Fn(&App, &Job<'_>) -> Result<Done, Undone> + Sync> Work for Midway<F> {
    fn perform(&self, app: &App, job: &Job<'_>) -> Result<Done, Undone> {
        (self.0)(app, job)
    }
}

fn added(rows: i64) -> Done {
    Done { result: RunResult { read: rows, added: rows, ..RunResult::default() }, ..Done::default() }
}

fn refused(retry: Retry) -> Result<Done, Undone> {
    Err(Undone::new("The source did not answer.", retry))
}

async fn attempt(world: &World, script: &Arc<Script>) -> Option<i64> {
    let script = script.clone();
    world.step(move |app| executor::step_with(app, script.as_ref())).await
}

/// What was cancelled too late for one step is still in the queue.
async fn work_off_scripted(world: &World) {
    let open = world
        .read(|conn| Ok(runs_table::table.filter(runs_table::finished_at.is_null()).count().get_result::<i64>(conn)?))
        .await;
    for _ in 0..open {
        attempt(world, &Script::of([Ok(added(1))])).await;
    }
}
