//! Changes of a definition, as the audit log keeps them.

use serde_json::{Value, json};

use super::model::Block;
use super::store::definitions;
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::members::By;

/// Says in the audit log what a Block was and what it is. Call it in the transaction of the change.
pub fn record(conn: &mut Conn, by: &By, before: Option<&Block>, after: Option<&Block>, now: Moment) -> Result<()> {
    let Some(block) = after.or(before) else { return Ok(()) };
    let action = match (before, after) {
        (None, _) => "block.created",
        (Some(_), Some(_)) => "block.changed",
        (Some(_), None) => "block.deleted",
    };
    let mut entry = Entry::of(action, "block", block.id).application(block.application_id);
    entry.before = before.map(shown);
    entry.after = after.map(shown);
    if entry.before == entry.after { Ok(()) } else { by.audit(conn, entry, now) }
}

/// All of an Application, each as the audit log keeps it.
pub fn audited_all(conn: &mut Conn, application_id: i64) -> Result<Vec<(i64, Value)>> {
    Ok(definitions::list(conn, application_id)?.iter().map(|block| (block.id, shown(block))).collect())
}

fn shown(block: &Block) -> Value {
    let columns = block.columns.iter().map(|column| {
        json!({
            "name": column.name,
            "type": column.column_type,
            "dimension_block_id": column.dimension_block_id,
            "key": column.key,
            "required": column.required,
        })
    });
    json!({ "name": block.name, "kind": block.kind, "columns": columns.collect::<Vec<_>>() })
}
