//! An entry in words: what was done, and what differs. Pure.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::audit::Recorded;
use crate::members::permissions::{self, Permission};
use crate::words;

/// So much of a value is shown.
const LONGEST: usize = 160;
/// So many differences are shown.
const MOST: usize = 8;

/// What is nobody's concern: counters, moments that follow from other things, ids that stand in the title.
const QUIET: [&str; 16] = [
    "id",
    "version",
    "next_at",
    "off_since",
    "created_at",
    "updated_at",
    "updated_by",
    "configuration_id",
    "set_id",
    "application_id",
    "kind",
    "state",
    "next",
    "status",
    "untold",
    "undone",
];
/// What the sentence of a rule says.
const OF_THE_SENTENCE: [&str; 8] =
    ["repeat", "every", "weekdays", "months", "days_of_month", "window", "start_time", "time_zone"];

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub label: String,
    pub old: String,
    pub new: String,
    /// Of a list of things, of which old and new tell only those that differ: what became of which, "changed" and "amount".
    pub within: Vec<(&'static str, String)>,
}

impl Difference {
    fn of_parts(key: &str, within: Vec<(&'static str, String)>) -> Self {
        Self { label: label(key), old: String::new(), new: told(&within), within }
    }

    /// "changed by restoring: amount"
    pub fn by_restoring(&self) -> String {
        let part = |(what, which): &(&str, String)| match which.is_empty() {
            true => format!("{what} by restoring"),
            false => format!("{what} by restoring: {which}"),
        };
        short(&self.within.iter().map(part).collect::<Vec<_>>().join("; "))
    }
}

/// "changed: amount; removed: note"
fn told(within: &[(&'static str, String)]) -> String {
    let part = |(what, which): &(&str, String)| match which.is_empty() {
        true => (*what).to_owned(),
        false => format!("{what}: {which}"),
    };
    short(&within.iter().map(part).collect::<Vec<_>>().join("; "))
}

/// Names by the ids that stand in entries.
#[derive(Debug, Default)]
pub struct Names {
    pub members: HashMap<i64, String>,
    pub blocks: HashMap<i64, String>,
    pub connections: HashMap<i64, String>,
    /// Of the steps of sets.
    pub configurations: HashMap<i64, String>,
    pub groups: HashMap<i64, String>,
}

/// Which kinds of things, as the page filters them: the word in the address, its label, and the kinds.
pub const KINDS: [(&str, &str, &[&str]); 7] = [
    ("schedules", "Schedules", &["schedule", "freeze", "promise"]),
    ("imports", "Imports", &["import_configuration", "import_set", "translation", "kept_file"]),
    ("data", "Applications and Blocks", &["application", "block"]),
    ("runs", "Runs and incidents", &["run", "incident"]),
    ("people", "Members and access", &["member", "role", "group", "token", "invitation", "calendar"]),
    ("connections", "Connections and notifications", &["connection", "outlet", "workspace"]),
    ("denied", "Denied", &[]),
];

fn noun(kind: &str) -> &str {
    match kind {
        "schedule" => "the schedule of",
        "import_configuration" => "the import configuration",
        "import_set" => "the import set",
        "kept_file" => "the kept file",
        "promise" => "the Ready by time of",
        "outlet" => "where notifications are posted",
        "block" => "the Block",
        "application" => "the Application",
        "connection" => "the Connection",
        "role" => "the role",
        "group" => "the group",
        "token" => "the API token",
        "calendar" => "a calendar",
        "translation" => "the translation table",
        "invitation" => "the invitation of",
        "member" => "",
        "workspace" => "the Workspace",
        "freeze" => "the freeze",
        "run" => "the run of",
        "incident" => "the incident",
        other => other,
    }
}

/// "Turned off the schedule of", to be followed by the name.
pub fn deed(entry: &Recorded) -> String {
    let special = match entry.action.as_str() {
        "member.signed_in" => "Signed in",
        "member.signed_out" => "Signed out",
        "member.sessions_ended" => "Ended the sessions of",
        "member.code_refused" => "Denied: code of the second factor",
        "member.second_factor_on" => "Turned on their own second factor",
        "member.second_factor_off" => "Turned off their own second factor",
        "member.second_factor_taken" => "Turned off the second factor of",
        "member.recovery_codes_made" => "Made new recovery codes",
        "member.sign_in_refused" => "Denied: sign-in",
        "member.profile_changed" => "Changed their own profile",
        "member.password_changed" => "Changed their own password",
        "member.reset_asked" => "Asked for a link to reset the password of",
        "member.reset_link_made" => "Made a link to reset the password of",
        "member.password_reset" => "Reset the password of",
        "invitation.made" => "Invited",
        "application.promoted" => "Promoted imports into",
        "application.review-dismissed" => "Dismissed the review of",
        "schedule.ownership-taken" => "Took ownership of the schedule of",
        "schedule.recipients-replaced" => "Changed the recipients of the schedule of",
        "schedule.turned-off-until" => "Turned off until a date the schedule of",
        "workspace.standing-by" => "The Workspace began standing by",
        "invitation.access_promised" => "Included access in the invitation of",
        "request.not_found_refused" => "Denied or not found",
        "request.refused" => "Denied",
        "token.refused" => "Denied: API token not valid",
        "access.changed" => "Changed the access of",
        "group.access_changed" => "Changed the access of the group",
        "slack.set" => "Set up Slack",
        "connection.tested" if entry.subject_id.is_none() => "Tested a Connection before it was saved",
        "outlet.tested" => "Sent a test message to where notifications are posted",
        "slack.tested" => "Sent a test message by Slack",
        "mail.tested" => "Sent a test mail",
        "slack.removed" => "Removed Slack",
        "sign_in_elsewhere.set" => "Set up sign-in by OpenID Connect",
        "sign_in_elsewhere.removed" => "Removed sign-in by OpenID Connect",
        "workspace.set_up" => "Set up the Workspace",
        "workspace.key_changed" => "Changed the key that seals secrets",
        "run.repeated" => "Ran again",
        "incident.taken" => "Took the incident",
        "incident.snoozed" => "Snoozed reminders of the incident",
        "incident.snooze_ended" => "Ended the snooze of the incident",
        "run.approval_taken_back" => "Took back the approval of",
        "calendar.address_made" => "Created a calendar address",
        "calendar.address_revoked" => "Revoked a calendar address",
        "promise.made" => "Set the Ready by time of",
        "promise.changed" => "Changed the Ready by time of",
        "promise.removed" => "Removed the Ready by time of",
        _ => "",
    };
    if !special.is_empty() {
        return special.to_owned();
    }
    let verb = entry.action.split_once('.').map_or(entry.action.as_str(), |(_, verb)| verb).replace(['_', '-'], " ");
    let verb = if verb == "updated" { "changed".to_owned() } else { verb };
    let noun = noun(&entry.subject_kind);
    format!("{}{}{noun}", words::capitalized(&verb), if noun.is_empty() { "" } else { " " })
}

/// Whether it is what somebody did with their own account: "Signed in".
pub fn is_own(entry: &Recorded) -> bool {
    const OWN: [&str; 7] = [
        "member.signed_in",
        "member.signed_out",
        "member.second_factor_on",
        "member.second_factor_off",
        "member.recovery_codes_made",
        "member.profile_changed",
        "member.password_changed",
    ];
    OWN.contains(&entry.action.as_str()) && entry.subject_id == entry.member_id
}

/// What is known of the thing by its entry alone.
pub fn name(entry: &Recorded) -> Option<&str> {
    let of = |value: &'_ Option<Value>, key: &str| value.as_ref().and_then(|value| value.get(key)).is_some();
    let side = if of(&entry.after, "name") { &entry.after } else { &entry.before };
    side.as_ref().and_then(|value| value.get("name")).and_then(Value::as_str).filter(|name| !name.is_empty())
}

/// What a refusal was about: "POST /applications/1/schedules", "5 more like it".
pub fn refused(entry: &Recorded) -> Option<String> {
    if !entry.action.ends_with("refused") {
        return None;
    }
    let after = entry.after.as_ref()?;
    match (after.get("what").and_then(Value::as_str), after.get("more").and_then(Value::as_i64)) {
        (Some(what), _) => Some(short(what)),
        (_, Some(more)) => Some(format!("{} more within the hour", words::count(more))),
        _ => None,
    }
}

/// What differs between before and after, the sentence of a rule first; and how many differences more there are.
pub fn differences(entry: &Recorded, names: &Names) -> (Vec<Difference>, usize) {
    if entry.action.ends_with("refused") {
        return (Vec::new(), 0);
    }
    between((entry.before.as_ref(), entry.after.as_ref()), names, MOST)
}

/// What differs between two that are written as entries are, `most` differences at most; and how many more there are.
pub fn between((old, new): (Option<&Value>, Option<&Value>), names: &Names, most: usize) -> (Vec<Difference>, usize) {
    let (mut old, mut new) = (flat(old), flat(new));
    let one_sided = old.is_empty() != new.is_empty();
    if one_sided {
        // Of what began or ended only what it is, which its sentence says best.
        let says = |map: &mut Map<String, Value>| map.retain(|key, _| key == "sentence" || key == "role");
        says(&mut old);
        says(&mut new);
    }
    if old.get("sentence") != new.get("sentence") {
        let unsaid = |map: &mut Map<String, Value>| {
            map.retain(|key, _| {
                !OF_THE_SENTENCE.iter().any(|said| key == said || key.starts_with(&format!("{said}.")))
            });
        };
        unsaid(&mut old);
        unsaid(&mut new);
    }
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect::<BTreeSet<_>>().into_iter().collect();
    keys.retain(|key| !QUIET.contains(&key.as_str()) && old.get(*key) != new.get(*key));
    keys.sort_by_key(|key| (*key != "sentence", *key != "enabled" && *key != "owner_id"));
    let more = keys.len().saturating_sub(most);
    let differences = keys.into_iter().take(most).map(|key| difference(key, old.get(key), new.get(key), names));
    (differences.collect(), more)
}

/// The members of an object, those of objects in it by "outer.inner".
fn flat(value: Option<&Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for (key, value) in value.and_then(Value::as_object).into_iter().flatten() {
        match value {
            Value::Object(inner) => {
                all.extend(inner.iter().map(|(name, value)| (format!("{key}.{name}"), value.clone())));
            }
            value => drop(all.insert(key.clone(), value.clone())),
        }
    }
    all
}

fn difference(key: &str, old: Option<&Value>, new: Option<&Value>, names: &Names) -> Difference {
    if let (Some(Value::Array(was)), Some(Value::Array(is))) = (old, new)
        && was.iter().chain(is).all(|step| step.get("configuration_id").is_some())
    {
        let order = |steps: &[Value]| steps.iter().map(step_id).collect::<Vec<i64>>();
        if order(was) == order(is) {
            // The same imports in the same order, with other values.
            let others: Vec<Value> =
                was.iter().zip(is).filter(|(was, is)| was != is).map(|(_, is)| is.clone()).collect();
            return Difference::of_parts(key, vec![("changed", of_steps(&others, names))]);
        }
        return Difference {
            label: label(key),
            old: of_steps(was, names),
            new: of_steps(is, names),
            within: Vec::new(),
        };
    }
    if let (Some(Value::Array(old)), Some(Value::Array(new))) = (old, new)
        && old.iter().chain(new).any(Value::is_object)
    {
        return Difference::of_parts(key, of_lists(old, new));
    }
    let said = |value: Option<&Value>| value.map(|value| said(key, value, names)).unwrap_or_default();
    Difference { label: label(key), old: said(old), new: said(new), within: Vec::new() }
}

fn label(key: &str) -> String {
    let words = match key {
        "sentence" | "enabled" | "active" => return String::new(),
        "owner_id" => "Owner",
        "notify.member_ids" => "recipients",
        "notify.group_ids" => "recipients, groups",
        "member_ids" => "members",
        "notify.about" => "notify about",
        "notify.after" => "notify after failures in a row",
        other => other.strip_suffix("_id").unwrap_or(other),
    };
    words::capitalized(&words.replace(['_', '.'], " "))
}

fn said(key: &str, value: &Value, names: &Names) -> String {
    let called = |names: &HashMap<i64, String>, id: &serde_json::Number| {
        id.as_i64().and_then(|id| names.get(&id).cloned()).unwrap_or_else(|| id.to_string())
    };
    let member = |id: i64| names.members.get(&id).cloned().unwrap_or_else(|| format!("member {id}"));
    match (key, value) {
        ("enabled", Value::Bool(on)) => if *on { "On" } else { "Off" }.to_owned(),
        ("active", Value::Bool(active)) => if *active { "Active" } else { "Deactivated" }.to_owned(),
        ("owner_id" | "taken_by", Value::Number(id)) => member(id.as_i64().unwrap_or_default()),
        ("block_id" | "source_block_id", Value::Number(id)) => called(&names.blocks, id),
        ("connection_id", Value::Number(id)) => called(&names.connections, id),
        ("notify.member_ids" | "member_ids", Value::Array(ids)) => named(ids, member),
        ("notify.group_ids", Value::Array(ids)) => {
            named(ids, |id| names.groups.get(&id).cloned().unwrap_or_else(|| format!("group {id}")))
        }
        ("permissions", Value::Array(given)) => {
            let given: Vec<Permission> = given.iter().filter_map(Value::as_str).filter_map(Permission::parse).collect();
            short(&permissions::words(&given))
        }
        (_, Value::Null) => String::new(),
        (_, Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        (_, Value::String(text)) => short(text),
        (_, Value::Array(items)) => short(&items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        (_, other) => short(&plain(other)),
    }
}

fn named(ids: &[Value], name: impl Fn(i64) -> String) -> String {
    short(&ids.iter().filter_map(Value::as_i64).map(name).collect::<Vec<_>>().join(", "))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn step_id(step: &Value) -> i64 {
    step.get("configuration_id").and_then(Value::as_i64).unwrap_or_default()
}

/// The imports of a set in their order: "Sales, Costs".
fn of_steps(steps: &[Value], names: &Names) -> String {
    let name = |id: i64| names.configurations.get(&id).cloned().unwrap_or_else(|| format!("import {id}"));
    short(&steps.iter().map(|step| name(step_id(step))).collect::<Vec<_>>().join(", "))
}

/// Of lists of objects: which came, went and changed, by their names.
fn of_lists(old: &[Value], new: &[Value]) -> Vec<(&'static str, String)> {
    let name = |value: &Value| {
        let key = ["to", "name", "column", "position"].into_iter().find_map(|key| value.get(key));
        key.map(plain).unwrap_or_default()
    };
    let (was, is): (HashMap<String, &Value>, HashMap<String, &Value>) =
        (old.iter().map(|v| (name(v), v)).collect(), new.iter().map(|v| (name(v), v)).collect());
    let of = |what: &'static str, all: Vec<String>| (!all.is_empty()).then(|| (what, all.join(", ")));
    let new_names = || new.iter().map(name);
    let parts = [
        of("changed", new_names().filter(|n| was.get(n).is_some_and(|old| Some(old) != is.get(n))).collect()),
        of("added", new_names().filter(|n| !was.contains_key(n)).collect()),
        of("removed", old.iter().map(name).filter(|n| !is.contains_key(n)).collect()),
    ];
    let parts: Vec<(&str, String)> = parts.into_iter().flatten().collect();
    if parts.is_empty() { vec![("reordered", String::new())] } else { parts }
}

fn short(text: &str) -> String {
    crate::names::short_line(text, LONGEST)
}
