//! The inbox, the bell that counts what is unread in it, what a member is told; the Workspace's Slack, and where an
//! Application posts.

mod inbox;
pub mod incidents;
pub mod outlets;
mod settings;
pub mod slack;

pub use inbox::{bell, inbox, mark, mark_all};
pub use settings::{save_settings, settings};
