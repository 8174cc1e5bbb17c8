//! What is in the way of a thing in the other Application, each in a sentence that says what to do.

use serde_json::Value;

use super::drafting::Drafting;
use crate::applications::blocks::Block;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::files::kept;
use crate::import_sets;
use crate::imports::{Definition, Draft, Listed, Target};
use crate::names::name_key;
use crate::schedules::{SLOTS, Schedule};

/// What a configuration names and the other Application lacks.
pub fn of_configuration(of: &Drafting<'_>, listed: &Listed, draft: &Draft) -> Vec<String> {
    let (configuration, there) = (&listed.configuration, &of.to.application.name);
    let mut found = Vec::new();
    let mut lacks = |what: String| found.push(format!("{there} {what}. Make it there first."));
    let block = of.matches.blocks.get(&configuration.block_id).and_then(|id| of.to.block(*id));
    if block.is_none() {
        lacks(format!("has no Block {}", listed.block_name));
    }
    if let Some(id) = configuration.source_block_id
        && let Some(source) = of.from.block(id).filter(|_| !of.matches.blocks.contains_key(&id))
    {
        lacks(format!("has no Block {}", source.name));
    }
    for id in listed.definition.translations() {
        if !of.matches.translations.contains_key(&id) {
            let table = of.from.translations.iter().find(|table| table.id == id);
            lacks(match table {
                Some(table) => format!("has no translation table {}", table.name),
                None => "lacks a translation table that this import uses".to_owned(),
            });
        }
    }
    if let (Some(here), Some(there)) = (of.from.block(configuration.block_id), block) {
        found.extend(other_columns(&listed.definition, (here, there), &of.to.application.name));
    }
    if let Some(id) = configuration.connection_id.filter(|id| !of.connections.contains_key(id)) {
        let name = listed.connection_name.clone().unwrap_or_else(|| format!("Connection {id}"));
        let reading = of.readings.iter().find(|reading| reading.connection.id == id);
        found.push(match reading.filter(|reading| reading.choices.is_empty()) {
            Some(reading) => {
                let kind = reading.connection.kind_label();
                format!("{there} may use no Connection of the kind {kind}. An Administrator can authorise one.")
            }
            None => format!("Choose what {there} reads instead of {name}."),
        });
    }
    let like = of.configuration_there(configuration.id).map(|like| like.configuration.id);
    let named = |other: &&Listed| name_key(&other.configuration.name) == name_key(&draft.name);
    if of.to.configurations.iter().filter(named).any(|other| Some(other.configuration.id) != like) {
        found.push(format!("{there} has another import configuration named {}. Rename one of them.", draft.name));
    }
    found
}

/// Columns that it fills and that are others there, in one sentence.
fn other_columns(definition: &Definition, (here, there): (&Block, &Block), application: &str) -> Option<String> {
    let filled = |name: &str| {
        let is = |other: &str| name_key(other) == name_key(name);
        match (&definition.mapping, &definition.columns) {
            (Some(mapping), _) => mapping.iter().any(|line| is(&line.to)),
            (None, Some(columns)) => columns.iter().any(|column| is(column)),
            (None, None) => true,
        }
    };
    let mut wrong = Vec::new();
    for column in here.columns.iter().filter(|column| filled(&column.name)) {
        match there.column(&column.name) {
            None => wrong.push(format!("column {} is missing", column.name)),
            Some(other) if other.column_type != column.column_type => {
                wrong.push(format!("{} is {} instead of {}", column.name, other.column_type, column.column_type));
            }
            Some(other) if other.key != column.key => {
                let is = if other.key { "is a key" } else { "is not a key" };
                wrong.push(format!("{} {is}", column.name));
            }
            Some(_) => {}
        }
    }
    let more = wrong.len().saturating_sub(5);
    wrong.truncate(5);
    if more > 0 {
        wrong.push(format!("and {more} more"));
    }
    let wrong = (!wrong.is_empty()).then(|| wrong.join(", "))?;
    let name = &there.name;
    Some(format!("The Block {name} in {application} differs: {wrong}. Change the Block there, or this import."))
}

/// Kept files that these values name and the other Application lacks.
pub fn of_files(conn: &mut Conn, of: &Drafting<'_>, target: Target, values: Option<&Value>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (name, value) in values.and_then(Value::as_object).into_iter().flatten() {
        let file = value.as_i64().filter(|id| kept::is_file(name) && !of.matches.kept.contains_key(id));
        let Some(file) = file.and_then(|id| of.from.kept.iter().find(|kept| kept.id == id)) else { continue };
        // Another import may declare a number of that name.
        if import_sets::declared(conn, target)?.iter().any(|declared| declared.parameter.is_file) {
            let there = &of.to.application.name;
            found.push(format!("{there} keeps no file named {}. Keep it there first.", file.name));
        }
    }
    Ok(found)
}

/// Secrets that were entered for another Connection than the one that is read there. `there`: the values that stand there.
pub fn of_secrets(of: &Drafting<'_>, target: Target, values: Option<&Value>, there: Option<&Value>) -> Option<String> {
    let missing = of.secrets_missing(target, values, there);
    let (what, it) = match missing.as_slice() {
        [] => return None,
        [_] => ("secret", "It was"),
        _ => ("secrets", "They were"),
    };
    Some(format!(
        "Its {what} {} cannot be promoted. {it} entered for another Connection than {} reads. Make it there and enter the \
         {what}, or choose the same Connection.",
        missing.join(", "),
        of.to.application.name
    ))
}

/// A set whose name is another's there.
pub fn of_set(of: &Drafting<'_>, set_id: i64, draft: &import_sets::Draft) -> Option<String> {
    let like = of.set_there(set_id).map(|(like, _)| like.id);
    let mut named = of.to.sets.iter().filter(|(other, _)| name_key(&other.name) == name_key(&draft.name));
    named
        .any(|(other, _)| Some(other.id) != like)
        .then(|| format!("{} has another import set named {}. Rename one of them.", of.to.application.name, draft.name))
}

/// What keeps a schedule from being saved there.
pub fn of_schedule(of: &Drafting<'_>, schedule: &Schedule, now: Moment) -> Vec<String> {
    let mut found = Vec::new();
    let there = &of.to.application.name;
    if schedule.broken.is_some() {
        found.push("It is broken. Edit and save it first.".to_owned());
    }
    let like = of.schedule_there(schedule.id);
    let others = || of.to.schedules.iter().filter(|other| like.is_none_or(|like| like.id != other.id));
    if let Some(name) = &schedule.run_name
        && others().any(|other| other.run_name.as_ref() == Some(name))
    {
        found.push(format!("Another schedule in {there} has the run name {name}. Rename one of them."));
    }
    if let Some(target) = of.matches.target(schedule.target).filter(|target| like.is_none_or(|l| l.target != *target)) {
        let held = others().filter(|other| other.target == target && other.holds_slot(now)).count();
        if held as i64 >= SLOTS {
            let name = of.to.name_of(target);
            found.push(format!("{name} already has four schedules in {there}. Delete one of them first."));
        }
    }
    found
}
