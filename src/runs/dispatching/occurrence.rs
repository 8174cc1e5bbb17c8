//! What the clock writes down for an occurrence, and how much of it one step wrote.

use super::naming::Naming;
use super::planning::Missed;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::runs::lifecycle::{RunStatus, Trigger};
use crate::runs::queue_store::{self as queue, NewRun};
use crate::runs::runnable_store::Runnable;
use crate::schedules::clock::Due;

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    pub queued: usize,
    pub skipped: usize,
    /// Occurrences that a freeze keeps from running.
    pub frozen: usize,
    /// Rows, each for one occurrence or a range of them.
    pub missed: usize,
    /// The earliest occurrence that is still to come.
    pub next_due: Option<Moment>,
}

impl Dispatched {
    pub fn add(&mut self, part: Self) {
        self.queued += part.queued;
        self.skipped += part.skipped;
        self.frozen += part.frozen;
        self.missed += part.missed;
    }
}

/// The queued run of an occurrence.
pub fn row(due: &Due, (runnable, naming): (&Runnable, &Naming), planned_at: Moment, now: Moment) -> NewRun {
    NewRun {
        uid: queue::uid(),
        application_id: due.application_id,
        configuration_id: runnable.target.configuration(),
        configuration_version: runnable.target.configuration().map(|_| runnable.version),
        block_id: runnable.block_id,
        set_id: runnable.target.set(),
        parent_id: None,
        schedule_id: Some(due.id),
        planned_at: Some(planned_at),
        planned_until: None,
        repeat_no: 0,
        waiting_key: None,
        again_of: None,
        trigger_kind: Trigger::Schedule,
        started_by: None,
        as_member_id: Some(due.owner_id),
        name: naming.of(due, runnable, planned_at),
        status: RunStatus::Queued,
        reason: None,
        late: false,
        parameters: due.parameters.clone(),
        file_id: None,
        queued_at: now,
        precedence: queue::BY_CLOCK,
        available_at: Some(now),
        finished_at: None,
    }
}

/// The kept file that the run of an occurrence is given.
pub fn kept_file(conn: &mut Conn, due: &Due, runnable: &Runnable) -> Result<Option<i64>> {
    let values = due.parameters.as_deref().and_then(|text| serde_json::from_str(text).ok());
    runnable.kept_file(conn, values.as_ref())
}

/// The row of occurrences that were missed.
pub fn missed_row(due: &Due, named: (&Runnable, &Naming), missed: &Missed, now: Moment) -> NewRun {
    NewRun {
        planned_until: missed.until,
        status: RunStatus::Missed,
        reason: Some("The server was down.".to_owned()),
        available_at: None,
        finished_at: Some(now),
        ..row(due, named, missed.from, now)
    }
}
