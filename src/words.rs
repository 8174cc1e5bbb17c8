//! Numbers, durations and times as people read them. Dates are written out, never 10/11/2026; the zone stands beside.

use chrono::{Datelike, Duration, SecondsFormat};
use chrono_tz::Tz;

use crate::clock::Moment;

/// 26115 as "26,115".
pub fn count(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "step 2" as a sentence begins.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// "1 row", "2 rows".
pub fn counted(n: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// "1 row", "26,115 rows".
pub fn rows(n: i64) -> String {
    counted(n, "row", "rows")
}

/// "1.4 MB": a size in powers of ten.
pub fn bytes(n: impl TryInto<u64>) -> String {
    const STEPS: [(&str, f64); 3] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let n: u64 = n.try_into().unwrap_or(0);
    for (unit, step) in STEPS {
        let many = n as f64 / step;
        if many >= 0.9995 {
            return if many < 9.95 { format!("{many:.1} {unit}") } else { format!("{many:.0} {unit}") };
        }
    }
    counted(n as i64, "byte", "bytes")
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// "43 ms", "0.4 s", "1 min 09 s", "2 h 05 min", "3 days 4 h".
pub fn duration(d: Duration) -> String {
    let millis = d.num_milliseconds().max(0);
    let seconds = millis / 1000;
    match seconds {
        0 if millis == 0 => "< 1 ms".into(),
        0 if millis < 100 => format!("{millis} ms"),
        0..60 => format!("{}.{} s", seconds, millis % 1000 / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..172_800 => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// The same where nobody counts seconds: "under a minute", "31 min", "2 h 05 min", "3 days 4 h".
pub fn rough(d: Duration) -> String {
    match d.num_minutes() {
        ..1 => "under a minute".into(),
        minutes @ 1..60 => format!("{minutes} min"),
        _ => duration(d),
    }
}

/// Sentences one after the other; `None` when there are none.
pub fn sentences<const N: usize>(all: [Option<String>; N]) -> Option<String> {
    all.into_iter().flatten().reduce(|before, after| format!("{before} {after}"))
}

/// The same by a reader's calendar: what lies more than a day ahead is as many days away as the calendar says, so that
/// Monday is in 2 days on a Saturday, and what ends in a week from a moment ago ends in 7 days.
pub fn relative_in(at: Moment, now: Moment, zone: Tz) -> String {
    if at.since(now).num_seconds() < 86_400 - 30 {
        return relative(at, now);
    }
    let days = at.in_zone(zone).date_naive().signed_duration_since(now.in_zone(zone).date_naive()).num_days();
    format!("in {}", counted(days.max(1), "day", "days"))
}

/// "in 48 min", "3 days ago", "just now".
pub fn relative(at: Moment, now: Moment) -> String {
    let seconds = at.since(now).num_seconds();
    let n = seconds.abs();
    let words = match n {
        0..45 => return if seconds > 5 { format!("in {n} s") } else { "just now".into() },
        45..3570 => format!("{} min", (n + 30) / 60),
        3570..86_400 => match ((n + 30) / 3600, (n + 30) % 3600 / 60) {
            (h, 0) => format!("{h} h"),
            (h, m) => format!("{h} h {m} min"),
        },
        _ => counted(n / 86_400, "day", "days"),
    };
    if seconds > 0 { format!("in {words}") } else { format!("{words} ago") }
}

/// "Fri 9 Oct 2026, 01:00".
pub fn date_time(at: Moment, zone: Tz) -> String {
    at.in_zone(zone).format("%a %-d %b %Y, %H:%M").to_string()
}

/// "Today, 19:30", "Tomorrow, 01:00", "Fri 9 Oct, 01:00"; with the year where it is another.
pub fn short_time(at: Moment, now: Moment, zone: Tz) -> String {
    let (local, today) = (at.in_zone(zone), now.in_zone(zone));
    let time = local.format("%H:%M");
    match local.date_naive().signed_duration_since(today.date_naive()).num_days() {
        0 => format!("Today, {time}"),
        1 => format!("Tomorrow, {time}"),
        -1 => format!("Yesterday, {time}"),
        _ if local.year() == today.year() => local.format("%a %-d %b, %H:%M").to_string(),
        _ => date_time(at, zone),
    }
}

/// The same within a sentence: "since today, 19:30".
pub fn short_time_within(at: Moment, now: Moment, zone: Tz) -> String {
    let words = short_time(at, now, zone);
    match ["Today", "Tomorrow", "Yesterday"].iter().any(|day| words.starts_with(day)) {
        true => words.to_lowercase(),
        false => words,
    }
}

/// The same, shorter: "19:30", "tomorrow 01:00", "Fri 9 Oct, 01:00".
pub fn near(at: Moment, now: Moment, zone: Tz) -> String {
    let words = short_time(at, now, zone);
    match words.split_once(", ") {
        Some(("Today", time)) => time.to_owned(),
        Some((day @ ("Tomorrow" | "Yesterday"), time)) => format!("{} {time}", day.to_lowercase()),
        _ => words,
    }
}

/// The same after what happens then: "at 19:30", "tomorrow 01:00", "on Fri 9 Oct, 01:00".
pub fn then(at: Moment, now: Moment, zone: Tz) -> String {
    let near = near(at, now, zone);
    match near.as_bytes().first() {
        Some(b'0'..=b'9') => format!("at {near}"),
        Some(b'A'..=b'Z') => format!("on {near}"),
        _ => near,
    }
}

/// "12 Oct 2026", with the time where it is not midnight.
pub fn day_or_time(at: Moment, zone: Tz) -> String {
    let local = at.in_zone(zone);
    let form = if local.time() == chrono::NaiveTime::MIN { "%-d %b %Y" } else { "%-d %b %Y, %H:%M" };
    local.format(form).to_string()
}

/// "02:05:00".
pub fn clock_time(at: Moment, zone: Tz) -> String {
    at.in_zone(zone).format("%H:%M:%S").to_string()
}

/// "2026-10-08T16:42:00.919Z", for the `datetime` of a `<time>`: HTML knows three digits of a second, not six.
pub fn machine_time(at: Moment) -> String {
    let form = if at.micros().rem_euclid(1_000_000) == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    at.utc().to_rfc3339_opts(form, true)
}

/// "Monday 5 October 2026", for the heading of a day.
pub fn day(at: Moment, zone: Tz) -> String {
    at.in_zone(zone).format("%A %-d %B %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well_at_their_borders() {
        let said: Vec<_> = [0u64, 1, 999, 1_000, 1_449_000, 9_960_000, 999_600, 5_368_709_120].map(bytes).to_vec();
        assert_eq!(said, ["0 bytes", "1 byte", "999 bytes", "1.0 kB", "1.4 MB", "10 MB", "1.0 MB", "5.4 GB"]);
    }

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!(count(26_115), "26,115");
        assert_eq!(count(-1_000), "-1,000");
        assert_eq!(count(0), "0");
        assert_eq!(duration(Duration::zero()), "< 1 ms");
        assert_eq!(duration(Duration::milliseconds(43)), "43 ms");
        assert_eq!(duration(Duration::milliseconds(430)), "0.4 s");
        assert_eq!(duration(Duration::seconds(69)), "1 min 09 s");
        let roughly = [-5, 59, 69, 1_899, 7_500, 300_000].map(|seconds| rough(Duration::seconds(seconds)));
        assert_eq!(roughly, ["under a minute", "under a minute", "1 min", "31 min", "2 h 05 min", "3 days 11 h"]);
        let at = |text| Moment::parse_rfc3339(text).unwrap();
        assert_eq!(machine_time(at("2026-10-08T16:42:00.919744Z")), "2026-10-08T16:42:00.919Z");
        assert_eq!(machine_time(at("2026-10-08T16:42:00Z")), "2026-10-08T16:42:00Z");
        let now = at("2026-10-08T16:42:00Z");
        assert_eq!(relative(at("2026-10-08T17:30:00Z"), now), "in 48 min");
        assert_eq!(relative(at("2026-10-08T23:00:00Z"), now), "in 6 h 18 min");
        assert_eq!(relative(at("2026-10-05T16:42:00Z"), now), "3 days ago");
        // On a Saturday night in Paris; Monday is two days on at 02:30 as at 13:00.
        let (night, paris) = (at("2026-11-28T01:53:00Z"), chrono_tz::Europe::Paris);
        assert_eq!(relative_in(at("2026-11-30T01:30:00Z"), night, paris), "in 2 days");
        assert_eq!(relative_in(at("2026-11-30T12:00:00Z"), night, paris), "in 2 days");
        assert_eq!(relative_in(at("2026-11-29T12:00:00Z"), night, paris), "in 1 day");
        assert_eq!(relative_in(at("2026-11-29T01:00:00Z"), night, paris), "in 23 h 7 min");
        // A week from a minute ago, and over a change of the clocks.
        assert_eq!(relative_in(at("2026-12-05T01:52:00Z"), night, paris), "in 7 days");
        assert_eq!(relative_in(at("2026-10-26T00:30:00Z"), at("2026-10-24T23:30:00Z"), paris), "in 1 day");
        assert_eq!(relative_in(at("2026-11-25T01:53:00Z"), night, paris), "3 days ago");
        assert_eq!(short_time(at("2026-10-08T17:30:00Z"), now, chrono_tz::Europe::Paris), "Today, 19:30");
        assert_eq!(short_time(at("2027-10-08T17:30:00Z"), now, chrono_tz::Europe::Paris), "Fri 8 Oct 2027, 19:30");
    }
}
