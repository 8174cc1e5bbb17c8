use serde_json::{Value, json};

use super::{at, rule_in};
use crate::imports::Overlap;
use crate::schedules::{frequency_hint, local_rfc, note, preview};

/// The notes of the occurrences from an instant on.
fn notes(zone: &str, start: &str, fields: Value, from: &str, count: usize) -> Vec<Option<String>> {
    let rule = rule_in(zone, start, fields);
    preview(&rule, None, at(from), count).occurrences.into_iter().map(|o| o.note).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn clocks_that_go_back() {
    assert_eq!(
        notes("Europe/Paris", "2026-01-01 02:30", json!({"repeat": "days"}), "2026-10-24T00:00:00Z", 3),
        [None, some("Clocks go back: 02:30 happens twice. It runs once, the first time (UTC+2)."), None]
    );
    assert_eq!(
        notes("America/St_Johns", "2026-01-01 01:15", json!({"repeat": "once"}), "2025-10-24T00:00:00Z", 3),
        [None]
    );
    assert_eq!(
        notes("America/St_Johns", "2026-11-01 01:15", json!({"repeat": "once"}), "2025-10-24T00:00:00Z", 3),
        [some("Clocks go back: 01:15 happens twice. It runs once, the first time (UTC-2:30).")]
    );
}

#[test]
fn clocks_that_go_forward() {
    assert_eq!(
        notes("Europe/Paris", "2026-01-01 02:30", json!({"repeat": "days"}), "2027-03-27T00:00:00Z", 3),
        [None, some("Clocks go forward: 02:30 does not exist that day. It runs at 03:30."), None]
    );
    assert_eq!(
        notes("Pacific/Apia", "2011-12-30 10:00", json!({"repeat": "once"}), "2011-01-01T00:00:00Z", 1),
        [some("The calendar skips Fri 30 Dec 2011 there. It runs on Sat 31 Dec 2011 at 10:00.")]
    );
    // Where the slot of the day after is there too, nothing is altered that day.
    assert_eq!(
        notes("Pacific/Apia", "2011-12-29 10:00", json!({"repeat": "days"}), "2011-01-01T00:00:00Z", 3),
        [None, None, None]
    );
}

#[test]
fn steps_of_elapsed_time_say_which_of_the_two_hours_it_is() {
    assert_eq!(
        notes("Europe/Paris", "2026-01-01 00:30", json!({"repeat": "hours"}), "2026-10-24T23:00:00Z", 4),
        [
            None,
            some("Clocks go back: 02:30 happens twice. This is the first of the two (UTC+2)."),
            some("Clocks go back: 02:30 happens twice. This is the second of the two (UTC+1)."),
            None
        ]
    );
    assert_eq!(
        notes("Europe/Paris", "2026-03-29 02:30", json!({"repeat": "minutes", "every": 30}), "2026-01-01T00:00:00Z", 2),
        [some("Clocks go forward: 02:30 does not exist that day. It runs at 03:30."), None]
    );
}

#[test]
fn months_that_lack_a_day() {
    let monthly = |days: Value| json!({"repeat": "months", "days_of_month": days});
    assert_eq!(
        notes("UTC", "2026-03-01 06:00", monthly(json!([31])), "2026-03-01T00:00:00Z", 3),
        [None, some("April has 30 days: day 31 becomes the 30th."), None]
    );
    assert_eq!(
        notes("UTC", "2027-02-01 06:00", monthly(json!([28, 29, 30, 31])), "2027-02-01T00:00:00Z", 2),
        [some("February 2027 has 28 days: days 29, 30 and 31 become the 28th."), None]
    );
    assert_eq!(notes("UTC", "2027-02-01 06:00", monthly(json!(["last"])), "2027-02-01T00:00:00Z", 1), [None]);
}

#[test]
fn a_short_month_and_a_clock_change_on_one_day() {
    let fields = json!({"repeat": "months", "days_of_month": [31]});
    assert_eq!(
        notes("Europe/Paris", "2013-03-01 02:30", fields, "2013-03-01T00:00:00Z", 1),
        [some("Clocks go forward: 02:30 does not exist that day. It runs at 03:30.")]
    );
    // In New York the clocks of 1978 went forward on the last day of April.
    let fields = json!({"repeat": "months", "days_of_month": [31]});
    assert_eq!(
        notes("America/New_York", "1978-04-01 02:30", fields, "1978-04-01T00:00:00Z", 1),
        [some(
            "April has 30 days: day 31 becomes the 30th. Clocks go forward: 02:30 does not exist that day. It runs at 03:30."
        )]
    );
}

#[test]
fn an_occurrence_on_the_clock_of_its_zone() {
    let rule = rule_in("Europe/Paris", "2026-01-01 02:30", json!({"repeat": "days"}));
    assert_eq!(local_rfc(&rule, at("2026-10-25T00:30:00Z")), "2026-10-25T02:30:00+02:00[Europe/Paris]");
    let utc = rule_in("UTC", "2026-01-01 02:30", json!({"repeat": "days"}));
    assert_eq!(local_rfc(&utc, at("2026-10-25T00:30:00Z")), "2026-10-25T00:30:00+00:00[UTC]");
}

#[test]
fn often_has_a_hint() {
    let of = |overlap, fields: Value| frequency_hint(&rule_in("UTC", "2026-01-01 00:00", fields), overlap);
    let hint = |fields: Value| of(None, fields);
    let often = json!({"repeat": "minutes", "every": 5});
    assert!(of(Some(Overlap::Skip), often.clone()).unwrap().ends_with("is skipped, as its configuration says."));
    assert!(of(Some(Overlap::Queue), often).unwrap().contains("the next one waits and starts right after it"));
    assert!(hint(json!({"repeat": "minutes", "every": 5})).unwrap().contains("skipped"));
    assert!(hint(json!({"repeat": "minutes", "every": 10})).is_some());
    assert!(hint(json!({"repeat": "minutes", "every": 15})).is_none());
    assert!(hint(json!({"repeat": "days", "every": 5})).is_none());
}

#[test]
fn a_preview_says_when_it_ends() {
    let rule = rule_in("UTC", "2026-01-01 00:00", json!({"repeat": "days", "end_date": "2026-01-03"}));
    let all = preview(&rule, None, at("2026-01-01T00:00:00Z"), 5);
    assert_eq!((all.occurrences.len(), all.ends_after), (3, Some(3)));
    assert_eq!(all.ends_words().as_deref(), Some("3 runs, then it ends"));
    assert_eq!(preview(&rule, None, at("2026-01-01T00:00:00Z"), 3).ends_after, Some(3));
    assert_eq!(preview(&rule, None, at("2026-01-01T00:00:00Z"), 2).ends_after, None);
    assert_eq!(
        preview(&rule, None, at("2026-01-03T00:00:00Z"), 5).ends_words().as_deref(),
        Some("1 run, then it ends")
    );
    assert_eq!(preview(&rule, None, at("2026-01-04T00:00:00Z"), 5).ends_words().as_deref(), Some("It never runs"));
    assert_eq!(note(&rule, at("2026-01-03T00:00:00Z")), None);
}
