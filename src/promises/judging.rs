//! How a promise stands, from what is known: pure.

use chrono::Duration;

use super::model::{Memory, NEWS, Promise, Ready, Says, Standing, State};
use crate::clock::Moment;
use crate::freezes::{self, Freeze};
use crate::runs::watch::Good;
use crate::schedules::{Rule, latest_at_or_before, next_after};

/// While nothing is planned and nothing has failed, a deadline further ahead than this is nobody's concern.
pub const AHEAD: Duration = Duration::hours(4);

/// What comes next by schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    pub at: Moment,
    /// By what it usually takes.
    pub ends: Moment,
}

/// What is known of what a promise is of.
#[derive(Clone, Debug, Default)]
pub struct Known<'a> {
    pub deleted: bool,
    /// It came with a copied Application, and nothing is on that would keep it.
    pub copied: bool,
    /// The first run that ended well after [`Memory::counts_from`].
    pub good: Option<Good>,
    /// The latest run that did its work, or tried to, failed or is held.
    pub failed: bool,
    /// When what runs or waits is expected to end.
    pub going: Option<Moment>,
    /// The next that no freeze skips.
    pub planned: Option<Planned>,
    pub freezes: &'a [Freeze],
}

/// What people are told: each once for its deadline.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    AtRisk {
        deadline: Moment,
    },
    Late {
        deadline: Moment,
    },
    /// After it was at risk.
    InTime {
        deadline: Moment,
        ready: Ready,
    },
    /// After it was late.
    Ready {
        due: Moment,
        ready: Ready,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub standing: Standing,
    /// What is to be remembered.
    pub memory: Memory,
    pub turns: Vec<Turn>,
}

impl Memory {
    /// Of a promise that is saved now: deadlines that passed before are not judged by it, and what was loaded since the
    /// latest of them counts.
    pub fn begun(rule: &Rule, now: Moment) -> Self {
        Self {
            state: State::Fresh,
            deadline: next_after(rule, now),
            settled: now,
            counts_from: latest_at_or_before(rule, now).unwrap_or(now),
            late_since: None,
            answered: None,
            feared: None,
        }
    }

    /// The same of one that was copied: it rests from the beginning, and not only once it has been looked at.
    pub fn resting(rule: &Rule, now: Moment) -> Self {
        Self { state: State::Resting, deadline: None, ..Self::begun(rule, now) }
    }

    /// What those are told who heard that it may not be ready by then.
    fn in_time(&mut self, deadline: Moment, ready: Ready) -> Option<Turn> {
        self.feared.take_if(|feared| *feared == deadline).map(|_| Turn::InTime { deadline, ready })
    }
}

pub fn judge(promise: &Promise, known: &Known<'_>, now: Moment) -> Judged {
    let mut memory = promise.memory.clone();
    let mut turns = Vec::new();
    if known.deleted {
        let standing = Standing { state: State::Resting, deadline: None, since: None, says: Says::Deleted };
        return done(promise, standing, memory, turns, now);
    }
    if known.copied {
        // What was promised before something is on is not asked for later.
        memory = Memory { state: memory.state, deadline: memory.deadline, ..Memory::begun(&promise.rule, now) };
        memory.settled = latest_at_or_before(&promise.rule, now).unwrap_or(promise.memory.settled);
        memory.counts_from = memory.settled;
        let standing = Standing { state: State::Resting, deadline: None, since: None, says: Says::Copied };
        return done(promise, standing, memory, turns, now);
    }
    let good = known.good.filter(|good| good.at <= now);
    let passed = latest_at_or_before(&promise.rule, now).filter(|passed| *passed > memory.settled);
    // What counts for the coming deadline.
    let mut ready = good;
    if let Some(passed) = passed {
        // Several passed since it was looked at: a run in time for the first of them says nothing about a later one.
        let first = next_after(&promise.rule, memory.settled).filter(|first| *first < passed);
        if let (Some(first), Some(good), None) = (first, good, memory.late_since)
            && good.at <= first
        {
            (memory.settled, memory.counts_from) = (first, first);
            turns.extend(memory.in_time(first, good.into()).filter(|_| now.since(good.at) <= NEWS));
            let says = coming(known);
            let standing = Standing { state: memory.state, deadline: memory.deadline, since: None, says };
            return Judged { standing, memory, turns };
        }
        let frozen = freezes::at(known.freezes, passed).is_some();
        match good {
            Some(good) => {
                let due = memory.late_since.or(Some(passed).filter(|passed| !frozen && good.at > *passed));
                let made_up = good.at > passed && due.is_some() && good.planned_at.is_none_or(|at| at <= passed);
                let news = now.since(good.at) <= NEWS;
                if let Some(due) = due {
                    memory.answered = Some((due, good.at));
                    turns.extend(news.then(|| Turn::Ready { due, ready: good.into() }));
                } else {
                    turns.extend(memory.in_time(passed, good.into()).filter(|_| news));
                }
                memory.late_since = None;
                memory.counts_from = if made_up { good.at } else { passed };
                ready = Some(good).filter(|good| good.at > memory.counts_from);
            }
            None if frozen && memory.late_since.is_none() => memory.counts_from = passed,
            None => {
                let since = *memory.late_since.get_or_insert(passed);
                // What a freeze covers is not missed a second time.
                let deadline = if frozen { memory.deadline.unwrap_or(since) } else { passed };
                let standing =
                    Standing { state: State::Late, deadline: Some(deadline), since: Some(since), says: coming(known) };
                return done(promise, standing, memory, turns, now);
            }
        }
        memory.settled = passed;
    }
    let deadline = next_after(&promise.rule, now);
    let (state, says) = match deadline {
        None => (State::Fresh, Says::Unplanned(None)),
        Some(deadline) => ahead(known, &memory, ready, deadline, now),
    };
    // What counts for this deadline is not known yet where it was another that the run was looked for.
    let unknown = ready.is_none() && memory.counts_from != promise.memory.counts_from;
    let state = if unknown && state == State::AtRisk { State::Fresh } else { state };
    done(promise, Standing { state, deadline, since: None, says }, memory, turns, now)
}

/// How a deadline that is to come stands.
fn ahead(known: &Known<'_>, memory: &Memory, ready: Option<Good>, deadline: Moment, now: Moment) -> (State, Says) {
    if let Some(ready) = ready {
        return (State::Fresh, Says::Ready(ready.into()));
    }
    if let Some(freeze) = freezes::at(known.freezes, deadline) {
        return (State::Resting, Says::Frozen(freeze.reason().trim_end_matches('.').to_owned()));
    }
    let planned = known.planned.filter(|planned| planned.at < deadline).map(|planned| planned.ends);
    let says = match known.going.or(planned) {
        Some(ends) => Says::Expected(ends),
        None => coming(known),
    };
    let risky = match says {
        Says::Expected(ends) => ends > deadline,
        Says::Unplanned(None) => deadline.since(now) <= AHEAD,
        _ => true,
    };
    // What was late at last is said for the rest of the day.
    let late = memory.answered.filter(|(_, at)| now.since(*at) < Duration::hours(12));
    match (risky, late) {
        (true, _) => (State::AtRisk, says),
        (false, Some((due, at))) => (State::Fresh, Says::ReadyLate(due, at)),
        (false, None) => (State::Fresh, says),
    }
}

/// What is to be expected.
fn coming(known: &Known<'_>) -> Says {
    let next = known.planned.map(|planned| planned.at);
    match known.going {
        Some(ends) => Says::Expected(ends),
        None if known.failed => Says::Failed(next),
        None => Says::Unplanned(next),
    }
}

/// With what the state's turning tells.
fn done(promise: &Promise, standing: Standing, mut memory: Memory, mut turns: Vec<Turn>, now: Moment) -> Judged {
    let turned = (standing.state, standing.deadline) != (promise.memory.state, promise.memory.deadline);
    if let (true, Some(deadline)) = (turned, standing.deadline) {
        match standing.state {
            State::AtRisk => {
                memory.feared = Some(deadline);
                turns.push(Turn::AtRisk { deadline });
            }
            State::Late if now.since(deadline) <= NEWS => turns.push(Turn::Late { deadline }),
            State::Late | State::Fresh | State::Resting => {}
        }
    }
    if let (Some(deadline), Says::Ready(ready)) = (standing.deadline, &standing.says) {
        turns.extend(memory.in_time(deadline, *ready));
    }
    if standing.state == State::Late {
        memory.feared = None;
    }
    // A clock that was set back may have undone that it is late.
    memory.late_since = memory.late_since.filter(|_| standing.state == State::Late);
    (memory.state, memory.deadline) = (standing.state, standing.deadline);
    Judged { standing, memory, turns }
}

impl From<Good> for Ready {
    fn from(good: Good) -> Self {
        Self { run_id: good.run_id, at: good.at, partial: good.partial }
    }
}

#[cfg(test)]
mod tests;
