//! By when imports are to be ready.

use super::call::{Call, Nothing};
use super::{Answer, Body, Gone, Reply, Shown};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::imports::Target;
use crate::promises::{ReadyByAnswer, ReadyByBody, actions, standings};

/// `GET import-configurations/{i}/ready-by`
pub async fn show(call: Call) -> Answer<Shown<ReadyByAnswer>> {
    let target = Target::Configuration(call.id("i")?);
    show_of(call, target).await
}

/// `PUT import-configurations/{i}/ready-by`
pub async fn set(call: Call, body: Body<ReadyByBody>) -> Answer<Shown<ReadyByAnswer>> {
    let target = Target::Configuration(call.id("i")?);
    set_of(call, target, body).await
}

/// `DELETE import-configurations/{i}/ready-by`
pub async fn remove(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let target = Target::Configuration(call.id("i")?);
    remove_of(call, target, body).await
}

/// `GET import-sets/{set}/ready-by`
pub async fn show_of_set(call: Call) -> Answer<Shown<ReadyByAnswer>> {
    let target = Target::Set(call.id("set")?);
    show_of(call, target).await
}

/// `PUT import-sets/{set}/ready-by`
pub async fn set_of_set(call: Call, body: Body<ReadyByBody>) -> Answer<Shown<ReadyByAnswer>> {
    let target = Target::Set(call.id("set")?);
    set_of(call, target, body).await
}

/// `DELETE import-sets/{set}/ready-by`
pub async fn remove_of_set(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let target = Target::Set(call.id("set")?);
    remove_of(call, target, body).await
}

async fn show_of(call: Call, target: Target) -> Answer<Shown<ReadyByAnswer>> {
    let now = call.now();
    let found = call.read(move |conn, by| {
        actions::find(conn, by, target)?;
        stands(conn, target, now)
    });
    Ok(Reply::ok(found.await?))
}

async fn set_of(call: Call, target: Target, body: Body<ReadyByBody>) -> Answer<Shown<ReadyByAnswer>> {
    let (expected, now) = (call.expected(), call.now());
    let saved = call.change(body, move |conn, by, body| {
        actions::find_to_change(conn, by, target)?;
        let (sent, mut errors) = body.look()?;
        // All that is wrong at once: with what was sent, and with what the rest of it means.
        if let Err(mut more) = sent.form().parse() {
            more.0.retain(|error| !errors.0.iter().any(|known| known.field.starts_with(&error.field)));
            errors.extend_others(more);
        }
        let sent = errors.ok_or(sent)?;
        actions::set(conn, by, target, &sent.form(), expected, now)?;
        stands(conn, target, now)
    });
    Ok(Reply::ok(saved.await?))
}

async fn remove_of(call: Call, target: Target, body: Body<Nothing>) -> Answer<Gone> {
    let (expected, now) = (call.expected(), call.now());
    let gone = call.change(body, move |conn, by, body| {
        actions::find_to_change(conn, by, target)?;
        body.read()?;
        actions::remove(conn, by, target, expected, now)
    });
    gone.await?;
    Ok(Reply::gone())
}

fn stands(conn: &mut Conn, target: Target, now: crate::clock::Moment) -> Result<ReadyByAnswer> {
    let (promise, standing) = standings(conn, &[target], now)?.remove(&target).ok_or(AppError::NotFound)?;
    Ok(ReadyByAnswer::of(&promise, &standing, now))
}
