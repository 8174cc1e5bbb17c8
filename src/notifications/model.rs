//! What a member is told, and what became of it.

use crate::clock::Moment;
use crate::db::text_enum;
use crate::runs::RunStatus;

text_enum! {
    /// What happened.
    pub enum NoticeKind {
        Success = "success",
        Partial = "partial",
        Failed = "failed",
        Held = "held",
        /// Planned while the server was away, and covered by nothing.
        Missed = "missed",
        /// Several imports ended long before anybody could be told.
        Backlog = "backlog",
    }
}

text_enum! {
    /// A way besides the inbox.
    pub enum Channel { Email = "email" }
}

text_enum! {
    /// Where a delivery stands.
    pub enum DeliveryState {
        /// For its first or next attempt.
        Waiting = "waiting",
        Sending = "sending",
        Sent = "sent",
        /// Refused for good, or tried for a day.
        Failed = "failed",
    }
}

impl NoticeKind {
    /// Of how a run ended; `None` of what nobody is told.
    pub fn of(status: RunStatus) -> Option<Self> {
        Some(match status {
            RunStatus::Success => Self::Success,
            RunStatus::Partial => Self::Partial,
            RunStatus::Failed => Self::Failed,
            RunStatus::Held => Self::Held,
            RunStatus::Missed => Self::Missed,
            RunStatus::Queued | RunStatus::Running | RunStatus::Cancelled | RunStatus::Skipped => return None,
        })
    }

    /// Word, class and icon of its chip.
    pub fn chip(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Success => ("Success", "is-ok", "ok"),
            Self::Partial => ("Partial", "is-warn", "part"),
            Self::Failed => ("Failed", "is-bad", "bad"),
            Self::Held => ("Held", "is-warn", "pause"),
            Self::Missed => ("Missed", "is-bad", "warn"),
            Self::Backlog => ("Delayed", "", "info"),
        }
    }
}

/// A line of a member's inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub id: i64,
    pub member_id: i64,
    pub kind: NoticeKind,
    pub application_id: Option<i64>,
    /// Which may be gone by now.
    pub run_id: Option<i64>,
    /// "Payroll DE failed"
    pub title: String,
    /// The cause, in sentences.
    pub detail: String,
    pub at: Moment,
    pub read_at: Option<Moment>,
}

/// Who was told of a run, and how far that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub member_id: i64,
    pub member: String,
    /// Of the other ways: which, where it stands, what was said of it.
    pub deliveries: Vec<(Channel, DeliveryState, Option<String>)>,
}
