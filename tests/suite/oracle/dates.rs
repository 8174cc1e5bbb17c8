//! Relative dates against Python (`tests/oracle/dates.py`), which walks the calendar where ours reckons: 4,000 random
//! instants and expressions here, 100,000 when `TIDEGATE_TEST_FULL=1`. That each kind of expression and each oddity of the
//! calendar is among them is counted.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde_json::json;
use tidegate::parameters::relative::RelativeDate;

use super::{DAY, a_change, ask, moment, zone};
use crate::support::{Dice, settings};

const LONG: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const PERIODS: [&str; 4] = ["week", "month", "quarter", "year"];

struct Question {
    kind: &'static str,
    text: String,
    at: i64,
    zone: &'static str,
}

/// "last month", "-2m", "3 months ago".
fn period(dice: &mut Dice, unit: &str) -> String {
    let (count, letter) = (dice.between(0, 14), &unit[..1]);
    match dice.between(1, 7) {
        1 => unit.to_owned(),
        2 => format!("this {unit}"),
        3 => format!("last {unit}"),
        4 => format!("next {unit}"),
        5 => format!("{}{count}{letter}", if dice.one_in(3) { "+" } else { "-" }),
        6 => format!("{count} {unit}s ago"),
        _ => format!("in {count} {unit}s"),
    }
}

/// "-3d", as it may stand alone or behind another.
fn step(dice: &mut Dice) -> String {
    let (letter, most) = dice.pick(&[("d", 800), ("w", 120), ("m", 60), ("q", 20), ("y", 30)]);
    format!("{}{}{letter}", if dice.one_in(3) { "+" } else { "-" }, dice.between(0, most))
}

fn expression(dice: &mut Dice) -> (&'static str, String) {
    let weekday = dice.pick(&LONG);
    let (kind, base) = match dice.between(1, 13) {
        1 => ("today and its neighbours", dice.pick(&["today", "yesterday", "tomorrow"]).to_owned()),
        2..=4 => ("so far away", step(dice)),
        5 | 6 => {
            let unit = dice.pick(&PERIODS);
            ("start or end of", format!("{} of {}", dice.pick(&["start", "end"]), period(dice, unit)))
        }
        7 => {
            let unit = dice.pick(&PERIODS);
            ("first or last day of", format!("{} day of {}", dice.pick(&["first", "last"]), period(dice, unit)))
        }
        8 => ("a weekday of a week", format!("{weekday} of {}", period(dice, "week"))),
        9 => ("a weekday", weekday.to_owned()),
        10 => ("the last or next weekday", format!("{} {weekday}", dice.pick(&["last", "next"]))),
        11 => ("a day of a month", format!("day {} of {}", dice.between(1, 31), period(dice, "month"))),
        12 => {
            let nth = dice.pick(&["first", "second", "third", "fourth", "last"]);
            ("a weekday of a month", format!("{nth} {weekday} of {}", period(dice, "month")))
        }
        _ => ("a date", super::date(dice.between(0, super::LAST_DAY))),
    };
    // Nothing is added to a date that is one.
    if kind == "a date" || !dice.one_in(3) {
        return (kind, base);
    }
    let added: String = (0..dice.between(1, 3)).map(|_| format!(" {}", step(dice))).collect();
    ("with something added", format!("{base}{added}"))
}

/// In any zone; often near a change of its clocks, a month's end, a year's or a 29th of February.
fn question(dice: &mut Dice) -> Question {
    let (zone, (kind, text)) = (zone(dice), expression(dice));
    let change = if dice.one_in(4) { a_change(dice, zone) } else { None };
    let at = match (change, dice.between(1, 4)) {
        (Some(at), _) => at + dice.between(-DAY, DAY),
        // 1972-02-29 and the same day of every fourth year, but for a few days.
        (None, 1) => (789 + 1_461 * dice.between(0, 31)) * DAY + dice.between(-3 * DAY, 3 * DAY),
        (None, 2) => month_end(dice) * DAY + dice.between(-DAY, DAY),
        _ => dice.between(DAY, 47_000 * DAY),
    };
    Question { kind, text, at: at.max(DAY), zone }
}

fn month_end(dice: &mut Dice) -> i64 {
    let first = NaiveDate::from_ymd_opt(dice.between(1971, 2099) as i32, dice.between(1, 12) as u32, 1).unwrap();
    i64::from(first.num_days_from_ce() - NaiveDate::from_ymd_opt(1970, 1, 1).unwrap().num_days_from_ce())
}

impl Question {
    fn today(&self) -> NaiveDate {
        moment(self.at).in_zone(self.zone.parse().unwrap()).date_naive()
    }

    fn ours(&self) -> Option<String> {
        let read = RelativeDate::parse(&self.text).unwrap_or_else(|why| panic!("{}: {why}", self.text));
        read.on(self.today()).map(|day| day.to_string())
    }

    /// What this one puts to the test.
    fn puts(&self, found: Option<&str>) -> Vec<&'static str> {
        let today = self.today();
        let last_of_month = today.succ_opt().is_some_and(|next| next.day() == 1);
        let more = [
            ("another day than in UTC", today != moment(self.at).utc().date_naive()),
            ("on a month's last day", last_of_month),
            ("on a 29th of February", (today.month(), today.day()) == (2, 29)),
            ("gives a 29th of February", found.is_some_and(|day| day.ends_with("-02-29"))),
            ("on a Sunday", today.weekday() == chrono::Weekday::Sun),
        ];
        [self.kind].into_iter().chain(more.into_iter().filter_map(|(name, does)| does.then_some(name))).collect()
    }
}

#[test]
fn python_reads_relative_dates_the_same_way() {
    let count = if settings::full() { 100_000 } else { 4_000 };
    let seed = settings::seed();
    let mut dice = Dice(seed);
    let questions: Vec<Question> = (0..count).map(|_| question(&mut dice)).collect();
    let asked = questions.iter().map(|q| json!({"text": q.text, "at": q.at, "zone": q.zone}));
    let answers = ask("dates.py", asked);
    let mut differences = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (question, theirs) in questions.iter().zip(answers) {
        let (ours, theirs) = (question.ours(), theirs.as_str());
        if ours.as_deref() != theirs {
            let Question { text, at, zone, .. } = question;
            differences.push(format!("{text} at {} in {zone}: {ours:?}, but {theirs:?}", moment(*at).rfc3339()));
        }
        question.puts(theirs).into_iter().for_each(|name| *seen.entry(name).or_default() += 1);
    }
    println!("{count} dates; {seen:#?}");
    assert!(seen.len() == 16 && seen.values().all(|n| *n >= count / 500), "not everything was tried: {seen:#?}");
    assert!(
        differences.is_empty(),
        "seed {seed}: {} of {count} differ, first ours, then Python's:\n{}",
        differences.len(),
        differences[..differences.len().min(9)].join("\n")
    );
}
