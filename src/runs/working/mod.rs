//! From the queue to the end of a run: [`executor`] takes runs and sees them through, [`work`] fetches and loads,
//! [`settling`] moves or deletes what was loaded, [`unsettled`] what earlier runs could not, [`earlier`] is of what a former attempt had loaded, [`values`] of
//! the values of its parameters, [`waiting`] of
//! runs that wait for others, [`deciding`] sees to what the volume guard holds, [`restoring`] to what a Block held before,
//! [`rescue`] looks after runs whose worker was not heard of, [`crew`] gives them threads.

mod board;
pub mod crew;
pub mod deciding;
mod earlier;
mod ending_store;
pub mod executor;
mod feeding;
mod got;
pub(super) mod held_store;
mod intents_store;
mod leases_store;
mod may_begin;
pub mod rescue;
mod restoring;
mod retry;
mod settling;
mod taking_store;
mod told;
mod unsettled;
mod values;
mod waiting;
pub mod work;
mod workers_store;

pub(super) use may_begin::why_not_to_begin;

pub mod workers {
    pub use super::workers_store::*;
}
