//! Freezes: what they skip, what runs once when they end, and how people plan them.

mod ending;
mod foretold;
mod pages;
mod skipping;

use std::collections::BTreeMap;

use tidegate::error::Result;
use tidegate::freezes::{Draft, Freeze, actions};
use tidegate::runs::{Run, RunStatus};

use crate::dispatching::runs;
use crate::support::world::moment;
use crate::support::{Person, World};

pub async fn try_create(world: &World, by: &Person, draft: Draft) -> Result<Freeze> {
    let (by, application, now) = (by.clone(), world.application, world.now());
    world
        .try_write(move |conn| {
            let by = by.by(conn)?;
            actions::create(conn, &by, application, draft, now)
        })
        .await
}

/// A freeze of "FP&A 2026", made by Olive.
pub async fn create(world: &World, name: &str, from: &str, to: &str, run_once: bool) -> Freeze {
    let draft = Draft { name: name.to_owned(), starts_at: moment(from), ends_at: moment(to), run_once };
    try_create(world, &world.olive, draft).await.unwrap_or_else(|e| panic!("{e:?}"))
}

async fn end(world: &World, id: i64) -> Freeze {
    let (olive, now) = (world.olive.clone(), world.now());
    world
        .write(move |conn| {
            let by = olive.by(conn)?;
            actions::end(conn, &by, id, None, now)
        })
        .await
}

async fn delete(world: &World, id: i64) {
    let (olive, now) = (world.olive.clone(), world.now());
    world
        .write(move |conn| {
            let by = olive.by(conn)?;
            actions::delete(conn, &by, id, None, now)
        })
        .await;
}

/// How many occurrences it has skipped.
async fn skipped(world: &World, freeze: &Freeze) -> i64 {
    let freezes = vec![freeze.clone()];
    let counts: BTreeMap<i64, i64> =
        world.read(move |conn| actions::skipped(conn, &freezes)).await.into_iter().collect();
    counts.get(&freeze.id).copied().unwrap_or(0)
}

/// `16:45 to 16:55 skipped`, of the day on which a World begins; with the day where it is another.
async fn told(world: &World) -> Vec<String> {
    let short = |at: tidegate::clock::Moment| at.rfc3339().replace("2026-10-08T", "").replace(":00Z", "");
    let line = |run: &Run| {
        let until = run.planned_until.map(|at| format!(" to {}", short(at))).unwrap_or_default();
        let late = if run.late { " late" } else { "" };
        format!("{}{until} {}{late}", run.planned_at.map(short).unwrap_or_default(), run.status)
    };
    runs(world).await.iter().map(line).collect()
}

/// The reasons of what did not run, the oldest first.
async fn reasons(world: &World) -> Vec<String> {
    let idle = |run: &Run| matches!(run.status, RunStatus::Skipped | RunStatus::Missed);
    runs(world).await.into_iter().filter(idle).map(|run| run.reason.unwrap()).collect()
}
