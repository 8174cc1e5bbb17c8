//! Planning applications inside the Workspace, and who may do what in each.
//!
//! Everything that belongs to an Application is reached through [`enter`]: what a member may not see answers like
//! what is not there.

mod access;
mod access_store;
pub mod actions;
pub mod blocks;
mod invited;
mod invited_store;
mod model;
pub mod pages;
mod shell;
mod store;

pub use access::{Entered, Grants, enter, entered_by, seen_by, sight, standing, standings, who_sees};
pub use model::Application;
pub use shell::settings_shell;
pub use store::{by_id, by_ids};

pub use crate::members::shell;

use crate::db::Conn;
use crate::error::Result;
use crate::in_use::{Named, Thing, Uses};
use crate::names::folded;

/// To how many members and groups an Application gives access.
pub fn count_access(conn: &mut Conn, application_id: i64) -> Result<usize> {
    Ok(access_store::own_of(conn, application_id)?.len() + access_store::groups_of(conn, application_id)?.len())
}

/// The Applications to which a group or a member has access.
pub fn uses(conn: &mut Conn, thing: Thing) -> Result<Option<Uses>> {
    let page = |id: i64| format!("/applications/{id}/settings/members");
    let names = match thing {
        Thing::Group(id) => {
            let named = |(id, name)| Named { words: format!("access to {name}"), href: page(id) };
            access_store::given_to_group(conn, id)?.into_iter().map(named).collect()
        }
        Thing::Member(id) => {
            let grants = access_store::of_member(conn, id)?;
            let mut there = by_ids(conn, &grants.keys().copied().collect::<Vec<_>>())?;
            there.sort_by_key(|application| folded(&application.name));
            let named = |application: &Application| {
                let words = format!("{}: {}", application.name, grants.get(&application.id)?.words()?);
                Some(Named { words, href: page(application.id) })
            };
            there.iter().filter_map(named).collect()
        }
        _ => return Ok(None),
    };
    Ok(Some(Uses { by: "Applications", names }))
}
