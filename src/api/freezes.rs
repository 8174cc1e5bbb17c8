//! Freezes of an Application.

use super::call::{Call, Nothing, matches};
use super::{Answer, Body, Gone, List, Made, PageQuery, Patch, Reply, Shown};
use crate::clock::Moment;
use crate::error::FieldErrors;
use crate::freezes::{Draft, Freeze, FreezeAnswer, FreezeBody, actions, of_application};

/// `GET applications/{a}/freezes`: past ones too.
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<FreezeAnswer>>> {
    let application_id = call.id("a")?;
    let found = call.read(move |conn, by| {
        actions::enter(conn, by, application_id)?;
        of_application(conn, application_id)
    });
    Ok(Reply::ok(call.query.of_all(found.await?, |f| f.id, |f| FreezeAnswer::of(&f))))
}

/// `POST applications/{a}/freezes`. Without `from` it begins now.
pub async fn create(call: Call, body: Body<FreezeBody>) -> Answer<Made<FreezeAnswer>> {
    let (application_id, now) = (call.id("a")?, call.now());
    call.once(body, move |conn, by, body| {
        actions::enter(conn, by, application_id)?.need_configure(conn, by)?;
        let (sent, errors) = body.look()?;
        let draft = checked(draft(sent, now), errors, None, now)?;
        let made = actions::create(conn, by, application_id, draft, now)?;
        Ok(Reply::created(format!("freezes/{}", made.id), FreezeAnswer::of(&made)))
    })
    .await
}

/// `GET freezes/{f}`
pub async fn show(call: Call) -> Answer<Shown<FreezeAnswer>> {
    let id = call.id("f")?;
    let (freeze, _) = call.read(move |conn, by| actions::find(conn, by, id)).await?;
    Ok(Reply::ok(FreezeAnswer::of(&freeze)))
}

/// `PATCH freezes/{f}`
pub async fn update(call: Call, body: Body<Patch<FreezeBody>>) -> Answer<Shown<FreezeAnswer>> {
    let (id, expected, now) = (call.id("f")?, call.expected(), call.now());
    let saved = call.change(body, move |conn, by, body| {
        let (was, entered) = actions::find(conn, by, id)?;
        entered.need_configure(conn, by)?;
        let (sent, errors) = body.look_over(&FreezeBody::of(&was))?;
        if errors.is_empty() && sent == FreezeBody::of(&was) {
            matches(expected, was.version)?;
            return Ok(was);
        }
        let draft = checked(draft(sent, was.starts_at), errors, Some(&was), now)?;
        actions::update(conn, by, id, expected, draft, now)
    });
    Ok(Reply::ok(FreezeAnswer::of(&saved.await?)))
}

/// `POST freezes/{f}/end`: now instead of later.
pub async fn end(call: Call, body: Body<Nothing>) -> Answer<Shown<FreezeAnswer>> {
    let (id, expected, now) = (call.id("f")?, call.expected(), call.now());
    call.once(body, move |conn, by, body| {
        actions::find(conn, by, id)?.1.need_configure(conn, by)?;
        body.read()?;
        Ok(Reply::ok(FreezeAnswer::of(&actions::end(conn, by, id, expected, now)?)))
    })
    .await
}

/// `DELETE freezes/{f}`
pub async fn delete(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, expected, now) = (call.id("f")?, call.expected(), call.now());
    let gone = call.change(body, move |conn, by, body| {
        actions::find(conn, by, id)?.1.need_configure(conn, by)?;
        body.read()?;
        actions::delete(conn, by, id, expected, now)
    });
    gone.await?;
    Ok(Reply::gone())
}

/// `begins`: unless it is said.
fn draft(sent: FreezeBody, begins: Moment) -> Draft {
    let starts_at = sent.from.unwrap_or(begins);
    Draft {
        name: sent.name.unwrap_or_default(),
        starts_at,
        // Where there is none, only the rest is judged.
        ends_at: sent.to.unwrap_or(Moment::from_micros(starts_at.micros() + 1)),
        run_once: sent.run_once.unwrap_or(false),
    }
}

/// All that is wrong at once: with what was sent, and what the action would say of the rest. What has ended is the
/// action's to refuse.
fn checked(draft: Draft, mut errors: FieldErrors, was: Option<&Freeze>, now: Moment) -> Result<Draft, FieldErrors> {
    if was.is_none_or(|was| was.ends_at > now)
        && let Err(more) = draft.clone().check(was, now)
    {
        errors.extend_others(more);
    }
    errors.ok_or(draft)
}
