//! Members of the Workspace.

use serde_json::{Value, json};

use super::Answer;
use super::body::Body;
use super::call::Call;
use super::problem::Problem;
use super::reply::Reply;
use crate::error::AppError;
use crate::members::actions::{self, Change, NewMember};
use crate::members::{Member, passwords};

/// `GET members`
pub async fn list(call: Call) -> Answer {
    let mut params = call.params();
    let page = params.page();
    params.finish()?;
    let found = call.read(move |conn, by| actions::list(conn, by, page.after(), page.fetch())).await?;
    Ok(Reply::ok(page.list(found, |m| m.id, |m| json(&m))).response())
}

/// `GET members/{m}`
pub async fn show(call: Call) -> Answer {
    let id = call.id("m")?;
    call.no_params()?;
    let found = call.read(move |conn, by| actions::list(conn, by, id.saturating_sub(1), 1)).await?;
    let member = found.into_iter().find(|member| member.id == id).ok_or(AppError::NotFound)?;
    Ok(Reply::ok(json(&member)).response())
}

/// What may be sent of a member; absent leaves a thing as it is.
#[derive(Default)]
struct Sent {
    email: Option<String>,
    name: Option<String>,
    role: Option<String>,
    password: Option<String>,
    active: Option<bool>,
}

fn read(body: &Body) -> Result<Sent, Problem> {
    body.bytes()?;
    let mut members = body.members()?;
    let sent = Sent {
        email: members.text("email"),
        name: members.text("name"),
        role: members.text("role"),
        password: members.text("password"),
        active: members.flag("active"),
    };
    members.finish().map_err(AppError::from)?;
    Ok(sent)
}

/// `POST members`. Without a password nobody can sign in as this member yet.
pub async fn create(call: Call, body: Body) -> Answer {
    let now = call.now();
    call.by.need_administrator()?;
    call.no_params()?;
    let sent = read(&body)?;
    let (email, name) = (sent.email.unwrap_or_default(), sent.name.unwrap_or_default());
    let password = match &sent.password {
        Some(password) => Some(passwords::hash(&call.app, password, &[&email, &name]).await?),
        None => None,
    };
    call.once(&body.bytes()?, move |conn, by| {
        let new = NewMember { email, name, role: sent.role.unwrap_or_default(), password };
        let mut member = actions::add(conn, by, new, now)?;
        if sent.active == Some(false) {
            member = actions::update(conn, by, member.id, Change { active: Some(false), ..Change::default() }, now)?;
        }
        Ok(Reply::created(format!("members/{}", member.id), json(&member)))
    })
    .await
}

/// `PATCH members/{m}`
pub async fn update(call: Call, body: Body) -> Answer {
    let (id, version, now) = (call.id("m")?, call.expected(), call.now());
    call.by.need_administrator()?;
    call.no_params()?;
    let found = call.read(move |conn, by| actions::list(conn, by, id.saturating_sub(1), 1)).await?;
    let before = found.into_iter().find(|member| member.id == id).ok_or(AppError::NotFound)?;
    let sent = read(&body)?;
    let password = match &sent.password {
        Some(password) => {
            let email = sent.email.as_deref().unwrap_or(&before.email);
            let name = sent.name.as_deref().unwrap_or(&before.name);
            Some(passwords::hash(&call.app, password, &[email, name]).await?)
        }
        None => None,
    };
    let Sent { email, name, role, active, .. } = sent;
    let change = Change { email, name, role, active, password, version };
    let member = call.write(move |conn, by| actions::update(conn, by, id, change, now)).await?;
    Ok(Reply::ok(json(&member)).response())
}

fn json(member: &Member) -> Value {
    json!({
        "id": member.id,
        "email": member.email,
        "name": member.name,
        "role": member.role,
        "active": member.active,
        "time_zone": member.time_zone.map(|zone| zone.name()),
        "version": member.version,
        "created_at": member.created_at,
    })
}
