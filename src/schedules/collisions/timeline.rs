//! The half minutes of a stretch of time, each marked or not: how thousands of occurrences are compared at once. Every
//! zone's offset since 1970 is a whole number of half minutes, so that no two instants fall into one by mistake.
//!
//! A rule is never walked where nothing new is to be learned: [`Timeline::mark`] jumps from one unmarked half minute
//! to the occurrence that could mark it, [`Timeline::first_on`] from one marked half minute to the occurrence that
//! could lie on it.

use crate::clock::Moment;
use crate::schedules::recurrence::{Span, span};
use crate::schedules::rule::Rule;

/// Seconds; also the shortest way between two instants.
pub const HALF_MINUTE: i64 = 30;

#[derive(Clone, Debug)]
pub struct Timeline {
    /// The second at which the first half minute begins.
    start: i64,
    /// Occurrences before this second do not count.
    from: i64,
    /// Nor do those after this one.
    until: i64,
    length: i64,
    marks: Vec<u64>,
}

impl Timeline {
    /// Nothing marked, for occurrences at or after an instant and at or before another.
    pub fn new(from: Moment, until: Moment) -> Self {
        let from = -(-from.micros()).div_euclid(1_000_000);
        let until = until.micros().div_euclid(1_000_000);
        let start = from.div_euclid(HALF_MINUTE) * HALF_MINUTE;
        let length = ((until - start).div_euclid(HALF_MINUTE) + 1).max(0);
        Self { start, from, until, length, marks: vec![0; (length as usize).div_ceil(64)] }
    }

    /// Also counts what occurs up to so many seconds before the beginning, and lasts into it.
    pub fn looking_back(self, seconds: i64) -> Self {
        Self { from: self.from - seconds, ..self }
    }

    /// Marks from `before` seconds before each occurrence of a rule to `after` seconds after it, both included; whole
    /// half minutes.
    pub fn mark(&mut self, rule: &Rule, before: i64, after: i64) {
        let mut cursor = 0;
        while let Some(free) = self.next(cursor, false) {
            let Some(Span { first, step, last }) = span(rule, (self.second(free) - after).max(self.from), self.until)
            else {
                return;
            };
            if step <= before + after + HALF_MINUTE {
                self.fill(self.index(first - before), self.index(last + after));
            } else {
                for at in (first..=last).step_by(step as usize) {
                    self.fill(self.index(at - before), self.index(at + after));
                }
            }
            cursor = (self.index(last + after) + 1).max(free + 1);
        }
    }

    /// The first occurrence of a rule that lies on a mark, in seconds.
    pub fn first_on(&self, rule: &Rule) -> Option<i64> {
        let mut cursor = 0;
        while let Some(marked) = self.next(cursor, true) {
            let Span { first, step, last } = span(rule, self.second(marked).max(self.from), self.until)?;
            let mut at = first;
            while at <= last {
                let index = self.index(at);
                let marked = self.next(index, true)?;
                if marked == index {
                    return Some(at);
                }
                let gap = self.second(marked) - at;
                // Mostly the next one already; a division for each is what two dense grids would spend their time on.
                at += if gap <= step { step } else { (gap + step - 1).div_euclid(step) * step };
            }
            cursor = self.index(last) + 1;
        }
        None
    }

    /// Whether the rule occurs at all.
    pub fn has(&self, rule: &Rule) -> bool {
        span(rule, self.from, self.until).is_some()
    }

    /// Whether the half minute of a second is marked.
    pub fn is_marked(&self, second: i64) -> bool {
        let index = self.index(second);
        (0..self.length).contains(&index) && self.marks[index as usize / 64] >> (index % 64) & 1 == 1
    }

    fn index(&self, second: i64) -> i64 {
        (second - self.start).div_euclid(HALF_MINUTE)
    }

    fn second(&self, index: i64) -> i64 {
        self.start + index * HALF_MINUTE
    }

    /// From one half minute to another, both included; what lies outside is left out.
    fn fill(&mut self, from: i64, to: i64) {
        let (from, to) = (from.max(0), to.min(self.length - 1));
        if from > to {
            return;
        }
        let (first, last) = (from as usize / 64, to as usize / 64);
        let (head, tail) = (u64::MAX << (from % 64), u64::MAX >> (63 - to % 64));
        if first == last {
            self.marks[first] |= head & tail;
            return;
        }
        self.marks[first] |= head;
        self.marks[first + 1..last].fill(u64::MAX);
        self.marks[last] |= tail;
    }

    /// The first half minute at or after another that is marked, or that is not.
    fn next(&self, from: i64, marked: bool) -> Option<i64> {
        let from = from.max(0);
        if from >= self.length {
            return None;
        }
        let wanted = |word: u64| if marked { word } else { !word };
        let mut place = from as usize / 64;
        let mut word = wanted(self.marks[place]) & (u64::MAX << (from % 64));
        while word == 0 {
            place += 1;
            word = wanted(*self.marks.get(place)?);
        }
        let found = place as i64 * 64 + i64::from(word.trailing_zeros());
        (found < self.length).then_some(found)
    }
}
