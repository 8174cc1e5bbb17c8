//! Values for the run of a set: one for all steps that declare a name, or, as `2.day`, for step 2 alone. What nobody
//! gives for the run is as the set's step has it, else as the configuration's default.

use serde_json::{Map, Value, json};

use super::model::Step;
use super::store;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::files::kept::FILE;
use crate::imports::{self, Configuration, Target};
use crate::parameters::{self, Parameter, ParameterType};
use crate::secrets::Secrets;

/// What of the values for a set's run is for one of its steps, beside those that the step itself has.
pub fn of_step(conn: &mut Conn, (position, step): (usize, &Step), given: Option<&Value>) -> Result<Option<Value>> {
    if given.and_then(Value::as_object).is_none_or(Map::is_empty) {
        return Ok(step.parameters.clone());
    }
    Ok(with_given((position, step), &declared(conn, step.configuration_id)?.1, given))
}

/// The values that a step has, and those given for the set's run that are for it, by the names that it declares.
pub fn with_given((position, step): (usize, &Step), declared: &[Parameter], given: Option<&Value>) -> Option<Value> {
    let mut values = step.parameters.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(given) = given.and_then(Value::as_object) {
        values.extend(own(position, declared, given));
    }
    Some(Value::Object(values)).filter(|values| *values != json!({}))
}

/// A configuration, what its newest version asks for, and its query.
fn declared(conn: &mut Conn, configuration_id: i64) -> Result<(Configuration, Vec<Parameter>, Option<String>)> {
    let found = imports::by_id(conn, configuration_id)?.ok_or(AppError::NotFound)?;
    let version = imports::version(conn, configuration_id, found.version)?.ok_or(AppError::NotFound)?;
    let asks = found.asks(&version.definition);
    Ok((found, asks, version.definition.source.query))
}

/// Those for one step by the names that it declares; its own before those for all.
pub fn own(position: usize, declared: &[Parameter], given: &Map<String, Value>) -> Map<String, Value> {
    let of = |p: &Parameter| Some((p.name.clone(), of_name(Some(position), &p.name, given)?.clone()));
    declared.iter().filter_map(of).collect()
}

/// The value of a name: for one step that alone before the one for all.
pub fn of_name<'a>(position: Option<usize>, name: &str, given: &'a Map<String, Value>) -> Option<&'a Value> {
    position.and_then(|position| given.get(&alone(position, name))).or_else(|| given.get(name))
}

/// The name of a value for one step alone.
pub fn alone(position: usize, name: &str) -> String {
    format!("{position}.{name}")
}

/// What is declared, what the set gives as its default.
pub fn with_defaults(declared: &[Parameter], of_set: &Map<String, Value>) -> Vec<Parameter> {
    let default = |p: &Parameter| of_set.get(&p.name).or(p.default.as_ref()).cloned();
    declared.iter().map(|p| Parameter { default: default(p), ..p.clone() }).collect()
}

/// A parameter that runs may be named after.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Of the first step that declares it; none of a configuration.
    pub position: Option<usize>,
    pub parameter: Parameter,
}

/// What a configuration declares; of a set what its steps do, each name once.
pub fn of_target(conn: &mut Conn, target: Target) -> Result<Vec<Declared>> {
    let set_id = match target {
        Target::Configuration(id) => {
            let parameters = declared(conn, id)?.1.into_iter();
            return Ok(parameters.map(|parameter| Declared { position: None, parameter }).collect());
        }
        Target::Set(id) => id,
    };
    let set = store::by_id(conn, set_id)?.ok_or(AppError::NotFound)?;
    let definition = store::version(conn, set_id, set.version)?.ok_or(AppError::NotFound)?;
    let none = Map::new();
    let mut named: Vec<Declared> = Vec::new();
    for (position, step) in (1..).zip(&definition.steps) {
        let of_set = step.parameters.as_ref().and_then(Value::as_object).unwrap_or(&none);
        for parameter in with_defaults(&declared(conn, step.configuration_id)?.1, of_set) {
            match named.iter_mut().find(|there| there.parameter.name == parameter.name) {
                // A secret in one step is a secret wherever the name is used.
                Some(there) if parameter.parameter_type == ParameterType::Secret => {
                    there.parameter.parameter_type = ParameterType::Secret;
                }
                Some(_) => {}
                None => named.push(Declared { position: Some(position), parameter }),
            }
        }
    }
    Ok(named)
}

/// What is wrong with values that stay as they are kept: their secrets that do not open for what is asked by now.
pub fn check_kept(
    conn: &mut Conn,
    secrets: &Secrets,
    target: Target,
    kept: Option<&Value>,
    errors: &mut FieldErrors,
) -> Result<()> {
    let Some(values) = kept.filter(|kept| parameters::has_secret(Some(kept))).and_then(Value::as_object) else {
        return Ok(());
    };
    let asked = match target {
        Target::Configuration(id) => vec![id],
        Target::Set(id) => {
            let set = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
            let definition = store::version(conn, id, set.version)?.ok_or(AppError::NotFound)?;
            definition.steps.iter().map(|step| step.configuration_id).collect()
        }
    };
    for (position, id) in (1..).zip(asked) {
        let (configuration, asks, query) = declared(conn, id)?;
        let leads = imports::leads(conn, configuration.connection_id, &asks)?;
        let asked = imports::asked_of((&configuration, &asks, query.as_deref()), &leads);
        let own = match target {
            Target::Configuration(_) => values.clone(),
            Target::Set(_) => own(position, &asks, values),
        };
        for (name, why) in parameters::all_shut(&asked, secrets, &Value::Object(own)) {
            let (field, why) = match target {
                Target::Configuration(_) => (name.to_owned(), why),
                Target::Set(_) => (alone(position, name), format!("Step {position}: {why}")),
            };
            errors.add(format!("parameters.{field}"), why);
        }
    }
    Ok(())
}

/// What is kept of values that somebody gives for the runs of a set, as [`imports::values`] says for those of a
/// configuration. A secret for all steps is kept for each of them.
pub fn accept(
    conn: &mut Conn,
    secrets: &Secrets,
    set_id: i64,
    (given, kept): (Option<&Value>, Option<&Value>),
    errors: &mut FieldErrors,
) -> Result<Option<Value>> {
    let set = store::by_id(conn, set_id)?.ok_or(AppError::NotFound)?;
    let definition = store::version(conn, set_id, set.version)?.ok_or(AppError::NotFound)?;
    let empty = Map::new();
    let given = match given {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(given)) => given,
        Some(_) => {
            errors.add("parameters", "Send parameters as an object of names and values.");
            return Ok(None);
        }
    };
    let kept = kept.and_then(Value::as_object).unwrap_or(&empty);
    let mut asked = Vec::new();
    for step in &definition.steps {
        asked.push(declared(conn, step.configuration_id)?);
    }
    for name in given.keys().filter(|name| !name.contains('.')) {
        let all = asked.iter().flat_map(|(_, declared, _)| declared).filter(|parameter| parameter.name == *name);
        let secret: Vec<bool> = all.map(|parameter| parameter.parameter_type == ParameterType::Secret).collect();
        if secret.contains(&true) && secret.contains(&false) {
            let why = format!("\"{name}\" is a secret in one step and none in another. Give each step its own value.");
            errors.add(format!("parameters.{name}"), why);
        }
    }
    let mut known: Vec<String> = Vec::new();
    let mut taken = Map::new();
    for (position, (step, (configuration, declared, query))) in (1..).zip(definition.steps.iter().zip(&asked)) {
        known.extend(declared.iter().flat_map(|p| [p.name.clone(), alone(position, &p.name)]));
        let of_set = step.parameters.as_ref().and_then(Value::as_object).unwrap_or(&empty);
        let own_given = own(position, declared, given);
        let with = |own: Map<String, Value>| {
            // What the configuration asks for no more says nothing.
            let of_step = parameters::declared(declared, step.parameters.clone());
            let mut all = of_step.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
            all.extend(own);
            Value::Object(all)
        };
        // Of several choices, none is another choice than those that the set gives.
        let declared = with_defaults(declared, of_set);
        let (all, there) = (with(own_given.clone()), with(own(position, &declared, kept)));
        let mut wrong = FieldErrors::new();
        let given_and_kept = (Some(&all), Some(&there));
        let values = imports::accept(
            conn,
            secrets,
            (configuration, &declared, query.as_deref()),
            given_and_kept,
            "",
            &mut wrong,
        )?;
        if let Some(lacks) = configuration.lacks_file(values.as_ref()).filter(|_| wrong.is_empty()) {
            wrong.add(FILE, lacks);
        }
        for error in wrong.0 {
            let name = error.field.trim_start_matches('.');
            let for_all = given.contains_key(name) && !given.contains_key(&alone(position, name));
            let field = if for_all { name.to_owned() } else { alone(position, name) };
            let field = format!("parameters.{field}");
            if errors.of(&field).is_none() {
                errors.add(field, format!("Step {position}: {}", error.detail));
            }
        }
        let values = values.as_ref().and_then(Value::as_object).unwrap_or(&empty);
        for name in own_given.keys() {
            let Some(value) = values.get(name) else { continue };
            let for_all = !given.contains_key(&alone(position, name)) && value.get("sealed").is_none();
            taken.insert(if for_all { name.clone() } else { alone(position, name) }, value.clone());
        }
    }
    for name in given.keys().filter(|name| !known.contains(name)).take(20) {
        let name: String = name.chars().take(60).collect();
        let detail = match name.split_once('.') {
            Some((position, name)) => format!("Step {position} of {} declares no parameter \"{name}\".", set.name),
            None => format!("No step of {} declares a parameter \"{name}\".", set.name),
        };
        errors.add(format!("parameters.{name}"), detail);
    }
    Ok(Some(Value::Object(taken)).filter(|taken| *taken != json!({})))
}
