//! The inbox, the bell that counts what is unread in it, and what a member is told.

mod inbox;
pub mod incidents;
mod settings;

pub use inbox::{bell, inbox, mark, mark_all};
pub use settings::{save_settings, settings};
