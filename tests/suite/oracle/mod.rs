//! Python as a second reader: `rules` asks an oracle of our own about the rules of "When" (`tests/oracle/oracle.py`), which
//! every answer must equal; `peer` asks python-dateutil (`tests/oracle/peer.py`), which agrees where its rules are ours, and
//! differs where the tests say so and why; `dates` asks about relative dates (`tests/oracle/dates.py`).
//!
//! Both sides must stand on one release of the zone database. chrono-tz 0.10.4 carries 2025b, which on PyPI is
//! `tzdata==2025.2`; `tests/run.sh` installs that into an environment of its own and names its Python in
//! `TIDEGATE_TEST_ORACLE_PYTHON`.

mod dates;
mod peer;
mod rules;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use chrono::Offset;
use serde_json::{Value, json};
use tidegate::clock::Moment;
use tidegate::schedules::{Rule, RuleDraft};

use crate::support::{Dice, settings};

pub const DAY: i64 = 86_400;

/// The last day on which something can occur, in days since 1970.
pub const LAST_DAY: i64 = 47_481;

pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The zones with the nights that others get wrong.
pub const NAMED: [&str; 10] = [
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "America/St_Johns",
];

/// Asks a script of `tests/oracle` all of these, and answers in their order.
pub fn ask(script: &str, questions: impl Iterator<Item = Value>) -> Vec<Value> {
    let release = chrono_tz::IANA_TZDB_VERSION;
    let package = pypi_version(release);
    let python = settings::oracle_python().unwrap_or_else(|| {
        panic!(
            "The oracle needs a Python with zone data {release}. `bash tests/run.sh` makes one; by hand: \
             python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install tzdata=={package} python-dateutil icalendar, \
             then set TIDEGATE_TEST_ORACLE_PYTHON=/tmp/oracle/bin/python."
        )
    });
    let mut oracle = Command::new(&python)
        .arg(settings::root().join("tests/oracle").join(script))
        .env_remove("PYTHONTZPATH")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("TIDEGATE_TEST_ORACLE_PYTHON={python:?} does not start: {e}"));
    let mut stdin = oracle.stdin.take().unwrap();
    let mut asked = 0;
    let text: String = questions.inspect(|_| asked += 1).map(|question| format!("{question}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let mut lines = BufReader::new(oracle.stdout.take().unwrap()).lines();
    let hello = lines.next().expect("the oracle says nothing; has its Python tzdata and python-dateutil?").unwrap();
    let hello: Value = serde_json::from_str(&hello).unwrap();
    assert_eq!(
        hello["release"], release,
        "both sides must stand on one release of the zone database: pip install tzdata=={package}"
    );
    let answers: Vec<Value> = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    writer.join().unwrap().unwrap();
    assert!(oracle.wait().unwrap().success());
    assert_eq!(answers.len(), asked);
    answers
}

pub fn rule(fields: &Value) -> Rule {
    let parsed = RuleDraft::from_json(fields.as_object().unwrap()).parse();
    parsed.unwrap_or_else(|errors| panic!("{fields}: {errors}"))
}

/// Seconds since 1970 as our own code has them.
pub fn moment(seconds: i64) -> Moment {
    Moment::from_micros(seconds * 1_000_000)
}

pub fn date(day: i64) -> String {
    moment(day.clamp(0, LAST_DAY) * DAY).utc().format("%Y-%m-%d").to_string()
}

/// What a zone's clocks are ahead of UTC at the beginning of a day of UTC.
pub fn offset(zone: chrono_tz::Tz, day: i64) -> i64 {
    offset_at(zone, day * DAY)
}

fn offset_at(zone: chrono_tz::Tz, second: i64) -> i64 {
    i64::from(moment(second).in_zone(zone).offset().fix().local_minus_utc())
}

/// The second at which the offset of a zone changes, somewhere in a year after a random day.
fn a_change(dice: &mut Dice, zone: &str) -> Option<i64> {
    let zone: chrono_tz::Tz = zone.parse().unwrap();
    let begin = dice.between(0, 47_000);
    let day = (begin..begin + 370).find(|day| offset(zone, *day) != offset(zone, day + 1))?;
    let (mut before, mut after) = (day * DAY, (day + 1) * DAY);
    while after - before > 1 {
        let middle = (before + after) / 2;
        if offset_at(zone, middle) == offset_at(zone, before) { before = middle } else { after = middle }
    }
    Some(after)
}

/// A minute around those that a change skips or repeats, "02:30".
fn time_near(dice: &mut Dice, zone: &str, change: i64) -> String {
    let zone: chrono_tz::Tz = zone.parse().unwrap();
    let local = change + offset_at(zone, change - 1).min(offset_at(zone, change)) + 60 * dice.between(-30, 90);
    let minute = local.rem_euclid(DAY) / 60;
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn zone(dice: &mut Dice) -> &'static str {
    if dice.one_in(3) { dice.pick(&NAMED) } else { dice.pick(&chrono_tz::TZ_VARIANTS).name() }
}

fn time(dice: &mut Dice) -> String {
    let minute = if dice.one_in(2) { dice.pick(&[0, 15, 30, 45]) } else { dice.between(0, 59) };
    // Half of them in the hours in which clocks change.
    let hour = if dice.one_in(2) { dice.between(0, 4) } else { dice.between(0, 23) };
    format!("{hour:02}:{minute:02}")
}

/// A way to repeat without a window, and within how many days it surely comes three times.
fn repeat(dice: &mut Dice) -> (&'static str, Value, i64) {
    match dice.between(1, 12) {
        1 => ("once", json!({}), 400),
        2..=4 => ("minutes", json!({"every": 5 * dice.between(1, 11)}), 100),
        5..=6 => ("hours", json!({}), 100),
        7..=8 => ("hours", json!({"every": dice.pick(&[2, 3, 4, 6, 8, 12])}), 100),
        9 => ("days", json!({"every": if dice.one_in(2) { 1 } else { dice.between(1, 366) }}), 1_200),
        10 => {
            let every = if dice.one_in(2) { dice.between(1, 4) } else { dice.between(1, 52) };
            ("weeks", json!({"every": every, "weekdays": dice.some(&WEEKDAYS)}), 1_200)
        }
        _ => {
            let mut days: Vec<Value> = (0..dice.between(1, 4)).map(|_| json!(dice.between(1, 31))).collect();
            if dice.one_in(4) {
                days.push(json!("last"));
            }
            let months = match dice.between(1, 4) {
                1 => json!([2]),
                2 => json!(dice.some(&(1..=12).collect::<Vec<u32>>())),
                _ => Value::Null,
            };
            ("months", json!({"days_of_month": days, "months": months}), 1_200)
        }
    }
}

fn lay_over(fields: &mut Value, more: Value) {
    let Value::Object(more) = more else { panic!("{more} is an object") };
    fields.as_object_mut().unwrap().extend(more);
}

/// 2025b is 2025.2 on PyPI.
fn pypi_version(release: &str) -> String {
    let (year, letter) = release.split_at(4);
    let number = letter.bytes().next().map_or(1, |b| b - b'a' + 1);
    format!("{year}.{number}")
}
