//! What a load is given: its file, and what it needs from its run.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::outcome::{FailureKind, LoadError};
use crate::applications::blocks::RunKey;
use crate::clock::Clock;
use crate::db::Pool;

/// The file of a load, on this machine. It is read from its beginning, more than once where need be.
#[derive(Debug)]
pub struct SourceFile {
    pub file: File,
    /// Its name where it came from: tells the compression, and is kept in the ledger.
    pub name: String,
    /// As it is on the disk, before decompression.
    pub bytes: u64,
    pub sha256: String,
}

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What goes on, in a word or two.
    pub phase: &'static str,
    /// Rows that were read.
    pub rows: i64,
    /// Bytes that were read, decompressed.
    pub bytes: i64,
}

/// What a load needs from its run.
pub struct LoadContext<'a> {
    pub blocks: &'a Pool,
    pub run: &'a RunKey,
    /// Of the run's lease; a newer one that begins to load the same Block shuts this load out.
    pub fence: i64,
    pub clock: &'a dyn Clock,
    /// Set it and the load ends within a batch.
    pub cancelled: &'a AtomicBool,
    /// The attempt's time is over then.
    pub deadline: Option<Instant>,
    /// Told after every batch, on the caller's thread.
    pub progress: &'a dyn Fn(Progress),
}

impl LoadContext<'_> {
    pub(super) fn go_on(&self) -> Result<(), LoadError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(LoadError::new(FailureKind::Cancelled, "The run was cancelled."));
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(LoadError::new(FailureKind::DeadlinePassed, "The time for one attempt was over."));
        }
        Ok(())
    }
}
