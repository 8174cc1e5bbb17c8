//! Planning applications inside the Workspace, and who may do what in each.
//!
//! Everything that belongs to an Application is reached through [`enter`]: what a member may not see answers like
//! what is not there.

mod access;
pub mod actions;
pub mod blocks;
mod model;
pub mod pages;
mod shell;
mod store;

pub use access::{Entered, Grants, enter, entered_by, seen_by, standing, standings, who_sees};
pub use model::Application;
pub use shell::settings_shell;
pub use store::{all_grants, by_id, by_ids, copy_access};

pub use crate::members::shell;
