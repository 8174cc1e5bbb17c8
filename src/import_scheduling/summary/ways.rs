//! Why it ended as it did, and the ways out: to where the cause can be put right, by the step that failed.

use super::RunScene;
use crate::imports::pipeline::{CHECK, LOAD, READ};
use crate::runs::RunStatus;
use crate::web::Icon;

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

/// Where the cause of a run lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where it is fetched from.
    Connection,
    /// How it is read.
    Source,
    Mapping,
    /// In our own database, for a while.
    Database,
    /// In rights, or in what is not there any more.
    Elsewhere,
}

impl RunScene {
    pub(super) fn note(&self, leads: bool) -> Option<Note> {
        let run = &self.summary.run;
        // The question says it.
        if run.hold.is_some() {
            return None;
        }
        let why = run.cause.clone().or_else(|| run.reason.clone().filter(|_| !run.status.is_open()))?;
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
            false => Some("Fix the cause, then choose Run Again. A Success clears the Failed flag."),
        };
        let theirs = self.connection().is_some() && !self.entered.sees_everything && run.status == RunStatus::Failed;
        let theirs = theirs.then_some("An Administrator can check the Connection.");
        let help: Vec<&str> = theirs.into_iter().chain(again).collect();
        let help = (!help.is_empty()).then(|| help.join(" "));
        Some(Note { class, icon, cause, rest, help, ways: self.ways(), leads })
    }

    /// Whether the same may succeed another time: only such a run was tried again, and only our own database fails in
    /// its last step.
    pub(super) fn may_pass(&self) -> bool {
        let run = &self.summary.run;
        run.status == RunStatus::Failed && (run.attempt > 1 || self.place() == Place::Database)
    }

    fn place(&self) -> Place {
        let failed = self.summary.steps.iter().find(|step| step.status == "failed");
        match failed.map(|step| step.name.as_str()) {
            _ if self.summary.run.status == RunStatus::Partial => Place::Mapping,
            Some(CHECK) => Place::Mapping,
            Some(READ) => Place::Source,
            Some(LOAD) => Place::Database,
            Some(_) => Place::Connection,
            None => Place::Elsewhere,
        }
    }

    /// The Connection in which the cause may lie.
    fn connection(&self) -> Option<i64> {
        self.configuration.as_ref().filter(|_| self.place() == Place::Connection)?.connection_id
    }

    /// Where the cause of a run that lost rows can be put right.
    pub(super) fn ways(&self) -> Vec<(&'static str, String)> {
        let lost = matches!(self.summary.run.status, RunStatus::Failed | RunStatus::Partial);
        let Some(configuration) = self.configuration.as_ref().filter(|c| lost && !c.archived) else {
            return Vec::new();
        };
        let place = self.place();
        if matches!(place, Place::Database | Place::Elsewhere) {
            return Vec::new();
        }
        let here = format!(
            "/applications/{}/settings/import-configurations/{}",
            configuration.application_id, configuration.id
        );
        let part = if place == Place::Mapping { "mapping" } else { "source-t" };
        let connection = self.connection().filter(|_| self.entered.sees_everything);
        let connection = connection.map(|id| ("Check the Connection", format!("/connections/{id}")));
        let change = self.entered.may_configure().then(|| ("Edit the configuration", format!("{here}#{part}")));
        let file = configuration.needs_file() && self.entered.may_import();
        let file = file.then(|| ("Run with the corrected file", format!("{here}/run")));
        [file, connection, change].into_iter().flatten().collect()
    }
}
