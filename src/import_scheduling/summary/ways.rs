//! Why it ended as it did, and the ways out: to where the cause can be put right, by the step that failed.

use super::RunScene;
use crate::import_scheduling::mending::{self, Place};
use crate::runs::RunStatus;
use crate::web::Icon;
use crate::words;

pub(super) struct Note {
    pub class: &'static str,
    pub icon: Icon,
    pub cause: String,
    pub rest: String,
    pub help: Option<String>,
    /// Where whoever may can put it right.
    pub ways: Vec<(&'static str, String)>,
    /// Whether they are the first thing to do.
    pub leads: bool,
}

impl RunScene {
    pub(super) fn note(&self, leads: bool) -> Option<Note> {
        let run = &self.summary.run;
        // The question says it.
        if run.hold.is_some() {
            return None;
        }
        let why = match (&run.result, run.status) {
            (Some(result), RunStatus::Partial) => {
                let rejected = words::counted(result.rejected, "row was rejected", "rows were rejected");
                let loaded = Some(format!("{rejected}. {}; they stay loaded.", result.loaded_words()));
                words::sentences([loaded, run.reason.clone()])?
            }
            _ => run.cause.clone().or_else(|| run.reason.clone().filter(|_| !run.status.is_open()))?,
        };
        let (cause, rest) = match why.split_once(". ") {
            Some((first, rest)) => (format!("{first}."), rest.to_owned()),
            None => (why, String::new()),
        };
        let (class, icon) = match run.status {
            RunStatus::Failed => ("is-bad", "bad"),
            RunStatus::Partial | RunStatus::Held => ("is-warn", "part"),
            RunStatus::Success => ("is-ok", "ok"),
            _ => ("is-run", "info"),
        };
        let failed = run.status == RunStatus::Failed && self.summary.may_run_again;
        let again = match self.may_pass() {
            _ if !failed => None,
            true => Some("This may be temporary. Run Again tries once more."),
            false if self.set.is_some() => {
                Some("Fix the cause, then run it again from that step: what other steps loaded stays.")
            }
            false => Some("Fix the cause, then choose Run Again. A Success clears the Failed flag."),
        };
        let help: Vec<&str> = self.who_mends.as_deref().into_iter().chain(again).collect();
        let help = (!help.is_empty()).then(|| help.join(" "));
        Some(Note { class, icon, cause, rest, help, ways: self.ways(), leads })
    }

    /// Whether the same may succeed another time: only such a run was tried again, and only our own database fails in
    /// its last step.
    pub(super) fn may_pass(&self) -> bool {
        let run = &self.summary.run;
        run.status == RunStatus::Failed && (run.attempt > 1 || self.place() == Place::Database)
    }

    pub(super) fn place(&self) -> Place {
        let failed = self.summary.steps.iter().find(|step| step.status == "failed");
        Place::of(self.summary.run.status, failed.map(|step| step.name.as_str()))
    }

    /// Where the cause of a run that lost rows can be put right.
    pub(super) fn ways(&self) -> Vec<(&'static str, String)> {
        let lost = self.configuration.as_ref().filter(|_| self.lost());
        lost.map(|configuration| mending::ways(self.place(), configuration, &self.entered)).unwrap_or_default()
    }

    /// Whether rows are missing for which there is something to do.
    pub(super) fn lost(&self) -> bool {
        matches!(self.summary.run.status, RunStatus::Failed | RunStatus::Partial)
    }
}
