//! What happened. A [`Run`] is one execution of a configuration: by a Schedule's occurrence, by a member, or by a
//! token. Nothing disappears: an occurrence that did not run is a run too, Skipped or Missed, with its reason.
//!
//! [`lifecycle`] says what a run may become. People act by [`actions`]. Three steps do the rest, each safe in many
//! processes at once: [`dispatcher`] turns due occurrences into queued runs, [`executor`] takes them and sees them
//! through, [`rescue`] looks after those whose worker was not heard of. What a run did is announced by the outcome row
//! that its last transaction writes.

pub mod actions;
mod checks;
pub mod crew;
pub mod dispatcher;
mod ending;
pub mod executor;
mod frozen;
mod leases;
pub mod lifecycle;
pub mod glance;
mod model;
mod planning;
pub mod policy;
mod queue;
pub mod rescue;
mod store;
mod thaw;
pub mod timeline;
pub mod work;
pub mod workers;

pub use actions::Started;
pub use lifecycle::{RunStatus, Trigger};
pub use model::{Filter, LogLine, Progress, Run, RunResult, RunStep, Summary};
