//! What becomes of a filled staging table: the statements of Append, Update and Replace, run inside the transaction
//! that makes the load visible.

use super::staging::{Merge, Staging, Visible};
use super::{generations, physical};
use crate::db::Conn;
use crate::db::prelude::*;
use crate::error::{AppError, Result};

/// What was done, in rows.
#[derive(Debug, Default)]
pub struct Done {
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
    pub unchanged: i64,
    /// The staging table becomes what the Block shows; else its rows are in the current one.
    pub flip: bool,
}

/// Brings the staged rows in. `current` is the table that the Block shows, with so many rows.
pub fn apply(
    conn: &mut Conn,
    staging: &Staging,
    load: &Visible<'_>,
    current: Option<&str>,
    row_count: i64,
) -> Result<Done> {
    let flipped = |removed| Done { added: load.staged, removed, flip: true, ..Done::default() };
    let Some(current) = current else { return Ok(flipped(0)) };
    match load.merge {
        Merge::Replace => Ok(flipped(row_count)),
        Merge::Append => {
            let removed = remove_runs(conn, current, load.replaces_runs)?;
            if removed == row_count {
                return Ok(flipped(removed));
            }
            let added = insert(conn, staging, current, &filled(load), None)?;
            Ok(Done { added, removed, ..Done::default() })
        }
        Merge::ReplaceScope => {
            let removed = clear(conn, staging, current, load.scope)?;
            if removed == row_count {
                return Ok(flipped(removed));
            }
            // Also of a load that was held, which does not know any more what it filled.
            let columns = physical::column_names(conn, &staging.table)?;
            let columns: Vec<String> = columns.into_iter().filter(|name| name.starts_with('c')).collect();
            let added = insert(conn, staging, current, &columns, None)?;
            Ok(Done { added, removed, ..Done::default() })
        }
        Merge::Update if row_count == 0 => Ok(flipped(0)),
        Merge::Update => {
            let keys: Vec<String> = load.block.keys().map(|key| key.physical()).collect();
            if keys.is_empty() {
                return Err(AppError::internal("an Update into a Block without a key"));
            }
            let same_key = equal(&keys, "t", "s");
            let changed = update(conn, staging, current, load, &keys, &same_key)?;
            let added = insert(conn, staging, current, &filled(load), Some(&same_key))?;
            Ok(Done { added, changed, unchanged: load.staged - added - changed, ..Done::default() })
        }
    }
}

/// That a row lies within the scope: a staged row has the same cells in its columns, where empty is the same as empty.
/// True or false, never neither.
pub fn in_scope(conn: &Conn, alias: &str, scope: &[i32], staged: &str) -> String {
    let listed = |alias: &str| scope.iter().map(|c| format!("{alias}.c{c}")).collect::<Vec<_>>().join(", ");
    let (here, there) = (listed(alias), listed("e"));
    match conn {
        // As text a row with empty cells equals its like, so this is one join by hash, however many values there are.
        Conn::Pg(_) => {
            format!("EXISTS (SELECT 1 FROM {staged} e WHERE CAST(ROW({there}) AS TEXT) = CAST(ROW({here}) AS TEXT))")
        }
        // SQLite makes a list with an index of what IN names; cells that are empty are looked for one by one.
        Conn::Sqlite(_) => {
            let empty =
                |alias: &str| scope.iter().map(|c| format!("{alias}.c{c} IS NULL")).collect::<Vec<_>>().join(" OR ");
            let same = scope.iter().map(|c| format!("{alias}.c{c} IS e.c{c}")).collect::<Vec<_>>().join(" AND ");
            format!(
                "((({here}) IN (SELECT {there} FROM {staged} e)) IS TRUE OR (({}) AND EXISTS (SELECT 1 FROM \
                 (SELECT DISTINCT {there} FROM {staged} e WHERE {}) e WHERE {same})))",
                empty(alias),
                empty("e")
            )
        }
    }
}

/// Takes out the rows within the scope.
fn clear(conn: &mut Conn, staging: &Staging, current: &str, scope: &[i32]) -> Result<i64> {
    let within = in_scope(conn, "t", scope, &staging.table);
    Ok(diesel::sql_query(format!("DELETE FROM {current} AS t WHERE {within}")).execute(conn)? as i64)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// How many rows make room for what is staged, among those that the Block shows.
pub fn makes_room(conn: &mut Conn, staging: &Staging, load: (Merge, &[i32]), row_count: i64) -> Result<i64> {
    let (merge, scope) = load;
    let current = match merge {
        Merge::Append | Merge::Update => return Ok(0),
        Merge::Replace => return Ok(row_count),
        Merge::ReplaceScope => generations::current_table(conn, staging.block_id)?,
    };
    let Some(current) = current else { return Ok(0) };
    let within = in_scope(conn, "t", scope, &staging.table);
    let count: Count =
        diesel::sql_query(format!("SELECT count(*) AS count FROM {current} t WHERE {within}")).get_result(conn)?;
    Ok(count.count)
}

fn filled(load: &Visible<'_>) -> Vec<String> {
    load.filled.iter().map(|position| format!("c{position}")).collect()
}

/// `t.c1 = s.c1 AND …`: key cells are never empty.
pub fn equal(columns: &[String], left: &str, right: &str) -> String {
    columns.iter().map(|c| format!("{left}.{c} = {right}.{c}")).collect::<Vec<_>>().join(" AND ")
}

/// Takes out what earlier runs of the same occurrence brought.
fn remove_runs(conn: &mut Conn, current: &str, runs: &[i64]) -> Result<i64> {
    let mut removed = 0;
    for run in runs {
        removed += diesel::sql_query(format!("DELETE FROM {current} WHERE _run = $1"))
            .bind::<diesel::sql_types::BigInt, _>(run)
            .execute(conn)?;
    }
    Ok(removed as i64)
}

/// Adds the staged rows in their order; with `same_key` only those whose key the Block lacks.
fn insert(
    conn: &mut Conn,
    staging: &Staging,
    current: &str,
    columns: &[String],
    same_key: Option<&str>,
) -> Result<i64> {
    let columns: String = columns.iter().map(|column| format!(", {column}")).collect();
    let staged = &staging.table;
    let (number, counted) = match conn {
        Conn::Sqlite(_) => ("", String::new()),
        Conn::Pg(_) => (
            "_row, ",
            format!("(SELECT coalesce(max(_row), 0) FROM {current}) + row_number() OVER (ORDER BY s._row), "),
        ),
    };
    let only = match same_key {
        Some(same_key) => format!(" WHERE NOT EXISTS (SELECT 1 FROM {current} t WHERE {same_key})"),
        None => String::new(),
    };
    let added = diesel::sql_query(format!(
        "INSERT INTO {current} ({number}_run, _file, _line{columns}) \
         SELECT {counted}_run, _file, _line{columns} FROM {staged} s{only} ORDER BY s._row"
    ))
    .execute(conn)?;
    Ok(added as i64)
}

/// Changes the rows whose key is staged and whose other mapped cells differ. Columns that the load does not fill
/// keep what they hold.
fn update(
    conn: &mut Conn,
    staging: &Staging,
    current: &str,
    load: &Visible<'_>,
    keys: &[String],
    same_key: &str,
) -> Result<i64> {
    let others: Vec<String> = filled(load).into_iter().filter(|column| !keys.contains(column)).collect();
    let new = |c: &String| if load.blanks_keep { format!("coalesce(s.{c}, t.{c})") } else { format!("s.{c}") };
    let set: String = others.iter().map(|c| format!(", {c} = {}", new(c))).collect();
    let told = others.iter().filter(|c| !load.stamps.iter().any(|stamp| **c == format!("c{stamp}")));
    let differs = told.map(|c| format!("t.{c} IS DISTINCT FROM {}", new(c))).collect::<Vec<_>>().join(" OR ");
    if differs.is_empty() {
        return Ok(0);
    }
    let staged = &staging.table;
    let changed = diesel::sql_query(format!(
        "UPDATE {current} AS t SET _run = s._run, _file = s._file, _line = s._line{set} \
         FROM {staged} s WHERE {same_key} AND ({differs})"
    ))
    .execute(conn)?;
    Ok(changed as i64)
}
