//! Where a run stands, and what began it. The stores guard every change with the status that it starts from.

use crate::db::text_enum;

text_enum! {
    /// Where a run stands.
    pub enum RunStatus {
        /// Waits for a worker, a free place, or its next attempt.
        Queued = "queued",
        Running = "running",
        Success = "success",
        /// Some rows were rejected.
        Partial = "partial",
        Failed = "failed",
        Cancelled = "cancelled",
        /// Planned, and not begun for a reason that it names.
        Skipped = "skipped",
        /// Planned while the server was away.
        Missed = "missed",
        /// Stopped by the volume guard; waits for a decision.
        Held = "held",
    }
}

text_enum! {
    /// What began a run.
    pub enum Trigger { Schedule = "schedule", Member = "member", Api = "api", Set = "set" }
}

impl RunStatus {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Success => "Success",
            Self::Partial => "Partial",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Skipped => "Skipped",
            Self::Missed => "Missed",
            Self::Held => "Held",
        }
    }

    /// Whether it still waits or works.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// Whether its load is visible.
    pub fn has_loaded(self) -> bool {
        matches!(self, Self::Success | Self::Partial)
    }

    /// Whether it did its work, or tried to: "Run again" is for these.
    pub fn may_run_again(self) -> bool {
        matches!(self, Self::Success | Self::Partial | Self::Failed | Self::Cancelled)
    }
}

impl Trigger {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Schedule => "Schedule",
            Self::Member => "By hand",
            Self::Api => "API",
            Self::Set => "Import set",
        }
    }
}
