//! The page this product is known for: when each import runs, who owns it, how the last runs went. It stands above
//! the rooms whose nouns it shows (imports, schedules, runs) and reads them; nobody reads it.
//!
//! [`list`] is the page, [`dialog`] schedules and edits, [`copy`] begins with another schedule, [`switch`] turns off,
//! deletes and undoes, [`off_until`] turns off until a date, [`bulk`] does that to several, [`starting`] runs, runs again
//! and cancels, [`history`] lists what ran, [`summary`] shows one run.

pub mod bulk;
mod card;
mod cards;
pub mod copy;
pub mod dialog;
mod form;
pub mod history;
pub mod list;
mod load;
pub mod off_until;
mod preview;
pub mod starting;
pub mod summary;
pub mod switch;
mod toast;
mod typed;

use crate::applications::Entered;
use crate::web::Crumb;

/// The way to a page here, past Import Scheduling for those who may open it.
fn crumbs(entered: &Entered, here: impl Into<String>) -> Vec<Crumb> {
    let base = format!("/applications/{}", entered.application.id);
    let mut crumbs = vec![Crumb::to(&entered.application.name, &base)];
    if entered.may_open_scheduling() {
        crumbs.push(Crumb::to("Import Scheduling", format!("{base}/settings/import-scheduling")));
    }
    crumbs.push(Crumb::here(here));
    crumbs
}
