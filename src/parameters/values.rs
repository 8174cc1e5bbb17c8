//! Values of parameters: taken in, shown, settled, and opened for who is about to use them.
//!
//! They are kept as the JSON object that the API takes, but for secrets: each is an object `{"sealed": …}` there, which
//! nothing else can be.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::model::{Parameter, ParameterType};
use super::relative::RelativeDate;
use super::sealing::{Target, sealed_text};
use crate::error::{FieldErrors, Result};
use crate::secrets::Secrets;

/// Shown for a secret that is set; sent back, it keeps the one that is there.
pub const MASK: &str = "••••";
/// All values of a schedule or run together, in bytes.
const LONGEST_OF_ALL: usize = 64 * 1024;

/// What is kept of the values that somebody gave: checked, secrets sealed; `None` when there are none. What is wrong is
/// said at `at`, or at its member of that name. A secret that is blank or masked stays as it is in `kept`.
pub fn accept(
    target: &Target<'_>,
    secrets: &Secrets,
    given: Option<&Value>,
    kept: Option<&Value>,
    at: &str,
    errors: &mut FieldErrors,
) -> Result<Option<Value>> {
    let empty = Map::new();
    let given = match given {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(given)) => given,
        Some(_) => {
            errors.add(at, "Send parameters as an object of names and values.");
            return Ok(None);
        }
    };
    let foreign = |name: &&String| !target.parameters.iter().any(|parameter| parameter.name == **name);
    for name in given.keys().filter(foreign).take(20) {
        let name: String = name.chars().take(60).collect();
        errors.add(format!("{at}.{name}"), format!("{} declares no parameter \"{name}\".", target.name));
    }
    let mut taken = Map::new();
    for parameter in target.parameters {
        let field = format!("{at}.{}", parameter.name);
        // A list is no text: none chosen is nothing given where several may be.
        let is_list = parameter.parameter_type == ParameterType::Choices;
        let blank = |value: &&Value| value.is_null() || **value == json!("") || (is_list && **value == json!([]));
        let value = given.get(&parameter.name);
        let value = match (parameter.parameter_type, value) {
            (ParameterType::Secret, Some(value))
                if sealed_text(value).is_some_and(|s| target.opens(secrets, parameter, s)) =>
            {
                Some(value.clone())
            }
            // What was sealed for another query says as little as points do.
            (ParameterType::Secret, Some(value))
                if blank(&value) || *value == json!(MASK) || sealed_text(value).is_some() =>
            {
                let there = kept.and_then(|kept| kept.get(&parameter.name));
                let there = there
                    .filter(|there| sealed_text(there).is_some_and(|sealed| target.opens(secrets, parameter, sealed)));
                let is_kept =
                    kept.and_then(|kept| kept.get(&parameter.name)).is_some_and(|it| sealed_text(it).is_some());
                match there {
                    Some(there) => Some(there.clone()),
                    // Blank stands for what is kept, not for nothing.
                    None if is_kept || !blank(&value) => {
                        errors.add(&field, format!("{}: enter the secret again.", parameter.label()));
                        continue;
                    }
                    None => None,
                }
            }
            // None chosen is a choice, where there is a default to be told from.
            (ParameterType::Choices, Some(value)) if *value == json!([]) && parameter.default.is_some() => {
                Some(value.clone())
            }
            (_, value) => match value.filter(|value| !blank(value)).map(|value| parameter.fitting(value)) {
                None => None,
                Some(Ok(Value::String(text))) if parameter.parameter_type == ParameterType::Secret => {
                    Some(target.seal(secrets, parameter, &text)?)
                }
                Some(Ok(value)) => Some(value),
                Some(Err(why)) => {
                    errors.add(&field, format!("{}: {why}", parameter.label()));
                    continue;
                }
            },
        };
        match value {
            Some(value) => drop(taken.insert(parameter.name.clone(), value)),
            None if parameter.must_be_given() => {
                errors.add(&field, format!("Enter a value for {}.", parameter.label()))
            }
            None => {}
        }
    }
    let taken = Some(Value::Object(taken)).filter(|taken| *taken != json!({}));
    if taken.as_ref().is_some_and(|taken| taken.to_string().len() > LONGEST_OF_ALL) {
        errors.add(at, "All values together are too long: use at most 64 KiB.");
    }
    Ok(taken)
}

/// Values as anybody may see them.
pub fn mask(values: &Value) -> Value {
    let Value::Object(values) = values else { return values.clone() };
    let shown = |(name, value): (&String, &Value)| {
        let shown = if sealed_text(value).is_some() { json!(MASK) } else { value.clone() };
        (name.clone(), shown)
    };
    values.iter().map(shown).collect::<Map<_, _>>().into()
}

/// A value as text, for people; secrets are [masked](mask) before.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => "None".to_owned(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Values that begin with others, masks of theirs made whole again.
pub fn unmask(values: Option<Value>, kept: Option<&Value>) -> Option<Value> {
    let mut values = values?;
    for (name, value) in values.as_object_mut().into_iter().flatten() {
        if *value == json!(MASK)
            && let Some(there) = kept.and_then(|kept| kept.get(name)).filter(|there| sealed_text(there).is_some())
        {
            *value = there.clone();
        }
    }
    Some(values)
}

/// The values by other names; one without a new name goes. `None`: none is left.
pub fn renamed(values: &Value, name: &dyn Fn(&str) -> Option<String>) -> Option<Value> {
    let renamed = |(old, value): (&String, &Value)| Some((name(old)?, value.clone()));
    let values: Map<_, _> = values.as_object()?.iter().filter_map(renamed).collect();
    (!values.is_empty()).then_some(Value::Object(values))
}

/// Those of the values that are declared, for what begins with values of before.
pub fn declared(parameters: &[Parameter], values: Option<Value>) -> Option<Value> {
    let Some(Value::Object(mut values)) = values else { return None };
    values.retain(|name, _| parameters.iter().any(|parameter| parameter.name == *name));
    (!values.is_empty()).then_some(Value::Object(values))
}

/// Whether values that were sent are those that are kept.
pub fn same(sent: Option<&Value>, kept: Option<&Value>) -> bool {
    let known = |values: Option<&Value>| values.map(mask).filter(|values| *values != json!({}));
    known(sent) == known(kept)
}

/// The values with which a run goes, whatever day it is from now on: what was settled before, else what was given, else
/// the default; relative dates as days. `Err`: which value is missing or fits no more.
pub fn resolve(
    parameters: &[Parameter],
    given: Option<&Value>,
    settled: Option<&Value>,
    today: NaiveDate,
) -> std::result::Result<Value, String> {
    let mut values = Map::new();
    for parameter in parameters {
        let of = |values: Option<&Value>| values?.get(&parameter.name).filter(|value| !value.is_null()).cloned();
        let Some(value) = of(settled).or_else(|| of(given)).or_else(|| parameter.default.clone()) else {
            if parameter.required {
                return Err(format!("The parameter {} needs a value. Give one, or a default.", parameter.label()));
            }
            continue;
        };
        let unfit = |why: String| format!("The value of the parameter {} does not fit. {why}", parameter.label());
        let is_secret = parameter.parameter_type == ParameterType::Secret;
        let value = match sealed_text(&value) {
            Some(_) if is_secret => value,
            _ if is_secret => return Err(unfit("Enter the secret again.".to_owned())),
            _ => parameter.fitting(&value).map_err(unfit)?,
        };
        let value = match (parameter.parameter_type, &value) {
            (ParameterType::Date, Value::String(text)) => {
                let date = RelativeDate::parse(text).map_err(unfit)?.on(today);
                let date = date.ok_or_else(|| unfit("No calendar has that day.".to_owned()))?;
                json!(date.format("%Y-%m-%d").to_string())
            }
            _ => value,
        };
        values.insert(parameter.name.clone(), value);
    }
    Ok(Value::Object(values))
}

/// A value in the clear.
#[derive(Clone, PartialEq)]
pub(super) enum Known {
    Text(String),
    Number(serde_json::Number),
    Date(NaiveDate),
    List(Vec<String>),
    Secret(String),
    /// It is declared, and nobody gave any.
    Nothing,
}

/// The values of all declared parameters in the clear, for who is about to use them.
#[derive(Clone, Default, PartialEq)]
pub struct Values(BTreeMap<String, Known>);

/// Without a value: one may be a secret.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Values {
    /// Opens what [`resolve`] settled. `Err`: which secret does not open.
    pub fn open(target: &Target<'_>, secrets: &Secrets, settled: &Value) -> std::result::Result<Self, String> {
        let mut known = BTreeMap::new();
        for parameter in target.parameters {
            let value = settled.get(&parameter.name);
            let text = value.and_then(Value::as_str).unwrap_or_default();
            let value = match (parameter.parameter_type, value) {
                // None chosen: a list of nothing, which excludes nothing. An unknown one would exclude everything.
                (ParameterType::Choices, None | Some(Value::Null)) => Known::List(Vec::new()),
                (_, None | Some(Value::Null)) => Known::Nothing,
                (ParameterType::Secret, Some(value)) => {
                    let opened = target.open(secrets, parameter, sealed_text(value).unwrap_or_default());
                    Known::Secret(opened.map_err(|shut| shut.words(parameter))?)
                }
                (ParameterType::Date, _) => {
                    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_or(Known::Nothing, Known::Date)
                }
                (ParameterType::Number, Some(Value::Number(number))) => Known::Number(number.clone()),
                (ParameterType::Choices, Some(Value::Array(list))) => {
                    Known::List(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                }
                _ => Known::Text(text.to_owned()),
            };
            known.insert(parameter.name.clone(), value);
        }
        Ok(Self(known))
    }

    /// Of what is not declared there is none.
    pub(super) fn get(&self, name: &str) -> Option<&Known> {
        self.0.get(name)
    }

    /// Those of several choices.
    pub fn several(&self, name: &str) -> Option<&[String]> {
        match self.0.get(name) {
            Some(Known::List(list)) => Some(list),
            _ => None,
        }
    }

    pub fn declares(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
