//! Import configurations, and starting them.

use actix_web::web::Payload;
use serde_json::Value;

use super::body::Body;
use super::call::Call;
use super::reply::Reply;
use super::{Answer, runs, upload};
use crate::app::off_thread;
use crate::applications::{self, Entered};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::imports::{self, Configuration, Definition, Draft, files};
use crate::members::{By, Scope};

/// `GET applications/{a}/import-configurations`
pub async fn list(call: Call) -> Answer {
    let application_id = call.id("a")?;
    let mut params = call.params();
    let page = params.page();
    params.finish()?;
    let found = call.read(move |conn, by| {
        let entered = applications::enter(conn, by, application_id)?;
        imports::page(conn, &entered, page.after(), page.fetch())
    });
    let json = |listed: imports::Listed| imports::json(&listed.configuration, &listed.definition);
    Ok(Reply::ok(page.list(found.await?, |listed| listed.configuration.id, json)).response())
}

/// `POST applications/{a}/import-configurations`
pub async fn create(call: Call, body: Body) -> Answer {
    let (application_id, now) = (call.id("a")?, call.now());
    call.no_params()?;
    call.once(&body.bytes()?, move |conn, by| {
        let entered = applications::enter(conn, by, application_id)?;
        entered.need_configure(conn, by)?;
        let made = imports::create(conn, by, &entered, Draft::parse(&body.map()?)?, now)?;
        Ok(Reply::created(format!("import-configurations/{}", made.id), whole(conn, &entered, made.id)?))
    })
    .await
}

/// `GET import-configurations/{i}`
pub async fn show(call: Call) -> Answer {
    let id = call.id("i")?;
    call.no_params()?;
    let found = call.read(move |conn, by| {
        let (configuration, definition, _) = find(conn, by, id)?;
        Ok(imports::json(&configuration, &definition))
    });
    Ok(Reply::ok(found.await?).response())
}

/// `PATCH import-configurations/{i}`
pub async fn update(call: Call, body: Body) -> Answer {
    let (id, expected, now, in_use) = (call.id("i")?, call.expected(), call.now(), call.app.in_use);
    call.no_params()?;
    body.bytes()?;
    let saved = call.write(move |conn, by| {
        let (configuration, definition, entered) = find(conn, by, id)?;
        entered.need_configure(conn, by)?;
        let draft = Draft::patched(&configuration, &definition, &body.map()?)?;
        imports::update(conn, in_use, by, &entered, id, expected, draft, now)?;
        whole(conn, &entered, id)
    });
    Ok(Reply::ok(saved.await?).response())
}

/// `DELETE import-configurations/{i}`
pub async fn delete(call: Call, body: Body) -> Answer {
    let (id, expected, now, in_use) = (call.id("i")?, call.expected(), call.now(), call.app.in_use);
    call.no_params()?;
    body.bytes()?;
    let gone = call.write(move |conn, by| {
        let (configuration, _, entered) = find(conn, by, id)?;
        entered.need_configure(conn, by)?;
        body.empty()?;
        Call::matches(expected, configuration.version)?;
        imports::archive(conn, in_use, by, &entered, id, now)
    });
    gone.await?;
    Ok(Reply::gone().response())
}

/// `POST import-configurations/{i}/runs`
pub async fn run(call: Call, body: Body) -> Answer {
    let (id, now) = (call.id("i")?, call.now());
    call.no_params()?;
    let answer = call
        .once(&body.bytes()?, move |conn, by| {
            may_run(conn, by, id)?;
            let mut members = body.members()?;
            let parameters = members.object("parameters").map(Value::Object);
            members.finish()?;
            Ok(runs::begun(&crate::runs::actions::start_by_hand(conn, by, id, None, parameters, now)?.run))
        })
        .await;
    call.app.work.notify_one();
    answer
}

/// `POST import-configurations/{i}/files`: keeps the file and runs with it. A form with the part `file` (and, if there
/// are any, `parameters` in JSON), or the file itself with `?name=`.
pub async fn run_with_file(call: Call, payload: Payload) -> Answer {
    let (id, now) = (call.id("i")?, call.now());
    call.read(move |conn, by| may_run(conn, by, id)).await?;
    let upload::Given { name, file, parameters } = upload::receive(&call, payload).await?;
    let blocks = call.app.blocks.clone();
    let kept = off_thread(move || {
        let kept = files::save(&blocks, &name, file, now)?;
        files::open(&blocks, kept)
    })
    .await?;
    let sent = format!("{} {} {parameters:?}", kept.name, kept.sha256);
    let begun = move |conn: &mut Conn, by: &By| {
        let run = crate::runs::actions::start_by_hand(conn, by, id, Some(kept.id), parameters, now)?.run;
        Ok(runs::begun(&run))
    };
    // A file that no run names is forgotten by and by.
    let answer = call.once(sent.as_bytes(), begun).await;
    call.app.work.notify_one();
    answer
}

fn find(conn: &mut Conn, by: &By, id: i64) -> Result<(Configuration, Definition, Entered)> {
    let known = imports::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entered = applications::enter(conn, by, known.application_id)?;
    let (configuration, definition) = imports::find(conn, &entered, id)?;
    Ok((configuration, definition, entered))
}

fn whole(conn: &mut Conn, entered: &Entered, id: i64) -> Result<Value> {
    let (configuration, definition) = imports::find(conn, entered, id)?;
    Ok(imports::json(&configuration, &definition))
}

/// Rights first, before anything is received.
fn may_run(conn: &mut Conn, by: &By, id: i64) -> Result<()> {
    let known = imports::by_id(conn, id)?.filter(|known| !known.archived).ok_or(AppError::NotFound)?;
    applications::enter(conn, by, known.application_id)?.need_import(conn, by, Scope::Run)
}
