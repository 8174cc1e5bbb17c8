//! Between instants and wall clocks. Instants are seconds since 1970 in UTC; local times are seconds since
//! 1970-01-01T00:00 on the wall clock of a zone, as if every day had 86,400 of them.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::clock::Moment;

/// The version of the zone data that this program was built with: it decides which instant a time of the clock is.
pub const ZONE_DATA: &str = chrono_tz::IANA_TZDB_VERSION;

pub(super) const DAY: i64 = 86_400;

/// No zone changes its clocks twice within this time (the closest pair from 1970 to 2099 is 6 days and 23 hours).
/// So two instants that are closer and have one offset have no change between them.
pub(super) const CALM: i64 = 6 * DAY;

/// Longer than the longest change of a clock, which is a day (Pacific/Apia, 2011).
const LOOK_BACK: i64 = 26 * 3_600;

/// A change of a zone's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockChange {
    /// The first instant of the new time.
    pub at: Moment,
    /// What the wall clock is ahead of UTC, in seconds, before and from then on.
    pub before: i64,
    pub after: i64,
}

/// The first instant of a local date or, where the calendar skips that, of the day after it.
pub fn day_begins(zone: Tz, date: NaiveDate) -> Moment {
    let day = date.signed_duration_since(NaiveDate::default()).num_days();
    Moment::from_micros(first_instant_of_day(zone, day) * 1_000_000)
}

/// How the clocks change from just before `from` to just before `to`, which are at most a few days apart. A day from
/// its beginning to that of the next one so has what makes it short or long, and no day has the change of another.
pub fn clock_change(zone: Tz, from: Moment, to: Moment) -> Option<ClockChange> {
    let second = |at: Moment| at.micros().div_euclid(1_000_000) - 1;
    let (early, late) = (second(from), second(to));
    let (before, after) = (offset_at(zone, early), offset_at(zone, late));
    (before != after).then(|| ClockChange {
        at: Moment::from_micros(change_between(zone, early, late) * 1_000_000),
        before,
        after,
    })
}

/// Where a local time lands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Landing {
    Plain(i64),
    /// It happens twice; this is the first time.
    Twice(i64),
    /// Clocks skip it; this is where it lands when moved forward by the skipped amount.
    Skipped(i64),
}

impl Landing {
    pub fn at(self) -> i64 {
        match self {
            Self::Plain(at) | Self::Twice(at) | Self::Skipped(at) => at,
        }
    }
}

/// What the wall clock is ahead of UTC at an instant, in seconds.
pub(super) fn offset_at(zone: Tz, at: i64) -> i64 {
    i64::from(zone.offset_from_utc_datetime(&naive(at)).fix().local_minus_utc())
}

pub(super) fn land(zone: Tz, local: i64) -> Landing {
    let seconds = |offset: chrono_tz::TzOffset| i64::from(offset.fix().local_minus_utc());
    match zone.offset_from_local_datetime(&naive(local)) {
        LocalResult::Single(offset) => Landing::Plain(local - seconds(offset)),
        LocalResult::Ambiguous(first, _) => Landing::Twice(local - seconds(first)),
        // Two days earlier lies before this change and, by `CALM`, after the one before.
        LocalResult::None => Landing::Skipped(local - offset_at(zone, local - 2 * DAY)),
    }
}

/// The instant of a local date and time: what clocks skip moves forward by the skipped amount, of what they repeat the
/// first time counts (rule 8). For what is typed as local time outside a rule.
pub fn instant(zone: Tz, local: NaiveDateTime) -> Moment {
    Moment::from_micros(land(zone, local.and_utc().timestamp()).at() * 1_000_000)
}

/// What the wall clock is ahead of UTC at an instant, and by how much it has gone forward (or, negative, back) in the
/// last day before.
pub(super) fn offset_and_change(zone: Tz, at: i64) -> (i64, i64) {
    let offset = offset_at(zone, at);
    (offset, offset - offset_at(zone, at - LOOK_BACK))
}

/// The instant in `(early, late]` from which on the offset is that of `late`, which must differ from that of `early`.
/// Since 1970 all of them lie on half minutes of UTC (the odd one is Africa/Monrovia in 1972).
pub(super) fn change_between(zone: Tz, early: i64, late: i64) -> i64 {
    let after = offset_at(zone, late);
    let (mut early, mut late) = (early.div_euclid(30), (late + 29).div_euclid(30));
    while late - early > 1 {
        let middle = early + (late - early) / 2;
        if offset_at(zone, middle * 30) == after { late = middle } else { early = middle }
    }
    late * 30
}

/// The first instant whose local date is `day` or later; days are counted from 1970-01-01.
pub(super) fn first_instant_of_day(zone: Tz, day: i64) -> i64 {
    match land(zone, day * DAY) {
        Landing::Plain(at) | Landing::Twice(at) => at,
        Landing::Skipped(at) => change_between(zone, at - LOOK_BACK, at),
    }
}

/// Whole seconds as chrono wants them. All that is asked lies within a few days of 1970 to 2099, which it can hold.
pub(super) fn naive(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc()
}
