//! Roles: the built-in ones, and those of one's own.

use super::call::{Call, Nothing, matches};
use super::{Answer, Body, Gone, List, Made, PageQuery, Patch, Reply, Shown};
use crate::members::Permission;
use crate::members::roles::{self, Draft, Role};
use crate::shape::{answer, sent};

sent! {
    /// The fields of a role to create or change. Built-in roles cannot be changed.
    pub struct RoleBody {
        name: String = "Enter a name." => "Night operator",
        /// What it allows in the whole Workspace. Who administers sees everything and creates Applications.
        permissions: Vec<Permission> => ["see_everything", "import_data"],
    }
}

answer! {
    /// A named set of workspace permissions.
    pub struct RoleAnswer of (role: &Role) {
        id: i64 = role.id,
        name: String = role.name.clone(),
        permissions: Vec<Permission> = role.permissions.clone(),
        /// Whether every Workspace has it. It cannot be changed or deleted.
        built_in: bool = role.built_in,
        version: i64 = role.version,
    }
}

fn draft(sent: RoleBody) -> Draft {
    Draft { name: sent.name.unwrap_or_default(), permissions: sent.permissions.unwrap_or_default() }
}

/// `GET roles`
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<RoleAnswer>>> {
    let all = call.read(roles::list).await?;
    Ok(Reply::ok(call.query.of_all(all, |(role, _)| role.id, |(role, _)| RoleAnswer::of(&role))))
}

/// `GET roles/{role}`
pub async fn show(call: Call) -> Answer<Shown<RoleAnswer>> {
    let id = call.id("role")?;
    let role = call.read(move |conn, by| roles::find(conn, by, id)).await?;
    Ok(Reply::ok(RoleAnswer::of(&role)))
}

/// `POST roles`
pub async fn create(call: Call, body: Body<RoleBody>) -> Answer<Made<RoleAnswer>> {
    let now = call.now();
    call.once(body, move |conn, by, body| {
        by.need_administrator(conn)?;
        let role = roles::create(conn, by, &draft(body.read()?), now)?;
        Ok(Reply::created(format!("roles/{}", role.id), RoleAnswer::of(&role)))
    })
    .await
}

/// `PATCH roles/{role}`
pub async fn update(call: Call, body: Body<Patch<RoleBody>>) -> Answer<Shown<RoleAnswer>> {
    let (id, expected, now) = (call.id("role")?, call.expected(), call.now());
    let saved = call.change(body, move |conn, by, body| {
        by.need_administrator(conn)?;
        let was = roles::find(conn, by, id)?;
        let before = RoleBody { name: Some(was.name.clone()), permissions: Some(was.permissions.clone()) };
        let Some(sent) = body.over(&before)? else {
            matches(expected, was.version)?;
            return Ok(was);
        };
        roles::change(conn, by, id, &draft(sent), expected, now)
    });
    Ok(Reply::ok(RoleAnswer::of(&saved.await?)))
}

/// `DELETE roles/{role}`
pub async fn delete(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, expected, now) = (call.id("role")?, call.expected(), call.now());
    let gone = call.change(body, move |conn, by, body| {
        by.need_administrator(conn)?;
        body.read()?;
        roles::delete(conn, by, id, expected, now)
    });
    gone.await?;
    Ok(Reply::gone())
}
