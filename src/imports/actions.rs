//! What people do with import configurations. Every function that changes something runs inside the caller's write
//! transaction (`App::write`); the member has [entered](crate::applications::enter) the Application before.

use super::check;
use super::listed::{Listed, Outline};
use super::model::{Configuration, Definition, Draft};
use super::pipeline::lists_to_fill;
use super::{parse, store};
use crate::applications::blocks::{Block, items};
use crate::applications::{self, Entered, blocks};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::connections;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::{self, InUse, Thing};
use crate::members::By;
use crate::names::taken_in;
use crate::translations;

/// A configuration of this Application with its newest definition: another's answers like what is not there.
pub fn find(conn: &mut Conn, entered: &Entered, id: i64) -> Result<(Configuration, Definition)> {
    need_sight(conn, entered)?;
    there(conn, entered, id)
}

/// An Application's configurations by name.
pub fn list(conn: &mut Conn, entered: &Entered) -> Result<Vec<Listed>> {
    need_sight(conn, entered)?;
    store::list(conn, entered.application.id)
}

/// An Application's configurations by name, as a long list is searched and sorted by.
pub fn outlines(conn: &mut Conn, entered: &Entered, with_source: bool) -> Result<Vec<Outline>> {
    need_sight(conn, entered)?;
    store::outlines(conn, entered.application.id, with_source)
}

/// Some of them, as lists show them; what is not there is left out.
pub fn listed(conn: &mut Conn, entered: &Entered, ids: &[i64]) -> Result<Vec<Listed>> {
    need_sight(conn, entered)?;
    store::listed_of(conn, entered.application.id, ids)
}

/// The next configurations of an Application by id.
pub fn page(conn: &mut Conn, entered: &Entered, after: i64, limit: i64) -> Result<Vec<Listed>> {
    need_sight(conn, entered)?;
    store::page(conn, entered.application.id, after, limit)
}

/// Who configures or schedules reads configurations.
fn need_sight(conn: &mut Conn, entered: &Entered) -> Result<()> {
    if entered.may_configure() { Ok(()) } else { entered.need_open_scheduling(conn) }
}

fn there(conn: &mut Conn, entered: &Entered, id: i64) -> Result<(Configuration, Definition)> {
    let found = store::by_id(conn, id)?
        .filter(|found| found.application_id == entered.application.id && !found.archived)
        .ok_or(AppError::NotFound)?;
    let definition = store::version(conn, id, found.version)?.ok_or(AppError::NotFound)?.definition;
    Ok((found, definition))
}

/// Makes a configuration.
pub fn create(conn: &mut Conn, by: &By, entered: &Entered, draft: Draft, now: Moment) -> Result<Configuration> {
    entered.need_configure(conn, by)?;
    let draft = checked(conn, by, entered, draft, None)?;
    let id = store::insert(conn, entered.application.id, &draft, now)?;
    store::insert_version(conn, id, 1, &draft, by.member.id, now)?;
    let (made, definition) = there(conn, entered, id)?;
    let entry = Entry::of("import_configuration.created", "import_configuration", id)
        .application(entered.application.id)
        .after(parse::json(&made, &definition));
    by.audit(conn, entry, now)?;
    Ok(made)
}

/// Saves a configuration as its next version; what means the same makes none. `expected_version`: refused as stale, in words that say who and when,
/// when somebody else saved it since.
pub fn update(
    conn: &mut Conn,
    in_use: InUse,
    by: &By,
    entered: &Entered,
    (id, expected_version): (i64, Option<i64>),
    draft: Draft,
    now: Moment,
) -> Result<Configuration> {
    // The right is asked after the wait.
    db::lock_row(conn, "import_configurations", id)?;
    entered.need_configure(conn, by)?;
    let (before, old) = there(conn, entered, id)?;
    if expected_version.is_some_and(|version| version != before.version) {
        return Err(stale(conn, entered, &before, now)?);
    }
    let draft = draft.tidy();
    if draft == Draft::of(&before, &old) {
        return Ok(before);
    }
    let draft = checked(conn, by, entered, draft, Some((&before, &old)))?;
    if draft.needs_file() && !before.needs_file() {
        // A run that waits or goes follows the version that it began with.
        for uses in in_use.uses(conn, Thing::Configuration(id))? {
            let refusal = match uses.by {
                "schedules" => "Its schedules have no kept file to load. Delete them first.".to_owned(),
                "import sets" => format!(
                    "It is a step of {}, which has no kept file for it. Remove that step first.",
                    in_use::words(&uses.names, " and ")
                ),
                _ => continue,
            };
            return Err(AppError::invalid("connection_id", refusal));
        }
    }
    let version = before.version + 1;
    store::update(conn, id, &draft, version)?;
    store::insert_version(conn, id, version, &draft, by.member.id, now)?;
    let (after, definition) = there(conn, entered, id)?;
    let entry = Entry::of("import_configuration.updated", "import_configuration", id)
        .application(entered.application.id)
        .before(parse::json(&before, &old))
        .after(parse::json(&after, &definition));
    by.audit(conn, entry, now)?;
    Ok(after)
}

/// Archives a configuration that no schedule and no set runs any more. Its history stays.
pub fn archive(conn: &mut Conn, in_use: InUse, by: &By, entered: &Entered, id: i64, now: Moment) -> Result<()> {
    db::lock_row(conn, "import_configurations", id)?;
    entered.need_configure(conn, by)?;
    let (before, definition) = there(conn, entered, id)?;
    if let Some(uses) = in_use.uses(conn, Thing::Configuration(id))?.into_iter().next() {
        let what = match uses.by {
            "runs" => "Wait for them to end, or cancel them, under Import Scheduling first.",
            "import sets" => "Remove it from there, or delete them, first.",
            _ => "Delete them under Import Scheduling first.",
        };
        return Err(AppError::Conflict(format!(
            "\"{}\" is used by {}: {}. {what}",
            before.name,
            uses.by,
            in_use::words(&uses.names, ", ")
        )));
    }
    store::archive(conn, id, now)?;
    let entry = Entry::of("import_configuration.deleted", "import_configuration", id)
        .application(entered.application.id)
        .before(parse::json(&before, &definition));
    by.audit(conn, entry, now)
}

/// The draft as it is to be saved, unless something is wrong with it.
fn checked(
    conn: &mut Conn,
    by: &By,
    entered: &Entered,
    draft: Draft,
    was: Option<(&Configuration, &Definition)>,
) -> Result<Draft> {
    // Whoever deletes what is named here finds this configuration, or is found.
    db::lock_row(conn, "blocks", draft.block_id)?;
    for id in draft.definition.translations() {
        db::lock_row(conn, "translations", id)?;
    }
    if let Some(id) = draft.source_block_id {
        db::lock_row(conn, "blocks", id)?;
    }
    if let Some(id) = draft.connection_id {
        db::lock_row(conn, "connections", id)?;
    }
    let (draft, errors) = examine(conn, by, entered, draft, was)?;
    Ok(errors.ok_or(draft)?)
}

/// A draft made tidy, and all that is wrong with it; nothing that it names is held. Ids in it that belong elsewhere are wrong
/// like ids of nothing; a Connection that the configuration had already may have lost its authorisation since, which the run
/// then says.
pub fn examine(
    conn: &mut Conn,
    by: &By,
    entered: &Entered,
    draft: Draft,
    was: Option<(&Configuration, &Definition)>,
) -> Result<(Draft, FieldErrors)> {
    let (mut draft, before) = (draft.tidy(), was.map(|(before, _)| before));
    let old = was.map(|(_, definition)| definition);
    let was = before.map(|before| before.name.as_str());
    draft.name = taken_in(&draft.name, was);
    let mut errors = draft.check(was);
    let block = match blocks::find_in(conn, entered.application.id, draft.block_id) {
        Ok(block) => {
            errors.extend(check::target(&draft.definition, &block));
            errors.extend(beside(conn, entered, &draft.definition, &block)?);
            Some(block)
        }
        Err(AppError::NotFound) => {
            errors.add("block_id", "There is no such Block in this Application.");
            None
        }
        Err(other) => return Err(other),
    };
    if let Some(id) = draft.source_block_id {
        if draft.connection_id.is_some() {
            errors.add("source_block_id", "Give either a Connection or a Block as the source, not both.");
        }
        // Who may not view it may leave it, and take nothing else from it: the schedule's Owner may be able to.
        let taken = |of: &Definition| (of.mapping.clone(), of.columns.clone(), of.source.clone());
        let kept = before.is_some_and(|was| (was.source_block_id, was.block_id) == (Some(id), draft.block_id))
            && old.map(taken) == Some(taken(&draft.definition));
        match source_block(conn, by, id, kept)? {
            Some(from) => {
                if let Some(block) = &block {
                    errors.extend(check::block_source(&draft.definition, &from, block));
                }
            }
            None => errors.add("source_block_id", "There is no such Block, or you may not view its Application."),
        }
        return Ok((draft, errors));
    }
    let connection = match draft.connection_id {
        None => None,
        Some(id) => {
            let kept = before.is_some_and(|before| before.connection_id == Some(id));
            let usable = kept || connections::authorised_for(conn, id, entered.application.id)?;
            let found = if usable { connections::by_ids(conn, &[id])?.pop() } else { None };
            if found.is_none() {
                errors
                    .add("connection_id", "There is no such Connection, or it is not authorised for this Application.");
            }
            found
        }
    };
    if errors.of("connection_id").is_none() {
        errors.extend(check::source(&draft.definition, connection.as_ref()));
    }
    Ok((draft, errors))
}

/// What is wrong with a definition beside its Block: in the lists that it may write and the tables by which it translates.
pub fn beside(conn: &mut Conn, entered: &Entered, definition: &Definition, block: &Block) -> Result<FieldErrors> {
    let mut errors = creatable(conn, definition, block)?;
    errors.extend(tables(conn, entered, definition)?);
    Ok(errors)
}

/// What is wrong with creating items in the lists that the Block names.
fn creatable(conn: &mut Conn, definition: &Definition, block: &Block) -> Result<FieldErrors> {
    for list in lists_to_fill(conn, block, definition)? {
        if let Err(why) = items::named_by(&list) {
            return Ok(FieldErrors::one("unknown_items", format!("{why} Use reject.")));
        }
    }
    Ok(FieldErrors::new())
}

/// Translation tables that a mapping names and the Application does not have.
fn tables(conn: &mut Conn, entered: &Entered, definition: &Definition) -> Result<FieldErrors> {
    let mut errors = FieldErrors::new();
    let found = translations::by_ids(conn, &definition.translations())?;
    let there = |id: i64| found.iter().any(|table| table.id == id && table.application_id == entered.application.id);
    for (i, line) in definition.mapping.iter().flatten().enumerate() {
        if line.transform.translate.is_some_and(|id| !there(id)) {
            errors.add(format!("mapping[{i}].translate"), "There is no such translation table in this Application.");
        }
    }
    Ok(errors)
}

/// The Block that is to feed an import: one of an Application that the member sees, or the one that fed it before.
fn source_block(conn: &mut Conn, by: &By, id: i64, kept: bool) -> Result<Option<Block>> {
    let block = match blocks::find(conn, id) {
        Ok(block) => block,
        Err(AppError::NotFound) => return Ok(None),
        Err(other) => return Err(other),
    };
    match applications::enter(conn, by, block.application_id) {
        Ok(_) => Ok(Some(block)),
        Err(AppError::NotFound) => Ok(Some(block).filter(|_| kept)),
        Err(other) => Err(other),
    }
}

fn stale(conn: &mut Conn, entered: &Entered, before: &Configuration, now: Moment) -> Result<AppError> {
    let saved = store::saved_by(conn, before.id, before.version)?;
    let who = match saved {
        Some((name, at)) => format!("{name} changed \"{}\" {}", before.name, crate::words::relative(at, now)),
        None => format!("\"{}\" in {} was changed after you opened it", before.name, entered.application.name),
    };
    Ok(AppError::Stale(format!("{who}. To see the new version, open it in another tab. What you typed is kept here.")))
}
