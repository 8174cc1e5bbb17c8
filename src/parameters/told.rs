//! Values as texts that people read: one in a name, all of them where two are compared.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::Value;

use super::model::{Parameter, ParameterType};
use super::relative::RelativeDate;
use super::values::{mask, shown};
use crate::files::kept::is_file;

/// What was given, else the default; of a date the day that it means. `None`: there is none, or it is a secret.
pub fn told(parameter: &Parameter, given: Option<&Value>, today: NaiveDate) -> Option<String> {
    let value = given.filter(|value| !value.is_null()).or(parameter.default.as_ref())?;
    match (parameter.parameter_type, value) {
        (ParameterType::Secret, _) => None,
        // It is known by an id.
        _ if parameter.is_file => None,
        (ParameterType::Date, Value::String(text)) => {
            Some(RelativeDate::parse(text).ok()?.on(today)?.format("%Y-%m-%d").to_string())
        }
        (_, Value::String(text)) => Some(text.clone()),
        (_, Value::Number(number)) => Some(number.to_string()),
        (_, Value::Array(list)) => Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")),
        _ => None,
    }
}

/// "day = yesterday, token = ••••"; `files` names the kept ones.
pub fn all_told(values: Option<&Value>, files: &BTreeMap<i64, String>) -> String {
    let masked = values.map(mask);
    let said = |(name, value): (&String, &Value)| {
        let file = value.as_i64().filter(|_| is_file(name)).and_then(|id| files.get(&id).cloned());
        format!("{name} = {}", file.unwrap_or_else(|| shown(value)))
    };
    masked.as_ref().and_then(Value::as_object).into_iter().flatten().map(said).collect::<Vec<_>>().join(", ")
}
