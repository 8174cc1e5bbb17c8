//! A new sealing key: all that was sealed with the old one is sealed with the new one, or nothing is.

use serde_json::json;

use crate::app::App;
use crate::audit::{self, Actor, Entry};
use crate::error::{AppError, Result};
use crate::members::{elsewhere, second_factor};
use crate::runs::{self, workers};
use crate::secrets::Secrets;
use crate::{connections, import_sets, notifications, schedules, workspace};

/// Changes the key, and answers of how many Connections the secrets were sealed anew. No process may serve meanwhile; one
/// that does seals nothing more with the old key ([`workspace::need_key`]).
pub fn rotate(app: &App, new: &Secrets) -> Result<usize> {
    let now = app.now();
    app.db.write(|conn| {
        // One process alone serves a SQLite directory, and holds its lock.
        if app.config.database_url.is_some() && workers::living(conn, now)? > 0 {
            return Err(AppError::Conflict(
                "another tidegate is using this database; stop every process that uses it, wait a minute, then change \
                 the key"
                    .into(),
            ));
        }
        workspace::need_key(conn, &app.secrets)?;
        let sealed = connections::seal_anew(conn, &app.secrets, new)?;
        import_sets::seal_anew(conn, &app.secrets, new)?;
        schedules::seal_anew(conn, &app.secrets, new)?;
        runs::seal_anew(conn, &app.secrets, new)?;
        notifications::slack::seal_anew(conn, &app.secrets, new)?;
        notifications::outlets::seal_anew(conn, &app.secrets, new)?;
        second_factor::seal_anew(conn, &app.secrets, new)?;
        elsewhere::seal_anew(conn, &app.secrets, new)?;
        workspace::change_key(conn, new)?;
        let actor = Actor::nobody("command line", "command");
        let entry = Entry::about("workspace.key_changed", "workspace").after(json!({ "connections": sealed }));
        audit::record(conn, &actor, entry, now)?;
        Ok(sealed)
    })
}
