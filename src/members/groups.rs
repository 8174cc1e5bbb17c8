//! Groups of members: they hold access to Applications, and are told about imports, like a member. Who is in a group is
//! asked each time, so whoever joins has what it has from then on, and whoever leaves has it no more.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::model::By;
use super::store::{self, groups as kept};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::{InUse, Named, Thing, Uses, listed};
use crate::names::check_name;

pub use super::store::groups::{all, all_names, by_ids, hold, member_ids, names, of_member};

/// So many groups there may be.
const MOST: usize = 200;
/// So many members may be in one.
pub const MOST_MEMBERS: usize = 500;

/// Members under one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub id: i64,
    pub name: String,
    /// In ascending order, deactivated ones among them.
    pub member_ids: Vec<i64>,
    pub version: i64,
    pub created_at: Moment,
}

impl Group {
    fn shown(&self) -> Value {
        json!({ "name": self.name, "member_ids": self.member_ids })
    }
}

/// A group as somebody wants it.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub name: String,
    pub member_ids: Vec<i64>,
}

/// All groups, by name; for Administrators and Auditors.
pub fn list(conn: &mut Conn, by: &By) -> Result<Vec<Group>> {
    by.need_sight(conn)?;
    kept::all(conn)
}

/// A group, for Administrators and Auditors.
pub fn find(conn: &mut Conn, by: &By, id: i64) -> Result<Group> {
    by.need_sight(conn)?;
    by_id(conn, id)
}

fn by_id(conn: &mut Conn, id: i64) -> Result<Group> {
    kept::by_ids(conn, &[id])?.pop().ok_or(AppError::NotFound)
}

/// Makes a group.
pub fn create(conn: &mut Conn, by: &By, draft: &Draft, now: Moment) -> Result<Group> {
    by.need_administrator(conn)?;
    // One change of groups at a time, and nobody is deactivated meanwhile.
    db::lock_row(conn, "workspace", 1)?;
    let (name, members) = check(conn, draft, None)?;
    if kept::all(conn)?.len() >= MOST {
        return Err(AppError::Conflict(format!(
            "There are {MOST} groups, and no more can be created. Delete one first."
        )));
    }
    let id = kept::insert(conn, &name, &members, now)?;
    let group = by_id(conn, id)?;
    by.audit(conn, Entry::of("group.created", "group", id).after(group.shown()), now)?;
    Ok(group)
}

/// Changes the name of a group and who is in it. `version`: the one that the change was made from.
pub fn change(conn: &mut Conn, by: &By, id: i64, draft: &Draft, version: Option<i64>, now: Moment) -> Result<Group> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "workspace", 1)?;
    let before = by_id(conn, id)?;
    need_version(&before, version)?;
    let (name, members) = check(conn, draft, Some(&before))?;
    if (&name, &members) == (&before.name, &before.member_ids) {
        return Ok(before);
    }
    kept::update(conn, id, &name, (&before.member_ids, &members))?;
    let after = by_id(conn, id)?;
    by.audit(conn, Entry::of("group.changed", "group", id).before(before.shown()).after(after.shown()), now)?;
    Ok(after)
}

/// Whether these are there and have room for one more; they stay until the transaction ends.
pub(super) fn check_room(conn: &mut Conn, ids: &[i64], errors: &mut FieldErrors) -> Result<()> {
    kept::hold(conn, ids)?;
    let found = kept::by_ids(conn, ids)?;
    if found.len() < ids.len() {
        errors.add("groups", "One of these groups does not exist. Choose from the list.");
    }
    for full in found.iter().filter(|group| group.member_ids.len() >= MOST_MEMBERS) {
        errors.add("groups", format!("{} is full: {MOST_MEMBERS} members are in it.", full.name));
    }
    Ok(())
}

/// Puts a new member into groups.
pub(super) fn join(conn: &mut Conn, by: &By, member_id: i64, ids: &[i64], now: Moment) -> Result<()> {
    for before in kept::by_ids(conn, ids)? {
        let members: Vec<i64> = before.member_ids.iter().copied().chain([member_id]).collect();
        kept::update(conn, before.id, &before.name, (&before.member_ids, &members))?;
        let after = by_id(conn, before.id)?;
        let entry = Entry::of("group.changed", "group", after.id).before(before.shown()).after(after.shown());
        by.audit(conn, entry, now)?;
    }
    Ok(())
}

/// How a group comes to be used by nothing.
pub const FREES: &str = "First remove its access, take it off these schedules and revoke these invitations.";

/// Deletes a group that has no access, is told about nothing, and in which nobody is invited to be.
pub fn delete(conn: &mut Conn, in_use: InUse, by: &By, id: i64, version: Option<i64>, now: Moment) -> Result<Group> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "workspace", 1)?;
    let group = by_id(conn, id)?;
    need_version(&group, version)?;
    // Whoever is about to use it comes before, and is found, or after, and finds nothing.
    kept::hold(conn, &[id])?;
    let uses = in_use.all(conn, Thing::Group(id))?;
    if !uses.is_empty() {
        return Err(AppError::Conflict(format!("{} is in use: {}. {FREES}", group.name, listed(&uses, 5))));
    }
    kept::delete(conn, id)?;
    by.audit(conn, Entry::of("group.deleted", "group", id).before(group.shown()), now)?;
    Ok(group)
}

/// Who is invited to be in a group.
pub fn uses(conn: &mut Conn, thing: Thing) -> Result<Option<Uses>> {
    let Thing::Group(id) = thing else { return Ok(None) };
    let invited = |name| Named { words: format!("the invitation of {name}"), href: "/members".into() };
    Ok(Some(Uses { by: "invitations", names: kept::invited_to(conn, id)?.into_iter().map(invited).collect() }))
}

fn need_version(group: &Group, version: Option<i64>) -> Result<()> {
    if version.is_some_and(|version| version != group.version) {
        return Err(AppError::Stale(format!(
            "The group {} was changed after you opened this page. To see the new version, open it in another tab.",
            group.name
        )));
    }
    Ok(())
}

/// The name and the members as they are kept. Who is in it already may stay, deactivated or not.
fn check(conn: &mut Conn, draft: &Draft, was: Option<&Group>) -> Result<(String, Vec<i64>)> {
    let mut errors = FieldErrors::new();
    let name = check_name("name", &draft.name, was.map(|group| group.name.as_str()), &mut errors);
    let wanted: Vec<i64> = BTreeSet::from_iter(draft.member_ids.iter().copied()).into_iter().collect();
    if wanted.len() > MOST_MEMBERS {
        errors.add("member_ids", format!("At most {MOST_MEMBERS} members can be in a group."));
        return Err(errors.into());
    }
    let found = store::by_ids(conn, &wanted)?;
    if found.len() < wanted.len() {
        errors.add("member_ids", "One of these members does not exist. Choose from the list.");
    }
    for member in found.iter().filter(|member| !member.active) {
        if !was.is_some_and(|was| was.member_ids.contains(&member.id)) {
            errors.add("member_ids", format!("{} is deactivated and cannot join a group.", member.name));
        }
    }
    errors.ok_or((name, wanted)).map_err(AppError::from)
}
