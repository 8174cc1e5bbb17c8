//! How a load ended: what it did, or why it did nothing, in words for people.

use std::time::Duration;

use super::guarding::stopped;
use super::told::Told;
use crate::applications::blocks::difference::Difference;
use crate::applications::blocks::ledger::{LedgerRow, LoadRefused, LoadState};
use crate::error::AppError;
use crate::imports::guard::Stopped;

/// Rows and bytes of a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub read: i64,
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
    pub unchanged: i64,
    pub rejected: i64,
    /// Of the source, decompressed.
    pub bytes: i64,
}

/// The steps of a load.
pub const READ: &str = "Read";
pub const CHECK: &str = "Map and check";
pub const LOAD: &str = "Load";

/// One step of a load. Reading, checking and loading go on at the same time, so their times add up to more than the
/// whole took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: &'static str,
    /// So long after the load's beginning.
    pub began: Duration,
    pub duration: Duration,
    pub detail: String,
}

/// How a load that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every row is in the Block.
    Loaded,
    /// The good rows are; some were rejected.
    Partial,
    /// The source had no rows; the Block holds what it held.
    NothingNew,
    /// All is loaded and waits, unseen, for a decision.
    Held(Stopped),
}

/// What a load did.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadReport {
    pub outcome: Outcome,
    pub counts: Counts,
    pub steps: Vec<Step>,
    pub told: Told,
    /// What an earlier attempt had loaded: then nothing of the source that this one was given is in the Block.
    pub earlier: Option<Box<LedgerRow>>,
    /// Of a trial: what would be another in the Block.
    pub difference: Option<Box<Difference>>,
}

impl LoadReport {
    /// The report of a load that the ledger knows already: an earlier attempt of the run came to its end and died
    /// before it could say so.
    pub fn from_ledger(row: LedgerRow) -> Result<Self, LoadError> {
        let counts = counts_of(&row);
        let outcome = match row.state {
            LoadState::Visible if counts.rejected > 0 => Outcome::Partial,
            LoadState::Visible => Outcome::Loaded,
            LoadState::Held => Outcome::Held(stopped(&row)),
            LoadState::Dropped => return Err(LoadError::new(FailureKind::Dropped, DROPPED)),
        };
        let told = Told::of(&row)?;
        let detail = "An earlier attempt had already loaded everything.".to_owned();
        let steps = vec![Step { name: LOAD, began: Duration::ZERO, duration: Duration::ZERO, detail }];
        Ok(Self { outcome, counts, steps, told, earlier: Some(Box::new(row)), difference: None })
    }
}

/// Of a load that was held and then turned down.
pub const DROPPED: &str = "The run was Held, and its rows were then discarded.";

/// What a load did, by the ledger; one that is held has changed nothing yet.
pub fn counts_of(row: &LedgerRow) -> Counts {
    let read = Counts { read: row.read, rejected: row.rejected, bytes: row.bytes, ..Counts::default() };
    if row.state == LoadState::Held {
        return read;
    }
    Counts { added: row.added, changed: row.changed, removed: row.removed, unchanged: row.unchanged, ..read }
}

/// Why a load did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The file is cut off, not CSV or too large, or its options are wrong.
    Source,
    /// The file could not be read to its end; another attempt may succeed.
    SourceUnreadable,
    /// The columns of the source, the mapping and the Block do not fit.
    Columns,
    /// More rows were rejected than the configuration allows.
    Rejected,
    /// More cells would be changed while loading than the configuration allows.
    Changed,
    /// The Block was changed while the load ran.
    BlockChanged,
    /// A newer worker has taken over.
    FenceLost,
    /// What an earlier attempt had loaded was held, and turned down.
    Dropped,
    /// The answer to the commit was lost, and nobody could be asked what became of it.
    Unknown,
    Cancelled,
    DeadlinePassed,
    /// The Block database is busy or gone.
    DatabaseAway,
    /// The database answers, but someone who reads the Block holds up the load.
    HeldUp,
    DiskFull,
    /// A fault of ours.
    Internal,
}

impl FailureKind {
    /// The step that failed; `None`: the one that went on.
    pub fn step(self) -> Option<&'static str> {
        match self {
            Self::Source | Self::SourceUnreadable => Some(READ),
            Self::Columns | Self::Rejected => Some(CHECK),
            _ => None,
        }
    }
}

/// A load that did nothing: the Block holds what it held, unless its kind is [`FailureKind::Unknown`].
#[derive(Clone, Debug, thiserror::Error)]
#[error("{cause}")]
pub struct LoadError {
    pub kind: FailureKind,
    /// What happened and what to do, in plain words, and that the Block still holds what it held.
    pub cause: String,
    /// For the log, where there is more to know than people want to read.
    pub detail: Option<String>,
    pub counts: Box<Counts>,
    pub steps: Vec<Step>,
    pub told: Box<Told>,
}

impl LoadError {
    pub(super) fn new(kind: FailureKind, what: impl AsRef<str>) -> Self {
        let what = what.as_ref().trim_end();
        let stop = if what.ends_with(['.', '!', '?']) { "" } else { "." };
        let cause = format!("{what}{stop} The Block is unchanged.");
        Self { kind, cause, detail: None, counts: Box::default(), steps: Vec::new(), told: Box::default() }
    }

    /// It failed before there was a row to count.
    pub(super) fn at_once(mut self, took: Duration) -> Self {
        let name = self.kind.step().unwrap_or(READ);
        let detail = "Nothing was loaded.".to_owned();
        self.steps = vec![Step { name, began: Duration::ZERO, duration: took, detail }];
        self
    }

    /// Nothing can be said of the Block: the ledger knows, once it answers again.
    pub(super) fn unknown(error: AppError) -> Self {
        let cause =
            "The database became unavailable just as the load was made visible. Whether it is visible is not known yet."
                .to_owned();
        let detail = Some(error.to_string());
        Self { detail, cause, ..Self::new(FailureKind::Unknown, "") }
    }

    /// May another attempt succeed with the same file and configuration?
    pub fn may_retry(&self) -> bool {
        use FailureKind as F;
        matches!(self.kind, F::DatabaseAway | F::HeldUp | F::SourceUnreadable | F::BlockChanged | F::DeadlinePassed)
    }

    /// Whether it was what the source held that failed.
    pub fn is_of_source(&self) -> bool {
        use FailureKind as F;
        matches!(self.kind, F::Source | F::SourceUnreadable | F::Columns | F::Rejected)
    }

    /// Whether it was the database that failed.
    pub(super) fn is_of_database(&self) -> bool {
        matches!(self.kind, FailureKind::DatabaseAway | FailureKind::DiskFull | FailureKind::Internal)
    }

    pub(super) fn from_database(error: AppError) -> Self {
        match error {
            AppError::Unavailable { .. } => {
                Self::new(FailureKind::DatabaseAway, "The database was busy or unavailable for too long.")
            }
            AppError::DiskFull => {
                Self::new(FailureKind::DiskFull, "The disk is full: free some space and run the import again.")
            }
            other => {
                let why = "Something went wrong in Tidegate while the rows were loaded. The server's log says more.";
                let mut failure = Self::new(FailureKind::Internal, why);
                failure.detail = Some(other.to_string());
                failure
            }
        }
    }
}

impl From<LoadRefused> for LoadError {
    fn from(why: LoadRefused) -> Self {
        match why {
            LoadRefused::FenceLost => LoadError::new(
                FailureKind::FenceLost,
                "This worker paused for too long, and another one has taken over the Block.",
            ),
            LoadRefused::DefinitionChanged => LoadError::new(
                FailureKind::BlockChanged,
                "The columns of the Block were changed while the load ran. Run the import again.",
            ),
            LoadRefused::NoItem(why) => LoadError::new(FailureKind::Columns, why),
            LoadRefused::Database(error) => LoadError::from_database(error),
        }
    }
}

impl From<AppError> for LoadError {
    fn from(error: AppError) -> Self {
        Self::from_database(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_says_that_the_block_is_untouched() {
        let failure = LoadError::new(FailureKind::Source, "The file is cut off");
        assert_eq!(failure.cause, "The file is cut off. The Block is unchanged.");
        let full = LoadError::from_database(AppError::DiskFull);
        assert_eq!((full.kind, full.may_retry()), (FailureKind::DiskFull, false));
        assert!(LoadError::from_database(AppError::Unavailable { after_seconds: 1 }).may_retry());
        // The machine may have been busy, or the disk slow.
        assert!(LoadError::new(FailureKind::DeadlinePassed, "The time was over.").may_retry());
    }
}
