//! What a Summary asks while its run is Held: the question, what each answer does, and what usually comes.

use super::RunScene;
use crate::import_scheduling::cards::status_chip;
use crate::import_scheduling::deciding;
use crate::imports::Mode;
use crate::runs::{Hold, Run};
use crate::words;

/// How many runs stand beside it.
const RECENT: usize = 10;

pub(super) struct Decision {
    pub until: String,
    pub question: String,
    pub what: String,
    /// Why it waits again.
    pub again: String,
    pub reject: String,
    pub approve: String,
    /// Where the member may not decide: which right is missing, and who can grant it.
    pub missing: Option<String>,
    pub recent: Vec<Recent>,
}

/// A run of the same import that read something.
pub(super) struct Recent {
    pub id: i64,
    pub when: String,
    pub status: &'static str,
    pub read: String,
}

impl RunScene {
    pub(super) fn decision(&self) -> Option<Decision> {
        let run = &self.summary.run;
        let hold = run.hold.as_ref()?;
        let (rows, usual) = (hold.stopped.rows, hold.stopped.usual);
        let block = self.block.as_ref().map_or("the Block", |block| block.name.as_str());
        let held = words::count(usual);
        Some(Decision {
            until: words::date_time(hold.until, self.zone()),
            question: match rows {
                0 => format!("No rows came instead of about {held}. Empty {block}?"),
                1 => format!("1 row came instead of about {held}. Load it?"),
                rows => format!("{} rows came instead of about {held}. Load them?", words::count(rows)),
            },
            what: match self.definition.as_ref().is_some_and(|made| made.mode == Mode::ReplaceScope) {
                true => format!(
                    "This import replaces the rows of its scope: {} would take the place of {held} in {block}, and the \
                     others stay. Nothing has changed yet.",
                    words::rows(rows)
                ),
                false => format!(
                    "This import replaces all rows of {block}, which would then hold {} instead of {held}. Nothing has \
                     changed yet.",
                    words::rows(rows)
                ),
            },
            again: again(run, hold),
            reject: format!("Reject and keep {}", words::rows(usual)),
            approve: deciding::verb(rows),
            missing: self.not_decided_by.clone(),
            recent: self
                .recent
                .iter()
                .filter(|run| run.result.is_some())
                .take(RECENT)
                .map(|run| self.line(run))
                .collect(),
        })
    }

    fn line(&self, run: &Run) -> Recent {
        Recent {
            id: run.id,
            when: words::date_time(run.stands_for(), self.zone()),
            status: status_chip(run.status).word,
            read: words::count(run.result.as_ref().map_or(0, |result| result.read)),
        }
    }
}

/// What is said of it beside what every such run says.
fn again(run: &Run, hold: &Hold) -> String {
    let reason = run.reason.as_deref().unwrap_or_default();
    reason.replace(&hold.stopped.remark(), "").trim().to_owned()
}
