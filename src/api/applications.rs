//! Applications, and who has access to them.

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::Answer;
use super::body::{Body, Members};
use super::call::Call;
use super::reply::Reply;
use crate::applications::actions::{self, Change, NewApplication, SPACING};
use crate::applications::{self, Application, Grants};

/// `GET applications`: those that the member sees.
pub async fn list(call: Call) -> Answer {
    let mut params = call.params();
    let page = params.page();
    params.finish()?;
    let seen = call.read(applications::seen_by).await?;
    Ok(Reply::ok(page.of_all(seen, |a| a.id, |a| json(&a))).response())
}

/// `POST applications`
pub async fn create(call: Call, body: Body) -> Answer {
    let now = call.now();
    call.no_params()?;
    call.once(&body.bytes()?, move |conn, by| {
        actions::need_create(conn, by)?;
        let mut members = body.members()?;
        let new = NewApplication {
            name: members.needed_text("name", "Give it a name."),
            time_zone: zone(&mut members).unwrap_or(Tz::UTC),
            spacing_minutes: spacing(&mut members).unwrap_or(SPACING),
        };
        members.finish()?;
        let made = actions::create(conn, by, &new, now)?;
        Ok(Reply::created(format!("applications/{}", made.id), json(&made)))
    })
    .await
}

/// `GET applications/{a}`
pub async fn show(call: Call) -> Answer {
    let id = call.id("a")?;
    call.no_params()?;
    let entered = call.read(move |conn, by| applications::enter(conn, by, id)).await?;
    Ok(Reply::ok(json(&entered.application)).response())
}

/// `PATCH applications/{a}`
pub async fn update(call: Call, body: Body) -> Answer {
    let (id, version, now, pool) = (call.id("a")?, call.expected(), call.now(), call.app.blocks.clone());
    call.no_params()?;
    body.bytes()?;
    let saved = call.write(move |conn, by| {
        applications::enter(conn, by, id)?.need_configure(conn, by)?;
        let mut members = body.members()?;
        let change = Change {
            name: members.text("name"),
            time_zone: zone(&mut members),
            spacing_minutes: spacing(&mut members),
            version,
        };
        members.finish()?;
        actions::edit(conn, &pool, by, id, &change, now)
    });
    Ok(Reply::ok(json(&saved.await?)).response())
}

/// `DELETE applications/{a}`
pub async fn delete(call: Call, body: Body) -> Answer {
    let (id, expected, now, in_use) = (call.id("a")?, call.expected(), call.now(), call.app.in_use);
    call.no_params()?;
    body.bytes()?;
    let gone = call.write(move |conn, by| {
        let entered = applications::enter(conn, by, id)?;
        entered.need_configure(conn, by)?;
        body.empty()?;
        Call::matches(expected, entered.application.version)?;
        actions::archive(conn, in_use, by, id, now)
    });
    gone.await?;
    Ok(Reply::gone().response())
}

/// `PUT applications/{a}/access/{m}`
pub async fn give_access(call: Call, body: Body) -> Answer {
    let (id, member_id, now) = (call.id("a")?, call.id("m")?, call.now());
    call.no_params()?;
    body.bytes()?;
    let given = call.write(move |conn, by| {
        applications::enter(conn, by, id)?.need_configure(conn, by)?;
        let mut members = body.members()?;
        let mut flag = |name| members.flag(name).unwrap_or(false);
        let grants = Grants { view: flag("view"), import_data: flag("import_data"), configure: flag("configure") };
        members.finish()?;
        actions::set_access(conn, by, id, member_id, grants, now)
    });
    let grants = given.await?;
    let body = json!({
        "application_id": id,
        "member_id": member_id,
        "view": grants.view,
        "import_data": grants.import_data,
        "configure": grants.configure,
    });
    Ok(Reply::ok(body).response())
}

/// `DELETE applications/{a}/access/{m}`
pub async fn take_access(call: Call, body: Body) -> Answer {
    let (id, member_id, now) = (call.id("a")?, call.id("m")?, call.now());
    call.no_params()?;
    body.empty()?;
    call.write(move |conn, by| actions::set_access(conn, by, id, member_id, Grants::default(), now)).await?;
    Ok(Reply::gone().response())
}

fn zone(members: &mut Members) -> Option<Tz> {
    match members.text("time_zone")?.parse() {
        Ok(zone) => Some(zone),
        Err(_) => members.wrong("time_zone", "There is no such time zone: use an IANA name such as Europe/Paris."),
    }
}

fn spacing(members: &mut Members) -> Option<i32> {
    let minutes = members.integer("spacing_minutes")?;
    // What lies outside is the action's to say.
    Some(i32::try_from(minutes).unwrap_or(-1))
}

fn json(application: &Application) -> Value {
    json!({
        "id": application.id,
        "name": application.name,
        "time_zone": application.time_zone.name(),
        "spacing_minutes": application.spacing_minutes,
        "version": application.version,
        "created_at": application.created_at,
    })
}
