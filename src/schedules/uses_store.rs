//! Which schedules use a thing, and how what they keep for it follows it.

use serde_json::Value;

use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{members, schedules};
use crate::error::Result;
use crate::files::kept::{self, FILE};
use crate::imports::Target;
use crate::in_use::Renamed;
use crate::parameters;

/// How many schedules of an Application would run again.
pub fn count_on(conn: &mut Conn, application_id: i64) -> Result<i64> {
    let on = schedules::application_id
        .eq(application_id)
        .and(schedules::enabled.eq(true))
        .and(schedules::finished_at.is_null())
        .and(schedules::archived_at.is_null());
    Ok(schedules::table.filter(on).count().get_result(conn)?)
}

/// A schedule that still has a future occurrence.
#[derive(Debug, Queryable)]
pub struct Unfinished {
    pub id: i64,
    pub application_id: i64,
    pub target_key: String,
    pub run_name: Option<String>,
    pub owner: String,
}

type Columns = (schedules::id, schedules::application_id, schedules::target_key, schedules::run_name, members::name);

const COLUMNS: Columns =
    (schedules::id, schedules::application_id, schedules::target_key, schedules::run_name, members::name);

/// Those of a configuration or a set.
pub fn unfinished_of(conn: &mut Conn, target: Target) -> Result<Vec<Unfinished>> {
    Ok(schedules::table
        .inner_join(members::table)
        .filter(schedules::target_key.eq(target.to_string()))
        .filter(schedules::finished_at.is_null().and(schedules::archived_at.is_null()))
        .order(schedules::id)
        .select(COLUMNS)
        .load(conn)?)
}

/// Those whose values name a kept file.
pub fn unfinished_with_file(conn: &mut Conn, application_id: i64, kept_file_id: i64) -> Result<Vec<Unfinished>> {
    // The text tells which ones are worth reading.
    let rows: Vec<(Unfinished, Option<String>)> = schedules::table
        .inner_join(members::table)
        .filter(schedules::parameters.like(format!("%{FILE}\":{kept_file_id}%")))
        .filter(schedules::application_id.eq(application_id))
        .filter(schedules::finished_at.is_null().and(schedules::archived_at.is_null()))
        .order(schedules::id)
        .select((COLUMNS, schedules::parameters))
        .load(conn)?;
    let names = |text: &Option<String>| kept::named_in(text.as_deref(), kept_file_id);
    Ok(rows.into_iter().filter(|(_, text)| names(text)).map(|(unfinished, _)| unfinished).collect())
}

/// The values that schedules keep for a target go by their new names, in those that were deleted too, for they may come
/// back. Whoever has such a schedule open to edit it is told that it changed.
pub fn follow(conn: &mut Conn, target: Target, renamed: Renamed<'_>) -> Result<()> {
    let kept: Vec<(i64, Option<String>)> = schedules::table
        .filter(schedules::target_key.eq(target.to_string()).and(schedules::parameters.is_not_null()))
        .select((schedules::id, schedules::parameters))
        .load(conn)?;
    for (id, text) in kept {
        // What cannot be read is shown as broken.
        let Ok(values) = serde_json::from_str::<Value>(&text.unwrap_or_default()) else { continue };
        let followed = parameters::renamed(&values, renamed);
        if followed.as_ref() != Some(&values) {
            diesel::update(schedules::table.find(id))
                .set((
                    schedules::parameters.eq(followed.map(|values| values.to_string())),
                    schedules::version.eq(schedules::version + 1),
                ))
                .execute(conn)?;
        }
    }
    Ok(())
}
