//! Freezes of an Application.

use super::Answer;
use super::body::{Body, Members};
use super::call::Call;
use super::reply::Reply;
use crate::clock::Moment;
use crate::error::FieldErrors;
use crate::freezes::{Draft, Freeze, actions, of_application};

/// `GET applications/{a}/freezes`: past ones too.
pub async fn list(call: Call) -> Answer {
    let application_id = call.id("a")?;
    let mut params = call.params();
    let page = params.page();
    params.finish()?;
    let found = call.read(move |conn, by| {
        actions::enter(conn, by, application_id)?;
        of_application(conn, application_id)
    });
    Ok(Reply::ok(page.of_all(found.await?, |f| f.id, |f| f.json())).response())
}

/// `POST applications/{a}/freezes`. Without `from` it begins now.
pub async fn create(call: Call, body: Body) -> Answer {
    let (application_id, now) = (call.id("a")?, call.now());
    call.no_params()?;
    call.once(&body.bytes()?, move |conn, by| {
        actions::enter(conn, by, application_id)?.need_configure(conn, by)?;
        let mut members = body.members()?;
        let before = members.errors.0.len();
        let to = members.moment("to");
        if to.is_none() && members.errors.0.len() == before {
            members.wrong::<()>("to", "Say when it ends.");
        }
        let draft = Draft {
            name: members.text("name").unwrap_or_default(),
            starts_at: members.moment("from").unwrap_or(now),
            // Where there is none, only the rest is judged.
            ends_at: to.unwrap_or(Moment::from_micros(now.micros() + 1)),
            run_once: members.flag("run_once").unwrap_or(false),
        };
        checked(members, &draft, None, now)?;
        let made = actions::create(conn, by, application_id, draft, now)?;
        Ok(Reply::created(format!("freezes/{}", made.id), made.json()))
    })
    .await
}

/// `GET freezes/{f}`
pub async fn show(call: Call) -> Answer {
    let id = call.id("f")?;
    call.no_params()?;
    let (freeze, _) = call.read(move |conn, by| actions::find(conn, by, id)).await?;
    Ok(Reply::ok(freeze.json()).response())
}

/// `PATCH freezes/{f}`
pub async fn update(call: Call, body: Body) -> Answer {
    let (id, expected, now) = (call.id("f")?, call.expected(), call.now());
    call.no_params()?;
    body.bytes()?;
    let saved = call.write(move |conn, by| {
        let (was, entered) = actions::find(conn, by, id)?;
        entered.need_configure(conn, by)?;
        let mut members = body.members()?;
        let draft = Draft {
            name: members.text("name").unwrap_or_else(|| was.name.clone()),
            starts_at: members.moment("from").unwrap_or(was.starts_at),
            ends_at: members.moment("to").unwrap_or(was.ends_at),
            run_once: members.flag("run_once").unwrap_or(was.run_once),
        };
        checked(members, &draft, Some(&was), now)?;
        actions::update(conn, by, id, expected, draft, now)
    });
    Ok(Reply::ok(saved.await?.json()).response())
}

/// `POST freezes/{f}/end`: now instead of later.
pub async fn end(call: Call, body: Body) -> Answer {
    let (id, expected, now) = (call.id("f")?, call.expected(), call.now());
    call.no_params()?;
    body.bytes()?;
    let ended = call.write(move |conn, by| {
        actions::find(conn, by, id)?.1.need_configure(conn, by)?;
        body.empty()?;
        actions::end(conn, by, id, expected, now)
    });
    Ok(Reply::ok(ended.await?.json()).response())
}

/// `DELETE freezes/{f}`
pub async fn delete(call: Call, body: Body) -> Answer {
    let (id, expected, now) = (call.id("f")?, call.expected(), call.now());
    call.no_params()?;
    body.empty()?;
    call.write(move |conn, by| actions::delete(conn, by, id, expected, now)).await?;
    Ok(Reply::gone().response())
}

/// All that is wrong at once: what was no name or instant, what does not belong there, and what the action would say of
/// the rest. What has ended is the action's to refuse.
fn checked(members: Members, draft: &Draft, was: Option<&Freeze>, now: Moment) -> Result<(), FieldErrors> {
    let mut errors = members.finish().err().unwrap_or_default();
    if was.is_none_or(|was| was.ends_at > now)
        && let Err(more) = draft.clone().check(was, now)
    {
        let named: Vec<String> = errors.0.iter().map(|e| e.field.clone()).collect();
        errors.extend(FieldErrors(more.0.into_iter().filter(|e| !named.contains(&e.field)).collect()));
    }
    errors.ok_or(())
}
