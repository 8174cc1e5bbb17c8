//! Another Owner for schedules, without saving them: what Administrators do, and who takes what nobody can run.

use std::collections::{BTreeMap, BTreeSet};

use super::stale;
use crate::applications::{self, Entered};
use crate::audit::{self, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{self, By, Member};
use crate::schedules::flagged::lacks;
use crate::schedules::model::{Notify, Schedule};
use crate::schedules::{held_store, recipients_store, store};

/// What the log calls it.
pub const HANDED_OVER: &str = "schedule.handed-over";
pub const TAKEN: &str = "schedule.ownership-taken";
const RECIPIENTS: &str = "schedule.recipients-replaced";

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

/// A schedule that was read under its lock, with its Owner and recipients to be.
#[derive(Clone, Debug)]
pub struct Gift {
    pub was: Schedule,
    pub owner_id: i64,
    pub notify: Option<Notify>,
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
    Ok(active.into_iter().zip(&standings).map(|(member, there)| Heir { missing: lacks(there), member }).collect())
}

/// The member who shall own them, or why that is not possible, at the field `to`.
pub(super) fn heir(conn: &mut Conn, entered: &Entered, to: i64) -> Result<Member> {
    let found = members::by_id(conn, to)?;
    let refused = match &found {
        None => "Choose the new Owner.".to_owned(),
        Some(member) if !member.active => format!("{}'s account is deactivated. Choose someone else.", member.name),
        Some(member) => match lacks(&applications::standing(conn, member, entered.application.clone())?) {
            None => return Ok(member.clone()),
            Some(missing) => {
                format!("{} lacks {missing}, so the imports would fail. Choose someone else.", member.name)
            }
        },
    };
    Err(FieldErrors::one("to", refused).into())
}

/// Gives schedules away that were read under their locks: each with an entry of the log and a new version, in a number of
/// statements that does not grow with theirs. What is due stays due. `untold`: the recipients are not told.
pub fn give(
    conn: &mut Conn,
    by: &By,
    gifts: &[Gift],
    called: &'static str,
    untold: bool,
    now: Moment,
) -> Result<Vec<Schedule>> {
    let ids: Vec<i64> = gifts.iter().map(|gift| gift.was.id).collect();
    let mut owners: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    let mut gone = BTreeMap::<i64, Vec<i64>>::new();
    let mut come = Vec::<(i64, i64)>::new();
    let (mut entries, mut given) = (Vec::new(), Vec::new());
    for Gift { was, owner_id, notify } in gifts {
        let passes = was.owner_id != *owner_id;
        if passes {
            owners.entry(*owner_id).or_default().push(was.id);
        }
        let (before, after) = (named(was.notify.as_ref()), named(notify.as_ref()));
        for member_id in before.difference(&after) {
            gone.entry(*member_id).or_default().push(was.id);
        }
        come.extend(after.difference(&before).map(|member_id| (was.id, *member_id)));
        let schedule = Schedule {
            owner_id: *owner_id,
            notify: notify.clone(),
            version: was.version + 1,
            updated_at: now,
            updated_by: by.member.id,
            ..was.clone()
        };
        let mut shown = schedule.for_audit();
        if untold {
            shown["untold"] = true.into();
        }
        let entry = Entry::of(if passes { called } else { RECIPIENTS }, "schedule", was.id);
        entries.push(entry.application(was.application_id).before(was.for_audit()).after(shown));
        given.push(schedule);
    }
    if store::touch(conn, &ids, by.member.id, now)? != ids.len() {
        return Err(gifts.first().map_or(AppError::NotFound, |gift| stale(conn, gift.was.id)));
    }
    for (owner_id, ids) in &owners {
        store::set_owner(conn, ids, *owner_id)?;
    }
    recipients_store::change(conn, &gone, &come)?;
    audit::record_all(conn, &by.actor(), entries, now)?;
    Ok(given)
}

fn named(notify: Option<&Notify>) -> BTreeSet<i64> {
    notify.into_iter().flat_map(|notify| notify.member_ids.iter().copied()).collect()
}

/// The recipients with one member for another, each once.
pub fn replaced(notify: Option<&Notify>, (from, to): (i64, i64)) -> Option<Notify> {
    let mut notify = notify?.clone();
    if notify.member_ids.contains(&from) {
        notify.member_ids.retain(|id| *id != from && *id != to);
        notify.member_ids.push(to);
        notify.member_ids.sort_unstable();
    }
    Some(notify)
}

/// The recipients with the new Owner for the former one, each once.
pub(super) fn recipients(was: &Schedule, to: HandOver) -> Option<Notify> {
    match to.recipients {
        true => replaced(was.notify.as_ref(), (was.owner_id, to.to)),
        false => was.notify.clone(),
    }
}

/// What has something to come and belongs to a member, or tells them, in all Applications: by Application and target.
pub fn held(conn: &mut Conn, member_id: i64) -> Result<Vec<Schedule>> {
    let ids = Vec::from_iter(held_store::held(conn, member_id)?);
    store::unfinished(conn, &ids)
}

/// The same, held until the transaction ends: nobody saves and the clock does not move them meanwhile.
pub fn hold(conn: &mut Conn, member_id: i64) -> Result<Vec<Schedule>> {
    let ids = Vec::from_iter(held_store::held(conn, member_id)?);
    let locked = hold_those(conn, &ids)?;
    let held = held_store::held(conn, member_id)?;
    Ok(locked.into_iter().filter(|schedule| held.contains(&schedule.id)).collect())
}

/// These, where they have something to come, held until the transaction ends.
pub fn hold_those(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Schedule>> {
    let applications: BTreeSet<i64> = store::unfinished(conn, ids)?.iter().map(|s| s.application_id).collect();
    // In the order in which whoever saves holds them: the Application, then the schedule.
    db::lock_rows(conn, "applications", &Vec::from_iter(applications))?;
    db::lock_rows(conn, "schedules", ids)?;
    store::unfinished(conn, ids)
}
