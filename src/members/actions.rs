//! Adding members and changing them: the same verbs for pages, API and command line. Passwords come in hashed
//! (`passwords::hash`), because hashing takes longer than a transaction should.

use serde_json::json;

use super::model::{By, Member, check_email};
use super::passwords::PasswordHash;
use super::permissions::Scope;
use super::store::sessions::Origin;
use super::store::{self, Own};
use super::{groups, tokens};
use crate::app::App;
use crate::audit::{self, Actor, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::Enders;
use crate::names::check_name;

/// A member to be.
pub struct NewMember {
    pub email: String,
    pub name: String,
    /// The name of a role.
    pub role: String,
    /// Without one, nobody can sign in as this member yet.
    pub password: Option<PasswordHash>,
}

/// What is to change; `None` leaves a thing as it is.
#[derive(Default)]
pub struct Change {
    pub email: Option<String>,
    pub name: Option<String>,
    pub role: Option<String>,
    pub active: Option<bool>,
    /// Ends the member's sessions and tokens.
    pub password: Option<PasswordHash>,
    /// The version that the change was made from.
    pub version: Option<i64>,
}

/// All members, those of an id greater than `after` first by id; for Administrators and Auditors.
pub fn list(conn: &mut Conn, by: &By, after: i64, limit: i64) -> Result<Vec<Member>> {
    by.need_sight(conn)?;
    store::page(conn, after, limit)
}

/// All members, the active ones first, by name; for the page.
pub fn everybody(conn: &mut Conn, by: &By) -> Result<Vec<Member>> {
    by.need_sight(conn)?;
    store::all(conn)
}

/// Refuses whoever does not administer, before a page or the API does anything else.
pub async fn need_administrator(app: &App, by: &By) -> Result<()> {
    if by.member.is_administrator() {
        return by.need_scope(Scope::Administer);
    }
    let by = by.clone();
    app.read(move |conn| by.need_administrator(conn)).await
}

/// Adds a member who is in groups from the beginning.
pub fn add_to_groups(conn: &mut Conn, by: &By, new: NewMember, group_ids: &[i64], now: Moment) -> Result<Member> {
    by.need_administrator(conn)?;
    // Before the groups, as everybody does.
    db::lock_row(conn, "workspace", 1)?;
    let mut errors = FieldErrors::new();
    groups::check_room(conn, group_ids, &mut errors)?;
    errors.ok_or(())?;
    let actor = by.actor(conn)?;
    let member = insert(conn, &actor, new, now)?;
    groups::join(conn, by, member.id, group_ids, now)?;
    Ok(member)
}

/// Adds a member.
pub fn add(conn: &mut Conn, by: &By, new: NewMember, now: Moment) -> Result<Member> {
    add_to_groups(conn, by, new, &[], now)
}

/// Adds a member from the command line, where whoever may run the program is the operator.
pub fn add_by_command(conn: &mut Conn, new: NewMember, now: Moment) -> Result<Member> {
    insert(conn, &command(), new, now)
}

/// The command line, as the audit log names it.
pub(super) fn command() -> Actor {
    Actor::nobody("command line", super::Channel::Command.as_str())
}

pub(super) fn insert(conn: &mut Conn, actor: &Actor, new: NewMember, now: Moment) -> Result<Member> {
    insert_invited(conn, actor, new, now, |_, _| Ok(()))
}

/// The same; `give` gives what an invitation of that address promised, which ends then.
pub(super) fn insert_invited(
    conn: &mut Conn,
    actor: &Actor,
    new: NewMember,
    now: Moment,
    give: impl FnOnce(&mut Conn, &Member) -> Result<()>,
) -> Result<Member> {
    // Whoever deletes that role at this moment comes before or after.
    db::lock_row(conn, "workspace", 1)?;
    let mut errors = FieldErrors::new();
    let email = check_email(&new.email, &mut errors);
    let name = check_name("name", &new.name, None, &mut errors);
    let role = role_id(conn, &new.role, &mut errors)?;
    errors.ok_or(())?;
    let password = new.password.as_ref().map(|hash| hash.0.as_str());
    let id = store::insert(conn, &email, &name, role, password, now)?;
    let member = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    audit::record(conn, actor, Entry::of("member.added", "member", id).after(shown(&member)), now)?;
    give(conn, &member)?;
    store::invitations::delete_of(conn, &email)?;
    Ok(member)
}

/// Why a member stays an active Administrator: there is no other.
pub fn last_administrator(conn: &mut Conn, member: &Member) -> Result<Option<String>> {
    let is_one = member.active && member.is_administrator();
    let is_last = is_one && store::administrators(conn)?.iter().all(|one| one.id == member.id);
    Ok(is_last.then(|| {
        format!("{} is the last active Administrator. Make someone else an Administrator first.", member.name)
    }))
}

/// Changes a member. Their sessions and tokens end with their password or their account.
pub fn update(conn: &mut Conn, by: &By, enders: Enders, id: i64, change: Change, now: Moment) -> Result<Member> {
    by.need_administrator(conn)?;
    // One change of members at a time, so that two Administrators cannot demote each other.
    db::lock_row(conn, "workspace", 1)?;
    // Asked before: they may change themselves.
    let actor = by.actor(conn)?;
    let before = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    if change.version.is_some_and(|version| version != before.version) {
        return Err(AppError::Stale(format!(
            "{} was changed after you opened this page. To see the new version, open it in another tab.",
            before.name
        )));
    }
    let mut errors = FieldErrors::new();
    let email = change.email.map_or_else(|| before.email.clone(), |email| check_email(&email, &mut errors));
    let was = before.name.as_str();
    let name = change.name.map_or_else(|| was.to_owned(), |name| check_name("name", &name, Some(was), &mut errors));
    let role = change.role.unwrap_or_else(|| before.role.clone());
    let role_id = role_id(conn, &role, &mut errors)?;
    errors.ok_or(())?;
    let active = change.active.unwrap_or(before.active);
    store::update(conn, id, &store::Values { email: &email, name: &name, role_id, active }, now)?;
    if let Some(password) = &change.password {
        store::set_password(conn, id, &password.0)?;
    }
    let after = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let stays = after.active && after.is_administrator();
    if let (false, Some(why)) = (stays, last_administrator(conn, &before)?) {
        return Err(AppError::Conflict(why));
    }
    if !stays {
        end_given(conn, id, now)?;
    }
    // An activation ends them too: those of a member who was deactivated before tokens ended with that.
    if !before.active || !after.active || change.password.is_some() {
        end_access(conn, &actor, enders, id, now)?;
    }
    // A link that was mailed stands in another mailbox.
    if before.email != after.email {
        store::codes::end_of_member(conn, id, now)?;
        store::invitations::delete_of(conn, &after.email)?;
    }
    let mut shown_after = shown(&after);
    if change.password.is_some() {
        shown_after["password"] = json!("changed");
    }
    if shown(&before) != shown_after {
        let action = match (before.active, after.active) {
            (true, false) => "member.deactivated",
            (false, true) => "member.activated",
            _ => "member.changed",
        };
        let entry = Entry::of(action, "member", id).before(shown(&before)).after(shown_after);
        audit::record(conn, &actor, entry, now)?;
    }
    Ok(after)
}

/// What members change of themselves.
pub fn update_own(conn: &mut Conn, by: &By, own: &Own, now: Moment) -> Result<()> {
    let mut errors = FieldErrors::new();
    let name = check_name("name", own.name, Some(&by.member.name), &mut errors);
    errors.ok_or(())?;
    store::set_own(conn, by.member.id, &Own { name: &name, ..*own })?;
    // All that the log tells of a member, so that the newest entry says how they stand.
    let shown = |own: &Own| {
        let Own { name, time_zone, shortcuts, theme } = own;
        let mut all = shown(&by.member);
        all["name"] = json!(name);
        all["time_zone"] = json!(time_zone);
        all["shortcuts"] = json!(shortcuts);
        all["theme"] = json!(theme);
        all
    };
    let was = &by.member;
    let zone = was.time_zone.map(|zone| zone.name());
    let before = shown(&Own { name: &was.name, time_zone: zone, shortcuts: was.shortcuts, theme: was.theme });
    let after = shown(&Own { name: &name, ..*own });
    if before != after {
        let id = by.member.id;
        by.audit(conn, Entry::of("member.profile_changed", "member", id).before(before).after(after), now)?;
    }
    Ok(())
}

/// A member's own new password; every token, calendar and session ends, and the one that goes on is a new one: the value of its
/// cookie.
pub fn change_own_password(
    conn: &mut Conn,
    by: &By,
    enders: Enders,
    password: &PasswordHash,
    from: &Origin,
    now: Moment,
) -> Result<String> {
    let id = by.member.id;
    db::lock_row(conn, "members", id)?;
    let actor = by.actor(conn)?;
    store::set_password(conn, id, &password.0)?;
    end_access(conn, &actor, enders, id, now)?;
    audit::record(conn, &actor, Entry::of("member.password_changed", "member", id), now)?;
    store::sessions::start_session(conn, id, from, now)
}

/// Ends what an Administrator gave others to come in by, once they are none any more: invitations, and links to set a password.
pub(super) fn end_given(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    store::invitations::delete_by(conn, id)?;
    store::codes::end_made_by(conn, id, now)
}

/// Ends what opens an account besides its password: sessions, API tokens, links to reset the password, and what rooms
/// above add.
pub(super) fn end_access(conn: &mut Conn, actor: &Actor, enders: Enders, id: i64, now: Moment) -> Result<()> {
    store::sessions::end_sessions(conn, id, None)?;
    store::codes::end_of_member(conn, id, now)?;
    tokens::revoke_all(conn, actor, id, now)?;
    for shut in enders.end(conn, id)? {
        let entry = Entry::of(shut.action, shut.kind, shut.id).after(json!({ "application_id": shut.application_id }));
        let entry = shut.application_id.into_iter().fold(entry, Entry::application);
        audit::record(conn, actor, entry, now)?;
    }
    Ok(())
}

pub(super) fn role_id(conn: &mut Conn, role: &str, errors: &mut FieldErrors) -> Result<i64> {
    let id = store::role_id(conn, role)?;
    if id.is_none() {
        let names = store::role_names(conn)?.join(", ");
        errors.add("role", format!("There is no such role. Choose one of {names}."));
    }
    Ok(id.unwrap_or_default())
}

fn shown(member: &Member) -> serde_json::Value {
    json!({ "email": member.email, "name": member.name, "role": member.role, "active": member.active })
}
