//! Random schedules against `tests/oracle/oracle.py`, which reads the rules of "When" again with nothing but Python's
//! zoneinfo. 2,000 here; 100,000 when `TIDEGATE_TEST_FULL=1`.
//!
//! Both sides must stand on one release of the zone database. chrono-tz 0.10.4 carries 2025b, which on PyPI is
//! `tzdata==2025.2`; `tests/run.sh` installs that into an environment of its own and names its Python in
//! `TIDEGATE_TEST_ORACLE_PYTHON`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tidegate::clock::Moment;
use tidegate::schedules::{Rule, RuleDraft, latest_at_or_before, occurrences};

use crate::support::settings;

const DAY: i64 = 86_400;

/// Numbers that look random and are the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.roll() % (high - low + 1) as u64) as i64
    }

    fn one_in(&mut self, n: i64) -> bool {
        self.between(1, n) == 1
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.between(0, list.len() as i64 - 1) as usize]
    }

    fn some<T: Clone>(&mut self, list: &[T]) -> Vec<T> {
        let mut chosen: Vec<T> = list.iter().filter(|_| self.one_in(2)).cloned().collect();
        if chosen.is_empty() {
            chosen.push(list[self.between(0, list.len() as i64 - 1) as usize].clone());
        }
        chosen
    }

    fn time(&mut self) -> String {
        let minute = if self.one_in(2) { self.pick(&[0, 15, 30, 45]) } else { self.between(0, 59) };
        // Half of them in the hours in which clocks change.
        let hour = if self.one_in(2) { self.between(0, 4) } else { self.between(0, 23) };
        format!("{hour:02}:{minute:02}")
    }

    fn window(&mut self) -> Value {
        if self.one_in(3) {
            return Value::Null;
        }
        let (from, to) = (self.time(), self.time());
        let weekdays = if self.one_in(2) { json!(self.some(&WEEKDAYS)) } else { Value::Null };
        match self.between(1, 4) {
            1 if from != "00:00" => json!({"weekdays": weekdays, "from": from}),
            2 if to != "00:00" => json!({"weekdays": weekdays, "to": to}),
            _ if from != to => json!({"weekdays": weekdays, "from": from, "to": to}),
            _ => json!({"weekdays": weekdays}),
        }
    }

    /// A rule in any zone; half of them begin or go on near a change of its clocks.
    fn question(&mut self) -> Question {
        let zone = if self.one_in(3) { self.pick(&NAMED) } else { self.pick(&chrono_tz::TZ_VARIANTS).name() };
        let near = if self.one_in(2) { self.near_a_change(zone) } else { None };
        let near = near.unwrap_or_else(|| self.between(0, 47_000));
        let start = (near - if self.one_in(2) { self.between(0, 3) } else { self.between(0, 4_000) }).max(0);
        let mut fields = json!({
            "start_date": date(start), "start_time": self.time(), "time_zone": zone,
        });
        let (repeat, more, reach) = match self.between(1, 12) {
            1 => ("once", json!({}), 400),
            2..=4 => ("minutes", json!({"every": 5 * self.between(1, 11), "window": self.window()}), 100),
            5..=6 => ("hours", json!({"window": self.window()}), 100),
            7..=8 => ("hours", json!({"every": self.pick(&[2, 3, 4, 6, 8, 12]), "window": self.window()}), 100),
            9 => ("days", json!({"every": if self.one_in(2) { 1 } else { self.between(1, 366) }}), 800),
            10 => {
                let every = if self.one_in(2) { self.between(1, 4) } else { self.between(1, 52) };
                ("weeks", json!({"every": every, "weekdays": self.some(&WEEKDAYS)}), 800)
            }
            _ => {
                let mut days: Vec<Value> = (0..self.between(1, 4)).map(|_| json!(self.between(1, 31))).collect();
                if self.one_in(4) {
                    days.push(json!("last"));
                }
                let months =
                    if self.one_in(2) { json!(self.some(&(1..=12).collect::<Vec<u32>>())) } else { Value::Null };
                ("months", json!({"days_of_month": days, "months": months}), 800)
            }
        };
        fields["repeat"] = json!(repeat);
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        if repeat != "once" && self.one_in(4) {
            fields["end_date"] = json!(date(near.max(start) + self.between(0, 5)));
        }
        let after = near * DAY + self.between(-2 * DAY, 2 * DAY);
        Question { fields, after, until: after + reach * DAY }
    }

    /// A day on which the offset of a zone changes.
    fn near_a_change(&mut self, zone: &str) -> Option<i64> {
        let zone: chrono_tz::Tz = zone.parse().unwrap();
        let offset = |day: i64| {
            use chrono::Offset;
            Moment::from_micros(day * DAY * 1_000_000).in_zone(zone).offset().fix().local_minus_utc()
        };
        let begin = self.between(0, 47_000);
        (begin..begin + 370).find(|day| offset(*day) != offset(day + 1))
    }
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The zones with the nights that others get wrong.
const NAMED: [&str; 10] = [
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

fn date(day: i64) -> String {
    let day = day.clamp(0, 47_481);
    Moment::from_micros(day * DAY * 1_000_000).utc().format("%Y-%m-%d").to_string()
}

struct Question {
    fields: Value,
    after: i64,
    until: i64,
}

impl Question {
    fn rule(&self) -> Rule {
        let parsed = RuleDraft::from_json(self.fields.as_object().unwrap()).parse();
        parsed.unwrap_or_else(|errors| panic!("{}: {errors}", self.fields))
    }

    fn ours(&self) -> Vec<i64> {
        let rule = self.rule();
        let moment = |seconds: i64| Moment::from_micros(seconds * 1_000_000);
        let found: Vec<Moment> =
            occurrences(&rule, moment(self.after)).take_while(|at| *at <= moment(self.until)).take(3).collect();
        // The way back names the same instants.
        for at in &found {
            assert_eq!(latest_at_or_before(&rule, *at), Some(*at), "{}", self.fields);
        }
        for pair in found.windows(2) {
            let just_before = pair[1].minus(chrono::Duration::seconds(1));
            assert_eq!(latest_at_or_before(&rule, just_before), Some(pair[0]), "{}", self.fields);
        }
        found.iter().map(|at| at.micros() / 1_000_000).collect()
    }
}

#[test]
fn python_reads_the_rules_the_same_way() {
    let python = settings::oracle_python().unwrap_or_else(|| {
        panic!(
            "The oracle needs a Python with zone data {release}. `bash tests/run.sh` makes one; by hand: \
             python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install tzdata=={package}, \
             then set TIDEGATE_TEST_ORACLE_PYTHON=/tmp/oracle/bin/python.",
            release = chrono_tz::IANA_TZDB_VERSION,
            package = pypi_version(chrono_tz::IANA_TZDB_VERSION),
        )
    });
    let full = settings::full();
    let mut dice = Dice(2026);
    let questions: Vec<Question> = (0..if full { 100_000 } else { 2_000 }).map(|_| dice.question()).collect();

    let mut oracle = Command::new(&python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/oracle.py"))
        .env_remove("PYTHONTZPATH")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("TIDEGATE_TEST_ORACLE_PYTHON={python:?} does not start: {e}"));
    let mut stdin = oracle.stdin.take().unwrap();
    let text: String = questions
        .iter()
        .map(|q| format!("{}\n", json!({"rule": q.rule(), "after": q.after, "until": q.until})))
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let mut lines = BufReader::new(oracle.stdout.take().unwrap()).lines();

    let hello: Value = serde_json::from_str(
        &lines.next().expect("the oracle says nothing; has its Python the tzdata package?").unwrap(),
    )
    .unwrap();
    assert_eq!(
        hello["release"],
        chrono_tz::IANA_TZDB_VERSION,
        "both sides must stand on one release of the zone database: pip install tzdata=={}",
        pypi_version(chrono_tz::IANA_TZDB_VERSION)
    );
    let mut answered = 0;
    let mut occurrences = 0;
    let mut differences = Vec::new();
    for (question, line) in questions.iter().zip(lines) {
        let theirs: Vec<i64> = serde_json::from_str(&line.unwrap()).unwrap();
        let ours = question.ours();
        if ours != theirs {
            differences.push(format!("{} after {}: {ours:?}, but {theirs:?}", question.fields, question.after));
        }
        answered += 1;
        occurrences += theirs.len();
    }
    writer.join().unwrap().unwrap();
    assert!(oracle.wait().unwrap().success());
    assert_eq!(answered, questions.len());
    assert!(occurrences > answered, "most schedules must have something to compare: {occurrences} of {answered}");
    assert!(
        differences.is_empty(),
        "{} of {answered} differ, first ours, then Python's:\n{}",
        differences.len(),
        differences[..differences.len().min(5)].join("\n")
    );
}

/// 2025b is 2025.2 on PyPI.
fn pypi_version(release: &str) -> String {
    let (year, letter) = release.split_at(4);
    let number = letter.bytes().next().map_or(1, |b| b - b'a' + 1);
    format!("{year}.{number}")
}
