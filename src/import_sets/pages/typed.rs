//! The form of a set: what was typed, what its buttons do to the steps, and what it means. Each step has a key of its own
//! (`step-3-configuration=12`, `step-3-partial=on`); their order is that of these fields.

use std::collections::HashSet;

use crate::error::FieldErrors;
use crate::import_sets::draft::TOO_MANY;
use crate::import_sets::{Draft, Execution, ImportSet, MAX_STEPS, OnFailure, SetDefinition, Step};
use crate::web::Form;

/// What stands in the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    pub name: String,
    pub version: Option<i64>,
    pub execution: String,
    pub on_failure: String,
    pub steps: Vec<Step>,
}

/// What a button did to the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edited {
    /// The step stands here now.
    Moved { at: usize, up: bool },
    /// A step of this configuration stood here.
    Removed { at: usize, configuration_id: i64 },
    /// It is the last one now.
    Added,
}

impl Typed {
    /// A blank form.
    pub fn blank() -> Self {
        let (execution, on_failure) = (Execution::Sequential.to_string(), OnFailure::Stop.to_string());
        Self { name: String::new(), version: None, execution, on_failure, steps: Vec::new() }
    }

    /// The controls as they show a set.
    pub fn of(set: &ImportSet, definition: &SetDefinition) -> Self {
        Self {
            name: set.name.clone(),
            version: Some(set.version),
            execution: definition.execution.to_string(),
            on_failure: definition.on_failure.to_string(),
            steps: definition.steps.clone(),
        }
    }

    pub fn read(form: &Form) -> Self {
        let step = |key: &str| Step {
            configuration_id: form.id(&format!("step-{key}-configuration")).unwrap_or_default(),
            parameters: form.some(&format!("step-{key}-parameters")).and_then(|text| serde_json::from_str(text).ok()),
            partial_fails: form.ticked(&format!("step-{key}-partial")),
        };
        Self {
            name: form.get("name").to_owned(),
            version: form.id("version"),
            execution: form.get("execution").to_owned(),
            on_failure: form.get("on_failure").to_owned(),
            steps: keys(form).into_iter().map(step).collect(),
        }
    }

    /// Does what the button says that was pressed: `up:3`, `down:3`, `remove:3` with the key of a step, `add` with a
    /// configuration of these. `None`: it was the one that saves.
    pub fn edit(&mut self, form: &Form, addable: &[i64]) -> Option<Result<Edited, FieldErrors>> {
        let go = form.get("go");
        if go == "add" {
            return Some(self.add(form.id("add").filter(|id| addable.contains(id))));
        }
        let (deed, key) = go.split_once(':')?;
        let at = keys(form).iter().position(|known| *known == key)?;
        Some(Ok(match deed {
            "up" => {
                let to = at.saturating_sub(1);
                self.steps.swap(at, to);
                Edited::Moved { at: to, up: true }
            }
            "down" => {
                let to = (at + 1).min(self.steps.len() - 1);
                self.steps.swap(at, to);
                Edited::Moved { at: to, up: false }
            }
            "remove" => Edited::Removed { at, configuration_id: self.steps.remove(at).configuration_id },
            _ => return None,
        }))
    }

    fn add(&mut self, configuration_id: Option<i64>) -> Result<Edited, FieldErrors> {
        match configuration_id {
            None => Err(FieldErrors::one("add", "Choose an import configuration to add.")),
            Some(_) if self.steps.len() >= MAX_STEPS => Err(FieldErrors::one("add", TOO_MANY)),
            Some(id) => {
                self.steps.push(Step::of(id));
                Ok(Edited::Added)
            }
        }
    }

    /// What it means; what is wrong is named by the fields of a set.
    pub fn draft(&self) -> Result<Draft, FieldErrors> {
        let mut errors = FieldErrors::new();
        let (execution, on_failure) = (Execution::parse(&self.execution), OnFailure::parse(&self.on_failure));
        if execution.is_none() {
            errors.add("execution", "Choose how the steps run.");
        }
        if on_failure.is_none() {
            errors.add("on_failure", "Choose what happens when a step fails.");
        }
        errors.ok_or(Draft { name: self.name.clone(), definition: self.definition() })
    }

    /// What the set does; where nothing is chosen, as a new one.
    pub fn definition(&self) -> SetDefinition {
        SetDefinition {
            execution: Execution::parse(&self.execution).unwrap_or(Execution::Sequential),
            on_failure: OnFailure::parse(&self.on_failure).unwrap_or(OnFailure::Stop),
            steps: self.steps.clone(),
        }
    }
}

/// The keys of the steps in their order, each once.
fn keys(form: &Form) -> Vec<&str> {
    fn key((name, _): &(String, String)) -> Option<&str> {
        name.strip_prefix("step-")?.strip_suffix("-configuration")
    }
    let mut seen = HashSet::new();
    form.0.iter().filter_map(key).filter(|key| seen.insert(*key)).collect()
}

/// What is wrong, by the controls: of a step it stands in its row, of all steps where one is added.
pub fn at_controls(mut errors: FieldErrors) -> FieldErrors {
    for error in &mut errors.0 {
        let at =
            error.field.strip_prefix("steps[").and_then(|rest| rest.split(']').next()).map(|at| format!("step-{at}"));
        match at {
            Some(at) => error.field = at,
            None if error.field == "steps" => error.field = "add".into(),
            None => {}
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "name=A&execution=parallel&on_failure=stop&step-7-configuration=70&step-2-configuration=20\
                        &step-9-configuration=90&step-2-configuration=21&step-2-partial=on&add=5";

    fn after(go: &str) -> (Vec<i64>, Option<Result<Edited, FieldErrors>>) {
        let form = Form::parse(format!("{FORM}&go={go}").as_bytes());
        let mut typed = Typed::read(&form);
        let edited = typed.edit(&form, &[5, 20, 70, 90]);
        (typed.steps.iter().map(|step| step.configuration_id).collect(), edited)
    }

    #[test]
    fn the_order_is_that_of_the_keys_and_each_step_keeps_its_own() {
        let typed = Typed::read(&Form::parse(FORM.as_bytes()));
        let steps: Vec<(i64, bool)> = typed.steps.iter().map(|s| (s.configuration_id, s.partial_fails)).collect();
        assert_eq!(steps, [(70, false), (20, true), (90, false)]);
        assert_eq!(typed.draft().unwrap().definition.execution, Execution::Parallel);
    }

    #[test]
    fn a_button_moves_removes_and_adds() {
        assert_eq!(after("save"), (vec![70, 20, 90], None));
        assert_eq!(after("up:2"), (vec![20, 70, 90], Some(Ok(Edited::Moved { at: 0, up: true }))));
        assert_eq!(after("up:7"), (vec![70, 20, 90], Some(Ok(Edited::Moved { at: 0, up: true }))));
        assert_eq!(after("down:2"), (vec![70, 90, 20], Some(Ok(Edited::Moved { at: 2, up: false }))));
        assert_eq!(after("down:9"), (vec![70, 20, 90], Some(Ok(Edited::Moved { at: 2, up: false }))));
        let removed = Edited::Removed { at: 1, configuration_id: 20 };
        assert_eq!(after("remove:2"), (vec![70, 90], Some(Ok(removed))));
        assert_eq!(after("add"), (vec![70, 20, 90, 5], Some(Ok(Edited::Added))));
        let form = Form::parse(b"go=add&add=6");
        assert!(Typed::read(&form).edit(&form, &[5]).unwrap().unwrap_err().of("add").is_some());
        let many: String = (0..50).map(|n| format!("&step-{n}-configuration=1")).collect();
        let form = Form::parse(format!("go=add&add=5{many}").as_bytes());
        assert_eq!(Typed::read(&form).edit(&form, &[5]).unwrap().unwrap_err().of("add"), Some(TOO_MANY));
    }

    #[test]
    fn what_is_wrong_stands_at_its_controls() {
        let mut errors = FieldErrors::one("steps[3].configuration_id", "a");
        errors.add("steps", "b");
        errors.add("name", "c");
        let fields: Vec<String> = at_controls(errors).0.into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["step-3", "add", "name"]);
    }
}
