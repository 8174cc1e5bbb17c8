//! The run of a set: a run whose steps are runs of its configurations.
//!
//! It needs no worker. [`begin`] begins it when its turn in the queue has come, and whoever ends the run of a step calls
//! [`advance`] in the same transaction: what [`course`] says comes next is done there, and the set's own end is written
//! with that of its last step. So a process that is killed leaves nothing half done. While it goes, the run holds its set,
//! and the next one waits.
//!
//! Whoever changes the run of a step holds the run of its set first ([`hold`]), so that two steps that end at one moment
//! see each other.

mod advance;
mod again;
mod begin;
mod course;
mod ending;
mod files_store;
mod steps_store;

pub use advance::{advance, cancel, hold};
pub use again::again;
pub use begin::begin;
pub use files_store::open_with_file;
pub use steps_store::{SetRun, SetStep, definition, of};
