//! Runs in the database: reading them. What changes them is in the stores of the steps beside.

use std::collections::HashMap;

use chrono::Duration;

use super::lifecycle::{RunStatus, Trigger};
use super::model::{Hold, LogLine, Progress, Run, RunResult, RunStep};
use super::resource;
use super::restores_store::{self, is_import};
use super::working::held_store;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{import_configurations, run_leases, run_log, run_results, run_steps, runs};
use crate::error::Result;
use crate::imports::Target;
use crate::imports::pipeline::Told;

#[derive(Queryable)]
struct Row {
    id: i64,
    uid: String,
    application_id: i64,
    configuration_id: Option<i64>,
    configuration_version: Option<i64>,
    block_id: Option<i64>,
    set_id: Option<i64>,
    parent_id: Option<i64>,
    schedule_id: Option<i64>,
    planned_at: Option<Moment>,
    planned_until: Option<Moment>,
    repeat_no: i32,
    again_of: Option<i64>,
    trigger_kind: Trigger,
    started_by: Option<i64>,
    as_member_id: Option<i64>,
    name: String,
    status: RunStatus,
    reason: Option<String>,
    cause: Option<String>,
    late: bool,
    attempt: i32,
    parameters: Option<String>,
    file_id: Option<i64>,
    queued_at: Moment,
    waits_for: Option<String>,
    available_at: Option<Moment>,
    started_at: Option<Moment>,
    finished_at: Option<Moment>,
}

macro_rules! columns {
    () => {
        (
            runs::id,
            runs::uid,
            runs::application_id,
            runs::configuration_id,
            runs::configuration_version,
            runs::block_id,
            runs::set_id,
            runs::parent_id,
            runs::schedule_id,
            runs::planned_at,
            runs::planned_until,
            runs::repeat_no,
            runs::again_of,
            runs::trigger_kind,
            runs::started_by,
            runs::as_member_id,
            runs::name,
            runs::status,
            runs::reason,
            runs::cause,
            runs::late,
            runs::attempt,
            runs::parameters,
            runs::file_id,
            runs::queued_at,
            runs::waits_for,
            runs::available_at,
            runs::started_at,
            runs::finished_at,
        )
    };
}

/// The newest runs of a configuration whose names end so, with the hash of what each read.
pub fn named(conn: &mut Conn, configuration_id: i64, ends: &str) -> Result<Vec<(i64, RunStatus, Option<String>)>> {
    const MOST: i64 = 200;
    let so = runs::configuration_id.eq(configuration_id).and(runs::name.like(format!("%{ends}")));
    let with = runs::table.left_join(run_results::table.on(run_results::run_id.eq(runs::id))).filter(so);
    let shown = (runs::id, runs::status, run_results::source_sha256.nullable());
    Ok(with.order(runs::id.desc()).limit(MOST).select(shown).load(conn)?)
}

fn run(row: Row, result: Option<RunResult>) -> Run {
    let kept = row.parameters.as_deref().map(serde_json::from_str).transpose();
    let parameters_lost = kept.is_err();
    let (parameters, resolved) = Run::of_kept(kept.unwrap_or_default());
    Run {
        id: row.id,
        uid: row.uid,
        application_id: row.application_id,
        configuration_id: row.configuration_id,
        configuration_version: row.configuration_version,
        block_id: row.block_id,
        set_id: row.set_id,
        parent_id: row.parent_id,
        schedule_id: row.schedule_id,
        planned_at: row.planned_at,
        planned_until: row.planned_until,
        repeat_no: row.repeat_no,
        again_of: row.again_of,
        restores: None,
        trigger: row.trigger_kind,
        started_by: row.started_by,
        as_member_id: row.as_member_id,
        name: row.name,
        status: row.status,
        // Nobody writes this into every run that waits: it follows from the line in which it stands.
        reason: row.waits_for.as_deref().and_then(resource::why).map(str::to_owned).or(row.reason),
        cause: row.cause,
        late: row.late,
        attempt: row.attempt,
        parameters_lost,
        parameters,
        resolved,
        file_id: row.file_id,
        queued_at: row.queued_at,
        available_at: row.available_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
        result,
        hold: None,
    }
}

fn with_results(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Run>> {
    let ids: Vec<i64> = rows.iter().filter(|row| !row.status.is_open()).map(|row| row.id).collect();
    let mut results = results(conn, &ids)?;
    let held: Vec<i64> = rows.iter().filter(|row| row.status == RunStatus::Held).map(|row| row.id).collect();
    let mut holds: HashMap<i64, Hold> = match held.is_empty() {
        true => HashMap::new(),
        false => held_store::of_all(conn, &held)?.into_iter().collect(),
    };
    // A run by a schedule is an import's, and one that has begun follows a version of it.
    let of_none = rows.iter().filter(|row| row.schedule_id.is_none() && row.configuration_version.is_none());
    let restores = restores_store::of_all(conn, &of_none.map(|row| row.id).collect::<Vec<_>>())?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let (result, hold) = (results.remove(&row.id), holds.remove(&row.id));
            let restores = restores.get(&row.id).copied();
            let run = run(row, result);
            // What a restore is kept under is no import that it is a run of.
            Run { hold, restores, configuration_id: run.configuration_id.filter(|_| restores.is_none()), ..run }
        })
        .collect())
}

fn results(conn: &mut Conn, run_ids: &[i64]) -> Result<HashMap<i64, RunResult>> {
    type Text = Option<String>;
    type ResultRow = (i64, i64, i64, i64, i64, i64, i64, i64, Text, Text, Text);
    if run_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<ResultRow> = run_results::table.filter(run_results::run_id.eq_any(run_ids)).load(conn)?;
    rows.into_iter()
        .map(|(id, read, added, changed, removed, unchanged, rejected, bytes, source_name, source_sha256, told)| {
            let result = RunResult {
                read,
                added,
                changed,
                removed,
                unchanged,
                rejected,
                bytes,
                source_name,
                source_sha256,
                told: Told::read(told.as_deref())?,
            };
            Ok((id, result))
        })
        .collect()
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Run>> {
    let row = runs::table.find(id).select(columns!()).first::<Row>(conn).optional()?;
    Ok(with_results(conn, row.into_iter().collect())?.pop())
}

pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Run>> {
    if ids.is_empty() {
        // SQLite would walk through all runs to find that none has one of no numbers.
        return Ok(Vec::new());
    }
    let rows = runs::table.filter(runs::id.eq_any(ids)).select(columns!()).load::<Row>(conn)?;
    with_results(conn, rows)
}

/// Numbers of ours stand in the text itself: there may be more of them than a statement binds.
pub fn numbers(ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    if ids.is_empty() { "-1".to_owned() } else { ids.join(", ") }
}

/// A run that is queued or running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    pub id: i64,
    pub status: RunStatus,
    /// A worker began with it, and it waits to begin anew.
    pub interrupted: bool,
}

/// What is queued or running of these targets, the oldest first.
pub fn open_of(conn: &mut Conn, targets: &[Target]) -> Result<HashMap<Target, Vec<Open>>> {
    let configurations: Vec<i64> = targets.iter().filter_map(|target| target.configuration()).collect();
    let sets: Vec<i64> = targets.iter().filter_map(|target| target.set()).collect();
    type OpenRow = (i64, Option<i64>, Option<i64>, RunStatus, bool);
    let mut rows: Vec<OpenRow> = Vec::new();
    let open = || {
        let open = runs::table.filter(runs::finished_at.is_null().and(is_import())).order(runs::id);
        open.select((runs::id, runs::configuration_id, runs::set_id, runs::status, runs::interrupted))
    };
    if !configurations.is_empty() {
        rows.extend(open().filter(runs::configuration_id.eq_any(configurations)).load::<OpenRow>(conn)?);
    }
    if !sets.is_empty() {
        rows.extend(open().filter(runs::set_id.eq_any(sets)).load::<OpenRow>(conn)?);
    }
    let mut found: HashMap<Target, Vec<Open>> = HashMap::new();
    for (id, configuration, set, status, interrupted) in rows {
        let Some(target) = Target::of(configuration, set) else { continue };
        found.entry(target).or_default().push(Open { id, status, interrupted });
    }
    Ok(found)
}

/// The runs of a configuration that are held.
pub fn held_of(conn: &mut Conn, configuration_id: i64) -> Result<Vec<i64>> {
    let held = runs::configuration_id.eq(configuration_id).and(runs::status.eq(RunStatus::Held));
    Ok(runs::table.filter(held).order(runs::id).select(runs::id).load(conn)?)
}

/// The run of a configuration that ended last, of those that did their work or tried to, whatever the clock said then:
/// that is the one whose status it carries; where it was cancelled, by its time.
pub fn latest_ended(conn: &mut Conn, configuration_id: i64) -> Result<Option<i64>> {
    let ended: Vec<RunStatus> = RunStatus::ALL.iter().copied().filter(|s| s.may_run_again()).collect();
    let ended = runs::table
        .filter(runs::configuration_id.eq(configuration_id).and(runs::status.eq_any(ended)))
        .filter(runs::finished_at.is_not_null().and(is_import()))
        .select((runs::id, runs::status));
    let by_time: Option<(i64, RunStatus)> =
        ended.clone().order((runs::finished_at.desc(), runs::id.desc())).first(conn).optional()?;
    if !matches!(by_time, Some((_, status)) if status != RunStatus::Cancelled) {
        return Ok(by_time.map(|(id, _)| id));
    }
    let of = import_configurations::table.find(configuration_id).select(import_configurations::status_run_id);
    let carried: Option<i64> = of.first::<Option<i64>>(conn).optional()?.flatten();
    let carried: Option<(i64, RunStatus)> = match carried {
        Some(id) => ended.filter(runs::id.eq(id)).first(conn).optional()?,
        None => None,
    };
    Ok(carried.or(by_time).map(|(id, _)| id))
}

/// The run of a set that ended last, of those that did their work or tried to.
pub fn latest_ended_of_set(conn: &mut Conn, set_id: i64) -> Result<Option<i64>> {
    let ended: Vec<RunStatus> = RunStatus::ALL.iter().copied().filter(|s| s.may_run_again()).collect();
    Ok(runs::table
        .filter(runs::set_id.eq(set_id).and(runs::status.eq_any(ended)).and(runs::finished_at.is_not_null()))
        .order((runs::finished_at.desc(), runs::id.desc()))
        .select(runs::id)
        .first(conn)
        .optional()?)
}

/// The largest id of a file given by hand that a run names.
pub fn highest_file(conn: &mut Conn) -> Result<i64> {
    let newest = runs::table.filter(runs::file_id.is_not_null()).order(runs::file_id.desc()).select(runs::file_id);
    Ok(newest.first::<Option<i64>>(conn).optional()?.flatten().unwrap_or(0))
}

/// The run of an occurrence itself, not of its repeats.
pub fn of_occurrence(conn: &mut Conn, schedule_id: i64, planned_at: Moment) -> Result<Option<Run>> {
    let row = runs::table
        .filter(runs::schedule_id.eq(schedule_id).and(runs::planned_at.eq(planned_at)).and(runs::repeat_no.eq(0)))
        .select(columns!())
        .first::<Row>(conn)
        .optional()?;
    Ok(with_results(conn, row.into_iter().collect())?.pop())
}

/// The run that repeats this one.
pub fn repeat_of(conn: &mut Conn, run_id: i64) -> Result<Option<Run>> {
    let row = runs::table.filter(runs::again_of.eq(run_id)).select(columns!()).first::<Row>(conn).optional()?;
    Ok(with_results(conn, row.into_iter().collect())?.pop())
}

pub fn by_waiting_key(conn: &mut Conn, key: &str) -> Result<Option<Run>> {
    let row = runs::table.filter(runs::waiting_key.eq(key)).select(columns!()).first::<Row>(conn).optional()?;
    Ok(with_results(conn, row.into_iter().collect())?.pop())
}

/// The runs of the same configuration before and after this one.
pub fn neighbours(conn: &mut Conn, run: &Run) -> Result<(Option<i64>, Option<i64>)> {
    let Some(configuration_id) = run.configuration_id else { return Ok((None, None)) };
    let imports = runs::configuration_id.eq(configuration_id).and(is_import());
    let of = || runs::table.filter(imports).select(runs::id);
    Ok((
        of().filter(runs::id.lt(run.id)).order(runs::id.desc()).first(conn).optional()?,
        of().filter(runs::id.gt(run.id)).order(runs::id).first(conn).optional()?,
    ))
}

/// All that the run repeats, the newest first.
pub fn chain(conn: &mut Conn, run: &Run) -> Result<Vec<i64>> {
    let mut earlier = Vec::new();
    let mut next = run.again_of;
    while let Some(id) = next {
        earlier.push(id);
        next = runs::table.find(id).select(runs::again_of).first::<Option<i64>>(conn).optional()?.flatten();
    }
    Ok(earlier)
}

/// The steps that have ended: of the attempt that goes on, or else of the last one.
pub fn steps(conn: &mut Conn, run: &Run) -> Result<Vec<RunStep>> {
    let since = run.started_at.filter(|_| run.status == RunStatus::Running).unwrap_or(Moment::from_micros(i64::MIN));
    steps_since(conn, run.id, since)
}

pub fn all_steps(conn: &mut Conn, run_id: i64) -> Result<Vec<RunStep>> {
    steps_since(conn, run_id, Moment::from_micros(i64::MIN))
}

fn steps_since(conn: &mut Conn, run_id: i64, since: Moment) -> Result<Vec<RunStep>> {
    let rows: Vec<(String, String, String, Moment, i64)> = run_steps::table
        .filter(run_steps::run_id.eq(run_id).and(run_steps::started_at.ge(since)))
        .order(run_steps::position)
        .select((run_steps::name, run_steps::status, run_steps::detail, run_steps::started_at, run_steps::duration_us))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(name, status, detail, started_at, micros)| RunStep {
            name,
            status,
            detail,
            started_at,
            duration: Duration::microseconds(micros),
        })
        .collect())
}

/// The last lines of the log, in the order of time.
pub fn log(conn: &mut Conn, run_id: i64, limit: i64) -> Result<Vec<LogLine>> {
    let mut rows: Vec<(Moment, String, String)> = run_log::table
        .filter(run_log::run_id.eq(run_id))
        .order((run_log::at.desc(), run_log::id.desc()))
        .limit(limit)
        .select((run_log::at, run_log::level, run_log::message))
        .load(conn)?;
    rows.reverse();
    Ok(rows.into_iter().map(|(at, level, message)| LogLine { at, level, message }).collect())
}

/// How far running runs are.
pub fn progress(conn: &mut Conn, run_ids: &[i64]) -> Result<HashMap<i64, Progress>> {
    type ProgressRow = (i64, String, i64, i64, Option<i64>, bool);
    if run_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<ProgressRow> = run_leases::table
        .filter(run_leases::run_id.eq_any(run_ids))
        .select((
            run_leases::run_id,
            run_leases::phase,
            run_leases::rows_done,
            run_leases::bytes_done,
            run_leases::bytes_total,
            run_leases::cancel_requested,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, phase, rows, bytes, bytes_total, cancel_requested)| {
            (id, Progress { phase, rows, bytes, bytes_total, cancel_requested })
        })
        .collect())
}

/// How many runs of an Application have not come to their end.
pub fn count_under_way(conn: &mut Conn, application_id: i64) -> Result<i64> {
    let open = [RunStatus::Queued, RunStatus::Running, RunStatus::Held];
    let living = runs::application_id.eq(application_id).and(runs::status.eq_any(open));
    Ok(runs::table.filter(living).count().get_result(conn)?)
}
