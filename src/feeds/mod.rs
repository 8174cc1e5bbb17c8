//! Calendars to subscribe to: a private address under which a calendar program reads what ran and what is planned,
//! without signing in. It shows what its member may see at that moment, changes nothing, and ends when the member revokes
//! it, gets another password or is deactivated.
//!
//! [`ical`] writes the text, [`scene`] finds what stands in it, people make and revoke addresses by [`actions`].

pub mod actions;
pub mod ical;
pub mod pages;
mod scene;
mod store;

pub use actions::{end_of_inactive, end_of_member};
pub use store::count;
