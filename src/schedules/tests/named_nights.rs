use serde_json::json;

use super::{at, clock, local, rule_in};
use crate::schedules::{latest_at_or_before, next_after};

fn daily(zone: &str, start: &str) -> crate::schedules::Rule {
    rule_in(zone, start, json!({"repeat": "days"}))
}

#[test]
fn paris_spring_moves_half_past_two_and_autumn_runs_it_the_first_time() {
    let rule = daily("Europe/Paris", "2026-01-01 02:30");
    assert_eq!(
        local(&rule, "2027-03-27T00:00:00Z", 3),
        ["2027-03-27 02:30 +01:00", "2027-03-28 03:30 +02:00", "2027-03-29 02:30 +02:00"]
    );
    assert_eq!(
        local(&rule, "2026-10-24T00:00:00Z", 3),
        ["2026-10-24 02:30 +02:00", "2026-10-25 02:30 +02:00", "2026-10-26 02:30 +01:00"]
    );
    // Between the two passes it has run already.
    assert_eq!(next_after(&rule, at("2026-10-25T01:00:00Z")), Some(at("2026-10-26T01:30:00Z")));
    assert_eq!(latest_at_or_before(&rule, at("2026-10-25T01:00:00Z")), Some(at("2026-10-25T00:30:00Z")));
}

#[test]
fn paris_hours_step_on_in_elapsed_time_and_slots_on_the_wall() {
    let hourly = rule_in("Europe/Paris", "2026-01-01 00:30", json!({"repeat": "hours"}));
    assert_eq!(
        local(&hourly, "2026-03-29T00:00:00Z", 3),
        ["2026-03-29 01:30 +01:00", "2026-03-29 03:30 +02:00", "2026-03-29 04:30 +02:00"]
    );
    assert_eq!(
        local(&hourly, "2026-10-24T23:00:00Z", 4),
        ["2026-10-25 01:30 +02:00", "2026-10-25 02:30 +02:00", "2026-10-25 02:30 +01:00", "2026-10-25 03:30 +01:00"]
    );
    let slots = rule_in("Europe/Paris", "2026-01-01 02:30", json!({"repeat": "hours", "every": 6}));
    assert_eq!(
        local(&slots, "2026-03-28T18:00:00Z", 3),
        ["2026-03-28 20:30 +01:00", "2026-03-29 03:30 +02:00", "2026-03-29 08:30 +02:00"]
    );
    assert_eq!(
        local(&slots, "2026-10-24T18:00:00Z", 3),
        ["2026-10-24 20:30 +02:00", "2026-10-25 02:30 +02:00", "2026-10-25 08:30 +01:00"]
    );
    let minutes = rule_in("Europe/Paris", "2026-10-24 00:00", json!({"repeat": "minutes", "every": 40}));
    assert_eq!(
        local(&minutes, "2026-10-25T00:00:00Z", 4),
        ["2026-10-25 02:00 +02:00", "2026-10-25 02:40 +02:00", "2026-10-25 02:20 +01:00", "2026-10-25 03:00 +01:00"]
    );
}

#[test]
fn new_york() {
    let rule = daily("America/New_York", "2026-01-01 02:15");
    assert_eq!(local(&rule, "2026-03-08T00:00:00Z", 2), ["2026-03-08 03:15 -04:00", "2026-03-09 02:15 -04:00"]);
    let rule = daily("America/New_York", "2026-01-01 01:15");
    assert_eq!(local(&rule, "2026-11-01T04:00:00Z", 2), ["2026-11-01 01:15 -04:00", "2026-11-02 01:15 -05:00"]);
}

#[test]
fn lord_howe_moves_by_half_an_hour() {
    let rule = daily("Australia/Lord_Howe", "2026-01-01 02:15");
    assert_eq!(local(&rule, "2026-10-03T00:00:00Z", 2), ["2026-10-04 02:45 +11:00", "2026-10-05 02:15 +11:00"]);
    let rule = daily("Australia/Lord_Howe", "2026-01-01 01:45");
    assert_eq!(local(&rule, "2026-04-04T12:00:00Z", 2), ["2026-04-05 01:45 +11:00", "2026-04-06 01:45 +10:30"]);
}

#[test]
fn lord_howe_hours_go_on_at_another_minute() {
    let hourly = rule_in("Australia/Lord_Howe", "2026-10-01 00:15", json!({"repeat": "hours"}));
    assert_eq!(
        local(&hourly, "2026-10-03T14:30:00Z", 3),
        ["2026-10-04 01:15 +10:30", "2026-10-04 02:45 +11:00", "2026-10-04 03:45 +11:00"]
    );
    let minutes = rule_in("Australia/Lord_Howe", "2026-04-05 01:00", json!({"repeat": "minutes", "every": 20}));
    assert_eq!(
        local(&minutes, "2026-04-04T14:20:00Z", 5),
        [
            "2026-04-05 01:20 +11:00",
            "2026-04-05 01:40 +11:00",
            "2026-04-05 01:30 +10:30",
            "2026-04-05 01:50 +10:30",
            "2026-04-05 02:10 +10:30"
        ]
    );
}

#[test]
fn cairo_has_half_past_eleven_twice_in_autumn() {
    // At the end of Thursday 29 October the clocks go from midnight back to 23:00.
    let rule = daily("Africa/Cairo", "2026-01-01 23:30");
    assert_eq!(
        local(&rule, "2026-10-28T12:00:00Z", 3),
        ["2026-10-28 23:30 +03:00", "2026-10-29 23:30 +03:00", "2026-10-30 23:30 +02:00"]
    );
    let fields = json!({"repeat": "minutes", "every": 30, "end_date": "2026-10-29"});
    let minutes = rule_in("Africa/Cairo", "2026-10-29 23:00", fields);
    assert_eq!(
        local(&minutes, "2026-01-01T00:00:00Z", 9),
        ["2026-10-29 23:00 +03:00", "2026-10-29 23:30 +03:00", "2026-10-29 23:00 +02:00", "2026-10-29 23:30 +02:00"]
    );
}

#[test]
fn cairo_has_no_midnight_in_spring() {
    let rule = daily("Africa/Cairo", "2026-01-01 00:00");
    assert_eq!(
        local(&rule, "2026-04-22T22:00:00Z", 3),
        ["2026-04-23 00:00 +02:00", "2026-04-24 01:00 +03:00", "2026-04-25 00:00 +03:00"]
    );
    // An end on the 23rd stops a grid of minutes at the first instant of the 24th, which is 01:00.
    let fields = json!({"repeat": "minutes", "every": 30, "end_date": "2026-04-23"});
    let minutes = rule_in("Africa/Cairo", "2026-04-23 23:00", fields);
    assert_eq!(clock(&minutes, "2026-01-01T00:00:00Z", 9), ["2026-04-23 23:00", "2026-04-23 23:30"]);
    // A daily rule is judged on its slot: 00:00 on the 24th counts as the 24th.
    let ends = rule_in("Africa/Cairo", "2026-04-22 00:30", json!({"repeat": "days", "end_date": "2026-04-24"}));
    assert_eq!(clock(&ends, "2026-01-01T00:00:00Z", 9), ["2026-04-22 00:30", "2026-04-23 00:30", "2026-04-24 01:30"]);
}

#[test]
fn an_end_holds_where_midnight_comes_back() {
    // In St John's in 2010 the clocks went from 00:01 back to 23:01 of the day before.
    let fields = json!({"repeat": "minutes", "every": 20, "end_date": "2010-11-06"});
    let rule = rule_in("America/St_Johns", "2010-11-06 23:10", fields);
    assert_eq!(clock(&rule, "2010-01-01T00:00:00Z", 9), ["2010-11-06 23:10", "2010-11-06 23:30", "2010-11-06 23:50"]);
}

#[test]
fn sao_paulo_had_summer_time_until_2019() {
    let rule = daily("America/Sao_Paulo", "2018-01-01 00:00");
    assert_eq!(
        local(&rule, "2018-11-03T00:00:00Z", 3),
        ["2018-11-03 00:00 -03:00", "2018-11-04 01:00 -02:00", "2018-11-05 00:00 -02:00"]
    );
    assert_eq!(local(&rule, "2019-11-03T00:00:00Z", 1), ["2019-11-03 00:00 -03:00"]);
    // It ended at midnight: the hour before came twice.
    let rule = daily("America/Sao_Paulo", "2018-01-01 23:30");
    assert_eq!(local(&rule, "2018-02-17T12:00:00Z", 2), ["2018-02-17 23:30 -02:00", "2018-02-18 23:30 -03:00"]);
    // The summer time of 1985 began on a Saturday.
    let rule = daily("America/Sao_Paulo", "1985-11-01 00:00");
    assert_eq!(local(&rule, "1985-11-01T12:00:00Z", 2), ["1985-11-02 01:00 -02:00", "1985-11-03 00:00 -02:00"]);
}

#[test]
fn kathmandu_lies_a_quarter_off() {
    let rule = daily("Asia/Kathmandu", "2026-01-01 00:00");
    assert_eq!(next_after(&rule, at("2026-06-01T00:00:00Z")), Some(at("2026-06-01T18:15:00Z")));
    // In 1986 the clocks went forward by 15 minutes at midnight.
    let rule = daily("Asia/Kathmandu", "1985-12-31 00:05");
    assert_eq!(local(&rule, "1985-12-31T12:00:00Z", 2), ["1986-01-01 00:20 +05:45", "1986-01-02 00:05 +05:45"]);
    let hourly = rule_in("Asia/Kathmandu", "1985-12-31 22:30", json!({"repeat": "hours"}));
    assert_eq!(
        local(&hourly, "1985-12-31T12:00:00Z", 3),
        ["1985-12-31 22:30 +05:30", "1985-12-31 23:30 +05:30", "1986-01-01 00:45 +05:45"]
    );
}

#[test]
fn apia_has_no_30_december_2011() {
    let rule = daily("Pacific/Apia", "2011-12-28 10:00");
    assert_eq!(
        local(&rule, "2011-12-01T00:00:00Z", 4),
        ["2011-12-28 10:00 -10:00", "2011-12-29 10:00 -10:00", "2011-12-31 10:00 +14:00", "2012-01-01 10:00 +14:00"]
    );
    // What is skipped lands a day later, on a Saturday, and on what is there already.
    let fridays = rule_in("Pacific/Apia", "2011-12-01 10:00", json!({"repeat": "weeks", "weekdays": ["fri"]}));
    assert_eq!(clock(&fridays, "2011-12-24T00:00:00Z", 2), ["2011-12-31 10:00", "2012-01-06 10:00"]);
    let slots = rule_in("Pacific/Apia", "2011-12-28 22:00", json!({"repeat": "hours", "every": 4}));
    assert_eq!(
        clock(&slots, "2011-12-29T22:00:00Z", 9)[..7],
        [
            "2011-12-29 14:00",
            "2011-12-29 18:00",
            "2011-12-29 22:00",
            "2011-12-31 02:00",
            "2011-12-31 06:00",
            "2011-12-31 10:00",
            "2011-12-31 14:00"
        ]
    );
    let hourly = rule_in("Pacific/Apia", "2011-12-28 00:30", json!({"repeat": "hours"}));
    assert_eq!(clock(&hourly, "2011-12-30T09:00:00Z", 2), ["2011-12-29 23:30", "2011-12-31 00:30"]);
}

#[test]
fn apia_starts_on_the_missing_day() {
    let slots = rule_in("Pacific/Apia", "2011-12-30 10:00", json!({"repeat": "hours", "every": 4}));
    assert_eq!(clock(&slots, "2011-12-01T00:00:00Z", 2), ["2011-12-31 10:00", "2011-12-31 14:00"]);
    assert_eq!(latest_at_or_before(&slots, at("2011-12-30T19:00:00Z")), None);
}

#[test]
fn casey_skips_three_hours_so_that_slots_land_out_of_order() {
    // 2009-10-18 02:00 became 05:00: the slots 02:00 and 04:00 land on 05:00 and 07:00, around that of 06:00.
    let slots = rule_in("Antarctica/Casey", "2009-10-01 00:00", json!({"repeat": "hours", "every": 2}));
    assert_eq!(
        clock(&slots, "2009-10-17T16:00:00Z", 5),
        ["2009-10-18 00:00", "2009-10-18 05:00", "2009-10-18 06:00", "2009-10-18 07:00", "2009-10-18 08:00"]
    );
}

#[test]
fn a_29th_of_february() {
    let once = rule_in("Europe/Paris", "2028-02-29 06:00", json!({"repeat": "once"}));
    assert_eq!(clock(&once, "2026-01-01T00:00:00Z", 2), ["2028-02-29 06:00"]);
    // 366 days later there is no such day.
    let rare = rule_in("Europe/Paris", "2024-02-29 06:00", json!({"repeat": "days", "every": 366}));
    assert_eq!(clock(&rare, "2024-01-01T00:00:00Z", 3), ["2024-02-29 06:00", "2025-03-01 06:00", "2026-03-02 06:00"]);
    let monthly = rule_in("Europe/Paris", "2027-12-01 06:00", json!({"repeat": "months", "days_of_month": [29]}));
    assert_eq!(
        clock(&monthly, "2027-12-01T00:00:00Z", 4),
        ["2027-12-29 06:00", "2028-01-29 06:00", "2028-02-29 06:00", "2028-03-29 06:00"]
    );
    assert_eq!(clock(&monthly, "2029-02-01T00:00:00Z", 1), ["2029-02-28 06:00"]);
    // 2000 was a leap year; the century after, which is out of reach, is not.
    let century = rule_in("UTC", "2000-02-01 06:00", json!({"repeat": "months", "days_of_month": ["last"]}));
    assert_eq!(clock(&century, "2000-02-01T00:00:00Z", 1), ["2000-02-29 06:00"]);
    // The end on a day that only leap years have is inclusive.
    let ends = rule_in("UTC", "2028-02-28 06:00", json!({"repeat": "days", "end_date": "2028-02-29"}));
    assert_eq!(clock(&ends, "2028-01-01T00:00:00Z", 9), ["2028-02-28 06:00", "2028-02-29 06:00"]);
}

#[test]
fn day_31_in_every_month_of_a_year() {
    let rule = rule_in("America/New_York", "2027-01-01 06:00", json!({"repeat": "months", "days_of_month": [31]}));
    let days: Vec<String> =
        clock(&rule, "2027-01-01T12:00:00Z", 12).into_iter().map(|at| at[5..10].to_owned()).collect();
    assert_eq!(
        days,
        ["01-31", "02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30", "12-31"]
    );
    // With its neighbours and Last the end of a short month is one run.
    let fields = json!({"repeat": "months", "days_of_month": [30, 31, "last"]});
    let several = rule_in("UTC", "2027-01-01 06:00", fields);
    assert_eq!(
        clock(&several, "2027-01-01T00:00:00Z", 6),
        [
            "2027-01-30 06:00",
            "2027-01-31 06:00",
            "2027-02-28 06:00",
            "2027-03-30 06:00",
            "2027-03-31 06:00",
            "2027-04-30 06:00"
        ]
    );
    // A month that ends on the night of a clock change: 31 March 2024 in Paris, where 02:30 was skipped.
    let skipped = rule_in("Europe/Paris", "2024-03-01 02:30", json!({"repeat": "months", "days_of_month": [31]}));
    assert_eq!(local(&skipped, "2024-03-01T00:00:00Z", 2), ["2024-03-31 03:30 +02:00", "2024-04-30 02:30 +02:00"]);
}
