//! What a load is given: its source, and what it needs from its run.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use super::outcome::{FailureKind, LoadError};
use crate::applications::blocks::RunKey;
use crate::clock::Clock;
use crate::db::Pool;
use crate::formats::Rows;
use crate::spool::Spool;

/// The file of a load, on this machine. It is read from its beginning, more than once where need be.
#[derive(Debug)]
pub struct SourceFile {
    pub file: File,
    /// Its name where it came from: tells the compression, and is kept in the ledger.
    pub name: String,
    /// As it is on the disk, before decompression.
    pub bytes: u64,
    pub sha256: String,
    /// A person gave it, and it may be of another format than its configuration says.
    pub by_hand: bool,
}

/// What a load reads.
pub enum Source<'a> {
    File(&'a SourceFile),
    /// Rows that come once, such as a query's; what they are called, and where they may be written down.
    Rows {
        rows: Box<dyn Rows + 'a>,
        name: String,
        spool: Spool,
    },
}

impl Source<'_> {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::File(file) => &file.name,
            Self::Rows { name, .. } => name,
        }
    }

    /// Of a file, in hexadecimal; of rows nothing, because nobody keeps their bytes.
    pub(super) fn sha256(&self) -> &str {
        match self {
            Self::File(file) => &file.sha256,
            Self::Rows { .. } => "",
        }
    }
}

/// A file that tells how far it was read, and ends its reader when the load is cancelled: looking through a large one
/// for its columns gives no row for a long time.
pub(super) struct Watched<'a> {
    pub file: &'a File,
    pub cancelled: &'a AtomicBool,
    /// The place up to which it was read.
    pub place: &'a AtomicU64,
}

impl Read for Watched<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(std::io::Error::other("it was cancelled"));
        }
        let count = self.file.read(out)?;
        self.place.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let place = self.file.seek(to)?;
        self.place.store(place, Ordering::Relaxed);
        Ok(place)
    }
}

/// The phase of a load in which it can be told how much is still to come.
pub const READING: &str = "Reading and loading";

/// The phase in which it is checked as a whole.
pub const CHECKING: &str = "Checking";

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What goes on, in a word or two.
    pub phase: &'static str,
    /// Rows that were read.
    pub rows: i64,
    /// Bytes that were read: of a file as it is on the disk, where `of` says how many it has.
    pub bytes: i64,
    /// `None`: nobody knows how many there are, or all were read.
    pub of: Option<i64>,
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

impl<'a> LoadContext<'a> {
    /// Whether the load is to end.
    pub(super) fn is_over(&self) -> impl Fn() -> bool + Sync + use<'a> {
        let (cancelled, deadline) = (self.cancelled, self.deadline);
        move || cancelled.load(Ordering::Relaxed) || deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    pub(super) fn go_on(&self) -> Result<(), LoadError> {
        if !self.is_over()() {
            return Ok(());
        }
        Err(match self.cancelled.load(Ordering::Relaxed) {
            true => LoadError::new(FailureKind::Cancelled, "The run was cancelled."),
            false => LoadError::new(FailureKind::DeadlinePassed, "The attempt ran out of time."),
        })
    }
}
