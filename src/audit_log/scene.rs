//! What the entries of a page are about: names, and where each thing is.

use std::collections::{BTreeSet, HashMap};

use super::words::{self, Names};
use crate::applications::{self, blocks};
use crate::audit::Recorded;
use crate::db::Conn;
use crate::error::Result;
use crate::imports::Target;
use crate::members::By;
use crate::{connections, import_sets, imports, members};

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

/// The ids at these keys, where a change made them others.
fn changed(entries: &[Recorded], keys: &[&str]) -> Vec<i64> {
    let mut ids = BTreeSet::new();
    for entry in entries {
        let (Some(before), Some(after)) = (&entry.before, &entry.after) else { continue };
        for key in keys.iter().filter(|key| before.get(*key) != after.get(*key)) {
            ids.extend([before, after].into_iter().filter_map(|side| side.get(key)?.as_i64()));
        }
    }
    ids.into_iter().collect()
}

/// The configurations that stood and stand in sets that were changed.
fn steps(entries: &[Recorded]) -> Vec<i64> {
    let of_sets = entries.iter().filter(|entry| entry.subject_kind == "import_set");
    let sides = of_sets.flat_map(|entry| [&entry.before, &entry.after]).flatten();
    let steps = sides.filter_map(|side| side.get("steps")?.as_array()).flatten();
    let ids: BTreeSet<i64> = steps.filter_map(|step| step.get("configuration_id")?.as_i64()).collect();
    ids.into_iter().collect()
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
        let (mut blocks, mut connections) = (HashMap::new(), HashMap::new());
        for id in changed(entries, &["block_id", "source_block_id"]) {
            if let Ok(block) = blocks::find_even_archived(conn, id) {
                blocks.insert(id, block.name);
            }
        }
        let changed = changed(entries, &["connection_id"]);
        if !changed.is_empty() {
            let found = connections::by_ids(conn, &changed)?.into_iter().map(|found| (found.id, found.name));
            connections.extend(found);
        }
        let of_steps = steps(entries);
        let of_steps = if of_steps.is_empty() { Vec::new() } else { imports::by_ids(conn, &of_steps)? };
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
                blocks,
                connections,
                configurations: of_steps.into_iter().map(|of| (of.id, of.name)).collect(),
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
            "incident" => Some(format!("/incidents/{id}")),
            _ => None,
        }
    }
}
