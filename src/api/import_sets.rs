//! Import sets.

use serde_json::Value;

use super::call::{Call, Nothing};
use super::runs::{self, RunAnswer, RunBody};
use super::{Answer, Begun, Body, Gone, List, Made, PageQuery, Patch, Reply, Shown};
use crate::import_sets::{ImportSetAnswer, ImportSetBody, actions};
use crate::imports::Target;
use crate::members::Scope;
use crate::runs::actions::start_by_hand;

/// `GET applications/{a}/import-sets`
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<ImportSetAnswer>>> {
    let (application_id, page) = (call.id("a")?, call.query.clone());
    let found = call.read(move |conn, by| {
        let entered = actions::enter(conn, by, application_id)?;
        actions::page(conn, &entered, page.after(), page.fetch())
    });
    let shown = |(set, definition)| ImportSetAnswer::of(&set, &definition);
    Ok(Reply::ok(call.query.list(found.await?, |(set, _)| set.id, shown)))
}

/// `POST applications/{a}/import-sets`
pub async fn create(call: Call, body: Body<ImportSetBody>) -> Answer<Made<ImportSetAnswer>> {
    let (application_id, now, secrets) = (call.id("a")?, call.now(), call.app.secrets.clone());
    call.once(body, move |conn, by, body| {
        let entered = actions::enter(conn, by, application_id)?;
        entered.need_configure(conn, by)?;
        let (sent, errors) = body.look()?;
        let made = actions::create(conn, &secrets, by, &entered, sent.draft(errors)?, now)?;
        let (set, definition, _) = actions::find(conn, by, made.id)?;
        Ok(Reply::created(format!("import-sets/{}", set.id), ImportSetAnswer::of(&set, &definition)))
    })
    .await
}

/// `GET import-sets/{set}`
pub async fn show(call: Call) -> Answer<Shown<ImportSetAnswer>> {
    let id = call.id("set")?;
    let (set, definition, _) = call.read(move |conn, by| actions::find(conn, by, id)).await?;
    Ok(Reply::ok(ImportSetAnswer::of(&set, &definition)))
}

/// `PATCH import-sets/{set}`. `steps` are given whole.
pub async fn update(call: Call, body: Body<Patch<ImportSetBody>>) -> Answer<Shown<ImportSetAnswer>> {
    let (id, expected, now) = (call.id("set")?, call.expected(), call.now());
    let (secrets, followers) = (call.app.secrets.clone(), call.app.followers);
    let saved = call.change(body, move |conn, by, body| {
        let (set, definition, entered) = actions::find(conn, by, id)?;
        entered.need_configure(conn, by)?;
        let (sent, errors) = body.look_over(&ImportSetBody::of(&set, &definition))?;
        actions::update(conn, (&secrets, followers), by, &entered, (id, expected), sent.draft(errors)?, now)?;
        let (set, definition, _) = actions::find(conn, by, id)?;
        Ok(ImportSetAnswer::of(&set, &definition))
    });
    Ok(Reply::ok(saved.await?))
}

/// `POST import-sets/{set}/runs`
pub async fn run(call: Call, body: Body<RunBody>) -> Answer<Begun<RunAnswer>> {
    let (id, now, secrets) = (call.id("set")?, call.now(), call.app.secrets.clone());
    let answer = call
        .once(body, move |conn, by, body| {
            let (_, _, entered) = actions::find(conn, by, id)?;
            entered.need_import(conn, by, Scope::Run)?;
            let parameters = body.read()?.parameters.map(Value::Object);
            Ok(runs::begun(&start_by_hand(conn, &secrets, by, Target::Set(id), None, parameters, now)?.run))
        })
        .await;
    call.app.work.notify_one();
    answer
}

/// `DELETE import-sets/{set}`
pub async fn delete(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, expected, now, in_use) = (call.id("set")?, call.expected(), call.now(), call.app.in_use);
    let gone = call.change(body, move |conn, by, body| {
        let (_, _, entered) = actions::find(conn, by, id)?;
        entered.need_configure(conn, by)?;
        body.read()?;
        actions::archive(conn, in_use, by, &entered, (id, expected), now)
    });
    gone.await?;
    Ok(Reply::gone())
}
