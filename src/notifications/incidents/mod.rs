//! What is broken, from its first failure until it is in order again.
//!
//! Runs that fail for one cause are one [`Incident`]: several imports where the cause lies in the Connection that they share,
//! or in what kept them from beginning. Of each cause one is open at most; a further failure is counted, and tells only
//! those who have not heard of it. A recipient is told when it breaks, once a day while it stays so, and when it is over.

mod across_store;
pub mod actions;
mod cause;
mod model;
pub mod opening;
pub mod reminding;
pub(in crate::notifications) mod store;

pub use across_store::{Broken, broken};
pub use model::{Affected, Incident};
pub use store::{close_all, fails, forget_old, holds};
