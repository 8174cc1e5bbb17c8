//! The day a member goes, or loses the right to import: what they hold is handed over, turned off or left, and their doors
//! are closed, all at once.

use super::actions::{Done, Passing, held, pass};
use super::reckoning::{From, Wish};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::in_use::Enders;
use crate::members::actions::Change;
use crate::members::{self, By, Member};
use crate::schedules::actions::{self as schedules, Bulk};

/// What happens to their schedules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// Somebody else owns them.
    #[default]
    Hand,
    /// Nothing runs until someone takes them and turns them on.
    Off,
    /// They are flagged, and fail.
    Keep,
}

impl Fate {
    pub fn parse(word: &str) -> Self {
        match word {
            "off" => Self::Off,
            "keep" => Self::Keep,
            _ => Self::Hand,
        }
    }
}

/// Who goes, and what becomes of what they hold.
#[derive(Clone, Debug)]
pub struct Leaving {
    pub member: i64,
    /// They stay, with this role; `None`: they are deactivated.
    pub role: Option<String>,
    pub fate: Fate,
    /// Who has their schedules from now on, and is told in their place.
    pub to: Option<i64>,
    pub recipients: bool,
}

impl Leaving {
    pub fn wish(&self) -> Wish {
        Wish { owners: self.fate == Fate::Hand, recipients: self.recipients, ..Wish::all() }
    }
}

/// What that did.
#[derive(Clone, Debug)]
pub struct Left {
    pub member: Member,
    /// What was handed over, if anything was.
    pub done: Option<Done>,
    pub turned_off: usize,
}

/// Lets a member go. The schedules first: who is deactivated hands over nothing any more.
///
/// `Invalid` on `to`, where somebody is needed and cannot have them; `Conflict` for the last Administrator.
pub fn leave(conn: &mut Conn, by: &By, enders: Enders, leaving: &Leaving, now: Moment) -> Result<Left> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "workspace", 1)?;
    let member = members::by_id(conn, leaving.member)?.ok_or(AppError::NotFound)?;
    let goes = leaving.role.is_none();
    if goes && !member.active {
        return Ok(Left { member, done: None, turned_off: 0 });
    }
    let mut done = None;
    let holds = schedules::held(conn, member.id)?;
    let owns = holds.iter().any(|schedule| schedule.owner_id == member.id);
    let is_told = holds.iter().any(|schedule| schedule.owner_id != member.id || told(schedule, member.id));
    // Before anything is handed over, which remembers how each schedule is then: what changes later is not taken back.
    let turned_off = if leaving.fate == Fate::Off { turn_off(conn, by, member.id, now)? } else { 0 };
    if (owns && leaving.fate == Fate::Hand) || (is_told && leaving.recipients) {
        let passing =
            Passing { from: From::Member(member.id), to: leaving.to.unwrap_or_default(), wish: leaving.wish() };
        let reckoned = held(conn, by, &passing)?;
        done = Some(pass(conn, by, reckoned, (goes, false), now)?);
    }
    let change = match &leaving.role {
        Some(role) => Change { role: Some(role.clone()), ..Change::default() },
        None => Change { active: Some(false), ..Change::default() },
    };
    let member = members::actions::update(conn, by, enders, member.id, change, now)?;
    Ok(Left { member, done, turned_off })
}

fn told(schedule: &crate::schedules::Schedule, member: i64) -> bool {
    schedule.notify.as_ref().is_some_and(|notify| notify.member_ids.contains(&member))
}

fn turn_off(conn: &mut Conn, by: &By, member: i64, now: Moment) -> Result<usize> {
    let owned: Vec<_> = schedules::held(conn, member)?.into_iter().filter(|s| s.owner_id == member).collect();
    let mut count = 0;
    for of_application in owned.chunk_by(|a, b| a.application_id == b.application_id) {
        let ids: Vec<i64> = of_application.iter().map(|schedule| schedule.id).collect();
        if let Some(first) = of_application.first() {
            count += schedules::bulk(conn, by, first.application_id, &ids, Bulk::Off, now)?.changed.len();
        }
    }
    Ok(count)
}
