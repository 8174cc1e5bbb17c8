//! Import sets: an ordered sequence of import configurations, run as one.
//!
//! A set ([`ImportSet`]) is little more than a name; its steps and how they follow each other are its [`SetDefinition`], of
//! which every save makes a new version, so that a Run always says which one it followed.
//!
//! In the order of `lib.rs` it comes after `imports`, whose configurations its steps name.

mod model;
mod store;

pub use model::{Draft, Execution, ImportSet, MAX_STEPS, OnFailure, SetDefinition, Step};
pub use store::{by_id, by_ids, names, set_status, version};
