//! Why a source could not be reached or read: a plain cause for people, and whether it is worth coming back.
//!
//! A sentence never holds a secret, a query string or anything the source sent: it goes to summaries, mails and logs.

use std::fmt;

use super::Limits;
use crate::{spool, words};

/// Whether trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Somebody has to change something first.
    No,
    /// With the usual back-off.
    Later,
    /// The source asked for this many seconds (at most an hour).
    After(u64),
    /// Somebody writes it just now: so many seconds on it may rest. It costs no attempt.
    Rest(u64),
}

/// What went wrong, for code to tell apart; people read [`FetchError::sentence`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Somebody stopped it.
    Cancelled,
    /// The time for the whole attempt was up.
    OutOfTime,
    /// The source was silent for too long.
    Silent,
    /// Nobody answers there, or the name is not known.
    Unreachable,
    /// The address, folder or path is not allowed here.
    Refused,
    /// The encrypted connection is not to be trusted.
    Tls,
    /// The source does not know who we are.
    SignIn,
    /// The source knows us and says no.
    Forbidden,
    /// It is not there.
    Missing,
    /// The source wants to be asked less often.
    TooOften,
    /// The source points elsewhere.
    Redirected,
    /// The source answered, but not with a file.
    Answer,
    /// Less came than was promised.
    Cut,
    TooLarge,
    /// The file became another while it was read, or a moment before.
    Changed,
    /// This machine could not keep or read it.
    Machine,
    /// The request does not fit this kind of connection.
    Request,
}

/// A fetch or test that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchError {
    pub kind: FailureKind,
    /// What happened and what to do, in whole sentences.
    pub sentence: String,
    pub retry: Retry,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// It lies in what was asked for, which an import names, and not in the Connection.
    pub of_request: bool,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for FetchError {}

impl FetchError {
    pub(super) fn new(kind: FailureKind, retry: Retry, sentence: impl Into<String>) -> Self {
        let of_request = matches!(kind, FailureKind::Missing | FailureKind::Request);
        Self { kind, sentence: sentence.into(), retry, status: None, of_request }
    }

    pub(super) fn of_request(mut self, is: bool) -> Self {
        self.of_request = is;
        self
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Nothing is done to a source while the Workspace stands by.
    pub fn standing_by() -> Self {
        Self::new(FailureKind::Refused, Retry::Later, "This Workspace is standing by.")
    }

    pub(super) fn cancelled() -> Self {
        Self::new(FailureKind::Cancelled, Retry::No, "The run was cancelled while the source was being read.")
    }

    pub(super) fn out_of_time() -> Self {
        Self::new(
            FailureKind::OutOfTime,
            Retry::Later,
            "Reading the source took longer than one attempt may take. Allow more seconds per attempt, or use a smaller file.",
        )
    }

    pub(super) fn refused(sentence: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused, Retry::No, sentence)
    }

    pub(super) fn too_large(limits: &Limits) -> Self {
        let most = words::bytes(limits.wire_bytes);
        Self::new(
            FailureKind::TooLarge,
            Retry::No,
            format!(
                "The source is too large: an import reads at most {most}. Split the file, or filter it at the source."
            ),
        )
    }

    pub(super) fn too_large_unpacked(limits: &Limits) -> Self {
        let most = words::bytes(limits.decoded_bytes);
        Self::new(
            FailureKind::TooLarge,
            Retry::No,
            format!(
                "The source is too large when decompressed: an import reads at most {most}. Split the file, or filter it \
                 at the source."
            ),
        )
    }

    pub(super) fn takes_no_query(label: &str) -> Self {
        Self::new(
            FailureKind::Request,
            Retry::No,
            format!("A {label} Connection takes a path, not a query. Enter the file in the import configuration."),
        )
    }

    pub(super) fn takes_no_path(label: &str) -> Self {
        Self::new(
            FailureKind::Request,
            Retry::No,
            format!("A {label} Connection takes a query, not a path. Enter the query in the import configuration."),
        )
    }

    pub(super) fn settles_nothing() -> Self {
        Self::new(
            FailureKind::Request,
            Retry::No,
            "Files of this Connection cannot be moved or deleted. Set the import configuration to leave them.",
        )
    }

    /// What reading or writing here went wrong with; `what` begins the sentence: "The download".
    pub(super) fn machine(what: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        if spool::is_full(error) {
            let sentence = format!(
                "{what} failed: too much data is waiting to be loaded on this server. If this persists, ask the \
                 operator to allow more (--spool-bytes)."
            );
            return Self::new(FailureKind::Machine, Retry::Later, sentence);
        }
        let sentence = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                format!("{what} failed: the server's disk is full. Free some space, then run the import again.")
            }
            ErrorKind::PermissionDenied => {
                format!(
                    "{what} failed: the server may not read or write there. Ask the operator to check its permissions."
                )
            }
            _ => format!("{what} failed on the server ({}). Ask the operator to check it.", error.kind()),
        };
        Self::new(FailureKind::Machine, Retry::No, sentence)
    }
}
