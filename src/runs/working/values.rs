//! The values with which a run goes. They are settled when it first begins, of the instant that it stands for and in the
//! zone of its schedule, and kept with the run: its further attempts and whoever runs it again find them there.

use chrono_tz::Tz;

use crate::applications::{self, blocks::Block};
use crate::connections;
use crate::connectors::Kind;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::imports::{self, Definition, Version};
use crate::parameters::{self, Target, Values};
use crate::runs::model::Run;
use crate::runs::policy::Policy;
use crate::runs::runnable_store::Followed;
use crate::runs::store;
use crate::schedules;
use crate::secrets::Secrets;

/// Settles the values of a run that is about to begin, and answers its policy with the path that they make. `Err`: why it
/// cannot go with them.
pub(super) fn settle(
    conn: &mut Conn,
    secrets: &Secrets,
    run: &mut Run,
    followed: &Followed,
    policy: Policy,
) -> Result<std::result::Result<Policy, String>> {
    let definition = match followed.definition() {
        Ok(definition) => definition,
        Err(why) => return Ok(Err(why)),
    };
    let today = run.stands_for().in_zone(zone(conn, run)?).date_naive();
    let parameters = &definition.parameters;
    let settled = parameters::resolve(parameters, run.parameters.as_ref(), run.resolved.as_ref(), today);
    match settled {
        Ok(settled) => run.resolved = Some(settled),
        Err(why) => return Ok(Err(why)),
    }
    let kind = kind(conn, followed.connection_id)?;
    let leads = imports::leads(conn, followed.connection_id, parameters)?;
    Ok(open(secrets, run, (&leads, &definition)).and_then(|values| {
        let path = imports::fill_path(&definition.source, &values, kind)?;
        Ok(policy.with_path(path))
    }))
}

/// Those of a run that has begun, in the clear, where its Connection leads there.
fn open(secrets: &Secrets, run: &Run, (leads, definition): (&str, &Definition)) -> std::result::Result<Values, String> {
    let Some(configuration_id) = run.configuration_id.filter(|_| !definition.parameters.is_empty()) else {
        return Ok(Values::default());
    };
    let query = definition.source.query.as_deref();
    let target = Target { configuration_id, name: &run.name, parameters: &definition.parameters, leads, query };
    let settled = run.resolved.clone().unwrap_or_default();
    Values::open(&target, secrets, &settled)
}

/// The definition of a version with the values of a run in it, and these. `Err`: which value cannot stand where it is used.
pub(super) fn filled(
    conn: &mut Conn,
    secrets: &Secrets,
    run: &Run,
    version: &Version,
    block: &Block,
) -> Result<std::result::Result<(Definition, Values), String>> {
    if version.definition.parameters.is_empty() {
        return Ok(Ok((version.definition.clone(), Values::default())));
    }
    let kind = kind(conn, version.connection_id.filter(|_| run.file_id.is_none()))?;
    let leads = imports::leads(conn, version.connection_id, &version.definition.parameters)?;
    Ok(open(secrets, run, (&leads, &version.definition))
        .and_then(|values| Ok((imports::fill(&version.definition, &values, kind, block)?, values))))
}

fn kind(conn: &mut Conn, connection_id: Option<i64>) -> Result<Option<&'static Kind>> {
    let connection = connection_id.map(|id| connections::by_id(conn, id)).transpose()?.flatten();
    Ok(connection.and_then(|connection| connection.kind()))
}

/// The zone in which its dates are meant: its schedule's, or that of the set's run that it is a step of; by hand the
/// Application's.
fn zone(conn: &mut Conn, run: &Run) -> Result<Tz> {
    let schedule_id = match (run.schedule_id, run.parent_id) {
        (None, Some(parent)) => store::by_id(conn, parent)?.and_then(|parent| parent.schedule_id),
        (of_it, _) => of_it,
    };
    if let Some(id) = schedule_id
        && let Some(schedule) = schedules::actions::find_even_deleted(conn, id)?.filter(|s| s.broken.is_none())
    {
        return Ok(schedule.rule.time_zone());
    }
    Ok(applications::by_id(conn, run.application_id)?.ok_or(AppError::NotFound)?.time_zone)
}
