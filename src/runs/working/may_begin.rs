//! Whether a run may begin: asked once it was taken, because rights may have gone since it was planned.

use super::held_store;
use crate::applications;
use crate::db::Conn;
use crate::error::Result;
use crate::members;
use crate::runs::lifecycle::Trigger;
use crate::runs::model::{Hold, Run};
use crate::runs::store;

/// What is asked of a run that was taken.
pub struct Looked {
    /// The exact reason why it may not begin; `None` when it may.
    pub why_not: Option<String>,
    /// The earlier runs of the same occurrence.
    pub replaces: Vec<i64>,
    /// What it holds and somebody approved: then it has loaded already, and nothing is fetched.
    pub approved: Option<Hold>,
}

pub fn look(conn: &mut Conn, run: &Run) -> Result<Looked> {
    // One that is approved has been taken before.
    let approved = if run.attempt > 1 { held_store::of(conn, run.id)? } else { None };
    // The rights of who approved it were asked then.
    let why_not = if approved.is_some() { None } else { why_not_to_begin(conn, run)? };
    Ok(Looked { why_not, replaces: store::chain(conn, run)?, approved })
}

/// The exact reason why a run may not begin; `None` when it may.
pub fn why_not_to_begin(conn: &mut Conn, run: &Run) -> Result<Option<String>> {
    let Some(member_id) = run.as_member_id else {
        return Ok(Some("The run has no member whose rights it can use.".into()));
    };
    let Some(member) = members::by_id(conn, member_id)? else {
        return Ok(Some("The member whose rights the run uses no longer exists.".into()));
    };
    let name = &member.name;
    let (role, mend) = as_whom(conn, run)?;
    if !member.active {
        return Ok(Some(format!("{name}, {role}, is deactivated.{mend}")));
    }
    let Some(application) = applications::by_id(conn, run.application_id)? else {
        return Ok(Some("The Application was deleted.".into()));
    };
    let in_name = application.name.clone();
    let standing = applications::standing(conn, &member, application)?;
    Ok(match (standing.role_imports, standing.grants.import_data) {
        (true, true) => None,
        (false, true) => Some(format!("{name}, {role}, lacks Can Import Data in their role.{mend}")),
        (true, false) => Some(format!("{name}, {role}, lacks Import Data in {in_name}.{mend}")),
        (false, false) => Some(format!(
            "{name}, {role}, lacks both Can Import Data in their role and Import Data in {in_name}.{mend}"
        )),
    })
}

/// Who it is whose rights a run uses, and what mends it when they lack one.
pub fn as_whom(conn: &mut Conn, run: &Run) -> Result<(&'static str, &'static str)> {
    let of_set = match (run.trigger, run.parent_id) {
        (Trigger::Set, Some(id)) => store::by_id(conn, id)?.map(|set_run| set_run.trigger),
        _ => None,
    };
    Ok(match of_set.unwrap_or(run.trigger) {
        Trigger::Schedule => {
            ("the Owner of the schedule", " Someone who may import can take ownership of it on Import Scheduling.")
        }
        _ => ("who started it", ""),
    })
}
