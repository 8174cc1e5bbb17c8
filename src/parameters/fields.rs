//! Values in a form: a control for each parameter, the same wherever they are asked for, and what was typed read back.
//! Controls are named `parameters.NAME`, below a prefix where one page asks for several imports (`2.parameters.NAME`).

use askama::Template;
use askama::filters::HtmlSafe;
use serde_json::{Value, json};

use super::model::{Parameter, ParameterType};
use super::relative::{RelativeDate, USUAL};
use super::values::MASK;
use crate::error::FieldErrors;
use crate::files::kept::KeptFile;
use crate::files::pages::FileField;
use crate::web::{Form, control_id};

/// The fieldset, to be set into a form as it stands.
#[derive(Template, Debug, Default)]
#[template(path = "parameters/fields.html")]
pub struct Fields {
    legend: String,
    /// Stands before the name of each control.
    prefix: String,
    fields: Vec<Field>,
    /// What is wrong with all of them together.
    error: Option<String>,
}

// A template of ours, escaped where it holds data.
impl HtmlSafe for Fields {}

#[derive(Debug)]
struct Field {
    name: String,
    label: String,
    parameter_type: ParameterType,
    required: bool,
    value: String,
    /// Each choice and whether it is chosen.
    choices: Vec<(String, bool)>,
    hint: String,
    error: Option<String>,
    /// Of a file.
    file: Option<FileField>,
    /// The kept file that is chosen.
    chosen_file: Option<i64>,
    is_file: bool,
}

impl Field {
    fn is(&self, word: &str) -> bool {
        self.parameter_type.as_str() == word
    }
}

impl Fields {
    /// A control for each, holding these values: kept ones, or what was typed. What is wrong is told at `parameters.NAME`.
    pub fn of(parameters: &[Parameter], prefix: &str, values: Option<&Value>, errors: &FieldErrors) -> Self {
        let field = |parameter: &Parameter| {
            let field = format!("{prefix}parameters.{}", parameter.name);
            let value = values.and_then(|values| values.get(&parameter.name)).filter(|value| !value.is_null());
            let shown = value.or(parameter.default.as_ref().filter(|_| parameter.parameter_type.has_choices()));
            let chosen = |choice: &String| match shown {
                Some(Value::Array(list)) => list.contains(&json!(choice)),
                Some(Value::String(text)) => text == choice,
                _ => false,
            };
            let secret = parameter.parameter_type == ParameterType::Secret;
            Field {
                error: errors.of(&field).map(str::to_owned),
                name: field,
                label: parameter.label().to_owned(),
                parameter_type: parameter.parameter_type,
                required: parameter.must_be_given(),
                value: if secret { String::new() } else { value.map(text).unwrap_or_default() },
                choices: parameter.choices.iter().map(|choice| (choice.clone(), chosen(choice))).collect(),
                hint: hint(parameter, value.is_some()),
                file: None,
                chosen_file: value.and_then(Value::as_i64),
                is_file: parameter.is_file,
            }
        };
        let error = errors.of(&format!("{prefix}parameters")).map(str::to_owned);
        let legend = if parameters.iter().all(|parameter| parameter.is_file) { "File" } else { "Parameters" };
        Self {
            legend: legend.to_owned(),
            prefix: prefix.to_owned(),
            fields: parameters.iter().map(field).collect(),
            error,
        }
    }

    /// The same where an Application keeps these files.
    pub fn with_files(mut self, application_id: i64, files: &[KeptFile]) -> Self {
        for field in self.fields.iter_mut().filter(|field| field.is_file) {
            let (chosen, error) = (field.chosen_file, field.error.clone());
            field.file = Some(FileField::of(application_id, &field.name, &field.label, files, chosen, error));
        }
        self
    }

    /// The same under another title.
    pub fn titled(self, legend: impl Into<String>) -> Self {
        Self { legend: legend.into(), ..self }
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The id of the fieldset.
    fn id(&self) -> String {
        control_id(&format!("{}parameters", self.prefix))
    }

    fn has_dates(&self) -> bool {
        self.fields.iter().any(|field| field.parameter_type == ParameterType::Date)
    }

    fn usual(&self) -> &'static [&'static str] {
        &USUAL
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn hint(parameter: &Parameter, is_set: bool) -> String {
    let default = parameter.default.as_ref().map(text);
    match (parameter.parameter_type, default) {
        (ParameterType::Secret, _) if is_set => {
            "It is set. Leave it empty to keep it, unless the query or the Connection has changed since.".to_owned()
        }
        (ParameterType::Date, Some(default)) => {
            let words = RelativeDate::parse(&default).map_or(default, |date| date.words());
            format!("A date, or words such as yesterday or start of last month. If empty: {words}.")
        }
        (ParameterType::Date, None) => "A date, or words such as yesterday or start of last month.".to_owned(),
        (ParameterType::Text | ParameterType::Number, Some(default)) => format!("If empty: {default}."),
        _ => String::new(),
    }
}

/// Whether a form asked for values at all: it has the fieldset.
pub fn asked(form: &Form, prefix: &str) -> bool {
    form.has(&format!("{prefix}parameters"))
}

/// What a form holds, as values; a secret that is left empty is the one that is kept. `None` where it did not ask: that
/// nothing is ticked in it is no choice.
pub fn given(parameters: &[Parameter], prefix: &str, form: &Form, kept: Option<&Value>) -> Option<Value> {
    if !asked(form, prefix) {
        return None;
    }
    let mut values = serde_json::Map::new();
    for parameter in parameters {
        let name = format!("{prefix}parameters.{}", parameter.name);
        let typed = form.raw(&name);
        let value = match parameter.parameter_type {
            ParameterType::Choices => json!(form.all(&name).collect::<Vec<_>>()),
            ParameterType::Secret if typed.is_empty() => match kept.and_then(|kept| kept.get(&parameter.name)) {
                Some(_) => json!(MASK),
                None => continue,
            },
            ParameterType::Secret => json!(typed),
            _ if typed.trim().is_empty() => continue,
            ParameterType::Number => match serde_json::from_str::<serde_json::Number>(typed.trim()) {
                Ok(number) => Value::Number(number),
                Err(_) => json!(typed),
            },
            _ => json!(typed.trim()),
        };
        values.insert(parameter.name.clone(), value);
    }
    (!values.is_empty()).then_some(Value::Object(values))
}
