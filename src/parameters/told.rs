//! A value as a text that people read in a name.

use chrono::NaiveDate;
use serde_json::Value;

use super::model::{Parameter, ParameterType};
use super::relative::RelativeDate;

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
