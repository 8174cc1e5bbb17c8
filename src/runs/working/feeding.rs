//! A run whose source is another Block: whether it may be read, what it gives, and loading that.

use super::may_begin::as_whom;
use crate::app::App;
use crate::applications;
use crate::applications::blocks::{self, Block, Feed};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::imports::{self, Definition};
use crate::members;
use crate::runs::model::Run;

/// What the Block gives; or in words why it gives nothing.
pub fn feed(
    conn: &mut Conn,
    run: &Run,
    source_block_id: i64,
    definition: &Definition,
    target: &Block,
    now: Moment,
) -> Result<std::result::Result<Feed, String>> {
    let source = match blocks::find(conn, source_block_id) {
        Ok(source) => source,
        Err(AppError::NotFound) => return Ok(Err(format!("The Block that feeds {} was deleted.", target.name))),
        Err(other) => return Err(other),
    };
    let member = run.as_member_id.map(|id| members::by_id(conn, id)).transpose()?.flatten();
    let application = applications::by_id(conn, source.application_id)?;
    let (Some(member), Some(application)) = (member, application) else {
        return Ok(Err(format!("The Application of the Block {} was deleted.", source.name)));
    };
    if !applications::standing(conn, &member, application)?.grants.view {
        let (role, mend) = as_whom(conn, run)?;
        // Without the names: whoever reads this may not view it either.
        return Ok(Err(format!(
            "{}, {role}, may not view the Application whose Block feeds this import.{mend}",
            member.name
        )));
    }
    Ok(imports::feed(definition, &source, target, now).map_err(|errors| errors.details()))
}

/// Brings the Block database to mean by the source what the Workspace means.
pub fn keep_in_step(app: &App, feed: &Feed) -> Result<()> {
    blocks::keep_in_step(&app.db, &app.blocks, std::slice::from_ref(&feed.source))
}
