//! What lies between two tables of one Block's generations, in SQL: the counts, and the first rows of each kind. How much
//! there is makes no difference to the memory that it takes; how long it takes is the caller's to bound.

use diesel::sql_types::BigInt;

use super::merge::{equal, in_scope};
use super::physical;
use super::rows::{BlockRow, Cell, RawRow};
use super::staging::Merge;
use crate::applications::blocks::model::{Block, Column};
use crate::db::Conn;
use crate::db::prelude::*;
use crate::error::{AppError, Result};
use crate::formats::ColumnType;

/// So many rows of each kind are shown.
pub const FIRST: i64 = 50;

/// Of a longer text so many characters are shown, and an ellipsis.
const SHOWN_CHARS: usize = 500;

/// What is, or would be, another in a Block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
    pub unchanged: i64,
    /// The first of each kind: changed, added, removed.
    pub first: Vec<RowChange>,
}

/// How a row differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Changed,
    Added,
    Removed,
}

/// A row before and after: one of the two is there at least.
#[derive(Clone, Debug, PartialEq)]
pub struct RowChange {
    pub before: Option<BlockRow>,
    pub after: Option<BlockRow>,
    /// By the order of the Block's columns: the cell is another. Nothing where only one of the two is there.
    pub differs: Vec<bool>,
    /// So many rows are alike; more than one only where the Block has no key.
    pub times: i64,
}

impl RowChange {
    pub fn kind(&self) -> Kind {
        match (&self.before, &self.after) {
            (Some(_), Some(_)) => Kind::Changed,
            (None, _) => Kind::Added,
            (Some(_), None) => Kind::Removed,
        }
    }
}

/// How the rows of the later table meet those of the earlier one.
#[derive(Clone, Copy, Debug)]
pub struct How<'a> {
    pub merge: Merge,
    /// By Update: the positions of the columns that are filled. The others keep what they hold.
    pub filled: &'a [i32],
    /// Those that hold the time of the load: another time is no change.
    pub stamps: &'a [i32],
    /// By Replace within a scope: the positions of its columns. Only rows within it make room.
    pub scope: &'a [i32],
    /// By Update: an empty cell leaves what is there.
    pub blanks_keep: bool,
}

impl How<'_> {
    /// The later table takes the place of the earlier one.
    pub const WHOLE: How<'static> =
        How { merge: Merge::Replace, filled: &[], stamps: &[], scope: &[], blanks_keep: false };
}

/// What is in a Block after `after` has met `before`, which is none where the Block held nothing. Rows of a Block with a key
/// are told apart by it; others are compared as a whole, each as often as it is there. A column that one of the tables lacks
/// is empty in it. A staging table has to be sealed.
pub fn between(conn: &mut Conn, block: &Block, before: Option<&str>, after: &str, how: How<'_>) -> Result<Difference> {
    let staged = after;
    let after = Side::of(conn, block, after)?;
    let Some(before) = before.filter(|_| how.merge != Merge::Append) else {
        let added = count(conn, &format!("SELECT count(*) AS n FROM {}", after.table))?;
        return Ok(Difference { added, first: after.first(conn, block, "", Kind::Added)?, ..Difference::default() });
    };
    let mut before = Side::of(conn, block, before)?;
    if how.merge == Merge::ReplaceScope {
        let within = in_scope(conn, "x", how.scope, staged);
        before.table = format!("(SELECT x.* FROM {} x WHERE {within})", before.table);
    }
    match (how.merge, block.is_keyed()) {
        (_, true) => by_key(conn, block, &before, &after, how),
        (Merge::Update, false) => Err(AppError::internal("an Update into a Block without a key")),
        (_, false) => as_a_whole(conn, block, &before, &after),
    }
}

/// Rows of a table that a run wrote, after a row, and how many there are in all.
pub fn written(
    conn: &mut Conn,
    block: &Block,
    table: &str,
    run: i64,
    after: i64,
    limit: i64,
) -> Result<(i64, Vec<BlockRow>)> {
    let all = count(conn, &format!("SELECT count(*) AS n FROM {table} WHERE _run = {run}"))?;
    let side = Side::of(conn, block, table)?;
    let wanted = wanted(block, "r", &side.cells(block, "r"));
    let rows = load(
        conn,
        format!(
            "SELECT {wanted} FROM {table} r WHERE r._run = {run} AND r._row > {after} ORDER BY r._row LIMIT {limit}"
        ),
    )?;
    let rows = rows.into_iter().map(|row| Ok(shortened(row.typed(&block.columns)?)));
    Ok((all, rows.collect::<Result<_>>()?))
}

/// How many rows of a table other runs wrote.
pub fn written_by_others(conn: &mut Conn, table: &str, run: i64) -> Result<i64> {
    count(conn, &format!("SELECT count(*) AS n FROM {table} WHERE _run <> {run}"))
}

/// One of the two tables.
struct Side {
    /// Its name, or a query in parentheses.
    table: String,
    /// By the order of the Block's columns: whether it is there.
    has: Vec<bool>,
}

impl Side {
    fn of(conn: &mut Conn, block: &Block, table: &str) -> Result<Self> {
        let there = physical::column_names(conn, table)?;
        let has = block.columns.iter().map(|column| there.contains(&column.physical())).collect();
        Ok(Self { table: table.to_owned(), has })
    }

    /// The cells of a row, by an alias of the table, in the order of the Block's columns.
    fn cells(&self, block: &Block, alias: &str) -> Vec<String> {
        let cell = |(column, has): (&Column, &bool)| match has {
            true => format!("{alias}.{}", column.physical()),
            false => "NULL".to_owned(),
        };
        block.columns.iter().zip(&self.has).map(cell).collect()
    }

    /// The first rows of the table, which is called `r`, with such a condition.
    fn first(&self, conn: &mut Conn, block: &Block, only: &str, kind: Kind) -> Result<Vec<RowChange>> {
        let wanted = wanted(block, "r", &self.cells(block, "r"));
        let rows = load(conn, format!("SELECT {wanted} FROM {} r{only} ORDER BY r._row LIMIT {FIRST}", self.table))?;
        rows.into_iter().map(|row| Ok(one_sided(row.typed(&block.columns)?, kind, 1))).collect()
    }
}

fn one_sided(row: BlockRow, kind: Kind, times: i64) -> RowChange {
    let row = Some(shortened(row));
    let (before, after) = if kind == Kind::Removed { (row, None) } else { (None, row) };
    RowChange { before, after, differs: Vec::new(), times }
}

fn by_key(conn: &mut Conn, block: &Block, before: &Side, after: &Side, how: How<'_>) -> Result<Difference> {
    let keys: Vec<String> = block.keys().map(Column::physical).collect();
    let (old, staged) = (before.cells(block, "t"), after.cells(block, "s"));
    // What stands in the Block afterwards.
    let new: Vec<String> = (block.columns.iter().zip(&staged).zip(&old))
        .map(|((column, staged), old)| match how.merge {
            Merge::Update if !how.filled.contains(&column.position) => old.clone(),
            Merge::Update if how.blanks_keep && !column.key => format!("coalesce({staged}, {old})"),
            _ => staged.clone(),
        })
        .collect();
    let differs: Vec<String> = (block.columns.iter().zip(&new).zip(&old))
        .map(|((column, new), old)| match how.stamps.contains(&column.position) {
            true => "FALSE".to_owned(),
            false => format!("{new} IS DISTINCT FROM {old}"),
        })
        .collect();
    let any = differs.join(" OR ");
    let met = format!("{} s JOIN {} t ON {}", after.table, before.table, equal(&keys, "s", "t"));
    let matched = count(conn, &format!("SELECT count(*) AS n FROM {met}"))?;
    let changed = count(conn, &format!("SELECT count(*) AS n FROM {met} WHERE {any}"))?;
    let added = count(conn, &format!("SELECT count(*) AS n FROM {}", after.table))? - matched;
    // Rows that are there and do not come again.
    let removed = match how.merge {
        Merge::Append | Merge::Update => 0,
        Merge::Replace | Merge::ReplaceScope => {
            count(conn, &format!("SELECT count(*) AS n FROM {} x", before.table))? - matched
        }
    };
    let mut first = Vec::new();
    if changed > 0 {
        let (old, new) = (wanted(block, "t", &old), wanted(block, "s", &new));
        let flags = differs.join(", ");
        let sql = format!("SELECT {old}, {new}, {flags} FROM {met} WHERE {any} ORDER BY s._row LIMIT {FIRST}");
        for row in load(conn, sql)? {
            first.push(two_sided(row, block)?);
        }
    }
    let lacks = |other: &Side| {
        let same = equal(&keys, "r", "o");
        format!(" WHERE NOT EXISTS (SELECT 1 FROM {} o WHERE {same})", other.table)
    };
    if added > 0 {
        first.extend(after.first(conn, block, &lacks(before), Kind::Added)?);
    }
    if removed > 0 {
        first.extend(before.first(conn, block, &lacks(after), Kind::Removed)?);
    }
    Ok(Difference { added, changed, removed, unchanged: matched - changed, first })
}

/// Rows as often as they are there: those that are there more often now are added, less often removed.
fn as_a_whole(conn: &mut Conn, block: &Block, before: &Side, after: &Side) -> Result<Difference> {
    let named = |cells: Vec<String>| -> String {
        let named = cells.iter().zip(&block.columns).map(|(cell, column)| format!(", {cell} AS {}", column.physical()));
        named.collect()
    };
    let (old, new) = (named(before.cells(block, "t")), named(after.cells(block, "s")));
    let columns: Vec<String> = block.columns.iter().map(Column::physical).collect();
    // By group: how often it is there before and after, and its last row of either.
    let groups = format!(
        "SELECT sum(was) AS was, sum(is_now) AS is_now, max(old_row) AS old_row, max(new_row) AS new_row FROM (\
           SELECT 1 AS was, 0 AS is_now, t._row AS old_row, CAST(NULL AS BIGINT) AS new_row{old} FROM {} t UNION ALL \
           SELECT 0, 1, CAST(NULL AS BIGINT), s._row{new} FROM {} s) u GROUP BY {}",
        before.table,
        after.table,
        columns.join(", ")
    );
    let counted = |more: &str, less: &str| {
        format!("SELECT CAST(coalesce(sum({more} - {less}), 0) AS BIGINT) AS n FROM ({groups}) g WHERE {more} > {less}")
    };
    let added = count(conn, &counted("is_now", "was"))?;
    let removed = count(conn, &counted("was", "is_now"))?;
    let all = count(conn, &format!("SELECT count(*) AS n FROM {}", after.table))?;
    let mut first = Vec::new();
    let kinds = [
        (added, Kind::Added, after, "new_row", "is_now", "was"),
        (removed, Kind::Removed, before, "old_row", "was", "is_now"),
    ];
    for (_, kind, side, row, more, less) in kinds.into_iter().filter(|(rows, ..)| *rows > 0) {
        let wanted = wanted(block, "r", &side.cells(block, "r"));
        let sql = format!(
            "SELECT {wanted}, CAST(g.times AS BIGINT) FROM {} r JOIN (SELECT {row} AS at, {more} - {less} AS times \
             FROM ({groups}) x WHERE {more} > {less} ORDER BY {row} LIMIT {FIRST}) g ON g.at = r._row ORDER BY r._row",
            side.table
        );
        for mut row in load(conn, sql)? {
            let Some(Cell::Integer(times)) = row.0.pop() else {
                return Err(AppError::internal("a row without the number of its like"));
            };
            first.push(one_sided(row.typed(&block.columns)?, kind, times));
        }
    }
    Ok(Difference { added, removed, unchanged: all - added, changed: 0, first })
}

/// What is asked of a row, which is called `alias`: its own columns, and these cells, of which no text is longer than is
/// shown.
fn wanted(block: &Block, alias: &str, cells: &[String]) -> String {
    let mut wanted = format!("{alias}._row, {alias}._run, {alias}._file, {alias}._line");
    for (cell, column) in cells.iter().zip(&block.columns) {
        match column.column_type {
            ColumnType::Text | ColumnType::Dimension => {
                wanted.push_str(&format!(", substr({cell}, 1, {})", SHOWN_CHARS + 1));
            }
            _ => wanted.push_str(&format!(", {cell}")),
        }
    }
    wanted
}

fn shortened(mut row: BlockRow) -> BlockRow {
    for cell in &mut row.cells {
        if let Cell::Text(text) = cell
            && let Some((at, _)) = text.char_indices().nth(SHOWN_CHARS)
        {
            text.truncate(at);
            text.push('…');
        }
    }
    row
}

/// A row of both sides, and of each cell whether it differs.
fn two_sided(row: RawRow, block: &Block) -> Result<RowChange> {
    let mut cells = row.0.into_iter();
    let mut side = || RawRow(cells.by_ref().take(4 + block.columns.len()).collect()).typed(&block.columns);
    let (before, after) = (side()?, side()?);
    let differs = cells.map(|flag| matches!(flag, Cell::Boolean(true) | Cell::Integer(1))).collect();
    Ok(RowChange { before: Some(shortened(before)), after: Some(shortened(after)), differs, times: 1 })
}

fn load(conn: &mut Conn, sql: String) -> Result<Vec<RawRow>> {
    let query = diesel::sql_query(sql);
    Ok(match conn {
        Conn::Pg(conn) => query.load(conn)?,
        Conn::Sqlite(conn) => query.load(conn)?,
    })
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn count(conn: &mut Conn, sql: &str) -> Result<i64> {
    Ok(diesel::sql_query(sql).get_result::<Number>(conn)?.n)
}
