//! The tables and views of the Block database that are made at run time: their names and their SQL.
//!
//! A generation of a Block is the table `b<block>_g<generation>` with `_row` (identity), `_run`, `_file`, `_line` and
//! `c1 … cn` by position. Nothing that a person typed is ever part of SQL, save for the view's names, which are quoted.
//!
//! | type | SQLite | PostgreSQL |
//! |---|---|---|
//! | text, dimension | TEXT | TEXT, compared byte by byte |
//! | integer | INTEGER | BIGINT |
//! | number | REAL | DOUBLE PRECISION |
//! | boolean | INTEGER 0, 1 | BOOLEAN |
//! | date | INTEGER, days since 1970-01-01 | DATE |
//! | timestamp | INTEGER, microseconds since 1970 in UTC | TIMESTAMPTZ |
//!
//! The views show dates and timestamps as such in both.

use diesel::connection::SimpleConnection;

use super::staging::{Making, Merge, Staging};
use crate::applications::blocks::model::{Block, Column};
use crate::db::prelude::*;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::formats::ColumnType;
use crate::names::name_key;

/// The table of one generation.
pub fn table(block_id: i64, generation: i64) -> String {
    format!("b{block_id}_g{generation}")
}

/// The SQL type of a column.
fn sql_type(conn: &Conn, column_type: ColumnType) -> &'static str {
    match conn {
        Conn::Sqlite(_) => match column_type {
            ColumnType::Text | ColumnType::Dimension => "TEXT",
            ColumnType::Number => "REAL",
            ColumnType::Integer | ColumnType::Boolean | ColumnType::Date | ColumnType::Timestamp => "INTEGER",
        },
        Conn::Pg(_) => match column_type {
            ColumnType::Text | ColumnType::Dimension => "TEXT COLLATE \"C\"",
            ColumnType::Integer => "BIGINT",
            ColumnType::Number => "DOUBLE PRECISION",
            ColumnType::Boolean => "BOOLEAN",
            ColumnType::Date => "DATE",
            ColumnType::Timestamp => "TIMESTAMPTZ",
        },
    }
}

/// Makes an empty generation. On PostgreSQL `_run` and `_file` come with [`seal`], after the rows: a default that is the
/// same in all of them costs nothing then. Few rows have them at once, because the second change of the catalogue costs
/// more than they do; and so on SQLite, which would read its whole schema anew.
pub fn create(conn: &mut Conn, staging: &Staging, columns: &[Column]) -> Result<()> {
    let (table, run) = (&staging.table, staging.run.id);
    let own = match conn {
        Conn::Sqlite(_) => format!(
            "_row INTEGER PRIMARY KEY, _run INTEGER NOT NULL DEFAULT {run}, _line INTEGER NOT NULL, \
             _file INTEGER NOT NULL"
        ),
        Conn::Pg(_) if staging.making == Making::AtOnce => {
            "_row BIGINT NOT NULL, _line BIGINT NOT NULL, _run BIGINT NOT NULL, _file INTEGER NOT NULL".to_owned()
        }
        Conn::Pg(_) => "_row BIGINT NOT NULL, _line BIGINT NOT NULL".to_owned(),
    };
    let mut sql = format!("CREATE TABLE {table} ({own}");
    for column in columns {
        sql.push_str(&format!(", {} {}", column.physical(), sql_type(conn, column.column_type)));
    }
    sql.push(')');
    Ok(conn.batch_execute(&sql)?)
}

/// On PostgreSQL: gives a filled generation the run and the file that its rows are of, as defaults, which are kept once
/// and not in every row.
pub fn seal(conn: &mut Conn, staging: &Staging, file: i32, merge: Merge) -> Result<()> {
    let Conn::Pg(_) = conn else { return Ok(()) };
    let (table, run) = (&staging.table, staging.run.id);
    if staging.making != Making::AtOnce {
        conn.batch_execute(&format!(
            "ALTER TABLE {table} ADD COLUMN _run BIGINT NOT NULL DEFAULT {run}, \
             ADD COLUMN _file INTEGER NOT NULL DEFAULT {file}"
        ))?;
    }
    // Only what is joined with the rows that are there is worth statistics at once.
    if merge != Merge::Replace {
        conn.batch_execute(&format!("ANALYZE {table}"))?;
    }
    Ok(())
}

/// On PostgreSQL the index by which rows are paged, unless it is there. It costs a sixth of a load, so it is made once
/// the load is visible: nobody who reads waits for it, and until then a page takes a little longer.
pub fn index_rows(conn: &mut Conn, table: &str) -> Result<()> {
    // Asked first: even where it is there, making it would wait for whoever writes the table, and hold up who comes next.
    let there = diesel::sql_query("SELECT relname::TEXT AS name FROM pg_class WHERE oid = to_regclass($1)")
        .bind::<diesel::sql_types::Text, _>(format!("{table}_row"))
        .load::<Named>(conn)?;
    if !there.is_empty() {
        return Ok(());
    }
    Ok(conn.batch_execute(&format!("CREATE UNIQUE INDEX IF NOT EXISTS {table}_row ON {table} (_row)"))?)
}

/// The unique index over the key columns. Fails with a unique violation where two rows have one key.
pub fn create_key_index(conn: &mut Conn, table: &str, keys: &[String]) -> diesel::QueryResult<()> {
    let sql = format!("CREATE UNIQUE INDEX {table}_key ON {table} ({})", keys.join(", "));
    db::attempt(conn, |conn| conn.batch_execute(&sql))
}

pub fn drop(conn: &mut Conn, table: &str) -> Result<()> {
    Ok(conn.batch_execute(&format!("DROP TABLE IF EXISTS {table}"))?)
}

#[derive(QueryableByName)]
pub struct Named {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub name: String,
}

/// The physical columns that a table has.
pub fn column_names(conn: &mut Conn, table: &str) -> Result<Vec<String>> {
    let sql = match conn {
        Conn::Sqlite(_) => "SELECT name FROM pragma_table_info($1)",
        Conn::Pg(_) => {
            "SELECT attname::TEXT AS name FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 \
             AND NOT attisdropped"
        }
    };
    let rows: Vec<Named> = diesel::sql_query(sql).bind::<diesel::sql_types::Text, _>(table).load(conn)?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// Adds the columns that a generation lacks, empty in every row: those that were defined after it was made.
pub fn add_missing_columns(conn: &mut Conn, table: &str, columns: &[ViewColumn]) -> Result<()> {
    let there = column_names(conn, table)?;
    for column in columns {
        let name = column.physical();
        if !there.contains(&name) {
            let sql = format!("ALTER TABLE {table} ADD COLUMN {name} {}", sql_type(conn, column.column_type));
            conn.batch_execute(&sql)?;
        }
    }
    Ok(())
}

/// PostgreSQL cuts names at 63 bytes; both databases get the same.
const NAME_BYTES: usize = 63;

/// The name of a Block's view: `<application>__<block>` in lower case, everything but letters and digits as `_`.
/// Two underscores in the middle keep it apart from every table of this database, and what would begin like SQLite's own
/// names has `app_` before it. `choice`: the first is the plain name, the others are for when that is taken.
pub fn view_name(application: &str, block: &str, block_id: i64, choice: u32) -> String {
    let suffix = match choice {
        0 => String::new(),
        1 => format!("_{block_id}"),
        more => format!("_{block_id}_{more}"),
    };
    let mut application = slug(application, "application");
    if application == "sqlite" || application.starts_with("sqlite_") {
        application.insert_str(0, "app_");
    }
    let application = cut(&application, 28);
    let rest = NAME_BYTES - application.len() - 2 - suffix.len();
    format!("{application}__{}{suffix}", cut(&slug(block, "block"), rest))
}

fn slug(name: &str, otherwise: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('_') {
            slug.push('_');
        }
    }
    let slug = slug.trim_matches('_');
    if slug.is_empty() { otherwise.to_owned() } else { slug.to_owned() }
}

/// As many whole characters as fit into so many bytes.
fn cut(text: &str, bytes: usize) -> String {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim_end_matches('_').to_owned()
}

/// A column as a view shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ViewColumn {
    pub position: i32,
    pub name: String,
    pub column_type: ColumnType,
    pub key: bool,
    /// The list that it names items of; lists that were stored before it was kept have none.
    #[serde(default)]
    pub dimension_block_id: Option<i64>,
}

impl ViewColumn {
    fn physical(&self) -> String {
        format!("c{}", self.position)
    }
}

/// The columns of a Block's view: the user's names, made distinct within 63 bytes whatever their case.
pub fn view_columns(block: &Block) -> Vec<ViewColumn> {
    let mut taken: std::collections::HashSet<String> =
        ["_row", "_run", "_file", "_line"].into_iter().map(String::from).collect();
    let mut columns = Vec::with_capacity(block.columns.len());
    for column in &block.columns {
        let base = column.name.trim();
        let mut name = cut_name(base, NAME_BYTES);
        let mut number = 1;
        while !taken.insert(name_key(&name)) {
            number += 1;
            let suffix = format!(" {number}");
            name = cut_name(base, NAME_BYTES - suffix.len()) + &suffix;
        }
        columns.push(ViewColumn {
            position: column.position,
            name,
            column_type: column.column_type,
            key: column.key,
            dimension_block_id: column.dimension_block_id,
        });
    }
    columns
}

fn cut_name(text: &str, bytes: usize) -> String {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Makes the view over a generation. With `anew` an existing one goes first, since PostgreSQL replaces a view in
/// place only where its columns stay; without, what somebody built upon the view there is not disturbed.
pub fn create_view(conn: &mut Conn, view: &str, columns: &[ViewColumn], table: &str, anew: bool) -> Result<()> {
    let view = quoted(view);
    let mut sql = String::new();
    let create = match conn {
        Conn::Pg(_) if !anew => "CREATE OR REPLACE VIEW",
        _ => {
            sql.push_str(&format!("DROP VIEW IF EXISTS {view}; "));
            "CREATE VIEW"
        }
    };
    sql.push_str(&format!("{create} {view} AS SELECT _row, _run, _file, _line"));
    for column in columns {
        sql.push_str(&format!(", {} AS {}", shown(conn, &column.physical(), column.column_type), quoted(&column.name)));
    }
    sql.push_str(&format!(" FROM {table}"));
    Ok(conn.batch_execute(&sql)?)
}

/// Gives a view that is there other names and other columns. Where only names change or columns come at the end
/// PostgreSQL keeps the view itself: somebody may have built upon it.
pub fn change_view(
    conn: &mut Conn,
    (before, columns_before): (&str, &[ViewColumn]),
    (view, columns): (&str, &[ViewColumn]),
    table: &str,
) -> Result<()> {
    let same =
        |(old, new): (&ViewColumn, &ViewColumn)| (old.position, old.column_type) == (new.position, new.column_type);
    let grows = columns_before.len() <= columns.len() && columns_before.iter().zip(columns).all(same);
    if matches!(conn, Conn::Sqlite(_)) || !grows {
        drop_view(conn, before)?;
        return create_view(conn, view, columns, table, true);
    }
    let mut sql = String::new();
    if before != view {
        sql.push_str(&format!("ALTER VIEW IF EXISTS {} RENAME TO {}; ", quoted(before), quoted(view)));
    }
    // By way of names that nobody has, so that two columns may swap theirs.
    let renamed = || columns_before.iter().zip(columns).enumerate().filter(|(_, (old, new))| old.name != new.name);
    let mut rename = |from: &str, to: &str| {
        let (view, from, to) = (quoted(view), quoted(from), quoted(to));
        sql.push_str(&format!("ALTER VIEW IF EXISTS {view} RENAME COLUMN {from} TO {to}; "));
    };
    renamed().for_each(|(n, (old, _))| rename(&old.name, &format!("_tidegate_{n}")));
    renamed().for_each(|(n, (_, new))| rename(&format!("_tidegate_{n}"), &new.name));
    if !sql.is_empty() {
        conn.batch_execute(&sql)?;
    }
    create_view(conn, view, columns, table, false)
}

/// Drops a view. PostgreSQL keeps one that somebody built upon; SQLite looks names up when they are asked for.
pub fn drop_view(conn: &mut Conn, view: &str) -> Result<()> {
    if let Conn::Pg(conn) = conn {
        let upon: Option<Named> = diesel::sql_query(
            "SELECT r.ev_class::regclass::TEXT AS name FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid \
             WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass \
             AND d.refobjid = to_regclass($1) AND r.ev_class <> d.refobjid LIMIT 1",
        )
        .bind::<diesel::sql_types::Text, _>(quoted(view))
        .get_result(conn)
        .optional()?;
        if let Some(Named { name }) = upon {
            return Err(AppError::Conflict(format!(
                "The view {name} in the database depends on the view \"{view}\" of this Block, which must be created \
                 again. Ask whoever created it to drop it first."
            )));
        }
    }
    Ok(conn.batch_execute(&format!("DROP VIEW IF EXISTS {}", quoted(view)))?)
}

/// What a view shows of a physical column.
pub fn shown(conn: &Conn, name: &str, column_type: ColumnType) -> String {
    match (conn, column_type) {
        (Conn::Sqlite(_), ColumnType::Date) => format!("date({name} * 86400, 'unixepoch')"),
        (Conn::Sqlite(_), ColumnType::Timestamp) => {
            // Division in SQLite rounds towards zero; before 1970 the microseconds still count upwards.
            let micros = format!("(({name} % 1000000 + 1000000) % 1000000)");
            format!(
                "strftime('%Y-%m-%dT%H:%M:%S', ({name} - {micros}) / 1000000, 'unixepoch') || \
                 CASE {micros} WHEN 0 THEN '' ELSE printf('.%06d', {micros}) END || 'Z'"
            )
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::blocks::model::BlockKind;
    use crate::clock::Moment;

    fn block(names: &[&str]) -> Block {
        let columns = names
            .iter()
            .zip(1..)
            .map(|(name, position)| Column {
                id: position.into(),
                position,
                name: (*name).to_owned(),
                column_type: ColumnType::Text,
                dimension_block_id: None,
                key: false,
                required: false,
            })
            .collect();
        Block {
            id: 7,
            application_id: 1,
            name: "B".into(),
            kind: BlockKind::TransactionList,
            columns,
            version: 1,
            created_at: Moment::from_micros(0),
        }
    }

    #[test]
    fn views_are_named_after_application_and_block_within_63_bytes() {
        assert_eq!(view_name("Sales & Plans", "Daily weather!", 7, 0), "sales_plans__daily_weather");
        assert_eq!(view_name("--", "//", 7, 1), "application__block_7");
        assert_eq!(view_name("SQLite plans", "Log", 7, 0), "app_sqlite_plans__log");
        assert_eq!(view_name("SQLite", "Log", 7, 0), "app_sqlite__log");
        assert_eq!(view_name("Sqlitely", "Log", 7, 0), "sqlitely__log");
        let long = view_name(&"ä".repeat(200), &"ö".repeat(200), 7, 2);
        assert!(long.len() <= 63 && long.ends_with("_7_2"), "{long}");
    }

    #[test]
    fn columns_that_are_alike_when_cut_stay_apart() {
        let long = "x".repeat(63);
        let (one, two) = (format!("{long}1"), format!("{long}2"));
        let names: Vec<String> =
            view_columns(&block(&[&one, &two, "_RUN"])).into_iter().map(|column| column.name).collect();
        assert_eq!(names[0], long);
        assert_eq!(names[1], format!("{} 2", "x".repeat(61)));
        assert_eq!(names[2], "_RUN 2");
    }
}
