//! When imports go on in the days to come, hour by hour on a wall clock: what the strip beside the schedule form shows.
//! Pure. A day on which clocks change has the hours that it really has.

use chrono::{Duration, NaiveDate};
use chrono_tz::Tz;

use super::collisions::{HALF_MINUTE, Timeline};
use super::recurrence::moment;
use super::rule::Rule;
use super::wall::day_number;
use super::zone::{DAY, first_instant_of_day, naive, offset_at};
use crate::clock::Moment;

/// How many days are looked at, today included.
pub const BUSY_DAYS: i64 = 7;

/// The longest that an import is taken to last, in seconds.
const LONGEST: i64 = 2 * DAY;

/// An hour as the wall clock shows it, on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// How long it is: 60, or another number where clocks change; 0: it is skipped.
    pub minutes: u32,
    /// In how many of them an import of somebody else goes on.
    pub busy: u32,
    /// In how many the schedule's own does.
    pub own: u32,
    /// Whether it is over.
    pub gone: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    pub date: NaiveDate,
    /// 00:00 to 24:00.
    pub hours: [Hour; 24],
}

/// A rule, and how long each of its imports usually takes.
pub type Lasting<'a> = (&'a Rule, Duration);

/// The days from today on, on the clock of a zone.
pub fn busy<'a>(
    zone: Tz,
    others: impl IntoIterator<Item = Lasting<'a>>,
    own: Option<Lasting<'a>>,
    now: Moment,
) -> Vec<Day> {
    let today = day_number(now.in_zone(zone).date_naive());
    let bounds: Vec<i64> = (today..=today + BUSY_DAYS).map(|day| first_instant_of_day(zone, day)).collect();
    let (start, end) = (bounds[0], bounds[BUSY_DAYS as usize]);
    let line = Timeline::new(moment(start), moment(end - 1)).looking_back(LONGEST);
    let (mut taken, mut mine) = (line.clone(), line);
    for (rule, lasting) in others {
        taken.mark(rule, 0, last_half_minute(lasting));
    }
    if let Some((rule, lasting)) = own {
        mine.mark(rule, 0, last_half_minute(lasting));
    }
    let now = now.micros().div_euclid(1_000_000);
    bounds
        .windows(2)
        .zip(today..)
        .map(|(bounds, day)| {
            let mut hours = [Hour { gone: true, ..Hour::default() }; 24];
            for at in (bounds[0]..bounds[1]).step_by(60) {
                let local = at + offset_at(zone, at);
                let hour = &mut hours[(local.rem_euclid(DAY) / 3_600) as usize];
                let within = |line: &Timeline| u32::from(line.is_marked(at) || line.is_marked(at + HALF_MINUTE));
                hour.minutes += 1;
                hour.busy += within(&taken);
                hour.own += within(&mine);
                hour.gone &= at + 60 <= now;
            }
            for hour in hours.iter_mut().filter(|hour| hour.minutes == 0) {
                hour.gone = false;
            }
            Day { date: naive(day * DAY).date(), hours }
        })
        .collect()
}

/// From an import's begin to the begin of the last half minute in which it goes on; a minute at least.
fn last_half_minute(lasting: Duration) -> i64 {
    let seconds = lasting.num_seconds().clamp(60, LONGEST);
    (seconds + HALF_MINUTE - 1).div_euclid(HALF_MINUTE) * HALF_MINUTE - HALF_MINUTE
}

/// What is free at the same hours of every day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quietest {
    /// Nothing else is planned.
    All,
    /// From an hour to another (1 to 24) nothing is planned on any day; it may go over midnight.
    Free { from: usize, to: usize },
    /// Every hour is busy on some day; from an hour to another the least, for so many minutes of each hour on average.
    Least { from: usize, to: usize, minutes: u32 },
}

/// The longest stretch of hours that is free on every day, else of those that are the least busy; the first of several.
pub fn quietest(days: &[Day]) -> Quietest {
    let mut minutes = [0; 24];
    for (n, sum) in minutes.iter_mut().enumerate() {
        let hours = || days.iter().map(|day| day.hours[n]);
        // Today is not whole: what is left of it can keep an hour from being free, and no more.
        let later = || hours().skip(1);
        let (busy, all) = (later().map(|hour| hour.busy).sum::<u32>(), later().map(|hour| hour.minutes).sum::<u32>());
        let today = hours().take(1).any(|hour| hour.busy > 0 && !hour.gone);
        // Rounded up: what is busy at all is not free.
        *sum = (busy * 60).div_ceil(all.max(1)).max(u32::from(today));
    }
    let least = minutes.iter().copied().min().unwrap_or(0);
    let length = |from: usize| (0..24).take_while(|n| minutes[(from + n) % 24] == least).count();
    let (mut from, mut best) = (0, 0);
    for hour in 0..24 {
        if length(hour) > best {
            (from, best) = (hour, length(hour));
        }
    }
    let to = (from + best.max(1) - 1) % 24 + 1;
    match least {
        0 if best == 24 => Quietest::All,
        0 => Quietest::Free { from, to },
        minutes => Quietest::Least { from, to, minutes },
    }
}
