//! Owners whose schedules will fail: they are deactivated, or lost a right that importing takes. A run asks the same before
//! it begins; here it is asked before, wherever a schedule is shown.

use std::collections::HashMap;

use crate::applications::{self, Application, Entered};
use crate::db::Conn;
use crate::error::Result;
use crate::members::{self, Member};

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
