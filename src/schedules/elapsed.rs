//! Minutes and Hourly: steps of elapsed time from the first start (rule 2), and the window over them. The grid never
//! asks what the clocks say; the window does, at each instant. Jumps from opening to opening instead of stepping.

use super::rule::{Rule, Window};
use super::wall::{last_day, local_start};
use super::zone::{CALM, DAY, change_between, first_instant_of_day, land, offset_at};

pub(super) struct Grid<'a> {
    rule: &'a Rule,
    window: Option<&'a Window>,
    start: i64,
    step: i64,
}

impl<'a> Grid<'a> {
    pub fn new(rule: &'a Rule, step: i64) -> Self {
        let start = land(rule.time_zone, local_start(rule)).at();
        Self { rule, window: rule.repeat.window(), start, step }
    }

    fn at_or_after(&self, at: i64) -> i64 {
        at + (self.start - at).rem_euclid(self.step)
    }

    fn at_or_before(&self, at: i64) -> i64 {
        at - (at - self.start).rem_euclid(self.step)
    }

    fn offset(&self, at: i64) -> i64 {
        offset_at(self.rule.time_zone, at)
    }

    /// Planning stops here, for good: the first instant whose local date is after the end.
    fn stop(&self) -> i64 {
        first_instant_of_day(self.rule.time_zone, last_day(self.rule) + 1)
    }

    /// Whether an instant is surely before the stop, without looking the stop up.
    fn is_before_stop(&self, at: i64) -> bool {
        at < (last_day(self.rule) - 1) * DAY || at < self.stop()
    }

    /// The first occurrence after an instant.
    pub fn next_after(&self, at: i64) -> Option<i64> {
        let mut from = self.at_or_after((at + 1).max(self.start));
        let Some(window) = self.window else {
            return self.is_before_stop(from).then_some(from);
        };
        let mut offset = self.offset(from);
        while self.is_before_stop(from) {
            let reach = from + CALM;
            let mut found = from;
            let inside = loop {
                let open = open_at_or_after(window, found + offset);
                if open == found + offset {
                    break true;
                }
                found = self.at_or_after(open - offset);
                if found > reach {
                    found = self.at_or_after(reach);
                    break false;
                }
            };
            if found == from || self.offset(found) == offset {
                if inside {
                    return self.is_before_stop(found).then_some(found);
                }
                from = found;
            } else {
                // Clocks change on the way: nothing lies before the change, so go on from there by the new clock.
                from = self.at_or_after(change_between(self.rule.time_zone, from, found));
                offset = self.offset(from);
            }
        }
        None
    }

    /// How far an occurrence goes on evenly: from it to here each step is an occurrence, and none lies after `until`.
    /// May stop where the window shuts or clocks change, though more follows; what follows is to be asked for again.
    pub fn evenly_to(&self, at: i64, until: i64) -> i64 {
        let until = if self.is_before_stop(until) { until } else { until.min(self.stop() - 1) };
        let Some(window) = self.window else {
            return self.at_or_before(until).max(at);
        };
        let offset = self.offset(at);
        let shuts = shuts_after(window, at + offset) - offset;
        let last = self.at_or_before(until.min(shuts - 1)).max(at);
        // By another clock the window shuts at another instant; it is never open for longer than `CALM`.
        if self.offset(last) == offset { last } else { at }
    }

    /// The last occurrence at or before an instant.
    pub fn latest_at_or_before(&self, at: i64) -> Option<i64> {
        let at = if self.is_before_stop(at) { at } else { at.min(self.stop() - 1) };
        let mut from = self.at_or_before(at);
        let Some(window) = self.window else {
            return (from >= self.start).then_some(from);
        };
        let mut offset = self.offset(from);
        while from >= self.start {
            let reach = (from - CALM).max(self.start);
            let mut found = from;
            let inside = loop {
                let open = open_at_or_before(window, found + offset);
                if open == found + offset {
                    break true;
                }
                found = self.at_or_before(open - offset);
                if found < reach {
                    found = self.at_or_after(reach);
                    break false;
                }
            };
            if found == from || self.offset(found) == offset {
                if inside {
                    return Some(found);
                }
                if found == self.start {
                    return None;
                }
                from = found; // where the window is shut too
            } else {
                from = self.at_or_before(change_between(self.rule.time_zone, found, from) - 1);
                offset = self.offset(from);
            }
        }
        None
    }
}

/// How long the window stays open, in seconds of the wall clock.
fn length(window: &Window) -> i64 {
    let (from, to) = (window.opens_at(), window.shuts_at());
    if from < to { to - from } else { to + DAY - from }
}

/// The first day on or after another on which the window opens.
fn opening_day(window: &Window, day: i64) -> i64 {
    day + i64::from(week_from(window, day).trailing_zeros())
}

/// The last day on or before another on which the window opens.
fn opening_day_before(window: &Window, day: i64) -> i64 {
    // Bit 6 of the week that ends on the day is the day itself.
    day - 6 + i64::from(week_from(window, day - 6).checked_ilog2().unwrap_or(6))
}

/// The days of a week on which the window opens, as bits: bit 0 is the day that is given. Never empty.
fn week_from(window: &Window, day: i64) -> u32 {
    let bits = u32::from(window.weekday_bits());
    // 1970-01-01 was a Thursday.
    (bits | bits << 7) >> (day + 3).rem_euclid(7) & 0b111_1111
}

/// The first local second at or after another in which the window is open.
fn open_at_or_after(window: &Window, local: i64) -> i64 {
    let (from, length) = (window.opens_at(), length(window));
    let mut day = opening_day(window, local.div_euclid(DAY) - 1);
    // At most yesterday's and today's opening are over.
    while local >= day * DAY + from + length {
        day = opening_day(window, day + 1);
    }
    local.max(day * DAY + from)
}

/// The first local second after one in which the window is open, in which the opening that holds it is over.
fn shuts_after(window: &Window, local: i64) -> i64 {
    let (from, length) = (window.opens_at(), length(window));
    let today = local.div_euclid(DAY);
    let openings = (today - 1..=today).filter(|day| week_from(window, *day) & 1 == 1).map(|day| day * DAY + from);
    openings.filter(|open| *open <= local).map(|open| open + length).max().unwrap_or(local + 1)
}

/// The last local second at or before another in which the window is open.
fn open_at_or_before(window: &Window, local: i64) -> i64 {
    let (from, length) = (window.opens_at(), length(window));
    let mut day = opening_day_before(window, local.div_euclid(DAY));
    if day * DAY + from > local {
        day = opening_day_before(window, day - 1);
    }
    local.min(day * DAY + from + length - 1)
}
