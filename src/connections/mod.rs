//! A connector, configured: where, how to sign in, and for which Applications. Made by Administrators; whoever
//! configures an Application chooses among those that are authorised for it.
//!
//! Secrets go in and never come out: they are sealed for their own row, a blank field keeps what is set as long as the
//! Connection leads where it led, and pages, API and audit log know only their names. [`open`] hands a connector with
//! its secrets to who is about to fetch.

mod actions;
mod leads;
mod model;
pub mod pages;
mod store;
mod test;

pub use actions::{archive, authorise, create, find, list, page, seal_anew, update};
pub use leads::{Leads, NOWHERE, leads};
pub use model::{Connection, ConnectionAnswer, ConnectionDraft};
pub use store::{authorised_for, by_id, by_ids, ending, of_application};
pub use test::{Tested, answered, connector, connector_with, files, open, test, test_draft};
