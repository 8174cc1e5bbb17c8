//! What a configuration declares, and what is wrong with that.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::relative::RelativeDate;
use crate::db::text_enum;
use crate::error::FieldErrors;
use crate::files::kept::FILE;

/// So many parameters may a configuration have.
pub const MAX_PARAMETERS: usize = 50;
/// So many choices may a parameter have.
const MAX_CHOICES: usize = 200;
/// The longest name of a parameter, as it stands in braces.
const LONGEST_NAME: usize = 64;
/// The longest label and the longest choice, in characters.
const LONGEST_LABEL: usize = 200;
/// The longest value, in bytes.
pub const LONGEST_VALUE: usize = 4_000;

text_enum! {
    /// What a parameter's value is.
    #[derive(Default)]
    pub enum ParameterType {
        #[default] Text = "text", Number = "number", Date = "date", Choice = "choice", Choices = "choices",
        Secret = "secret",
    }
}

impl ParameterType {
    /// As people choose it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number => "Number",
            Self::Date => "Date",
            Self::Choice => "One choice",
            Self::Choices => "Several choices",
            Self::Secret => "Secret",
        }
    }

    pub fn has_choices(self) -> bool {
        matches!(self, Self::Choice | Self::Choices)
    }
}

/// One thing that a configuration asks for. Its JSON is that of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// As it stands in braces.
    pub name: String,
    #[serde(rename = "type")]
    pub parameter_type: ParameterType,
    /// As people are asked for it; the name where it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Nobody declares it: an import that takes a file is given a kept one by it, by the file's id.
    #[serde(skip)]
    pub is_file: bool,
}

impl Parameter {
    /// What an import that takes a file asks for.
    pub fn file() -> Self {
        Self {
            name: FILE.to_owned(),
            parameter_type: ParameterType::Number,
            label: "Kept file".to_owned(),
            required: false,
            default: None,
            choices: Vec::new(),
            is_file: true,
        }
    }

    pub fn label(&self) -> &str {
        if self.label.is_empty() { &self.name } else { &self.label }
    }

    /// Whether somebody has to give a value.
    pub fn must_be_given(&self) -> bool {
        self.required && self.default.is_none()
    }

    /// A value of the JSON, as it is kept: what does not fit is said in words. Of a secret, the text itself.
    pub(super) fn fitting(&self, value: &Value) -> Result<Value, String> {
        let text = || match value {
            Value::String(text) if text.len() > LONGEST_VALUE => Err(format!("Use at most {LONGEST_VALUE} bytes.")),
            Value::String(text) if text.contains('\0') => Err("Text cannot contain a NUL character.".to_owned()),
            Value::String(text) => Ok(text.as_str()),
            _ => Err("Send text.".to_owned()),
        };
        match self.parameter_type {
            ParameterType::Text | ParameterType::Secret => text().map(Value::from),
            ParameterType::Number if self.is_file => match value.as_i64() {
                Some(id) => Ok(id.into()),
                None => Err("Send the id of a kept file.".to_owned()),
            },
            ParameterType::Number if value.is_number() => Ok(value.clone()),
            ParameterType::Number => Err("Send a number.".to_owned()),
            ParameterType::Date => {
                let text = text()?;
                RelativeDate::parse(text)?;
                Ok(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase().into())
            }
            ParameterType::Choice => {
                let text = text()?;
                self.choice(text)?;
                Ok(text.into())
            }
            ParameterType::Choices => {
                let Value::Array(list) = value else { return Err("Send a list of choices.".to_owned()) };
                let chosen: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                if chosen.len() < list.len() {
                    return Err("Send a list of choices.".to_owned());
                }
                chosen.iter().try_for_each(|choice| self.choice(choice))?;
                // In the order of the declaration, each once: what means the same is the same.
                Ok(self.choices.iter().filter(|choice| chosen.contains(&choice.as_str())).cloned().collect())
            }
        }
    }

    fn choice(&self, text: &str) -> Result<(), String> {
        if self.choices.iter().any(|choice| choice == text) {
            return Ok(());
        }
        let shown: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
        let some = self.choices.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
        let more = if self.choices.len() > 10 { " and others" } else { "" };
        Err(format!("\"{shown}\" is not among the choices: {some}{more}."))
    }
}

/// Whether a text can stand in braces.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Choices as a form takes them, one a line.
pub fn choice_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// What is wrong with the declarations, each at `parameters[i].member`.
pub fn check(parameters: &[Parameter]) -> FieldErrors {
    let mut errors = FieldErrors::new();
    if parameters.len() > MAX_PARAMETERS {
        errors.add("parameters", format!("A configuration has at most {MAX_PARAMETERS} parameters."));
        return errors;
    }
    for (i, parameter) in parameters.iter().enumerate() {
        let mut wrong = |member: &str, why: String| errors.add(format!("parameters[{i}].{member}"), why);
        if !is_name(&parameter.name) {
            let why =
                "Use letters of the English alphabet, digits and _, not a digit first, at most 64: such as month.";
            wrong("name", why.to_owned());
        } else if parameters[..i].iter().any(|other| other.name.eq_ignore_ascii_case(&parameter.name)) {
            wrong("name", format!("There is another parameter \"{}\". Give each its own name.", parameter.name));
        }
        let label = &parameter.label;
        if label.chars().count() > LONGEST_LABEL || label.chars().any(char::is_control) {
            wrong("label", format!("A label is one line of at most {LONGEST_LABEL} characters."));
        }
        if let Err(why) = choices(parameter) {
            wrong("choices", why);
            continue;
        }
        match &parameter.default {
            Some(_) if parameter.parameter_type == ParameterType::Secret => {
                wrong("default", "A secret has no default: everybody who may see the import could read it.".to_owned());
            }
            Some(default) => {
                if let Err(why) = parameter.fitting(default) {
                    wrong("default", why);
                }
            }
            None => {}
        }
    }
    errors
}

fn choices(parameter: &Parameter) -> Result<(), String> {
    let choices = &parameter.choices;
    if !parameter.parameter_type.has_choices() {
        return if choices.is_empty() { Ok(()) } else { Err("Only a choice has choices. Leave them out.".to_owned()) };
    }
    if choices.is_empty() || choices.len() > MAX_CHOICES {
        return Err(format!("Give 1 to {MAX_CHOICES} choices."));
    }
    let bad = |choice: &&String| {
        choice.trim() != choice.as_str()
            || choice.is_empty()
            || choice.chars().count() > LONGEST_LABEL
            || choice.chars().any(char::is_control)
    };
    if choices.iter().any(|choice| bad(&choice)) {
        return Err(format!("A choice is one line of 1 to {LONGEST_LABEL} characters, without outer spaces."));
    }
    match (1..choices.len()).find(|i| choices[..*i].contains(&choices[*i])) {
        Some(i) => Err(format!("\"{}\" is there twice.", choices[i])),
        None => Ok(()),
    }
}
