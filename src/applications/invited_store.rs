//! What invitations give in Applications, in the database.

use super::access::Grants;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{applications, invitation_access as kept};
use crate::error::Result;

/// The invitation, the name of the Application, and what is given there, by name; what is archived is left out.
pub fn all(conn: &mut Conn) -> Result<Vec<(i64, String, Grants)>> {
    let rows = kept::table
        .inner_join(applications::table)
        .filter(applications::archived_at.is_null())
        .order((applications::name, applications::id))
        .select((kept::invitation_id, applications::name, kept::can_view, kept::can_import_data, kept::can_configure))
        .load::<(i64, String, bool, bool, bool)>(conn)?;
    let given = |(invitation, application, view, import_data, configure)| {
        (invitation, application, Grants { view, import_data, configure })
    };
    Ok(rows.into_iter().map(given).collect())
}

/// What one gives, by Application.
pub fn of(conn: &mut Conn, invitation_id: i64) -> Result<Vec<(i64, Grants)>> {
    let rows = kept::table
        .inner_join(applications::table)
        .filter(kept::invitation_id.eq(invitation_id).and(applications::archived_at.is_null()))
        .order(kept::application_id)
        .select((kept::application_id, kept::can_view, kept::can_import_data, kept::can_configure))
        .load::<(i64, bool, bool, bool)>(conn)?;
    let given = |(id, view, import_data, configure)| (id, Grants { view, import_data, configure });
    Ok(rows.into_iter().map(given).collect())
}

pub fn insert(conn: &mut Conn, invitation_id: i64, application_id: i64, grants: Grants) -> Result<()> {
    diesel::insert_into(kept::table)
        .values((
            kept::invitation_id.eq(invitation_id),
            kept::application_id.eq(application_id),
            kept::can_view.eq(grants.view),
            kept::can_import_data.eq(grants.import_data),
            kept::can_configure.eq(grants.configure),
        ))
        .execute(conn)?;
    Ok(())
}
