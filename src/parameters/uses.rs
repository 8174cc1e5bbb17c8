//! What is wrong with the places where a configuration uses its parameters, said when it is saved.

use super::model::{Parameter, ParameterType};
use super::template::{Piece, Template};

type Checked = Result<(), String>;

/// Of a path: a secret there would be read in the history.
pub fn in_path(text: &str, parameters: &[Parameter]) -> Checked {
    let template = Template::parse(text)?;
    known(&template, parameters)?;
    no_secret(&template, parameters)
}

/// Of a constant.
pub fn in_constant(text: &str, parameters: &[Parameter]) -> Checked {
    in_path(text, parameters)
}

/// Of an item of a filter.
pub fn in_filter(text: &str, parameters: &[Parameter]) -> Checked {
    in_path(text, parameters)?;
    let template = Template::parse(text)?;
    match template.names().find(|name| is(name, parameters, ParameterType::Choices)) {
        Some(name) if template.only().is_none() => {
            Err(format!("{{{name}}} stands for several items. Leave out what stands beside it."))
        }
        _ => Ok(()),
    }
}

/// Of a query, which binds them all.
pub fn in_query(text: &str, parameters: &[Parameter]) -> Checked {
    let template = Template::of_query(text, &|name| parameters.iter().any(|parameter| parameter.name == name))?;
    known(&template, parameters)?;
    for (i, piece) in template.0.iter().enumerate() {
        let Piece::Value { name, .. } = piece else { continue };
        if !is(name, parameters, ParameterType::Choices) {
            continue;
        }
        let text = |i: Option<usize>| match i.and_then(|i| template.0.get(i)) {
            Some(Piece::Text(text)) => text.trim(),
            _ => "",
        };
        if !(text(i.checked_sub(1)).ends_with('(') && text(Some(i + 1)).starts_with(')')) {
            return Err(format!(
                "{{{name}}} stands for several values. Write them in parentheses, such as NOT IN ({{{name}}})."
            ));
        }
    }
    Ok(())
}

fn is(name: &str, parameters: &[Parameter], what: ParameterType) -> bool {
    parameters.iter().any(|parameter| parameter.name == name && parameter.parameter_type == what)
}

fn known(template: &Template, parameters: &[Parameter]) -> Checked {
    for (name, form) in template.values() {
        let Some(parameter) = parameters.iter().find(|parameter| parameter.name == name) else {
            let there = parameters.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(format!(
                "There is no parameter {name}: declare it, or use one of {there}. Write {{{{ for a brace itself."
            ));
        };
        if form.is_some() && parameter.parameter_type != ParameterType::Date {
            return Err(format!("{name} is no date and has no form. Write {{{name}}}."));
        }
    }
    Ok(())
}

fn no_secret(template: &Template, parameters: &[Parameter]) -> Checked {
    match template.names().find(|name| is(name, parameters, ParameterType::Secret)) {
        Some(name) => Err(format!(
            "The secret {name} would be read here by everybody who may see the import. Use it in the query, or in the \
             headers or behind the ? of the address of the Connection."
        )),
        None => Ok(()),
    }
}
