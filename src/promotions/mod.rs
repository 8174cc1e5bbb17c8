//! Import configurations, import sets and schedules taken from one Application to another, mostly from the one in which
//! things are tried to the one that people rely on. [`sides`] finds what is the same here and there, [`reckoning`] says what
//! would change before anything is, [`actions`] reckons again and does it in one transaction, by the same actions as whoever
//! saves each of them. Nothing is deleted there. What came new is off, and waits in the [review](crate::environments::review).

pub mod actions;
mod body;
mod connections;
mod drafting;
mod obstacles;
mod ordering;
pub mod pages;
pub mod reckoning;
mod sides;
mod telling;
mod told;

pub use body::PromotionAnswer;
