//! What happened. A [`Run`] is one execution of a configuration: by a Schedule's occurrence, by a member, or by a
//! token. Nothing disappears: an occurrence that did not run is a run too, Skipped or Missed, with its reason.
//!
//! [`lifecycle`] says what a run may become. People act by [`actions`]. Three steps do the rest, each safe in many
//! processes at once: [`dispatcher`] turns due occurrences into queued runs, [`executor`] takes them and sees them
//! through, [`rescue`] looks after those whose worker was not heard of. What a run did is announced by the outcome row
//! that its last transaction writes. What is old enough is removed by [`retention`].

pub mod actions;
mod dispatching;
pub mod lifecycle;
mod model;
pub mod policy;
mod queue_store;
mod reading;
pub mod retention;
mod store;
mod working;

pub use actions::Started;
pub use dispatching::dispatcher;
pub use lifecycle::{RunStatus, Trigger};
pub use model::{Filter, LogLine, Progress, Run, RunResult, RunStep, Summary};
pub use reading::{glance, timeline};
pub use working::{crew, executor, rescue, work, workers};
