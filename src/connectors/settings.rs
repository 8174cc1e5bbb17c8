//! Reading the settings and secrets of a connection, field by field, with words for what is wrong.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::registry::{Field, Input, Kind};
use crate::error::FieldErrors;

/// What somebody gave for a connection, and what was wrong with it so far.
pub(super) struct Given<'a> {
    kind: &'a Kind,
    settings: &'a Map<String, Value>,
    secrets: &'a BTreeMap<String, String>,
    errors: FieldErrors,
}

impl<'a> Given<'a> {
    /// Notes unknown names and missing required fields at once, so that a kind need not.
    pub(super) fn new(kind: &'a Kind, settings: &'a Map<String, Value>, secrets: &'a BTreeMap<String, String>) -> Self {
        let mut given = Self { kind, settings, secrets, errors: FieldErrors::new() };
        for name in settings.keys() {
            if !kind.settings.iter().any(|f| f.name == name) {
                given.wrong(name, format!("a {} Connection has no such setting", kind.label));
            }
        }
        for name in secrets.keys() {
            if !kind.secrets.iter().any(|f| f.name == name) {
                given.wrong_secret(name, format!("a {} Connection has no such secret", kind.label));
            }
        }
        for field in kind.settings.iter().filter(|f| f.required) {
            if given.present(field.name).is_none() {
                given.wrong(field.name, "is required");
            }
        }
        given
    }

    pub(super) fn wrong(&mut self, setting: &str, detail: impl Into<String>) {
        self.errors.add(format!("settings.{setting}"), detail);
    }

    pub(super) fn wrong_secret(&mut self, secret: &str, detail: impl Into<String>) {
        self.errors.add(format!("secrets.{secret}"), detail);
    }

    pub(super) fn into_errors(self) -> FieldErrors {
        self.errors
    }

    /// The value, unless absent, null or blank.
    fn present(&self, name: &str) -> Option<&'a Value> {
        match self.settings.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.trim().is_empty() => None,
            value => value,
        }
    }

    /// Text without its outer spaces.
    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        match self.present(name)? {
            Value::String(text) if text.contains('\0') => {
                self.wrong(name, "must not contain a NUL character");
                None
            }
            Value::String(text) => Some(text.trim()),
            _ => {
                self.wrong(name, "must be text");
                None
            }
        }
    }

    /// One of the field's choices; the first when absent.
    pub(super) fn choice(&mut self, name: &str) -> Option<&'a str> {
        let choices: &'static [(&str, &str)] = match self.kind.settings.iter().find(|f| f.name == name).map(|f| f.input)
        {
            Some(Input::Choice(choices)) => choices,
            _ => &[],
        };
        if self.present(name).is_none() {
            return choices.first().map(|c| c.0);
        }
        let text = self.text(name)?;
        if choices.iter().any(|c| c.0 == text) {
            return Some(text);
        }
        let known: Vec<_> = choices.iter().map(|c| c.0).collect();
        self.wrong(name, format!("must be one of {}", known.join(", ")));
        None
    }

    /// A whole number within its bounds; the usual one when absent.
    pub(super) fn number(&mut self, name: &str) -> Option<u64> {
        let field = self.kind.settings.iter().find(|f| f.name == name)?;
        let Input::Number(usual, least, most) = field.input else { return None };
        let number = match self.present(name) {
            None => return Some(usual),
            Some(value) => value.as_u64().filter(|number| (least..=most).contains(number)),
        };
        if number.is_none() {
            self.wrong(name, format!("must be a whole number from {least} to {most}"));
        }
        number
    }

    /// True or false; false when absent.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.present(name) {
            None => false,
            Some(Value::Bool(on)) => *on,
            Some(_) => {
                self.wrong(name, "must be true or false");
                false
            }
        }
    }

    /// Names and values, from an object of text or from lines `Name: value`.
    pub(super) fn pairs(&mut self, name: &str) -> Vec<(&'a str, &'a str)> {
        let mut pairs = Vec::new();
        match self.present(name) {
            None => {}
            Some(Value::Object(map)) => {
                for (key, value) in map {
                    match value {
                        Value::String(text) => pairs.push((key.trim(), text.trim())),
                        _ => self.wrong(name, format!("the value of {key} must be text")),
                    }
                }
            }
            Some(Value::String(text)) => {
                for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
                    match line.split_once(':') {
                        Some((key, value)) => pairs.push((key.trim(), value.trim())),
                        None => self.wrong(name, format!("line {} must have the form 'Name: value'", i + 1)),
                    }
                }
            }
            Some(_) => self.wrong(name, "must be an object of names and text"),
        }
        pairs
    }

    /// A secret, unless absent or empty. Not trimmed: spaces may belong to a password.
    pub(super) fn secret(&self, name: &str) -> Option<&'a str> {
        self.secrets.get(name).map(String::as_str).filter(|s| !s.is_empty())
    }
}

/// Whether a field is asked for beside what these settings choose.
pub(super) fn is_asked_for(kind: &Kind, field: &Field, settings: &Map<String, Value>) -> bool {
    let secrets = BTreeMap::new();
    let mut given = Given { kind, settings, secrets: &secrets, errors: FieldErrors::new() };
    field.only_for.is_none_or(|(setting, values)| given.choice(setting).is_some_and(|chosen| values.contains(&chosen)))
}

/// The settings that are not [harmless](Kind::harmless), as they are understood. What cannot be is as it was written.
pub(super) fn leading(kind: &Kind, settings: &Map<String, Value>) -> Value {
    let secrets = BTreeMap::new();
    let mut given = Given { kind, settings, secrets: &secrets, errors: FieldErrors::new() };
    let mut leading = Map::new();
    let counts = |field: &&Field| !kind.harmless.contains(&field.name) && is_asked_for(kind, field, settings);
    for field in kind.settings.iter().filter(counts) {
        let name = field.name;
        let understood = match field.input {
            Input::Choice(_) => given.choice(name).map(Value::from),
            Input::Number(..) => given.number(name).map(Value::from),
            Input::Toggle => Some(given.flag(name).into()),
            Input::Headers => {
                let pairs = given.pairs(name).into_iter();
                let mut pairs: Vec<_> = pairs.map(|(name, value)| (name.to_lowercase(), value)).collect();
                pairs.sort();
                Some(json!(pairs))
            }
            Input::Text | Input::Place | Input::Url | Input::Password => given.text(name).map(Value::from),
        };
        let written = given.present(name).cloned();
        leading.insert(name.to_owned(), understood.or(written).unwrap_or_default());
    }
    leading.into()
}
