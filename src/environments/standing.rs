//! A database that wakes up in another place may be a copy, beside which the living one goes on. Until an Administrator says
//! that this is the living one, it stands by: nothing runs by schedule, no message leaves, no file of a source is moved or
//! deleted. Nothing is switched off. What waits in the queue from before goes on then; messages that waited never do, because
//! who knows whether they were sent.

use serde_json::json;

use crate::app::App;
use crate::audit::{self, Actor, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::members::By;
use crate::{notifications, runs, words, workspace};

/// At the start of a process that serves: looks where it is. Which of several looks first does not matter.
pub fn wake(app: &App) -> Result<()> {
    let (home, now) = (home(app)?, app.now());
    let since = app.db.write(|conn| {
        if workspace::wake(conn, &home, now)? {
            let actor = Actor::nobody("Tidegate", "clock");
            audit::record(conn, &actor, Entry::about("workspace.standing-by", "workspace"), now)?;
        }
        workspace::standing_by_since(conn)
    })?;
    if since.is_some() {
        tracing::warn!(
            "this database woke up in another place and stands by: nothing runs by schedule and no message leaves until an \
             Administrator confirms that it is the living one, under /settings/environment"
        );
    }
    app.set_standing_by(since.is_some());
    Ok(())
}

/// What other processes found or somebody confirmed there.
pub fn refresh(app: &App) -> Result<()> {
    let since = app.db.read(workspace::standing_by_since)?;
    app.set_standing_by(since.is_some());
    Ok(())
}

fn home(app: &App) -> Result<workspace::Home> {
    Ok(workspace::Home { place: db::place(&app.db)?, url: app.config.base_url.as_ref().map(ToString::to_string) })
}

/// An Administrator says that this is the living one: from here on all goes on.
pub fn confirm(conn: &mut Conn, app: &App, by: &By, now: Moment) -> Result<()> {
    let home = home(app)?;
    db::write(conn, |conn| {
        by.need_administrator(conn)?;
        // Of two who confirm at once the second finds that it was done.
        db::lock_row(conn, "workspace", 1)?;
        let Some(since) = workspace::standing_by_since(conn)? else {
            return Err(AppError::Conflict("This Workspace is not standing by.".into()));
        };
        let zone = workspace::get(conn)?.time_zone;
        let reason = format!("This Workspace was standing by from {} ({zone}).", words::date_time(since, zone));
        let skipped = runs::standing::skip_due(conn, &reason, now)?;
        let withheld = notifications::withhold(conn, now)?;
        workspace::confirm(conn, &home)?;
        let entry = Entry::about("workspace.confirmed", "workspace");
        by.audit(conn, entry.after(json!({ "schedules_skipped": skipped, "messages_withheld": withheld })), now)
    })
}
