//! What to fetch, how to map and check it, and which Block it fills.
//!
//! An import configuration ([`Configuration`]) is a saved way to fill one Block; how is in its [`Definition`], a new
//! version with every save. One that names no Connection takes a file each time it runs ([`files`]) and cannot be
//! scheduled.

mod actions;
mod check;
pub mod files;
mod model;
pub mod pages;
mod parse;
pub mod pipeline;
pub mod sample;
mod store;

pub use actions::{archive, create, find, list, listed, page, update};
pub use model::{
    Configuration, ConfigurationStatus, Definition, Draft, Format, Listed, Mapping, Mode, Overlap, Rejects, Source,
    UnknownItems, Version,
};
pub use parse::{ConfigurationAnswer, ConfigurationBody};
pub use store::{by_id, by_ids, filling, set_status, version};
