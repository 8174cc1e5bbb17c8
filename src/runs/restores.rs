//! Restoring what a Block held before, as a run of its own that somebody starts. After it the caller rings `App::work`.

use serde_json::json;

use super::actions::{self, Started};
use super::lifecycle::{RunStatus, Trigger};
use super::queue_store::{self as queue, NewRun};
use super::{restores_store, store};
use crate::applications::blocks::contents::{self, Earlier};
use crate::applications::blocks::{self, Block};
use crate::applications::{self, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn, Pool};
use crate::error::{AppError, Result};
use crate::members::{By, Channel, Scope};
use crate::words;

/// Puts a restore into the queue, as the member who asks. While one of the same contents waits, that one is the answer.
///
/// `Conflict` where they are not kept any more, or do not fit the Block any more.
pub fn restore(conn: &mut Conn, by: &By, pool: &Pool, (block_id, run_id): (i64, i64), now: Moment) -> Result<Started> {
    // Of two clicks at one moment the second finds the first.
    db::lock_row(conn, "blocks", block_id)?;
    let (block, entered, earlier) = find(conn, by, pool, (block_id, run_id))?;
    let waiting_key = queue::restore_key(block_id, run_id);
    if let Some(run) = store::by_waiting_key(conn, &waiting_key)? {
        return actions::bring_forward(conn, by, run, now);
    }
    let of_import = restores_store::import_that_filled(conn, block_id, earlier.run_id)?.ok_or_else(|| {
        AppError::Conflict(format!(
            "The history of {} is gone, so nobody can say which import made these contents. They cannot be restored.",
            block.name
        ))
    })?;
    let new = NewRun {
        uid: queue::uid(),
        application_id: entered.application.id,
        configuration_id: Some(of_import),
        configuration_version: None,
        block_id: Some(block_id),
        set_id: None,
        parent_id: None,
        schedule_id: None,
        planned_at: None,
        planned_until: None,
        repeat_no: 0,
        waiting_key: Some(waiting_key),
        again_of: None,
        trigger_kind: if by.channel == Channel::Token { Trigger::Api } else { Trigger::Member },
        started_by: Some(by.member.id),
        as_member_id: Some(by.member.id),
        name: format!("Restore of {}", block.name),
        status: RunStatus::Queued,
        reason: None,
        late: false,
        parameters: None,
        file_id: None,
        queued_at: now,
        precedence: queue::BY_HAND,
        available_at: Some(now),
        finished_at: None,
    };
    actions::need_room(conn, &new)?;
    let id = restores_store::insert(conn, &new, run_id)?;
    let what = json!({ "name": block.name, "run_id": id, "restores_run_id": run_id, "rows": earlier.rows });
    let entry = Entry::of("block.restored", "block", block_id).application(entered.application.id).after(what);
    by.audit(conn, entry, now)?;
    Ok(Started { run: store::by_id(conn, id)?.ok_or(AppError::NotFound)?, waiting_already: false })
}

/// What a member wants to restore, who may; the same refusals.
pub fn find(
    conn: &mut Conn,
    by: &By,
    pool: &Pool,
    (block_id, run_id): (i64, i64),
) -> Result<(Block, Entered, Earlier)> {
    let block = blocks::find(conn, block_id)?;
    let entered = applications::enter(conn, by, block.application_id)?;
    entered.need_import(conn, by, Scope::Run)?;
    let (earlier, shown) =
        pool.read(|conn| Ok((contents::made_by(conn, block_id, run_id)?, contents::shown_of(conn, block_id)?)))?;
    let Some(earlier) = earlier else {
        let run = words::count(run_id);
        return Err(AppError::Conflict(match shown == Some(run_id) {
            true => format!("{} shows the contents of run {run} already.", block.name),
            false => format!("The contents of run {run} are not kept for {}, or no longer.", block.name),
        }));
    };
    match earlier.why_not(&block) {
        Some(why) => Err(AppError::Conflict(why)),
        None => Ok((block, entered, earlier)),
    }
}

/// The runs of a Block that wait for a decision: a restore takes their place, as every newer load does.
pub fn superseded(conn: &mut Conn, block_id: i64) -> Result<Vec<i64>> {
    let held = super::working::held_store::undecided(conn, Some(block_id))?;
    Ok(held.into_iter().map(|(run_id, ..)| run_id).collect())
}
