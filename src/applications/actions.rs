//! Making, changing and putting away Applications, and letting members in: the same verbs for pages and API.

use chrono_tz::Tz;
use serde_json::json;

use super::access::{Grants, enter};
use super::model::Application;
use super::{access_store as given, blocks, store};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn, Pool};
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::{self, InUse, Thing};
use crate::members::groups::{self, Group};
use crate::members::{self, By, Member, Permission, Scope};
use crate::names::check_name;

/// How far apart imports begin where nobody said otherwise, in minutes.
pub const SPACING: i32 = 15;
const WIDEST_SPACING: i32 = 720;

pub struct NewApplication {
    pub name: String,
    pub time_zone: Tz,
    pub spacing_minutes: i32,
}

/// What is to change; `None` leaves a thing as it is.
#[derive(Default)]
pub struct Change {
    pub name: Option<String>,
    pub time_zone: Option<Tz>,
    pub spacing_minutes: Option<i32>,
    /// The version that the change was made from.
    pub version: Option<i64>,
}

/// Whether a member creates Applications at all.
pub fn may_create(member: &Member) -> bool {
    member.may(Permission::MakeApplications) || member.is_administrator()
}

/// Makes an Application; its maker gets every permission in it.
pub fn create(conn: &mut Conn, by: &By, new: &NewApplication, now: Moment) -> Result<Application> {
    need_create(conn, by)?;
    let mut errors = FieldErrors::new();
    let name = check_name("name", &new.name, None, &mut errors);
    check_spacing(new.spacing_minutes, &mut errors);
    errors.ok_or(())?;
    db::write(conn, |conn| {
        let id = store::insert(conn, &name, new.time_zone, new.spacing_minutes, now)?;
        let all = Grants { view: true, import_data: true, configure: true };
        given::set_grants(conn, id, by.member.id, all)?;
        let application = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
        let entry = Entry::of("application.created", "application", id).application(id).after(shown(&application));
        by.audit_all(conn, vec![entry, access_given(id, (by.member.id, all))], now)?;
        Ok(application)
    })
}

/// Says who can, to whoever may not make Applications.
pub fn need_create(conn: &mut Conn, by: &By) -> Result<()> {
    by.need_scope(Scope::Configure)?;
    if may_create(&by.member) {
        return Ok(());
    }
    let who = members::names(members::administrators(conn)?.into_iter().map(|m| m.name).collect());
    Err(AppError::Forbidden(format!(
        "Your role {} cannot create Applications. {who} can change your role.",
        by.member.role
    )))
}

/// Changes an Application; with a new name the views of its Blocks are named anew.
pub fn edit(conn: &mut Conn, block_db: &Pool, by: &By, id: i64, change: &Change, now: Moment) -> Result<Application> {
    db::write(conn, |conn| {
        // The right is asked after the wait.
        db::lock_row(conn, "applications", id)?;
        let entered = enter(conn, by, id)?;
        entered.need_configure(conn, by)?;
        let before = entered.application;
        if change.version.is_some_and(|version| version != before.version) {
            return Err(AppError::Stale(format!(
                "The settings of {} were changed after you opened this page. To see the new ones, open the page in \
                 another tab.",
                before.name
            )));
        }
        let mut errors = FieldErrors::new();
        let was = before.name.as_str();
        let name = change.name.as_ref().map_or(was.to_owned(), |new| check_name("name", new, Some(was), &mut errors));
        let spacing = change.spacing_minutes.unwrap_or(before.spacing_minutes);
        check_spacing(spacing, &mut errors);
        errors.ok_or(())?;
        store::update(conn, id, &name, change.time_zone.unwrap_or(before.time_zone), spacing)?;
        let after = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
        if shown(&before) != shown(&after) {
            let entry = Entry::of("application.changed", "application", id).application(id);
            by.audit(conn, entry.before(shown(&before)).after(shown(&after)), now)?;
        }
        if before.name != after.name {
            blocks::rename_views(conn, block_db, id)?;
        }
        Ok(after)
    })
}

/// Puts an Application away; its history stays. Refused while something in it runs or is scheduled to.
pub fn archive(conn: &mut Conn, in_use: InUse, by: &By, id: i64, now: Moment) -> Result<()> {
    db::write(conn, |conn| {
        db::lock_row(conn, "applications", id)?;
        let entered = enter(conn, by, id)?;
        entered.need_configure(conn, by)?;
        let uses = in_use.all(conn, Thing::Application(id))?;
        if !uses.is_empty() {
            return Err(AppError::Conflict(format!(
                "{} is in use: {}. Wait for its imports or cancel them, turn its schedules off, then archive it.",
                entered.application.name,
                in_use::words(&uses, " and ")
            )));
        }
        store::archive(conn, id, now)?;
        let entry = Entry::of("application.archived", "application", id).application(id);
        by.audit(conn, entry.before(shown(&entered.application)), now)
    })
}

/// Gives a member access, or takes it away. Import Data and Configure include View; nothing at all is no access.
pub fn set_access(
    conn: &mut Conn,
    by: &By,
    application_id: i64,
    member_id: i64,
    grants: Grants,
    now: Moment,
) -> Result<Grants> {
    db::write(conn, |conn| {
        // Of two who save at once the second sees what the first one wrote.
        db::lock_row(conn, "applications", application_id)?;
        enter(conn, by, application_id)?.need_configure(conn, by)?;
        let member = members::by_id(conn, member_id)?.ok_or(AppError::NotFound)?;
        let before = given::own_in(conn, application_id, member_id)?;
        let grants = whole(grants);
        if grants.view && !member.active {
            return Err(AppError::Conflict(format!("{} is deactivated and cannot be given access.", member.name)));
        }
        given::set_grants(conn, application_id, member_id, grants)?;
        if before != grants {
            let entry = Entry::of("access.changed", "member", member_id).application(application_id);
            by.audit(conn, entry.before(json!(before)).after(json!(grants)), now)?;
        }
        Ok(grants)
    })
}

fn access_given(application_id: i64, (member_id, grants): (i64, Grants)) -> Entry {
    let entry = Entry::of("access.changed", "member", member_id).application(application_id);
    entry.before(json!(Grants::default())).after(json!(grants))
}

/// Lets whoever has access to one Application into another, but for who has some there already; how many.
pub fn copy_access(conn: &mut Conn, by: &By, from: i64, to: i64, now: Moment) -> Result<usize> {
    let (members, groups) = given::copy_access(conn, from, to)?;
    let ids: Vec<i64> = groups.iter().map(|(id, _)| *id).collect();
    let names = groups::names(conn, &ids)?;
    let mut entries: Vec<Entry> = members.into_iter().map(|one| access_given(to, one)).collect();
    for (id, grants) in groups {
        let name = names.get(&id).map(String::as_str).unwrap_or_default();
        let entry = Entry::of("group.access_changed", "group", id).application(to);
        entries.push(entry.before(of_group(name, Grants::default())).after(of_group(name, grants)));
    }
    let copied = entries.len();
    by.audit_all(conn, entries, now)?;
    Ok(copied)
}

/// What a group has, as the audit log keeps it.
fn of_group(name: &str, grants: Grants) -> serde_json::Value {
    let mut shown = json!(grants);
    shown["name"] = json!(name);
    shown
}

/// View comes with either of the others.
fn whole(grants: Grants) -> Grants {
    Grants { view: grants.view || grants.import_data || grants.configure, ..grants }
}

/// The same of a group, whose members have what it has; answers what the group is called.
pub fn set_group_access(
    conn: &mut Conn,
    by: &By,
    application_id: i64,
    group_id: i64,
    grants: Grants,
    now: Moment,
) -> Result<(String, Grants)> {
    db::write(conn, |conn| {
        db::lock_row(conn, "applications", application_id)?;
        enter(conn, by, application_id)?.need_configure(conn, by)?;
        groups::hold(conn, &[group_id])?;
        let name = groups::names(conn, &[group_id])?.remove(&group_id).ok_or(AppError::NotFound)?;
        let before = given::groups_of(conn, application_id)?.remove(&group_id).unwrap_or_default();
        let grants = whole(grants);
        given::set_group_grants(conn, application_id, group_id, grants)?;
        if before != grants {
            let entry = Entry::of("group.access_changed", "group", group_id).application(application_id);
            by.audit(conn, entry.before(of_group(&name, before)).after(of_group(&name, grants)), now)?;
        }
        Ok((name, grants))
    })
}

/// A member beside an Application.
pub struct Access {
    pub member: Member,
    /// As given; an Administrator or Auditor needs none.
    pub grants: Grants,
    /// What comes through groups: the group's name, and what it gives.
    pub through: Vec<(String, Grants)>,
}

impl Access {
    /// All of it together.
    pub fn all(&self) -> Grants {
        self.through.iter().fold(self.grants, |all, (_, grants)| all.with(*grants))
    }
}

/// A group beside an Application.
pub struct GroupAccess {
    pub id: i64,
    pub name: String,
    pub members: usize,
    pub grants: Grants,
}

/// Every active member and whoever else was ever let in, by name, with what they were given; and every group. For those
/// who configure the Application and those who see everything.
pub fn access(conn: &mut Conn, by: &By, application_id: i64) -> Result<(Vec<Access>, Vec<GroupAccess>)> {
    let entered = enter(conn, by, application_id)?;
    if !entered.sees_everything {
        entered.need_configure(conn, by)?;
    }
    let (own, of_groups) = (given::own_of(conn, application_id)?, given::groups_of(conn, application_id)?);
    let all = groups::all(conn)?;
    let through = |member: i64| {
        let within = all.iter().filter(|group| group.member_ids.contains(&member));
        within.filter_map(|group| Some((group.name.clone(), *of_groups.get(&group.id)?))).collect::<Vec<_>>()
    };
    let member = |member: Member| {
        let (grants, through) = (own.get(&member.id).copied(), through(member.id));
        (member.active || grants.is_some()).then(|| Access { member, grants: grants.unwrap_or_default(), through })
    };
    let members = members::all(conn)?.into_iter().filter_map(member).collect();
    let group = |group: &Group| GroupAccess {
        id: group.id,
        name: group.name.clone(),
        members: group.member_ids.len(),
        grants: of_groups.get(&group.id).copied().unwrap_or_default(),
    };
    Ok((members, all.iter().map(group).collect()))
}

fn check_spacing(minutes: i32, errors: &mut FieldErrors) {
    if !(0..=WIDEST_SPACING).contains(&minutes) {
        errors.add("spacing_minutes", format!("Enter whole minutes from 0 to {WIDEST_SPACING}; 15 is usual."));
    }
}

fn shown(application: &Application) -> serde_json::Value {
    json!({
        "name": application.name,
        "time_zone": application.time_zone.name(),
        "spacing_minutes": application.spacing_minutes,
    })
}
