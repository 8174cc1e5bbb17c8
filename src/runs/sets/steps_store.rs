//! The runs of sets and their steps in the database.

use serde_json::Value;

use crate::db::prelude::*;
use crate::db::schema::{import_configurations, runs, set_run_steps, set_runs};
use crate::db::{Conn, on};
use crate::error::{AppError, Result};
use crate::import_sets::{self, SetDefinition};
use crate::runs::lifecycle::RunStatus;

/// The run of a set.
#[derive(Clone, Debug)]
pub struct SetRun {
    pub set_version: i64,
    /// Who asked to cancel it.
    pub cancelled_by: Option<String>,
    pub steps: Vec<SetStep>,
}

/// One step of it.
#[derive(Clone, Debug)]
pub struct SetStep {
    /// From 1.
    pub position: i32,
    pub configuration_id: i64,
    /// The configuration's name as it is now.
    pub name: String,
    pub partial_fails: bool,
    pub parameters: Option<Value>,
    /// The run that does or did it.
    pub run_id: Option<i64>,
    /// An earlier run of the set had done it.
    pub taken_over: bool,
    /// `None`: it waits to be begun.
    pub status: Option<RunStatus>,
    /// Whether how it ended is written down here, too.
    pub noted: bool,
    /// How often a worker has begun with it.
    pub attempt: i32,
}

impl SetStep {
    /// Whether it did its work, so that no further run of the set need do it.
    pub fn is_done(&self) -> bool {
        match self.status {
            Some(RunStatus::Success) => true,
            Some(RunStatus::Partial) => !self.partial_fails,
            _ => false,
        }
    }
}

/// A step that is to be written down.
pub struct NewStep {
    pub configuration_id: i64,
    pub partial_fails: bool,
    pub parameters: Option<Value>,
    /// The earlier run that has done it.
    pub taken_over: Option<(i64, RunStatus)>,
}

/// The steps of a run of this version of its set, in their order.
pub fn insert(conn: &mut Conn, run_id: i64, set_version: i64, steps: &[NewStep]) -> Result<()> {
    diesel::insert_into(set_runs::table)
        .values((set_runs::run_id.eq(run_id), set_runs::set_version.eq(set_version)))
        .execute(conn)?;
    let row = |(position, step): (i32, &NewStep)| {
        (
            set_run_steps::run_id.eq(run_id),
            set_run_steps::position.eq(position),
            set_run_steps::configuration_id.eq(step.configuration_id),
            set_run_steps::partial_fails.eq(step.partial_fails),
            set_run_steps::parameters.eq(step.parameters.as_ref().map(Value::to_string)),
            set_run_steps::step_run_id.eq(step.taken_over.map(|(id, _)| id)),
            set_run_steps::taken_over.eq(step.taken_over.is_some()),
            set_run_steps::status.eq(step.taken_over.map(|(_, status)| status)),
        )
    };
    let rows: Vec<_> = (1..).zip(steps).map(row).collect();
    on!(conn, c => diesel::insert_into(set_run_steps::table).values(rows).execute_rows(c))?;
    Ok(())
}

/// The run of a set with its steps; `None` of one that has not begun, or is no set's.
pub fn of(conn: &mut Conn, run_id: i64) -> Result<Option<SetRun>> {
    let of_run = set_runs::table.find(run_id).select((set_runs::set_version, set_runs::cancelled_by));
    let Some((set_version, cancelled_by)) = of_run.first::<(i64, Option<String>)>(conn).optional()? else {
        return Ok(None);
    };
    type Row = (i32, i64, String, bool, Option<String>, Option<i64>, bool, Option<RunStatus>);
    let rows: Vec<Row> = set_run_steps::table
        .inner_join(import_configurations::table.on(import_configurations::id.eq(set_run_steps::configuration_id)))
        .filter(set_run_steps::run_id.eq(run_id))
        .order(set_run_steps::position)
        .select((
            set_run_steps::position,
            set_run_steps::configuration_id,
            import_configurations::name,
            set_run_steps::partial_fails,
            set_run_steps::parameters,
            set_run_steps::step_run_id,
            set_run_steps::taken_over,
            set_run_steps::status,
        ))
        .load(conn)?;
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.5).collect();
    let living: Vec<(i64, RunStatus, i32)> =
        runs::table.filter(runs::id.eq_any(&ids)).select((runs::id, runs::status, runs::attempt)).load(conn)?;
    let step = |(position, configuration_id, name, partial_fails, parameters, run_id, taken_over, kept): Row| {
        let run = living.iter().find(|(id, ..)| Some(*id) == run_id);
        // What a run that was held has come to since is told by its own row.
        let parameters = parameters.as_deref().map(serde_json::from_str).transpose();
        Ok(SetStep {
            position,
            configuration_id,
            name,
            partial_fails,
            parameters: parameters.map_err(|error| AppError::internal(format!("parameters of a step: {error}")))?,
            run_id,
            taken_over,
            noted: kept.is_some() && kept == run.map(|(_, status, _)| *status).or(kept),
            status: run.map(|(_, status, _)| *status).or(kept),
            attempt: run.map_or(0, |(_, _, attempt)| *attempt),
        })
    };
    let steps = rows.into_iter().map(step).collect::<Result<_>>()?;
    Ok(Some(SetRun { set_version, cancelled_by, steps }))
}

/// What a version of a set does; `None` where nobody can read that any more.
pub fn definition(conn: &mut Conn, set_id: i64, version: i64) -> Result<Option<SetDefinition>> {
    match import_sets::version(conn, set_id, version) {
        Err(AppError::Internal(detail)) => {
            tracing::error!(set = set_id, version, %detail, "the definition of an import set cannot be read");
            Ok(None)
        }
        other => other,
    }
}

/// A step has a run now.
pub fn began(conn: &mut Conn, run_id: i64, position: i32, step_run_id: i64) -> Result<()> {
    diesel::update(set_run_steps::table.find((run_id, position)))
        .set(set_run_steps::step_run_id.eq(step_run_id))
        .execute(conn)?;
    Ok(())
}

/// How a step ended.
pub fn ended(conn: &mut Conn, run_id: i64, position: i32, status: RunStatus) -> Result<()> {
    diesel::update(set_run_steps::table.find((run_id, position)))
        .set(set_run_steps::status.eq(status))
        .execute(conn)?;
    Ok(())
}

/// Somebody asked to cancel the run; `false` where somebody had.
pub fn cancel(conn: &mut Conn, run_id: i64, name: &str) -> Result<bool> {
    let first = set_runs::table.find(run_id).filter(set_runs::cancelled_by.is_null());
    Ok(diesel::update(first).set(set_runs::cancelled_by.eq(name)).execute(conn)? == 1)
}
