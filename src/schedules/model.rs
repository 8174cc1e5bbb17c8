//! A schedule: when a configuration or a set is run, who owns it, who is told.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::{Value, json};

use super::rule::Rule;
use super::sentence::sentence;
use super::{RuleDraft, first_at_or_after, next_after};
use crate::clock::Moment;
use crate::db::text_enum;
use crate::imports::Target;
use crate::words;

/// How many schedules with a future occurrence a configuration or a set may have.
pub const SLOTS: i64 = 4;

text_enum! {
    /// About which outcomes the recipients are told.
    pub enum About { Failed = "failed", FailedAndPartial = "failed_and_partial", All = "all" }
}

impl About {
    /// As people choose it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Failed => "Failed",
            Self::FailedAndPartial => "Failed and partial",
            Self::All => "All imports",
        }
    }
}

text_enum! {
    /// Finished: it has no further occurrence. Off: nothing is planned.
    pub enum State { On = "on", Off = "off", Finished = "finished" }
}

impl State {
    pub fn of(enabled: bool, finished_at: Option<Moment>) -> Self {
        match (finished_at, enabled) {
            (Some(_), _) => Self::Finished,
            (None, true) => Self::On,
            (None, false) => Self::Off,
        }
    }
}

/// Who is told about what.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct Notify {
    pub about: About,
    /// In ascending order, each once.
    pub member_ids: Vec<i64>,
    /// The same of groups: whoever is in one when something is told is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_ids: Vec<i64>,
    /// The first to be told of is this failure in a row.
    #[serde(default = "first")]
    pub after: i32,
}

impl Notify {
    /// Who is told: "Planning team and 2 members". `groups`: what groups are called.
    pub fn who(&self, groups: &HashMap<i64, String>) -> String {
        let mut parts: Vec<String> = self.group_ids.iter().filter_map(|id| groups.get(id).cloned()).collect();
        if parts.len() > 2 {
            parts = vec![words::counted(parts.len() as i64, "group", "groups")];
        }
        let members = self.member_ids.len() as i64;
        if members > 0 {
            parts.push(words::counted(members, "member", "members"));
        }
        match parts.pop() {
            None => "no one".into(),
            Some(last) if parts.is_empty() => last,
            Some(last) => format!("{} and {last}", parts.join(", ")),
        }
    }
}

fn first() -> i32 {
    1
}

#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub id: i64,
    pub application_id: i64,
    /// What it runs.
    pub target: Target,
    /// What its runs are called; `None`: as what it runs.
    pub run_name: Option<String>,
    pub rule: Rule,
    pub enabled: bool,
    /// When it was turned off.
    pub off_since: Option<Moment>,
    /// When it turns itself on again.
    pub off_until: Option<Moment>,
    /// The next occurrence; `None` while it is off or finished.
    pub next_at: Option<Moment>,
    /// The newest occurrence of its rule that the clock has claimed.
    pub claimed_at: Option<Moment>,
    /// Why the clock cannot go on with it; nothing is planned until it is saved again.
    pub broken: Option<String>,
    pub owner_id: i64,
    pub notify: Option<Notify>,
    /// Values for the parameters of what it runs, a JSON object.
    pub parameters: Option<Value>,
    pub version: i64,
    pub created_at: Moment,
    pub updated_at: Moment,
    /// Who saved or switched it last.
    pub updated_by: i64,
    pub finished_at: Option<Moment>,
}

/// A schedule as a long list is searched, sorted and counted by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outline {
    pub id: i64,
    pub target: Target,
    pub owner_id: i64,
    /// The next occurrence; `None` while it is off or finished.
    pub next_at: Option<Moment>,
    pub state: State,
}

/// A schedule as somebody wants it.
#[derive(Clone, Debug)]
pub struct Draft {
    pub target: Target,
    pub run_name: Option<String>,
    pub rule: RuleDraft,
    pub enabled: bool,
    /// Off until then, whatever `enabled` says.
    pub off_until: Option<Moment>,
    pub notify: Option<Notify>,
    pub parameters: Option<Value>,
}

impl Draft {
    /// Whether saving it would leave a schedule as it is.
    pub fn changes_nothing(&self, schedule: &Schedule) -> bool {
        let told = |notify: &Option<Notify>| {
            let each = |ids: &[i64]| ids.iter().copied().collect::<BTreeSet<i64>>();
            let of = |notify: &Notify| (notify.about, notify.after, each(&notify.member_ids), each(&notify.group_ids));
            notify.as_ref().map(of)
        };
        let run_name = self.run_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        self.target == schedule.target
            && run_name == schedule.run_name.as_deref()
            && self.rule.clone().parse().is_ok_and(|rule| rule == schedule.rule)
            && (self.enabled && self.off_until.is_none()) == schedule.enabled
            && self.off_until == schedule.off_until
            && told(&self.notify) == told(&schedule.notify)
            && self.parameters == schedule.parameters
    }
}

/// What turning a schedule on or off did.
#[derive(Clone, Debug)]
pub struct Switched {
    pub schedule: Schedule,
    /// How many occurrences passed while it was off, when it was turned on.
    pub passed: usize,
    /// False: it was that way already.
    pub changed: bool,
}

/// What the audit log keeps of a schedule that the switch or another Owner changes.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Before {
    pub enabled: bool,
    pub off_since: Option<Moment>,
    pub off_until: Option<Moment>,
    pub owner_id: i64,
    pub notify: Option<Notify>,
    pub version: i64,
}

impl Before {
    /// From [`Schedule::for_audit`].
    pub fn of_audit(kept: &Value) -> Option<Self> {
        Self::deserialize(kept).ok()
    }
}

/// Owner and recipients, from [`Schedule::for_audit`].
pub fn owner_and_recipients(kept: &Value) -> Option<(i64, Option<Notify>)> {
    let kept = Before::of_audit(kept)?;
    Some((kept.owner_id, kept.notify))
}

impl Schedule {
    pub fn state(&self) -> State {
        State::of(self.enabled, self.finished_at)
    }

    /// "Every 2 weeks on Monday and Thursday at 01:00, Europe/Paris".
    pub fn sentence(&self) -> String {
        if self.broken.is_some() {
            return "Broken: it cannot be read".into();
        }
        sentence(&self.rule)
    }

    /// What would save it unchanged: a PATCH and the dialog begin with this. One that is broken has no rule to begin with:
    /// whoever saves it has to choose one, so that nothing takes the place of what is stored unasked.
    pub fn draft(&self) -> Draft {
        let rule = match self.broken {
            Some(_) => RuleDraft::default(),
            None => RuleDraft::from_json(&self.rule.to_map()),
        };
        Draft {
            target: self.target,
            run_name: self.run_name.clone(),
            rule,
            enabled: self.enabled,
            off_until: self.off_until,
            notify: self.notify.clone(),
            parameters: self.parameters.clone(),
        }
    }

    /// Whether it holds one of the places of its configuration: it has something to come, or would once it is mended.
    pub fn holds_slot(&self, now: Moment) -> bool {
        self.finished_at.is_none() && (self.broken.is_some() || self.upcoming(now).is_some())
    }

    /// Its next occurrence, should it go on at this moment: none that was claimed already, where the clock was set back.
    pub fn next_from(&self, now: Moment) -> Option<Moment> {
        match self.claimed_at.filter(|claimed| *claimed >= now) {
            Some(claimed) => next_after(&self.rule, claimed),
            None => first_at_or_after(&self.rule, now),
        }
    }

    /// The first occurrence that has not gone by.
    pub fn upcoming(&self, now: Moment) -> Option<Moment> {
        first_at_or_after(&self.rule, now)
    }

    /// As the audit log keeps it.
    pub fn for_audit(&self) -> Value {
        let mut map = if self.broken.is_some() { serde_json::Map::new() } else { self.rule.to_map() };
        map.retain(|_, value| !value.is_null());
        map.insert("sentence".into(), json!(self.sentence()));
        match self.target {
            Target::Configuration(id) => map.insert("configuration_id".into(), json!(id)),
            Target::Set(id) => map.insert("set_id".into(), json!(id)),
        };
        map.insert("run_name".into(), json!(self.run_name));
        map.insert("enabled".into(), json!(self.enabled));
        map.insert("off_since".into(), json!(self.off_since));
        map.insert("off_until".into(), json!(self.off_until));
        map.insert("next_at".into(), json!(self.next_at));
        map.insert("owner_id".into(), json!(self.owner_id));
        map.insert("notify".into(), json!(self.notify));
        map.insert("version".into(), json!(self.version));
        Value::Object(map)
    }
}
