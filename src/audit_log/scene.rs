//! What the entries of a page are about: names, and where each thing is.

use std::collections::HashMap;

use super::words::{self, Names};
use crate::applications;
use crate::audit::Recorded;
use crate::db::Conn;
use crate::error::Result;
use crate::imports::Target;
use crate::members::By;
use crate::{import_sets, imports, members};

/// Names by id, and addresses. A few queries, however many entries.
#[derive(Default)]
pub struct Scene {
    pub names: Names,
    /// Whoever looks may open the pages of members.
    administers: bool,
    roles: HashMap<i64, String>,
    applications: HashMap<i64, String>,
    targets: HashMap<Target, String>,
}

fn number(entry: &Recorded, key: &str) -> Option<i64> {
    [&entry.after, &entry.before].into_iter().flatten().find_map(|value| value.get(key)?.as_i64())
}

/// What a schedule, a promise or a run is of.
fn target(entry: &Recorded) -> Option<Target> {
    let said = [&entry.after, &entry.before].into_iter().flatten().find_map(|value| value.get("target")?.as_str());
    let by_id = || number(entry, "configuration_id").map(Target::Configuration);
    said.and_then(Target::parse).or_else(by_id).or_else(|| number(entry, "set_id").map(Target::Set))
}

impl Scene {
    pub fn load(conn: &mut Conn, by: &By, entries: &[Recorded]) -> Result<Self> {
        let everybody = members::all(conn)?;
        let ids: Vec<i64> = entries.iter().filter_map(|entry| entry.application_id).collect();
        let (mut configurations, mut sets) = (Vec::new(), Vec::new());
        for target in entries.iter().filter_map(target) {
            match target {
                Target::Configuration(id) => configurations.push(id),
                Target::Set(id) => sets.push(id),
            }
        }
        let configurations = imports::by_ids(conn, &configurations)?;
        let sets = import_sets::by_ids(conn, &sets)?;
        let configurations = configurations.into_iter().map(|of| (Target::Configuration(of.id), of.name));
        Ok(Self {
            administers: by.member.is_administrator(),
            targets: configurations.chain(sets.into_iter().map(|of| (Target::Set(of.id), of.name))).collect(),
            applications: applications::by_ids(conn, &ids)?.into_iter().map(|of| (of.id, of.name)).collect(),
            roles: everybody.iter().map(|member| (member.id, member.role.clone())).collect(),
            names: Names {
                members: everybody.into_iter().map(|member| (member.id, member.name)).collect(),
                groups: members::groups::all_names(conn)?,
            },
        })
    }

    /// What the thing is called.
    pub fn name(&self, entry: &Recorded) -> String {
        let of_target = || target(entry).and_then(|target| self.targets.get(&target).cloned());
        let of_member = || match entry.subject_kind.as_str() {
            "member" => entry.subject_id.and_then(|id| self.names.members.get(&id).cloned()),
            _ => None,
        };
        let own = || words::name(entry).map(str::to_owned);
        of_target().or_else(own).or_else(of_member).unwrap_or_default()
    }

    pub fn application(&self, entry: &Recorded) -> Option<&str> {
        entry.application_id.and_then(|id| self.applications.get(&id)).map(String::as_str)
    }

    pub fn role(&self, member_id: i64) -> &str {
        self.roles.get(&member_id).map(String::as_str).unwrap_or_default()
    }

    /// Where the thing is now.
    pub fn href(&self, entry: &Recorded) -> Option<String> {
        let id = entry.subject_id?;
        let settings = entry.application_id.map(|id| format!("/applications/{id}/settings"));
        match entry.subject_kind.as_str() {
            "schedule" | "promise" => {
                let card = target(entry)?.short();
                Some(format!("{}/import-scheduling?open={card}#cfg-{card}", settings?))
            }
            "import_configuration" => Some(format!("{}/import-configurations/{id}", settings?)),
            "import_set" => Some(format!("{}/import-sets/{id}", settings?)),
            "translation" => Some(format!("{}/translations/{id}", settings?)),
            "kept_file" => Some(format!("{}/kept-files/{id}", settings?)),
            "freeze" => Some(format!("{}/freezes", settings?)),
            "block" => Some(format!("/applications/{}/blocks/{id}", entry.application_id?)),
            "application" => Some(format!("/applications/{id}")),
            "connection" => Some(format!("/connections/{id}")),
            "member" if self.administers => Some(format!("/members/{id}")),
            "role" => Some("/roles".into()),
            "group" if self.names.groups.contains_key(&id) => Some(format!("/groups/{id}")),
            "run" => Some(format!("/runs/{id}")),
            _ => None,
        }
    }
}
