//! An import set as the API takes and answers it, and the audit log keeps it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::draft::Draft;
use super::model::{Execution, ImportSet, OnFailure, SetDefinition, Step};
use crate::error::FieldErrors;
use crate::imports::ConfigurationStatus;
use crate::parameters::{all_told, mask};
use crate::shape::{Object, answer, sent};

sent! {
    /// The fields of an import set to create or change.
    pub struct ImportSetBody {
        /// Its name.
        name: String = "Enter a name." => "Month end",
        /// Whether each step waits for the one before it. Default: sequential.
        execution: Execution => "sequential",
        /// What happens to the steps that have not started when one fails. Default: stop, which skips them.
        on_failure: OnFailure => "stop",
        /// The steps in their order, 1 to 50. An import configuration may stand in it more than once.
        steps: Vec<SetStepBody> = "Add at least one step.",
    }
}

sent! {
    /// A step of an import set.
    pub struct SetStepBody {
        /// The import configuration that it runs, of the same Application. One that takes a file is given a kept one by the parameter `file`.
        configuration_id: i64 = "Choose the import configuration." => 3,
        /// Values by the names that the configuration declares. Default: its defaults.
        parameters: Object,
        /// Whether Partial counts as failed. Default: false.
        partial_fails: bool,
    }
}

answer! {
    /// An ordered sequence of import configurations, run as one.
    pub struct ImportSetAnswer of (set: &ImportSet, definition: &SetDefinition) {
        id: i64 = set.id,
        application_id: i64 = set.application_id,
        /// Grows with every change; a run says which one it used.
        version: i64 = set.version,
        /// How its latest run ended. Skipped, missed and cancelled runs do not count.
        status: Option<ConfigurationStatus> = set.status,
        status_run_id: Option<i64> = set.status_run_id;
        body: ImportSetBody = ImportSetBody::of(set, definition)
    }
}

/// As the audit log keeps it.
pub(super) fn audited(set: &ImportSet, definition: &SetDefinition) -> Value {
    json!(ImportSetAnswer::of(set, definition))
}

/// As two are compared: each step by the name of its configuration, with its values in words.
pub fn compared(draft: &Draft, configurations: &BTreeMap<i64, String>, files: &BTreeMap<i64, String>) -> Value {
    let step = |step: &Step| {
        let name = configurations.get(&step.configuration_id).map(String::as_str).unwrap_or_default();
        let values = all_told(step.parameters.as_ref(), files);
        let mut said: Vec<String> = (!values.is_empty()).then_some(values).into_iter().collect();
        said.extend(step.partial_fails.then(|| "Partial counts as failed".to_owned()));
        if said.is_empty() { name.to_owned() } else { format!("{name} ({})", said.join(", ")) }
    };
    json!({
        "name": draft.name,
        "execution": draft.definition.execution.label(),
        "on_failure": draft.definition.on_failure.label(),
        "steps": draft.definition.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

impl ImportSetBody {
    /// What would save it unchanged.
    pub fn of(set: &ImportSet, definition: &SetDefinition) -> Self {
        let step = |step: &Step| SetStepBody {
            configuration_id: Some(step.configuration_id),
            parameters: step.parameters.as_ref().and_then(|values| mask(values).as_object().cloned()),
            partial_fails: Some(step.partial_fails),
        };
        Self {
            name: Some(set.name.clone()),
            execution: Some(definition.execution),
            on_failure: Some(definition.on_failure),
            steps: Some(definition.steps.iter().map(step).collect()),
        }
    }

    /// The draft, unless something is wrong with what was sent.
    pub fn draft(self, errors: FieldErrors) -> Result<Draft, FieldErrors> {
        let step = |step: SetStepBody| Step {
            configuration_id: step.configuration_id.unwrap_or_default(),
            parameters: step.parameters.map(Value::Object),
            partial_fails: step.partial_fails.unwrap_or(false),
        };
        let definition = SetDefinition {
            execution: self.execution.unwrap_or(Execution::Sequential),
            on_failure: self.on_failure.unwrap_or(OnFailure::Stop),
            steps: self.steps.unwrap_or_default().into_iter().map(step).collect(),
        };
        no_set_in_a_set(errors).ok_or(Draft { name: self.name.unwrap_or_default(), definition })
    }
}

/// A step that names a set is told so, and not that it lacks a configuration.
fn no_set_in_a_set(mut errors: FieldErrors) -> FieldErrors {
    let sets: Vec<String> =
        errors.0.iter().filter_map(|error| Some(error.field.strip_suffix("].set_id")?.to_owned())).collect();
    errors.0.retain(|e| e.field.strip_suffix("].configuration_id").is_none_or(|at| !sets.iter().any(|set| set == at)));
    for error in errors.0.iter_mut().filter(|error| error.field.ends_with("].set_id")) {
        error.detail = "A set cannot contain another set: add its steps instead.".into();
    }
    errors
}
