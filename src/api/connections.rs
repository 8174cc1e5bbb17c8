//! Connections. Secrets go in and never come out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Answer;
use super::body::{Body, Members, merge};
use super::call::Call;
use super::reply::Reply;
use crate::connections::{self, Connection, ConnectionDraft};
use crate::error::{FieldErrors, Result};

/// `GET connections`
pub async fn list(call: Call) -> Answer {
    let mut params = call.params();
    let page = params.page();
    params.finish()?;
    let found = call.read(move |conn, by| connections::page(conn, by, page.after(), page.fetch())).await?;
    Ok(Reply::ok(page.list(found, |c| c.id, |c| c.json())).response())
}

/// `POST connections`
pub async fn create(call: Call, body: Body) -> Answer {
    let (now, secrets) = (call.now(), call.app.secrets.clone());
    call.no_params()?;
    call.once(&body.bytes()?, move |conn, by| {
        connections::need_administrator(conn, by)?;
        let made = connections::create(conn, &secrets, by, draft(body.map()?)?, now)?;
        Ok(Reply::created(format!("connections/{}", made.id), made.json()))
    })
    .await
}

/// `GET connections/{c}`
pub async fn show(call: Call) -> Answer {
    let id = call.id("c")?;
    call.no_params()?;
    let found = call.read(move |conn, by| connections::find(conn, by, id)).await?;
    Ok(Reply::ok(found.json()).response())
}

/// `PATCH connections/{c}`. Secrets that are not named stay.
pub async fn update(call: Call, body: Body) -> Answer {
    let (id, expected, now) = (call.id("c")?, call.expected(), call.now());
    let secrets = call.app.secrets.clone();
    call.no_params()?;
    body.bytes()?;
    let saved = call.write(move |conn, by| {
        connections::need_administrator(conn, by)?;
        let before = connections::find(conn, by, id)?;
        let draft = draft(patched(&before, body.map()?))?;
        connections::update(conn, &secrets, by, id, expected, draft, now)
    });
    Ok(Reply::ok(saved.await?.json()).response())
}

/// `DELETE connections/{c}`
pub async fn delete(call: Call, body: Body) -> Answer {
    let (id, expected, now, in_use) = (call.id("c")?, call.expected(), call.now(), call.app.in_use);
    call.no_params()?;
    body.bytes()?;
    let gone = call.write(move |conn, by| {
        connections::need_administrator(conn, by)?;
        let before = connections::find(conn, by, id)?;
        body.empty()?;
        Call::matches(expected, before.version)?;
        connections::archive(conn, in_use, by, id, now)
    });
    gone.await?;
    Ok(Reply::gone().response())
}

/// `POST connections/{c}/test`: whether it answers, and what it says. Nothing is imported.
pub async fn test(call: Call, body: Body) -> Answer {
    let id = call.id("c")?;
    call.no_params()?;
    call.by.need_administrator()?;
    body.empty()?;
    let tested = connections::test(&call.app, &call.by, id).await?;
    Ok(Reply::ok(json!({ "good": tested.good, "detail": tested.words })).response())
}

fn patched(before: &Connection, patch: Map<String, Value>) -> Map<String, Value> {
    let mut whole = Map::new();
    whole.insert("name".into(), before.name.clone().into());
    whole.insert("kind".into(), before.kind.clone().into());
    whole.insert("settings".into(), before.settings.clone());
    whole.insert("application_ids".into(), json!(before.application_ids));
    merge(&mut whole, patch);
    whole
}

fn draft(body: Map<String, Value>) -> Result<ConnectionDraft> {
    let mut members = Members::of(body);
    let draft = ConnectionDraft {
        name: members.needed_text("name", "Give the Connection a name."),
        kind: members.needed_text("kind", "Say what it reaches: folder or http."),
        settings: Value::Object(members.object("settings").unwrap_or_default()),
        secrets: members.object("secrets").map(|sent| secrets(sent, &mut members.errors)).unwrap_or_default(),
        application_ids: members.ids("application_ids").unwrap_or_default(),
    };
    members.finish()?;
    Ok(draft)
}

fn secrets(sent: Map<String, Value>, errors: &mut FieldErrors) -> BTreeMap<String, Option<String>> {
    let mut secrets = BTreeMap::new();
    for (name, value) in sent {
        match value {
            Value::Null => {}
            Value::String(secret) => drop(secrets.insert(name, Some(secret))),
            _ => errors.add(format!("secrets.{name}"), "Send text."),
        }
    }
    secrets
}
