//! What passed while the Workspace stood by: of each schedule one Skipped range, and it goes on with what comes next.

use super::naming::Naming;
use super::occurrence::row;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::imports::Target;
use crate::runs::lifecycle::RunStatus;
use crate::runs::queue_store::{self as queue, NewRun};
use crate::runs::runnable_store as runnable;
use crate::schedules::clock::{self, AllDue, Due, Step};
use crate::schedules::{latest_at_or_before, next_after};

/// Skips all that is due, in the transaction that ends the standing by; of how many schedules.
pub fn skip_due(conn: &mut Conn, reason: &str, now: Moment) -> Result<usize> {
    let targets: Vec<String> = clock::due_targets(conn, now)?.into_iter().map(|(target, _)| target).collect();
    let AllDue { good: due, broken } = clock::due_of(conn, &targets, now)?;
    clock::set_aside(conn, &broken)?;
    let targets: Vec<Target> = due.iter().map(|due| due.target).collect();
    let runnables = runnable::runnables(conn, &targets)?;
    let naming = Naming::load(conn, due.iter())?;
    let latest = |due: &Due| latest_at_or_before(&due.rule, now).unwrap_or(due.next_at).max(due.next_at);
    let step = |due: &Due| {
        let latest = latest(due);
        Step { id: due.id, from: due.next_at, claimed: Some(latest), to: next_after(&due.rule, latest) }
    };
    let steps: Vec<Step> = due.iter().map(step).collect();
    let mine = clock::claim(conn, &steps, now)?;
    let mut rows: Vec<NewRun> = Vec::new();
    for due in due.iter().filter(|due| mine.contains(&due.id)) {
        let Some(runnable) = runnables.get(&due.target) else { continue };
        let until = latest(due);
        rows.push(NewRun {
            planned_until: (until > due.next_at).then_some(until),
            status: RunStatus::Skipped,
            reason: Some(reason.to_owned()),
            available_at: None,
            finished_at: Some(now),
            ..row(due, (runnable, &naming), due.next_at, now)
        });
    }
    queue::insert_all(conn, &rows)?;
    Ok(rows.len())
}
