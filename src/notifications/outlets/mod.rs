//! Where an Application's messages go besides its members: a channel of the Workspace's Slack, an incoming webhook of Slack, a
//! webhook of anybody's. An outlet is told of an event once, and of nothing below its level.
//!
//! [`enqueue`] writes down in the event's own transaction what goes to which outlet; [`posting`] hands it over, as
//! `delivering` does what goes to members.

mod actions;
mod body;
mod model;
pub mod posting;
mod posts_store;
mod sending;
mod store;

use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::notifications::recipients::covers;
use crate::notifications::store::NewNotice;

pub use actions::{Draft, draft, list, may_change, remove, save, seal_anew};
pub use model::{Outlet, OutletKind, Posted, Tried};
pub use posts_store::{forget_old, posted_of};
pub use sending::test;

/// Lets an event go to the outlets of its Application whose level covers it, each once for its key.
pub fn enqueue(conn: &mut Conn, application_id: i64, new: &NewNotice<'_>, now: Moment) -> Result<()> {
    for outlet in store::of_application(conn, application_id)? {
        if covers(outlet.about, new.kind) {
            posts_store::insert(conn, outlet.id, application_id, new, now)?;
        }
    }
    Ok(())
}
