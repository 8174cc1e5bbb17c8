//! Roles: the five built-in ones, and those that Administrators make. Rights are read with each request, so a change of
//! a role counts at once for everybody who holds it.

use serde_json::{Value, json};

use super::actions::end_given;
use super::model::By;
use super::permissions::{self, Permission};
use super::store;
use crate::audit::{self, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::{InUse, Named, Thing, listed};
use crate::names::{check_name, name_key};

/// So many roles people may make.
const MOST: usize = 50;

/// A named set of workspace permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub id: i64,
    pub name: String,
    pub permissions: Vec<Permission>,
    pub built_in: bool,
    pub version: i64,
}

impl Role {
    /// "Can Import Data, Create Applications"
    pub fn words(&self) -> String {
        permissions::words(&self.permissions)
    }

    /// As the audit log keeps it.
    pub fn shown(&self) -> Value {
        json!({ "name": self.name, "permissions": self.permissions })
    }
}

/// A role as somebody wants it.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub name: String,
    pub permissions: Vec<Permission>,
}

/// All roles, the built-in ones first, each with how many members hold it; for Administrators and Auditors.
pub fn list(conn: &mut Conn, by: &By) -> Result<Vec<(Role, i64)>> {
    by.need_sight(conn)?;
    let held = store::holders(conn)?;
    let counted = |role: Role| {
        let members = held.get(&role.id).copied().unwrap_or_default();
        (role, members)
    };
    Ok(store::all_roles(conn)?.into_iter().map(counted).collect())
}

/// Those that nobody made.
pub fn built_in(conn: &mut Conn) -> Result<Vec<Role>> {
    Ok(store::all_roles(conn)?.into_iter().filter(|role| role.built_in).collect())
}

/// A role, for Administrators and Auditors.
pub fn find(conn: &mut Conn, by: &By, id: i64) -> Result<Role> {
    by.need_sight(conn)?;
    store::role_by_id(conn, id)?.ok_or(AppError::NotFound)
}

/// What a role permits, for the list to choose from: ("Importer", "Importer: Can Import Data").
pub fn options(conn: &mut Conn) -> Result<Vec<(String, String)>> {
    let label = |role: Role| match role.permissions.is_empty() {
        true => (role.name.clone(), format!("{}: views what Applications let them view", role.name)),
        false => (role.name.clone(), format!("{}: {}", role.name, role.words())),
    };
    Ok(store::all_roles(conn)?.into_iter().map(label).collect())
}

/// Makes a role.
pub fn create(conn: &mut Conn, by: &By, draft: &Draft, now: Moment) -> Result<Role> {
    by.need_administrator(conn)?;
    // One change of roles at a time, as of members.
    db::lock_row(conn, "workspace", 1)?;
    let all = store::all_roles(conn)?;
    let (name, permissions) = check(draft, None, &all)?;
    if all.iter().filter(|role| !role.built_in).count() >= MOST {
        return Err(AppError::Conflict(format!(
            "There are {MOST} roles besides the built-in ones, and no more can be created. Delete one first."
        )));
    }
    let id = store::insert_role(conn, &name, &permissions)?;
    let role = store::role_by_id(conn, id)?.ok_or(AppError::NotFound)?;
    by.audit(conn, Entry::of("role.created", "role", id).after(role.shown()), now)?;
    Ok(role)
}

/// Changes a role, and with it what its members may do. `version`: the one that the change was made from.
pub fn change(conn: &mut Conn, by: &By, id: i64, draft: &Draft, version: Option<i64>, now: Moment) -> Result<Role> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "workspace", 1)?;
    // Asked before: it may be their own.
    let actor = by.actor(conn)?;
    let before = own(conn, id, "changed")?;
    need_version(&before, version)?;
    let (name, permissions) = check(draft, Some(&before), &store::all_roles(conn)?)?;
    if (&name, &permissions) == (&before.name, &before.permissions) {
        return Ok(before);
    }
    store::update_role(conn, id, &name, &permissions)?;
    if store::administrators(conn)?.is_empty() {
        return Err(AppError::Conflict(format!(
            "Only members with the role {} administer the Workspace. Make someone else an Administrator first.",
            before.name
        )));
    }
    let after = store::role_by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let administers = |role: &Role| role.permissions.contains(&Permission::Administer);
    if administers(&before) && !administers(&after) {
        for (holder, _) in store::holders_of(conn, id)? {
            end_given(conn, holder, now)?;
        }
    }
    let entry = Entry::of("role.changed", "role", id).before(before.shown()).after(after.shown());
    audit::record(conn, &actor, entry, now)?;
    Ok(after)
}

/// How a role comes to be used by nobody.
pub const FREES: &str = "Give these members another role, and revoke these invitations, first.";

/// Deletes a role that nobody holds, and to which nobody is invited.
pub fn delete(conn: &mut Conn, by: &By, id: i64, version: Option<i64>, now: Moment) -> Result<Role> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "workspace", 1)?;
    let role = own(conn, id, "deleted")?;
    need_version(&role, version)?;
    let uses = uses(conn, id)?;
    if !uses.is_empty() {
        return Err(AppError::Conflict(format!("The role {} is used by {}. {FREES}", role.name, listed(&uses, 3))));
    }
    store::delete_role(conn, id)?;
    by.audit(conn, Entry::of("role.deleted", "role", id).before(role.shown()), now)?;
    Ok(role)
}

/// Who holds a role, or is invited to, and so keeps it from being deleted.
pub fn uses(conn: &mut Conn, id: i64) -> Result<Vec<Named>> {
    let member = |(id, name)| Named { words: name, href: format!("/members/{id}") };
    let mut found: Vec<Named> = store::holders_of(conn, id)?.into_iter().map(member).collect();
    let invited = |name| Named { words: format!("the invitation of {name}"), href: "/members".into() };
    found.extend(store::invited_to(conn, id)?.into_iter().map(invited));
    Ok(found)
}

/// Whose schedules would fail if a role no longer gave Can Import Data: "Olive owns 3 schedules".
pub fn would_fail(conn: &mut Conn, in_use: InUse, id: i64) -> Result<Vec<Named>> {
    let mut found = Vec::new();
    for (member, name) in store::holders_of(conn, id)? {
        for owns in in_use.all(conn, Thing::Owner(member))? {
            found.push(Named { words: format!("{name} {}", owns.words), href: owns.href });
        }
    }
    Ok(found)
}

/// A role that people made.
fn own(conn: &mut Conn, id: i64, deed: &str) -> Result<Role> {
    let role = store::role_by_id(conn, id)?.ok_or(AppError::NotFound)?;
    if role.built_in {
        return Err(AppError::Conflict(format!("{} is a built-in role and cannot be {deed}.", role.name)));
    }
    Ok(role)
}

fn need_version(role: &Role, version: Option<i64>) -> Result<()> {
    if version.is_some_and(|version| version != role.version) {
        return Err(AppError::Stale(format!(
            "The role {} was changed after you opened this page. To see the new version, open it in another tab.",
            role.name
        )));
    }
    Ok(())
}

/// The name and the permissions as they are kept.
fn check(draft: &Draft, was: Option<&Role>, all: &[Role]) -> Result<(String, Vec<Permission>)> {
    let mut errors = FieldErrors::new();
    let name = check_name("name", &draft.name, was.map(|role| role.name.as_str()), &mut errors);
    errors.ok_or(())?;
    let other = |role: &&Role| Some(role.id) != was.map(|was| was.id);
    if let Some(taken) = all.iter().filter(other).find(|role| name_key(&role.name) == name_key(&name)) {
        let words = format!("A role named {} already exists. Choose another name.", taken.name);
        return Err(AppError::Taken { field: "name", words });
    }
    Ok((name, permissions::complete(&draft.permissions)))
}
