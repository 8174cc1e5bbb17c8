//! What freezes hold, given as a list: pure. A deleted one holds until it was deleted, so that an outage does not change
//! what was frozen.

use super::model::Freeze;
use crate::clock::Moment;
use crate::schedules::{
    Preview, Rule, Schedule, State, count_between, first_at_or_after, latest_at_or_before, next_after,
};

/// The freeze that holds at an instant: of several the one that ends last, of those the one made first.
pub fn at(freezes: &[Freeze], at: Moment) -> Option<&Freeze> {
    freezes.iter().filter(|f| f.holds(at)).max_by_key(|f| (f.ends_at, std::cmp::Reverse(f.id)))
}

/// The first instant at or after this one at which no freeze holds.
pub fn released(freezes: &[Freeze], mut from: Moment) -> Moment {
    while let Some(freeze) = at(freezes, from) {
        from = freeze.ends_at;
    }
    from
}

/// The first occurrence at or after an instant that no freeze holds.
pub fn first_free(freezes: &[Freeze], rule: &Rule, from: Moment) -> Option<Moment> {
    let mut next = first_at_or_after(rule, from)?;
    while at(freezes, next).is_some() {
        next = first_at_or_after(rule, released(freezes, next))?;
    }
    Some(next)
}

/// When a schedule really runs next. If a freeze skips its next occurrence and runs it once at the end, that is the end
/// of the freeze; else it is the next occurrence that no freeze skips.
pub fn next_run(freezes: &[Freeze], schedule: &Schedule) -> Option<Moment> {
    let next = schedule.next_at?;
    if freezes.iter().any(|freeze| freeze.run_once && freeze.holds(next)) {
        return Some(released(freezes, next));
    }
    first_free(freezes, &schedule.rule, next)
}

/// Successive occurrences of one fate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch<'a> {
    /// The first occurrence.
    pub from: Moment,
    /// The last one.
    pub until: Moment,
    /// What holds them; `None`: nothing.
    pub freeze: Option<&'a Freeze>,
}

/// The occurrences from one to a later one (both included), cut where another freeze holds, or none. Each freeze has at
/// most one stretch: it begins to hold, and ends or is outlasted, once.
pub fn stretches<'a>(freezes: &'a [Freeze], rule: &Rule, from: Moment, last: Moment) -> Vec<Stretch<'a>> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut next = Some(from);
    while let Some(from) = next.filter(|next| *next <= last) {
        let edges = freezes.iter().flat_map(|f| [f.starts_at, f.ends_at]);
        let edge = edges.filter(|edge| *edge > from).min();
        let until = match edge.filter(|edge| *edge <= last) {
            Some(edge) => latest_at_or_before(rule, edge.minus(chrono::Duration::microseconds(1))).unwrap_or(from),
            None => last,
        };
        let (until, freeze) = (until.max(from), at(freezes, from));
        match found.last_mut().filter(|stretch| stretch.freeze.map(|f| f.id) == freeze.map(|f| f.id)) {
            Some(stretch) => stretch.until = until,
            None => found.push(Stretch { from, until, freeze }),
        }
        next = next_after(rule, until);
    }
    found
}

/// Says under each foretold occurrence that a freeze holds that it will be skipped.
pub fn annotate(preview: &mut Preview, freezes: &[Freeze]) {
    for occurrence in &mut preview.occurrences {
        if let Some(freeze) = at(freezes, occurrence.at) {
            let note = occurrence.note.take().map(|note| format!("{note} ")).unwrap_or_default();
            occurrence.note = Some(format!("{note}{}", freeze.foretold()));
        }
    }
}

/// How many occurrences from one instant to another (excluded) freezes hold.
pub fn count_held(freezes: &[Freeze], rule: &Rule, from: Moment, to: Moment) -> i64 {
    let just_before = |at: Moment| at.minus(chrono::Duration::microseconds(1));
    let (Some(first), Some(last)) = (first_at_or_after(rule, from), latest_at_or_before(rule, just_before(to))) else {
        return 0;
    };
    let held = stretches(freezes, rule, first, last).into_iter().filter(|stretch| stretch.freeze.is_some());
    held.map(|s| count_between(rule, s.from, s.until.plus(chrono::Duration::microseconds(1))) as i64).sum()
}

/// How many occurrences lie between two instants, both included.
pub fn count(rule: &Rule, from: Moment, until: Moment) -> i64 {
    count_between(rule, from, until.plus(chrono::Duration::microseconds(1))) as i64
}

/// What a freeze from an instant to another (excluded) will skip of these schedules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WillSkip {
    pub schedules: usize,
    pub occurrences: usize,
    /// There are more occurrences than were counted.
    pub more: bool,
}

/// More occurrences than this are not counted.
const MOST: usize = 100_000;

pub fn will_skip(schedules: &[Schedule], from: Moment, to: Moment) -> WillSkip {
    let mut will = WillSkip { schedules: 0, occurrences: 0, more: false };
    for schedule in schedules.iter().filter(|s| s.state() == State::On) {
        let from = from.max(schedule.next_at.unwrap_or(from));
        if first_at_or_after(&schedule.rule, from).is_none_or(|first| first >= to) {
            continue;
        }
        will.schedules += 1;
        if !will.more {
            let all = will.occurrences + count_between(&schedule.rule, from, to);
            (will.occurrences, will.more) = (all.min(MOST), all > MOST);
        }
    }
    will
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedules::RuleDraft;

    fn moment(text: &str) -> Moment {
        Moment::parse_rfc3339(&format!("2026-10-{text}:00Z")).unwrap()
    }

    /// `freeze(1, "05T06:00", "05T18:00")`
    fn freeze(id: i64, from: &str, to: &str) -> Freeze {
        Freeze {
            id,
            application_id: 1,
            name: format!("freeze {id}"),
            starts_at: moment(from),
            ends_at: moment(to),
            run_once: false,
            version: 1,
            created_by: 1,
            created_at: moment(from),
            archived_at: None,
            time_zone: chrono_tz::UTC,
        }
    }

    fn hourly() -> Rule {
        let json = serde_json::json!({ "repeat": "hours", "every": 1, "start_date": "2026-10-01", "start_time": "00:00",
                                       "time_zone": "UTC" });
        let serde_json::Value::Object(map) = json else { panic!("an object") };
        RuleDraft::from_json(&map).parse().unwrap()
    }

    #[test]
    fn from_is_included_and_to_is_not() {
        let freezes = [freeze(1, "05T06:00", "05T08:00")];
        let held = |text| at(&freezes, moment(text)).is_some();
        assert_eq!(
            [held("05T05:59"), held("05T06:00"), held("05T07:59"), held("05T08:00")],
            [false, true, true, false]
        );
    }

    #[test]
    fn frozen_while_any_holds() {
        // One within another, one that begins as the other ends.
        let freezes =
            [freeze(1, "05T06:00", "05T10:00"), freeze(2, "05T07:00", "05T08:00"), freeze(3, "05T10:00", "05T12:00")];
        assert_eq!(at(&freezes, moment("05T07:30")).map(|f| f.id), Some(1));
        assert_eq!(released(&freezes, moment("05T07:30")), moment("05T12:00"));
        assert_eq!(released(&freezes, moment("05T05:00")), moment("05T05:00"));
        assert_eq!(first_free(&freezes, &hourly(), moment("05T06:00")), Some(moment("05T12:00")));
        assert_eq!(first_free(&freezes, &hourly(), moment("05T04:30")), Some(moment("05T05:00")));
    }

    #[test]
    fn occurrences_are_cut_where_the_holder_changes() {
        let freezes = [freeze(1, "05T06:00", "05T08:00"), freeze(2, "05T07:00", "05T09:00")];
        let found = stretches(&freezes, &hourly(), moment("05T04:00"), moment("05T10:00"));
        let short: Vec<_> = found.iter().map(|s| (s.freeze.map(|f| f.id), s.from, s.until)).collect();
        let wanted = [
            (None, moment("05T04:00"), moment("05T05:00")),
            (Some(1), moment("05T06:00"), moment("05T06:00")),
            (Some(2), moment("05T07:00"), moment("05T08:00")),
            (None, moment("05T09:00"), moment("05T10:00")),
        ];
        assert_eq!(short, wanted);
        assert_eq!(count(&hourly(), moment("05T07:00"), moment("05T08:00")), 2);
    }

    #[test]
    fn a_freeze_between_two_occurrences_cuts_nothing() {
        let freezes = [freeze(1, "05T06:10", "05T06:50")];
        let found = stretches(&freezes, &hourly(), moment("05T06:00"), moment("05T07:00"));
        assert_eq!(found, [Stretch { from: moment("05T06:00"), until: moment("05T07:00"), freeze: None }]);
    }
}
