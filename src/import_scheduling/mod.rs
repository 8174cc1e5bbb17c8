//! The page this product is known for: when each import runs, who owns it, how the last runs went. It stands above
//! the rooms whose nouns it shows (imports, schedules, runs) and reads them; nobody reads it.
//!
//! [`list`] is the page, [`dialog`] schedules and edits, [`switch`] turns off and deletes, [`starting`] runs, runs
//! again and cancels, [`history`] lists what ran, [`summary`] shows one run.

mod card;
mod cards;
pub mod dialog;
mod form;
pub mod history;
pub mod list;
mod load;
mod preview;
pub mod starting;
pub mod summary;
pub mod switch;
mod toast;
mod typed;
