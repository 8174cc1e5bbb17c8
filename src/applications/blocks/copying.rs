//! A copy of the Blocks of an Application in another: first what they are, in the Workspace's tables; their rows later, Block
//! by Block ([`copy_rows`]).

use std::collections::BTreeMap;

use super::model::{Block, ColumnDraft};
use super::store::copying;
use super::store::definitions as store;
use super::store::{generations, views};
use crate::clock::Moment;
use crate::db::{Conn, Pool};
use crate::error::{AppError, Result};

/// Makes them, and answers the id of each copy by that of what it is a copy of. Columns keep their positions, and name the
/// items of the copied lists. Their views are named by [`rename_views`](super::rename_views).
pub fn copy_definitions(conn: &mut Conn, from: i64, to: i64, now: Moment) -> Result<BTreeMap<i64, i64>> {
    let blocks = store::list(conn, from)?;
    let mut copies = BTreeMap::new();
    for block in &blocks {
        copies.insert(block.id, store::insert(conn, to, &block.name, block.kind, now)?);
    }
    for block in &blocks {
        let Some(copy) = copies.get(&block.id) else { continue };
        for column in &block.columns {
            let list = column.dimension_block_id;
            // One that was made since: items would be added to the original's.
            if let Some(list) = list.filter(|list| !copies.contains_key(list))
                && store::is_of(conn, list, from)?
            {
                let name = &block.name;
                return Err(AppError::Stale(format!("The Block {name} was changed while it was copied. Try again.")));
            }
            let draft = ColumnDraft {
                id: None,
                name: column.name.clone(),
                column_type: column.column_type,
                dimension_block_id: list.map(|list| copies.get(&list).copied().unwrap_or(list)),
                key: column.key,
                required: column.required,
            };
            store::insert_column(conn, *copy, column.position, &draft)?;
        }
    }
    Ok(copies)
}

/// Brings what one Block shows into its copy, unless something was loaded into that meanwhile; how many rows. One
/// transaction of the Block database, on a connection of its own: nothing of the Workspace waits for it. Blocks, for as long
/// as the rows take.
pub fn copy_rows(
    blocks: &Pool,
    stop: &(dyn Fn() -> bool + Sync),
    from: &Block,
    to: &Block,
    now: Moment,
) -> Result<i64> {
    let mut own = blocks.connect()?;
    let copied = blocks.until::<_, AppError>(stop, &mut own, |conn| copying::copy(conn, from, to, now))?;
    generations::tend(blocks, to.id);
    Ok(copied)
}

/// Puts all Blocks of an Application away, with their names; what they hold goes by [`empty`].
pub fn archive_all(conn: &mut Conn, block_db: &Pool, application_id: i64, now: Moment) -> Result<()> {
    let blocks = store::list(conn, application_id)?;
    for block in &blocks {
        store::archive(conn, block.id, now)?;
    }
    block_db.write_soon(|conn| blocks.iter().try_for_each(|block| views::forget(conn, block.id)))
}

/// The Blocks of an Application that were put away.
pub fn archived(conn: &mut Conn, application_id: i64) -> Result<Vec<i64>> {
    store::archived(conn, application_id)
}

/// Removes all that a Block holds and held, unless something was loaded after that moment.
pub fn empty(blocks: &Pool, block_id: i64, until: Moment) -> Result<()> {
    blocks.write(|conn| copying::empty(conn, block_id, until))
}

/// How many rows the Blocks of an Application hold, and how many of them hold any.
pub fn held(blocks: &Pool, defined: &[Block]) -> Result<(i64, usize)> {
    let ids: Vec<i64> = defined.iter().map(|block| block.id).collect();
    let states = blocks.read(|conn| super::ledger::states(conn, &ids))?;
    let rows = states.values().map(|state| state.row_count);
    Ok((rows.clone().sum(), rows.filter(|rows| *rows > 0).count()))
}
