//! Using a Connection: opening it with its secrets, trying it, looking at what there is to choose from.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::actions::{self, unseal};
use super::model::{Connection, ConnectionDraft};
use super::store;
use crate::app::{App, off_thread};
use crate::connectors::{self, Connector, Entry, FetchContext};
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::By;
use crate::secrets::Secrets;

/// How long a test or a listing may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Connection that is not archived, with its connector. Whether somebody may use it is the caller's to have asked.
pub fn open(conn: &mut Conn, secrets: &Secrets, id: i64) -> Result<(Connection, Box<dyn Connector>)> {
    let connection = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let connector = connector(conn, secrets, &connection)?;
    Ok((connection, connector))
}

/// The connector of a Connection that is there, with its secrets.
pub fn connector(conn: &mut Conn, secrets: &Secrets, connection: &Connection) -> Result<Box<dyn Connector>> {
    let sealed = store::sealed(conn, connection.id)?;
    let opened = unseal(secrets, connection.id, &sealed).ok_or_else(|| {
        AppError::Conflict(format!(
            "The secrets of \"{}\" cannot be opened with the server's key. An Administrator can enter them again on its page.",
            connection.name
        ))
    })?;
    connectors::build(&connection.kind, &connection.settings, &opened).map_err(|errors| {
        // The words name settings, never the value of a secret.
        AppError::Conflict(format!("The Connection \"{}\" needs attention: {errors}.", connection.name))
    })
}

/// What a test found, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    pub good: bool,
    pub words: String,
}

/// Tries a Connection. Nothing is imported, and nothing that the source sent is shown.
pub async fn test(app: &App, by: &By, id: i64) -> Result<Tested> {
    by.need_administrator()?;
    let secrets = app.secrets.clone();
    match app.read(move |conn| open(conn, &secrets, id)).await {
        Ok((_, connector)) => tried(app, connector).await,
        Err(AppError::Conflict(words)) => Ok(Tested { good: false, words }),
        Err(other) => Err(other),
    }
}

/// Tries what somebody typed, before anything is saved: secrets that are blank are those of the Connection `id`. `Invalid`:
/// it makes no connector.
pub async fn test_draft(app: &App, by: &By, id: Option<i64>, draft: ConnectionDraft) -> Result<Tested> {
    by.need_administrator()?;
    let (who, secrets) = (by.clone(), app.secrets.clone());
    let connector = app.read(move |conn| {
        actions::need_administrator(conn, &who)?;
        let mut errors = FieldErrors::new();
        let opened = match id {
            Some(id) => actions::with_kept(&secrets, id, &store::sealed(conn, id)?, &draft, &mut errors),
            None => actions::merged(BTreeMap::new(), &draft),
        };
        errors.ok_or(())?;
        Ok(connectors::build(&draft.kind, &draft.settings, &opened)?)
    });
    tried(app, connector.await?).await
}

async fn tried(app: &App, connector: Box<dyn Connector>) -> Result<Tested> {
    let outside = app.outside();
    off_thread(move || {
        let tried = connector.test(&FetchContext::until(&outside, Instant::now() + PATIENCE));
        Ok(match tried {
            Ok(words) => Tested { good: true, words },
            Err(error) => Tested { good: false, words: error.sentence },
        })
    })
    .await
}

/// What there is to choose from, newest first; the error is a sentence for the page. Empty where a kind cannot tell.
pub async fn files(app: &App, id: i64) -> Result<std::result::Result<Vec<Entry>, String>> {
    let secrets = app.secrets.clone();
    let connector = match app.read(move |conn| open(conn, &secrets, id)).await {
        Ok((_, connector)) => connector,
        Err(AppError::Conflict(words)) => return Ok(Err(words)),
        Err(other) => return Err(other),
    };
    let outside = app.outside();
    off_thread(move || {
        let listed = connector.list(None, &FetchContext::until(&outside, Instant::now() + PATIENCE));
        Ok(listed.map_err(|error| error.sentence))
    })
    .await
}
