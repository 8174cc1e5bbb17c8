//! The rows of a Block as somebody looks at them. What was typed goes in as one bound text, a JSON list that the statement
//! takes apart; nothing of it stands in the statement itself.

use diesel::sql_types::Text;

use super::feed::{text, typed};
use super::generations;
use super::rows::{BlockRow, Cell, load};
use crate::applications::blocks::looking::{Look, Test};
use crate::applications::blocks::model::{Block, Column};
use crate::db::prelude::*;
use crate::db::{Conn, IdRow};
use crate::error::Result;
use crate::formats::ColumnType;

/// What rows must be, as SQL over `$1`, and the text that is bound there.
pub(super) struct Wanted {
    pub sql: String,
    pub given: String,
}

struct Collect<'a> {
    conn: &'a Conn,
    values: Vec<Option<String>>,
}

impl Collect<'_> {
    /// A value of a column's type, bound.
    fn value(&mut self, column: &Column, cell: &Cell) -> String {
        self.values.push(text(self.conn, cell, column.column_type));
        let place = self.values.len() - 1;
        let text = match self.conn {
            Conn::Sqlite(_) => format!("json_extract($1, '$[{place}]')"),
            Conn::Pg(_) => format!("(CAST(CAST($1 AS TEXT) AS jsonb)->>{place})"),
        };
        typed(self.conn, &text, column)
    }

    /// That a text holds another, whatever the case. Both databases know that only of the letters of English, so the text
    /// is looked for in either case.
    fn contains(&mut self, column: &Column, wanted: &str) -> String {
        let mut forms =
            [wanted.to_owned(), wanted.to_lowercase(), wanted.to_uppercase()].map(|f| f.to_ascii_lowercase());
        forms.sort();
        let cell = column.physical();
        let mut said = Vec::new();
        for (n, form) in forms.iter().enumerate() {
            if n > 0 && forms[n - 1] == *form {
                continue;
            }
            let value = self.value(column, &Cell::Text(form.clone()));
            said.push(match self.conn {
                Conn::Sqlite(_) => format!("instr(lower({cell}), {value}) > 0"),
                Conn::Pg(_) => format!("strpos(lower({cell}), {value}) > 0"),
            });
        }
        format!("({})", said.join(" OR "))
    }

    fn test(&mut self, column: &Column, test: &Test) -> String {
        let cell = column.physical();
        match test {
            Test::Empty => format!("{cell} IS NULL"),
            Test::Filled => format!("{cell} IS NOT NULL"),
            Test::Is(is) => format!("{cell} = {}", self.value(column, is)),
            Test::Contains(wanted) => self.contains(column, wanted),
            Test::Range(from, to) => {
                let ends = [(">=", from), ("<=", to)];
                let ends = ends.into_iter().filter_map(|(sign, end)| Some((sign, end.as_ref()?)));
                ends.map(|(sign, end)| format!("{cell} {sign} {}", self.value(column, end)))
                    .collect::<Vec<_>>()
                    .join(" AND ")
            }
        }
    }
}

pub(super) fn wanted(conn: &Conn, block: &Block, look: &Look) -> Wanted {
    let mut collect = Collect { conn, values: Vec::new() };
    let mut said = vec![match conn {
        Conn::Sqlite(_) => "$1 IS NOT NULL".to_owned(),
        Conn::Pg(_) => "CAST($1 AS TEXT) IS NOT NULL".to_owned(),
    }];
    said.extend(look.filters.iter().map(|filter| collect.test(&filter.column, &filter.test)));
    if !look.search.is_empty() {
        let texts: Vec<String> = texts(block).map(|column| collect.contains(column, &look.search)).collect();
        said.push(if texts.is_empty() { "1 = 0".to_owned() } else { format!("({})", texts.join(" OR ")) });
    }
    Wanted { sql: said.join(" AND "), given: serde_json::json!(collect.values).to_string() }
}

/// The columns that are searched.
pub fn texts(block: &Block) -> impl Iterator<Item = &Column> {
    block.columns.iter().filter(|c| matches!(c.column_type, ColumnType::Text | ColumnType::Dimension))
}

/// So many of the rows that are looked at, after the first `offset`.
pub fn look(conn: &mut Conn, block: &Block, look: &Look, offset: i64, limit: i64) -> Result<Vec<BlockRow>> {
    let Some(table) = generations::current_table(conn, block.id)? else { return Ok(Vec::new()) };
    let Wanted { sql, given } = wanted(conn, block, look);
    let order = look.sort.as_ref().map_or(String::new(), |sort| {
        let way = if sort.descending { "DESC" } else { "ASC" };
        format!("{} {way} NULLS LAST, ", sort.column.physical())
    });
    let end = format!("WHERE {sql} ORDER BY {order}_row LIMIT {limit} OFFSET {offset}");
    load(conn, &table, &block.columns, &end, &given)
}

/// How many they are; where they are more than `most`, one more than that.
pub fn count(conn: &mut Conn, block: &Block, look: &Look, most: i64) -> Result<i64> {
    let Some(table) = generations::current_table(conn, block.id)? else { return Ok(0) };
    let Wanted { sql, given } = wanted(conn, block, look);
    let query = format!("SELECT count(*) AS id FROM (SELECT 1 FROM {table} WHERE {sql} LIMIT {}) x", most + 1);
    let counted: IdRow = diesel::sql_query(query).bind::<Text, _>(given).get_result(conn)?;
    Ok(counted.id)
}

/// One row.
pub fn row(conn: &mut Conn, block: &Block, row: i64) -> Result<Option<BlockRow>> {
    let Some(table) = generations::current_table(conn, block.id)? else { return Ok(None) };
    let Wanted { sql, given } = wanted(conn, block, &Look::default());
    Ok(load(conn, &table, &block.columns, &format!("WHERE {sql} AND _row = {row}"), &given)?.pop())
}
