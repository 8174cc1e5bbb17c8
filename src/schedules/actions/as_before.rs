//! What a schedule was before a change, given back to it: its rule, its run name and who is notified.

use serde_json::Value;

use super::{find, update};
use crate::audit::Recorded;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::By;
use crate::schedules::model::{Before, Schedule};
use crate::schedules::{Draft, RuleDraft};
use crate::secrets::Secrets;

/// Saves a schedule as an entry of the audit log says that it was before; whoever does this becomes its Owner, as with every
/// save. The switch stays as it is.
pub fn as_before(
    conn: &mut Conn,
    secrets: &Secrets,
    by: &By,
    id: i64,
    entry: &Recorded,
    now: Moment,
) -> Result<Schedule> {
    let (is, _) = find(conn, by, id)?;
    let said = entry.before.as_ref();
    let (map, before) = said
        .and_then(Value::as_object)
        .filter(|map| map.contains_key("repeat"))
        .zip(said.and_then(Before::of_audit))
        .ok_or_else(|| AppError::Conflict("This entry does not say what the schedule was before.".into()))?;
    let draft = Draft {
        rule: RuleDraft::from_json(map),
        run_name: map.get("run_name").and_then(Value::as_str).map(str::to_owned),
        notify: before.notify,
        ..is.draft()
    };
    update(conn, secrets, by, (id, None), draft, now)
}
