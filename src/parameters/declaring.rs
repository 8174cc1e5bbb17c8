//! The table of parameters on the page of a configuration: as it was typed, and what of it is meant.

use serde_json::{Value, json};

use super::model::{MAX_PARAMETERS, Parameter, ParameterType, choice_lines};
use crate::error::FieldErrors;
use crate::web::Form;

/// So many empty lines wait at the end.
const SPARE: usize = 2;

/// A line of the table, as it was typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    pub name: String,
    pub kind: String,
    pub label: String,
    pub required: bool,
    pub default: String,
    /// One a line.
    pub choices: String,
    /// What is wrong with it.
    pub errors: Vec<String>,
}

impl Declared {
    pub fn of(parameter: &Parameter) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
            other => other.to_string(),
        };
        Self {
            name: parameter.name.clone(),
            kind: parameter.parameter_type.to_string(),
            label: parameter.label.clone(),
            required: parameter.required,
            default: parameter.default.as_ref().map(text).unwrap_or_default(),
            choices: parameter.choices.join("\n"),
            errors: Vec::new(),
        }
    }

    /// The lines of a form that hold something and were not taken away.
    pub fn read(form: &Form) -> Vec<Self> {
        let line = |i: usize| {
            let text = |member: &str| form.get(&format!("parameter-{i}-{member}")).to_owned();
            Self {
                name: text("name"),
                kind: text("type"),
                label: text("label"),
                required: form.ticked(&format!("parameter-{i}-required")),
                default: text("default"),
                choices: form.raw(&format!("parameter-{i}-choices")).to_owned(),
                errors: Vec::new(),
            }
        };
        let there = |i: &usize| form.has(&format!("parameter-{i}-name"));
        let kept = |i: &usize| !form.ticked(&format!("parameter-{i}-remove"));
        // One more than may be, so that there is something to refuse.
        let lines = (0..=MAX_PARAMETERS + SPARE).take_while(there).filter(kept).map(line);
        lines.filter(|line| !(line.name.is_empty() && line.label.is_empty() && line.default.is_empty())).collect()
    }

    /// What is meant.
    pub fn parameter(&self) -> Parameter {
        let parameter_type = ParameterType::parse(&self.kind).unwrap_or_default();
        let default = match parameter_type {
            _ if self.default.is_empty() => None,
            ParameterType::Number => {
                let number = serde_json::from_str::<serde_json::Number>(&self.default);
                Some(number.map_or_else(|_| json!(self.default), Value::Number))
            }
            ParameterType::Choices => {
                Some(self.default.split(';').map(str::trim).filter(|choice| !choice.is_empty()).collect())
            }
            _ => Some(json!(self.default)),
        };
        Parameter {
            name: self.name.clone(),
            parameter_type,
            label: self.label.clone(),
            required: self.required,
            default,
            choices: choice_lines(&self.choices),
            is_file: false,
        }
    }
}

/// The lines with what is wrong with each, and empty ones behind them.
pub fn declared_rows(lines: &[Declared], errors: &FieldErrors) -> Vec<Declared> {
    let with_errors = |(i, line): (usize, &Declared)| {
        let own = format!("parameters[{i}].");
        let wrong = errors.0.iter().filter(|error| error.field.starts_with(&own)).map(|error| error.detail.clone());
        Declared { errors: wrong.collect(), ..line.clone() }
    };
    let spare = std::iter::repeat_n(Declared { kind: "text".into(), ..Declared::default() }, SPARE);
    lines.iter().enumerate().map(with_errors).chain(spare).collect()
}
