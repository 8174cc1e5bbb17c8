//! In which order schedules are saved there. Of one target no two are alike, not even in between: one that is to be what
//! another is until that is saved comes after it.

use std::collections::HashSet;

use super::drafting::Drafting;
use super::reckoning::Item;
use crate::clock::Moment;
use crate::db::Conn;
use crate::environments::Kind;
use crate::error::Result;
use crate::schedules::actions::is_alike;
use crate::schedules::{Draft, Rule, Schedule};

/// What becomes of a schedule there.
struct Move {
    id: i64,
    rule: Rule,
    is_to_be: Draft,
    was: Option<Schedule>,
}

impl Move {
    /// Whether it cannot be saved as long as that one is there as it is.
    fn meets(&self, there: &Schedule, now: Moment) -> bool {
        self.is_to_be.target == there.target
            && there.holds_slot(now)
            && is_alike(there, &self.rule, self.is_to_be.parameters.as_ref())
    }

    fn waits_for(&self, other: &Self, now: Moment) -> bool {
        self.id != other.id && other.was.as_ref().is_some_and(|was| self.meets(was, now))
    }
}

fn moves(conn: &mut Conn, of: &Drafting<'_>, ids: impl Iterator<Item = i64>) -> Result<Vec<Move>> {
    let schedules = ids.filter_map(|id| of.from.schedule(id));
    schedules
        .map(|schedule| {
            let is_to_be = of.schedule(conn, schedule)?;
            let was = of.schedule_there(schedule.id).cloned();
            Ok(Move { id: schedule.id, rule: schedule.rule, is_to_be, was })
        })
        .collect()
}

/// One after the other, and what is left of them: those that wait for each other.
fn ordered(moves: &[Move], now: Moment) -> (Vec<i64>, Vec<&Move>) {
    let (mut order, mut left): (Vec<i64>, Vec<&Move>) = (Vec::new(), moves.iter().collect());
    while let Some(next) = left.iter().position(|one| !left.iter().any(|other| one.waits_for(other, now))) {
        order.push(left.remove(next).id);
    }
    (order, left)
}

/// Brings the schedules among these into an order in which they can be saved, after all else.
pub fn sort(conn: &mut Conn, of: &Drafting<'_>, items: &mut [&Item], now: Moment) -> Result<()> {
    let ids = items.iter().filter(|item| item.kind == Kind::Schedule).map(|item| item.id);
    let moves = moves(conn, of, ids)?;
    let order = ordered(&moves, now).0;
    let place = |id: i64| order.iter().position(|other| *other == id).unwrap_or(order.len());
    items.sort_by_key(|item| if item.kind == Kind::Schedule { 1 + place(item.id) } else { 0 });
    Ok(())
}

/// Which schedules cannot be saved in any order, each with what is in the way.
pub fn obstacles(conn: &mut Conn, of: &Drafting<'_>, items: &[Item], now: Moment) -> Result<Vec<(i64, String)>> {
    let ids = items.iter().filter(|item| item.kind == Kind::Schedule && item.differs()).map(|item| item.id);
    let moves = moves(conn, of, ids)?;
    let there = &of.to.application.name;
    let mut found = Vec::new();
    for one in ordered(&moves, now).1 {
        let other = moves.iter().filter(|other| one.waits_for(other, now)).find_map(|other| other.was.as_ref());
        let Some(other) = other else { continue };
        found.push((
            one.id,
            format!(
                "{there} has this schedule already: {}. That one is to change too, but only after this one. Change one \
                 of them there first.",
                other.sentence()
            ),
        ));
    }
    let changing: HashSet<i64> = moves.iter().filter_map(|one| one.was.as_ref()).map(|was| was.id).collect();
    for one in &moves {
        let mut stay = of.to.schedules.iter().filter(|other| !changing.contains(&other.id));
        if let Some(other) = stay.find(|other| one.meets(other, now)) {
            let said =
                format!("{there} has this schedule already: {}. Change or delete that one first.", other.sentence());
            found.push((one.id, said));
        }
    }
    Ok(found)
}
