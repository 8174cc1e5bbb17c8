//! Who is told, once, and by which ways.
//!
//! A run's last transaction writes down how it ended. [`announcing`] turns each such outcome into a [`Notice`] for every
//! member who is to know: a line of their inbox, and a delivery for each other way that they chose. [`delivering`] hands
//! those over and tries again for a day. A notice is there once for each member and outcome, whatever crashes in
//! between: its key is unique, and what is told of an outcome is told in the transaction that marks it.
//!
//! Whether a message arrived changes no run.

pub mod actions;
pub mod announcing;
mod audit_told_store;
mod body;
pub mod broken;
mod choices_store;
pub mod delivering;
mod deliveries_store;
mod event;
pub mod expiring;
mod gathered_store;
pub mod gathering;
pub mod incidents;
mod letter;
pub mod owners;
mod model;
mod outbox;
pub mod outlets;
pub mod pages;
pub mod recipients;
pub mod slack;
mod store;

pub use announcing::announce;
pub use body::{NoticeAnswer, NoticeBody};
pub use event::Event;
pub use letter::parted;
pub use model::{Channel, DeliveryState, Notice, NoticeKind, Told};
pub use outlets::{Posted, posted_of};
pub use slack::{SlackState, state as slack_state};
pub use store::{Filter as NoticeFilter, forget_old, told_of, untold};

use crate::app::App;
use crate::audit;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;

/// By which ways something is to leave now.
pub struct Due {
    /// The last entry of the audit log: whoever can run their schedules changes only with one.
    pub logged: i64,
    pub mail: bool,
    pub slack: bool,
    pub posts: bool,
}

/// One look for all ways, because nearly every beat finds nothing. Blocks.
pub fn due(app: &App) -> Result<Due> {
    let now = app.now();
    app.db.read(|conn| {
        Ok(Due {
            logged: audit::last(conn)?,
            mail: deliveries_store::any_due(conn, Channel::Email, now)?,
            slack: deliveries_store::any_due(conn, Channel::Slack, now)?,
            posts: outlets::any_due(conn, now)?,
        })
    })
}

/// What waits to leave never does: the Workspace was standing by, and nobody knows whether it was sent where this is a copy
/// of. In the inbox it stays. How many.
pub fn withhold(conn: &mut Conn, now: Moment) -> Result<usize> {
    Ok(deliveries_store::withhold(conn, now)? + gathered_store::withhold(conn)? + outlets::withhold(conn, now)?)
}
