//! Where an Application comes from, its copies, and the review of what was turned off.

mod cloning;
mod emptying;
mod overview;
mod review;
mod standing;

pub use cloning::{clone, clone_form, refresh, refresh_form};
pub use emptying::{reset, reset_form};
pub use overview::show;
pub use review::{review, turn_on};
pub use standing::{confirm, standing};

/// The page that leads to the others.
pub fn environment(application_id: i64) -> String {
    format!("/applications/{application_id}/settings/environment")
}

/// Of so many schedules that wait: when they run.
pub fn until_on(n: i64) -> &'static str {
    match n {
        1 => "It does not run until you turn it on.",
        _ => "They do not run until you turn them on.",
    }
}

/// The review of an Application's schedules.
pub fn review_address(application_id: i64) -> String {
    format!("/applications/{application_id}/settings/import-scheduling/review")
}
