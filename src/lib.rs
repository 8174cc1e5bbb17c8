//! Tidegate.

pub mod clock;
pub mod error;
pub mod config;
pub mod secrets;
pub mod db;
pub mod mail;
pub mod app;
