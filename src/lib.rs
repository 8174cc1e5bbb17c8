//! Tidegate.

pub mod clock;
pub mod db;
pub mod error;
