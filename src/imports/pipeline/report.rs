//! What is said of a load: how long each step took, and what it did.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::context::{Progress, READING};
use super::load::Load;
use super::outcome::{CHECK, Counts, LOAD, LoadReport, Outcome, READ, Step, counts_of};
use super::reading::Reading;
use crate::applications::blocks::ledger::LedgerRow;
use crate::words;

pub(super) fn nothing_new(read: &Reading, name: &str) -> LoadReport {
    let detail = format!("{name} holds no rows: nothing new. The Block holds what it held before.");
    LoadReport {
        outcome: Outcome::NothingNew,
        counts: Counts { bytes: read.bytes, ..Counts::default() },
        steps: vec![Step { name: READ, began: Duration::ZERO, duration: read.reading, detail }],
        earlier: None,
    }
}

impl Load<'_> {
    /// Tells how far it is.
    pub fn tell(&self, phase: &'static str) {
        let (bytes, of) = match self.size {
            Some(size) => (i64::try_from(self.place.load(Ordering::Relaxed)).unwrap_or(size).min(size), Some(size)),
            None => (self.read.bytes, None),
        };
        let of = of.filter(|_| phase == READING);
        (self.context.progress)(Progress { phase, rows: self.read.rows, bytes, of });
    }

    pub fn report(&self, row: &LedgerRow) -> LoadReport {
        let counts = counts_of(row);
        let mut said = vec![format!("{} added", words::rows(counts.added))];
        for (number, word) in
            [(counts.changed, "changed"), (counts.removed, "removed"), (counts.unchanged, "unchanged")]
        {
            if number > 0 {
                said.push(format!("{} {word}", words::count(number)));
            }
        }
        let outcome = if counts.rejected > 0 { Outcome::Partial } else { Outcome::Loaded };
        let steps = self.steps(format!("{}.", said.join(", ")), counts.rejected);
        LoadReport { outcome, counts, steps, earlier: None }
    }

    /// Those that began, in the order in which they did.
    pub fn steps(&self, loaded: String, rejected: i64) -> Vec<Step> {
        let read = &self.read;
        let from = format!("{} and {} bytes of {}.", words::rows(read.rows), words::count(read.bytes), self.name);
        let since = |at: Instant| at.saturating_duration_since(self.began);
        let mut steps = vec![Step { name: READ, began: Duration::ZERO, duration: read.reading, detail: from }];
        if let Some(at) = read.checked {
            let detail = format!("{} rejected.", words::rows(rejected));
            steps.push(Step { name: CHECK, began: since(at), duration: read.checking + self.checking, detail });
        }
        if let Some(at) = self.wrote {
            steps.push(Step { name: LOAD, began: since(at), duration: self.loading, detail: loaded });
        }
        steps
    }
}
