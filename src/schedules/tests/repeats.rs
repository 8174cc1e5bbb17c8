use serde_json::json;

use super::{at, clock, local, rule_in};
use crate::schedules::{first_at_or_after, latest_at_or_before, next_after, occurrences};

const PARIS: &str = "Europe/Paris";

#[test]
fn once_is_one_instant() {
    let rule = rule_in(PARIS, "2026-10-11 02:30", json!({"repeat": "once"}));
    assert_eq!(local(&rule, "2026-01-01T00:00:00Z", 3), ["2026-10-11 02:30 +02:00"]);
    let instant = at("2026-10-11T00:30:00Z");
    assert_eq!(first_at_or_after(&rule, instant), Some(instant));
    assert_eq!(next_after(&rule, instant), None);
    assert_eq!(latest_at_or_before(&rule, at("2026-10-11T00:29:59Z")), None);
    assert_eq!(latest_at_or_before(&rule, at("2030-01-01T00:00:00Z")), Some(instant));
}

#[test]
fn parts_of_a_second_are_after_the_second() {
    let rule = rule_in("UTC", "2026-01-01 00:00", json!({"repeat": "minutes", "every": 5}));
    let second = at("2026-01-01T00:05:00Z");
    assert_eq!(first_at_or_after(&rule, at("2026-01-01T00:04:59.999999Z")), Some(second));
    assert_eq!(first_at_or_after(&rule, at("2026-01-01T00:05:00.000001Z")), Some(at("2026-01-01T00:10:00Z")));
    assert_eq!(next_after(&rule, at("2026-01-01T00:04:59.999999Z")), Some(second));
    assert_eq!(latest_at_or_before(&rule, at("2026-01-01T00:05:00.000001Z")), Some(second));
    assert_eq!(latest_at_or_before(&rule, at("2026-01-01T00:04:59.999999Z")), Some(at("2026-01-01T00:00:00Z")));
}

#[test]
fn minutes_step_in_elapsed_time_over_both_clock_changes() {
    let rule = rule_in(PARIS, "2026-01-01 00:00", json!({"repeat": "minutes", "every": 25}));
    for day in ["2026-03-28T23:00:00Z", "2026-10-24T22:00:00Z"] {
        let list: Vec<_> = occurrences(&rule, at(day)).take(40).collect();
        assert!(list.windows(2).all(|pair| pair[1].since(pair[0]).num_minutes() == 25));
    }
}

#[test]
fn hourly_runs_both_hours_of_autumn_and_skips_none_in_spring() {
    let rule = rule_in(PARIS, "2026-01-01 00:30", json!({"repeat": "hours"}));
    assert_eq!(
        local(&rule, "2026-10-24T23:45:00Z", 3),
        ["2026-10-25 02:30 +02:00", "2026-10-25 02:30 +01:00", "2026-10-25 03:30 +01:00"]
    );
    assert_eq!(local(&rule, "2026-03-29T00:00:00Z", 2), ["2026-03-29 01:30 +01:00", "2026-03-29 03:30 +02:00"]);
}

#[test]
fn every_six_hours_keeps_its_slots_all_year() {
    let rule = rule_in(PARIS, "2026-01-01 13:00", json!({"repeat": "hours", "every": 6}));
    assert_eq!(
        clock(&rule, "2026-01-01T00:00:00Z", 4),
        ["2026-01-01 13:00", "2026-01-01 19:00", "2026-01-02 01:00", "2026-01-02 07:00"]
    );
    for from in ["2026-03-28T23:00:00Z", "2026-10-24T22:00:00Z", "2026-07-01T00:00:00Z"] {
        assert!(clock(&rule, from, 12).iter().all(|t| ["01:00", "07:00", "13:00", "19:00"].contains(&&t[11..])));
    }
}

#[test]
fn every_two_hours_moves_a_skipped_slot_and_runs_a_repeated_one_once() {
    let rule = rule_in(PARIS, "2026-01-01 00:30", json!({"repeat": "hours", "every": 2}));
    assert_eq!(
        clock(&rule, "2026-03-28T23:00:00Z", 4),
        ["2026-03-29 00:30", "2026-03-29 03:30", "2026-03-29 04:30", "2026-03-29 06:30"]
    );
    assert_eq!(local(&rule, "2026-10-25T00:00:00Z", 2), ["2026-10-25 02:30 +02:00", "2026-10-25 04:30 +01:00"]);
}

#[test]
fn daily_counts_calendar_days_from_the_start() {
    let rule = rule_in(PARIS, "2026-02-27 06:00", json!({"repeat": "days", "every": 3}));
    assert_eq!(clock(&rule, "2020-01-01T00:00:00Z", 3), ["2026-02-27 06:00", "2026-03-02 06:00", "2026-03-05 06:00"]);
    let yearly = rule_in(PARIS, "2024-01-01 00:00", json!({"repeat": "days", "every": 366}));
    assert_eq!(clock(&yearly, "2024-01-01T00:00:00Z", 2), ["2025-01-01 00:00", "2026-01-02 00:00"]);
    assert_eq!(clock(&yearly, "2023-12-31T23:00:00Z", 1), ["2024-01-01 00:00"]);
}

#[test]
fn weekly_counts_weeks_from_monday_of_the_week_of_the_start() {
    // 2026-10-11 is a Sunday: its week began on the 5th, so the next week that counts begins on the 19th.
    let rule = rule_in(PARIS, "2026-10-11 02:30", json!({"repeat": "weeks", "every": 2, "weekdays": ["thu", "sun"]}));
    assert_eq!(
        clock(&rule, "2020-01-01T00:00:00Z", 5),
        ["2026-10-11 02:30", "2026-10-22 02:30", "2026-10-25 02:30", "2026-11-05 02:30", "2026-11-08 02:30"]
    );
}

#[test]
fn weekly_every_week_and_every_year() {
    let rule = rule_in("UTC", "2026-01-01 09:00", json!({"repeat": "weeks", "weekdays": ["mon", "fri"]}));
    assert_eq!(clock(&rule, "2026-01-01T00:00:00Z", 3), ["2026-01-02 09:00", "2026-01-05 09:00", "2026-01-09 09:00"]);
    let rare = rule_in("UTC", "2026-01-01 09:00", json!({"repeat": "weeks", "every": 52, "weekdays": ["mon"]}));
    assert_eq!(clock(&rare, "2026-01-01T00:00:00Z", 2), ["2026-12-28 09:00", "2027-12-27 09:00"]);
}

#[test]
fn monthly_takes_the_last_day_for_one_that_the_month_lacks() {
    let rule = rule_in(PARIS, "2026-01-31 06:00", json!({"repeat": "months", "days_of_month": [31]}));
    assert_eq!(
        clock(&rule, "2026-01-01T00:00:00Z", 4),
        ["2026-01-31 06:00", "2026-02-28 06:00", "2026-03-31 06:00", "2026-04-30 06:00"]
    );
}

#[test]
fn monthly_on_several_days_runs_once_where_they_fall_together() {
    let fields = json!({"repeat": "months", "days_of_month": [28, 29, 30, "last"], "months": [2, 4]});
    let rule = rule_in("UTC", "2027-01-01 00:00", fields);
    assert_eq!(
        clock(&rule, "2027-01-01T00:00:00Z", 6),
        [
            "2027-02-28 00:00",
            "2027-04-28 00:00",
            "2027-04-29 00:00",
            "2027-04-30 00:00",
            "2028-02-28 00:00",
            "2028-02-29 00:00"
        ]
    );
}

#[test]
fn the_29th_of_february_waits_for_no_leap_year() {
    let rule = rule_in("UTC", "2026-01-01 12:00", json!({"repeat": "months", "days_of_month": [29], "months": [2]}));
    assert_eq!(clock(&rule, "2026-01-01T00:00:00Z", 3), ["2026-02-28 12:00", "2027-02-28 12:00", "2028-02-29 12:00"]);
}

#[test]
fn a_window_lets_minutes_through_from_included_to_excluded() {
    let window = json!({"weekdays": ["mon", "tue", "wed", "thu", "fri"], "from": "07:00", "to": "19:00"});
    let rule = rule_in(PARIS, "2026-10-01 00:00", json!({"repeat": "minutes", "every": 15, "window": window}));
    // 2026-10-23 is a Friday, and the clocks change on Sunday.
    assert_eq!(
        local(&rule, "2026-10-23T16:30:00Z", 3),
        ["2026-10-23 18:30 +02:00", "2026-10-23 18:45 +02:00", "2026-10-26 07:00 +01:00"]
    );
    assert_eq!(latest_at_or_before(&rule, at("2026-10-26T05:59:00Z")), Some(at("2026-10-23T16:45:00Z")));
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_began() {
    let window = json!({"weekdays": ["fri"], "from": "22:00", "to": "02:00"});
    let minutes = rule_in("UTC", "2026-01-01 00:00", json!({"repeat": "minutes", "every": 55, "window": window}));
    let hours = rule_in("UTC", "2026-01-01 01:00", json!({"repeat": "hours", "every": 2, "window": window}));
    assert!(clock(&minutes, "2026-01-01T00:00:00Z", 40).iter().all(|t| {
        let instant = at(&format!("{}:00Z", t.replace(' ', "T")));
        let day = instant.utc().format("%a").to_string();
        (day == "Fri" && &t[11..] >= "22:00") || (day == "Sat" && &t[11..] < "02:00")
    }));
    assert_eq!(clock(&hours, "2026-01-01T00:00:00Z", 3), ["2026-01-02 23:00", "2026-01-03 01:00", "2026-01-09 23:00"]);
}

#[test]
fn a_window_left_open_reaches_from_midnight_to_midnight() {
    let till = rule_in("UTC", "2026-01-01 00:00", json!({"repeat": "hours", "every": 12, "window": {"to": "06:00"}}));
    assert_eq!(clock(&till, "2026-01-01T00:00:00Z", 2), ["2026-01-01 00:00", "2026-01-02 00:00"]);
    let since = rule_in("UTC", "2026-01-01 00:00", json!({"repeat": "hours", "window": {"from": "22:30"}}));
    assert_eq!(clock(&since, "2026-01-01T00:00:00Z", 2), ["2026-01-01 23:00", "2026-01-02 23:00"]);
}

#[test]
fn a_window_narrower_than_the_step_is_met_when_the_grid_comes_by() {
    // 55 minutes come back to the same time of day every 11 days.
    let window = json!({"weekdays": ["sun"], "from": "07:00", "to": "07:05"});
    let rule = rule_in("UTC", "2026-01-01 07:00", json!({"repeat": "minutes", "every": 55, "window": window}));
    assert_eq!(clock(&rule, "2026-01-01T00:00:00Z", 2), ["2026-03-08 07:00", "2026-05-24 07:00"]);
    assert_eq!(latest_at_or_before(&rule, at("2026-05-24T06:59:00Z")), Some(at("2026-03-08T07:00:00Z")));
    assert_eq!(latest_at_or_before(&rule, at("2026-03-08T06:59:00Z")), None);
}

#[test]
fn a_window_that_the_grid_never_meets_has_no_occurrence() {
    let minutes = json!({"repeat": "minutes", "every": 5, "window": {"from": "07:01", "to": "07:04"}});
    let hours = json!({"repeat": "hours", "every": 12, "window": {"from": "02:00", "to": "03:00"}});
    for fields in [minutes, hours] {
        let rule = rule_in("UTC", "2026-01-01 00:00", fields);
        assert_eq!(next_after(&rule, at("2026-01-01T00:00:00Z")), None);
        assert_eq!(latest_at_or_before(&rule, at("2090-01-01T00:00:00Z")), None);
        assert_eq!(rule.check_future(at("2026-01-01T00:00:00Z")).unwrap_err().0[0].field, "window");
    }
}

#[test]
fn the_window_of_minutes_is_judged_at_the_instant_and_that_of_slots_on_the_slot() {
    // In Paris 02:30 does not exist on 2026-03-29. The slot 02:30 is inside 02:00 to 03:00 and lands on 03:30.
    let window = json!({"from": "02:00", "to": "03:00"});
    let slots = rule_in(PARIS, "2026-03-28 02:30", json!({"repeat": "hours", "every": 2, "window": window}));
    assert_eq!(clock(&slots, "2026-03-28T00:00:00Z", 3), ["2026-03-28 02:30", "2026-03-29 03:30", "2026-03-30 02:30"]);
    let minutes = rule_in(PARIS, "2026-03-28 02:30", json!({"repeat": "minutes", "every": 30, "window": window}));
    assert_eq!(
        clock(&minutes, "2026-03-28T00:00:00Z", 3),
        ["2026-03-28 02:30", "2026-03-30 02:00", "2026-03-30 02:30"]
    );
}

#[test]
fn the_end_is_inclusive_in_the_zone() {
    let rule = rule_in(PARIS, "2026-10-01 23:30", json!({"repeat": "days", "end_date": "2026-10-03"}));
    assert_eq!(clock(&rule, "2026-10-01T00:00:00Z", 9).len(), 3);
    let minutes =
        rule_in(PARIS, "2026-10-01 23:30", json!({"repeat": "minutes", "every": 15, "end_date": "2026-10-01"}));
    assert_eq!(clock(&minutes, "2026-10-01T00:00:00Z", 9), ["2026-10-01 23:30", "2026-10-01 23:45"]);
    assert_eq!(latest_at_or_before(&minutes, at("2099-01-01T00:00:00Z")), Some(at("2026-10-01T21:45:00Z")));
}

#[test]
fn nothing_occurs_after_2099() {
    let rule = rule_in("UTC", "2026-01-01 12:00", json!({"repeat": "days"}));
    assert_eq!(clock(&rule, "2099-12-31T00:00:00Z", 3), ["2099-12-31 12:00"]);
    let minutes = rule_in("Asia/Kathmandu", "2026-01-01 00:00", json!({"repeat": "minutes", "every": 55}));
    assert!(clock(&minutes, "2099-12-31T17:00:00Z", 9).iter().all(|t| t.starts_with("2099-12-31")));
    assert_eq!(next_after(&minutes, at("2200-01-01T00:00:00Z")), None);
    assert!(latest_at_or_before(&minutes, at("2200-01-01T00:00:00Z")).is_some());
}

#[test]
fn a_start_before_the_zone_reaches_1970_in_utc() {
    let rule = rule_in("Asia/Kathmandu", "1970-01-01 00:00", json!({"repeat": "hours", "every": 12}));
    assert_eq!(local(&rule, "1960-01-01T00:00:00Z", 2), ["1970-01-01 00:00 +05:30", "1970-01-01 12:00 +05:30"]);
}
