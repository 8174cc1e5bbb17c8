//! The duty that keeps the counts of ended runs short.

use super::counts_store as counts;
use crate::app::App;
use crate::error::Result;

/// Merges what was counted since, in short transactions. Blocks, for long when there is much.
pub fn step(app: &App) -> Result<()> {
    while !app.stop.is_cancelled() && app.db.read(counts::any_new)? {
        app.db.write(counts::merge)?;
    }
    Ok(())
}
