//! Files kept for schedules and for the steps of import sets.

use actix_web::web::Payload;

use super::call::{Call, Nothing};
use super::upload::{self, FileQuery, Given};
use super::{Answer, Body, Gone, List, Made, PageQuery, Problem, Reply, Shown};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::files::Stored;
use crate::files::kept::{KeptFileAnswer, actions, of_application};
use crate::members::By;

/// `GET applications/{a}/kept-files`
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<KeptFileAnswer>>> {
    let application_id = call.id("a")?;
    let found = call.read(move |conn, by| {
        actions::enter(conn, by, application_id)?;
        of_application(conn, application_id)
    });
    Ok(Reply::ok(call.query.of_all(found.await?, |kept| kept.id, |kept| KeptFileAnswer::of(&kept))))
}

/// `POST applications/{a}/kept-files`: a form with the part `file`, or the file itself with `?name=`.
pub async fn create(call: Call<FileQuery>, payload: Payload) -> Answer<Made<KeptFileAnswer>> {
    let (application_id, now) = (call.id("a")?, call.now());
    let may = move |conn: &mut Conn, by: &By| actions::enter_to_change(conn, by, application_id).map(|_| ());
    call.read(may).await?;
    let stored = receive(&call, payload, may).await?;
    let sent = format!("{} {}", stored.name, stored.sha256);
    call.once_for(sent.as_bytes(), move |conn, by| {
        let kept = actions::keep(conn, by, application_id, &stored, now)?;
        Ok(Reply::created(format!("kept-files/{}", kept.id), KeptFileAnswer::of(&kept)))
    })
    .await
}

/// `GET kept-files/{kept}`
pub async fn show(call: Call) -> Answer<Shown<KeptFileAnswer>> {
    let id = call.id("kept")?;
    let (kept, _) = call.read(move |conn, by| actions::find(conn, by, id)).await?;
    Ok(Reply::ok(KeptFileAnswer::of(&kept)))
}

/// `PUT kept-files/{kept}`: the file in its place, sent like a new one.
pub async fn replace(call: Call<FileQuery>, payload: Payload) -> Answer<Shown<KeptFileAnswer>> {
    let (id, expected, now) = (call.id("kept")?, call.expected(), call.now());
    let may = move |conn: &mut Conn, by: &By| {
        let (kept, _) = actions::find(conn, by, id)?;
        actions::enter_to_change(conn, by, kept.application_id).map(|_| ())
    };
    call.read(may).await?;
    let (stored, by) = (receive(&call, payload, may).await?, call.by.clone());
    let kept = call.app.write(move |conn| actions::replace(conn, &by, (id, expected), &stored, now));
    Ok(Reply::ok(KeptFileAnswer::of(&kept.await?)))
}

async fn receive(
    call: &Call<FileQuery>,
    payload: Payload,
    may: impl FnOnce(&mut Conn, &By) -> Result<()> + Send + 'static,
) -> Result<Stored, Problem> {
    let Given { name, file, parameters } = upload::receive(call, payload.into_inner()).await?;
    if parameters.is_some() {
        let why = "A file is kept without parameters. Give them to the schedule or the step that loads it.";
        return Err(AppError::invalid("parameters", why).into());
    }
    upload::keep(call, may, name, file).await
}

/// `DELETE kept-files/{kept}`
pub async fn delete(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, expected, now, in_use) = (call.id("kept")?, call.expected(), call.now(), call.app.in_use);
    let gone = call.change(body, move |conn, by, body| {
        let (kept, _) = actions::find(conn, by, id)?;
        actions::enter_to_change(conn, by, kept.application_id)?;
        body.read()?;
        actions::delete(conn, in_use, by, (id, expected), now).map(drop)
    });
    gone.await?;
    Ok(Reply::gone())
}
