//! A parameter as the API takes and answers it.

use serde_json::Value;

use super::model::{Parameter, ParameterType};
use crate::shape::{Described, Reader, Schemas, Sent, sent};

/// A default: text, a number or a list of choices; which, the declaration's check says.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Given(pub Value);

impl Described for Given {
    fn schema(_: &mut Schemas) -> Value {
        serde_json::json!({ "type": ["string", "number", "array"], "items": { "type": "string" } })
    }
}

impl Sent for Given {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        match sent {
            Value::String(_) | Value::Number(_) | Value::Array(_) => Some(Self(sent)),
            _ => reader.wrong(at, "Send text, a number or a list of choices."),
        }
    }
}

sent! {
    /// A parameter of an import configuration. It is used as `{name}` in the path, the query, filters and constants, and in
    /// the address and headers of the Connection; a date also as `{name:%Y%m}`.
    pub struct ParameterBody {
        /// Letters, digits and _, not a digit first.
        name: String = "Enter a name." => "month",
        r#type: ParameterType = "Choose a type: text, number, date, choice, choices or secret." => "date",
        /// How people are asked for it. Default: the name.
        label: String,
        /// Whether there must be a value. Default: false.
        required: bool,
        /// Used where no value is given. A date may be relative: `yesterday`, `-3d`, `start of last month`,
        /// `monday of this week`. A secret has none.
        default: Given => "start of last month",
        /// Of a choice or choices.
        choices: Vec<String>,
    }
}

impl ParameterBody {
    pub fn of(parameter: &Parameter) -> Self {
        Self {
            name: Some(parameter.name.clone()),
            r#type: Some(parameter.parameter_type),
            label: Some(parameter.label.clone()).filter(|label| !label.is_empty()),
            required: Some(parameter.required),
            default: parameter.default.clone().map(Given),
            choices: Some(parameter.choices.clone()).filter(|choices| !choices.is_empty()),
        }
    }

    pub fn read(self) -> Parameter {
        Parameter {
            name: self.name.unwrap_or_default(),
            parameter_type: self.r#type.unwrap_or_default(),
            label: self.label.unwrap_or_default().trim().to_owned(),
            required: self.required.unwrap_or_default(),
            default: self.default.map(|Given(value)| value),
            choices: self.choices.unwrap_or_default(),
            is_file: false,
        }
    }
}
