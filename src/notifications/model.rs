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
        /// What is broken is broken still.
        Reminder = "reminder",
        /// What was broken is in order again.
        Recovered = "recovered",
        /// Runs much longer than it does usually.
        Slow = "slow",
        /// Was planned and has not begun.
        Waiting = "waiting",
        /// May not be ready when it was promised.
        AtRisk = "at_risk",
        /// Is not ready though it was promised.
        Late = "late",
        /// Is ready, later than promised.
        Ready = "ready",
        /// Several messages in one.
        Digest = "digest",
        OwnerChanged = "owner_changed",
        /// A schedule whose runs will fail.
        WillFail = "will_fail",
        /// A secret ends soon.
        Expires = "expires",
        /// A way to tell people is broken.
        Broken = "broken",
    }
}

text_enum! {
    /// A way besides the inbox.
    pub enum Channel { Email = "email", Slack = "slack" }
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

    /// Whether somebody may have to do something about it.
    pub fn is_urgent(self) -> bool {
        match self {
            Self::Success | Self::Partial | Self::Backlog | Self::Recovered | Self::Ready => false,
            Self::Digest | Self::OwnerChanged => false,
            Self::Failed | Self::Held | Self::Missed | Self::Reminder | Self::Slow | Self::Waiting => true,
            Self::AtRisk | Self::Late | Self::WillFail | Self::Expires | Self::Broken => true,
        }
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
            Self::Reminder => ("Still broken", "is-bad", "bad"),
            Self::Recovered => ("Recovered", "is-ok", "ok"),
            Self::Slow => ("Slow", "is-warn", "clock"),
            Self::Waiting => ("Waiting", "is-warn", "clock"),
            Self::AtRisk => ("At risk", "is-warn", "warn"),
            Self::Late => ("Late", "is-bad", "warn"),
            Self::Ready => ("Ready", "is-ok", "ok"),
            Self::Digest => ("Digest", "", "info"),
            Self::OwnerChanged => ("New Owner", "", "info"),
            Self::WillFail => ("Will fail", "is-warn", "warn"),
            Self::Expires => ("Expires", "is-warn", "clock"),
            Self::Broken => ("Broken", "is-bad", "warn"),
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
    /// What is broken.
    pub incident_id: Option<i64>,
    /// A path of this server, for what has no run.
    pub link: Option<String>,
    /// "Payroll DE failed"
    pub title: String,
    /// The cause, in sentences.
    pub detail: String,
    pub at: Moment,
    pub read_at: Option<Moment>,
}

impl Notice {
    /// The page that says more: what is broken where several imports may be, else its run, else what it names.
    pub fn leads_to(&self) -> String {
        match (self.kind, self.incident_id, self.run_id, &self.link) {
            (NoticeKind::Reminder | NoticeKind::Missed, Some(id), ..) | (_, Some(id), None, None) => {
                format!("/incidents/{id}")
            }
            (_, _, Some(id), _) => format!("/runs/{id}"),
            (.., Some(link)) => link.clone(),
            _ => "/notifications".to_owned(),
        }
    }
}

/// Who was told of a run, and how far that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub member_id: i64,
    pub member: String,
    /// Of the other ways: which, where it stands, what was said of it.
    pub deliveries: Vec<(Channel, DeliveryState, Option<String>)>,
}
