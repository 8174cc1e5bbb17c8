//! Signing in elsewhere: at a provider of OpenID Connect, by the authorization code flow with PKCE. Nobody becomes a member
//! by it: whoever comes back is the active member whose e-mail address the provider has verified.
//!
//! `settings` is what an Administrator sets, `provider` asks the provider, `id_token` tells whether what it signed is for us
//! and now, `journey` goes there and back. A sealed cookie ties the way back to the browser that went.

mod id_token;
mod journey;
mod provider;
mod settings;

pub use journey::{COOKIE, Returned, begin, finish, redirect};
pub use settings::{Given, get, label, remove, seal_anew, set};
