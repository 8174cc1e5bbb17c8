//! What people do with import sets, by page and by API alike: whoever configures the Application. Each action that
//! changes something belongs into one write transaction and records what was and what is in the audit log.

use std::collections::BTreeSet;

use serde_json::Value;

use super::body::audited;
use super::draft::{Draft, MAX_STEPS, name_of_copy};
use super::following;
use super::model::{ImportSet, SetDefinition, Step};
use super::store;
use crate::applications::{self, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::imports::{self, Configuration};
use crate::in_use::{self, Followers, InUse, Thing};
use crate::members::By;
use crate::parameters;
use crate::secrets::Secrets;
use crate::words;

/// Enters an Application to read its sets: whoever opens Import Scheduling, or configures.
pub fn enter(conn: &mut Conn, by: &By, application_id: i64) -> Result<Entered> {
    let entered = applications::enter(conn, by, application_id)?;
    if !entered.may_configure() {
        entered.need_open_scheduling(conn)?;
    }
    Ok(entered)
}

/// One set with its newest definition, its Application entered.
pub fn find(conn: &mut Conn, by: &By, id: i64) -> Result<(ImportSet, SetDefinition, Entered)> {
    let known = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entered = enter(conn, by, known.application_id)?;
    let (set, definition) = there(conn, &entered, id)?;
    Ok((set, definition, entered))
}

/// The sets of an Application by name, for a caller that has [entered](enter) it.
pub fn list(conn: &mut Conn, entered: &Entered) -> Result<Vec<(ImportSet, SetDefinition)>> {
    store::list(conn, entered.application.id)
}

/// The next ones by id.
pub fn page(conn: &mut Conn, entered: &Entered, after: i64, limit: i64) -> Result<Vec<(ImportSet, SetDefinition)>> {
    store::page(conn, entered.application.id, after, limit)
}

fn there(conn: &mut Conn, entered: &Entered, id: i64) -> Result<(ImportSet, SetDefinition)> {
    let found = store::by_id(conn, id)?
        .filter(|found| found.application_id == entered.application.id && !found.archived)
        .ok_or(AppError::NotFound)?;
    let definition = store::version(conn, id, found.version)?.ok_or(AppError::NotFound)?;
    Ok((found, definition))
}

/// Makes a set.
///
/// `Invalid` names each wrong field (`name`, `steps`, `steps[2].configuration_id`); `Conflict` when the name is taken.
pub fn create(
    conn: &mut Conn,
    secrets: &Secrets,
    by: &By,
    entered: &Entered,
    draft: Draft,
    now: Moment,
) -> Result<ImportSet> {
    hold_steps(conn, &draft)?;
    entered.need_configure(conn, by)?;
    let draft = checked(conn, secrets, entered, draft, None)?;
    let id = store::insert(conn, entered.application.id, &draft.name, now)?;
    store::insert_version(conn, (id, 1), &draft.definition, by.member.id, now)?;
    let (made, definition) = there(conn, entered, id)?;
    let entry = Entry::of("import_set.created", "import_set", id).application(entered.application.id);
    by.audit(conn, entry.after(audited(&made, &definition)), now)?;
    Ok(made)
}

/// Saves a set as its next version; what means the same makes none. `expected`: the version that the person saw. Values
/// that others keep for one of its steps follow that step.
pub fn update(
    conn: &mut Conn,
    (secrets, followers): (&Secrets, Followers),
    by: &By,
    entered: &Entered,
    (id, expected): (i64, Option<i64>),
    draft: Draft,
    now: Moment,
) -> Result<ImportSet> {
    hold_steps(conn, &draft)?;
    let (before, old) = hold(conn, by, entered, (id, expected), now)?;
    let draft = checked(conn, secrets, entered, draft, Some((&before, &old)))?;
    if draft == Draft::of(&before, &old) {
        return Ok(before);
    }
    let version = before.version + 1;
    store::update(conn, id, &draft.name, version)?;
    store::insert_version(conn, (id, version), &draft.definition, by.member.id, now)?;
    let places = following::places(&old.steps, &draft.definition.steps);
    if places.iter().enumerate().any(|(at, place)| *place != Some(at)) {
        followers.follow(conn, Thing::Set(id), &|name| following::renamed(name, &places))?;
    }
    let (after, definition) = there(conn, entered, id)?;
    let entry = Entry::of("import_set.updated", "import_set", id).application(entered.application.id);
    by.audit(conn, entry.before(audited(&before, &old)).after(audited(&after, &definition)), now)?;
    Ok(after)
}

/// Makes another one with the same steps, under a name that is free.
pub fn copy(conn: &mut Conn, secrets: &Secrets, by: &By, entered: &Entered, id: i64, now: Moment) -> Result<ImportSet> {
    // Two who copy go one after the other, and find two names.
    db::lock_row(conn, "applications", entered.application.id)?;
    entered.need_configure(conn, by)?;
    let (set, definition) = there(conn, entered, id)?;
    let name = name_of_copy(&set.name, &store::name_keys(conn, entered.application.id)?);
    create(conn, secrets, by, entered, Draft { name, definition }, now)
}

/// Archives a set that nothing runs any more. Its history stays.
pub fn archive(
    conn: &mut Conn,
    in_use: InUse,
    by: &By,
    entered: &Entered,
    (id, expected): (i64, Option<i64>),
    now: Moment,
) -> Result<()> {
    let (before, definition) = hold(conn, by, entered, (id, expected), now)?;
    if let Some(uses) = in_use.uses(conn, Thing::Set(id))?.into_iter().next() {
        let what = if uses.by == "runs" { "Wait for them to end, or cancel them," } else { "Delete them" };
        return Err(AppError::Conflict(format!(
            "\"{}\" is used by {}: {}. {what} under Import Scheduling first.",
            before.name,
            uses.by,
            in_use::words(&uses.names, ", ")
        )));
    }
    store::archive(conn, id, now)?;
    let entry = Entry::of("import_set.deleted", "import_set", id).application(entered.application.id);
    by.audit(conn, entry.before(audited(&before, &definition)), now)
}

/// Holds the configurations of a draft's steps until the transaction ends: whoever deletes one of them, or takes its source
/// away, finds this set, or is found. Before the set itself, as the end of a step's run holds them.
fn hold_steps(conn: &mut Conn, draft: &Draft) -> Result<()> {
    let steps = draft.definition.steps.iter().take(MAX_STEPS + 1);
    let ids: BTreeSet<i64> = steps.map(|step| step.configuration_id).collect();
    Ok(db::lock_rows(conn, "import_configurations", &Vec::from_iter(ids))?)
}

/// Holds a set of this Application until the transaction ends, for who may change it.
fn hold(
    conn: &mut Conn,
    by: &By,
    entered: &Entered,
    (id, expected): (i64, Option<i64>),
    now: Moment,
) -> Result<(ImportSet, SetDefinition)> {
    db::lock_row(conn, "import_sets", id)?;
    entered.need_configure(conn, by)?;
    let (set, definition) = there(conn, entered, id)?;
    if expected.is_some_and(|version| version != set.version) {
        let who = match store::saved_by(conn, id, set.version)? {
            Some((name, at)) => format!("{name} changed \"{}\" {}", set.name, words::relative(at, now)),
            None => format!("\"{}\" was changed after you opened it", set.name),
        };
        return Err(AppError::Stale(format!("{who}. To see the new version, open it in another tab.")));
    }
    Ok((set, definition))
}

/// All that is wrong with a draft; else the draft as it is to be saved.
fn checked(
    conn: &mut Conn,
    secrets: &Secrets,
    entered: &Entered,
    mut draft: Draft,
    was: Option<(&ImportSet, &SetDefinition)>,
) -> Result<Draft> {
    let mut errors = draft.check(was.map(|(was, _)| was));
    if draft.definition.steps.len() <= MAX_STEPS {
        let wrong = wrong_steps(conn, entered, &draft.definition.steps)?;
        let fine = wrong.is_empty();
        errors.extend(wrong);
        for (i, step) in draft.definition.steps.iter_mut().enumerate().filter(|_| fine) {
            let there = was.map_or(&[][..], |(_, old)| old.steps.as_slice());
            let same = |there: &&Step| there.configuration_id == step.configuration_id;
            let kept = there.get(i).filter(same).or_else(|| there.iter().find(same));
            let kept = kept.and_then(|there| there.parameters.as_ref());
            // What stays as it was is refused for nothing: the configuration may ask for less by now.
            if kept.is_some() && parameters::same(step.parameters.as_ref(), kept) {
                step.parameters = imports::declared_values(conn, step.configuration_id, step.parameters.take())?;
            }
            let given = (step.parameters.as_ref(), kept);
            let at = format!("steps[{i}].parameters");
            step.parameters = imports::values(conn, secrets, step.configuration_id, given, &at, &mut errors)?;
        }
    }
    Ok(errors.ok_or(draft)?)
}

/// What is wrong with the steps of a set. Ids that belong elsewhere are wrong like ids of nothing.
fn wrong_steps(conn: &mut Conn, entered: &Entered, steps: &[Step]) -> Result<FieldErrors> {
    let mut ids: Vec<i64> = steps.iter().map(|step| step.configuration_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = imports::by_ids(conn, &ids)?;
    let mut errors = FieldErrors::new();
    for (i, step) in steps.iter().enumerate() {
        let here = |found: &&Configuration| {
            (found.id, found.application_id) == (step.configuration_id, entered.application.id)
        };
        let configuration = match found.iter().find(here) {
            Some(configuration) => configuration,
            None => {
                let none = "There is no such import configuration in this Application.";
                errors.add(format!("steps[{i}].configuration_id"), none);
                continue;
            }
        };
        if let Some(wrong) = unfit(configuration) {
            errors.add(format!("steps[{i}].configuration_id"), wrong);
        }
    }
    Ok(errors)
}

/// What is kept of values that somebody gives for what is run or scheduled. A set's are those of its steps.
pub fn values(
    conn: &mut Conn,
    secrets: &Secrets,
    target: imports::Target,
    given: (Option<&Value>, Option<&Value>),
    errors: &mut FieldErrors,
) -> Result<Option<Value>> {
    match target {
        imports::Target::Configuration(id) => imports::values(conn, secrets, id, given, "parameters", errors),
        imports::Target::Set(id) => super::step_values::accept(conn, secrets, id, given, errors),
    }
}

/// Why a configuration cannot be a step, and what to do.
fn unfit(configuration: &Configuration) -> Option<String> {
    let name = &configuration.name;
    configuration.archived.then(|| format!("\"{name}\" was deleted. Choose another import configuration."))
}
