//! Which instants a rule means. The only place that knows the rules of "When"; pure arithmetic on the calendar, then
//! the zone's clock, so that it costs the same however long ago the schedule began.

use chrono::DateTime;

use super::elapsed::Grid;
use super::rule::{Repeat, Rule};
use super::{wall, zone};
use crate::clock::Moment;
use crate::error::FieldErrors;

/// The first occurrence strictly after an instant; `None` when there is no more.
pub fn next_after(rule: &Rule, after: Moment) -> Option<Moment> {
    next_second(rule, after.micros().div_euclid(1_000_000))
}

/// The first occurrence at or after an instant: what a schedule saved at that instant begins with.
pub fn first_at_or_after(rule: &Rule, from: Moment) -> Option<Moment> {
    next_second(rule, (from.micros() - 1).div_euclid(1_000_000))
}

/// The last occurrence at or before an instant; `None` when there was none yet.
pub fn latest_at_or_before(rule: &Rule, at: Moment) -> Option<Moment> {
    let at = at.micros().div_euclid(1_000_000).clamp(EARLIEST, LATEST);
    let found = match elapsed_step(rule) {
        Some(step) => Grid::new(rule, step).latest_at_or_before(at),
        None => wall::latest_at_or_before(rule, at),
    };
    found.map(moment)
}

/// Every occurrence strictly after an instant, in order.
pub fn occurrences(rule: &Rule, after: Moment) -> impl Iterator<Item = Moment> {
    std::iter::successors(next_after(rule, after), |at| next_after(rule, *at))
}

/// How many occurrences lie from one instant (included) to another (excluded). Those that follow each other evenly are
/// reckoned, not counted one by one.
pub fn count_between(rule: &Rule, from: Moment, to: Moment) -> usize {
    let second_before = |at: Moment| (at.micros() - 1).div_euclid(1_000_000);
    let (mut from, until) = (second_before(from) + 1, second_before(to));
    let mut count = 0;
    while let Some(even) = span(rule, from, until) {
        count += (even.last - even.first) / even.step + 1;
        from = even.last + 1;
    }
    usize::try_from(count).unwrap_or(0)
}

/// The same for stretches that follow each other, which these are the edges of.
pub fn counts_between(rule: &Rule, edges: &[Moment]) -> Vec<usize> {
    let second_before = |at: &Moment| (at.micros() - 1).div_euclid(1_000_000);
    let mut counts = vec![0; edges.len().saturating_sub(1)];
    let lasts: Vec<i64> = edges.iter().skip(1).map(second_before).collect();
    let (Some(first), Some(until)) = (edges.first(), lasts.last()) else { return counts };
    let (mut from, mut stretch) = (second_before(first) + 1, 0);
    while let Some(even) = span(rule, from, *until) {
        let mut next = even.first;
        while next <= even.last {
            while lasts[stretch] < next {
                stretch += 1;
            }
            let here = (lasts[stretch].min(even.last) - next) / even.step + 1;
            counts[stretch] += usize::try_from(here).unwrap_or(0);
            next += here * even.step;
        }
        from = even.last + 1;
    }
    counts
}

impl Rule {
    /// Refuses a rule that means no instant at or after `now`, naming the field that is to blame.
    pub fn check_future(&self, now: Moment) -> Result<(), FieldErrors> {
        if first_at_or_after(self, now).is_some() {
            return Ok(());
        }
        let local_now = now.in_zone(self.time_zone);
        if self.is_once() {
            let field = if self.start_date < local_now.date_naive() { "start_date" } else { "start_time" };
            let detail = format!(
                "{} is in the past: it is now {} in {}.",
                self.start_time.format("%H:%M"),
                local_now.format("%H:%M on %-d %b %Y"),
                self.time_zone
            );
            let detail = if field == "start_date" {
                format!("{}, {detail}", self.start_date.format("%-d %b %Y"))
            } else {
                detail
            };
            return Err(FieldErrors::one(field, detail));
        }
        let endless = Rule { end_date: None, ..*self };
        Err(match self.end_date {
            Some(end) if first_at_or_after(&endless, now).is_some() => {
                let detail = if end < local_now.date_naive() {
                    format!("The end date, {}, is in the past.", end.format("%-d %b %Y"))
                } else {
                    format!("There is no occurrence up to the end date, {}.", end.format("%-d %b %Y"))
                };
                FieldErrors::one("end_date", detail)
            }
            _ if self.repeat.window().is_some() => {
                FieldErrors::one("window", "No occurrence falls within the window. Widen it, or start at another time.")
            }
            _ => FieldErrors::one("start_date", "There is no occurrence before the end of 2099: start earlier."),
        })
    }
}

/// The seconds between occurrences where they are counted in elapsed time (rule 2).
pub(super) fn elapsed_step(rule: &Rule) -> Option<i64> {
    match rule.repeat {
        Repeat::Minutes { every, .. } => Some(i64::from(every) * 60),
        Repeat::Hours { every: 1, .. } => Some(3_600),
        _ => None,
    }
}

/// Occurrences lie on whole seconds.
fn next_second(rule: &Rule, after: i64) -> Option<Moment> {
    let after = after.clamp(EARLIEST, LATEST);
    let found = match elapsed_step(rule) {
        Some(step) => Grid::new(rule, step).next_after(after),
        None => wall::next_after(rule, after),
    };
    found.map(moment)
}

/// Occurrences that follow each other evenly, in seconds; where there is but one, the step means nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub first: i64,
    pub step: i64,
    pub last: i64,
}

/// The first occurrence at or after a second and no later than `until`, with as many after it as can be told at once.
/// What follows the last of them is found by asking again.
pub(super) fn span(rule: &Rule, from: i64, until: i64) -> Option<Span> {
    let (from, until) = (from.clamp(EARLIEST + 1, LATEST), until.min(LATEST));
    match elapsed_step(rule) {
        Some(step) => {
            let grid = Grid::new(rule, step);
            let first = grid.next_after(from - 1).filter(|first| *first <= until)?;
            Some(Span { first, step, last: grid.evenly_to(first, until) })
        }
        None => {
            let first = wall::next_after(rule, from - 1).filter(|first| *first <= until)?;
            let (step, last) = wall::evenly_to(rule, first, until);
            Some(Span { first, step, last })
        }
    }
}

/// A few days before 1970 and after 2099: beyond these nothing occurs, and nothing needs to be reckoned.
const EARLIEST: i64 = -7 * zone::DAY;
const LATEST: i64 = 47_490 * zone::DAY;

pub(super) fn moment(seconds: i64) -> Moment {
    Moment::new(DateTime::from_timestamp(seconds, 0).unwrap_or_default())
}
