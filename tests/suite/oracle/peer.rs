//! Where python-dateutil and zoneinfo keep the same rules they name the same instants: 1,000 random schedules here,
//! 20,000 when `TIDEGATE_TEST_FULL=1`. Where they differ, a test of its own shows both and says why ours is right.

use serde_json::{Value, json};
use tidegate::schedules::occurrences;

use super::{DAY, WEEKDAYS, a_change, ask, date, lay_over, moment, offset, repeat, rule, time, time_near, zone};
use crate::support::{Dice, settings};

/// A question that both sides must answer alike: by day, week and month near any change of clocks of less than two
/// hours, days of the month that every month has; minutes and hours stepping in UTC as rule 2 says, or on the wall
/// clock with a window of whole hours while the clocks stay as they are.
fn question(dice: &mut Dice) -> Option<Value> {
    let zone = zone(dice);
    let change = if dice.one_in(2) { a_change(dice, zone) } else { None };
    let change = change.filter(|at| *at < 46_000 * DAY);
    let near = change.map_or_else(|| dice.between(0, 46_000), |at| at / DAY);
    let time = match change.filter(|_| dice.one_in(2)) {
        Some(at) => time_near(dice, zone, at),
        None => time(dice),
    };
    let (repeat, more, mut reach) = repeat(dice);
    let mut fields = json!({"repeat": repeat, "start_time": time, "time_zone": zone});
    lay_over(&mut fields, more);
    let elapsed = repeat == "minutes" || (repeat == "hours" && fields["every"].is_null());
    let back = match repeat {
        "minutes" | "hours" => 3,
        _ => 4_000,
    };
    let start = (near - dice.between(0, back)).max(0);
    fields["start_date"] = json!(date(start));
    if elapsed {
        reach = 10;
    }
    let fixed = |from: i64, size: i64| {
        let zone: chrono_tz::Tz = zone.parse().unwrap();
        (from - 3..near + reach + 3).all(|day| (offset(zone, day + 1) - offset(zone, day)).abs() < size)
    };
    let mut step = "wall";
    if !elapsed {
        if repeat == "months" {
            let days = fields["days_of_month"].as_array().unwrap();
            fields["days_of_month"] =
                days.iter().map(|day| day.as_u64().map_or(json!("last"), |day| json!(day.min(28)))).collect();
        }
        if !fixed(near, 7_200) {
            return None;
        }
    } else if dice.one_in(2) {
        step = "instant";
    } else {
        if !fixed(start, 1) {
            return None;
        }
        let (from, to) = (dice.between(0, 22), dice.between(1, 24));
        let hour = |hour: i64| (hour % 24 != 0).then(|| format!("{hour:02}:00"));
        let weekdays = if from < to && dice.one_in(2) { json!(dice.some(&WEEKDAYS)) } else { Value::Null };
        if from != to {
            fields["window"] = json!({"from": hour(from), "to": hour(to), "weekdays": weekdays});
        }
    }
    if step == "wall" && repeat != "once" && dice.one_in(4) {
        fields["end_date"] = json!(date(near.max(start) + dice.between(0, 5)));
    }
    let after = near * DAY + dice.between(-2 * DAY, 2 * DAY);
    Some(json!({"rule": fields, "after": after, "until": after + reach * DAY, "step": step}))
}

/// Ours, in seconds since 1970.
fn instants(question: &Value) -> Vec<i64> {
    let second = |name: &str| moment(question[name].as_i64().unwrap());
    let rule = rule(&question["rule"]);
    let found = occurrences(&rule, second("after")).take_while(|at| *at <= second("until"));
    found.take(8).map(|at| at.micros() / 1_000_000).collect()
}

fn theirs(answer: Value) -> Vec<(String, i64)> {
    serde_json::from_value(answer).unwrap()
}

#[test]
fn dateutil_agrees_where_its_rules_are_ours() {
    let count = if settings::full() { 20_000 } else { 1_000 };
    let mut dice = Dice(29);
    let questions: Vec<Value> = std::iter::from_fn(|| Some(question(&mut dice))).flatten().take(count).collect();
    let answers = ask("peer.py", questions.iter().cloned());
    let (mut compared, mut differences) = (0, Vec::new());
    for (question, answer) in questions.iter().zip(answers) {
        let theirs: Vec<i64> = theirs(answer).into_iter().map(|(_, at)| at).collect();
        let ours = instants(question);
        compared += theirs.len();
        if ours != theirs {
            differences.push(format!("{question}: {ours:?}, but {theirs:?}"));
        }
    }
    println!("{count} schedules, {compared} occurrences");
    assert!(compared > 4 * count, "most schedules must have something to compare: {compared} of {count}");
    assert!(
        differences.is_empty(),
        "{} of {count} differ, first ours, then dateutil's:\n{}",
        differences.len(),
        differences[..differences.len().min(5)].join("\n")
    );
}

/// Ours on the schedule's own clock, and dateutil's as it names them, with what clocks show at that instant.
fn both(zone: &str, start: &str, fields: Value, days: (&str, &str), more: Value) -> (Vec<String>, Vec<String>) {
    let (start_date, start_time) = start.split_once(' ').unwrap();
    let mut rule_fields = json!({"start_date": start_date, "start_time": start_time, "time_zone": zone});
    lay_over(&mut rule_fields, fields);
    let second = |text: &str| crate::support::world::moment(text).micros() / 1_000_000;
    let mut question = json!({"rule": rule_fields, "after": second(days.0), "until": second(days.1)});
    lay_over(&mut question, more);
    let zone: chrono_tz::Tz = zone.parse().unwrap();
    let shown = |at: i64| moment(at).in_zone(zone).format("%Y-%m-%d %H:%M %:z").to_string();
    let ours = instants(&question).into_iter().map(shown).collect();
    let theirs = theirs(ask("peer.py", std::iter::once(question)).remove(0));
    (ours, theirs.into_iter().map(|(name, at)| format!("{name} = {}", shown(at))).collect())
}

/// Rule 8: a skipped time moves forward by what was skipped. zoneinfo places it on the same instant; the name that
/// dateutil gives it, 02:30, is shown by no clock that night, and a calendar that prints it lies.
#[test]
fn dateutil_names_a_time_that_does_not_exist() {
    let days = ("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z");
    let (ours, theirs) = both("Europe/Paris", "2026-01-01 02:30", json!({"repeat": "days"}), days, json!({}));
    assert_eq!(ours, ["2026-03-29 03:30 +02:00", "2026-03-30 02:30 +02:00"]);
    assert_eq!(theirs, ["2026-03-29 02:30 = 2026-03-29 03:30 +02:00", "2026-03-30 02:30 = 2026-03-30 02:30 +02:00"]);
}

/// Rule 2: minutes and hours step in elapsed time. On the wall clock the second 02:20 and 02:40 of the night in autumn
/// are not there: "every 20 minutes" leaves a hole of 80 minutes.
#[test]
fn dateutil_leaves_a_hole_when_an_hour_comes_twice() {
    let days = ("2026-10-25T00:15:00Z", "2026-10-25T02:00:00Z");
    let fields = json!({"repeat": "minutes", "every": 20});
    let (ours, theirs) = both("Europe/Paris", "2026-10-24 00:00", fields, days, json!({}));
    assert_eq!(
        ours,
        [
            "2026-10-25 02:20 +02:00",
            "2026-10-25 02:40 +02:00",
            "2026-10-25 02:00 +01:00",
            "2026-10-25 02:20 +01:00",
            "2026-10-25 02:40 +01:00",
            "2026-10-25 03:00 +01:00"
        ]
    );
    assert_eq!(
        theirs,
        [
            "2026-10-25 02:20 = 2026-10-25 02:20 +02:00",
            "2026-10-25 02:40 = 2026-10-25 02:40 +02:00",
            "2026-10-25 03:00 = 2026-10-25 03:00 +01:00"
        ]
    );
}

/// Rules 2 and 8: in spring the wall clock's 02:00, 02:30 and 03:00, 03:30 are two instants, each named twice, and
/// the list goes back in time. Ours strictly increases: each instant is one run.
#[test]
fn dateutil_repeats_instants_and_goes_back_in_time_when_an_hour_is_skipped() {
    let days = ("2026-03-29T00:15:00Z", "2026-03-29T02:00:00Z");
    let fields = json!({"repeat": "minutes", "every": 30});
    let (ours, theirs) = both("Europe/Paris", "2026-03-28 00:00", fields, days, json!({}));
    assert_eq!(
        ours,
        ["2026-03-29 01:30 +01:00", "2026-03-29 03:00 +02:00", "2026-03-29 03:30 +02:00", "2026-03-29 04:00 +02:00"]
    );
    assert_eq!(
        theirs,
        [
            "2026-03-29 01:30 = 2026-03-29 01:30 +01:00",
            "2026-03-29 02:00 = 2026-03-29 03:00 +02:00",
            "2026-03-29 02:30 = 2026-03-29 03:30 +02:00",
            "2026-03-29 03:00 = 2026-03-29 03:00 +02:00",
            "2026-03-29 03:30 = 2026-03-29 03:30 +02:00",
            "2026-03-29 04:00 = 2026-03-29 04:00 +02:00"
        ]
    );
}

/// Rule 6: a day that the month lacks becomes its last day. Whoever closes the books "on the 31st" means every month;
/// dateutil, as RFC 5545 asks, passes over five of them.
#[test]
fn dateutil_skips_the_months_that_have_no_day_31() {
    let fields = json!({"repeat": "months", "days_of_month": [31]});
    let days = ("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z");
    let (ours, theirs) = both("UTC", "2026-01-01 06:00", fields, days, json!({}));
    let days_of = |list: Vec<String>| -> Vec<String> { list.into_iter().map(|at| at[..10].to_owned()).collect() };
    assert_eq!(days_of(ours), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]);
    assert_eq!(days_of(theirs), ["2026-01-31", "2026-03-31", "2026-05-31"]);
}

/// The same rule for a year: dateutil waits four years for the next 29 February.
#[test]
fn dateutil_waits_for_a_leap_year() {
    let fields = json!({"repeat": "months", "days_of_month": [29], "months": [2]});
    let days = ("2026-01-01T00:00:00Z", "2032-12-31T00:00:00Z");
    let (ours, theirs) = both("UTC", "2024-02-29 12:00", fields, days, json!({}));
    let days_of = |list: Vec<String>| -> Vec<String> { list.into_iter().map(|at| at[..10].to_owned()).collect() };
    let every_year = ["2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"];
    assert_eq!(days_of(ours), every_year);
    assert_eq!(days_of(theirs), ["2028-02-29", "2032-02-29"]);
}

/// Rule 5: weeks begin on Monday, always. dateutil's do unless it is told otherwise, and a calendar whose weeks begin
/// on Sunday takes the Sunday before for one of the same week.
#[test]
fn dateutil_with_weeks_from_sunday_takes_other_days() {
    let fields = || json!({"repeat": "weeks", "every": 2, "weekdays": ["mon", "sun"]});
    let days = ("2026-01-01T00:00:00Z", "2026-02-01T12:00:00Z");
    // 2026-01-01 is a Thursday.
    let (ours, monday) = both("UTC", "2026-01-01 06:00", fields(), days, json!({"week_start": "mon"}));
    let (_, sunday) = both("UTC", "2026-01-01 06:00", fields(), days, json!({"week_start": "sun"}));
    let days_of = |list: Vec<String>| -> Vec<String> { list.into_iter().map(|at| at[..10].to_owned()).collect() };
    let weeks_from_monday = ["2026-01-04", "2026-01-12", "2026-01-18", "2026-01-26", "2026-02-01"];
    assert_eq!(days_of(ours), weeks_from_monday);
    assert_eq!(days_of(monday), weeks_from_monday);
    assert_eq!(days_of(sunday), ["2026-01-11", "2026-01-12", "2026-01-25", "2026-01-26"]);
}

/// Rule 8: occurrences that land on one instant are one. Apia has no 30 December 2011: what was meant for it lands on
/// the 31st, where there is a run already. dateutil names that instant twice; two imports at once help nobody.
#[test]
fn dateutil_runs_the_day_after_a_missing_day_twice() {
    let days = ("2011-12-29T12:00:00Z", "2012-01-01T00:00:00Z");
    let (ours, theirs) = both("Pacific/Apia", "2011-12-01 10:00", json!({"repeat": "days"}), days, json!({}));
    assert_eq!(ours, ["2011-12-29 10:00 -10:00", "2011-12-31 10:00 +14:00", "2012-01-01 10:00 +14:00"]);
    assert_eq!(
        theirs,
        [
            "2011-12-29 10:00 = 2011-12-29 10:00 -10:00",
            "2011-12-30 10:00 = 2011-12-31 10:00 +14:00",
            "2011-12-31 10:00 = 2011-12-31 10:00 +14:00",
            "2012-01-01 10:00 = 2012-01-01 10:00 +14:00"
        ]
    );
}

/// Rule 12: what comes next lies later. In Casey 02:00 became 05:00: the slots 02:00 and 04:00 land on 05:00 and
/// 07:00, around that of 06:00, and dateutil goes back from 07:00 to 06:00.
#[test]
fn dateutil_goes_back_in_time_when_more_is_skipped_than_lies_between() {
    let days = ("2009-10-17T15:30:00Z", "2009-10-18T00:00:00Z");
    let fields = json!({"repeat": "hours", "every": 2});
    let (ours, theirs) = both("Antarctica/Casey", "2009-10-17 00:00", fields, days, json!({}));
    let times = |list: Vec<String>, from: usize| -> Vec<String> {
        list.into_iter().map(|at| at[from..from + 5].to_owned()).collect()
    };
    assert_eq!(times(ours, 11), ["00:00", "05:00", "06:00", "07:00", "08:00", "10:00"]);
    assert_eq!(times(theirs, 30), ["00:00", "05:00", "07:00", "06:00", "08:00", "10:00"]);
}

/// Rule 7: the weekday of a window over midnight is that of the day on which it began. dateutil judges each run on its
/// own date, so that "Friday night" becomes the small hours of Friday and the late hours of Friday.
#[test]
fn dateutil_cuts_a_friday_night_in_two() {
    let window = json!({"weekdays": ["fri"], "from": "22:00", "to": "02:00"});
    let fields = json!({"repeat": "minutes", "every": 55, "window": window});
    let days = ("2026-01-01T12:00:00Z", "2026-01-04T00:00:00Z");
    let (ours, theirs) = both("UTC", "2026-01-01 00:00", fields, days, json!({}));
    let (ours, theirs): (Vec<_>, Vec<_>) =
        (ours.iter().map(|at| &at[..16]).collect(), theirs.iter().map(|at| &at[..16]).collect());
    assert_eq!(ours, ["2026-01-02 22:45", "2026-01-02 23:40", "2026-01-03 00:35", "2026-01-03 01:30"]);
    assert_eq!(theirs, ["2026-01-02 00:45", "2026-01-02 01:40", "2026-01-02 22:45", "2026-01-02 23:40"]);
}
