//! What people do with the definition of a Block. Whether they may is the caller's to have asked
//! (`applications::enter`): these functions check the definition, not the person.
//!
//! A change of definition touches both databases. The Block database goes first inside the Workspace's transaction:
//! when that then fails, what stays behind is an empty physical column or an older view, which the next change mends.
//! While a long load writes the Block database, its end is waited for outside of that transaction ([`Pool::rest`]).

use std::collections::HashSet;

use super::model::{Block, BlockDraft, BlockKind, ColumnDraft};
use super::store::{definitions as store, generations, ledger, views};
use crate::clock::Moment;
use crate::db::{self, Conn, Pool};
use crate::error::{AppError, FieldErrors, Result};
use crate::formats::ColumnType;
use crate::in_use::{self, InUse, Named, Thing};
use crate::names::name_key;

/// One Block that is not archived.
pub fn find(conn: &mut Conn, id: i64) -> Result<Block> {
    store::find(conn, id)
}

/// One Block of this Application: another's answers like what is not there.
pub fn find_in(conn: &mut Conn, application_id: i64, id: i64) -> Result<Block> {
    let block = store::find(conn, id)?;
    if block.application_id == application_id { Ok(block) } else { Err(AppError::NotFound) }
}

/// One Block even when it is archived, for the history that names it.
pub fn find_even_archived(conn: &mut Conn, id: i64) -> Result<Block> {
    store::find_even_archived(conn, id)
}

/// An Application's Blocks by name.
pub fn list(conn: &mut Conn, application_id: i64) -> Result<Vec<Block>> {
    store::list(conn, application_id)
}

/// The next Blocks of an Application by id.
pub fn page(conn: &mut Conn, application_id: i64, after: i64, limit: i64) -> Result<Vec<Block>> {
    store::page(conn, application_id, after, limit)
}

/// Makes a Block. It has no physical table before its first load.
pub fn create(conn: &mut Conn, blocks: &Pool, application_id: i64, draft: BlockDraft, now: Moment) -> Result<Block> {
    let draft = draft.tidy().named(None);
    let mut errors = draft.check();
    if draft.columns.iter().any(|column| column.id.is_some()) {
        errors.add("columns", "A new Block has only new columns: leave their ids out.");
    }
    db::write(conn, |conn| {
        check_dimensions(conn, application_id, None, &draft, &mut errors)?;
        if !errors.is_empty() {
            return Err(errors.into());
        }
        let id = store::insert(conn, application_id, &draft.name, draft.kind, now)?;
        for (column, position) in draft.columns.iter().zip(1..) {
            store::insert_column(conn, id, position, column)?;
        }
        let block = store::find(conn, id)?;
        let application = store::application_name(conn, application_id)?;
        blocks.write_soon(|conn| views::remember(conn, &application, &block))?;
        Ok(block)
    })
}

/// The definition of a Block as a draft, to change and hand to [`edit`].
pub fn as_draft(block: &Block) -> BlockDraft {
    let columns = block
        .columns
        .iter()
        .map(|column| ColumnDraft {
            id: Some(column.id),
            name: column.name.clone(),
            column_type: column.column_type,
            dimension_block_id: column.dimension_block_id,
            key: column.key,
            required: column.required,
        })
        .collect();
    BlockDraft { name: block.name.clone(), kind: block.kind, columns }
}

/// Changes a Block to what the draft says. Columns are told by id, else by name; one that the draft lacks is
/// archived (its data stays in the rows, unseen). Names and `required` change at any time; kind, types, keys only
/// while the Block is empty. `expected_version`: refused as stale when somebody else changed it since.
pub fn edit(
    conn: &mut Conn,
    blocks: &Pool,
    id: i64,
    expected_version: Option<i64>,
    draft: BlockDraft,
    now: Moment,
) -> Result<Block> {
    let draft = draft.tidy();
    db::write(conn, |conn| {
        db::lock_row(conn, "blocks", id)?;
        let before = store::find(conn, id)?;
        if expected_version.is_some_and(|version| version != before.version) {
            return Err(AppError::Stale(format!(
                "\"{}\" was changed after you opened it. To see the new version, open it in another tab.",
                before.name
            )));
        }
        let mut draft = draft.named(Some(&before));
        let mut errors = draft.check_over(Some(&before));
        recognise(&before, &mut draft, &mut errors);
        check_dimensions(conn, before.application_id, Some(id), &draft, &mut errors)?;
        let holds_rows = blocks.read(|conn| ledger::state(conn, id))?.row_count > 0;
        let mut meant_otherwise = FieldErrors::new();
        check_filled(&before, &draft, &mut meant_otherwise);
        let empties = !meant_otherwise.is_empty();
        if holds_rows {
            errors.extend(meant_otherwise);
        }
        check_named_items(conn, &before, &draft, &mut errors)?;
        if !errors.is_empty() {
            return Err(errors.into());
        }
        apply(conn, &before, &draft, now)?;
        let after = store::find(conn, id)?;
        let application = store::application_name(conn, after.application_id)?;
        blocks.write_soon(|conn| {
            // Rows may have come since they were counted.
            if empties && !generations::forget_empty(conn, id)? {
                return Err(AppError::Stale(format!(
                    "Rows were loaded into \"{}\" while you changed it. Kind, types and keys can change only while it \
                     is empty.",
                    before.name
                )));
            }
            views::remember(conn, &application, &after)
        })?;
        Ok(after)
    })
}

/// What a Block cannot be deleted for: configurations, from the room above, and columns of other Blocks.
pub fn users(conn: &mut Conn, in_use: InUse, block: &Block) -> Result<Vec<Named>> {
    let mut users = in_use.all(conn, Thing::Block(block.id))?;
    for (id, name, column) in store::named_by(conn, block.id)? {
        let words = format!("the column \"{column}\" of the Block \"{name}\"");
        users.push(Named { words, href: format!("/applications/{}/blocks/{id}/edit", block.application_id) });
    }
    Ok(users)
}

/// Archives a Block: its name is free again, its data and history stay, its view goes. `in_use` names what still
/// needs it (configurations, from the room above); anything there refuses.
pub fn archive(conn: &mut Conn, blocks: &Pool, in_use: InUse, id: i64, now: Moment) -> Result<()> {
    db::write(conn, |conn| {
        db::lock_row(conn, "blocks", id)?;
        let block = store::find(conn, id)?;
        let users = users(conn, in_use, &block)?;
        if !users.is_empty() {
            return Err(AppError::Conflict(format!(
                "\"{}\" is in use and cannot be deleted: {}. First change or delete what uses it.",
                block.name,
                in_use::words(&users, ", ")
            )));
        }
        store::archive(conn, id, now)?;
        blocks.write_soon(|conn| views::forget(conn, id))
    })
}

/// Lets the Block database mean by these Blocks what the Workspace means. The two are out of step after a kill between
/// their commits, or when one of them was restored from an older copy; then every load would be refused, and a column that
/// one does not know could not be read.
pub fn keep_in_step(db: &Pool, blocks: &Pool, defined: &[Block]) -> Result<()> {
    let applications = db.read(|conn| store::application_names(conn, defined))?;
    for id in blocks.lend(|conn| views::out_of_step(conn, &applications, defined))? {
        db.write(|conn| {
            // Whoever edits it at this moment is waited for.
            db::lock_row(conn, "blocks", id)?;
            let block = store::find(conn, id)?;
            let application = store::application_name(conn, block.application_id)?;
            tracing::warn!(block = id, "the Block database had another definition; it now has the Workspace's");
            blocks.write_soon(|conn| views::remember(conn, &application, &block))
        })?;
    }
    Ok(())
}

/// The same for all of them.
pub fn keep_all_in_step(db: &Pool, blocks: &Pool) -> Result<()> {
    let defined = db.read(store::all)?;
    keep_in_step(db, blocks, &defined)
}

/// Names the views of all Blocks of an Application anew, where the Application is renamed: all of them or none.
pub fn rename_views(conn: &mut Conn, blocks: &Pool, application_id: i64) -> Result<()> {
    let application = store::application_name(conn, application_id)?;
    let shown = store::list(conn, application_id)?;
    if shown.is_empty() {
        return Ok(());
    }
    blocks.write_soon(|conn| shown.iter().try_for_each(|block| views::remember(conn, &application, block)))
}

/// Gives the columns of a draft the ids of those that they mean.
fn recognise(before: &Block, draft: &mut BlockDraft, errors: &mut FieldErrors) {
    let mut meant = HashSet::new();
    for (i, column) in draft.columns.iter().enumerate() {
        if let Some(id) = column.id
            && (!before.columns.iter().any(|there| there.id == id) || !meant.insert(id))
        {
            errors.add(format!("columns[{i}].id"), "This Block has no such column, or you sent it twice.");
        }
    }
    for column in draft.columns.iter_mut().filter(|column| column.id.is_none()) {
        let same = before.columns.iter().find(|there| name_key(&there.name) == name_key(&column.name));
        if let Some(there) = same
            && meant.insert(there.id)
        {
            column.id = Some(there.id);
        }
    }
}

/// A column of type dimension names the items of a Dimension list of the same Application with one key column.
fn check_dimensions(
    conn: &mut Conn,
    application_id: i64,
    own_id: Option<i64>,
    draft: &BlockDraft,
    errors: &mut FieldErrors,
) -> Result<()> {
    for (i, column) in draft.columns.iter().enumerate() {
        let (ColumnType::Dimension, Some(target)) = (column.column_type, column.dimension_block_id) else { continue };
        let field = format!("columns[{i}].dimension_block_id");
        let (kind, keys) = if own_id == Some(target) {
            let keys = draft.columns.iter().filter(|c| c.key).map(|c| c.column_type).collect();
            (draft.kind, keys)
        } else {
            match store::find(conn, target) {
                Ok(block) if block.application_id == application_id => {
                    (block.kind, block.keys().map(|c| c.column_type).collect::<Vec<_>>())
                }
                Ok(_) | Err(AppError::NotFound) => {
                    errors.add(field, "There is no such Dimension list in this Application.");
                    continue;
                }
                Err(other) => return Err(other),
            }
        };
        if kind != BlockKind::DimensionList {
            errors.add(field, "That Block is not a Dimension list.");
        } else if !matches!(keys.as_slice(), [ColumnType::Text | ColumnType::Integer | ColumnType::Dimension]) {
            errors.add(field, "Choose a Dimension list whose key is one text or integer column.");
        }
    }
    Ok(())
}

/// While rows are there, neither what they mean nor what tells them apart can change.
fn check_filled(before: &Block, draft: &BlockDraft, errors: &mut FieldErrors) {
    const EMPTY_FIRST: &str = "You can change this only while the Block is empty.";
    if draft.kind != before.kind {
        errors.add("kind", EMPTY_FIRST);
    }
    for (i, column) in draft.columns.iter().enumerate() {
        match before.columns.iter().find(|there| Some(there.id) == column.id) {
            Some(there) => {
                if (there.column_type, there.dimension_block_id) != (column.column_type, column.dimension_block_id) {
                    errors.add(format!("columns[{i}].type"), EMPTY_FIRST);
                }
                if there.key != column.key {
                    errors.add(format!("columns[{i}].key"), EMPTY_FIRST);
                }
            }
            None if column.key => {
                errors.add(format!("columns[{i}].key"), "You can add a key column only while the Block is empty.")
            }
            None => {}
        }
    }
    for gone in before.keys().filter(|key| !draft.columns.iter().any(|column| column.id == Some(key.id))) {
        errors.add("columns", format!("\"{}\" is a key. You can remove it only while the Block is empty.", gone.name));
    }
}

/// A Dimension list that others name keeps being one that can be named.
fn check_named_items(conn: &mut Conn, before: &Block, draft: &BlockDraft, errors: &mut FieldErrors) -> Result<()> {
    let keys: Vec<ColumnType> = draft.columns.iter().filter(|c| c.key).map(|c| c.column_type).collect();
    let fits = draft.kind == BlockKind::DimensionList
        && matches!(keys.as_slice(), [ColumnType::Text | ColumnType::Integer | ColumnType::Dimension]);
    if !fits && let Some((_, block, column)) = store::named_by(conn, before.id)?.into_iter().next() {
        errors.add(
            "columns",
            format!(
                "The column \"{column}\" of the Block \"{block}\" names the items of this list, so the list needs one text \
                 or integer key column."
            ),
        );
    }
    Ok(())
}

fn apply(conn: &mut Conn, before: &Block, draft: &BlockDraft, now: Moment) -> Result<()> {
    store::touch(conn, before.id, &draft.name, draft.kind)?;
    for column in &before.columns {
        if !draft.columns.iter().any(|wanted| wanted.id == Some(column.id)) {
            store::archive_column(conn, column.id, now)?;
        }
    }
    let kept: Vec<i64> = draft.columns.iter().filter_map(|column| column.id).collect();
    store::clear_column_names(conn, &kept)?;
    let mut position = store::next_position(conn, before.id)?;
    for column in &draft.columns {
        match column.id {
            Some(id) => store::update_column(conn, id, column)?,
            None => {
                store::insert_column(conn, before.id, position, column)?;
                position += 1;
            }
        }
    }
    Ok(())
}
