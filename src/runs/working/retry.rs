//! What is to become of a run whose work came to nothing.

use chrono::Duration;

use crate::imports::pipeline::{FailureKind, LoadError};

/// Whether trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    No,
    Later,
    /// A database of ours was busy or unavailable.
    Busy,
    /// It is there; others were in the way.
    HeldUp,
    /// The source asked for this much.
    After(Duration),
    /// Somebody writes the file just now; after this much it may rest.
    Rest(Duration),
    /// Nobody knows yet whether it loaded: nothing is written, and the rescue asks the ledger.
    Unknown,
}

impl Retry {
    /// After a load that failed; `kept`: its file is with us, and is the same however often it is read.
    pub fn of(failure: &LoadError, kept: bool) -> Self {
        match failure.kind {
            FailureKind::SourceUnreadable if kept => Self::No,
            FailureKind::Unknown => Self::Unknown,
            FailureKind::DatabaseAway => Self::Busy,
            FailureKind::HeldUp => Self::HeldUp,
            _ if failure.may_retry() => Self::Later,
            _ => Self::No,
        }
    }
}
