//! The table of relative dates: what a person would say, instant by instant. Groups are argued where they begin.

use chrono::NaiveDate;

use crate::clock::{Moment, zone_named};
use crate::parameters::relative::{RelativeDate, USUAL};

/// Expression, instant, zone, day.
const TABLE: [(&str, &str, &str, &str); 76] = [
    // Today is the day on the wall of the zone, not that of UTC: at 23:30 UTC it is tomorrow in Paris, yesterday's
    // evening in New York, and already two days on where the day begins 14 hours before UTC's.
    ("today", "2026-10-08T16:42:00Z", "Europe/Paris", "2026-10-08"),
    ("today", "2026-10-08T23:30:00Z", "Europe/Paris", "2026-10-09"),
    ("today", "2026-10-09T02:00:00Z", "America/New_York", "2026-10-08"),
    ("yesterday", "2026-10-08T23:30:00Z", "Europe/Paris", "2026-10-08"),
    ("tomorrow", "2026-12-31T12:00:00Z", "Pacific/Kiritimati", "2027-01-02"),
    // The night of 25 October in Paris has 02:30 twice: both are that Sunday, and a day before is Saturday, though 24
    // hours before the second 02:30 it was 03:30 of Saturday.
    ("today", "2026-10-25T00:30:00Z", "Europe/Paris", "2026-10-25"),
    ("today", "2026-10-25T01:30:00Z", "Europe/Paris", "2026-10-25"),
    ("yesterday", "2026-10-25T01:30:00Z", "Europe/Paris", "2026-10-24"),
    ("-1d", "2026-10-25T22:59:00Z", "Europe/Paris", "2026-10-24"),
    // 23:00 UTC is midnight again, as the clock is one hour ahead from that morning on; the evening before it was two.
    ("today", "2026-10-25T23:00:00Z", "Europe/Paris", "2026-10-26"),
    ("today", "2026-10-24T22:00:00Z", "Europe/Paris", "2026-10-25"),
    ("today", "2026-10-24T21:59:00Z", "Europe/Paris", "2026-10-24"),
    // The night of 29 March has no 02:30; a day of 23 hours is a day all the same.
    ("today", "2026-03-29T01:30:00Z", "Europe/Paris", "2026-03-29"),
    ("yesterday", "2026-03-29T22:30:00Z", "Europe/Paris", "2026-03-29"),
    ("yesterday", "2026-03-29T21:59:00Z", "Europe/Paris", "2026-03-28"),
    ("-7d", "2026-03-31T10:00:00Z", "Europe/Paris", "2026-03-24"),
    ("monday of this week", "2026-03-29T10:00:00Z", "Europe/Paris", "2026-03-23"),
    // Cairo changes at midnight: 00:00 of 24 April 2026 does not exist, the day does.
    ("today", "2026-04-23T22:00:00Z", "Africa/Cairo", "2026-04-24"),
    ("yesterday", "2026-04-23T22:00:00Z", "Africa/Cairo", "2026-04-23"),
    // Apia had no 30 December 2011: on the 31st the calendar still says that yesterday was the 30th.
    ("yesterday", "2011-12-30T12:00:00Z", "Pacific/Apia", "2011-12-30"),
    // Days, weeks, months, quarters and years away, before and ahead.
    ("-3d", "2026-10-02T12:00:00Z", "UTC", "2026-09-29"),
    ("+2w", "2026-12-25T12:00:00Z", "UTC", "2027-01-08"),
    ("-1m", "2026-11-15T12:00:00Z", "UTC", "2026-10-15"),
    ("-1q", "2026-11-15T12:00:00Z", "UTC", "2026-08-15"),
    ("-1y", "2026-11-15T12:00:00Z", "UTC", "2025-11-15"),
    ("3 days ago", "2026-10-02T12:00:00Z", "UTC", "2026-09-29"),
    ("in 2 weeks", "2026-12-25T12:00:00Z", "UTC", "2027-01-08"),
    // A month that is too short gives its last day, and what was cut does not come back.
    ("-1m", "2026-03-31T12:00:00Z", "UTC", "2026-02-28"),
    ("+1m", "2026-01-31T12:00:00Z", "UTC", "2026-02-28"),
    ("-1m +1m", "2026-03-31T12:00:00Z", "UTC", "2026-03-28"),
    ("-1q", "2026-05-31T12:00:00Z", "UTC", "2026-02-28"),
    ("-6m", "2026-08-31T12:00:00Z", "UTC", "2026-02-28"),
    // 29 February: there in 2028, not the year before or after; four years on it is again, but not in 2100.
    ("-1m", "2028-03-31T12:00:00Z", "UTC", "2028-02-29"),
    ("-1y", "2028-02-29T12:00:00Z", "UTC", "2027-02-28"),
    ("+4y", "2028-02-29T12:00:00Z", "UTC", "2032-02-29"),
    ("-1d", "2028-03-01T12:00:00Z", "UTC", "2028-02-29"),
    ("end of month", "2028-02-10T12:00:00Z", "UTC", "2028-02-29"),
    ("end of last month", "2100-03-15T12:00:00Z", "UTC", "2100-02-28"),
    ("end of february", "2028-02-10T12:00:00Z", "UTC", ""),
    // First and last days of months: also when today is one, and over the year's end.
    ("start of month", "2026-10-01T12:00:00Z", "UTC", "2026-10-01"),
    ("end of month", "2026-10-31T12:00:00Z", "UTC", "2026-10-31"),
    ("start of last month", "2026-01-31T12:00:00Z", "UTC", "2025-12-01"),
    ("end of last month", "2026-03-31T12:00:00Z", "UTC", "2026-02-28"),
    ("first day of next month", "2026-12-31T12:00:00Z", "UTC", "2027-01-01"),
    ("last day of this month", "2026-04-01T12:00:00Z", "UTC", "2026-04-30"),
    ("start of -2m", "2026-01-31T12:00:00Z", "UTC", "2025-11-01"),
    ("end of -2m", "2026-04-30T12:00:00Z", "UTC", "2026-02-28"),
    // In Paris the month begins an hour or two before it does in UTC.
    ("start of month", "2026-10-31T23:30:00Z", "Europe/Paris", "2026-11-01"),
    ("start of last month", "2026-06-30T22:30:00Z", "Europe/Paris", "2026-06-01"),
    // Quarters are those of the calendar.
    ("start of quarter", "2026-05-31T12:00:00Z", "UTC", "2026-04-01"),
    ("end of quarter", "2026-04-01T12:00:00Z", "UTC", "2026-06-30"),
    ("start of last quarter", "2026-02-28T12:00:00Z", "UTC", "2025-10-01"),
    ("end of last quarter", "2026-01-01T12:00:00Z", "UTC", "2025-12-31"),
    ("end of last quarter", "2026-12-31T12:00:00Z", "UTC", "2026-09-30"),
    ("start of -5q", "2026-11-30T12:00:00Z", "UTC", "2025-07-01"),
    // Years.
    ("start of year", "2026-12-31T23:30:00Z", "Europe/Paris", "2027-01-01"),
    ("start of next year", "2026-10-08T12:00:00Z", "UTC", "2027-01-01"),
    ("end of last year", "2026-10-08T12:00:00Z", "UTC", "2025-12-31"),
    // Weeks begin on Monday, so a Sunday ends one. 8 October 2026 is a Thursday, the 11th a Sunday.
    ("start of week", "2026-10-11T12:00:00Z", "UTC", "2026-10-05"),
    ("start of week", "2026-10-12T12:00:00Z", "UTC", "2026-10-12"),
    ("end of week", "2026-10-05T12:00:00Z", "UTC", "2026-10-11"),
    ("monday of this week", "2026-10-11T12:00:00Z", "UTC", "2026-10-05"),
    ("friday of last week", "2026-10-08T12:00:00Z", "UTC", "2026-10-02"),
    ("sunday of next week", "2026-10-08T12:00:00Z", "UTC", "2026-10-18"),
    ("monday", "2027-01-01T12:00:00Z", "UTC", "2026-12-28"),
    ("monday of -3w", "2026-10-08T12:00:00Z", "UTC", "2026-09-14"),
    // The last Thursday before a Thursday is a week ago; the next Friday is tomorrow.
    ("last thursday", "2026-10-08T12:00:00Z", "UTC", "2026-10-01"),
    ("next friday", "2026-10-08T12:00:00Z", "UTC", "2026-10-09"),
    // Days of a month: pay days, closings.
    ("day 15 of last month", "2026-10-08T12:00:00Z", "UTC", "2026-09-15"),
    ("31st of this month", "2026-09-08T12:00:00Z", "UTC", "2026-09-30"),
    ("first monday of next month", "2026-10-08T12:00:00Z", "UTC", "2026-11-02"),
    ("last friday of this month", "2026-10-08T12:00:00Z", "UTC", "2026-10-30"),
    // Something added to any of them, and a date that is one.
    ("end of last month +5d", "2026-10-08T12:00:00Z", "UTC", "2026-10-05"),
    ("Start_of  MONTH \u{2212}1D", "2026-10-08T12:00:00Z", "UTC", "2026-09-30"),
    ("2026-11-25", "2026-10-08T12:00:00Z", "UTC", "2026-11-25"),
    ("2028-02-29 +1y", "2026-10-08T12:00:00Z", "UTC", ""),
];

fn day(text: &str, at: &str, zone: &str) -> Option<NaiveDate> {
    let today = Moment::parse_rfc3339(at).unwrap().in_zone(zone_named(zone).unwrap()).date_naive();
    RelativeDate::parse(text).ok()?.on(today)
}

#[test]
fn a_relative_date_is_the_day_that_a_person_would_say() {
    for (text, at, zone, expected) in TABLE {
        let found = day(text, at, zone).map(|day| day.to_string()).unwrap_or_default();
        assert_eq!(found, expected, "{text} at {at} in {zone}");
    }
}

#[test]
fn what_is_no_date_is_refused_and_says_what_can_be_written() {
    for bad in [
        "",
        " ",
        "now",
        "2026-13-01",
        "2026-02-30",
        "26-1-1",
        "2026-1-1",
        "03/04/2026",
        "-3",
        "d",
        "-3x",
        "start",
        "start of",
        "start of last",
        "last month",
        "monday of last month",
        "monday of",
        "friday of this week of",
        "32 of this month",
        "0 of this month",
        "-99999d",
        "first of month",
        "today today",
        "today +1d +1d +1d +1d +1d +1d",
        "{day}",
        "'; --",
        "start of last month; drop table t",
        "٣ days ago",
        "0000-01-01",
    ] {
        let why = RelativeDate::parse(bad).unwrap_err();
        assert!(why.contains("is not a date"), "{bad}: {why}");
    }
    assert!(RelativeDate::parse(&"-1d ".repeat(60)).is_err());
    assert_eq!(RelativeDate::parse("+9999y").unwrap().on(NaiveDate::from_ymd_opt(2026, 1, 1).unwrap()), None);
}

#[test]
fn a_person_reads_it_in_words() {
    for (text, words) in [
        ("today", "today"),
        ("yesterday", "yesterday"),
        ("+1d", "tomorrow"),
        ("-3d", "3 days ago"),
        ("in 1 month", "1 month from today"),
        ("-1m -1d", "1 month ago, 1 day before"),
        ("start of last month", "the first day of last month"),
        ("end of -2q", "the last day of the quarter 2 quarters ago"),
        ("end of last month +5d", "the last day of last month, 5 days later"),
        ("monday of this week", "Monday of this week"),
        ("last friday", "the last Friday before today"),
        ("day 15 of next month", "day 15 of next month"),
        ("last friday of this month", "the last Friday of this month"),
        ("2026-11-25", "25 November 2026"),
    ] {
        assert_eq!(RelativeDate::parse(text).unwrap().words(), words, "{text}");
    }
    for usual in USUAL {
        assert!(RelativeDate::parse(usual).is_ok(), "{usual}");
    }
}
