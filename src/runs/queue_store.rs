//! Runs in the database: putting them into the queue, and taking them out of it before they begin.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Text};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::lifecycle::{RunStatus, Trigger};
use super::model::{LogLine, Run, RunResult};
use super::resource;
use super::restores_store::is_import;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{outcomes, resource_leases, run_leases, run_log, run_results, runs, set_runs};
use crate::db::{self, Conn, on};
use crate::error::Result;
use crate::imports::Target;
use crate::in_use::Renamed;
use crate::parameters;
use crate::words;

/// A run that is to be written down: queued, or skipped or missed from the start.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = runs, treat_none_as_default_value = false)]
pub struct NewRun {
    pub uid: String,
    pub application_id: i64,
    pub configuration_id: Option<i64>,
    pub configuration_version: Option<i64>,
    pub block_id: Option<i64>,
    pub set_id: Option<i64>,
    /// The run of the set that it is a step of.
    pub parent_id: Option<i64>,
    pub schedule_id: Option<i64>,
    pub planned_at: Option<Moment>,
    pub planned_until: Option<Moment>,
    pub repeat_no: i32,
    pub waiting_key: Option<String>,
    pub again_of: Option<i64>,
    pub trigger_kind: Trigger,
    pub started_by: Option<i64>,
    pub as_member_id: Option<i64>,
    pub name: String,
    pub status: RunStatus,
    pub reason: Option<String>,
    pub late: bool,
    pub parameters: Option<String>,
    pub file_id: Option<i64>,
    pub queued_at: Moment,
    /// [`BY_HAND`] or [`BY_CLOCK`].
    pub precedence: i32,
    pub available_at: Option<Moment>,
    pub finished_at: Option<Moment>,
}

/// Those by hand go ahead of those that nobody waits for at a screen.
pub const BY_HAND: i32 = 0;
pub const BY_CLOCK: i32 = 1;

/// That of a step: its set's.
pub fn precedence_of(set: Trigger) -> i32 {
    if set == Trigger::Schedule { BY_CLOCK } else { BY_HAND }
}

const NOT_RUN: [RunStatus; 2] = [RunStatus::Skipped, RunStatus::Missed];

/// A new run's uid: random, so that it is never another's.
pub fn uid() -> String {
    crate::secrets::random_token()[..22].to_owned()
}

pub fn insert(conn: &mut Conn, new: &NewRun) -> Result<i64> {
    Ok(diesel::insert_into(runs::table).values(new).returning(runs::id).get_result(conn)?)
}

/// Writes many at once; an occurrence that has its run already is left out.
pub fn insert_all(conn: &mut Conn, new: &[NewRun]) -> Result<usize> {
    let mut count = 0;
    // PostgreSQL binds at most 65,535 values in one statement, SQLite 32,766.
    for chunk in new.chunks(500) {
        count +=
            on!(conn, c => diesel::insert_into(runs::table).values(chunk).on_conflict_do_nothing().execute_rows(c))?;
    }
    Ok(count)
}

/// The runs of these occurrences (schedule, planned instant), repeats left out.
pub fn of_occurrences(
    conn: &mut Conn,
    occurrences: &[(i64, Moment)],
) -> Result<HashMap<(i64, Moment), (i64, RunStatus)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = Text)]
        status: RunStatus,
        #[diesel(sql_type = BigInt)]
        schedule_id: i64,
        #[diesel(sql_type = BigInt)]
        planned_at: Moment,
    }
    let mut found = HashMap::new();
    for chunk in occurrences.chunks(500) {
        // Numbers only, so that they may stand in the text.
        let values: Vec<String> = chunk.iter().map(|(id, at)| format!("({id}, {})", at.micros())).collect();
        let rows: Vec<Row> = diesel::sql_query(format!(
            "SELECT r.id, r.status, r.schedule_id, r.planned_at FROM (VALUES {}) AS v JOIN runs r \
             ON r.schedule_id = v.column1 AND r.planned_at = v.column2 AND r.repeat_no = 0",
            values.join(", ")
        ))
        .load(conn)?;
        found.extend(rows.into_iter().map(|row| ((row.schedule_id, row.planned_at), (row.id, row.status))));
    }
    Ok(found)
}

/// A Skipped or Missed run is run after all.
pub fn revive(conn: &mut Conn, run_id: i64, new: &NewRun) -> Result<()> {
    diesel::update(runs::table.find(run_id))
        .set((
            runs::status.eq(new.status),
            runs::reason.eq(&new.reason),
            runs::late.eq(new.late),
            runs::queued_at.eq(new.queued_at),
            runs::available_at.eq(new.available_at),
            runs::finished_at.eq(new.finished_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// A Skipped run stands for further occurrences, up to this one.
pub fn extend_skipped(conn: &mut Conn, run_id: i64, until: Moment, reason: &str, now: Moment) -> Result<()> {
    diesel::update(runs::table.filter(runs::id.eq(run_id).and(runs::status.eq(RunStatus::Skipped))))
        .set((runs::planned_until.eq(until), runs::reason.eq(reason), runs::finished_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Gives Skipped and Missed runs another reason.
pub fn explain(conn: &mut Conn, run_ids: &[i64], reason: &str) -> Result<()> {
    for chunk in run_ids.chunks(1_000) {
        diesel::update(runs::table.filter(runs::id.eq_any(chunk).and(runs::status.eq_any(NOT_RUN))))
            .set(runs::reason.eq(reason))
            .execute(conn)?;
    }
    Ok(())
}

/// What a second click finds a run by that somebody started by hand: the same target, file and parameters.
pub fn waiting_key(target: Target, file_id: Option<i64>, parameters: Option<&Value>) -> String {
    let parameters = parameters.map(Value::to_string).unwrap_or_default();
    let digest = Sha256::digest(parameters.as_bytes());
    format!("{target}:{}:{}", file_id.unwrap_or(0), words::hex(&digest[..8]))
}

/// The same of a restore.
pub fn restore_key(block_id: i64, run_id: i64) -> String {
    format!("r{block_id}:{run_id}")
}

/// A run by hand waits again, between its attempts: a further click finds it, unless another waits already.
pub fn restore_waiting_key(conn: &mut Conn, run: &Run) -> Result<()> {
    let by_hand = matches!(run.trigger, Trigger::Member | Trigger::Api) && run.again_of.is_none();
    // Whoever starts one by hand holds the same row.
    let key = match (run.restores.zip(run.block_id), run.configuration_id.filter(|_| by_hand)) {
        (Some((of, block_id)), _) => {
            db::lock_row(conn, "blocks", block_id)?;
            restore_key(block_id, of)
        }
        (None, Some(configuration_id)) => {
            db::lock_row(conn, "import_configurations", configuration_id)?;
            waiting_key(Target::Configuration(configuration_id), run.file_id, run.parameters.as_ref())
        }
        (None, None) => return Ok(()),
    };
    let other = runs::table.filter(runs::waiting_key.eq(&key)).select(runs::id).first::<i64>(conn).optional()?;
    if other.is_none() {
        diesel::update(runs::table.find(run.id)).set(runs::waiting_key.eq(key)).execute(conn)?;
    }
    Ok(())
}

/// Somebody does not want to wait for the next attempt: it begins as soon as there is a place. Whether it would have waited.
pub fn begin_now(conn: &mut Conn, run_id: i64, now: Moment) -> Result<bool> {
    let waits =
        runs::table.filter(runs::id.eq(run_id).and(runs::waits_for.eq(resource::TIME)).and(runs::available_at.gt(now)));
    let set = (runs::waits_for.eq(None::<String>), runs::available_at.eq(now));
    Ok(diesel::update(waits).set(set).execute(conn)? == 1)
}

/// How many runs that somebody started wait: of this target, of its Application. The steps of a set are not told twice.
pub fn waiting_by_hand(conn: &mut Conn, application_id: i64, target: Target) -> Result<(i64, i64)> {
    let by_hand = runs::precedence.eq(BY_HAND).and(runs::status.eq(RunStatus::Queued)).and(runs::parent_id.is_null());
    let in_all = runs::table.filter(by_hand).filter(runs::application_id.eq(application_id));
    let of_one = match target {
        Target::Configuration(id) => {
            let imports = runs::configuration_id.eq(id).and(is_import());
            runs::table.filter(by_hand).filter(imports).count().get_result(conn)?
        }
        Target::Set(id) => runs::table.filter(by_hand).filter(runs::set_id.eq(id)).count().get_result(conn)?,
    };
    Ok((of_one, in_all.count().get_result(conn)?))
}

/// The run of a set begins: it needs no worker, its steps do.
pub fn begin_set(conn: &mut Conn, run_id: i64, now: Moment) -> Result<()> {
    diesel::update(runs::table.find(run_id))
        .set((
            runs::status.eq(RunStatus::Running),
            runs::started_at.eq(now),
            runs::attempt.eq(1),
            runs::available_at.eq(None::<Moment>),
            runs::waiting_key.eq(None::<String>),
            runs::waits_for.eq(None::<String>),
            runs::reason.eq(None::<String>),
        ))
        .execute(conn)?;
    Ok(())
}

/// The run of a set ends, and holds its set no longer.
pub fn end_set(
    conn: &mut Conn,
    run_id: i64,
    (status, reason, cause): (RunStatus, Option<&str>, Option<&str>),
    now: Moment,
) -> Result<()> {
    diesel::update(runs::table.find(run_id))
        .set((runs::status.eq(status), runs::reason.eq(reason), runs::cause.eq(cause), runs::finished_at.eq(now)))
        .execute(conn)?;
    diesel::delete(resource_leases::table.filter(resource_leases::run_id.eq(run_id))).execute(conn)?;
    Ok(())
}

/// The values of a set's runs that have no steps yet go by their new names.
pub fn rename_values(conn: &mut Conn, set_id: i64, renamed: Renamed<'_>) -> Result<()> {
    let waits = runs::set_id.eq(set_id).and(runs::status.eq(RunStatus::Queued));
    let found: Vec<(i64, Option<String>)> = runs::table
        .filter(waits.and(runs::parameters.is_not_null()))
        .filter(runs::id.ne_all(set_runs::table.select(set_runs::run_id)))
        .select((runs::id, runs::parameters))
        .load(conn)?;
    for (id, text) in found {
        let Ok(values) = serde_json::from_str(&text.unwrap_or_default()) else { continue };
        let text = parameters::renamed(&values, renamed).map(|values| values.to_string());
        // One that has begun in between has taken the steps of then.
        diesel::update(runs::table.find(id).filter(waits)).set(runs::parameters.eq(text)).execute(conn)?;
    }
    Ok(())
}

/// A run that has not begun will not: its set stopped.
pub fn skip_queued(conn: &mut Conn, run_id: i64, reason: &str, now: Moment) -> Result<bool> {
    out_of_queue(conn, run_id, RunStatus::Skipped, reason, now)
}

/// Ends a run that has not begun; `false` when it is not queued (any more).
pub fn cancel_queued(conn: &mut Conn, run_id: i64, reason: &str, now: Moment) -> Result<bool> {
    out_of_queue(conn, run_id, RunStatus::Cancelled, reason, now)
}

fn out_of_queue(conn: &mut Conn, run_id: i64, status: RunStatus, reason: &str, now: Moment) -> Result<bool> {
    let changed = diesel::update(runs::table.filter(runs::id.eq(run_id).and(runs::status.eq(RunStatus::Queued))))
        .set((
            runs::status.eq(status),
            runs::reason.eq(reason),
            runs::waiting_key.eq(None::<String>),
            runs::waits_for.eq(None::<String>),
            runs::available_at.eq(None::<Moment>),
            runs::finished_at.eq(now),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Asks the worker of a run to stop; `false` when nobody works on it (any more), or was asked before.
pub fn request_cancel(conn: &mut Conn, run_id: i64) -> Result<bool> {
    let unasked = run_leases::table.find(run_id).filter(run_leases::cancel_requested.eq(false));
    Ok(diesel::update(unasked).set(run_leases::cancel_requested.eq(true)).execute(conn)? == 1)
}

/// Adds lines to the log of a run, in one statement.
pub fn write_log(conn: &mut Conn, run_id: i64, lines: &[LogLine]) -> Result<()> {
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                run_log::run_id.eq(run_id),
                run_log::at.eq(line.at),
                run_log::level.eq(&line.level),
                run_log::message.eq(&line.message),
            )
        })
        .collect();
    on!(conn, c => diesel::insert_into(run_log::table).values(rows).execute_rows(c))?;
    Ok(())
}

/// The fact that a run ended, or is held, for the notifications to find. One of each per run, whoever writes it.
pub fn write_outcome(
    conn: &mut Conn,
    run_id: i64,
    status: RunStatus,
    schedule_id: Option<i64>,
    now: Moment,
) -> Result<()> {
    let values = (
        outcomes::run_id.eq(run_id),
        outcomes::kind.eq(if status == RunStatus::Held { "held" } else { "ended" }),
        outcomes::at.eq(now),
        outcomes::status.eq(status),
        outcomes::schedule_id.eq(schedule_id),
    );
    on!(conn, c => diesel::insert_into(outcomes::table).values(values).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// What a run did; written once more, it takes the place of what was there.
pub fn write_result(conn: &mut Conn, run_id: i64, result: &RunResult) -> Result<()> {
    diesel::delete(run_results::table.find(run_id)).execute(conn)?;
    diesel::insert_into(run_results::table)
        .values((
            run_results::run_id.eq(run_id),
            run_results::rows_read.eq(result.read),
            run_results::rows_added.eq(result.added),
            run_results::rows_changed.eq(result.changed),
            run_results::rows_removed.eq(result.removed),
            run_results::rows_unchanged.eq(result.unchanged),
            run_results::rows_rejected.eq(result.rejected),
            run_results::bytes.eq(result.bytes),
            run_results::source_name.eq(&result.source_name),
            run_results::source_sha256.eq(&result.source_sha256),
            run_results::told.eq(result.told.written()?),
        ))
        .execute(conn)?;
    Ok(())
}
