//! What every test stands on: a World (an App on a port of its own, a clock that stands still, no beat), the cast, the
//! two databases, and the ways in: a browser without scripts, a real one, the API, the program itself.
//!
//! ```ignore
//! on_both! {
//!     async fn a_member_signs_out(world: World) {
//!         let mut olive = world.browser(&world.olive);
//!         olive.visit("/").await;
//!         olive.press("Sign out").await;
//!         olive.sees("Sign in");
//!     }
//! }
//! ```
#![allow(dead_code, unused_imports)] // a helper may be waiting for its first test

#[macro_use]
pub mod databases;
pub mod api;
pub mod browser;
pub mod cast;
pub mod chrome;
pub mod dice;
pub mod fingerprint;
pub mod html;
pub mod mail_server;
pub mod process;
pub mod queries;
pub mod receiver;
pub mod routes;
pub mod seed;
pub mod settings;
pub mod smtp;
pub mod stage;
pub mod world;

pub use browser::Browser;
pub use cast::Person;
pub use chrome::{Chrome, Look};
pub use databases::{Database, Databases, Place, each_database, with_databases, with_world};
pub use dice::Dice;
pub use world::World;

/// What else opens a member's account, as the program has it.
pub const ENDERS: tidegate::in_use::Enders = tidegate::in_use::Enders(tidegate::guards::ALL.end);
