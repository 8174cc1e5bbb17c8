//! What comes too close, and where it is free, against a brute force that lists every instant and compares them all.

use std::collections::BTreeSet;

use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::properties::{land, rules};
use super::{at, rule, rule_in};
use crate::clock::Moment;
use crate::schedules::collisions::{DAYS, Neighbour, Share, Start, Target, Timeline, circle, look};
use crate::schedules::{Rule, occurrences};

const TARGET: Target = Target {
    application_id: 1,
    set_id: None,
    configuration_id: 10,
    block_id: 20,
    connection_id: Some(30),
    source_block_id: None,
    spacing_minutes: 15,
    schedule_id: None,
};

/// Another schedule of the Application on the same Connection.
fn neighbour(id: i64, rule: Rule) -> Neighbour {
    Neighbour {
        id,
        application_id: 1,
        application_name: "FP&A 2026".into(),
        seen: true,
        set_id: None,
        configuration_id: 11,
        block_id: 21,
        connection_id: Some(30),
        source_block_id: None,
        name: "Airports".into(),
        rule,
    }
}

const NOW: &str = "2026-10-08T16:42:00Z";

fn daily(time: &str) -> Rule {
    rule_in("UTC", &format!("2026-10-01 {time}"), json!({"repeat": "days"}))
}

fn start(date: &str, time: &str) -> Option<Start> {
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").unwrap();
    Some(Start { date, time: NaiveTime::parse_from_str(time, "%H:%M").unwrap() })
}

#[test]
fn strictly_within_the_spacing_is_too_close() {
    let count = |spacing: i32, time: &str| {
        let target = Target { spacing_minutes: spacing, ..TARGET };
        look(&daily("02:30"), &[target], &[neighbour(1, daily(time))], at(NOW)).list.len()
    };
    assert_eq!([count(15, "02:15"), count(15, "02:16"), count(15, "02:44"), count(15, "02:45")], [0, 1, 1, 0]);
    assert_eq!([count(0, "02:30"), count(1, "02:30"), count(1, "02:31"), count(16, "02:15")], [0, 1, 0, 1]);
}

#[test]
fn it_is_told_what_is_shared_when_and_by_whom() {
    let told = |change: &dyn Fn(&mut Neighbour)| {
        let mut other = neighbour(7, daily("02:25"));
        change(&mut other);
        look(&daily("02:30"), &[TARGET], &[other], at(NOW)).list
    };
    let one = told(&|_| ());
    assert_eq!(
        one[0].sentence,
        "Airports, every day at 02:25, uses the same Connection 5 minutes earlier: on Fri 9 Oct 2026 at 02:25."
    );
    assert_eq!((one[0].schedule_id, &one[0].shares), (Some(7), &vec![Share::Connection]));
    assert_eq!((one[0].at, one[0].other_at), (at("2026-10-09T02:30:00Z"), at("2026-10-09T02:25:00Z")));
    let both = told(&|other| other.block_id = 20);
    assert!(both[0].sentence.contains("uses the same Connection and Block 5 minutes"), "{}", both[0].sentence);
    let block = told(&|other| (other.block_id, other.connection_id) = (20, None));
    assert!(block[0].sentence.contains("fills the same Block 5 minutes"), "{}", block[0].sentence);
    let same = told(&|other| (other.configuration_id, other.block_id) = (10, 20));
    assert!(same[0].sentence.contains("runs the same import configuration"), "{}", same[0].sentence);
    assert_eq!(same[0].shares, [Share::Connection, Share::ImportConfiguration, Share::Block]);
    assert!(told(&|other| other.connection_id = None).is_empty(), "nothing shared");
    let elsewhere = told(&|other| (other.application_id, other.application_name) = (2, "Elsewhere".into()));
    assert!(elsewhere[0].sentence.starts_with("Airports in Elsewhere, every day"), "{}", elsewhere[0].sentence);
    let hidden = told(&|other| (other.application_id, other.seen) = (2, false));
    assert_eq!(
        (hidden[0].schedule_id, hidden[0].sentence.as_str()),
        (
            None,
            "A schedule in another Application uses the same Connection 5 minutes earlier: on Fri 9 Oct 2026 at 02:25."
        )
    );
    let zone = told(&|other| other.rule = rule_in("Europe/Paris", "2026-10-01 04:31", json!({"repeat": "days"})));
    assert!(zone[0].sentence.starts_with("Airports, every day at 04:31 (Europe/Paris), uses"), "{}", zone[0].sentence);
    assert!(zone[0].sentence.ends_with("1 minute later: on Fri 9 Oct 2026 at 02:31."), "{}", zone[0].sentence);
    let now = told(&|other| other.rule = daily("02:30"));
    assert!(now[0].sentence.contains("Connection at the same time: on"), "{}", now[0].sentence);
}

#[test]
fn it_does_not_collide_with_itself_but_another_applications_id_hides_nothing() {
    let edited = Target { schedule_id: Some(7), ..TARGET };
    let other = neighbour(7, daily("02:30"));
    assert!(look(&daily("02:30"), &[edited], std::slice::from_ref(&other), at(NOW)).list.is_empty());
    let foreign = Neighbour { application_id: 2, seen: false, ..other };
    assert_eq!(look(&daily("02:30"), &[edited], &[foreign], at(NOW)).list.len(), 1);
}

#[test]
fn the_nearest_free_start_is_offered() {
    let offered = |rule: &Rule, others: &[Rule]| {
        let others: Vec<Neighbour> = others.iter().zip(1..).map(|(rule, id)| neighbour(id, *rule)).collect();
        let found = look(rule, &[TARGET], &others, at(NOW));
        assert!(!found.list.is_empty(), "nothing collides");
        found.suggestion
    };
    let tomorrow = |time: &str| rule_in("UTC", &format!("2026-10-09 {time}"), json!({"repeat": "days"}));
    assert_eq!(offered(&tomorrow("02:30"), &[daily("02:30")]), start("2026-10-09", "02:45"), "forwards first");
    assert_eq!(offered(&tomorrow("02:30"), &[daily("02:40")]), start("2026-10-09", "02:25"), "unless it is farther");
    assert_eq!(offered(&tomorrow("02:33"), &[daily("02:30")]), start("2026-10-09", "02:45"));
    assert_eq!(offered(&tomorrow("00:02"), &[daily("00:10")]), start("2026-10-08", "23:55"), "the day before");
    let soon = rule_in("UTC", "2026-10-08 16:45", json!({"repeat": "once"}));
    assert_eq!(offered(&soon, &[daily("16:55")]), start("2026-10-08", "17:10"), "16:40 is in the past");
    let hourly = rule_in("UTC", "2026-10-09 02:30", json!({"repeat": "hours"}));
    assert_eq!(offered(&hourly, &[daily("05:30")]), start("2026-10-09", "02:45"), "the grid moves");
    let quarterly = rule_in("UTC", "2026-10-09 00:00", json!({"repeat": "minutes", "every": 15}));
    assert_eq!(offered(&tomorrow("02:30"), &[quarterly]), None);
    // Begun long ago it may begin earlier still.
    let old = rule_in("UTC", "2026-09-01 00:05", json!({"repeat": "days"}));
    assert_eq!(offered(&old, &[daily("00:15")]), start("2026-09-01", "00:00"));
    let words = |rule: &Rule, found: Option<Start>| found.unwrap().words(rule);
    assert_eq!(words(&tomorrow("02:30"), start("2026-10-09", "02:45")), "02:45");
    assert_eq!(words(&tomorrow("00:02"), start("2026-10-08", "23:55")), "23:55 on Thu 8 Oct 2026");
}

#[test]
fn a_start_that_clocks_skip_is_never_offered() {
    let once =
        rule(json!({"repeat": "once", "start_date": "2027-03-28", "start_time": "01:50", "time_zone": "Europe/Paris"}));
    let other =
        rule(json!({"repeat": "once", "start_date": "2027-03-28", "start_time": "01:45", "time_zone": "Europe/Paris"}));
    let found = look(&once, &[TARGET], &[neighbour(1, other)], at("2027-03-20T00:00:00Z"));
    assert_eq!(found.suggestion, start("2027-03-28", "01:30"), "02:00 and what follows is not there");
}

/// Every instant of a rule from now on, for 31 days.
fn instants(rule: &Rule, now: Moment) -> BTreeSet<Moment> {
    let until = now.plus(Duration::days(DAYS));
    occurrences(rule, Moment::from_micros(now.micros() - 1)).take_while(|at| *at <= until).collect()
}

/// The first instant of one that has one of the other within the spacing, and the nearest of those.
fn slowly(own: &BTreeSet<Moment>, other: &BTreeSet<Moment>, spacing: Duration) -> Option<(Moment, Moment)> {
    own.iter().find_map(|at| {
        let near = other.iter().filter(|other| other.since(*at).abs() < spacing);
        near.min_by_key(|other| (other.since(*at).abs(), **other)).map(|other| (*at, *other))
    })
}

fn free(own: &BTreeSet<Moment>, taken: &BTreeSet<Moment>, spacing: Duration) -> bool {
    let range = |at: &Moment| at.minus(spacing).plus(Duration::microseconds(1))..at.plus(spacing);
    !own.is_empty() && own.iter().all(|at| taken.range(range(at)).next().is_none())
}

/// Every start on five minutes within a day, the nearest first, tried out.
fn nearest_slowly(rule: &Rule, taken: &BTreeSet<Moment>, spacing: Duration, now: Moment) -> Option<Start> {
    let local = rule.start_date.and_time(rule.start_time);
    let began = |local: NaiveDateTime| land(rule.time_zone, local) * 1_000_000 < now.micros();
    let mut starts: Vec<NaiveDateTime> = (-1440..=1440).map(|n| local + Duration::minutes(n)).collect();
    starts.retain(|start| *start != local && start.format("%M").to_string().parse::<u32>().unwrap() % 5 == 0);
    starts.sort_by_key(|start| ((*start - local).abs(), *start < local));
    let there = |start: &NaiveDateTime| {
        let back = Moment::from_micros(land(rule.time_zone, *start) * 1_000_000).in_zone(rule.time_zone).naive_local();
        back == *start
    };
    let found = starts.into_iter().filter(there).find(|start| {
        let moved = Rule { start_date: start.date(), start_time: start.time(), ..*rule };
        (!began(*start) || (!rule.is_once() && began(local)))
            && rule.end_date.is_none_or(|end| start.date() <= end)
            && free(&instants(&moved, now), taken, spacing)
    });
    found.map(|start| Start { date: start.date(), time: start.time() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_the_brute_force_says(
        rule in rules(),
        others in prop::collection::vec((rules(), -3i64..3), 1..4),
        spacing in select(vec![0, 1, 4, 5, 15, 45, 180]),
        minutes in -9_000i64..4_000,
    ) {
        let now = Moment::from_micros((land(rule.time_zone, rule.start_date.and_time(rule.start_time)) + minutes * 60 + 7) * 1_000_000);
        // The others begin near it, whatever night they were made for.
        let others: Vec<Neighbour> = others.into_iter().zip(1..).map(|((other, days), id)| {
            let start_date = rule.start_date + Duration::days(days);
            let end_date = other.end_date.map(|end| start_date + (end - other.start_date));
            neighbour(id, Rule { start_date, end_date, ..other })
        }).collect();
        let target = Target { spacing_minutes: spacing, ..TARGET };
        let found = look(&rule, &[target], &others, now);
        let (own, spacing) = (instants(&rule, now), Duration::minutes(spacing.into()));
        let mut expected: Vec<(Moment, Moment, Option<i64>)> = others.iter().filter_map(|other| {
            let (at, other_at) = slowly(&own, &instants(&other.rule, now), spacing)?;
            Some((at, other_at, Some(other.id)))
        }).collect();
        expected.sort();
        let list: Vec<_> = found.list.iter().map(|c| (c.at, c.other_at, c.schedule_id)).collect();
        prop_assert_eq!(&list, &expected);
        if list.is_empty() {
            prop_assert_eq!(found.suggestion, None);
        } else {
            let taken: BTreeSet<Moment> = others.iter().flat_map(|other| instants(&other.rule, now)).collect();
            prop_assert_eq!(found.suggestion, nearest_slowly(&rule, &taken, spacing, now));
        }
    }

    #[test]
    fn a_timeline_marks_what_each_occurrence_reaches(rule in rules(), before in 0i64..40, after in 0i64..400, minutes in -3_000i64..3_000) {
        let start = land(rule.time_zone, rule.start_date.and_time(rule.start_time)) + minutes * 60;
        let (from, until) = (Moment::from_micros(start * 1_000_000), Moment::from_micros((start + 5 * 86_400) * 1_000_000));
        let (before, after) = (before * 30, after * 30);
        let mut line = Timeline::new(from, until).looking_back(86_400);
        line.mark(&rule, before, after);
        let list = occurrences(&rule, from.minus(Duration::seconds(86_401)));
        let all: Vec<i64> = list.take_while(|at| *at <= until).map(|at| at.micros() / 1_000_000).collect();
        for second in (start..start + 5 * 86_400).step_by(30) {
            let marked = all.iter().any(|at| (at - before..=at + after).contains(&second));
            prop_assert_eq!(line.is_marked(second), marked, "{}", second);
        }
    }
}

#[test]
fn schedules_that_feed_each_other_are_told_by_the_shortest_way() {
    let feeds = |id: i64, name: &str, from: i64, to: i64| {
        let one = neighbour(id, daily("03:00"));
        Neighbour { name: name.into(), source_block_id: Some(from), block_id: to, connection_id: None, ..one }
    };
    let target = Target { source_block_id: Some(1), block_id: 2, connection_id: None, ..TARGET };
    let told = |others: &[Neighbour]| circle(&[target], others);
    let plan = feeds(1, "Plan", 2, 3);
    assert_eq!(
        told(&[plan.clone(), feeds(2, "Else", 3, 4), feeds(3, "Back", 4, 2)]),
        None,
        "nobody fills what it reads"
    );
    let both = "This schedule and Plan and Back feed each other: each run changes what the next one reads.";
    assert_eq!(told(&[plan.clone(), feeds(2, "Back", 3, 1)]).as_deref(), Some(both));
    let short = feeds(3, "Short", 2, 1);
    let one = "This schedule and Short feed each other: each run changes what the next one reads.";
    assert_eq!(told(&[plan.clone(), feeds(2, "Back", 3, 1), short.clone()]).as_deref(), Some(one));
    assert_eq!(
        circle(&[Target { schedule_id: Some(3), ..target }], std::slice::from_ref(&short)),
        None,
        "not with itself"
    );
    let hidden = Neighbour { seen: false, application_id: 2, ..short };
    assert!(told(&[hidden]).unwrap().contains("a schedule in another Application"));
    assert_eq!(circle(&[TARGET], &[plan]), None);
}
