//! What an invitation gives in Applications: kept until it is accepted, then given.

use std::collections::BTreeMap;

use serde_json::json;

use super::access::Grants;
use super::actions::set_access;
use super::{access_store as given, invited_store as kept, store};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::invitations::Invitation;
use crate::members::{By, Member};

/// The invitation, the name of an Application, and what is given there; by name. What is archived gives nothing.
pub fn all(conn: &mut Conn) -> Result<Vec<(i64, String, Grants)>> {
    kept::all(conn)
}

/// Keeps what an invitation is to give, by Application.
pub fn keep(
    conn: &mut Conn,
    by: &By,
    invitation: &Invitation,
    wanted: &BTreeMap<i64, Grants>,
    now: Moment,
) -> Result<()> {
    need_all(conn, wanted)?;
    for (id, grants) in wanted {
        kept::insert(conn, invitation.id, *id, *grants)?;
        let mut shown = json!(grants);
        shown["name"] = json!(invitation.name);
        let entry = Entry::of("invitation.access_promised", "invitation", invitation.id).application(*id);
        by.audit(conn, entry.after(shown), now)?;
    }
    Ok(())
}

/// Gives it at once, to a member who was just added.
pub fn give_now(conn: &mut Conn, by: &By, member: &Member, wanted: &BTreeMap<i64, Grants>, now: Moment) -> Result<()> {
    need_all(conn, wanted)?;
    wanted.iter().try_for_each(|(id, grants)| set_access(conn, by, *id, member.id, *grants, now).map(drop))
}

fn need_all(conn: &mut Conn, wanted: &BTreeMap<i64, Grants>) -> Result<()> {
    let ids: Vec<i64> = wanted.keys().copied().collect();
    if store::by_ids(conn, &ids)?.len() < wanted.len() {
        return Err(AppError::invalid("access", "One of these Applications does not exist. Choose from the list."));
    }
    Ok(())
}

/// Gives it to whoever accepted. What was archived since is left out.
pub fn give(conn: &mut Conn, invitation: &Invitation, to: &By, now: Moment) -> Result<()> {
    for (application_id, grants) in kept::of(conn, invitation.id)? {
        given::set_grants(conn, application_id, to.member.id, grants)?;
        let entry = Entry::of("access.changed", "member", to.member.id).application(application_id);
        to.audit(conn, entry.before(json!(Grants::default())).after(json!(grants)), now)?;
    }
    Ok(())
}
