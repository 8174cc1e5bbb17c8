//! What can be run and scheduled, by its [`Target`]: a configuration, or a set.

use std::collections::HashMap;

use super::store;
use crate::db::Conn;
use crate::error::Result;
use crate::imports::{self, Target};

/// A configuration or a set, deleted or not.
#[derive(Clone, Debug)]
pub struct Known {
    pub application_id: i64,
    pub name: String,
    pub archived: bool,
}

/// Those of the targets that there are, or were. A query for each kind at most.
pub fn known(conn: &mut Conn, targets: &[Target]) -> Result<HashMap<Target, Known>> {
    let mut known = HashMap::new();
    let configurations: Vec<i64> = targets.iter().filter_map(|target| target.configuration()).collect();
    if !configurations.is_empty() {
        for found in imports::by_ids(conn, &configurations)? {
            let (target, application_id, archived) =
                (Target::Configuration(found.id), found.application_id, found.archived);
            known.insert(target, Known { application_id, name: found.name, archived });
        }
    }
    let sets: Vec<i64> = targets.iter().filter_map(|target| target.set()).collect();
    if !sets.is_empty() {
        for found in store::by_ids(conn, &sets)? {
            let (application_id, name, archived) = (found.application_id, found.name, found.archived);
            known.insert(Target::Set(found.id), Known { application_id, name, archived });
        }
    }
    Ok(known)
}

/// The same of one.
pub fn known_of(conn: &mut Conn, target: Target) -> Result<Option<Known>> {
    Ok(known(conn, &[target])?.remove(&target))
}
