//! What goes on in this process and stands in no table: it ends with the process.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Duration;

use crate::clock::Moment;

/// The runs that threads of this process see through: whoever looks for workers that are gone leaves these alone,
/// though their lease ran out while the machine slept or its clock was set.
#[derive(Default)]
pub struct AtWork(Mutex<HashSet<i64>>);

/// A run is seen through as long as this lives.
pub struct SeenThrough<'a>(&'a AtWork, i64);

impl AtWork {
    pub fn enter(&self, run_id: i64) -> SeenThrough<'_> {
        self.lock().insert(run_id);
        SeenThrough(self, run_id)
    }

    pub fn has(&self, run_id: i64) -> bool {
        self.lock().contains(&run_id)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SeenThrough<'_> {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

/// Since when runs have been held up, as far as this process knows: one alone serves a SQLite directory, and of several a
/// run that waits for its file meets each for a while.
#[derive(Default)]
pub struct HeldUp(Mutex<HashMap<i64, Moment>>);

impl HeldUp {
    /// How long a run has been held up, which it is now.
    pub fn how_long(&self, run_id: i64, now: Moment) -> Duration {
        let mut since = self.lock();
        // A run that was cancelled meanwhile is told to nobody here.
        since.retain(|_, since| now.since(*since) < Duration::days(2));
        now.since(*since.entry(run_id).or_insert(now))
    }

    /// It is not any more.
    pub fn over(&self, run_id: i64) {
        self.lock().remove(&run_id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Moment>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By what somebody was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    Session(i64),
    Token(i64),
}

/// When sessions and tokens were last seen, until that is written.
#[derive(Default)]
pub struct Seen(Mutex<HashMap<Sign, Moment>>);

impl Seen {
    pub fn note(&self, sign: Sign, now: Moment) {
        self.lock().insert(sign, now);
    }

    pub fn last(&self, sign: Sign) -> Option<Moment> {
        self.lock().get(&sign).copied()
    }

    /// All that is to be written.
    pub fn all(&self) -> Vec<(Sign, Moment)> {
        self.lock().iter().map(|(sign, at)| (*sign, *at)).collect()
    }

    /// These are written.
    pub fn forget(&self, written: &[(Sign, Moment)]) {
        let mut noted = self.lock();
        for (sign, at) in written {
            if noted.get(sign) == Some(at) {
                noted.remove(sign);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sign, Moment>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So many downloads are written at once, and so many of them for one member: each holds a thread and reads a database.
const DOWNLOADS: usize = 16;
const DOWNLOADS_EACH: usize = 4;

/// The downloads that are written now, by the members who asked.
#[derive(Clone, Default)]
pub struct Downloads(Arc<Mutex<Vec<i64>>>);

/// A place among them, until it is dropped.
pub struct Download(Downloads, i64);

impl Downloads {
    /// `None`: too many are written already.
    pub fn begin(&self, member_id: i64) -> Option<Download> {
        let mut going = self.lock();
        let theirs = going.iter().filter(|of| **of == member_id).count();
        if going.len() >= DOWNLOADS || theirs >= DOWNLOADS_EACH {
            return None;
        }
        going.push(member_id);
        Some(Download(self.clone(), member_id))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        let mut going = self.0.lock();
        if let Some(at) = going.iter().position(|of| *of == self.1) {
            going.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downloads_are_bounded_for_each_and_for_all() {
        let downloads = Downloads::default();
        let mut going: Vec<_> = (0..4).map(|_| downloads.begin(1).unwrap()).collect();
        assert!(downloads.begin(1).is_none());
        for member in [2, 3, 4] {
            going.extend((0..4).map(|_| downloads.begin(member).unwrap()));
        }
        assert!(downloads.begin(5).is_none());
        going.pop();
        assert!(downloads.begin(1).is_none() && downloads.begin(5).is_some());
    }
}
