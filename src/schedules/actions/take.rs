//! Taking what will fail because its Owner cannot run it any more: what everybody may who may import there.

use super::hand_over::{Gift, Giving, TAKEN, give};
use super::{enter_to_change, enter_to_schedule};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::members::{self, By};
use crate::schedules::flagged;
use crate::schedules::model::{Schedule, State};
use crate::schedules::store;

const TAKING: Giving = Giving { action: TAKEN, untold: false, undone: false };

/// Makes the member who acts the Owner of a schedule that is flagged. What is theirs stays as it is.
///
/// `Conflict` when its Owner can run it: then whoever edits and saves it becomes the Owner.
pub fn take(conn: &mut Conn, by: &By, id: i64, expected: Option<i64>, now: Moment) -> Result<Schedule> {
    let (was, entered) = enter_to_change(conn, by, id, expected)?;
    if was.owner_id == by.member.id {
        return Ok(was);
    }
    if flagged::flag_of(conn, &entered.application, was.owner_id)?.is_none() {
        let owner = store::member_name(conn, was.owner_id)?;
        return Err(AppError::Conflict(format!(
            "{owner} owns this schedule and can run it. To become its Owner, edit and save it."
        )));
    }
    let mut given = give(conn, by, &[to_me(by, was)], TAKING, now)?;
    given.pop().ok_or(AppError::NotFound)
}

/// The same of all that are flagged in an Application, or of those of one Owner; which they were.
pub fn take_all(
    conn: &mut Conn,
    by: &By,
    application_id: i64,
    owner: Option<i64>,
    now: Moment,
) -> Result<Vec<Schedule>> {
    let entered = enter_to_schedule(conn, by, application_id)?;
    let unfinished = |s: &Schedule| s.state() != State::Finished && owner.is_none_or(|owner| s.owner_id == owner);
    let seen: Vec<Schedule> = store::of_application(conn, application_id)?.into_iter().filter(unfinished).collect();
    let owners: Vec<i64> = seen.iter().map(|s| s.owner_id).collect();
    let owners = members::by_ids(conn, &owners)?;
    let flags = flagged::flags(conn, &entered.application, &owners)?;
    let ids: Vec<i64> = seen.iter().filter(|s| flags.contains_key(&s.owner_id)).map(|s| s.id).collect();
    db::lock_rows(conn, "schedules", &ids)?;
    let there = store::by_ids(conn, application_id, &ids)?;
    let gifts: Vec<Gift> = there
        .into_iter()
        .filter(|s| unfinished(s) && flags.contains_key(&s.owner_id))
        .map(|was| to_me(by, was))
        .collect();
    give(conn, by, &gifts, TAKING, now)
}

fn to_me(by: &By, was: Schedule) -> Gift {
    Gift { owner_id: by.member.id, notify: was.notify.clone(), was }
}
