//! Another Owner for schedules, without saving them: what only Administrators do.

use super::stale;
use crate::applications::{self, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{self, By, Member};
use crate::schedules::model::{Notify, Schedule};
use crate::schedules::store;

/// To whom, and whether the former Owner is replaced among the recipients too.
#[derive(Clone, Copy, Debug)]
pub struct HandOver {
    pub to: i64,
    pub recipients: bool,
}

/// An active member as an Owner to be.
#[derive(Clone, Debug)]
pub struct Heir {
    pub member: Member,
    /// Which permissions are missing; `None`: the member can own schedules here.
    pub missing: Option<String>,
}

/// Refuses who may not hand over, and names who may.
pub(super) fn need(conn: &mut Conn, by: &By) -> Result<()> {
    if by.member.is_administrator() {
        return Ok(());
    }
    let who: Vec<String> = members::administrators(conn)?.into_iter().map(|m| m.name).take(3).collect();
    Err(AppError::Forbidden(format!(
        "Only an Administrator can hand over schedules: {}. Anyone who edits and saves a schedule becomes its Owner.",
        who.join(", ")
    )))
}

/// Everybody active, by name, for an Administrator who has entered the Application.
pub fn heirs(conn: &mut Conn, by: &By, entered: &Entered) -> Result<Vec<Heir>> {
    need(conn, by)?;
    let active: Vec<Member> = members::all(conn)?.into_iter().filter(|member| member.active).collect();
    let standings = applications::standings(conn, &active, &entered.application)?;
    Ok(active.into_iter().zip(&standings).map(|(member, there)| Heir { missing: missing(there), member }).collect())
}

/// What somebody lacks who is to own schedules.
fn missing(standing: &Entered) -> Option<String> {
    let mut missing = Vec::new();
    if !standing.role_imports {
        missing.push("Can Import Data in their role".to_owned());
    }
    if !standing.grants.import_data {
        missing.push(format!("Import Data in {}", standing.application.name));
    }
    Some(missing.join(" and ")).filter(|missing| !missing.is_empty())
}

/// The member who shall own them, or why that is not possible, at the field `to`.
pub(super) fn heir(conn: &mut Conn, entered: &Entered, to: i64) -> Result<Member> {
    let found = members::by_id(conn, to)?;
    let refused = match &found {
        None => "Choose the new Owner.".to_owned(),
        Some(member) if !member.active => format!("{}'s account is deactivated. Choose someone else.", member.name),
        Some(member) => match missing(&applications::standing(conn, member, entered.application.clone())?) {
            None => return Ok(member.clone()),
            Some(missing) => {
                format!("{} lacks {missing}, so the imports would fail. Choose someone else.", member.name)
            }
        },
    };
    Err(FieldErrors::one("to", refused).into())
}

/// Gives a schedule that was read under its lock to a member, who is not its Owner yet.
pub(super) fn give(
    conn: &mut Conn,
    by: &By,
    was: &Schedule,
    owner_id: i64,
    notify: Option<Notify>,
    now: Moment,
) -> Result<Schedule> {
    if !store::set_owner(conn, was, owner_id, notify.as_ref(), by.member.id, now)? {
        return Err(stale(conn, was.id));
    }
    let schedule = Schedule {
        owner_id,
        notify,
        version: was.version + 1,
        updated_at: now,
        updated_by: by.member.id,
        ..was.clone()
    };
    let entry = Entry::of("schedule.handed-over", "schedule", was.id).application(was.application_id);
    by.audit(conn, entry.before(was.for_audit()).after(schedule.for_audit()), now)?;
    Ok(schedule)
}

/// The recipients with the new Owner for the former one, each once.
pub(super) fn recipients(was: &Schedule, to: HandOver) -> Option<Notify> {
    let mut notify = was.notify.clone()?;
    if to.recipients && notify.member_ids.contains(&was.owner_id) {
        notify.member_ids.retain(|id| *id != was.owner_id && *id != to.to);
        notify.member_ids.push(to.to);
        notify.member_ids.sort_unstable();
    }
    Some(notify)
}
