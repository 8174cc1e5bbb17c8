//! Showing again what a Block showed before: no source is read and no row is written, and else it is as every load.

use std::time::Duration;

use super::commit::known;
use super::context::LoadContext;
use super::held_up;
use super::outcome::{FailureKind, LoadError, LoadReport};
use crate::applications::blocks::Block;
use crate::applications::blocks::contents::{self, RestoreRefused};
use crate::applications::blocks::ledger::{LedgerRow, LoadRefused};
use crate::db::Conn;
use crate::words;

/// Makes what that run loaded visible again; what this run did is answered from the ledger where that knows it already.
pub fn restore(block: &Block, made_by: i64, context: &LoadContext<'_>) -> Result<LoadReport, LoadError> {
    let shown = context.blocks.lend(|conn| show(conn, block, made_by, context));
    let shown = shown.or_else(|failure| match known(context, block.id, failure)? {
        Some(row) => Ok(row),
        None => Err(gone(block, made_by, context)),
    });
    LoadReport::from_ledger(shown.map_err(|failure| held_up::in_words(failure, context.blocks, block.id))?)
}

/// Another restore may have shown them meanwhile.
fn gone(block: &Block, made_by: i64, context: &LoadContext<'_>) -> LoadError {
    let run = words::count(made_by);
    let shown = context.blocks.read(|conn| contents::shown_of(conn, block.id));
    let why = match matches!(shown, Ok(Some(run)) if run == made_by) {
        true => format!("{} shows the contents of run {run} already.", block.name),
        false => format!("The contents of run {run} are no longer kept."),
    };
    LoadError::new(FailureKind::Dropped, why)
}

fn show(conn: &mut Conn, block: &Block, made_by: i64, context: &LoadContext<'_>) -> Result<LedgerRow, LoadError> {
    loop {
        context.go_on()?;
        match contents::restore(conn, block, context.run, context.fence, made_by, context.clock.now()) {
            Ok(row) => return Ok(row),
            Err(RestoreRefused::Gone) => return Err(gone(block, made_by, context)),
            Err(RestoreRefused::DoesNotFit(why)) => return Err(LoadError::new(FailureKind::Columns, why)),
            // As every load, it waits for who reads the Block.
            Err(RestoreRefused::Load(why)) if held_up::may_try_again(&why, conn) => {
                std::thread::sleep(Duration::from_secs(1));
            }
            Err(RestoreRefused::Load(LoadRefused::DefinitionChanged)) => {
                let why = "The columns of the Block were changed meanwhile. Restore once more.";
                return Err(LoadError::new(FailureKind::Columns, why));
            }
            Err(RestoreRefused::Load(why)) => return Err(why.into()),
        }
    }
}
