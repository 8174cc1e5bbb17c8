//! Schedules that will fail: their Owner is deactivated or lost a right that importing takes, or a secret that they have was
//! entered for something else. A run asks the same before it begins; here it is asked before, wherever a schedule is shown.

use std::collections::HashMap;

use super::model::{Schedule, State};
use crate::applications::{self, Application, Entered};
use crate::connections;
use crate::db::Conn;
use crate::error::Result;
use crate::import_sets;
use crate::imports::{self, Listed, Target};
use crate::members::{self, Member};
use crate::parameters;
use crate::secrets::Secrets;

/// Why the schedules of an Owner will fail in an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flag {
    Deactivated,
    /// What they lack: "Import Data in FP&A 2026".
    Lacks(String),
}

impl Flag {
    /// A sentence: "Olive is deactivated."
    pub fn words(&self, name: &str) -> String {
        match self {
            Self::Deactivated => format!("{name} is deactivated."),
            Self::Lacks(what) => format!("{name} lacks {what}."),
        }
    }

    /// Beside the name: "deactivated".
    pub fn short(&self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Lacks(_) => "may not import here",
        }
    }
}

/// What keeps a member who stands so in an Application from owning schedules there; `None`: nothing.
pub fn flag(member: &Member, stands: &Entered) -> Option<Flag> {
    if !member.active {
        return Some(Flag::Deactivated);
    }
    lacks(stands).map(Flag::Lacks)
}

/// Which permissions are missing to own schedules.
pub(super) fn lacks(stands: &Entered) -> Option<String> {
    let mut missing = Vec::new();
    if !stands.role_imports {
        missing.push("Can Import Data in their role".to_owned());
    }
    if !stands.grants.import_data {
        missing.push(format!("Import Data in {}", stands.application.name));
    }
    Some(missing.join(" and ")).filter(|missing| !missing.is_empty())
}

/// Those of these members who may not own schedules of an Application. One query.
pub fn flags(conn: &mut Conn, application: &Application, owners: &[Member]) -> Result<HashMap<i64, Flag>> {
    if owners.is_empty() {
        return Ok(HashMap::new());
    }
    let standings = applications::standings(conn, owners, application)?;
    Ok(owners.iter().zip(&standings).filter_map(|(owner, stands)| Some((owner.id, flag(owner, stands)?))).collect())
}

/// The same of one Owner, by id.
pub fn flag_of(conn: &mut Conn, application: &Application, owner_id: i64) -> Result<Option<Flag>> {
    let owners = members::by_ids(conn, &[owner_id])?;
    Ok(flags(conn, application, &owners)?.remove(&owner_id))
}

/// Of Owners, by id: each flag in words.
pub fn sentences(conn: &mut Conn, application: &Application, owner_ids: &[i64]) -> Result<HashMap<i64, String>> {
    let owners = if owner_ids.is_empty() { Vec::new() } else { members::by_ids(conn, owner_ids)? };
    let flags = flags(conn, application, &owners)?;
    Ok(owners.iter().filter_map(|owner| Some((owner.id, flags.get(&owner.id)?.words(&owner.name)))).collect())
}

/// Of schedules of an Application, by id: why their runs will fail, be it for their Owner or for a secret.
pub fn of_schedules(
    conn: &mut Conn,
    secrets: &Secrets,
    application: &Application,
    schedules: &[Schedule],
) -> Result<HashMap<i64, String>> {
    let owners: Vec<i64> = schedules.iter().map(|schedule| schedule.owner_id).collect();
    let owners = sentences(conn, application, &owners)?;
    let mut why = shut(conn, secrets, application.id, schedules)?;
    for schedule in schedules.iter().filter(|schedule| schedule.state() != State::Finished) {
        why.extend(owners.get(&schedule.owner_id).map(|owner| (schedule.id, owner.clone())));
    }
    Ok(why)
}

/// Of schedules of an Application, by id: which secret their runs will not open. Definitions are read only of what has
/// secrets.
pub fn shut(
    conn: &mut Conn,
    secrets: &Secrets,
    application_id: i64,
    schedules: &[Schedule],
) -> Result<HashMap<i64, String>> {
    let sets: Vec<i64> = schedules.iter().filter_map(|schedule| schedule.target.set()).collect();
    let sets = import_sets::listed_of(conn, application_id, &sets)?;
    let sets: HashMap<i64, _> = sets.into_iter().map(|(set, definition)| (set.id, definition)).collect();
    let steps = |schedule: &Schedule| schedule.target.set().and_then(|id| sets.get(&id)).map(|set| &set.steps);
    let mut ids = Vec::new();
    for schedule in schedules {
        let has = parameters::has_secret(schedule.parameters.as_ref());
        ids.extend(schedule.target.configuration().filter(|_| has));
        let steps = steps(schedule).into_iter().flatten();
        let with_secret = steps.filter(|step| has || parameters::has_secret(step.parameters.as_ref()));
        ids.extend(with_secret.map(|step| step.configuration_id));
    }
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let listed = imports::listed_of(conn, application_id, &ids)?;
    let asked: Vec<i64> = listed.iter().filter_map(|it| it.configuration.connection_id).collect();
    let leads = connections::leads(conn, &asked)?;
    let listed: HashMap<i64, Listed> = listed.into_iter().map(|it| (it.configuration.id, it)).collect();
    let shut = |id: i64, values: &dyn Fn(&Listed) -> Option<serde_json::Value>| {
        let it = listed.get(&id)?;
        let leads = leads.to(it.configuration.connection_id);
        parameters::shut(&imports::values_target(&it.configuration, &it.definition, &leads), secrets, &values(it)?)
    };
    let why = |schedule: &Schedule| {
        let given = schedule.parameters.as_ref();
        match schedule.target {
            Target::Configuration(id) => shut(id, &|_| given.cloned()),
            Target::Set(_) => (1..).zip(steps(schedule)?).find_map(|(position, step)| {
                let values = |it: &Listed| import_sets::with_given((position, step), &it.asks(), given);
                Some(format!("Step {position}: {}", shut(step.configuration_id, &values)?))
            }),
        }
    };
    let unfinished = schedules.iter().filter(|schedule| schedule.state() != State::Finished);
    Ok(unfinished.filter_map(|schedule| Some((schedule.id, why(schedule)?))).collect())
}
