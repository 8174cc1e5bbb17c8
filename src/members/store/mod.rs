//! Members and how they sign in, in the database.

pub mod attempts;
pub mod codes;
pub mod elsewhere;
pub mod invitations;
mod people;
pub mod second_factors;
pub mod sessions;
pub mod tokens;

pub use people::*;
