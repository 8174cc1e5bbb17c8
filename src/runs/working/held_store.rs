//! What the volume guard holds: from the end of the run that loaded it until somebody has decided, or nobody needs to.

use chrono::Duration;

use super::intents_store as intents;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{run_holds, runs};
use crate::db::{self, Conn};
use crate::error::Result;
use crate::imports::guard::Stopped;
use crate::imports::{self, ConfigurationStatus};
use crate::runs::lifecycle::RunStatus;
use crate::runs::model::{Hold, LogLine};
use crate::runs::queue_store::{self as queue, BY_HAND};

/// So long what is held is kept.
pub const KEPT: Duration = Duration::days(7);

/// Why an approved run is over without having loaded; whatever else stops one leaves it Held.
pub const SUPERSEDED: &str = "Superseded: a newer run of the same Block took its place before this load was visible. The rows that it held are discarded.";
pub const GONE: &str = "The rows that were held are not in the Block database any more. Run the import again.";

type Row = (i64, i64, i64, Moment, Option<Moment>, Moment, Option<i64>);

macro_rules! columns {
    () => {
        (
            run_holds::run_id,
            run_holds::rows_held,
            run_holds::rows_usual,
            run_holds::held_until,
            run_holds::started_at,
            run_holds::finished_at,
            run_holds::approved_by,
        )
    };
}

fn hold((_, rows, usual, until, started_at, finished_at, approved_by): Row) -> Hold {
    Hold { stopped: Stopped { rows, usual }, until, started_at, finished_at, approved_by }
}

/// What a run holds.
pub fn of(conn: &mut Conn, run_id: i64) -> Result<Option<Hold>> {
    Ok(run_holds::table.find(run_id).select(columns!()).first::<Row>(conn).optional()?.map(hold))
}

/// The same of several.
pub fn of_all(conn: &mut Conn, run_ids: &[i64]) -> Result<Vec<(i64, Hold)>> {
    let rows: Vec<Row> = run_holds::table.filter(run_holds::run_id.eq_any(run_ids)).select(columns!()).load(conn)?;
    Ok(rows.into_iter().map(|row| (row.0, hold(row))).collect())
}

/// A run was stopped just now.
pub fn keep(
    conn: &mut Conn,
    run_id: i64,
    block_id: i64,
    stopped: Stopped,
    now: (Option<Moment>, Moment),
) -> Result<()> {
    diesel::insert_into(run_holds::table)
        .values((
            run_holds::run_id.eq(run_id),
            run_holds::block_id.eq(block_id),
            run_holds::rows_held.eq(stopped.rows),
            run_holds::rows_usual.eq(stopped.usual),
            run_holds::held_until.eq(now.1.plus(KEPT)),
            run_holds::started_at.eq(now.0),
            run_holds::finished_at.eq(now.1),
        ))
        .execute(conn)?;
    Ok(())
}

/// It is decided.
pub fn forget(conn: &mut Conn, run_id: i64) -> Result<()> {
    diesel::delete(run_holds::table.find(run_id)).execute(conn)?;
    Ok(())
}

/// Puts a run that is Held into the queue, to make visible what it holds; `false` when it is not Held any more.
pub fn approve(conn: &mut Conn, run_id: i64, (by, name): (i64, &str), now: Moment) -> Result<bool> {
    db::lock_row(conn, "runs", run_id)?;
    let changed = diesel::update(runs::table.filter(runs::id.eq(run_id).and(runs::status.eq(RunStatus::Held))))
        .set((
            runs::status.eq(RunStatus::Queued),
            runs::reason.eq(format!("Approved by {name}. Waiting for a worker.")),
            runs::precedence.eq(BY_HAND),
            runs::available_at.eq(now),
            runs::finished_at.eq(None::<Moment>),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Ok(false);
    }
    diesel::update(run_holds::table.find(run_id)).set(run_holds::approved_by.eq(by)).execute(conn)?;
    queue::write_log(conn, run_id, &[LogLine::new(now, "info", format!("{name} approved the load."))])?;
    Ok(true)
}

/// Takes an approval back that no worker has begun with; `false` when there is none.
pub fn take_back(conn: &mut Conn, run_id: i64, name: &str, now: Moment) -> Result<bool> {
    let Some(hold) = of(conn, run_id)?.filter(|hold| hold.approved_by.is_some()) else { return Ok(false) };
    db::lock_row(conn, "runs", run_id)?;
    let said = format!("{name} took the approval back.");
    wait_again(conn, run_id, &hold, (RunStatus::Queued, &said), now)
}

/// A run that was approved and has loaded nothing is Held again; `false` when it stands elsewhere than `from`.
pub fn wait_again(
    conn: &mut Conn,
    run_id: i64,
    hold: &Hold,
    (from, said): (RunStatus, &str),
    now: Moment,
) -> Result<bool> {
    let changed = diesel::update(runs::table.filter(runs::id.eq(run_id).and(runs::status.eq(from))))
        .set((
            runs::status.eq(RunStatus::Held),
            runs::reason.eq(format!("{} {said}", hold.stopped.remark())),
            runs::waiting_key.eq(None::<String>),
            runs::waits_for.eq(None::<String>),
            runs::available_at.eq(None::<Moment>),
            runs::started_at.eq(hold.started_at),
            runs::finished_at.eq(hold.finished_at),
        ))
        .execute(conn)?;
    if changed == 1 {
        diesel::update(run_holds::table.find(run_id)).set(run_holds::approved_by.eq(None::<i64>)).execute(conn)?;
        queue::write_log(conn, run_id, &[LogLine::new(now, "warning", format!("Held again. {said}"))])?;
    }
    Ok(changed == 1)
}

/// Ends a run that is Held as Failed; `false` when it is not Held any more. It ended when it was held: only now it is
/// known how.
pub fn turn_down(conn: &mut Conn, run_id: i64, cause: &str, now: Moment) -> Result<bool> {
    db::lock_row(conn, "runs", run_id)?;
    let held = runs::table.filter(runs::id.eq(run_id).and(runs::status.eq(RunStatus::Held)));
    let ended: Option<Option<i64>> = diesel::update(held)
        .set((runs::status.eq(RunStatus::Failed), runs::reason.eq(None::<String>), runs::cause.eq(cause)))
        .returning(runs::configuration_id)
        .get_result(conn)
        .optional()?;
    let Some(configuration_id) = ended else { return Ok(false) };
    forget(conn, run_id)?;
    intents::end(conn, run_id, false, false)?;
    queue::write_log(conn, run_id, &[LogLine::new(now, "error", format!("Failed: {cause}"))])?;
    if let Some(configuration_id) = configuration_id {
        imports::decide_status(conn, configuration_id, ConfigurationStatus::Failed, run_id)?;
    }
    Ok(true)
}

/// The runs that are Held and that nobody may decide about any more.
pub fn expired(conn: &mut Conn, now: Moment) -> Result<Vec<i64>> {
    Ok(run_holds::table
        .filter(run_holds::held_until.le(now).and(run_holds::approved_by.is_null()))
        .select(run_holds::run_id)
        .load(conn)?)
}

/// What is held and not approved, of one Block or of all: run, its uid, Block.
pub fn undecided(conn: &mut Conn, block_id: Option<i64>) -> Result<Vec<(i64, String, i64)>> {
    let all = run_holds::table
        .inner_join(runs::table.on(runs::id.eq(run_holds::run_id)))
        .filter(run_holds::approved_by.is_null())
        .select((run_holds::run_id, runs::uid, run_holds::block_id));
    Ok(match block_id {
        Some(block_id) => all.filter(run_holds::block_id.eq(block_id)).load(conn)?,
        None => all.load(conn)?,
    })
}

/// Of these runs, by id and uid, the uids of those that may hold something: it is written down, or they are about to.
pub fn may_hold(conn: &mut Conn, held: &[(i64, String)]) -> Result<Vec<String>> {
    let ids: Vec<i64> = held.iter().map(|(id, _)| *id).collect();
    let open = runs::finished_at.is_null().or(runs::status.eq(RunStatus::Held));
    Ok(runs::table.filter(runs::id.eq_any(ids)).filter(open).select(runs::uid).load(conn)?)
}
