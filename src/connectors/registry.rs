//! The kinds of connection, one line each, with what each needs to know: so that pages and the API are the same for
//! all kinds.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::settings::{Given, is_asked_for, leading};
use super::{Connector, folder, http, sqlite};
use crate::error::FieldErrors;

static KINDS: [Kind; 3] = [folder::KIND, http::KIND, sqlite::KIND];

/// What can be said about a kind of connection without having one.
#[derive(Debug)]
pub struct Kind {
    /// As the API names it.
    pub name: &'static str,
    /// As people read it.
    pub label: &'static str,
    /// One line that says what it is for.
    pub summary: &'static str,
    pub takes: Takes,
    /// Whether a path goes on where its address ends, and is written like one.
    pub is_address: bool,
    /// Whether it can move and delete what was fetched.
    pub settles: bool,
    /// Whether it can list what there is.
    pub lists: bool,
    /// Readable by whoever may see the connection.
    pub settings: &'static [Field],
    /// Sealed, and never shown again.
    pub secrets: &'static [Field],
    /// Those settings that change nothing about where a secret is sent, and how. Whenever another one changes, the secrets
    /// are asked for again ([`Kind::leads`]): when in doubt, a setting is none of these.
    pub harmless: &'static [&'static str],
    pub(super) build: fn(&mut Given<'_>) -> Option<Box<dyn Connector>>,
}

/// How the source of an import configuration names what to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// `required`: without one there is nothing to fetch; else the address may be the file itself.
    Path {
        required: bool,
    },
    Query,
}

/// One thing that a kind needs to know.
#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub input: Input,
    /// Needed always; what is needed only beside another choice says so in its hint, and [`build`] checks it.
    pub required: bool,
    pub hint: &'static str,
    /// Asked for only where that setting has one of these values.
    pub only_for: Option<(&'static str, &'static [&'static str])>,
}

impl Field {
    /// One that is asked for always, and may be left out.
    pub(super) const fn new(name: &'static str, label: &'static str, input: Input) -> Self {
        Self { name, label, input, required: false, hint: "", only_for: None }
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    pub(super) const fn only_for(mut self, setting: &'static str, values: &'static [&'static str]) -> Self {
        self.only_for = Some((setting, values));
        self
    }
}

/// How a field is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    Text,
    /// A place on the server, inside one of the folders that its operator opened.
    Place,
    Url,
    Toggle,
    /// A whole number: what is usual, the least and the most.
    Number(u64, u64, u64),
    /// Value and label of each choice; the first is the default.
    Choice(&'static [(&'static str, &'static str)]),
    /// Name and value pairs: a JSON object of text, or text with a line `Name: value` each.
    Headers,
    Password,
}

/// All kinds, in the order in which they are offered.
pub fn kinds() -> &'static [Kind] {
    &KINDS
}

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.name == name)
}

/// A connector of a kind from its settings (a JSON object) and its opened secrets. What is wrong is told field by
/// field (`kind`, `settings.url`, `secrets.token`); unknown settings and secrets are wrong too.
pub fn build(
    kind_name: &str,
    settings: &Value,
    secrets: &BTreeMap<String, String>,
) -> Result<Box<dyn Connector>, FieldErrors> {
    let Some(kind) = kind(kind_name) else {
        let known: Vec<_> = KINDS.iter().map(|k| k.name).collect();
        let detail = format!("there is no such kind of Connection; choose one of {}", known.join(", "));
        return Err(FieldErrors::one("kind", detail));
    };
    let empty = Map::new();
    let settings = match settings {
        Value::Object(map) => map,
        Value::Null => &empty,
        _ => return Err(FieldErrors::one("settings", "must be an object of names and values")),
    };
    let mut given = Given::new(kind, settings, secrets);
    let built = (kind.build)(&mut given);
    let errors = given.into_errors();
    match built {
        Some(connector) if errors.is_empty() => Ok(connector),
        _ if errors.is_empty() => Err(FieldErrors::one("settings", "do not make a connection")),
        _ => Err(errors),
    }
}

impl Kind {
    /// Where these settings lead a secret, and how, as a text that is the same however they are written: what was entered
    /// for one is sent to no other.
    pub fn leads(&self, settings: &Value) -> String {
        settings.as_object().map_or_else(|| settings.to_string(), |settings| leading(self, settings).to_string())
    }

    /// Whether these settings ask for a secret of that name.
    pub fn asks_for(&self, secret: &str, settings: &Value) -> bool {
        let empty = Map::new();
        let settings = settings.as_object().unwrap_or(&empty);
        self.secrets.iter().any(|field| field.name == secret && is_asked_for(self, field, settings))
    }

    /// Settings as [`build`] takes them from what a form sends: text by field name. Blank fields are left out, and a
    /// toggle is on when it was sent at all with anything but `false` or `off`.
    pub fn settings_from_form(&self, sent: &BTreeMap<String, String>) -> Value {
        let mut settings = Map::new();
        for field in self.settings {
            let text = sent.get(field.name).map(|t| t.trim()).unwrap_or_default();
            let value = match field.input {
                Input::Toggle => Value::Bool(!matches!(text, "" | "false" | "off")),
                _ if text.is_empty() => continue,
                // What is no number stays text, and is told so.
                Input::Number(..) => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
                _ => Value::String(text.to_owned()),
            };
            settings.insert(field.name.to_owned(), value);
        }
        Value::Object(settings)
    }
}
