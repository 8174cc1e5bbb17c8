//! Connections. Secrets go in and never come out.

use super::call::{Call, Nothing, matches};
use super::{Answer, Body, Gone, List, Made, PageQuery, Patch, Reply, Shown};
use crate::connections::{self, ConnectionAnswer, ConnectionDraft};
use crate::shape::{Ids, Object, Texts, answer, sent};

sent! {
    /// The fields of a Connection to create or change.
    pub struct ConnectionBody {
        name: String = "Enter a name." => "Warehouse files",
        /// Its kind: `folder`, `http` or `sqlite`. It cannot change.
        kind: String = "Choose a kind: folder, http or sqlite." => "folder",
        /// The settings of its kind, such as `path` of a folder or `url` of a server.
        settings: Object => serde_json::json!({ "path": "/srv/exports" }),
        /// Write-only, such as `password` or `token`. Secrets that you do not send stay, unless a setting changes where or
        /// how they are sent, such as `url`: then send them again.
        secrets: Texts,
        /// The Applications that it is authorised for.
        application_ids: Ids,
        /// The last day on which its secret works, if you know it. Administrators are notified 14 days and 2 days before.
        secret_ends_on: String => "2027-03-31",
    }
}

answer! {
    /// Whether a Connection answers.
    pub struct TestedAnswer of (tested: connections::Tested) {
        good: bool = tested.good,
        /// What the test found.
        detail: String = tested.words,
    }
}

/// `GET connections`
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<ConnectionAnswer>>> {
    let page = call.query.clone();
    let found = call.read(move |conn, by| connections::page(conn, by, page.after(), page.fetch())).await?;
    Ok(Reply::ok(call.query.list(found, |c| c.id, |c| ConnectionAnswer::of(&c))))
}

/// `POST connections`
pub async fn create(call: Call, body: Body<ConnectionBody>) -> Answer<Made<ConnectionAnswer>> {
    let (now, secrets) = (call.now(), call.app.secrets.clone());
    call.once(body, move |conn, by, body| {
        by.need_administrator(conn)?;
        let made = connections::create(conn, &secrets, by, draft(body.read()?), now)?;
        Ok(Reply::created(format!("connections/{}", made.id), ConnectionAnswer::of(&made)))
    })
    .await
}

/// `GET connections/{c}`
pub async fn show(call: Call) -> Answer<Shown<ConnectionAnswer>> {
    let id = call.id("c")?;
    let found = call.read(move |conn, by| connections::find(conn, by, id)).await?;
    Ok(Reply::ok(ConnectionAnswer::of(&found)))
}

/// `PATCH connections/{c}`. Secrets that are not named stay, while it leads where it led.
pub async fn update(call: Call, body: Body<Patch<ConnectionBody>>) -> Answer<Shown<ConnectionAnswer>> {
    let (id, expected, now) = (call.id("c")?, call.expected(), call.now());
    let secrets = call.app.secrets.clone();
    let saved = call.change(body, move |conn, by, body| {
        by.need_administrator(conn)?;
        let was = connections::find(conn, by, id)?;
        let before = ConnectionBody {
            name: Some(was.name.clone()),
            kind: Some(was.kind.clone()),
            settings: was.settings.as_object().cloned(),
            secrets: None,
            application_ids: Some(Ids(was.application_ids.clone())),
            secret_ends_on: was.secret_ends_on.map(|day| day.to_string()),
        };
        let Some(sent) = body.over(&before)? else {
            matches(expected, was.version)?;
            return Ok(was);
        };
        connections::update(conn, &secrets, by, id, expected, draft(sent), now)
    });
    Ok(Reply::ok(ConnectionAnswer::of(&saved.await?)))
}

/// `DELETE connections/{c}`
pub async fn delete(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, expected, now, in_use) = (call.id("c")?, call.expected(), call.now(), call.app.in_use);
    let gone = call.change(body, move |conn, by, body| {
        by.need_administrator(conn)?;
        let before = connections::find(conn, by, id)?;
        body.read()?;
        matches(expected, before.version)?;
        connections::archive(conn, in_use, by, id, now)
    });
    gone.await?;
    Ok(Reply::gone())
}

/// `POST connections/{c}/test`: whether it answers, and what it says. Nothing is imported.
pub async fn test(call: Call, body: Body<Nothing>) -> Answer<Shown<TestedAnswer>> {
    let id = call.id("c")?;
    call.read(|conn, by| by.need_administrator(conn)).await?;
    body.bytes()?;
    body.read()?;
    Ok(Reply::ok(TestedAnswer::of(connections::test(&call.app, &call.by, id).await?)))
}

fn draft(sent: ConnectionBody) -> ConnectionDraft {
    let secrets = sent.secrets.unwrap_or_default().0;
    ConnectionDraft {
        name: sent.name.unwrap_or_default(),
        kind: sent.kind.unwrap_or_default(),
        settings: sent.settings.unwrap_or_default().into(),
        secrets: secrets.into_iter().map(|(name, secret)| (name, Some(secret))).collect(),
        application_ids: sent.application_ids.unwrap_or_default().0,
        secret_ends_on: sent.secret_ends_on,
    }
}
