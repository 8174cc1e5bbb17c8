//! Once, every n hours, Daily, Weekly and Monthly: slots of the wall clock (rules 1 and 3 to 6), each landing on an
//! instant (rule 8). A slot is a local time in seconds; which slots there are is plain calendar arithmetic. What
//! makes it more than that is that slots which clocks skip can land behind later ones, or on them.

use chrono::{Datelike, NaiveDate, Timelike};

use super::rule::{Repeat, Rule, Window};
use super::zone::{CALM, DAY, Landing, land, offset_and_change, offset_at};

/// Nothing occurs after 2099-12-31: days since 1970.
const LAST_DAY: i64 = 47_481;

pub(super) fn day_number(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days())
}

/// The local time of the start.
pub(super) fn local_start(rule: &Rule) -> i64 {
    day_number(rule.start_date) * DAY + seconds_of_start(rule)
}

fn seconds_of_start(rule: &Rule) -> i64 {
    i64::from(rule.start_time.num_seconds_from_midnight())
}

/// The last local date on which something can occur.
pub(super) fn last_day(rule: &Rule) -> i64 {
    rule.end_date.map_or(LAST_DAY, day_number)
}

/// The first occurrence after an instant.
pub(super) fn next_after(rule: &Rule, at: i64) -> Option<i64> {
    let zone = rule.time_zone;
    let slots = Slots::new(rule);
    let at = if slots.surely_began(at) { at } else { at.max(slots.began() - 1) };
    let (offset, change) = offset_and_change(zone, at);
    // After clocks went forward, skipped slots still land for as long as they were skipped.
    let mut slot = slots.at_or_after(at + offset - change.max(0) + 1);
    let mut best: Option<i64> = None;
    while let Some(local) = slot {
        let landing = land(zone, local);
        if landing.at() > at {
            best = Some(best.map_or(landing.at(), |b| b.min(landing.at())));
            if !matches!(landing, Landing::Skipped(_)) {
                break;
            }
        }
        slot = slots.at_or_after(local + 1);
    }
    best
}

/// How far an occurrence goes on evenly, and in steps of how many seconds: from it to there each step is an occurrence,
/// with none between them, and none lies after `until`. May stop though more follows; that is to be asked for again.
pub(super) fn evenly_to(rule: &Rule, at: i64, until: i64) -> (i64, i64) {
    let slots = Slots::new(rule);
    let (offset, change) = offset_and_change(rule.time_zone, at);
    let local = at + offset;
    let until = until.min(at + CALM - DAY);
    let second = slots.at_or_after(local + 1).filter(|slot| slot - offset <= until);
    // Where clocks have just changed, slots do not land one after the other.
    let (Some(mut last), 0) = (second, change) else { return (DAY, at) };
    let step = last - local;
    while let Some(next) = slots.at_or_after(last + 1).filter(|slot| slot - last == step && slot - offset <= until) {
        last = next;
    }
    if offset_at(rule.time_zone, last - offset) == offset { (step, last - offset) } else { (DAY, at) }
}

/// The last occurrence at or before an instant.
pub(super) fn latest_at_or_before(rule: &Rule, at: i64) -> Option<i64> {
    let zone = rule.time_zone;
    let slots = Slots::new(rule);
    let (offset, change) = offset_and_change(zone, at);
    // After clocks went back, slots ahead of the wall clock have landed already, the first time.
    let mut slot = slots.at_or_before(at + offset - change.min(0));
    let mut best: Option<i64> = None;
    let mut lowest = i64::MIN;
    while let Some(local) = slot.filter(|local| *local > lowest) {
        let landed = land(zone, local).at();
        if landed <= at && (slots.surely_began(landed) || landed >= slots.began()) {
            if best.is_none() {
                // A skipped slot before this one can have landed after it.
                let (offset, change) = offset_and_change(zone, landed);
                lowest = landed + offset - change.max(0);
            }
            best = best.max(Some(landed));
        }
        slot = slots.at_or_before(local - 1);
    }
    best
}

/// The slot that an occurrence comes from, and how it landed: its own local time, or the one that clocks skipped.
pub(super) fn slot_of(rule: &Rule, at: i64) -> Option<(i64, Landing)> {
    let zone = rule.time_zone;
    let slots = Slots::new(rule);
    let (offset, change) = offset_and_change(zone, at);
    let local = at + offset;
    [local, local - change.max(0)].into_iter().find_map(|local| {
        let landing = land(zone, local);
        (slots.at_or_after(local) == Some(local) && landing.at() == at).then_some((local, landing))
    })
}

/// The slots of a rule, in the order of the wall clock.
struct Slots<'a> {
    rule: &'a Rule,
    start: i64,
    start_day: i64,
    time: i64,
    last_day: i64,
}

impl<'a> Slots<'a> {
    fn new(rule: &'a Rule) -> Self {
        Self {
            rule,
            start: local_start(rule),
            start_day: day_number(rule.start_date),
            time: seconds_of_start(rule),
            last_day: last_day(rule),
        }
    }

    /// The instant of the start; nothing occurs before it.
    fn began(&self) -> i64 {
        land(self.rule.time_zone, self.start).at()
    }

    /// Whether an instant lies so far after the start that no zone needs to be asked.
    fn surely_began(&self, at: i64) -> bool {
        at > self.start + 3 * DAY
    }

    /// The first slot at or after a local time.
    fn at_or_after(&self, local: i64) -> Option<i64> {
        let local = local.max(self.start);
        let day = (local - self.time + DAY - 1).div_euclid(DAY);
        let slot = match &self.rule.repeat {
            Repeat::Once => (local == self.start).then_some(local),
            Repeat::Minutes { .. } => None,
            Repeat::Hours { every, window } => HourSlots::new(*every, self.time, window.as_ref()).at_or_after(local),
            Repeat::Days { every } => {
                let every = i64::from(*every);
                let behind = (day - self.start_day).rem_euclid(every);
                self.on(if behind == 0 { day } else { day + every - behind })
            }
            Repeat::Weeks { every, weekdays } => {
                let week = Week::of(self.start_day, day, i64::from(*every));
                let left = if week.counts() { u32::from(weekdays.bits()) >> week.weekday << week.weekday } else { 0 };
                self.on(match left {
                    0 => week.next_monday() + i64::from(weekdays.bits().trailing_zeros()),
                    left => week.monday + i64::from(left.trailing_zeros()),
                })
            }
            Repeat::Months { months, days } => {
                let mut month = Month::of(day)?;
                let mut from = month.day;
                // A chosen month comes within twelve, and each has a chosen day.
                loop {
                    if months.is_none_or(|m| m.contains(month.month)) {
                        let left = days.in_month_of(month.length()) >> from << from;
                        if left != 0 {
                            break self.on(month.first()? + i64::from(left.trailing_zeros()) - 1);
                        }
                    }
                    from = 1;
                    month = month.next();
                }
            }
        };
        slot.filter(|slot| slot.div_euclid(DAY) <= self.last_day)
    }

    /// The last slot at or before a local time.
    fn at_or_before(&self, local: i64) -> Option<i64> {
        let local = local.min((self.last_day + 1) * DAY - 1);
        if local < self.start {
            return None;
        }
        let day = (local - self.time).div_euclid(DAY);
        let slot = match &self.rule.repeat {
            Repeat::Once => Some(self.start),
            Repeat::Minutes { .. } => None,
            Repeat::Hours { every, window } => HourSlots::new(*every, self.time, window.as_ref()).at_or_before(local),
            Repeat::Days { every } => self.on(day - (day - self.start_day).rem_euclid(i64::from(*every))),
            Repeat::Weeks { every, weekdays } => {
                let week = Week::of(self.start_day, day, i64::from(*every));
                let bits = weekdays.bits();
                let left = if week.counts() { bits & (0xff >> (7 - week.weekday)) } else { 0 };
                self.on(match left {
                    0 => week.monday_before() + i64::from(bits.ilog2()),
                    left => week.monday + i64::from(left.ilog2()),
                })
            }
            Repeat::Months { months, days } => {
                let mut month = Month::of(day)?;
                let mut to = month.day;
                loop {
                    if months.is_none_or(|m| m.contains(month.month)) {
                        let left = days.in_month_of(month.length()) & (u32::MAX >> (31 - to));
                        if left != 0 {
                            break self.on(month.first()? + i64::from(left.ilog2()) - 1);
                        }
                    }
                    to = 31;
                    month = month.before();
                }
            }
        };
        slot.filter(|slot| *slot >= self.start)
    }

    fn on(&self, day: i64) -> Option<i64> {
        Some(day * DAY + self.time)
    }
}

/// A day seen in its week; weeks begin on Monday and are counted from that of the start.
struct Week {
    monday: i64,
    weekday: u32,
    /// Weeks since the last that counts; 0 when this one does.
    behind: i64,
    every: i64,
}

impl Week {
    fn of(start_day: i64, day: i64, every: i64) -> Self {
        let weekday = (day + 3).rem_euclid(7); // 1970-01-01 was a Thursday
        let monday = day - weekday;
        let first_monday = start_day - (start_day + 3).rem_euclid(7);
        Self { monday, weekday: weekday as u32, behind: ((monday - first_monday) / 7).rem_euclid(every), every }
    }

    fn counts(&self) -> bool {
        self.behind == 0
    }

    fn next_monday(&self) -> i64 {
        self.monday + 7 * (self.every - self.behind)
    }

    fn monday_before(&self) -> i64 {
        self.monday - 7 * if self.counts() { self.every } else { self.behind }
    }
}

/// A day seen in its month.
struct Month {
    year: i32,
    month: u32,
    day: u32,
}

impl Month {
    fn of(day: i64) -> Option<Self> {
        let date = NaiveDate::from_epoch_days(i32::try_from(day).ok()?)?;
        Some(Self { year: date.year(), month: date.month(), day: date.day() })
    }

    fn first(&self) -> Option<i64> {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).map(day_number)
    }

    fn length(&self) -> u32 {
        month_length(self.year, self.month)
    }

    fn next(&self) -> Self {
        if self.month == 12 {
            Self { year: self.year + 1, month: 1, day: 1 }
        } else {
            Self { year: self.year, month: self.month + 1, day: 1 }
        }
    }

    fn before(&self) -> Self {
        if self.month == 1 {
            Self { year: self.year - 1, month: 12, day: 31 }
        } else {
            Self { year: self.year, month: self.month - 1, day: 31 }
        }
    }
}

pub(super) fn month_length(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The slots of every n hours, seen as bits of a day: those that the window lets through on the day it opened, and
/// those after midnight of the day before.
struct HourSlots {
    step: i64,
    first: i64,
    today: u32,
    after_midnight: u32,
    weekdays: u8,
}

impl HourSlots {
    fn new(every: u32, time: i64, window: Option<&Window>) -> Self {
        let step = i64::from(every) * 3_600;
        let first = time % step;
        let (from, to) = window.map_or((0, DAY), |w| (w.opens_at(), w.shuts_at()));
        let (mut today, mut after_midnight) = (0, 0);
        for k in 0..DAY / step {
            let time = first + k * step;
            if time >= from && (from > to || time < to) {
                today |= 1 << k;
            }
            if from > to && time < to {
                after_midnight |= 1 << k;
            }
        }
        Self { step, first, today, after_midnight, weekdays: window.map_or(0x7f, Window::weekday_bits) }
    }

    fn on(&self, day: i64) -> u32 {
        let opened = |day: i64| self.weekdays >> (day + 3).rem_euclid(7) & 1 == 1;
        let today = if opened(day) { self.today } else { 0 };
        today | if opened(day - 1) { self.after_midnight } else { 0 }
    }

    fn at_or_after(&self, local: i64) -> Option<i64> {
        let (mut day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let k = (time - self.first + self.step - 1).div_euclid(self.step);
        let mut left = self.on(day) >> k << k;
        // What does not come within eight days never comes.
        for _ in 0..8 {
            if left != 0 {
                break;
            }
            day += 1;
            left = self.on(day);
        }
        (left != 0).then(|| day * DAY + self.first + i64::from(left.trailing_zeros()) * self.step)
    }

    fn at_or_before(&self, local: i64) -> Option<i64> {
        let (mut day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let k = (time - self.first).div_euclid(self.step); // -1 before the first slot
        let mut left = self.on(day) & ((1 << (k + 1)) - 1);
        for _ in 0..8 {
            if left != 0 {
                break;
            }
            day -= 1;
            left = self.on(day);
        }
        (left != 0).then(|| day * DAY + self.first + i64::from(left.ilog2()) * self.step)
    }
}
