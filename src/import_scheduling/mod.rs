//! The page this product is known for: when each import runs, who owns it, how the last runs went. It stands above
//! the rooms whose nouns it shows (imports, schedules, runs) and reads them; nobody reads it.
//!
//! [`list`] is the page, [`view`] decides which of many it shows, [`calendar`] shows when all of it was and will be. [`dialog`] schedules, edits and copies,
//! [`switch`] turns off, deletes and undoes, [`off_until`] turns off until a date, [`ready_by`] says by when it is to be ready, [`bulk`] does that to several,
//! [`taking`] takes what nobody can run any more, [`starting`] runs, runs again and cancels, [`run_set`] runs a set with the values that it [asks](asks) for, [`correcting`] puts right
//! what a run rejected, [`deciding`] answers for one that is held, [`changes`] shows what one changed, [`history`] lists what ran, [`summary`] shows one run.

pub mod about;
mod asks;
pub mod bulk;
pub mod calendar;
mod card;
mod cards;
pub mod changes;
pub mod correcting;
pub mod deciding;
pub mod dialog;
mod done;
pub mod history;
pub mod list;
mod cards_scene;
mod mending;
pub mod off_until;
pub mod origin;
mod overview;
mod progress;
pub mod ready_by;
pub mod run_set;
pub mod restoring;
pub mod starting;
mod strip;
pub mod summary;
pub mod switch;
pub mod taking;
mod view;

pub use card::{Chip, Progress};
pub use cards::status_chip;
pub use mending::Place;
pub use overview::no_worker;
pub use progress::run_progress;
pub use starting::runs as runs_address;

use crate::applications::Entered;
use crate::web::{Crumb, local_path};

/// The way to a page here, past Import Scheduling for those who may open it.
fn crumbs(entered: &Entered, here: impl Into<String>) -> Vec<Crumb> {
    let base = format!("/applications/{}", entered.application.id);
    let mut crumbs = Vec::new();
    if entered.may_open_scheduling() {
        crumbs.push(Crumb::to("Import Scheduling", format!("{base}/settings/import-scheduling")));
    }
    crumbs.push(Crumb::here(here));
    crumbs
}

/// The page of this Application's Import Scheduling that a form or a link names to go back to, and no other page.
fn way_back(application_id: i64, named: &str) -> Option<&str> {
    let rest =
        local_path(named)?.strip_prefix(&format!("/applications/{application_id}/settings/import-scheduling"))?;
    ((rest.is_empty() || rest.starts_with(['/', '?', '#'])) && !rest.contains("..")).then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_to_import_scheduling_of_the_same_application() {
        let here = "/applications/7/settings/import-scheduling";
        for good in ["", "?q=a", "/calendar?view=day&date=2026-10-08", "#sched-3"] {
            let named = format!("{here}{good}");
            assert_eq!(way_back(7, &named), Some(named.as_str()));
        }
        for bad in ["/", "/applications/8/settings/import-scheduling", "//evil.example", "https://evil.example"] {
            assert_eq!(way_back(7, bad), None, "{bad}");
        }
        assert_eq!(way_back(7, &format!("{here}-elsewhere")), None);
        assert_eq!(way_back(7, &format!("{here}/../../../8")), None);
        assert_eq!(way_back(7, &format!("https://evil.example{here}")), None);
    }
}
