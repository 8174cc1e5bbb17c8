//! What is broken across several Applications, for a page about all of them; the caller has entered each.

use std::collections::HashMap;

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{incident_targets as targets, incidents, members};
use crate::error::Result;
use crate::imports::Target;
use crate::notifications::model::NoticeKind;
use crate::notifications::owners;

/// An incident that is open, with what still fails for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub id: i64,
    pub application_id: Option<i64>,
    pub kind: NoticeKind,
    key: String,
    /// Why, as its first failure said it.
    pub cause: String,
    pub opened_at: Moment,
    /// Who is on it.
    pub on_it: Option<String>,
    pub targets: Vec<Target>,
}

impl Broken {
    /// Whether it says that what a member owns in an Application will fail.
    pub fn is_of_owner(&self, owner_id: i64, application_id: i64) -> bool {
        self.kind == NoticeKind::WillFail && self.key == owners::key(owner_id, application_id)
    }
}

/// What broke last, the latest first; `limit` of them. Two queries.
pub fn broken(conn: &mut Conn, application_ids: &[i64], limit: i64) -> Result<Vec<Broken>> {
    type Row = (i64, Option<i64>, NoticeKind, String, String, Moment, Option<String>);
    let open = incidents::closed_at.is_null().and(incidents::application_id.eq_any(application_ids));
    let rows: Vec<Row> = incidents::table
        .left_join(members::table.on(members::id.nullable().eq(incidents::taken_by)))
        .filter(open)
        .order((incidents::last_at.desc(), incidents::id.desc()))
        .limit(limit)
        .select((
            incidents::id,
            incidents::application_id,
            incidents::kind,
            incidents::key,
            incidents::cause,
            incidents::opened_at,
            members::name.nullable(),
        ))
        .load(conn)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let failing: Vec<(i64, String)> = targets::table
        .filter(targets::incident_id.eq_any(ids).and(targets::recovered_at.is_null()))
        .order(targets::at.desc())
        .select((targets::incident_id, targets::target_key))
        .load(conn)?;
    let mut of_each: HashMap<i64, Vec<Target>> = HashMap::new();
    for (id, key) in failing {
        of_each.entry(id).or_default().extend(Target::parse(&key));
    }
    let broken = |(id, application_id, kind, key, cause, opened_at, on_it): Row| {
        let targets = of_each.remove(&id).unwrap_or_default();
        Broken { id, application_id, kind, key, cause, opened_at, on_it, targets }
    };
    Ok(rows.into_iter().map(broken).collect())
}
