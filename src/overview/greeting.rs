//! The first sentence of the page: what became of the imports while the member was away. Pure.

use chrono::{NaiveDate, NaiveTime, Timelike};
use chrono_tz::Tz;

use crate::clock::Moment;
use crate::schedules::instant;
use crate::words;

/// What the clock of the member says.
#[derive(Debug, PartialEq, Eq)]
pub struct Greeting {
    pub hello: &'static str,
    /// What ran since then is counted; on a whole hour.
    pub since: Moment,
    pub since_words: &'static str,
}

/// An hour of a date, by the clock of a zone.
pub fn hour(zone: Tz, date: NaiveDate, hour: u32) -> Moment {
    instant(zone, date.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()))
}

impl Greeting {
    pub fn of(now: Moment, zone: Tz) -> Self {
        let local = now.in_zone(zone);
        let today = local.date_naive();
        match local.hour() {
            // Whoever looks at night or in the morning asks what the night did.
            early @ 0..12 => Self {
                hello: if early < 5 { "Hello" } else { "Good morning" },
                since: hour(zone, today.pred_opt().unwrap_or(today), 18),
                since_words: "since yesterday 18:00",
            },
            late => Self {
                hello: if late < 18 { "Good afternoon" } else { "Good evening" },
                since: hour(zone, today, 0),
                since_words: "today",
            },
        }
    }

    /// "212 import runs since yesterday 18:00"
    pub fn ran(&self, count: i64) -> String {
        match count {
            0 => format!("No import has run {}", self.since_words),
            n => format!("{} {}", words::counted(n, "import run", "import runs"), self.since_words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_the_member_decides() {
        let at = |text| Moment::parse_rfc3339(text).unwrap();
        let greeting = |text, zone| Greeting::of(at(text), zone);
        let paris = chrono_tz::Europe::Paris;
        let morning = greeting("2026-10-08T06:12:00Z", paris);
        assert_eq!((morning.hello, morning.since), ("Good morning", at("2026-10-07T16:00:00Z")));
        assert_eq!(morning.ran(212), "212 import runs since yesterday 18:00");
        // The same instant is an afternoon in Tokyo.
        let tokyo = greeting("2026-10-08T06:12:00Z", chrono_tz::Asia::Tokyo);
        assert_eq!((tokyo.hello, tokyo.since), ("Good afternoon", at("2026-10-07T15:00:00Z")));
        assert_eq!(tokyo.ran(1), "1 import run today");
        assert_eq!(greeting("2026-10-08T16:42:00Z", paris).hello, "Good evening");
        assert_eq!(greeting("2026-10-08T21:30:00Z", paris).hello, "Good evening");
        // At 01:30 and at 04:59 it is neither evening nor morning.
        assert_eq!(greeting("2026-10-08T23:30:00Z", paris).hello, "Hello");
        assert_eq!(greeting("2026-10-09T02:59:00Z", paris).hello, "Hello");
        assert_eq!(greeting("2026-10-08T10:00:00Z", paris).ran(0), "No import has run today");
        // Yesterday's 18:00 was in summer time, this morning is not.
        assert_eq!(greeting("2026-10-25T07:00:00Z", paris).since, at("2026-10-24T16:00:00Z"));
    }
}
