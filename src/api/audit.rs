//! What was done, by whom.

use super::call::Call;
use super::{Answer, List, PageQuery, Reply, Shown};
use crate::audit::Filter;
use crate::audit_log::{self, EntryAnswer};
use crate::shape::sent;

sent! {
    /// Which entries to list.
    pub struct AuditQuery {
        /// Those of one Application.
        application_id: i64,
        /// What one member did.
        member_id: i64,
        /// Only what was refused.
        denied: bool;
        page: PageQuery,
    }
}

/// `GET audit`: the newest first, for Administrators and Auditors.
pub async fn list(call: Call<AuditQuery>) -> Answer<Shown<List<EntryAnswer>>> {
    let AuditQuery { application_id, member_id, denied, page } = call.query.clone();
    let filter = Filter { application_id, member_id, denied: denied.unwrap_or(false), ..Filter::default() };
    let found = call.read(move |conn, by| audit_log::list(conn, by, &filter, page.before(), page.fetch())).await?;
    Ok(Reply::ok(call.query.page.list(found, |entry| entry.id, |entry| EntryAnswer::of(&entry))))
}
