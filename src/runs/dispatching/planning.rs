//! What becomes of occurrences whose moment has come, for the schedules of one target together. Pure.
//!
//! What a freeze holds is skipped, and covers nobody. Of the rest the newest one within its grace runs, late if the
//! server was away; the older ones, and what the configuration's other schedules missed, are covered by it. What happens
//! at its time always stands for itself. Nothing begins late while the Application is frozen: that waits with the freeze.

use std::cmp::Reverse;

use chrono::Duration;

use crate::clock::Moment;
use crate::freezes::{self, Freeze, holding};
use crate::schedules::clock::{Due, Step};
use crate::schedules::{LATE, grace, latest_at_or_before, next_after};

/// What becomes of one schedule's due occurrences: each of them is in exactly one of these.
#[derive(Clone, Debug, PartialEq)]
pub struct Fate {
    /// To be run, and whether it is late.
    pub run: Option<(Moment, bool)>,
    /// More than one where freezes lay between.
    pub missed: Vec<Missed>,
    /// At most one for each freeze.
    pub frozen: Vec<Frozen>,
}

/// Occurrences that do not run: one, or a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    pub from: Moment,
    pub until: Option<Moment>,
    pub covered: Covered,
}

/// What stands for a missed occurrence, should it come about: who writes it down says so only then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covered {
    Not,
    /// The run of the target's newest occurrence.
    ByRun,
    /// The run after the freeze that holds now.
    AfterFreeze,
}

/// Occurrences that a freeze skips, from the first to the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Frozen {
    pub freeze_id: i64,
    pub from: Moment,
    pub until: Moment,
    /// The first was planned before the freeze; the server was down, and is back while it holds.
    pub after_outage: bool,
}

/// The fate of each of a configuration's due schedules, in their order, and the step that claims it.
pub fn decide(due: &[Due], freezes: &[Freeze], now: Moment) -> Vec<(Step, Fate)> {
    let latest = |d: &Due| latest_at_or_before(&d.rule, now).filter(|at| *at >= d.next_at).unwrap_or(d.next_at);
    let newest: Vec<Moment> = due.iter().map(latest).collect();
    let stretches: Vec<Vec<holding::Stretch>> =
        due.iter().zip(&newest).map(|(d, last)| holding::stretches(freezes, &d.rule, d.next_at, *last)).collect();
    let is_late = |at: Moment| now.since(at) > LATE;
    let frozen_now = freezes::at(freezes, now);
    // The newest that nothing holds, where it is not too late for it.
    let in_time = |i: usize| {
        let at = stretches[i].iter().rev().find(|stretch| stretch.freeze.is_none())?.until;
        (!is_late(at) || now.since(at) <= grace(&due[i].rule, at)).then_some(at)
    };
    // It would begin late, and a freeze holds now: it belongs to that, or to the one that skips what came after it.
    let kept_back = |i: usize| {
        let (at, now_holds) = (in_time(i).filter(|at| is_late(*at))?, frozen_now?);
        let after = stretches[i].iter().find(|stretch| stretch.from > at).and_then(|stretch| stretch.freeze);
        Some((at, after.unwrap_or(now_holds)))
    };
    let may_run = |i: usize| in_time(i).filter(|_| kept_back(i).is_none());
    // Of several at one instant the first schedule's.
    let winner = (0..due.len()).filter_map(|i| Some((may_run(i)?, Reverse(i)))).max().map(|(_, Reverse(i))| i);
    let covered = match winner {
        Some(_) => Covered::ByRun,
        None if (0..due.len()).filter_map(kept_back).any(|(_, freeze)| freeze.run_once) => Covered::AfterFreeze,
        None => Covered::Not,
    };
    due.iter()
        .enumerate()
        .map(|(i, d)| {
            let run = may_run(i).filter(|at| winner == Some(i) || !is_late(*at));
            let kept_back = kept_back(i);
            let taken = run.or(kept_back.map(|(at, _)| at));
            let mut fate = Fate { run: run.map(|at| (at, is_late(at))), missed: Vec::new(), frozen: Vec::new() };
            for stretch in &stretches[i] {
                match stretch.freeze {
                    Some(freeze) => fate.frozen.push(Frozen {
                        freeze_id: freeze.id,
                        from: stretch.from,
                        until: stretch.until,
                        after_outage: false,
                    }),
                    None => {
                        let until = match taken.filter(|at| *at == stretch.until) {
                            Some(at) => latest_at_or_before(&d.rule, at.minus(Duration::microseconds(1))),
                            None => Some(stretch.until),
                        };
                        fate.missed.extend(until.filter(|until| *until >= stretch.from).map(|until| Missed {
                            from: stretch.from,
                            until: (until > stretch.from).then_some(until),
                            covered,
                        }));
                    }
                }
            }
            if let Some((at, freeze)) = kept_back {
                match fate.frozen.iter_mut().find(|frozen| frozen.freeze_id == freeze.id) {
                    Some(frozen) => (frozen.from, frozen.after_outage) = (at, true),
                    None => {
                        fate.frozen.push(Frozen { freeze_id: freeze.id, from: at, until: at, after_outage: true });
                    }
                }
            }
            let (claimed, to) = (Some(newest[i]), next_after(&d.rule, newest[i]));
            (Step { id: d.id, from: d.next_at, claimed, to }, fate)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::Target;
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
            target: Target::Configuration(1),
            rule: RuleDraft::from_json(&map).parse().unwrap(),
            next_at: at(next_at),
            run_name: None,
            owner_id: 1,
            parameters: None,
        }
    }

    const EVERY_FIVE: &str = r#""repeat": "minutes", "every": 5, "start_time": "00:00""#;
    const DAILY: &str = r#""repeat": "days", "start_time": "06:00""#;

    fn ran(at: Moment, late: bool) -> Fate {
        Fate { run: Some((at, late)), missed: Vec::new(), frozen: Vec::new() }
    }

    fn missed(missed: Missed) -> Fate {
        Fate { run: None, missed: vec![missed], frozen: Vec::new() }
    }

    fn fates(due: &[Due], now: &str) -> Vec<Fate> {
        decide(due, &[], at(now)).into_iter().map(|(_, fate)| fate).collect()
    }

    #[test]
    fn what_is_claimed_in_time_simply_runs() {
        let fate = fates(&[due(1, DAILY, "05T06:00:00")], "05T06:00:01");
        assert_eq!(fate, [ran(at("05T06:00:00"), false)]);
    }

    #[test]
    fn three_days_of_a_five_minute_schedule_are_one_run_and_one_range() {
        let decided = decide(&[due(1, EVERY_FIVE, "05T06:00:00")], &[], at("08T06:02:00"));
        let (step, fate) = &decided[0];
        let range = Missed { from: at("05T06:00:00"), until: Some(at("08T05:55:00")), covered: Covered::ByRun };
        assert_eq!(*fate, Fate { missed: vec![range], ..ran(at("08T06:00:00"), true) });
        assert_eq!(step.to, Some(at("08T06:05:00")));
    }

    #[test]
    fn the_grace_of_a_daily_schedule_ends_after_half_a_day() {
        let inside = fates(&[due(1, DAILY, "05T06:00:00")], "05T18:00:00");
        assert_eq!(inside[0].run, Some((at("05T06:00:00"), true)));
        let outside = fates(&[due(1, DAILY, "05T06:00:00")], "05T18:00:01");
        assert_eq!(outside, [missed(Missed { from: at("05T06:00:00"), until: None, covered: Covered::Not })]);
    }

    #[test]
    fn the_configurations_other_schedules_are_covered_by_the_newest() {
        let fate = fates(&[due(1, DAILY, "05T06:00:00"), due(2, EVERY_FIVE, "05T06:00:00")], "05T07:02:00");
        assert_eq!(fate[0], missed(Missed { from: at("05T06:00:00"), until: None, covered: Covered::ByRun }));
        assert_eq!(fate[1].run, Some((at("05T07:00:00"), true)));
    }

    #[test]
    fn two_at_the_same_time_both_stand_for_themselves() {
        let fate = fates(&[due(1, DAILY, "05T06:00:00"), due(2, EVERY_FIVE, "05T06:00:00")], "05T06:00:01");
        assert!(fate.iter().all(|f| *f == ran(at("05T06:00:00"), false)));
    }

    fn freeze(id: i64, from: &str, to: &str, run_once: bool) -> Freeze {
        Freeze {
            id,
            application_id: 1,
            name: "Year-end close".into(),
            starts_at: at(from),
            ends_at: at(to),
            run_once,
            version: 1,
            created_by: 1,
            created_at: at(from),
            archived_at: None,
            time_zone: chrono_tz::UTC,
        }
    }

    fn frozen(freeze_id: i64, from: &str, until: &str, after_outage: bool) -> Frozen {
        Frozen { freeze_id, from: at(from), until: at(until), after_outage }
    }

    #[test]
    fn what_a_freeze_holds_is_skipped_and_covers_nobody() {
        let freezes = [freeze(7, "05T06:00:00", "05T06:10:00", true)];
        let due = [due(1, DAILY, "05T06:00:00"), due(2, EVERY_FIVE, "05T05:55:00")];
        let decided: Vec<Fate> = decide(&due, &freezes, at("05T06:05:01")).into_iter().map(|(_, fate)| fate).collect();
        assert_eq!(decided[0].frozen, [frozen(7, "05T06:00:00", "05T06:00:00", false)]);
        // 05:55 would be ten minutes late, within the freeze: it waits with it.
        assert_eq!(decided[1].frozen, [frozen(7, "05T05:55:00", "05T06:05:00", true)]);
        assert!(decided.iter().all(|fate| fate.run.is_none() && fate.missed.is_empty()));
    }

    #[test]
    fn an_outage_over_a_freeze_is_two_ranges_around_it_and_a_late_run() {
        let freezes = [freeze(7, "05T07:00:00", "05T08:00:00", true)];
        let (step, fate) = decide(&[due(1, EVERY_FIVE, "05T06:00:00")], &freezes, at("05T09:02:00")).remove(0);
        let range = |from, until| Missed { from: at(from), until: Some(at(until)), covered: Covered::ByRun };
        assert_eq!(fate.missed, [range("05T06:00:00", "05T06:55:00"), range("05T08:00:00", "05T08:55:00")]);
        assert_eq!(fate.frozen, [frozen(7, "05T07:00:00", "05T07:55:00", false)]);
        assert_eq!((fate.run, step.to), (Some((at("05T09:00:00"), true)), Some(at("05T09:05:00"))));
    }

    #[test]
    fn what_is_claimed_at_its_time_runs_though_a_freeze_begins_right_after() {
        let freezes = [freeze(7, "05T06:00:01", "05T08:00:00", true)];
        let (_, fate) = decide(&[due(1, DAILY, "05T06:00:00")], &freezes, at("05T06:00:02")).remove(0);
        assert_eq!(fate, ran(at("05T06:00:00"), false));
    }

    #[test]
    fn older_ones_are_covered_by_the_run_after_the_freeze_only_if_there_is_one() {
        for run_once in [true, false] {
            let freezes = [freeze(7, "05T07:00:00", "05T08:00:00", run_once)];
            let (_, fate) = decide(&[due(1, EVERY_FIVE, "05T06:00:00")], &freezes, at("05T07:02:00")).remove(0);
            let older = Missed {
                from: at("05T06:00:00"),
                until: Some(at("05T06:50:00")),
                covered: if run_once { Covered::AfterFreeze } else { Covered::Not },
            };
            assert_eq!((fate.missed, fate.run), (vec![older], None));
            assert_eq!(fate.frozen, [frozen(7, "05T06:55:00", "05T07:00:00", true)]);
        }
    }

    const RULES: [&str; 5] = [
        EVERY_FIVE,
        DAILY,
        r#""repeat": "hours", "every": 6, "start_time": "01:00""#,
        r#""repeat": "weeks", "weekdays": ["mon", "thu"], "start_time": "10:00""#,
        r#""repeat": "once", "start_time": "10:00""#,
    ];

    proptest::proptest! {
        #[test]
        fn every_occurrence_has_exactly_one_fate(
            picked in proptest::collection::vec(0..RULES.len(), 1..4),
            spans in proptest::collection::vec((0..20_000i64, 0..4_000i64, proptest::bool::ANY), 0..5),
            (before, away) in (0..10_000i64, 0..10_000i64),
        ) {
            let begin = at("01T00:00:00");
            let minutes = |m: i64| begin.plus(Duration::minutes(m));
            let freezes: Vec<Freeze> = spans.iter().enumerate().map(|(i, (from, length, run_once))| Freeze {
                starts_at: minutes(*from),
                ends_at: minutes(from + length),
                ..freeze(i as i64, "01T00:00:00", "02T00:00:00", *run_once)
            }).collect();
            let now = minutes(before + away).plus(Duration::seconds(away % 90));
            let due: Vec<Due> = picked.iter().enumerate().filter_map(|(i, rule)| {
                let mut due = due(i as i64, RULES[*rule], "01T00:00:00");
                due.next_at = crate::schedules::first_at_or_after(&due.rule, minutes(before)).filter(|at| *at <= now)?;
                Some(due)
            }).collect();
            for (due, (step, fate)) in due.iter().zip(decide(&due, &freezes, now)) {
                let mut next = Some(due.next_at);
                while let Some(at) = next.filter(|at| *at <= now) {
                    let run = fate.run.filter(|(run, _)| *run == at);
                    let missed = fate.missed.iter().filter(|m| m.from <= at && at <= m.until.unwrap_or(m.from)).count();
                    let frozen: Vec<_> = fate.frozen.iter().filter(|f| f.from <= at && at <= f.until).collect();
                    proptest::prop_assert_eq!(usize::from(run.is_some()) + missed + frozen.len(), 1, "{}", at);
                    match freezes::at(&freezes, at) {
                        Some(holds) => proptest::prop_assert_eq!(frozen[0].freeze_id, holds.id),
                        None => proptest::prop_assert!(frozen.is_empty() || (frozen[0].after_outage && frozen[0].from == at)),
                    }
                    if let Some((_, late)) = run {
                        proptest::prop_assert!(!late || freezes::at(&freezes, now).is_none(), "late within a freeze");
                    }
                    next = next_after(&due.rule, at);
                }
                proptest::prop_assert_eq!(step.to, next);
                let mut ids: Vec<i64> = fate.frozen.iter().map(|f| f.freeze_id).collect();
                ids.dedup();
                proptest::prop_assert_eq!(ids.len(), fate.frozen.len(), "one range for each freeze");
            }
        }
    }
}
