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

use std::collections::BTreeSet;

use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::notifications::event::Event;
use crate::notifications::letter;
use crate::notifications::model::NoticeKind;
use crate::notifications::recipients::covers;
use crate::notifications::store::NewNotice;

pub use actions::{Draft, draft, list, may_change, remove, save, seal_anew};
pub use model::{Outlet, OutletKind, Posted, Tried};
pub use posts_store::{any_due, forget_old, posted_of, withhold};
pub use sending::test;

/// Lets an event of an Application go to its outlets whose level covers it, each once for its key.
pub fn enqueue(conn: &mut Conn, new: &NewNotice<'_>, now: Moment) -> Result<()> {
    let Some(application_id) = new.application_id.filter(|_| is_posted(new.kind)) else { return Ok(()) };
    for outlet in store::of_application(conn, application_id)? {
        if concerns(conn, &outlet, new)? {
            posts_store::insert(conn, outlet.id, application_id, new, now)?;
        }
    }
    Ok(())
}

/// What ended long ago, in one message for each outlet; one by itself goes as it would have gone.
pub fn enqueue_together(conn: &mut Conn, events: &[Event], key: &str, now: Moment) -> Result<()> {
    let applications: BTreeSet<i64> = events.iter().filter_map(|event| event.application_id).collect();
    for application_id in applications {
        for outlet in store::of_application(conn, application_id)? {
            let of_it = |event: &&Event| event.application_id == Some(application_id) && is_posted(event.kind);
            let covered: Vec<&Event> =
                events.iter().filter(of_it).filter(|event| covers(outlet.about, event.kind)).collect();
            let (title, detail) = letter::together(&covered);
            let together = NewNotice {
                key,
                kind: NoticeKind::Backlog,
                application_id: Some(application_id),
                run_id: None,
                incident_id: None,
                link: None,
                title: &title,
                detail: &detail,
                at: now,
            };
            match covered.as_slice() {
                [] => {}
                [one] => posts_store::insert(conn, outlet.id, application_id, &one.notice(), now)?,
                _ => posts_store::insert(conn, outlet.id, application_id, &together, now)?,
            }
        }
    }
    Ok(())
}

/// What is about imports, and not about one member or the Workspace.
fn is_posted(kind: NoticeKind) -> bool {
    use NoticeKind::*;
    !matches!(kind, Digest | OwnerChanged | WillFail | Expires | Broken)
}

/// Whether an event is to go to an outlet: its level covers it, and it goes on with what the outlet was told.
fn concerns(conn: &mut Conn, outlet: &Outlet, new: &NewNotice<'_>) -> Result<bool> {
    Ok(match (new.kind, new.incident_id, new.run_id) {
        (NoticeKind::Recovered | NoticeKind::Reminder, Some(incident), _) => {
            posts_store::knows(conn, outlet.id, incident)?
        }
        // That a run went well was said when it ended what was broken.
        (NoticeKind::Success, _, Some(run)) => {
            covers(outlet.about, new.kind) && !posts_store::recovered_by(conn, outlet.id, run)?
        }
        _ => covers(outlet.about, new.kind),
    })
}
