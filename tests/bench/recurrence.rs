//! The next occurrence, 1 day, 5 years and 10 years after the start, against `rrule` and `croner` in the same round.
//! `cargo bench --bench recurrence` measures with criterion and then prints one table with the ratios.
//!
//! The peers do not keep our rules when clocks change; where they have no such rule at all (croner has no start, no
//! window of another grid and no "every 2 weeks") the nearest pattern stands in, and the table says so with a "~".
#![allow(clippy::expect_used)]

use std::hint::black_box;
use std::str::FromStr;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use croner::Cron;
use rrule::RRuleSet;
use serde_json::{Value, json};
use tidegate::clock::Moment;
use tidegate::schedules::{Rule, RuleDraft, first_at_or_after, latest_at_or_before, next_after};

const ZONE: Tz = chrono_tz::Europe::Paris;
const START: &str = "2016-02-01T01:30:00Z";
const AGES: [(&str, i64); 3] = [("1 day", 1), ("5 years", 1_826), ("10 years", 3_652)];

struct Case {
    name: &'static str,
    rule: Rule,
    /// The same for rrule, where it has words for it.
    rrule: Option<RRuleSet>,
    cron: Option<Cron>,
    /// Whether the cron pattern only stands in.
    near: bool,
}

fn case(name: &'static str, fields: Value, rrule: Option<&str>, cron: Option<&str>, near: bool) -> Case {
    let mut fields = fields;
    fields["start_date"] = json!("2016-02-01");
    fields["start_time"] = json!("02:30");
    fields["time_zone"] = json!(ZONE.name());
    let rule = fields.as_object().and_then(|map| RuleDraft::from_json(map).parse().ok()).expect("a valid rule");
    let text = |rule: &str| format!("DTSTART;TZID=Europe/Paris:20160201T023000\nRRULE:{rule}");
    Case {
        name,
        rule,
        rrule: rrule.map(|rule| text(rule).parse().expect("a valid RRULE")),
        cron: cron.map(|pattern| Cron::from_str(pattern).expect("a valid pattern")),
        near,
    }
}

fn cases() -> Vec<Case> {
    let window = json!({"weekdays": ["mon", "tue", "wed", "thu", "fri"], "from": "07:00", "to": "19:00"});
    let working = "FREQ=MINUTELY;INTERVAL=15;BYHOUR=7,8,9,10,11,12,13,14,15,16,17,18;BYDAY=MO,TU,WE,TH,FR";
    vec![
        case("once", json!({"repeat": "once"}), None, None, false),
        case(
            "every 5 minutes",
            json!({"repeat": "minutes", "every": 5}),
            Some("FREQ=MINUTELY;INTERVAL=5"),
            Some("*/5 * * * *"),
            false,
        ),
        case(
            "every 55 minutes",
            json!({"repeat": "minutes", "every": 55}),
            Some("FREQ=MINUTELY;INTERVAL=55"),
            None,
            false,
        ),
        case(
            "every 15 minutes, 07:00 to 19:00, Monday to Friday",
            json!({"repeat": "minutes", "every": 15, "window": window}),
            Some(working),
            Some("*/15 7-18 * * 1-5"),
            false,
        ),
        case(
            "every 55 minutes, 07:00 to 07:05, Sunday",
            json!({"repeat": "minutes", "every": 55, "window": {"weekdays": ["sun"], "from": "07:00", "to": "07:05"}}),
            None,
            None,
            false,
        ),
        case("every hour", json!({"repeat": "hours"}), Some("FREQ=HOURLY"), Some("30 * * * *"), false),
        case(
            "every 6 hours",
            json!({"repeat": "hours", "every": 6}),
            Some("FREQ=HOURLY;INTERVAL=6"),
            Some("30 2/6 * * *"),
            false,
        ),
        case(
            "every 2 hours, over midnight, Friday",
            json!({"repeat": "hours", "every": 2, "window": {"weekdays": ["fri"], "from": "22:00", "to": "06:00"}}),
            None,
            Some("30 0-4/2,22 * * 5"),
            true,
        ),
        case("every day", json!({"repeat": "days"}), Some("FREQ=DAILY"), Some("30 2 * * *"), false),
        case("every 366 days", json!({"repeat": "days", "every": 366}), Some("FREQ=DAILY;INTERVAL=366"), None, false),
        case(
            "every 2 weeks on Monday and Thursday",
            json!({"repeat": "weeks", "every": 2, "weekdays": ["mon", "thu"]}),
            Some("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH"),
            Some("30 2 * * 1,4"),
            true,
        ),
        case(
            "day 1 and the last day of every month",
            json!({"repeat": "months", "days_of_month": [1, "last"]}),
            Some("FREQ=MONTHLY;BYMONTHDAY=1,-1"),
            Some("30 2 1,L * *"),
            false,
        ),
        case(
            "day 30 of every February",
            json!({"repeat": "months", "days_of_month": [30], "months": [2]}),
            Some("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"),
            Some("30 2 L 2 *"),
            false,
        ),
    ]
}

fn probe(days: i64) -> Moment {
    let start = Moment::parse_rfc3339(START).expect("an instant");
    start.plus(chrono::Duration::days(days) + chrono::Duration::seconds(4_321))
}

fn by_rrule(set: &RRuleSet, after: Moment) -> Option<chrono::DateTime<rrule::Tz>> {
    set.into_iter().find(|at| at.timestamp_micros() > after.micros())
}

fn benches(criterion: &mut Criterion) {
    for case in cases() {
        let mut group = criterion.benchmark_group(case.name);
        group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(600));
        for (age, days) in AGES {
            let after = probe(days);
            group.bench_function(BenchmarkId::new("tidegate next", age), |b| {
                b.iter(|| next_after(black_box(&case.rule), black_box(after)));
            });
            group.bench_function(BenchmarkId::new("tidegate latest", age), |b| {
                b.iter(|| latest_at_or_before(black_box(&case.rule), black_box(after)));
            });
            if let Some(cron) = &case.cron {
                let local = after.in_zone(ZONE);
                group.bench_function(BenchmarkId::new("croner", age), |b| {
                    b.iter(|| cron.find_next_occurrence(black_box(&local), false));
                });
            }
        }
        group.finish();
    }
    print_table();
}

/// Nanoseconds a call: the median of up to 101 rounds. A round is so short that whatever else runs on the machine falls
/// between rounds, not into them; what takes longer than a round is called a few times.
fn nanoseconds<T>(mut call: impl FnMut() -> T) -> f64 {
    black_box(call());
    let (begin, mut rounds) = (Instant::now(), Vec::new());
    while rounds.len() < 3 || (rounds.len() < 101 && begin.elapsed() < Duration::from_millis(500)) {
        let (round, mut calls) = (Instant::now(), 0);
        while calls == 0 || round.elapsed() < Duration::from_micros(50) {
            // Asking the clock takes its time too.
            for _ in 0..20 {
                black_box(call());
                calls += 1;
                if calls == 1 && round.elapsed() > Duration::from_micros(50) {
                    break;
                }
            }
        }
        rounds.push(round.elapsed().as_nanos() as f64 / f64::from(calls));
    }
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn print_table() {
    println!("\n| rule | after | next | first | latest | rrule | × next | croner | × next |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for case in cases() {
        for (age, days) in AGES {
            let after = probe(days);
            let ours = nanoseconds(|| next_after(black_box(&case.rule), black_box(after)));
            let first = written(nanoseconds(|| first_at_or_after(black_box(&case.rule), black_box(after))));
            let latest = written(nanoseconds(|| latest_at_or_before(black_box(&case.rule), black_box(after))));
            let rrule = case.rrule.as_ref().map(|set| nanoseconds(|| by_rrule(set, black_box(after))));
            let local = after.in_zone(ZONE);
            let cron = case.cron.as_ref().map(|c| nanoseconds(|| c.find_next_occurrence(black_box(&local), false)));
            let (rrule, rrule_ratio) = compared(rrule, ours, false);
            let (cron, cron_ratio) = compared(cron, ours, case.near);
            let (name, next) = (case.name, written(ours));
            println!(
                "| {name} | {age} | {next} | {first} | {latest} | {rrule} | {rrule_ratio} | {cron} | {cron_ratio} |"
            );
        }
    }
}

fn compared(peer: Option<f64>, ours: f64, near: bool) -> (String, String) {
    match peer {
        Some(peer) => (format!("{}{}", if near { "~ " } else { "" }, written(peer)), format!("{:.1}", peer / ours)),
        None => ("has no such rule".to_owned(), String::new()),
    }
}

fn written(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} µs", n / 1e3),
        n => format!("{:.1} ms", n / 1e6),
    }
}

criterion_group!(recurrence, benches);
criterion_main!(recurrence);
