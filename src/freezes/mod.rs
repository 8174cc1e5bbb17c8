//! Times in which nothing of an Application starts by schedule: a month's end, a migration. A [`Freeze`] is not "off":
//! schedules stay on and keep moving, their occurrences are Skipped with that reason, runs by hand go on as ever.
//!
//! What a freeze holds is pure and in [`holding`]: pages, calendar and dispatcher ask the same functions. People change
//! freezes by [`actions`]; what the clock does with them is in `runs::dispatching::freezing`, by [`by_clock`].
//!
//! In the order of `lib.rs` it comes after `schedules`, because a freeze is explained by the occurrences that it will skip,
//! and before `runs`, whose dispatcher asks it.

pub mod actions;
pub mod holding;
mod model;
pub mod pages;
mod store;

pub use holding::{annotate, at, count_held, first_free, next_run, released};
pub use model::{Draft, Freeze, FreezeAnswer, FreezeBody, Stage};
pub use store::{archive_all, audited_all, copy_all, of_application};

/// What the clock asks of freezes and writes down about them. Nobody acts there, so nothing is asked about rights.
pub mod by_clock {
    pub use super::store::{Skip, grow_skip, holding, insert_skips, settle, skips, unsettled};
}
