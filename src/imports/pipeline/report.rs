//! What is said of a load: how long each step took, and what it did.

use std::time::Duration;

use super::load::Load;
use super::outcome::{Counts, LoadReport, Outcome, Step, counts_of};
use super::reading::Reading;
use crate::applications::blocks::ledger::LedgerRow;
use crate::words;

pub(super) fn nothing_new(read: &Reading, name: &str) -> LoadReport {
    let detail = format!("{name} holds no rows: nothing new. The Block holds what it held before.");
    LoadReport {
        outcome: Outcome::NothingNew,
        counts: Counts { bytes: read.bytes, ..Counts::default() },
        steps: vec![Step { name: "Read", after: Duration::ZERO, duration: read.reading, detail }],
        earlier: None,
    }
}

impl Load<'_> {
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

    pub fn steps(&self, loaded: String, rejected: i64) -> Vec<Step> {
        let read = &self.read;
        let from = format!("{} and {} bytes of {}.", words::rows(read.rows), words::count(read.bytes), self.name);
        vec![
            Step { name: "Read", after: Duration::ZERO, duration: read.reading, detail: from },
            Step {
                name: "Map and check",
                after: read.first_row,
                duration: read.checking + self.checking,
                detail: format!("{} rejected.", words::rows(rejected)),
            },
            Step { name: "Load", after: self.waited_to_load(), duration: self.loading, detail: loaded },
        ]
    }
}
