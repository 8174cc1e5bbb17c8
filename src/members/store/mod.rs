//! Members and how they sign in, in the database.

pub mod attempts;
pub mod codes;
pub mod elsewhere;
pub mod groups;
pub mod invitations;
mod people;
mod roles;
pub mod second_factors;
pub mod sessions;
pub mod tokens;

pub use people::*;
pub use roles::*;
