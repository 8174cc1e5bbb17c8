//! Random schedules against the oracle: 2,000 here, 100,000 when `TIDEGATE_TEST_FULL=1`. That every rule and every
//! oddity is among them is counted, not hoped for.

use std::collections::BTreeMap;

use chrono::{Datelike, Duration};
use serde_json::{Value, json};
use tidegate::clock::Moment;
use tidegate::schedules::{first_at_or_after, latest_at_or_before, note, occurrences};

use super::{DAY, LAST_DAY, WEEKDAYS, a_change, ask, date, lay_over, moment, repeat, rule, time, time_near, zone};
use crate::support::{Dice, settings};

struct Question {
    fields: Value,
    after: i64,
    until: i64,
}

fn window(dice: &mut Dice) -> Value {
    if dice.one_in(3) {
        return Value::Null;
    }
    let (from, to) = (time(dice), time(dice));
    let weekdays = if dice.one_in(2) { json!(dice.some(&WEEKDAYS)) } else { Value::Null };
    match dice.between(1, 4) {
        1 if from != "00:00" => json!({"weekdays": weekdays, "from": from}),
        2 if to != "00:00" => json!({"weekdays": weekdays, "to": to}),
        _ if from != to => json!({"weekdays": weekdays, "from": from, "to": to}),
        _ => json!({"weekdays": weekdays}),
    }
}

/// A rule in any zone; half of them begin or go on near a change of its clocks, some at a 29th of February.
fn question(dice: &mut Dice) -> Question {
    let zone = zone(dice);
    let change = if dice.one_in(2) { a_change(dice, zone) } else { None };
    let near = change.map(|at| at / DAY).unwrap_or_else(|| match dice.between(1, 8) {
        // 1972-02-29 and the same day of every fourth year, but for a few days.
        1 => 789 + 1_461 * dice.between(0, 31) + dice.between(-3, 3),
        2 => LAST_DAY - dice.between(0, 400),
        _ => dice.between(0, 47_000),
    });
    let start = (near - if dice.one_in(2) { dice.between(0, 3) } else { dice.between(0, 4_000) }).max(0);
    let change = change.filter(|_| dice.one_in(2));
    let time = match change {
        Some(at) => time_near(dice, zone, at),
        None => time(dice),
    };
    let mut fields = json!({ "start_date": date(start), "start_time": time, "time_zone": zone });
    let (repeat, more, reach) = repeat(dice);
    fields["repeat"] = json!(repeat);
    lay_over(&mut fields, more);
    if ["minutes", "hours"].contains(&repeat) {
        fields["window"] = window(dice);
    }
    if change.is_some() && ["once", "days"].contains(&repeat) && dice.one_in(2) {
        fields["start_date"] = json!(date(near));
    }
    if repeat != "once" && dice.one_in(4) {
        fields["end_date"] = json!(date(near.max(start) + dice.between(0, 5)));
    }
    let after = match change {
        Some(at) => at - dice.between(1, 2 * DAY),
        None => near * DAY + dice.between(-2 * DAY, 2 * DAY),
    };
    Question { fields, after, until: after + reach * DAY }
}

impl Question {
    fn ours(&self) -> Vec<i64> {
        let rule = rule(&self.fields);
        let found: Vec<Moment> =
            occurrences(&rule, moment(self.after)).take_while(|at| *at <= moment(self.until)).take(3).collect();
        // The other ways to ask name the same instants.
        let first = first_at_or_after(&rule, moment(self.after + 1)).filter(|at| *at <= moment(self.until));
        assert_eq!(first, found.first().copied(), "{}", self.fields);
        for at in &found {
            assert_eq!(latest_at_or_before(&rule, *at), Some(*at), "{}", self.fields);
            assert_eq!(first_at_or_after(&rule, *at), Some(*at), "{}", self.fields);
        }
        for pair in found.windows(2) {
            let just_before = pair[1].minus(Duration::seconds(1));
            assert_eq!(latest_at_or_before(&rule, just_before), Some(pair[0]), "{}", self.fields);
        }
        found.iter().map(|at| at.micros() / 1_000_000).collect()
    }

    /// What this question puts to the test, by its rule and by what both sides found.
    fn puts(&self, found: &[i64]) -> Vec<&'static str> {
        let (fields, rule) = (&self.fields, rule(&self.fields));
        let mut puts = vec![match fields["repeat"].as_str().unwrap() {
            "once" => "once",
            "minutes" => "every n minutes",
            "hours" if fields["every"].is_null() => "every hour",
            "hours" => "every n hours",
            "days" => "every n days",
            "weeks" => "every n weeks",
            _ => "months",
        }];
        let window = &fields["window"];
        let (from, to) = (window["from"].as_str(), window["to"].as_str());
        let end = fields["end_date"].as_str();
        let locals: Vec<_> = found.iter().map(|at| moment(*at).in_zone(rule.time_zone())).collect();
        let notes: Vec<String> = found.iter().filter_map(|at| note(&rule, moment(*at))).collect();
        let says = |words: &str| notes.iter().any(|note| note.contains(words));
        let more = [
            ("a window over midnight", from.is_some() && to.is_some() && from > to),
            ("a window without an end", from.is_some() && to.is_none()),
            ("a window without a beginning", from.is_none() && to.is_some()),
            ("a window of weekdays", window["weekdays"].is_array()),
            ("a window of wall-clock slots", window.is_object() && fields["every"].as_i64() > Some(1)),
            ("the last day", fields["days_of_month"].as_array().is_some_and(|d| d.contains(&json!("last")))),
            ("several days of a month", fields["days_of_month"].as_array().is_some_and(|d| d.len() > 1)),
            ("chosen months", fields["months"].is_array()),
            ("a day that the month lacks", says("becomes the") || says("become the")),
            ("29 February", locals.iter().any(|at| (at.month(), at.day()) == (2, 29))),
            ("an end that is reached", end.is_some() && found.len() < 3),
            ("the end of 2099", locals.iter().any(|at| at.year() == 2099)),
            ("a time that clocks skip", says("does not exist")),
            ("a time that comes twice", says("happens twice")),
            (
                "an offset with odd minutes",
                found.iter().any(|at| super::offset(rule.time_zone(), at / DAY) % 3_600 != 0),
            ),
        ];
        puts.extend(more.into_iter().filter_map(|(name, does)| does.then_some(name)));
        puts
    }
}

#[test]
fn python_reads_the_rules_the_same_way() {
    let count = if settings::full() { 100_000 } else { 2_000 };
    let mut dice = Dice(2026);
    let questions: Vec<Question> = (0..count).map(|_| question(&mut dice)).collect();
    let asked = questions.iter().map(|q| json!({"rule": rule(&q.fields), "after": q.after, "until": q.until}));
    let answers = ask("oracle.py", asked);
    let (mut occurrences, mut differences) = (0, Vec::new());
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (question, theirs) in questions.iter().zip(answers) {
        let theirs: Vec<i64> = serde_json::from_value(theirs).unwrap();
        let ours = question.ours();
        if ours != theirs {
            differences.push(format!("{} after {}: {ours:?}, but {theirs:?}", question.fields, question.after));
        }
        occurrences += theirs.len();
        question.puts(&theirs).into_iter().for_each(|name| *seen.entry(name).or_default() += 1);
    }
    println!("{count} schedules, {occurrences} occurrences; {seen:#?}");
    assert!(occurrences > 2 * count, "most schedules must have something to compare: {occurrences} of {count}");
    assert!(
        seen.len() == 22 && seen.values().all(|n| *n >= count / 500),
        "not everything was put to the test: {seen:#?}"
    );
    assert!(
        differences.is_empty(),
        "{} of {count} differ, first ours, then Python's:\n{}",
        differences.len(),
        differences[..differences.len().min(5)].join("\n")
    );
}
