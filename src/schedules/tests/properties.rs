//! Random rules around the nights on which clocks change, against a slow reading of the rules that walks day by day
//! and minute by minute, and knows no arithmetic.

use std::collections::BTreeSet;

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike, Weekday};
use chrono_tz::Tz;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::clock::Moment;
use crate::schedules::{
    DaysOfMonth, Months, Repeat, Rule, Weekdays, Window, count_between, counts_between, first_at_or_after,
    latest_at_or_before, next_after, occurrences,
};

/// Zones, and a day near which their clocks change.
const NIGHTS: [(Tz, (i32, u32, u32)); 18] = [
    (chrono_tz::UTC, (2026, 10, 25)),
    (chrono_tz::Europe::Paris, (2026, 10, 25)),
    (chrono_tz::Europe::Paris, (2027, 3, 28)),
    (chrono_tz::America::New_York, (2026, 11, 1)),
    (chrono_tz::America::New_York, (2027, 3, 14)),
    (chrono_tz::Australia::Lord_Howe, (2026, 10, 4)),
    (chrono_tz::Australia::Lord_Howe, (2027, 4, 4)),
    (chrono_tz::Africa::Cairo, (2026, 4, 24)),
    (chrono_tz::Africa::Cairo, (2026, 10, 30)),
    (chrono_tz::America::Sao_Paulo, (2018, 2, 18)),
    (chrono_tz::America::Sao_Paulo, (2018, 11, 4)),
    (chrono_tz::Asia::Kathmandu, (1986, 1, 1)),
    (chrono_tz::Pacific::Apia, (2011, 12, 30)),
    (chrono_tz::Antarctica::Casey, (2009, 10, 18)),
    (chrono_tz::Antarctica::Troll, (2026, 3, 29)),
    (chrono_tz::America::St_Johns, (2010, 11, 7)),
    (chrono_tz::Africa::Monrovia, (1972, 1, 7)),
    (chrono_tz::Africa::Casablanca, (2026, 2, 15)),
];

fn weekdays() -> impl Strategy<Value = Weekdays> {
    let all: Vec<Weekday> = Weekdays::ALL.iter().collect();
    subsequence(all, 1..=7).prop_map(|days| Weekdays::of(days).unwrap())
}

fn time() -> impl Strategy<Value = NaiveTime> {
    (0u32..24, prop_oneof![select(vec![0, 15, 30, 45]), 0u32..60])
        .prop_map(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap())
}

fn window() -> impl Strategy<Value = Option<Window>> {
    let some = (proptest::option::of(weekdays()), proptest::option::of(time()), proptest::option::of(time()))
        .prop_filter("empty", |(_, from, to)| {
            from.map_or(0, |t| t.num_seconds_from_midnight()) != to.map_or(86_400, |t| t.num_seconds_from_midnight())
        })
        .prop_map(|(weekdays, from, to)| Window { weekdays, from, to });
    proptest::option::weighted(0.7, some)
}

fn repeat() -> impl Strategy<Value = Repeat> {
    prop_oneof![
        Just(Repeat::Once),
        (1u32..12, window()).prop_map(|(fives, window)| Repeat::Minutes { every: fives * 5, window }),
        (select(vec![1, 2, 3, 4, 6, 8, 12]), window()).prop_map(|(every, window)| Repeat::Hours { every, window }),
        prop_oneof![1u32..5, 1u32..=366].prop_map(|every| Repeat::Days { every }),
        (prop_oneof![1u32..4, 1u32..=52], weekdays()).prop_map(|(every, weekdays)| Repeat::Weeks { every, weekdays }),
        (
            proptest::option::of(subsequence((1..=12).collect::<Vec<u32>>(), 1..=12)),
            subsequence((1..=31).collect::<Vec<u32>>(), 0..=4),
            any::<bool>()
        )
            .prop_map(|(months, days, last)| Repeat::Months {
                months: months.and_then(Months::of),
                days: DaysOfMonth::of(days, last).or(DaysOfMonth::of([31], false)).unwrap(),
            }),
    ]
}

/// A rule that starts up to three days before a named night or after it, perhaps with an end near it.
pub fn rules() -> impl Strategy<Value = Rule> {
    let start = (select(NIGHTS.to_vec()), -3i64..=1, time());
    (start, repeat(), proptest::option::weighted(0.3, 0i64..6)).prop_map(
        |((night, days, start_time), repeat, length)| {
            let (time_zone, (year, month, day)) = night;
            let start_date = NaiveDate::from_ymd_opt(year, month, day).unwrap() + Duration::days(days);
            let end_date = length.map(|days| start_date + Duration::days(days)).filter(|_| repeat != Repeat::Once);
            Rule { repeat, start_date, start_time, time_zone, end_date }
        },
    )
}

/// How many days the slow reading walks.
fn horizon(rule: &Rule) -> i64 {
    match rule.repeat {
        Repeat::Minutes { .. } | Repeat::Hours { .. } => 9,
        _ => 800,
    }
}

/// Where a local time lands, found by looking at the clock and nothing else.
pub fn land(zone: Tz, local: NaiveDateTime) -> i64 {
    match zone.from_local_datetime(&local).earliest() {
        Some(found) => found.timestamp(),
        None => {
            let before = (1..).map(|quarters| local - Duration::minutes(15 * quarters));
            let before = before.filter_map(|t| zone.from_local_datetime(&t).latest()).next().unwrap();
            local.and_utc().timestamp() - i64::from(before.offset().fix().local_minus_utc())
        }
    }
}

fn local(zone: Tz, at: i64) -> NaiveDateTime {
    zone.timestamp_opt(at, 0).unwrap().naive_local()
}

fn in_window(window: &Option<Window>, local: NaiveDateTime) -> bool {
    let Some(window) = window else { return true };
    let on = |day: NaiveDate| window.weekdays.is_none_or(|w| w.contains(day.weekday()));
    let (day, time) = (local.date(), local.time());
    let from = window.from.unwrap_or(NaiveTime::MIN);
    match window.to {
        None => on(day) && time >= from,
        Some(to) if from < to => on(day) && time >= from && time < to,
        Some(to) => (on(day) && time >= from) || (on(day.pred_opt().unwrap()) && time < to),
    }
}

fn is_slot(rule: &Rule, local: NaiveDateTime) -> bool {
    let day = local.date();
    let days = (day - rule.start_date).num_days();
    let minutes = i64::from(local.time().num_seconds_from_midnight() / 60);
    let start_minutes = i64::from(rule.start_time.num_seconds_from_midnight() / 60);
    let on_time = minutes == start_minutes;
    match &rule.repeat {
        Repeat::Once => days == 0 && on_time,
        Repeat::Minutes { .. } => false,
        Repeat::Hours { every, window } => {
            (minutes - start_minutes) % (60 * i64::from(*every)) == 0 && in_window(window, local)
        }
        Repeat::Days { every } => on_time && days % i64::from(*every) == 0,
        Repeat::Weeks { every, weekdays } => {
            let monday = |d: NaiveDate| d - Duration::days(d.weekday().num_days_from_monday().into());
            let weeks = (monday(day) - monday(rule.start_date)).num_days() / 7;
            on_time && weeks % i64::from(*every) == 0 && weekdays.contains(day.weekday())
        }
        Repeat::Months { months, days } => {
            let last = (day + Duration::days(1)).day() == 1;
            let chosen = days.contains(day.day()) || last && (days.has_last() || days.iter().any(|d| d > day.day()));
            on_time && chosen && months.is_none_or(|m| m.contains(day.month()))
        }
    }
}

/// Every occurrence up to the horizon.
fn slowly(rule: &Rule) -> BTreeSet<i64> {
    let zone = rule.time_zone;
    let start = land(zone, rule.start_date.and_time(rule.start_time));
    let elapsed = match rule.repeat {
        Repeat::Minutes { every, window } => Some((i64::from(every) * 60, window)),
        Repeat::Hours { every: 1, window } => Some((3_600, window)),
        _ => None,
    };
    let mut found = BTreeSet::new();
    if let Some((step, window)) = elapsed {
        let mut clock = start;
        for at in (start..start + horizon(rule) * 86_400).step_by(usize::try_from(step).unwrap()) {
            while clock < at && rule.end_date.is_some_and(|end| local(zone, clock).date() <= end) {
                clock += 30;
            }
            if rule.end_date.is_some_and(|end| local(zone, clock).date() > end) {
                break;
            }
            if in_window(&window, local(zone, at)) {
                found.insert(at);
            }
        }
        return found;
    }
    for days in 0..=horizon(rule) {
        let day = rule.start_date + Duration::days(days);
        if rule.end_date.is_some_and(|end| day > end) {
            break;
        }
        let minutes: Vec<u32> = match rule.repeat {
            Repeat::Hours { .. } => (0..24).map(|hour| hour * 60 + rule.start_time.minute()).collect(),
            _ => vec![rule.start_time.num_seconds_from_midnight() / 60],
        };
        for minute in minutes {
            let slot = day.and_hms_opt(minute / 60, minute % 60, 0).unwrap();
            if is_slot(rule, slot) && slot >= rule.start_date.and_time(rule.start_time) {
                found.insert(land(zone, slot));
            }
        }
    }
    found.split_off(&start)
}

fn moment(seconds: i64) -> Moment {
    Moment::from_micros(seconds * 1_000_000)
}

fn seconds(moment: Moment) -> i64 {
    moment.micros() / 1_000_000
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_the_slow_reading_says(rule in rules(), probes in prop::collection::vec((any::<bool>(), 0.0f64..1.0), 6)) {
        let slow = slowly(&rule);
        let start = land(rule.time_zone, rule.start_date.and_time(rule.start_time));
        // The last two days of the walk are left alone: what lies beyond can be moved or merged.
        let until = start + (horizon(&rule) - 2) * 86_400;
        let quick = occurrences(&rule, moment(start - 400_000)).map(seconds).take_while(|at| *at <= until);
        let expected: Vec<i64> = slow.range(..=until).copied().collect();
        prop_assert_eq!(quick.collect::<Vec<_>>(), expected);
        for (near_the_night, probe) in probes {
            let span = if near_the_night { 5 * 86_400 } else { until - start };
            let at = start + (span as f64 * probe) as i64;
            prop_assert_eq!(latest_at_or_before(&rule, moment(at)).map(seconds), slow.range(..=at).next_back().copied());
            if let Some(next) = slow.range(at + 1..=until).next() {
                prop_assert_eq!(next_after(&rule, moment(at)).map(seconds), Some(*next));
            }
        }
    }

    #[test]
    fn what_is_reckoned_is_what_is_counted(rule in rules(), steps in prop::collection::vec(0i64..400_000_000_000, 1..12)) {
        let start = land(rule.time_zone, rule.start_date.and_time(rule.start_time));
        let mut edges = vec![Moment::from_micros((start - 200_000) * 1_000_000)];
        for step in steps {
            edges.push(Moment::from_micros(edges[edges.len() - 1].micros() + step));
        }
        let each: Vec<usize> = edges.windows(2).map(|edge| {
            let before = Moment::from_micros(edge[0].micros() - 1);
            occurrences(&rule, before).take_while(|at| *at < edge[1]).count()
        }).collect();
        prop_assert_eq!(&counts_between(&rule, &edges), &each);
        let one_by_one: Vec<usize> = edges.windows(2).map(|edge| count_between(&rule, edge[0], edge[1])).collect();
        prop_assert_eq!(&one_by_one, &each);
    }

    #[test]
    fn strictly_increasing_from_the_start_to_the_end(rule in rules(), after in -10i64..8_000, count in 1usize..40) {
        let start = land(rule.time_zone, rule.start_date.and_time(rule.start_time));
        let after = moment(start + after * 3_600);
        let mut before = after;
        for at in occurrences(&rule, after).take(count) {
            prop_assert!(at > before);
            prop_assert!(seconds(at) >= start);
            // Steps of elapsed time stop with the end; a slot of the last day can be moved over midnight.
            let over = if crate::schedules::recurrence::elapsed_step(&rule).is_some() { 0 } else { 1 };
            let day = local(rule.time_zone, seconds(at)).date();
            prop_assert!(rule.end_date.is_none_or(|end| day <= end + Duration::days(over)));
            before = at;
        }
    }

    #[test]
    fn the_latest_is_the_inverse_of_the_next(rule in rules(), hours in -10i64..80_000) {
        let start = land(rule.time_zone, rule.start_date.and_time(rule.start_time));
        let probe = moment(start + hours * 3_601);
        if let Some(next) = next_after(&rule, probe) {
            prop_assert_eq!(latest_at_or_before(&rule, next), Some(next));
            prop_assert_eq!(first_at_or_after(&rule, next), Some(next));
            let just_before = moment(seconds(next) - 1);
            prop_assert_eq!(latest_at_or_before(&rule, just_before), latest_at_or_before(&rule, probe));
        }
        if let Some(latest) = latest_at_or_before(&rule, probe) {
            prop_assert!(latest <= probe);
            prop_assert_eq!(first_at_or_after(&rule, latest), Some(latest));
            prop_assert_eq!(next_after(&rule, latest), next_after(&rule, probe));
        } else {
            prop_assert_eq!(first_at_or_after(&rule, moment(start)), next_after(&rule, probe));
        }
    }

    #[test]
    fn a_daily_run_keeps_its_time_away_from_clock_changes(days in 0i64..25_000, time in time(), night in select(NIGHTS.to_vec())) {
        let zone = night.0;
        let start_date = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap();
        let rule = Rule { repeat: Repeat::Days { every: 1 }, start_date, start_time: time, time_zone: zone, end_date: None };
        let from = moment(land(zone, start_date.and_time(time)) + days * 86_400);
        let at = seconds(next_after(&rule, from).unwrap());
        let calm = [at - 90_000, at + 90_000].iter().all(|t| local(zone, *t) - local(zone, at) == Duration::seconds(t - at));
        prop_assert!(!calm || local(zone, at).time() == time);
    }
}
