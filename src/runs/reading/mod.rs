//! Runs as pages show them: at a glance over many configurations, in lists, and in their place in time.

mod across_store;
pub mod counting;
mod counts_store;
mod glance_store;
mod list_store;
mod timeline_store;
mod watch_store;

pub mod across {
    pub use super::across_store::*;
}
pub mod glance {
    pub use super::glance_store::*;
}
pub mod timeline {
    pub use super::timeline_store::*;
}
pub mod watch {
    pub use super::watch_store::*;
}

pub(super) use list_store::newest;
