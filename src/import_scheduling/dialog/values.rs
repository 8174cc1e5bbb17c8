//! Values of the parameters of what is chosen: of a configuration, or of each step of a set.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Stage;
use super::form::StepFields;
use super::typed::Typed;
use crate::applications::Entered;
use crate::db::Conn;
use crate::error::{FieldErrors, Result};
use crate::files::kept::KeptFile;
use crate::import_sets::{self, step_values};
use crate::imports::{self, Listed, Target};
use crate::parameters::{self, Fields, Parameter};
use crate::web::Form;

/// What the steps of each set of an Application ask for. A step that asks for nothing is left out, and so is a set of
/// such steps.
pub struct Asks(HashMap<i64, Vec<Ask>>);

struct Ask {
    position: usize,
    /// Of the configuration.
    name: String,
    declared: Vec<Parameter>,
    /// The values that the set gives, as anybody may see them.
    of_set: Map<String, Value>,
}

impl Asks {
    pub fn load(
        conn: &mut Conn,
        application_id: i64,
        sets: &[import_sets::Outline],
        configurations: &[Listed],
    ) -> Result<Self> {
        let ids: Vec<i64> = sets.iter().map(|set| set.id).collect();
        let mut asks = HashMap::new();
        for (set, definition) in import_sets::listed_of(conn, application_id, &ids)? {
            let step = |(position, step): (usize, &import_sets::Step)| {
                let of = configurations.iter().find(|c| c.configuration.id == step.configuration_id)?;
                let declared = of.asks();
                let of_set = step.parameters.as_ref().map(parameters::mask);
                let of_set = of_set.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
                let name = of.configuration.name.clone();
                (!declared.is_empty()).then_some(Ask { position, name, declared, of_set })
            };
            let steps: Vec<_> = (1..).zip(&definition.steps).filter_map(step).collect();
            if !steps.is_empty() {
                asks.insert(set.id, steps);
            }
        }
        Ok(Self(asks))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, set_id: i64) -> &[Ask] {
        self.0.get(&set_id).map_or(&[], Vec::as_slice)
    }

    /// Those of one set alone.
    pub fn of_set(conn: &mut Conn, entered: &Entered, set_id: i64) -> Result<Self> {
        let application_id = entered.application.id;
        let Some((set, definition)) = import_sets::listed_of(conn, application_id, &[set_id])?.pop() else {
            return Ok(Self(HashMap::new()));
        };
        let steps: Vec<i64> = definition.steps.iter().map(|step| step.configuration_id).collect();
        let configurations = imports::listed(conn, entered, &steps)?;
        let outline = import_sets::Outline { id: set.id, name: set.name, status: set.status, status_at: None };
        Self::load(conn, application_id, &[outline], &configurations)
    }

    /// All that a set's steps ask for, each named as its value is kept.
    pub fn together(&self, set_id: i64) -> Vec<Parameter> {
        let of_step = |Ask { position, declared, of_set, .. }: &Ask| {
            let named = |parameter: &Parameter| Parameter {
                name: step_values::alone(*position, &parameter.name),
                label: format!("Step {position}, {}", parameter.label()),
                default: of_set.get(&parameter.name).cloned().or_else(|| parameter.default.clone()),
                ..parameter.clone()
            };
            declared.iter().map(named).collect::<Vec<_>>()
        };
        self.of(set_id).iter().flat_map(of_step).collect()
    }

    /// What a form holds, as values; a secret that is left empty is the one that is kept.
    pub fn given(&self, set_id: i64, sent: &Form, kept: Option<&Value>) -> Map<String, Value> {
        let none = Map::new();
        let kept = kept.and_then(Value::as_object).unwrap_or(&none);
        let mut values = Map::new();
        for Ask { position, declared, .. } in self.of(set_id) {
            let there = Value::Object(step_values::own(*position, declared, kept));
            let given = parameters::given(declared, &format!("{position}."), sent, Some(&there));
            let Some(Value::Object(given)) = given else { continue };
            values.extend(given.into_iter().map(|(name, value)| (step_values::alone(*position, &name), value)));
        }
        values
    }

    /// The controls of a set's steps, holding these values.
    pub fn fields(
        &self,
        set_id: i64,
        values: Option<&Value>,
        errors: &FieldErrors,
        (application_id, files): (i64, &[KeptFile]),
    ) -> Vec<StepFields> {
        let none = Map::new();
        let values = values.and_then(Value::as_object).unwrap_or(&none);
        let steps = self.of(set_id);
        let field = |Ask { position, name, declared, of_set }: &Ask| {
            let mut own = of_set.clone();
            own.extend(step_values::own(*position, declared, values));
            let own = Value::Object(own);
            let fields = Fields::of(declared, &format!("{position}."), Some(&own), errors);
            let fields = fields.with_files(application_id, files);
            let others = || steps.iter().filter(|other| other.position != *position).flat_map(|other| &other.declared);
            StepFields {
                position: *position,
                fields: fields.titled(format!("Step {position}, {name}")),
                shared: declared.iter().any(|parameter| others().any(|other| other.name == parameter.name)),
            }
        };
        steps.iter().map(field).collect()
    }
}

/// What is wrong with values for a set is named as they are taken in; here as the form's controls are.
pub fn at_controls(mut errors: FieldErrors) -> FieldErrors {
    for error in &mut errors.0 {
        if let Some((position, name)) = error.field.strip_prefix("parameters.").and_then(|rest| rest.split_once('.')) {
            error.field = format!("{position}.parameters.{name}");
        }
    }
    errors
}

/// Reads the values of what is chosen. An import that was chosen after the form was drawn has yet to ask for its own.
pub fn read(stage: &Stage, typed: &mut Typed, sent: &Form) -> Result<(), FieldErrors> {
    let target = match typed.of_set {
        true => typed.set.map(Target::Set),
        false => typed.configuration.map(Target::Configuration),
    };
    let before = stage.schedule.as_ref().or(stage.copied.as_ref().map(|copied| &copied.of));
    let kept = before.filter(|before| Some(before.target) == target).and_then(|before| before.parameters.as_ref());
    if let Some(Target::Set(id)) = target {
        return read_of_set(stage, id, typed, sent, kept);
    }
    let chosen = target.and_then(Target::configuration);
    let found = stage.configurations.iter().find(|listed| Some(listed.configuration.id) == chosen);
    let declared = found.map(Listed::asks).unwrap_or_default();
    if parameters::asked(sent, "") {
        typed.values = parameters::given(&declared, "", sent, kept);
        return Ok(());
    }
    typed.values = kept.map(parameters::mask);
    match declared.is_empty() || stage.schedule.is_some() {
        true => Ok(()),
        false => Err(FieldErrors::one("parameters", "This import asks for values. Check them, then save.")),
    }
}

fn read_of_set(
    stage: &Stage,
    set_id: i64,
    typed: &mut Typed,
    sent: &Form,
    kept: Option<&Value>,
) -> Result<(), FieldErrors> {
    let steps = stage.asks.of(set_id);
    let asked = steps.iter().any(|step| parameters::asked(sent, &format!("{}.", step.position)));
    if !asked {
        typed.values = kept.map(parameters::mask);
        return match steps.is_empty() || stage.schedule.is_some() {
            true => Ok(()),
            false => Err(FieldErrors::one("set_id", "Its steps ask for values. Check them, then save.")),
        };
    }
    // "Use these in all steps": the position of the step whose values those are.
    let same: Option<usize> = sent.get("show").strip_prefix("same:").and_then(|position| position.parse().ok());
    let mut values = stage.asks.given(set_id, sent, kept);
    if let Some(of) = same {
        for Ask { position, declared, .. } in steps.iter().filter(|step| step.position != of) {
            for parameter in declared {
                let from = values.get(&step_values::alone(of, &parameter.name)).cloned();
                if let Some(value) = from.filter(|value| *value != parameters::MASK) {
                    values.insert(step_values::alone(*position, &parameter.name), value);
                }
            }
        }
    }
    typed.values = (!values.is_empty()).then_some(Value::Object(values));
    Ok(())
}
