//! Using a Connection: opening it with its secrets, trying it, looking at what there is to choose from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::actions::{self, unseal};
use super::model::{Connection, ConnectionDraft};
use super::store;
use crate::app::{App, off_thread};
use crate::audit;
use crate::connectors::{self, Connector, Entry, FetchContext};
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{self, By};
use crate::parameters::{Template, Values, Where};
use crate::secrets::Secrets;

/// How long a test or a listing may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Of where a Connection leads the audit log keeps so much, in characters.
const LONGEST_PLACE: usize = 500;

/// A Connection that is not archived, with its connector. Whether somebody may use it is the caller's to have asked.
pub fn open(conn: &mut Conn, secrets: &Secrets, id: i64) -> Result<(Connection, Box<dyn Connector>)> {
    let connection = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let connector = connector(conn, secrets, &connection)?;
    Ok((connection, connector))
}

/// The connector of a Connection that is there, with its secrets.
pub fn connector(conn: &mut Conn, secrets: &Secrets, connection: &Connection) -> Result<Box<dyn Connector>> {
    connector_with(conn, secrets, connection, &Values::default())
}

/// The same for a run with these values: they fill in its address and the values of its headers. `Conflict` also says which
/// value cannot stand there.
pub fn connector_with(
    conn: &mut Conn,
    secrets: &Secrets,
    connection: &Connection,
    values: &Values,
) -> Result<Box<dyn Connector>> {
    let sealed = store::sealed(conn, connection.id)?;
    let opened = unseal(secrets, connection.id, &sealed).ok_or_else(|| {
        AppError::Conflict(format!(
            "The secrets of \"{}\" cannot be opened with the server's key. An Administrator can enter them again on its page.",
            connection.name
        ))
    })?;
    let settings = with_values(connection, values).map_err(AppError::Conflict)?;
    connectors::build(&connection.kind, &settings, &opened).map_err(|errors| {
        // The words name settings, never the value of a secret.
        AppError::Conflict(format!("The Connection \"{}\" needs attention: {errors}.", connection.name))
    })
}

/// The settings with the values of parameters where they may stand.
fn with_values<'a>(connection: &'a Connection, values: &Values) -> std::result::Result<Cow<'a, Value>, String> {
    if values.is_empty() || !connection.kind().is_some_and(|kind| kind.is_address) {
        return Ok(Cow::Borrowed(&connection.settings));
    }
    let fill = |text: &str, at| Template::of_known(text, &|name| values.declares(name)).write(values, at);
    let mut settings = connection.settings.clone();
    if let Some(Value::String(url)) = settings.get_mut("url") {
        *url = fill(url, Where::Url)?;
    }
    match settings.get_mut("headers") {
        Some(Value::String(lines)) => *lines = fill_lines(lines, &fill)?,
        Some(Value::Object(headers)) => {
            for value in headers.values_mut() {
                if let Value::String(text) = value {
                    *text = fill(text, Where::Header)?;
                }
            }
        }
        _ => {}
    }
    Ok(Cow::Owned(settings))
}

/// A value brings no line break, so lines stay lines.
fn fill_lines(
    lines: &str,
    fill: &dyn Fn(&str, Where<'static>) -> std::result::Result<String, String>,
) -> std::result::Result<String, String> {
    let line = |line: &str| match line.split_once(':') {
        Some((name, value)) => Ok(format!("{name}:{}", fill(value, Where::Header)?)),
        None => Ok(line.to_owned()),
    };
    Ok(lines.lines().map(line).collect::<std::result::Result<Vec<_>, String>>()?.join("\n"))
}

/// What a test found, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    pub good: bool,
    pub words: String,
}

/// Tries a Connection. Nothing is imported, and nothing that the source sent is shown; the audit log keeps that it was asked.
pub async fn test(app: &App, by: &By, id: i64) -> Result<Tested> {
    members::actions::need_administrator(app, by).await?;
    let (who, secrets) = (by.clone(), app.secrets.clone());
    let opened = app.read(move |conn| {
        // The request may have been long on its way.
        who.need_standing(conn)?;
        let (connection, connector) = open(conn, &secrets, id)?;
        let led = Led { id: Some(id), name: Some(connection.name.clone()), to: connection.place().to_owned() };
        Ok((led, made_of(conn, &secrets, &connection)?, connector))
    });
    match opened.await {
        Ok((led, made_of, connector)) => tried(app, by, led, made_of, connector).await,
        Err(AppError::Conflict(words)) => Ok(Tested { good: false, words }),
        Err(other) => Err(other),
    }
}

/// Tries what somebody typed, before anything is saved: secrets that are blank are those of the Connection `id`, as
/// when it is saved. `Invalid`: it makes no connector.
pub async fn test_draft(app: &App, by: &By, id: Option<i64>, draft: ConnectionDraft) -> Result<Tested> {
    let (who, secrets) = (by.clone(), app.secrets.clone());
    let made = app.read(move |conn| {
        who.need_administrator(conn)?;
        who.need_standing(conn)?;
        let mut errors = FieldErrors::new();
        let before = id.map(|id| store::by_id(conn, id)?.ok_or(AppError::NotFound)).transpose()?;
        let opened = match &before {
            Some(before) => actions::with_kept(&secrets, before, &store::sealed(conn, before.id)?, &draft, &mut errors),
            None => actions::merged(BTreeMap::new(), &draft),
        };
        errors.ok_or(())?;
        let connector = connectors::build(&draft.kind, &draft.settings, &opened)?;
        let led = Led { id, name: before.map(|before| before.name), to: draft.place().to_owned() };
        Ok((led, (draft.kind, draft.settings.to_string(), opened), connector))
    });
    let (led, made_of, connector) = made.await?;
    tried(app, by, led, made_of, connector).await
}

/// Which Connection somebody tries, and where it leads; without an id one that is not there yet.
struct Led {
    id: Option<i64>,
    name: Option<String>,
    to: String,
}

impl Led {
    fn entry(&self, tested: &Tested) -> audit::Entry {
        // What is typed may be of any length.
        let to: String = self.to.chars().take(LONGEST_PLACE).collect();
        let mut said = json!({ "to": to, "answer": tested.words });
        if let Some(name) = &self.name {
            said["name"] = json!(name);
        }
        let entry = match self.id {
            Some(id) => audit::Entry::of("connection.tested", "connection", id),
            None => audit::Entry::about("connection.tested", "connection"),
        };
        entry.after(said)
    }
}

/// What makes a connector: kind, settings and secrets.
type MadeOf = (String, String, BTreeMap<String, String>);

fn made_of(conn: &mut Conn, secrets: &Secrets, connection: &Connection) -> Result<MadeOf> {
    let opened = unseal(secrets, connection.id, &store::sealed(conn, connection.id)?).unwrap_or_default();
    Ok((connection.kind.clone(), connection.settings.to_string(), opened))
}

/// Whether it answered when it was last tried as it is now, as far as this process knows.
pub fn answered(conn: &mut Conn, app: &App, connection: &Connection) -> Result<bool> {
    Ok(app.tried.answered(app.tried.key(made_of(conn, &app.secrets, connection)?)))
}

async fn tried(app: &App, by: &By, led: Led, made_of: MadeOf, connector: Box<dyn Connector>) -> Result<Tested> {
    let (outside, key) = (app.outside(), app.tried.key(made_of));
    let tested = off_thread(move || {
        let tried = connector.test(&FetchContext::until(&outside, Instant::now() + PATIENCE));
        Ok(match tried {
            Ok(words) => Tested { good: true, words },
            Err(error) => Tested { good: false, words: error.sentence },
        })
    })
    .await?;
    app.tried.note(key, tested.good);
    let (by, entry, now) = (by.clone(), led.entry(&tested), app.now());
    app.write(move |conn| by.audit(conn, entry, now)).await?;
    Ok(tested)
}

/// What there is to choose from, newest first; the error is a sentence for the page. Empty where a kind cannot tell.
pub async fn files(app: &App, id: i64) -> Result<std::result::Result<Vec<Entry>, String>> {
    let secrets = app.secrets.clone();
    let opened = app.read(move |conn| {
        let (connection, connector) = open(conn, &secrets, id)?;
        Ok((made_of(conn, &secrets, &connection)?, connector))
    });
    let (made_of, connector) = match opened.await {
        Ok(opened) => opened,
        Err(AppError::Conflict(words)) => return Ok(Err(words)),
        Err(other) => return Err(other),
    };
    let (outside, key) = (app.outside(), app.tried.key(made_of));
    let listed = off_thread(move || {
        let listed = connector.list(None, &FetchContext::until(&outside, Instant::now() + PATIENCE));
        Ok(listed.map_err(|error| error.sentence))
    })
    .await?;
    // A kind that cannot tell lists nothing and has asked nobody.
    if listed.as_ref().map_or(true, |files| !files.is_empty()) {
        app.tried.note(key, listed.is_ok());
    }
    Ok(listed)
}
