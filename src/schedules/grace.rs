//! How late an occurrence may still run after the server was away.

use chrono::Duration;

use super::recurrence::next_after;
use super::rule::Rule;
use crate::clock::Moment;

/// Claimed later than this, a run counts as late.
pub const LATE: Duration = Duration::seconds(60);

/// Half the time to the occurrence after it, at least an hour, at most three days; for Once three days. After the last
/// one that time is what it would be without the end.
pub fn grace(rule: &Rule, at: Moment) -> Duration {
    let longest = Duration::days(3);
    let endless = Rule { end_date: None, ..*rule };
    match next_after(&endless, at) {
        Some(next) if !rule.is_once() => (next.since(at) / 2).clamp(Duration::hours(1), longest),
        _ => longest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedules::RuleDraft;

    fn rule(json: &str) -> Rule {
        let serde_json::Value::Object(map) = serde_json::from_str(json).unwrap() else { panic!("an object") };
        RuleDraft::from_json(&map).parse().unwrap()
    }

    #[test]
    fn the_grace_is_half_the_step_between_an_hour_and_three_days() {
        let at = Moment::parse_rfc3339("2026-10-05T06:00:00Z").unwrap();
        let start = r#""start_date": "2026-10-05", "start_time": "06:00", "time_zone": "UTC""#;
        let cases = [
            (r#""repeat": "minutes", "every": 5"#, Duration::hours(1)),
            (r#""repeat": "hours", "every": 4"#, Duration::hours(2)),
            (r#""repeat": "days""#, Duration::hours(12)),
            (r#""repeat": "days", "every": 5"#, Duration::hours(60)),
            (r#""repeat": "weeks", "weekdays": ["mon"]"#, Duration::days(3)),
            (r#""repeat": "days", "end_date": "2026-10-05""#, Duration::hours(12)),
            (r#""repeat": "once""#, Duration::days(3)),
        ];
        for (repeat, expected) in cases {
            assert_eq!(grace(&rule(&format!("{{{repeat}, {start}}}")), at), expected, "{repeat}");
        }
    }
}
