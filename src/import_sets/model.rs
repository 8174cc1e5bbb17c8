//! An import set: its steps in their order, and how they follow each other.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Moment;
use crate::db::text_enum;
use crate::imports::ConfigurationStatus;

text_enum! {
    /// Whether a step waits for the one before it.
    pub enum Execution { Sequential = "sequential", Parallel = "parallel" }
}

text_enum! {
    /// What becomes of the steps that have not begun when one fails.
    pub enum OnFailure { Stop = "stop", Continue = "continue" }
}

impl Execution {
    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Sequential => "Sequential",
            Self::Parallel => "Parallel",
        }
    }

    pub fn explained(self) -> &'static str {
        match self {
            Self::Sequential => "One after the other. Each step waits for the one before it.",
            Self::Parallel => "All at once. Steps that fill the same Block still take turns.",
        }
    }
}

impl OnFailure {
    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Stop => "Stop",
            Self::Continue => "Continue",
        }
    }

    pub fn explained(self) -> &'static str {
        match self {
            Self::Stop => "Steps that have not started are skipped. The set ends as Failed.",
            Self::Continue => "The other steps still run. The set ends as Partial, or as Failed if none succeeds.",
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub configuration_id: i64,
    /// An object, by the names that the configuration declares. `None`: its defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// Whether Partial counts as failed for what follows.
    #[serde(default)]
    pub partial_fails: bool,
}

impl Step {
    /// With the configuration's defaults; Partial is good enough.
    pub fn of(configuration_id: i64) -> Self {
        Self { configuration_id, parameters: None, partial_fails: false }
    }
}

/// What a set does. Its JSON is that of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetDefinition {
    pub execution: Execution,
    pub on_failure: OnFailure,
    /// In their order, 1 to 50; a configuration may stand in it twice.
    pub steps: Vec<Step>,
}

/// A set without its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportSet {
    pub id: i64,
    pub application_id: i64,
    pub name: String,
    /// Also the version of its newest definition.
    pub version: i64,
    /// How the Run ended that ended last of those that ended one of these ways.
    pub status: Option<ConfigurationStatus>,
    /// The Run that the status is of.
    pub status_run_id: Option<i64>,
    pub created_at: Moment,
    pub archived: bool,
}

/// A set as a long list is searched and sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    pub id: i64,
    pub name: String,
    pub status: Option<ConfigurationStatus>,
    /// When the run ended that the status is of.
    pub status_at: Option<Moment>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_reads_back_what_it_wrote() {
        let stored = r#"{"execution":"sequential","on_failure":"stop","steps":[
            {"configuration_id":3,"partial_fails":true},
            {"configuration_id":3,"parameters":{"day":"yesterday"},"partial_fails":false}]}"#;
        let read: SetDefinition = serde_json::from_str(stored).unwrap();
        assert_eq!(read.steps[0], Step { configuration_id: 3, parameters: None, partial_fails: true });
        let stored: Value = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), stored);
    }
}
