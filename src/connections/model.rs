//! A Connection.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::connectors::{self, Kind};
use crate::error::FieldErrors;
use crate::names::check_name;
use crate::shape::{Described, Object, Schemas, answer};

/// A configured connector, without its secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    pub id: i64,
    pub name: String,
    /// As `connectors::kinds()` names it.
    pub kind: String,
    /// A JSON object; readable by whoever may see the Connection.
    pub settings: Value,
    /// The names of the secrets that are set, and since when.
    pub secrets: BTreeMap<String, Moment>,
    /// The Applications that it is authorised for.
    pub application_ids: Vec<i64>,
    /// The last day on which its secret works, as whoever entered it knows.
    pub secret_ends_on: Option<NaiveDate>,
    pub version: i64,
    pub created_at: Moment,
}

answer! {
    /// A configured connector. Its secrets are never shown, only that they are set.
    pub struct ConnectionAnswer of (connection: &Connection) {
        id: i64 = connection.id,
        name: String = connection.name.clone(),
        kind: String = connection.kind.clone(),
        /// The settings of its kind.
        settings: Object = connection.settings.as_object().cloned().unwrap_or_default(),
        /// By name.
        secrets: SecretsAnswer = SecretsAnswer(
            connection.secrets.iter().map(|(name, at)| (name.clone(), SetAnswer { set_at: *at })).collect(),
        ),
        /// The Applications that it is authorised for.
        application_ids: Vec<i64> = connection.application_ids.clone(),
        /// The last day on which its secret works: `2027-03-31`. Administrators are notified before.
        secret_ends_on: Option<String> = connection.secret_ends_on.map(|day| day.to_string()),
        version: i64 = connection.version,
    }
}

answer! {
    /// A secret that is set.
    pub struct SetAnswer { set_at: Moment }
}

/// Secrets by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SecretsAnswer(BTreeMap<String, SetAnswer>);

impl Described for SecretsAnswer {
    fn schema(schemas: &mut Schemas) -> Value {
        json!({ "type": "object", "additionalProperties": SetAnswer::schema(schemas) })
    }
}

/// A Connection as somebody wants it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionDraft {
    pub name: String,
    pub kind: String,
    pub settings: Value,
    /// A blank one keeps what is set, `None` removes it; those not named are kept.
    pub secrets: BTreeMap<String, Option<String>>,
    pub application_ids: Vec<i64>,
    /// A day, as it was written; blank or `None`: not known.
    pub secret_ends_on: Option<String>,
}

impl Connection {
    /// What is known about its kind; none for a kind that this release does not have.
    pub fn kind(&self) -> Option<&'static Kind> {
        connectors::kind(&self.kind)
    }

    /// "Folder"; the bare word of a kind that is not known.
    pub fn kind_label(&self) -> &str {
        self.kind().map_or(self.kind.as_str(), |kind| kind.label)
    }

    /// The settings that say where it leads, for lists: the folder, or the address without what stands behind a `?`,
    /// which may be a key.
    pub fn place(&self) -> &str {
        place(&self.settings)
    }

    /// Where it leads a secret, and how.
    pub fn leads(&self) -> String {
        leads(&self.kind, &self.settings)
    }

    pub fn draft(&self) -> ConnectionDraft {
        ConnectionDraft {
            name: self.name.clone(),
            kind: self.kind.clone(),
            settings: self.settings.clone(),
            secrets: BTreeMap::new(),
            application_ids: self.application_ids.clone(),
            secret_ends_on: self.secret_ends_on.map(|day| day.to_string()),
        }
    }

    /// As the audit log keeps it and the API answers it: of secrets only that they are set.
    pub fn json(&self) -> Value {
        json!(ConnectionAnswer::of(self))
    }
}

fn place(settings: &Value) -> &str {
    let setting = |name: &str| settings.get(name)?.as_str();
    let address = || setting("url").and_then(|url| url.split(['?', '#']).next());
    setting("path").or_else(address).or_else(|| setting("host")).unwrap_or_default()
}

/// Of a kind that this release does not have, each setting counts.
pub(super) fn leads(kind: &str, settings: &Value) -> String {
    let leads = connectors::kind(kind).map_or_else(|| settings.to_string(), |kind| kind.leads(settings));
    format!("{kind} {leads}")
}

impl ConnectionDraft {
    /// As [`Connection::place`].
    pub fn place(&self) -> &str {
        place(&self.settings)
    }

    /// Trims what people type with spaces around it; each Application once.
    pub fn tidy(mut self) -> Self {
        self.name = self.name.trim().to_owned();
        self.application_ids.sort_unstable();
        self.application_ids.dedup();
        self.secret_ends_on = self.secret_ends_on.map(|day| day.trim().to_owned()).filter(|day| !day.is_empty());
        self
    }

    /// Where it leads a secret, and how.
    pub fn leads(&self) -> String {
        leads(&self.kind, &self.settings)
    }

    /// Whether its settings ask for a secret of that name.
    pub fn asks_for(&self, secret: &str) -> bool {
        connectors::kind(&self.kind).is_none_or(|kind| kind.asks_for(secret, &self.settings))
    }

    /// What is wrong by itself. `secrets` are those that it would then have; `was` is the name that it has.
    pub fn check(&self, secrets: &BTreeMap<String, String>, was: Option<&str>) -> FieldErrors {
        let mut errors = FieldErrors::new();
        check_name("name", &self.name, was, &mut errors);
        if let Err(more) = connectors::build(&self.kind, &self.settings, secrets) {
            errors.extend(more);
        }
        if self.secret_ends_on.is_some() {
            match connectors::kind(&self.kind) {
                Some(kind) if kind.secrets.is_empty() => {
                    errors.add("secret_ends_on", format!("A {} Connection has no secret. Leave this out.", kind.label));
                }
                _ if self.last_day().is_none() => {
                    errors
                        .add("secret_ends_on", "Enter a day from 1970 to 2099, such as 2027-03-31, or leave it empty.");
                }
                _ => {}
            }
        }
        errors
    }

    /// The last day on which its secret works.
    pub fn last_day(&self) -> Option<NaiveDate> {
        let written = self.secret_ends_on.as_deref().filter(|day| day.len() == 10)?;
        NaiveDate::parse_from_str(written, "%Y-%m-%d").ok().filter(|day| (1970..2100).contains(&day.year()))
    }
}
