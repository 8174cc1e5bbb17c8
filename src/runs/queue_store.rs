//! Runs in the database: putting them into the queue, and taking them out of it before they begin.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::lifecycle::{RunStatus, Trigger};
use crate::clock::Moment;
use crate::db::schema::{outcomes, run_leases, run_log, runs};
use crate::db::{Conn, on};
use crate::error::Result;

/// A run that is to be written down: queued, or skipped or missed from the start.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = runs, treat_none_as_default_value = false)]
pub struct NewRun {
    pub uid: String,
    pub application_id: i64,
    pub configuration_id: Option<i64>,
    pub configuration_version: Option<i64>,
    pub block_id: Option<i64>,
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
    pub available_at: Option<Moment>,
    pub finished_at: Option<Moment>,
}

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
        count += on!(conn, c => diesel::insert_into(runs::table).values(chunk).on_conflict_do_nothing().execute(c))?;
    }
    Ok(count)
}

/// The Skipped runs of these occurrences (schedule, planned instant), by occurrence.
pub fn skipped_of(conn: &mut Conn, occurrences: &[(i64, Moment)]) -> Result<HashMap<(i64, Moment), i64>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
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
            "SELECT r.id, r.schedule_id, r.planned_at FROM (VALUES {}) AS v JOIN runs r ON r.schedule_id = v.column1 \
             AND r.planned_at = v.column2 AND r.repeat_no = 0 WHERE r.status = 'skipped'",
            values.join(", ")
        ))
        .load(conn)?;
        found.extend(rows.into_iter().map(|row| ((row.schedule_id, row.planned_at), row.id)));
    }
    Ok(found)
}

/// A Skipped run stands for further occurrences, up to this one.
pub fn extend_skipped(conn: &mut Conn, run_id: i64, until: Moment, reason: &str, now: Moment) -> Result<()> {
    diesel::update(runs::table.filter(runs::id.eq(run_id).and(runs::status.eq(RunStatus::Skipped))))
        .set((runs::planned_until.eq(until), runs::reason.eq(reason), runs::finished_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Gives Skipped runs another reason.
pub fn explain_skipped(conn: &mut Conn, run_ids: &[i64], reason: &str) -> Result<()> {
    for chunk in run_ids.chunks(1_000) {
        diesel::update(runs::table.filter(runs::id.eq_any(chunk).and(runs::status.eq(RunStatus::Skipped))))
            .set(runs::reason.eq(reason))
            .execute(conn)?;
    }
    Ok(())
}

/// Ends a run that has not begun; `false` when it is not queued (any more).
pub fn cancel_queued(conn: &mut Conn, run_id: i64, reason: &str, now: Moment) -> Result<bool> {
    let changed = diesel::update(runs::table.filter(runs::id.eq(run_id).and(runs::status.eq(RunStatus::Queued))))
        .set((
            runs::status.eq(RunStatus::Cancelled),
            runs::reason.eq(reason),
            runs::waiting_key.eq(None::<String>),
            runs::available_at.eq(None::<Moment>),
            runs::finished_at.eq(now),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Asks the worker of a run to stop; `false` when nobody works on it (any more).
pub fn request_cancel(conn: &mut Conn, run_id: i64) -> Result<bool> {
    let changed =
        diesel::update(run_leases::table.find(run_id)).set(run_leases::cancel_requested.eq(true)).execute(conn)?;
    Ok(changed == 1)
}

/// Makes visible why runs wait.
pub fn say_why_waiting(conn: &mut Conn, waiting: &[(i64, &'static str)]) -> Result<()> {
    for (run_id, reason) in waiting {
        diesel::update(runs::table.filter(runs::id.eq(*run_id).and(runs::status.eq(RunStatus::Queued))))
            .set(runs::reason.eq(*reason))
            .execute(conn)?;
    }
    Ok(())
}

pub fn write_log(conn: &mut Conn, run_id: i64, at: Moment, level: &str, message: &str) -> Result<()> {
    diesel::insert_into(run_log::table)
        .values((
            run_log::run_id.eq(run_id),
            run_log::at.eq(at),
            run_log::level.eq(level),
            run_log::message.eq(message),
        ))
        .execute(conn)?;
    Ok(())
}

/// The fact that a run ended, for the notifications to find. One per run, whoever writes it.
pub fn write_outcome(
    conn: &mut Conn,
    run_id: i64,
    status: RunStatus,
    schedule_id: Option<i64>,
    now: Moment,
) -> Result<()> {
    let values = (
        outcomes::run_id.eq(run_id),
        outcomes::kind.eq("ended"),
        outcomes::at.eq(now),
        outcomes::status.eq(status),
        outcomes::schedule_id.eq(schedule_id),
    );
    on!(conn, c => diesel::insert_into(outcomes::table).values(values).on_conflict_do_nothing().execute(c))?;
    Ok(())
}
