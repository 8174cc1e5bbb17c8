//! What is still to be told of runs: each end is written down with it, and marked once somebody was told.

use super::lifecycle::RunStatus;
use super::restores_store::is_import;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{outcomes, runs};
use crate::error::Result;
use crate::imports::Target;

/// How a run ended, or that it is held.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Outcome {
    pub run_id: i64,
    /// `ended` or `held`.
    pub kind: String,
    pub at: Moment,
    pub status: RunStatus,
}

/// The oldest ones that nobody was told of.
pub fn waiting(conn: &mut Conn, limit: i64) -> Result<Vec<Outcome>> {
    Ok(outcomes::table
        .filter(outcomes::announced_at.is_null())
        .order((outcomes::at, outcomes::run_id))
        .limit(limit)
        .select((outcomes::run_id, outcomes::kind, outcomes::at, outcomes::status))
        .load(conn)?)
}

/// This one is told, or is nobody's to be told; `false` where another process did so.
pub fn announced(conn: &mut Conn, outcome: &Outcome, now: Moment) -> Result<bool> {
    let waiting = outcomes::table.find((outcome.run_id, &outcome.kind)).filter(outcomes::announced_at.is_null());
    Ok(diesel::update(waiting).set(outcomes::announced_at.eq(now)).execute(conn)? == 1)
}

/// Whether a newer run of what a run runs has loaded, and that was told before. Where it is still to be told, the two are
/// told one after the other.
pub fn was_overtaken(conn: &mut Conn, target: Target, run_id: i64) -> Result<bool> {
    let loaded = [RunStatus::Success, RunStatus::Partial];
    let newer = runs::table
        .inner_join(outcomes::table.on(outcomes::run_id.eq(runs::id)))
        .filter(runs::id.gt(run_id).and(runs::status.eq_any(loaded)))
        .filter(outcomes::announced_at.is_not_null())
        .filter(is_import())
        .select(runs::id);
    Ok(match target {
        Target::Configuration(id) => newer.filter(runs::configuration_id.eq(id)).first::<i64>(conn),
        Target::Set(id) => newer.filter(runs::set_id.eq(id)).first::<i64>(conn),
    }
    .optional()?
    .is_some())
}

/// When the last success of what a run runs ended, before that run.
pub fn last_success(conn: &mut Conn, target: Target, before: i64) -> Result<Option<Moment>> {
    let success = runs::table
        .filter(runs::status.eq(RunStatus::Success).and(runs::id.lt(before)).and(runs::finished_at.is_not_null()))
        .filter(is_import())
        .order((runs::finished_at.desc(), runs::id.desc()))
        .select(runs::finished_at.assume_not_null());
    Ok(match target {
        Target::Configuration(id) => success.filter(runs::configuration_id.eq(id)).first(conn),
        Target::Set(id) => success.filter(runs::set_id.eq(id)).first(conn),
    }
    .optional()?)
}
