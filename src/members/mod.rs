//! Who uses the Workspace: members, their roles and groups, how they sign in, and what a role permits.
//!
//! Every action takes a [`By`]: the member who acts, and how (page, token, command line). Pages get one from the
//! [`SignedIn`] extractor, the API from [`Bearer`].

pub mod actions;
mod browsers;
pub mod elsewhere;
pub mod groups;
mod half_way;
pub mod invitations;
mod known;
pub mod leaving;
pub mod links;
mod model;
pub mod pages;
pub mod passwords;
pub mod permissions;
pub mod reset;
pub mod roles;
pub mod second_factor;
mod session;
pub mod setup;
mod shell;
mod short_cookie;
mod sign_in;
mod store;
mod throttle;
pub mod tokens;
pub mod totp;

pub use invitations::forget_old as forget_invitations;
pub use model::{By, Channel, Member, Theme, check_email, names, zone_of};
pub use permissions::{Permission, Scope};
pub use session::{Bearer, SignedIn, write_seen};
pub use shell::{shell, signed_in, workspace};
pub use store::codes::forget_ended as forget_links;
pub use store::sessions::{Origin, SESSION_DAYS, forget_ended, start_session};
pub use store::tokens::forget as forget_tokens;
pub use store::{administrators, all, by_email, by_id, by_ids, deactivated_at, role_may, role_names};
pub use throttle::forget_old as forget_attempts;
