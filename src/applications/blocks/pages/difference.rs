//! What would be, or was, another in a Block, as pages show it.

use super::super::difference::{Difference, FIRST, Kind, RowChange};
use super::super::{Block, BlockRow, Cell, Column};
use super::rows::is_numeric;
use crate::words;

/// `blocks/difference.html` draws it, included with this as `d`.
pub struct Compared {
    /// By what became of them: a word and how many rows.
    pub counts: [(&'static str, String); 4],
    pub parts: Vec<Part>,
}

/// The first rows of one kind.
pub struct Part {
    pub id: &'static str,
    pub title: String,
    pub first: String,
    pub heads: Vec<(String, bool)>,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub cells: Vec<ShownChange>,
    /// "3 times", where several are alike.
    pub times: String,
}

pub struct ShownChange {
    pub text: String,
    /// As it was, where it is another.
    pub was: Option<String>,
    pub numeric: bool,
}

impl Compared {
    pub fn of(block: &Block, difference: &Difference) -> Self {
        let Difference { added, changed, removed, unchanged, first } = difference;
        let of = |kind: Kind| -> Vec<&RowChange> { first.iter().filter(|row| row.kind() == kind).collect() };
        let kinds = [
            (Kind::Changed, "changed", *changed, ["changed row", "changed rows"]),
            (Kind::Added, "added", *added, ["added row", "added rows"]),
            (Kind::Removed, "removed", *removed, ["removed row", "removed rows"]),
        ];
        let parts = kinds.into_iter().map(|(kind, id, all, words)| (part(block, of(kind), id, all, words), all));
        Self {
            counts: [
                ("Added", words::count(*added)),
                ("Changed", words::count(*changed)),
                ("Removed", words::count(*removed)),
                ("Unchanged", words::count(*unchanged)),
            ],
            parts: parts.filter(|(_, all)| *all > 0).map(|(part, _)| part).collect(),
        }
    }
}

/// Rows that a run wrote.
pub struct Written {
    pub heads: Vec<(String, bool)>,
    pub rows: Vec<WrittenRow>,
    /// After which row there are more.
    pub next: Option<i64>,
}

pub struct WrittenRow {
    pub cells: Vec<(String, bool)>,
    pub line: i64,
}

impl Written {
    pub fn of(block: &Block, rows: &[BlockRow], next: Option<i64>) -> Self {
        let row = |row: &BlockRow| {
            let cells = row.cells.iter().zip(&block.columns);
            let cell =
                |(cell, column): (&Cell, &Column)| (cell.text(column.column_type), is_numeric(column.column_type));
            WrittenRow { cells: cells.map(cell).collect(), line: row.line }
        };
        Self {
            heads: block.columns.iter().map(|c| (c.name.clone(), is_numeric(c.column_type))).collect(),
            rows: rows.iter().map(row).collect(),
            next,
        }
    }
}

fn part(block: &Block, rows: Vec<&RowChange>, id: &'static str, all: i64, [one, many]: [&str; 2]) -> Part {
    // Of what changed a wide Block has few cells: those, and the keys.
    let counts = |(i, column): &(usize, &Column)| {
        rows.iter().all(|row| row.differs.is_empty())
            || column.key
            || rows.iter().any(|row| row.differs.get(*i) == Some(&true))
    };
    let columns: Vec<(usize, &Column)> = block.columns.iter().enumerate().filter(counts).collect();
    let shown = |row: &&RowChange| {
        let here = row.after.as_ref().or(row.before.as_ref());
        let cell = |(i, column): &(usize, &Column)| {
            let text = |row: Option<&BlockRow>| {
                row.and_then(|row| row.cells.get(*i)).map(|cell| cell.text(column.column_type)).unwrap_or_default()
            };
            let was = (row.differs.get(*i) == Some(&true)).then(|| text(row.before.as_ref()));
            ShownChange { text: text(here), was, numeric: is_numeric(column.column_type) }
        };
        let times = if row.times > 1 { format!("{} times", words::count(row.times)) } else { String::new() };
        Row { cells: columns.iter().map(cell).collect(), times }
    };
    Part {
        id,
        title: words::counted(all, one, many),
        first: if all > FIRST { format!("the first {FIRST}") } else { String::new() },
        heads: columns.iter().map(|(_, column)| (column.name.clone(), is_numeric(column.column_type))).collect(),
        rows: rows.iter().map(shown).collect(),
    }
}
