use serde_json::{Value, json};

use super::rule_in;
use crate::schedules::sentence::zone_and_end;
use crate::schedules::{bounds, headline, sentence};

#[test]
fn every_rule_reads_as_a_sentence() {
    let mon_fri = || json!(["mon", "tue", "wed", "thu", "fri"]);
    let cases: Vec<(&str, Value, &str)> = vec![
        ("2026-10-11 02:30", json!({"repeat": "once"}), "Once on Sun 11 Oct 2026 at 02:30"),
        ("2026-03-01 00:00", json!({"repeat": "once"}), "Once on Sun 1 Mar 2026 at 00:00"),
        ("2026-10-11 02:30", json!({"repeat": "minutes", "every": 5}), "Every 5 minutes"),
        ("2026-10-11 02:37", json!({"repeat": "minutes", "every": 55}), "Every 55 minutes"),
        (
            "2026-10-11 02:30",
            json!({"repeat": "minutes", "every": 15, "window": {"weekdays": mon_fri(), "from": "07:00", "to": "19:00"}}),
            "Every 15 minutes, 07:00 to 19:00, Monday to Friday",
        ),
        (
            "2026-10-11 02:30",
            json!({"repeat": "minutes", "every": 10, "window": {"from": "22:00", "to": "06:00"}}),
            "Every 10 minutes, 22:00 to 06:00 the next day",
        ),
        (
            "2026-10-11 02:30",
            json!({"repeat": "minutes", "every": 30, "window": {"weekdays": ["sat", "sun"]}}),
            "Every 30 minutes, Saturday and Sunday",
        ),
        (
            "2026-10-11 02:30",
            json!({"repeat": "minutes", "every": 20, "window": {"from": "18:00"}}),
            "Every 20 minutes, from 18:00 to midnight",
        ),
        (
            "2026-10-11 02:30",
            json!({"repeat": "minutes", "every": 20, "window": {"to": "06:00", "weekdays": ["mon"]}}),
            "Every 20 minutes, from midnight to 06:00, Monday",
        ),
        ("2026-10-11 02:30", json!({"repeat": "minutes", "every": 20, "window": {}}), "Every 20 minutes"),
        ("2026-10-11 02:30", json!({"repeat": "hours"}), "Every hour at :30"),
        ("2026-10-11 02:00", json!({"repeat": "hours", "every": 1}), "Every hour at :00"),
        (
            "2026-10-11 02:05",
            json!({"repeat": "hours", "window": {"from": "08:00", "to": "18:00"}}),
            "Every hour at :05, 08:00 to 18:00",
        ),
        ("2026-10-11 13:00", json!({"repeat": "hours", "every": 6}), "Every 6 hours from 01:00"),
        ("2026-10-11 23:45", json!({"repeat": "hours", "every": 2}), "Every 2 hours from 01:45"),
        ("2026-10-11 12:00", json!({"repeat": "hours", "every": 12}), "Every 12 hours from 00:00"),
        (
            "2026-10-11 00:00",
            json!({"repeat": "hours", "every": 3, "window": {"weekdays": ["mon", "wed", "fri"]}}),
            "Every 3 hours from 00:00, Monday, Wednesday and Friday",
        ),
        ("2026-10-11 03:00", json!({"repeat": "days"}), "Every day at 03:00"),
        ("2026-10-11 03:00", json!({"repeat": "days", "every": 2}), "Every 2 days at 03:00"),
        ("2026-10-11 03:00", json!({"repeat": "days", "every": 366}), "Every 366 days at 03:00"),
        ("2026-10-11 01:00", json!({"repeat": "weeks", "weekdays": mon_fri()}), "Every weekday at 01:00"),
        ("2026-10-11 01:00", json!({"repeat": "weeks", "weekdays": ["mon"]}), "Every Monday at 01:00"),
        (
            "2026-10-11 01:00",
            json!({"repeat": "weeks", "weekdays": ["sun", "sat"]}),
            "Every Saturday and Sunday at 01:00",
        ),
        (
            "2026-10-11 01:00",
            json!({"repeat": "weeks", "weekdays": ["mon", "wed", "fri"]}),
            "Every Monday, Wednesday and Friday at 01:00",
        ),
        (
            "2026-10-11 01:00",
            json!({"repeat": "weeks", "weekdays": ["tue", "wed", "thu"]}),
            "Every week, Tuesday to Thursday, at 01:00",
        ),
        (
            "2026-10-11 01:00",
            json!({"repeat": "weeks", "weekdays": ["mon", "tue", "wed", "sat"]}),
            "Every Monday to Wednesday and Saturday at 01:00",
        ),
        (
            "2026-10-11 01:00",
            json!({"repeat": "weeks", "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}),
            "Every day at 01:00",
        ),
        (
            "2026-10-11 01:00",
            json!({"repeat": "weeks", "every": 2, "weekdays": ["thu", "mon"]}),
            "Every 2 weeks on Monday and Thursday at 01:00",
        ),
        (
            "2026-10-11 01:00",
            json!({"repeat": "weeks", "every": 52, "weekdays": ["fri"]}),
            "Every 52 weeks on Friday at 01:00",
        ),
        (
            "2026-10-11 01:00",
            json!({"repeat": "weeks", "every": 2, "weekdays": mon_fri()}),
            "Every 2 weeks, Monday to Friday, at 01:00",
        ),
        (
            "2026-10-11 01:00",
            json!({"repeat": "weeks", "every": 3, "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}),
            "Every 3 weeks, every day of the week, at 01:00",
        ),
        ("2026-10-11 06:00", json!({"repeat": "months", "days_of_month": [1]}), "On day 1 of every month at 06:00"),
        (
            "2026-10-11 06:00",
            json!({"repeat": "months", "days_of_month": ["last"]}),
            "On the last day of every month at 06:00",
        ),
        (
            "2026-10-11 06:00",
            json!({"repeat": "months", "days_of_month": ["last", 1]}),
            "On day 1 and the last day of every month at 06:00",
        ),
        (
            "2026-10-11 06:00",
            json!({"repeat": "months", "days_of_month": [15, 1]}),
            "On days 1 and 15 of every month at 06:00",
        ),
        (
            "2026-10-11 06:00",
            json!({"repeat": "months", "days_of_month": [1, 2, 3, 4, 5, 20, "last"]}),
            "On days 1 to 5, 20 and the last day of every month at 06:00",
        ),
        (
            "2026-10-11 06:00",
            json!({"repeat": "months", "days_of_month": [31], "months": [1, 4, 7, 10]}),
            "On day 31 of January, April, July and October at 06:00",
        ),
        (
            "2026-10-11 06:00",
            json!({"repeat": "months", "days_of_month": [29], "months": [2]}),
            "On day 29 of every February at 06:00",
        ),
        (
            "2026-10-11 06:00",
            json!({"repeat": "months", "days_of_month": [1], "months": [1, 2, 3, 9, 10]}),
            "On day 1 of January to March, September and October at 06:00",
        ),
        (
            "2026-10-11 06:00",
            json!({"repeat": "months", "days_of_month": [10, 11], "months": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}),
            "On days 10 and 11 of every month at 06:00",
        ),
    ];
    for (start, fields, words) in cases {
        let rule = rule_in("Europe/Paris", start, fields);
        assert_eq!(headline(&rule), words);
        assert_eq!(sentence(&rule), format!("{words}, Europe/Paris"));
    }
}

#[test]
fn an_hourly_run_that_changes_its_minute_with_the_clocks_does_not_name_it() {
    let rule = rule_in("Australia/Lord_Howe", "2026-10-11 02:30", json!({"repeat": "hours"}));
    assert_eq!(headline(&rule), "Every hour from 02:30");
}

#[test]
fn bounds_say_the_start_and_the_end() {
    let bounds_of = |fields: Value| bounds(&rule_in("UTC", "2026-10-11 02:30", fields));
    assert_eq!(bounds_of(json!({"repeat": "once"})), "It runs once");
    assert_eq!(bounds_of(json!({"repeat": "days"})), "Starting Sun 11 Oct 2026, with no end date");
    assert_eq!(
        bounds_of(json!({"repeat": "days", "end_date": "2026-12-31"})),
        "Starting Sun 11 Oct 2026, until Thu 31 Dec 2026"
    );
    assert_eq!(
        bounds_of(json!({"repeat": "minutes", "every": 5})),
        "Starting Sun 11 Oct 2026 at 02:30, with no end date"
    );
}

#[test]
fn the_line_under_a_headline_names_another_zone_and_the_end() {
    let line =
        |zone: &str, fields: Value| zone_and_end(&rule_in(zone, "2026-10-11 02:30", fields), chrono_tz::Europe::Paris);
    assert_eq!(line("Europe/Paris", json!({"repeat": "once"})), "");
    assert_eq!(line("Europe/Paris", json!({"repeat": "days"})), "No end date");
    assert_eq!(line("Asia/Tokyo", json!({"repeat": "once"})), "Asia/Tokyo");
    assert_eq!(
        line("Asia/Tokyo", json!({"repeat": "days", "end_date": "2026-12-31"})),
        "Asia/Tokyo, until 31 Dec 2026"
    );
}
