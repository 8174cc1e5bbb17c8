//! What becomes of occurrences whose moment has come, for the schedules of one configuration together. Pure.
//!
//! The newest one within its grace runs, late if the server was away; the older ones, and what the configuration's
//! other schedules missed, are covered by it. What happens at its time always stands for itself.

use chrono::Duration;

use crate::clock::Moment;
use crate::schedules::clockwork::{Due, Step};
use crate::schedules::{grace, latest_at_or_before, next_after};

/// Claimed later than this, a run counts as late.
const LATE: Duration = Duration::seconds(60);

/// What becomes of one schedule's due occurrences.
#[derive(Clone, Debug, PartialEq)]
pub struct Fate {
    /// To be run, and whether it is late.
    pub run: Option<(Moment, bool)>,
    pub missed: Option<Missed>,
}

/// Occurrences that do not run: one, or a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    pub from: Moment,
    pub until: Option<Moment>,
    /// A run of the configuration that begins now stands for them.
    pub covered: bool,
}

/// The fate of each of a configuration's due schedules, in their order, and the step that claims it.
pub fn decide(due: &[Due], now: Moment) -> Vec<(Step, Fate)> {
    let newest: Vec<Moment> = due
        .iter()
        .map(|d| latest_at_or_before(&d.rule, now).filter(|at| *at >= d.next_at).unwrap_or(d.next_at))
        .collect();
    let is_late = |at: Moment| now.since(at) > LATE;
    let may_run = |i: usize| !is_late(newest[i]) || now.since(newest[i]) <= grace(&due[i].rule, newest[i]);
    // Of several at one instant the first schedule's.
    let winner = (0..due.len()).filter(|i| may_run(*i)).max_by_key(|i| (newest[*i], std::cmp::Reverse(*i)));
    due.iter()
        .enumerate()
        .map(|(i, d)| {
            let newest = newest[i];
            let runs = may_run(i) && (winner == Some(i) || !is_late(newest));
            let missed_until =
                if runs { latest_at_or_before(&d.rule, newest.minus(Duration::microseconds(1))) } else { Some(newest) };
            let missed = missed_until.filter(|until| *until >= d.next_at).map(|until| Missed {
                from: d.next_at,
                until: (until > d.next_at).then_some(until),
                covered: winner.is_some(),
            });
            let step = Step { id: d.id, from: d.next_at, to: next_after(&d.rule, newest) };
            (step, Fate { run: runs.then(|| (newest, is_late(newest))), missed })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedules::RuleDraft;

    fn at(text: &str) -> Moment {
        Moment::parse_rfc3339(&format!("2026-10-{text}Z")).unwrap()
    }

    fn due(id: i64, rule: &str, next_at: &str) -> Due {
        let json = format!(r#"{{{rule}, "start_date": "2026-10-01", "time_zone": "UTC"}}"#);
        let serde_json::Value::Object(map) = serde_json::from_str(&json).unwrap() else { panic!("an object") };
        Due {
            id,
            application_id: 1,
            configuration_id: 1,
            rule: RuleDraft::from_json(&map).parse().unwrap(),
            next_at: at(next_at),
            run_name: None,
            owner_id: 1,
            parameters: None,
        }
    }

    const EVERY_FIVE: &str = r#""repeat": "minutes", "every": 5, "start_time": "00:00""#;
    const DAILY: &str = r#""repeat": "days", "start_time": "06:00""#;

    fn fates(due: &[Due], now: &str) -> Vec<Fate> {
        decide(due, at(now)).into_iter().map(|(_, fate)| fate).collect()
    }

    #[test]
    fn what_is_claimed_in_time_simply_runs() {
        let fate = fates(&[due(1, DAILY, "05T06:00:00")], "05T06:00:01");
        assert_eq!(fate, [Fate { run: Some((at("05T06:00:00"), false)), missed: None }]);
    }

    #[test]
    fn three_days_of_a_five_minute_schedule_are_one_run_and_one_range() {
        let decided = decide(&[due(1, EVERY_FIVE, "05T06:00:00")], at("08T06:02:00"));
        let (step, fate) = &decided[0];
        let missed = Missed { from: at("05T06:00:00"), until: Some(at("08T05:55:00")), covered: true };
        assert_eq!(*fate, Fate { run: Some((at("08T06:00:00"), true)), missed: Some(missed) });
        assert_eq!(step.to, Some(at("08T06:05:00")));
    }

    #[test]
    fn the_grace_of_a_daily_schedule_ends_after_half_a_day() {
        let inside = fates(&[due(1, DAILY, "05T06:00:00")], "05T18:00:00");
        assert_eq!(inside[0].run, Some((at("05T06:00:00"), true)));
        let outside = fates(&[due(1, DAILY, "05T06:00:00")], "05T18:00:01");
        let missed = Missed { from: at("05T06:00:00"), until: None, covered: false };
        assert_eq!(outside, [Fate { run: None, missed: Some(missed) }]);
    }

    #[test]
    fn the_configurations_other_schedules_are_covered_by_the_newest() {
        let fate = fates(&[due(1, DAILY, "05T06:00:00"), due(2, EVERY_FIVE, "05T06:00:00")], "05T07:02:00");
        let covered = Missed { from: at("05T06:00:00"), until: None, covered: true };
        assert_eq!(fate[0], Fate { run: None, missed: Some(covered) });
        assert_eq!(fate[1].run, Some((at("05T07:00:00"), true)));
    }

    #[test]
    fn two_at_the_same_time_both_stand_for_themselves() {
        let fate = fates(&[due(1, DAILY, "05T06:00:00"), due(2, EVERY_FIVE, "05T06:00:00")], "05T06:00:01");
        assert!(fate.iter().all(|f| f.run == Some((at("05T06:00:00"), false)) && f.missed.is_none()));
    }
}
