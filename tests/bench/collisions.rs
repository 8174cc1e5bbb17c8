//! What a warning and an offer cost beside 1,000 schedules: `cargo bench --bench collisions` prints one table. The
//! goal is 50 ms for both together.
#![allow(clippy::expect_used)]

use std::hint::black_box;
use std::time::Instant;

use serde_json::{Value, json};
use tidegate::clock::Moment;
use tidegate::schedules::collisions::{Neighbour, Target, collisions, nearest_free};
use tidegate::schedules::{Rule, RuleDraft};

const NOW: &str = "2026-10-08T16:42:00Z";
const MANY: usize = 1_000;

/// The n-th of many rules.
type Make = fn(usize) -> Rule;

fn rule(mut fields: Value, start: usize) -> Rule {
    // Begun over five years, on all minutes of the day.
    fields["start_date"] = json!(format!("{}-{:02}-{:02}", 2021 + start % 5, 1 + start % 12, 1 + start % 28));
    fields["start_time"] = json!(format!("{:02}:{:02}", start * 7 % 24, start * 13 % 60));
    fields["time_zone"] = json!(["Europe/Paris", "America/New_York", "Asia/Kathmandu", "UTC"][start % 4]);
    fields.as_object().and_then(|map| RuleDraft::from_json(map).parse().ok()).expect("a valid rule")
}

fn mixed(n: usize) -> Rule {
    let window = json!({"weekdays": ["mon", "tue", "wed", "thu", "fri"], "from": "07:00", "to": "19:00"});
    let fields = match n % 10 {
        0 => json!({"repeat": "minutes", "every": 15, "window": window}),
        1 => json!({"repeat": "hours"}),
        2 => json!({"repeat": "hours", "every": 6}),
        3..=5 => json!({"repeat": "days"}),
        6 | 7 => json!({"repeat": "weeks", "weekdays": ["mon", "thu"]}),
        8 => json!({"repeat": "weeks", "every": 2, "weekdays": ["sat"]}),
        _ => json!({"repeat": "months", "days_of_month": [1, 15, "last"]}),
    };
    rule(fields, n)
}

fn five_minutes(n: usize) -> Rule {
    rule(json!({"repeat": "minutes", "every": 5}), n)
}

fn in_a_window(n: usize) -> Rule {
    rule(json!({"repeat": "minutes", "every": 5, "window": {"from": "06:00", "to": "22:00"}}), n)
}

fn every_two_hours(n: usize) -> Rule {
    rule(json!({"repeat": "hours", "every": 2}), n)
}

/// Each at another time of the night, an hour and more before the day's first of the schedule that is typed.
fn at_night(n: usize) -> Rule {
    let time = format!("{:02}:{:02}", n % 4, n % 12 * 5);
    let fields = json!({"repeat": "days", "start_date": "2025-01-01", "start_time": time, "time_zone": "UTC"});
    fields.as_object().and_then(|map| RuleDraft::from_json(map).parse().ok()).expect("a valid rule")
}

fn neighbours(rule: Make) -> Vec<Neighbour> {
    let neighbour = |n: usize| Neighbour {
        id: n as i64,
        application_id: 1,
        application_name: "FP&A 2026".into(),
        seen: true,
        set_id: None,
        configuration_id: 100 + n as i64 / 4,
        block_id: 100 + n as i64 / 4,
        connection_id: Some(1),
        source_block_id: None,
        name: format!("Import {n}"),
        rule: rule(n),
    };
    (0..MANY).map(neighbour).collect()
}

/// Milliseconds, the median of eleven calls, and what the last one answered.
fn milliseconds<T>(mut call: impl FnMut() -> T) -> (f64, T) {
    let mut times = Vec::new();
    loop {
        let begin = Instant::now();
        let answer = black_box(call());
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        if times.len() == 11 {
            times.sort_by(f64::total_cmp);
            return (times[5], answer);
        }
    }
}

fn main() {
    let now = Moment::parse_rfc3339(NOW).expect("an instant");
    let fields =
        json!({"repeat": "days", "start_date": "2026-10-09", "start_time": "06:30", "time_zone": "Europe/Paris"});
    let with = |other: Value| {
        let mut fields = fields.clone();
        for (name, value) in other.as_object().into_iter().flatten() {
            fields[name] = value.clone();
        }
        fields.as_object().and_then(|map| RuleDraft::from_json(map).parse().ok()).expect("a valid rule")
    };
    let typed = [
        ("daily", with(json!({}))),
        ("every 2 hours", with(json!({"repeat": "hours", "every": 2}))),
        ("every 5 minutes", with(json!({"repeat": "minutes", "every": 5}))),
    ];
    let others: [(&str, Make); 5] = [
        ("1,000 of mixed kinds", mixed),
        ("1,000 every 5 minutes", five_minutes),
        ("1,000 every 5 minutes, 06:00 to 22:00", in_a_window),
        ("1,000 every 2 hours", every_two_hours),
        ("1,000 daily, 00:00 to 04:00", at_night),
    ];
    println!("| beside | typed | spacing | warnings | collide | offer | offered |\n|---|---|---|---|---|---|---|");
    for (beside, rule) in others {
        let neighbours = neighbours(rule);
        for (name, rule) in &typed {
            for spacing_minutes in [15, 1] {
                let target = Target {
                    application_id: 1,
                    set_id: None,
                    configuration_id: 1,
                    block_id: 1,
                    connection_id: Some(1),
                    source_block_id: None,
                    spacing_minutes,
                    schedule_id: None,
                };
                let (warning, found) = milliseconds(|| collisions(rule, &[target], &neighbours, now));
                let (offer, offered) = milliseconds(|| nearest_free(rule, &[target], &neighbours, now));
                let offered = offered.map_or_else(|| "nothing".to_owned(), |start| start.words(rule));
                println!(
                    "| {beside} | {name} | {spacing_minutes} min | {warning:.2} ms | {} | {offer:.2} ms | {offered} |",
                    found.len()
                );
            }
        }
    }
}
