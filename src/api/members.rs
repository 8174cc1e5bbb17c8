//! Members of the Workspace.

use chrono_tz::Tz;

use super::call::{Call, matches};
use super::{Answer, Body, List, Made, PageQuery, Patch, Reply, Shown};
use crate::clock::Moment;
use crate::error::AppError;
use crate::members::Member;
use crate::members::actions::{self, Change, NewMember};
use crate::members::passwords::{self, PasswordHash};
use crate::shape::{answer, sent};

sent! {
    /// The fields of a member to add or change.
    pub struct MemberBody {
        /// For signing in and for messages.
        email: String = "Enter an e-mail address." => "olive@example.com",
        name: String = "Enter a name." => "Olive",
        /// The name of a role.
        role: String = "Choose a role, by its name." => "Importer",
        /// Write-only. Without one, the member cannot sign in yet.
        password: String,
        /// False means deactivated. Default: true.
        active: bool,
    }
}

answer! {
    /// A person who signs in.
    pub struct MemberAnswer of (member: &Member) {
        id: i64 = member.id,
        email: String = member.email.clone(),
        name: String = member.name.clone(),
        /// The name of the role.
        role: String = member.role.clone(),
        active: bool = member.active,
        /// The member's time zone; null means the Workspace's.
        time_zone: Option<Tz> = member.time_zone,
        version: i64 = member.version,
        created_at: Moment = member.created_at,
    }
}

/// `GET members`
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<MemberAnswer>>> {
    let page = call.query.clone();
    let found = call.read(move |conn, by| actions::list(conn, by, page.after(), page.fetch())).await?;
    Ok(Reply::ok(call.query.list(found, |m| m.id, |m| MemberAnswer::of(&m))))
}

/// `GET members/{m}`
pub async fn show(call: Call) -> Answer<Shown<MemberAnswer>> {
    Ok(Reply::ok(MemberAnswer::of(&find(&call).await?)))
}

/// `POST members`
pub async fn create(call: Call, body: Body<MemberBody>) -> Answer<Made<MemberAnswer>> {
    let (enders, now) = (call.app.enders, call.now());
    actions::need_administrator(&call.app, &call.by).await?;
    body.bytes()?;
    let sent = body.read()?;
    let (email, name) = (sent.email.unwrap_or_default(), sent.name.unwrap_or_default());
    let password = hashed(&call, sent.password.as_deref(), &email, &name).await?;
    call.once(body, move |conn, by, _| {
        let new = NewMember { email, name, role: sent.role.unwrap_or_default(), password };
        let mut member = actions::add(conn, by, new, now)?;
        if sent.active == Some(false) {
            let change = Change { active: Some(false), ..Change::default() };
            member = actions::update(conn, by, enders, member.id, change, now)?;
        }
        Ok(Reply::created(format!("members/{}", member.id), MemberAnswer::of(&member)))
    })
    .await
}

/// `PATCH members/{m}`
pub async fn update(call: Call, body: Body<Patch<MemberBody>>) -> Answer<Shown<MemberAnswer>> {
    let (id, version, now) = (call.id("m")?, call.expected(), call.now());
    actions::need_administrator(&call.app, &call.by).await?;
    let was = find(&call).await?;
    body.bytes()?;
    let before = MemberBody {
        email: Some(was.email.clone()),
        name: Some(was.name.clone()),
        role: Some(was.role.clone()),
        password: None,
        active: Some(was.active),
    };
    let Some(sent) = body.over(&before)? else {
        matches(version, was.version)?;
        return Ok(Reply::ok(MemberAnswer::of(&was)));
    };
    let (email, name) = (sent.email.unwrap_or_default(), sent.name.unwrap_or_default());
    let password = hashed(&call, sent.password.as_deref(), &email, &name).await?;
    let change = Change {
        email: Some(email).filter(|email| *email != was.email),
        name: Some(name).filter(|name| *name != was.name),
        role: sent.role.filter(|role| *role != was.role),
        active: Some(sent.active.unwrap_or(true)).filter(|active| *active != was.active),
        password,
        version,
    };
    let enders = call.app.enders;
    let member = call.change(body, move |conn, by, _| actions::update(conn, by, enders, id, change, now)).await?;
    Ok(Reply::ok(MemberAnswer::of(&member)))
}

async fn find(call: &Call) -> Result<Member, AppError> {
    let id = call.id("m")?;
    let found = call.read(move |conn, by| actions::list(conn, by, id.saturating_sub(1), 1)).await?;
    found.into_iter().find(|member| member.id == id).ok_or(AppError::NotFound)
}

type Hashed = Result<Option<PasswordHash>, AppError>;

async fn hashed(call: &Call, password: Option<&str>, email: &str, name: &str) -> Hashed {
    match password {
        Some(password) => passwords::hash(&call.app, password, &[email, name]).await.map(Some),
        None => Ok(None),
    }
}
