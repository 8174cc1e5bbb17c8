//! Handing over what a member holds: the schedules that they own, and those about which they are told. [`reckoning`] says
//! what a wish would change, before anything is; [`actions`] reckons again, does it in one transaction and can take it back
//! for a week; [`leaving`] does it on the day a member goes.
//!
//! What `schedules` knows of Owners (whose a schedule is, who may have it, what is flagged) is asked there.

pub mod actions;
pub mod leaving;
pub mod pages;
pub mod reckoning;
mod store;
pub mod taken;

pub use actions::{hand_over, undo};
pub use store::forget_old;
