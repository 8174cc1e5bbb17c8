//! What can be run and scheduled, by its [`Target`]: a configuration, or a set.

use std::collections::HashMap;

use super::store;
use crate::db::Conn;
use crate::error::Result;
use crate::imports::{self, ConfigurationStatus, Target};

/// A configuration or a set, deleted or not.
#[derive(Clone, Debug)]
pub struct Known {
    pub application_id: i64,
    pub name: String,
    pub archived: bool,
    /// Of its latest run that ended Success, Partial, Failed or Held, and that run.
    pub status: Option<ConfigurationStatus>,
    pub status_run_id: Option<i64>,
}

/// Those of the targets that there are, or were. A query for each kind at most.
pub fn known(conn: &mut Conn, targets: &[Target]) -> Result<HashMap<Target, Known>> {
    let mut known = HashMap::new();
    let configurations: Vec<i64> = targets.iter().filter_map(|target| target.configuration()).collect();
    if !configurations.is_empty() {
        for found in imports::by_ids(conn, &configurations)? {
            known.insert(
                Target::Configuration(found.id),
                Known {
                    application_id: found.application_id,
                    name: found.name,
                    archived: found.archived,
                    status: found.status,
                    status_run_id: found.status_run_id,
                },
            );
        }
    }
    let sets: Vec<i64> = targets.iter().filter_map(|target| target.set()).collect();
    if !sets.is_empty() {
        for found in store::by_ids(conn, &sets)? {
            known.insert(
                Target::Set(found.id),
                Known {
                    application_id: found.application_id,
                    name: found.name,
                    archived: found.archived,
                    status: found.status,
                    status_run_id: found.status_run_id,
                },
            );
        }
    }
    Ok(known)
}

/// The same of one.
pub fn known_of(conn: &mut Conn, target: Target) -> Result<Option<Known>> {
    Ok(known(conn, &[target])?.remove(&target))
}
