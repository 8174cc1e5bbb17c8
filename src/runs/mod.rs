//! What happened. A [`Run`] is one execution of a configuration: by a Schedule's occurrence, by a member, or by a
//! token. Nothing disappears: an occurrence that did not run is a run too, Skipped or Missed, with its reason.
//!
//! [`lifecycle`] says what a run may become. People act by [`actions`].

pub mod actions;
pub mod dispatcher;
pub mod lifecycle;
pub mod glance;
mod model;
mod planning;
pub mod policy;
mod queue;
mod store;

pub use actions::Started;
pub use lifecycle::{RunStatus, Trigger};
pub use model::{Filter, LogLine, Progress, Run, RunResult, RunStep, Summary};
