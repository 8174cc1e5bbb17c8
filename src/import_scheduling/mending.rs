//! Where the cause of a run that lost rows lies, by the step that failed, and the ways to where it can be put right.

use crate::applications::Entered;
use crate::db::Conn;
use crate::error::Result;
use crate::imports::Configuration;
use crate::imports::pipeline::{CHECK, LOAD, READ};
use crate::members;
use crate::runs::RunStatus;
use crate::runs::work::FIND;

/// Where the cause of a run lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where it is fetched from.
    Connection,
    /// What is asked for there, and how it is read.
    Source,
    Mapping,
    /// In our own database, for a while.
    Database,
    /// In rights, or in what is not there any more.
    Elsewhere,
}

impl Place {
    /// `failed` is the name of the step that failed.
    pub fn of(status: RunStatus, failed: Option<&str>) -> Self {
        match failed {
            _ if status == RunStatus::Partial => Self::Mapping,
            Some(CHECK) => Self::Mapping,
            Some(FIND | READ) => Self::Source,
            Some(LOAD) => Self::Database,
            Some(_) => Self::Connection,
            None => Self::Elsewhere,
        }
    }
}

/// The ways to it for who may go them, the first thing to do first.
pub fn ways(place: Place, configuration: &Configuration, entered: &Entered) -> Vec<(&'static str, String)> {
    let part = match place {
        _ if configuration.archived => return Vec::new(),
        Place::Database | Place::Elsewhere => return Vec::new(),
        Place::Mapping => "mapping",
        Place::Connection | Place::Source => "source-t",
    };
    let (application, id) = (configuration.application_id, configuration.id);
    let here = format!("/applications/{application}/settings/import-configurations/{id}");
    let connection = configuration.connection_id.filter(|_| place == Place::Connection && entered.sees_everything);
    let connection = connection.map(|id| ("Check the Connection", format!("/connections/{id}")));
    let change = entered.may_configure().then(|| ("Edit the configuration", format!("{here}#{part}")));
    let file = configuration.needs_file() && entered.may_import();
    let file = file.then(|| ("Run with the corrected file", format!("{here}/run")));
    let list = format!("/applications/{application}/settings/kept-files");
    let kept = file.is_some().then_some(("Replace the kept file", list));
    [file, kept, connection, change].into_iter().flatten().collect()
}

/// Who can go them, where this member may not.
pub fn who(conn: &mut Conn, place: Place, configuration: &Configuration, entered: &Entered) -> Result<Option<String>> {
    Ok(match place {
        _ if configuration.archived => None,
        Place::Connection if configuration.connection_id.is_some() && !entered.sees_everything => {
            let who = members::administrators(conn)?.into_iter().map(|m| m.name).collect();
            Some(format!("{} can check the Connection.", members::names(who)))
        }
        Place::Source | Place::Mapping if !entered.may_configure() => {
            Some(format!("{} can edit the configuration.", entered.who_configures(conn)?))
        }
        _ => None,
    })
}
