//! What is shown one by one, and what is too much for that: a schedule that runs often becomes a band with true
//! counts, a day with too many entries is counted by the hour. Pure.

use std::collections::{BTreeMap, HashSet};

use super::frame::{Frame, View};
use crate::clock::Moment;
use crate::runs::RunStatus;
use crate::schedules::{Rule, count_between, counts_between, occurrences};
use crate::words;

/// Who entries belong together of: a schedule, or what was started of a configuration without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    Schedule(i64),
    ByHand(i64),
}

/// How many, by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub past: BTreeMap<RunStatus, i64>,
    pub planned: i64,
}

/// So many of each, for each day of the frame.
#[derive(Debug)]
pub struct Tallies {
    days: usize,
    of: BTreeMap<Key, Vec<Tally>>,
}

impl Tallies {
    pub fn new(frame: &Frame) -> Self {
        Self { days: frame.days.len(), of: BTreeMap::new() }
    }

    pub fn days_of(&mut self, key: Key) -> &mut [Tally] {
        self.of.entry(key).or_insert_with(|| vec![Tally::default(); self.days])
    }

    pub fn iter(&self) -> impl Iterator<Item = (Key, &[Tally])> {
        self.of.iter().map(|(key, days)| (*key, days.as_slice()))
    }
}

/// What a schedule that is on still has before it.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    pub schedule: i64,
    pub rule: &'a Rule,
    /// An occurrence that has gone by and that nobody has claimed yet.
    pub due: Option<Moment>,
    /// Every occurrence from then on.
    pub from: Moment,
}

/// Several of one schedule (or of a configuration, by hand) in one, over days that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    pub key: Key,
    /// Among the days of the frame, both included.
    pub first: usize,
    pub last: usize,
    pub tally: Tally,
}

/// What is not shown one by one.
#[derive(Clone, Debug, Default)]
pub struct Folding {
    pub keys: HashSet<Key>,
    /// For each day whether it has too many entries.
    pub crowded: Vec<bool>,
    /// For each day whether nothing is told apart there: crowded, and bands are counted with the others.
    pub whole: Vec<bool>,
}

impl Tally {
    pub fn add(&mut self, status: RunStatus, count: i64) {
        *self.past.entry(status).or_default() += count;
    }

    pub fn merge(&mut self, other: &Self) {
        self.planned += other.planned;
        self.add_past(other);
    }

    pub fn add_past(&mut self, other: &Self) {
        for (status, count) in &other.past {
            self.add(*status, *count);
        }
    }

    pub fn of(&self, status: RunStatus) -> i64 {
        self.past.get(&status).copied().unwrap_or_default()
    }

    /// What ran, runs, or was to.
    pub fn runs(&self) -> i64 {
        self.past.values().sum()
    }

    pub fn total(&self) -> i64 {
        self.runs() + self.planned
    }

    /// "90 runs so far, 88 succeeded, 2 failed; 77 planned".
    pub fn words(&self, so_far: bool) -> String {
        let mut parts = Vec::new();
        if self.runs() > 0 {
            let so_far = if so_far { " so far" } else { "" };
            let mut all = vec![format!("{}{so_far}", words::counted(self.runs(), "run", "runs"))];
            for (status, word) in WORDS {
                let count = self.of(status);
                if count > 0 {
                    all.push(format!("{} {word}", words::count(count)));
                }
            }
            parts.push(all.join(", "));
        }
        if self.planned > 0 {
            parts.push(format!("{} planned", words::count(self.planned)));
        }
        parts.join("; ")
    }

    /// The status that it is shown with: the worst, because that is what somebody should see; `None`: all planned.
    pub fn shown_as(&self) -> Option<RunStatus> {
        use RunStatus::*;
        [Failed, Partial, Held, Running, Queued, Success, Missed, Skipped, Cancelled]
            .into_iter()
            .find(|status| self.of(*status) > 0)
    }
}

const WORDS: [(RunStatus, &str); 9] = [
    (RunStatus::Success, "succeeded"),
    (RunStatus::Partial, "partial"),
    (RunStatus::Failed, "failed"),
    (RunStatus::Held, "held"),
    (RunStatus::Running, "running"),
    (RunStatus::Queued, "queued"),
    (RunStatus::Cancelled, "cancelled"),
    (RunStatus::Skipped, "skipped"),
    (RunStatus::Missed, "missed"),
];

/// More than so many a day of one schedule become a band.
pub fn often(view: View) -> i64 {
    if view == View::Month { 2 } else { 6 }
}

/// More than so many entries make a day crowded; a whole week of days that are not is a page that still loads at once.
pub fn crowd(view: View) -> i64 {
    match view {
        View::Day => 200,
        View::Week => 50,
        View::Month => 40,
    }
}

/// So many runs are told apart by schedule in one look; of days that hold more all is counted together. One import has
/// few schedules, so that its days make few bands.
pub fn most_apart(one_import: bool) -> i64 {
    if one_import { 20_000 } else { 3_000 }
}

/// Which days are counted as a whole: the busiest, as far as the others together hold no more than that.
pub fn whole(of_days: &[i64], most_apart: i64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..of_days.len()).collect();
    order.sort_by_key(|day| of_days[*day]);
    let mut whole = vec![false; of_days.len()];
    let mut sum = 0;
    for day in order {
        sum += of_days[day];
        whole[day] = sum > most_apart;
    }
    whole
}

impl Plan<'_> {
    /// How many occurrences it has from one instant to another.
    pub fn count(&self, from: Moment, to: Moment) -> i64 {
        let due = self.due.is_some_and(|at| from <= at && at < to);
        let from = from.max(self.from);
        let ahead = if from < to { count_between(self.rule, from, to) } else { 0 };
        ahead as i64 + i64::from(due)
    }

    /// The same for stretches that follow each other, which these are the edges of.
    fn counts(&self, edges: &[Moment]) -> Vec<i64> {
        let ahead: Vec<Moment> = edges.iter().map(|edge| self.from.max(*edge)).collect();
        let mut counts: Vec<i64> = counts_between(self.rule, &ahead).into_iter().map(|count| count as i64).collect();
        if let Some(at) = self.due
            && let Some(after) = edges.iter().position(|edge| at < *edge).filter(|after| *after > 0)
        {
            counts[after - 1] += 1;
        }
        counts
    }

    /// Its occurrences from one instant to another.
    pub fn instants(&self, from: Moment, to: Moment) -> impl Iterator<Item = Moment> {
        let before = Moment::from_micros(self.from.max(from).micros() - 1);
        let due = self.due.filter(|at| from <= *at && *at < to);
        due.into_iter().chain(occurrences(self.rule, before).take_while(move |at| *at < to))
    }
}

/// Counts what is planned on each day.
pub fn count_plans(frame: &Frame, plans: &[Plan], tallies: &mut Tallies) {
    let edges: Vec<Moment> = frame.days.iter().map(|day| day.from).chain([frame.to()]).collect();
    for plan in plans {
        let days = tallies.days_of(Key::Schedule(plan.schedule));
        for (tally, planned) in days.iter_mut().zip(plan.counts(&edges)) {
            tally.planned += planned;
        }
    }
}

/// Decides what is folded. A schedule that runs often on one of the days is a band on all of them but those that are
/// counted as a whole.
pub fn fold(frame: &Frame, tallies: &Tallies, whole: Vec<bool>) -> Folding {
    let often = often(frame.view);
    let mut keys = HashSet::new();
    let mut left = vec![0; frame.days.len()];
    for (key, days) in tallies.iter() {
        if days.iter().zip(&whole).any(|(tally, whole)| !*whole && tally.total() > often) {
            keys.insert(key);
            continue;
        }
        for (left, tally) in left.iter_mut().zip(days) {
            *left += tally.total();
        }
    }
    let crowded = left.iter().zip(&whole).map(|(count, whole)| *whole || *count > crowd(frame.view)).collect();
    Folding { keys, crowded, whole }
}

/// The bands: over days that follow each other, cut after today so that what was and what will be are apart. In a
/// month each day has its own.
pub fn bands(frame: &Frame, tallies: &Tallies, folding: &Folding) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::new();
    let is_past = |n: usize| frame.days[n].date <= frame.today;
    for (key, days) in tallies.iter().filter(|(key, _)| folding.keys.contains(key)) {
        for (day, tally) in days.iter().enumerate().filter(|(day, tally)| !folding.whole[*day] && tally.total() > 0) {
            let joins = |band: &Band| {
                let follows = band.key == key && band.last + 1 == day && is_past(band.last) == is_past(day);
                follows && frame.view != View::Month
            };
            match bands.last_mut().filter(|band| joins(band)) {
                Some(band) => {
                    band.last = day;
                    band.tally.merge(tally);
                }
                None => bands.push(Band { key, first: day, last: day, tally: tally.clone() }),
            }
        }
    }
    bands
}
