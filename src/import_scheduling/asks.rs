//! What an import set asks for when it runs: a fieldset for each step whose configuration declares parameters, what was
//! typed there, and the days that come of it. The schedule's dialog and Run now ask alike.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use crate::applications::Entered;
use crate::db::Conn;
use crate::error::{FieldErrors, Result};
use crate::files::kept::KeptFile;
use crate::import_sets::{self, ImportSet, SetDefinition, step_values};
use crate::imports::{self, Listed};
use crate::parameters::relative::RelativeDate;
use crate::parameters::{self, Fields, Parameter, ParameterType};
use crate::web::Form;

/// What the steps of each set of an Application ask for. A step that asks for nothing is left out, and so is a set of
/// such steps.
pub struct Asks(HashMap<i64, Vec<Ask>>);

struct Ask {
    position: usize,
    /// Of the configuration.
    name: String,
    /// As declared there, but that what the set gives is the default.
    declared: Vec<Parameter>,
    /// The values that the set gives, as anybody may see them.
    of_set: Map<String, Value>,
}

/// What a step of a set asks for, to be set into a form as it stands.
pub struct StepFields {
    pub position: usize,
    pub fields: Fields,
    /// Another step asks for something of the same name.
    pub shared: bool,
}

impl Ask {
    /// Stands before the names of its controls.
    fn prefix(&self) -> String {
        format!("{}.", self.position)
    }

    /// Its own of the values of the set's run.
    fn own(&self, values: &Map<String, Value>) -> Map<String, Value> {
        step_values::own(self.position, &self.declared, values)
    }

    fn alone(&self, parameter: &Parameter) -> String {
        step_values::alone(self.position, &parameter.name)
    }

    /// What its controls show for these values.
    fn shown(&self, values: &Map<String, Value>) -> Map<String, Value> {
        let mut shown = self.of_set.clone();
        shown.extend(self.own(values));
        shown
    }
}

impl Asks {
    pub fn of(sets: &[(ImportSet, SetDefinition)], configurations: &[Listed]) -> Self {
        let mut asks = HashMap::new();
        for (set, definition) in sets {
            let step = |(position, step): (usize, &import_sets::Step)| {
                let of = configurations.iter().find(|c| c.configuration.id == step.configuration_id)?;
                let of_set = step.parameters.as_ref().map(parameters::mask);
                let of_set = of_set.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
                let declared = step_values::with_defaults(&of.asks(), &of_set);
                let name = of.configuration.name.clone();
                (!declared.is_empty()).then_some(Ask { position, name, declared, of_set })
            };
            let steps: Vec<_> = (1..).zip(&definition.steps).filter_map(step).collect();
            if !steps.is_empty() {
                asks.insert(set.id, steps);
            }
        }
        Self(asks)
    }

    /// Those of one set alone.
    pub fn of_set(conn: &mut Conn, entered: &Entered, set_id: i64) -> Result<Self> {
        let set = import_sets::listed_of(conn, entered.application.id, &[set_id])?;
        let steps = set.iter().flat_map(|(_, definition)| &definition.steps);
        let steps: Vec<i64> = steps.map(|step| step.configuration_id).collect();
        let configurations = imports::listed(conn, entered, &steps)?;
        Ok(Self::of(&set, &configurations))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn steps(&self, set_id: i64) -> &[Ask] {
        self.0.get(&set_id).map_or(&[], Vec::as_slice)
    }

    /// How many steps of a set ask for something, and how many of them a form asked for.
    pub fn asked(&self, set_id: i64, sent: &Form) -> (usize, usize) {
        let steps = self.steps(set_id);
        (steps.len(), steps.iter().filter(|step| parameters::asked(sent, &step.prefix())).count())
    }

    /// All that a set's steps ask for, each named as its value is kept.
    pub fn together(&self, set_id: i64) -> Vec<Parameter> {
        let of_step = |ask: &Ask| {
            let named = |parameter: &Parameter| Parameter {
                name: ask.alone(parameter),
                label: format!("Step {}, {}", ask.position, parameter.label()),
                ..parameter.clone()
            };
            ask.declared.iter().map(named).collect::<Vec<_>>()
        };
        self.steps(set_id).iter().flat_map(of_step).collect()
    }

    /// The same by their own names, each once.
    pub fn names(&self, set_id: i64) -> Vec<Parameter> {
        let mut names: Vec<Parameter> = Vec::new();
        for parameter in self.steps(set_id).iter().flat_map(|ask| &ask.declared) {
            if !names.iter().any(|there| there.name == parameter.name) {
                names.push(parameter.clone());
            }
        }
        names
    }

    /// Values for the set's run, each by the step that it is for.
    pub fn by_step(&self, set_id: i64, values: Option<&Value>) -> Map<String, Value> {
        let Some(values) = values.and_then(Value::as_object) else { return Map::new() };
        let of_step = |ask: &Ask| {
            let own = ask.own(values).into_iter();
            own.map(|(name, value)| (step_values::alone(ask.position, &name), value)).collect::<Vec<_>>()
        };
        self.steps(set_id).iter().flat_map(of_step).collect()
    }

    /// What a form holds, as values; a secret that is left empty is the one that is kept. "Use these in all steps" gives
    /// those of one step to the others that ask for the same.
    pub fn given(&self, set_id: i64, sent: &Form, kept: Option<&Value>) -> Map<String, Value> {
        let none = Map::new();
        let kept = kept.and_then(Value::as_object).unwrap_or(&none);
        let steps = self.steps(set_id);
        let mut values = Map::new();
        for ask in steps {
            let there = Value::Object(ask.own(kept));
            let given = parameters::given(&ask.declared, &ask.prefix(), sent, Some(&there));
            let Some(Value::Object(given)) = given else { continue };
            values.extend(given.into_iter().map(|(name, value)| (step_values::alone(ask.position, &name), value)));
        }
        let same: Option<usize> = sent.get("show").strip_prefix("same:").and_then(|position| position.parse().ok());
        let Some(of) = same else { return values };
        let of_it = steps.iter().find(|ask| ask.position == of).map_or(&[][..], |ask| ask.declared.as_slice());
        for ask in steps.iter().filter(|ask| ask.position != of) {
            // A secret goes into no control of another kind.
            let alike = |parameter: &&Parameter| {
                of_it.iter().any(|of| (&of.name, of.parameter_type) == (&parameter.name, parameter.parameter_type))
            };
            for parameter in ask.declared.iter().filter(alike) {
                let from = values.get(&step_values::alone(of, &parameter.name)).cloned();
                if let Some(value) = from.filter(|value| *value != parameters::MASK) {
                    values.insert(ask.alone(parameter), value);
                }
            }
        }
        values
    }

    /// Whether what a form holds is no more than what it showed of the values that are kept: those that the set gives, and
    /// defaults, stand in it too.
    pub fn says_nothing_new(&self, set_id: i64, given: &Map<String, Value>, kept: Option<&Value>) -> bool {
        let none = Map::new();
        let kept = kept.and_then(Value::as_object).unwrap_or(&none);
        let something = |value: &&Value| **value != json!("") && **value != json!([]);
        let same = |ask: &Ask| {
            let shown = ask.shown(kept);
            ask.declared.iter().all(|parameter| {
                let given = given.get(&ask.alone(parameter)).filter(something);
                if parameter.parameter_type == ParameterType::Secret {
                    return given.is_none_or(|given| *given == parameters::MASK);
                }
                let chosen = parameter.default.as_ref().filter(|_| parameter.parameter_type.has_choices());
                given == shown.get(&parameter.name).or(chosen).filter(something)
            })
        };
        self.steps(set_id).iter().all(same)
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
        let steps = self.steps(set_id);
        let field = |ask: &Ask| {
            let fields = Fields::of(&ask.declared, &ask.prefix(), Some(&Value::Object(ask.shown(values))), errors);
            let others =
                || steps.iter().filter(|other| other.position != ask.position).flat_map(|other| &other.declared);
            StepFields {
                position: ask.position,
                fields: fields.with_files(application_id, files).titled(format!("Step {}, {}", ask.position, ask.name)),
                shared: ask.declared.iter().any(|parameter| others().any(|other| other.name == parameter.name)),
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

/// Whether some of them are dates.
pub fn has_dates(parameters: &[Parameter]) -> bool {
    parameters.iter().any(|parameter| parameter.parameter_type == ParameterType::Date)
}

/// "From: 1 September 2026 (the first day of last month)", of each date.
pub fn dates(parameters: &[Parameter], values: Option<&Value>, today: NaiveDate) -> Vec<String> {
    let dated = parameters.iter().filter(|parameter| parameter.parameter_type == ParameterType::Date);
    let told = |parameter: &Parameter| {
        let given = values.and_then(|values| values.get(&parameter.name)).or(parameter.default.as_ref());
        let day = RelativeDate::parse(given?.as_str()?);
        Some(match day.as_ref().map(|day| (day.on(today), day.is_fixed())) {
            Ok((Some(on), true)) => format!("{}: {}", parameter.label(), on.format("%-d %B %Y")),
            Ok((Some(on), false)) => {
                let words = day.as_ref().map(RelativeDate::words).unwrap_or_default();
                format!("{}: {} ({words})", parameter.label(), on.format("%-d %B %Y"))
            }
            _ => format!("{}: not a date yet", parameter.label()),
        })
    };
    dated.filter_map(told).collect()
}
