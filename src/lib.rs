//! Tidegate.

pub mod clock;
pub mod error;
