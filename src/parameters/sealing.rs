//! Secrets among values: sealed for the parameter that they were given for, and for what is asked with it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::model::{Parameter, ParameterType};
use crate::error::Result;
use crate::secrets::{Secrets, hash};

const SEALED: &str = "sealed";

/// The configuration whose values they are.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub configuration_id: i64,
    /// As people know it.
    pub name: &'a str,
    pub parameters: &'a [Parameter],
    /// Where the Connection that is asked leads, and how, as its own room says it.
    pub leads: &'a str,
    /// The query that it is asked; none of a source that is no database. Who may change either could learn a secret that
    /// somebody else gave: so a secret is sealed for these, and is asked for again after others.
    pub query: Option<&'a str>,
}

/// Why a secret does not open.
pub(super) enum Shut {
    /// It is none of this place, or of this key.
    Lost,
    /// It was given for another query or Connection, or for one that led elsewhere.
    Elsewhere,
}

impl Shut {
    pub(super) fn words(&self, parameter: &Parameter) -> String {
        let label = parameter.label();
        match self {
            Self::Lost => format!("The secret {label} cannot be opened with the server's key. Enter it again."),
            Self::Elsewhere => format!(
                "The secret {label} was entered for another query or Connection. Check what has changed since, then enter \
                 the secret again."
            ),
        }
    }
}

/// Stands around the mark of what is asked in a sealed text.
const AROUND: char = '\u{1}';

impl Target<'_> {
    /// The place that a secret is sealed for.
    fn place(&self, name: &str) -> String {
        place(self.configuration_id, name)
    }

    fn mark(&self) -> String {
        hash("query", &format!("{} {}", self.leads, self.query.unwrap_or_default()))
    }

    pub(super) fn seal(&self, secrets: &Secrets, parameter: &Parameter, text: &str) -> Result<Value> {
        let marked = format!("{AROUND}{}{AROUND}{text}", self.mark());
        Ok(json!({ SEALED: secrets.seal_alike(&self.place(&parameter.name), &marked)? }))
    }

    pub(super) fn open(
        &self,
        secrets: &Secrets,
        parameter: &Parameter,
        sealed: &str,
    ) -> std::result::Result<String, Shut> {
        let text = secrets.open(&self.place(&parameter.name), sealed).map_err(|_| Shut::Lost)?;
        match text.strip_prefix(AROUND).and_then(|rest| rest.split_once(AROUND)) {
            Some((mark, text)) if mark == self.mark() => Ok(text.to_owned()),
            _ => Err(Shut::Elsewhere),
        }
    }

    /// Whether it is a secret of this parameter.
    pub(super) fn opens(&self, secrets: &Secrets, parameter: &Parameter, sealed: &str) -> bool {
        self.open(secrets, parameter, sealed).is_ok()
    }
}

fn place(configuration_id: i64, name: &str) -> String {
    format!("parameter {configuration_id} {name}")
}

pub(super) fn sealed_text(value: &Value) -> Option<&str> {
    value.get(SEALED)?.as_str()
}

/// Seals anew what is sealed with another key; `None` where nothing is. A secret is one of these configurations', for the
/// run of a set by the name that it has there, such as `2.token`.
pub fn seal_anew(configuration_ids: &[i64], values: &Value, old: &Secrets, new: &Secrets) -> Result<Option<Value>> {
    let Value::Object(values) = values else { return Ok(None) };
    let mut anew = values.clone();
    let mut changed = false;
    for (name, value) in &mut anew {
        if let Some(sealed) = sealed_text(value) {
            let name = name.split_once('.').map_or(name.as_str(), |(_, name)| name);
            let opened = |id: &i64| {
                let place = place(*id, name);
                old.open(&place, sealed).ok().map(|text| (place, text))
            };
            // What no longer opens is as lost as it was, and asked for where it is used.
            let Some((place, text)) = configuration_ids.iter().find_map(opened) else { continue };
            *value = json!({ SEALED: new.seal_alike(&place, &text)? });
            changed = true;
        }
    }
    Ok(changed.then_some(Value::Object(anew)))
}

/// Whether there is a secret among values.
pub fn has_secret(values: Option<&Value>) -> bool {
    values.and_then(Value::as_object).is_some_and(|values| values.values().any(is_secret))
}

/// Whether a value is a sealed secret.
pub fn is_secret(value: &Value) -> bool {
    sealed_text(value).is_some()
}

/// Which secret of these values does not open, in the words in which a run says it; `None`: each does.
pub fn shut(target: &Target<'_>, secrets: &Secrets, values: &Value) -> Option<String> {
    all_shut(target, secrets, values).next().map(|(_, why)| why)
}

/// Each secret of these values that does not open, by its name, and why.
pub fn all_shut<'a>(
    target: &Target<'a>,
    secrets: &'a Secrets,
    values: &'a Value,
) -> impl Iterator<Item = (&'a str, String)> + use<'a> {
    let target = *target;
    let secret = target.parameters.iter().filter(|parameter| parameter.parameter_type == ParameterType::Secret);
    secret.filter_map(move |parameter| {
        let sealed = sealed_text(values.get(&parameter.name)?)?;
        let why = target.open(secrets, parameter, sealed).err()?.words(parameter);
        Some((parameter.name.as_str(), why))
    })
}

/// Values for the copies of these configurations: each secret is sealed for the copy of the one whose it is.
pub fn sealed_for_copies(values: &Value, copies: &BTreeMap<i64, i64>, secrets: &Secrets) -> Result<Value> {
    let Value::Object(values) = values else { return Ok(values.clone()) };
    let mut anew = values.clone();
    for (name, value) in &mut anew {
        let Some(sealed) = sealed_text(value) else { continue };
        let name = name.split_once('.').map_or(name.as_str(), |(_, name)| name);
        let opened =
            |(old, new): (&i64, &i64)| Some((place(*new, name), secrets.open(&place(*old, name), sealed).ok()?));
        // What no longer opens is as lost as it was.
        let Some((place, text)) = copies.iter().find_map(opened) else { continue };
        *value = json!({ SEALED: secrets.seal_alike(&place, &text)? });
    }
    Ok(Value::Object(anew))
}
