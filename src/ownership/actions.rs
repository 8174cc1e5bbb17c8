//! Handing over, and taking that back.

use std::collections::{HashMap, HashSet};

use chrono::Duration;

use super::reckoning::{From, Reckoned, Wish, check_heir, reckon};
use super::store::{self, HandOver, Line, New};
use crate::applications;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::Enders;
use crate::members::actions::Change;
use crate::members::{self, By, Member};
use crate::schedules::Schedule;
use crate::schedules::actions::{self as schedules, Gift, Giving, HANDED_OVER, replaced};
use crate::schedules::flagged;
use crate::words;

/// So long a hand-over can be undone.
pub const UNDO_DAYS: i64 = 7;

/// What a hand-over did.
#[derive(Clone, Debug)]
pub struct Done {
    /// `None`: it changed no schedule.
    pub id: Option<i64>,
    pub reckoned: Reckoned,
}

/// From whom, to whom, and what is to pass.
#[derive(Clone, Debug)]
pub struct Passing {
    pub from: From,
    pub to: i64,
    pub wish: Wish,
}

/// What it would change now.
pub fn preview(conn: &mut Conn, by: &By, passing: &Passing) -> Result<Reckoned> {
    by.need_administrator(conn)?;
    let held = match &passing.from {
        From::Member(id) => schedules::held(conn, *id)?,
        From::Owners(ids) => schedules::unfinished(conn, &Vec::from_iter(ids.iter().copied()))?,
    };
    let from = former(conn, &passing.from, &held)?;
    let to = members::by_id(conn, passing.to)?;
    reckon(conn, by, (from, to), &passing.wish, held)
}

/// Who hands over; `None` where they are several.
fn former(conn: &mut Conn, from: &From, held: &[Schedule]) -> Result<Option<Member>> {
    let first = held.first().map(|schedule| schedule.owner_id);
    match from {
        From::Member(id) => members::by_id(conn, *id)?.ok_or_else(nobody).map(Some),
        From::Owners(_) if held.iter().any(|schedule| Some(schedule.owner_id) != first) => Ok(None),
        From::Owners(_) => first.map_or(Ok(None), |id| members::by_id(conn, id)),
    }
}

fn nobody() -> AppError {
    FieldErrors::one("from", "Choose whose schedules to hand over.").into()
}

/// Hands over what a member holds, all in the caller's transaction. `seen`: the mark of what the page showed; nothing else
/// is done.
///
/// `Invalid` on `from`, `to` or `which`; `Stale` when something else would change than was shown; `Conflict` when nothing
/// would.
pub fn hand_over(conn: &mut Conn, by: &By, passing: &Passing, seen: &str, now: Moment) -> Result<Done> {
    let reckoned = held(conn, by, passing)?;
    if reckoned.changing() == 0 && !passing.wish.tokens {
        return Err(AppError::Conflict("Nothing would change. Choose at least one schedule.".into()));
    }
    if reckoned.mark(passing.wish.tokens) != seen {
        let said = "What would change is no longer what you saw, so nothing was handed over. Check the changes below, then hand over.";
        return Err(AppError::Stale(said.into()));
    }
    let done = pass(conn, by, reckoned, (false, !passing.wish.tell), now)?;
    if let (From::Member(from), true) = (&passing.from, passing.wish.tokens) {
        members::leaving::revoke_tokens(conn, by, *from, now)?;
    }
    Ok(done)
}

/// Reckons what changes, under the locks with which it is done.
pub(super) fn held(conn: &mut Conn, by: &By, passing: &Passing) -> Result<Reckoned> {
    by.need_administrator(conn)?;
    // Nobody is deactivated meanwhile.
    db::lock_row(conn, "workspace", 1)?;
    let to = members::by_id(conn, passing.to)?;
    let held = match &passing.from {
        From::Member(id) => schedules::hold(conn, *id)?,
        From::Owners(ids) => schedules::hold_those(conn, &Vec::from_iter(ids.iter().copied()))?,
    };
    let from = former(conn, &passing.from, &held)?;
    check_heir(from.as_ref(), to.as_ref())?;
    let reckoned = reckon(conn, by, (from, to), &passing.wish, held)?;
    reckoned.check()?;
    Ok(reckoned)
}

/// Does what was reckoned.
pub(super) fn pass(
    conn: &mut Conn,
    by: &By,
    reckoned: Reckoned,
    (leaves, untold): (bool, bool),
    now: Moment,
) -> Result<Done> {
    let gifts = reckoned.gifts();
    let Some(to) = reckoned.to.as_ref().filter(|_| !gifts.is_empty()) else {
        return Ok(Done { id: None, reckoned });
    };
    let given = schedules::give(conn, by, &gifts, Giving { action: HANDED_OVER, untold, undone: false }, now)?;
    let line = |(line, is): (&super::reckoning::Line, &Schedule)| Line {
        schedule_id: is.id,
        owner_was: line.passes.then_some(line.former),
        told_was: line.swaps.then_some(line.former),
        told_before: line.schedule.notify.as_ref().is_some_and(|notify| notify.member_ids.contains(&to.id)),
        version: is.version,
    };
    let changed = reckoned.lines.iter().filter(|line| line.changes());
    let lines: Vec<Line> = changed.zip(&given).map(line).collect();
    // Several who owned one each are one, if it was the same.
    let first = reckoned.lines.iter().find(|line| line.changes()).map(|line| line.former);
    let of_one = reckoned.lines.iter().filter(|line| line.changes()).all(|line| Some(line.former) == first);
    let new = New { by_id: by.member.id, from_id: first.filter(|_| of_one), to_id: to.id, leaves, untold };
    let id = store::insert(conn, &new, &lines, now)?;
    Ok(Done { id: Some(id), reckoned })
}

/// What became of a hand-over that was undone.
#[derive(Clone, Debug, Default)]
pub struct Undone {
    pub back: usize,
    /// Changed or deleted since.
    pub changed: usize,
    /// The former Owner may not run them any more.
    pub unable: usize,
    /// Who can sign in again.
    pub activated: Option<String>,
}

impl Undone {
    /// "3 schedules are back with their former Owner; 1 was changed since and stays."
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        if self.back > 0 {
            parts.push(words::counted(self.back as i64, "schedule is as it was", "schedules are as they were"));
        }
        if self.changed > 0 {
            parts.push(words::counted(
                self.changed as i64,
                "was changed since and stays",
                "were changed since and stay",
            ));
        }
        if self.unable > 0 {
            let (one, many) = ("stays: its former Owner may not run it", "stay: their former Owner may not run them");
            parts.push(words::counted(self.unable as i64, one, many));
        }
        let mut said = format!("Undone. {}.", parts.join("; "));
        if let Some(name) = &self.activated {
            said.push_str(&format!(" {name} can sign in again."));
        }
        said
    }
}

/// Takes a hand-over back: what nobody changed since goes to its former Owner and recipients.
///
/// `Conflict` when it was undone before, is too old, or nothing of it could go back.
pub fn undo(conn: &mut Conn, by: &By, enders: Enders, id: i64, now: Moment) -> Result<Undone> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "workspace", 1)?;
    let made = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    if let Some(who) = made.undone_by {
        let name = members::by_id(conn, who)?.map_or_else(|| "Someone".to_owned(), |member| member.name);
        return Err(AppError::Conflict(format!("{name} undid this hand-over already.")));
    }
    if !may_undo(&made, now) {
        return Err(AppError::Conflict(format!("A hand-over can be undone for {UNDO_DAYS} days.")));
    }
    let mut undone = Undone::default();
    let gone = left_by(conn, std::slice::from_ref(&made))?;
    if let Some(from) = made.from_id.filter(|_| gone.contains(&made.id)) {
        let change = Change { active: Some(true), ..Change::default() };
        undone.activated = Some(members::actions::update(conn, by, enders, from, change, now)?.name);
    }
    let lines = store::lines_of(conn, id)?;
    let ids: Vec<i64> = lines.iter().map(|line| line.schedule_id).collect();
    let there: HashMap<i64, Schedule> = schedules::hold_those(conn, &ids)?.into_iter().map(|s| (s.id, s)).collect();
    let mut able = Able::default();
    let mut gifts = Vec::new();
    for line in &lines {
        let Some(is) = there.get(&line.schedule_id).filter(|is| is.version == line.version) else {
            undone.changed += 1;
            continue;
        };
        if !line.owner_was.map_or(Ok(true), |owner| able.runs(conn, owner, is.application_id))? {
            undone.unable += 1;
            continue;
        }
        let notify = line.told_was.map_or_else(|| is.notify.clone(), |was| told_again(is, was, (made.to_id, line)));
        gifts.push(Gift { owner_id: line.owner_was.unwrap_or(is.owner_id), notify, was: is.clone() });
    }
    undone.back = gifts.len();
    if gifts.is_empty() && undone.activated.is_none() {
        let why = Undone { back: 0, ..undone }.words().replace("Undone. ", "Nothing was undone: ");
        return Err(AppError::Conflict(why));
    }
    schedules::give(conn, by, &gifts, Giving { action: HANDED_OVER, untold: made.untold, undone: true }, now)?;
    store::undone(conn, id, by.member.id, now)?;
    Ok(undone)
}

/// The recipients with who was told before.
fn told_again(is: &Schedule, was: i64, (to, line): (i64, &Line)) -> Option<crate::schedules::Notify> {
    if !line.told_before {
        return replaced(is.notify.as_ref(), (to, was));
    }
    let mut notify = is.notify.clone()?;
    notify.member_ids.push(was);
    notify.member_ids.sort_unstable();
    notify.member_ids.dedup();
    Some(notify)
}

/// Who may own schedules where, each asked once.
#[derive(Default)]
struct Able(HashMap<(i64, i64), bool>);

impl Able {
    fn runs(&mut self, conn: &mut Conn, owner: i64, application_id: i64) -> Result<bool> {
        if let Some(able) = self.0.get(&(owner, application_id)) {
            return Ok(*able);
        }
        let able = match applications::by_id(conn, application_id)? {
            Some(application) => flagged::flag_of(conn, &application, owner)?.is_none(),
            None => false,
        };
        self.0.insert((owner, application_id), able);
        Ok(able)
    }
}

fn may_undo(made: &HandOver, now: Moment) -> bool {
    made.undone_at.is_none() && now.since(made.at) <= Duration::days(UNDO_DAYS)
}

/// The hand-overs by which somebody left who has been gone since: whoever was activated since and closed anew stays closed.
fn left_by(conn: &mut Conn, made: &[HandOver]) -> Result<HashSet<i64>> {
    let mut found = HashSet::new();
    for made in made.iter().filter(|made| made.leaves) {
        let Some(from) = made.from_id else { continue };
        if members::deactivated_at(conn, from)? == Some(made.at) {
            found.insert(made.id);
        }
    }
    Ok(found)
}

/// A hand-over as the page lists it.
pub struct Recent {
    pub made: HandOver,
    pub schedules: i64,
    /// How many of them got another Owner; of the others only who is notified changed.
    pub passed: i64,
    pub may_undo: bool,
    /// Undoing it activates who left by it.
    pub activates: bool,
}

/// The latest of them, and everybody whom they name.
pub fn recent(conn: &mut Conn, by: &By, now: Moment) -> Result<(Vec<Recent>, HashMap<i64, Member>)> {
    by.need_administrator(conn)?;
    let made = store::recent(conn, 50)?;
    let ids: Vec<i64> = made.iter().map(|made| made.id).collect();
    let counts = store::counts(conn, &ids)?;
    let named = made.iter().flat_map(|made| [Some(made.by_id), made.from_id, Some(made.to_id), made.undone_by]);
    let named: Vec<i64> = named.flatten().collect();
    let people = members::by_ids(conn, &named)?.into_iter().map(|member| (member.id, member)).collect();
    let gone = left_by(conn, &made)?;
    let of = |made: HandOver| {
        let (schedules, passed) = counts.get(&made.id).copied().unwrap_or_default();
        Recent { schedules, passed, may_undo: may_undo(&made, now), activates: gone.contains(&made.id), made }
    };
    Ok((made.into_iter().map(of).collect(), people))
}
