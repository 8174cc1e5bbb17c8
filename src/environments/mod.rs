//! Copies of whole Applications, and Applications made empty again. [`cloning`] makes a new one with the definitions of
//! another, [`refreshing`] gives a copy those of its original anew, [`resetting`] keeps the definitions and removes what was
//! loaded and what ran.
//!
//! Each is one short transaction on the Workspace's tables, after which the Application is there, all of its schedules off.
//! What takes long comes afterwards and in pieces that may be cut off anywhere ([`rows`]): rows are copied Block by Block,
//! history and rows are removed batch by batch. [`review`] shows which schedules were turned off by it, and what keeps each
//! from being turned on; those that were [promoted](crate::promotions) into an Application wait there too. Which copy is the
//! same as which original is kept ([`related`]).

mod audited;
pub mod cloning;
mod definitions;
mod kin_store;
mod model;
pub mod pages;
mod promoted_store;
pub mod refreshing;
pub mod resetting;
pub mod review;
pub mod rows;
pub mod standing;
mod store;

pub use kin_store::{Kind, Pair, relate, related};
pub use model::{Chosen, Environment, Made};
pub use promoted_store::Promotion;
pub use review::promoted;
pub use rows::step;
pub use store::of;
