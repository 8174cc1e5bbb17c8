//! Who uses the Workspace: members, their roles, how they sign in, and what a role permits.
//!
//! Every action takes a [`By`]: the member who acts, and how (page, token, command line). Pages get one from the
//! [`SignedIn`] extractor, the API from [`Bearer`].

mod model;
pub mod permissions;
mod session;
mod store;

pub use model::{By, Channel, Member};
pub use permissions::{Permission, Scope};
pub use session::{Bearer, SESSION_DAYS, SignedIn, end_session, start_session};
pub use store::{administrators, by_email, by_id, by_ids};
