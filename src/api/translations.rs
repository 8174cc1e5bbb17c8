//! Translation tables of an Application.

use super::call::{Call, Nothing};
use super::{Answer, Body, Gone, List, Made, PageQuery, Patch, Reply, Shown};
use crate::error::FieldErrors;
use crate::translations::{
    Draft, EntryBody, Otherwise, Translation, TranslationAnswer, TranslationBody, TranslationOutlineAnswer, actions,
    of_application,
};

/// `GET applications/{a}/translations`: without their entries, of which there may be many.
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<TranslationOutlineAnswer>>> {
    let application_id = call.id("a")?;
    let found = call.read(move |conn, by| {
        actions::enter(conn, by, application_id)?;
        of_application(conn, application_id)
    });
    Ok(Reply::ok(call.query.of_all(found.await?, |t| t.id, |t| TranslationOutlineAnswer::of(&t))))
}

/// `POST applications/{a}/translations`
pub async fn create(call: Call, body: Body<TranslationBody>) -> Answer<Made<TranslationAnswer>> {
    let (application_id, now) = (call.id("a")?, call.now());
    call.once(body, move |conn, by, body| {
        actions::enter(conn, by, application_id)?.need_configure(conn, by)?;
        let (sent, errors) = body.look()?;
        let draft = checked(draft(sent), errors, None)?;
        let made = actions::create(conn, by, application_id, draft, now)?;
        Ok(Reply::created(format!("translations/{}", made.id), TranslationAnswer::of(&made)))
    })
    .await
}

/// `GET translations/{t}`
pub async fn show(call: Call) -> Answer<Shown<TranslationAnswer>> {
    let id = call.id("t")?;
    let (table, _) = call.read(move |conn, by| actions::find(conn, by, id)).await?;
    Ok(Reply::ok(TranslationAnswer::of(&table)))
}

/// `PATCH translations/{t}`. `entries` are given whole.
pub async fn update(call: Call, body: Body<Patch<TranslationBody>>) -> Answer<Shown<TranslationAnswer>> {
    let (id, expected, now) = (call.id("t")?, call.expected(), call.now());
    let saved = call.change(body, move |conn, by, body| {
        let (was, entered) = actions::find(conn, by, id)?;
        entered.need_configure(conn, by)?;
        let (sent, errors) = body.look_over(&TranslationBody::of(&was))?;
        let draft = checked(draft(sent), errors, Some(&was))?;
        actions::update(conn, by, id, expected, draft, now)
    });
    Ok(Reply::ok(TranslationAnswer::of(&saved.await?)))
}

/// `DELETE translations/{t}`
pub async fn delete(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, expected, now, in_use) = (call.id("t")?, call.expected(), call.now(), call.app.in_use);
    let gone = call.change(body, move |conn, by, body| {
        actions::find(conn, by, id)?.1.need_configure(conn, by)?;
        body.read()?;
        actions::delete(conn, in_use, by, id, expected, now)
    });
    gone.await?;
    Ok(Reply::gone())
}

fn draft(sent: TranslationBody) -> Draft {
    let entry = |entry: EntryBody| (entry.from.unwrap_or_default(), entry.to.unwrap_or_default());
    Draft {
        name: sent.name.unwrap_or_default(),
        otherwise: sent.otherwise.unwrap_or(Otherwise::Keep),
        entries: sent.entries.unwrap_or_default().into_iter().map(entry).collect(),
    }
}

/// All that is wrong at once: with what was sent, and what the action would say of the rest.
fn checked(draft: Draft, mut errors: FieldErrors, was: Option<&Translation>) -> Result<Draft, FieldErrors> {
    if let Err(mut more) = draft.clone().check(was) {
        // What is no entry at all was left out, so the places of the others are not those that were sent.
        if errors.0.iter().any(|error| error.field.starts_with("entries") && !error.field.contains("].")) {
            more.0.retain(|error| !error.field.starts_with("entries"));
        }
        errors.extend_others(more);
    }
    errors.ok_or(draft)
}
