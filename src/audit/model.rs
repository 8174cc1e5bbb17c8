//! An entry of the audit log.

use serde_json::Value;

use crate::clock::Moment;

/// Who acted, as the log keeps it: the name as it was then.
#[derive(Clone, Debug)]
pub struct Actor {
    /// `None` where nobody was signed in, or the command line or the clock acted.
    pub member_id: Option<i64>,
    pub name: String,
    /// `page`, `token`, `command`, `clock`.
    pub channel: &'static str,
    /// The address that the request came from.
    pub from: Option<String>,
    /// Of a token its name.
    pub token: Option<String>,
}

impl Actor {
    /// Nobody who is a member.
    pub fn nobody(name: &str, channel: &'static str) -> Self {
        Self { member_id: None, name: name.to_owned(), channel, from: None, token: None }
    }

    pub fn from(self, address: impl Into<String>) -> Self {
        Self { from: Some(address.into()), ..self }
    }
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `noun.verb-in-the-past`: "schedule.created", "member.deactivated".
    pub action: &'static str,
    /// The noun and the id of what it was done to.
    pub subject: (&'static str, Option<i64>),
    pub application_id: Option<i64>,
    /// As it was; never a secret.
    pub before: Option<Value>,
    /// As it is now; never a secret.
    pub after: Option<Value>,
}

impl Entry {
    pub fn of(action: &'static str, kind: &'static str, id: i64) -> Self {
        Self { action, subject: (kind, Some(id)), application_id: None, before: None, after: None }
    }

    /// Done to nothing in particular, such as a sign-in with an unknown address.
    pub fn about(action: &'static str, kind: &'static str) -> Self {
        Self { action, subject: (kind, None), application_id: None, before: None, after: None }
    }

    pub fn application(mut self, id: i64) -> Self {
        self.application_id = Some(id);
        self
    }

    pub fn before(mut self, value: Value) -> Self {
        self.before = Some(value);
        self
    }

    pub fn after(mut self, value: Value) -> Self {
        self.after = Some(value);
        self
    }
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub application_id: Option<i64>,
    /// Who acted.
    pub member_id: Option<i64>,
    /// Of which kinds of things; empty: of all.
    pub kinds: Vec<&'static str>,
    /// Only what was refused.
    pub denied: bool,
    /// What was done to one thing: its kind and id.
    pub subject: Option<(String, i64)>,
    /// From this moment on.
    pub from: Option<Moment>,
    /// Before this moment.
    pub until: Option<Moment>,
}

/// An entry as it stands in the log.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub id: i64,
    pub at: Moment,
    pub member_id: Option<i64>,
    pub member_name: String,
    pub channel: String,
    pub from: Option<String>,
    pub token: Option<String>,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: Option<i64>,
    pub application_id: Option<i64>,
    pub before: Option<Value>,
    pub after: Option<Value>,
}
