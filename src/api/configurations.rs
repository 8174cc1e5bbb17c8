//! Import configurations, and starting them.

use actix_web::web::Payload;
use serde_json::Value;

use super::call::{Call, Nothing, matches};
use super::runs::{self, RunAnswer, RunBody};
use super::upload::{self, FileQuery};
use super::{Answer, Begun, Body, Gone, List, Made, PageQuery, Patch, Reply, Shown};
use crate::applications::{self, Entered};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::imports::{self, Configuration, ConfigurationAnswer, ConfigurationBody, Definition, Draft, Target};
use crate::members::{By, Scope};

/// `GET applications/{a}/import-configurations`
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<ConfigurationAnswer>>> {
    let (application_id, page) = (call.id("a")?, call.query.clone());
    let found = call.read(move |conn, by| {
        let entered = applications::enter(conn, by, application_id)?;
        imports::page(conn, &entered, page.after(), page.fetch())
    });
    let shown = |listed: imports::Listed| ConfigurationAnswer::of(&listed.configuration, &listed.definition);
    Ok(Reply::ok(call.query.list(found.await?, |listed| listed.configuration.id, shown)))
}

/// `POST applications/{a}/import-configurations`
pub async fn create(call: Call, body: Body<ConfigurationBody>) -> Answer<Made<ConfigurationAnswer>> {
    let (application_id, now) = (call.id("a")?, call.now());
    call.once(body, move |conn, by, body| {
        let entered = applications::enter(conn, by, application_id)?;
        entered.need_configure(conn, by)?;
        let (sent, errors) = body.look()?;
        let made = imports::create(conn, by, &entered, sent.draft(errors)?, now)?;
        Ok(Reply::created(format!("import-configurations/{}", made.id), whole(conn, &entered, made.id)?))
    })
    .await
}

/// `GET import-configurations/{i}`
pub async fn show(call: Call) -> Answer<Shown<ConfigurationAnswer>> {
    let id = call.id("i")?;
    let found = call.read(move |conn, by| {
        let (configuration, definition, _) = find(conn, by, id)?;
        Ok(ConfigurationAnswer::of(&configuration, &definition))
    });
    Ok(Reply::ok(found.await?))
}

/// `PATCH import-configurations/{i}`
pub async fn update(call: Call, body: Body<Patch<ConfigurationBody>>) -> Answer<Shown<ConfigurationAnswer>> {
    let (id, expected, now, in_use) = (call.id("i")?, call.expected(), call.now(), call.app.in_use);
    let saved = call.change(body, move |conn, by, body| {
        let (configuration, definition, entered) = find(conn, by, id)?;
        entered.need_configure(conn, by)?;
        let (sent, errors) = body.look_over(&ConfigurationBody::before(&configuration, &definition, &body.map()?))?;
        let draft = sent.draft(errors)?;
        if draft == Draft::of(&configuration, &definition) {
            matches(expected, configuration.version)?;
            return Ok(ConfigurationAnswer::of(&configuration, &definition));
        }
        imports::update(conn, in_use, by, &entered, (id, expected), draft, now)?;
        whole(conn, &entered, id)
    });
    Ok(Reply::ok(saved.await?))
}

/// `DELETE import-configurations/{i}`
pub async fn delete(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, expected, now, in_use) = (call.id("i")?, call.expected(), call.now(), call.app.in_use);
    let gone = call.change(body, move |conn, by, body| {
        let (configuration, _, entered) = find(conn, by, id)?;
        entered.need_configure(conn, by)?;
        body.read()?;
        matches(expected, configuration.version)?;
        imports::archive(conn, in_use, by, &entered, id, now)
    });
    gone.await?;
    Ok(Reply::gone())
}

/// `POST import-configurations/{i}/runs`
pub async fn run(call: Call, body: Body<RunBody>) -> Answer<Begun<RunAnswer>> {
    let (id, now, secrets) = (call.id("i")?, call.now(), call.app.secrets.clone());
    let answer = call
        .once(body, move |conn, by, body| {
            may_run(conn, by, id)?;
            let parameters = body.read()?.parameters.map(Value::Object);
            Ok(runs::begun(
                &crate::runs::actions::start_by_hand(
                    conn,
                    &secrets,
                    by,
                    Target::Configuration(id),
                    None,
                    parameters,
                    now,
                )?
                .run,
            ))
        })
        .await;
    call.app.work.notify_one();
    answer
}

/// `POST import-configurations/{i}/files`: keeps the file and runs with it. A form with the part `file` (and, if there
/// are any, `parameters` in JSON), or the file itself with `?name=`.
pub async fn run_with_file(call: Call<FileQuery>, payload: Payload) -> Answer<Begun<RunAnswer>> {
    let (id, now, secrets) = (call.id("i")?, call.now(), call.app.secrets.clone());
    call.read(move |conn, by| may_run(conn, by, id)).await?;
    let upload::Given { name, file, parameters } = upload::receive(&call, payload.into_inner()).await?;
    let may = move |conn: &mut Conn, by: &By| may_run(conn, by, id);
    let kept = upload::keep(&call, may, name, file).await?;
    let sent = format!("{} {} {parameters:?}", kept.name, kept.sha256);
    let begun = move |conn: &mut Conn, by: &By| {
        let run = crate::runs::actions::start_by_hand(
            conn,
            &secrets,
            by,
            Target::Configuration(id),
            Some(kept.id),
            parameters,
            now,
        )?
        .run;
        Ok(runs::begun(&run))
    };
    let answer = call.once_for(sent.as_bytes(), begun).await;
    call.app.work.notify_one();
    answer
}

fn find(conn: &mut Conn, by: &By, id: i64) -> Result<(Configuration, Definition, Entered)> {
    let known = imports::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entered = applications::enter(conn, by, known.application_id)?;
    let (configuration, definition) = imports::find(conn, &entered, id)?;
    Ok((configuration, definition, entered))
}

fn whole(conn: &mut Conn, entered: &Entered, id: i64) -> Result<ConfigurationAnswer> {
    let (configuration, definition) = imports::find(conn, entered, id)?;
    Ok(ConfigurationAnswer::of(&configuration, &definition))
}

/// Rights first, before anything is received.
fn may_run(conn: &mut Conn, by: &By, id: i64) -> Result<()> {
    let known = imports::by_id(conn, id)?.filter(|known| !known.archived).ok_or(AppError::NotFound)?;
    applications::enter(conn, by, known.application_id)?.need_import(conn, by, Scope::Run)
}
