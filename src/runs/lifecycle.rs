//! What a run may become. Pure: the stores guard every change with the status that it starts from.

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

    /// Whether a run may go from here to there.
    pub fn may_become(self, next: Self) -> bool {
        use RunStatus::*;
        match self {
            Queued => matches!(next, Running | Cancelled | Failed),
            // Queued again: another attempt, or a worker that stops.
            Running => matches!(next, Queued | Success | Partial | Failed | Cancelled | Held),
            Held => matches!(next, Success | Partial | Failed),
            Success | Partial | Failed | Cancelled | Skipped | Missed => false,
        }
    }

    /// Whether it did its work, or tried to: "Run again" is for these.
    pub fn may_run_again(self) -> bool {
        matches!(self, Self::Success | Self::Partial | Self::Failed | Self::Cancelled)
    }

    /// Whether a configuration carries this status: Skipped, Missed and Cancelled never clear a Failed flag.
    pub fn marks_configuration(self) -> bool {
        matches!(self, Self::Success | Self::Partial | Self::Failed | Self::Held)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_stays_as_it_is() {
        for &from in RunStatus::ALL {
            let onward = RunStatus::ALL.iter().filter(|next| from.may_become(**next)).count();
            assert_eq!(onward > 0, from.is_open() || from == RunStatus::Held, "{from}");
        }
        assert!(!RunStatus::Queued.may_become(RunStatus::Success), "nobody did the work");
    }
}
