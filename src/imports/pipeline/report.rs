//! What is said of a load: how long each step took, and what it did.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::again::Again;
use super::context::{Progress, READING};
use super::guarding;
use super::guarding::stopped;
use super::load::Load;
use super::outcome::{CHECK, Counts, LOAD, LoadError, LoadReport, Outcome, READ, Step, counts_of};
use super::reading::Reading;
use super::told::Told;
use crate::applications::blocks::ledger::{LedgerRow, LoadState};
use crate::words;

pub(super) fn nothing_new(read: &Reading, name: &str, new_columns: Vec<String>) -> LoadReport {
    let told = Told { blank: read.blank, new_columns, ..Told::default() };
    let nothing = format!("{name} has no rows: nothing new. The Block is unchanged.");
    let detail = words::sentences([Some(nothing), told.blank_words()]).unwrap_or_default();
    LoadReport {
        outcome: Outcome::NothingNew,
        counts: Counts { bytes: read.bytes, ..Counts::default() },
        steps: vec![Step { name: READ, began: Duration::ZERO, duration: read.reading, detail }],
        told,
        earlier: None,
        difference: None,
    }
}

impl Load<'_> {
    /// What is said of a load that came to its end: with the ledger's row, without any rows, or without success.
    pub fn ended(
        mut self,
        shown: Result<Option<LedgerRow>, LoadError>,
        unchanged: &dyn Fn() -> Result<(), String>,
    ) -> Result<LoadReport, LoadError> {
        let shown = shown.or_else(|failure| self.known_after_all(failure));
        // A statement that was ended because the load is over says only that it was ended.
        let shown = shown.map_err(|failure| match self.context.go_on() {
            Err(over) if failure.is_of_database() => over,
            _ => failure,
        });
        match shown {
            Ok(Some(row)) => {
                let difference = self.difference.take().map(Box::new);
                Ok(LoadReport { difference, ..self.report(&row) })
            }
            Ok(None) => {
                let columns = std::mem::take(&mut self.new_columns);
                guarding::nothing(self.plan, self.context, (self.name, self.sha256), (&self.read, columns), unchanged)
            }
            Err(mut failure) => {
                failure.counts.read = failure.counts.read.max(self.read.rows);
                failure.counts.rejected = failure.counts.rejected.max(self.read.rejected);
                failure.counts.bytes = self.read.bytes;
                failure.told = Box::new(self.told());
                failure.steps = self.steps("Nothing was loaded.".to_owned(), failure.counts.rejected);
                Err(failure)
            }
        }
    }

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
        let (outcome, said) = match row.state {
            LoadState::Held => (
                Outcome::Held(stopped(row)),
                format!("{} held. The Block is unchanged.", words::counted(row.added, "row is", "rows are")),
            ),
            _ if counts.rejected > 0 => (Outcome::Partial, format!("{}.", said.join(", "))),
            _ => (Outcome::Loaded, format!("{}.", said.join(", "))),
        };
        let steps = self.steps(said, counts.rejected);
        LoadReport { outcome, counts, steps, told: self.told(), earlier: None, difference: None }
    }

    pub fn told(&self) -> Told {
        let routes = self.checker.routes();
        let learns = self.plan.mapping.is_none() && self.plan.columns.is_none();
        Told {
            changes: self.changes.told(routes),
            blank: self.read.blank,
            learned: learns.then(|| routes.iter().map(|route| route.column.name.clone()).collect()),
            new_columns: self.new_columns.clone(),
            created: self.created.clone(),
        }
    }

    /// Those that began, in the order in which they did.
    pub fn steps(&self, loaded: String, rejected: i64) -> Vec<Step> {
        let (read, told) = (&self.read, self.told());
        let from = match self.again {
            Again::Block(_) => format!("{} from {}.", words::rows(read.rows), self.name),
            _ => format!("{} and {} bytes from {}.", words::rows(read.rows), words::count(read.bytes), self.name),
        };
        let from = words::sentences([Some(from), told.blank_words()]).unwrap_or_default();
        let rejected = format!("{} rejected.", words::rows(rejected));
        let changed = told.changes_words().map(|words| format!("{words}."));
        let checked = words::sentences([Some(rejected), changed]).unwrap_or_default();
        let since = |at: Instant| at.saturating_duration_since(self.began);
        let mut steps = vec![Step { name: READ, began: Duration::ZERO, duration: read.reading, detail: from }];
        if let Some(at) = read.checked {
            steps.push(Step {
                name: CHECK,
                began: since(at),
                duration: read.checking + self.checking,
                detail: checked,
            });
        }
        if let Some(at) = self.wrote {
            steps.push(Step { name: LOAD, began: since(at), duration: self.loading, detail: loaded });
        }
        steps
    }
}
