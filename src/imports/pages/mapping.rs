//! The mapping as a form's controls hold it, one line per column of the Block.

use super::more::More;
use crate::applications::blocks::{Aggregate, Block, Column};
use crate::error::FieldErrors;
use crate::formats::Proposal;
use crate::imports::transform::{Transform, parts_of, template_of};
use crate::imports::{Expr, Mapping};
use crate::names::{Met, meet, name_key};
use crate::web::Form;

/// The choice of `from` that means "the same text in every row".
const CONSTANT: &str = "=";
/// Several columns and texts, put together.
const JOIN: &str = "+";
/// The time of the load.
const LOADED_AT: &str = "@";
/// Before the name of a source column, so that no name means something else.
const COLUMN: &str = ":";

/// What fills one column of the Block, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct MapRow {
    pub to: String,
    /// "date, required".
    pub words: String,
    /// `""` (nothing), `=` (the constant), `+` (columns put together), `@` (the time of the load) or `:NAME`.
    pub from: String,
    /// Of `+`: "{Year}-{Month}".
    pub constant: String,
    /// What is done to its cells.
    pub more: More,
    /// How cells of several rows of a Block become one; blank: not at all.
    pub aggregate: String,
    pub error: Option<String>,
}

impl MapRow {
    pub fn is_from(&self, choice: &str) -> bool {
        self.from == choice
    }

    /// The column of the source that fills it.
    pub fn source(&self) -> Option<&str> {
        self.from.strip_prefix(COLUMN)
    }
}

/// The lines of a form; for a column that it does not know, the column of the source that it was proposed from
/// (pairs of the Block's name and the source's), else the one that has its name.
pub fn rows(form: &Form, block: &Block, source: &[String], proposed: &[(String, String)]) -> Vec<MapRow> {
    let typed: Vec<(usize, &str)> = (0..).map_while(|i| Some((i, form.some(&format!("map-{i}-to"))?))).collect();
    block
        .columns
        .iter()
        .map(|column| {
            let known = typed.iter().find(|(_, to)| name_key(to) == name_key(&column.name));
            let of = |member: &str| known.map(|(i, _)| form.raw(&format!("map-{i}-{member}")).to_owned());
            MapRow {
                to: column.name.clone(),
                words: words(column),
                from: of("from").unwrap_or_else(|| suggested(column, source, proposed)),
                constant: of("constant").unwrap_or_default(),
                more: More::read(form, known.map(|(i, _)| *i), column),
                aggregate: of("aggregate").unwrap_or_default(),
                error: None,
            }
        })
        .collect()
}

fn suggested(column: &Column, source: &[String], proposed: &[(String, String)]) -> String {
    let from = proposed.iter().find(|(to, _)| name_key(to) == name_key(&column.name)).map(|(_, from)| from);
    let same = || match meet(&column.name, source.iter().map(String::as_str)) {
        Met::One(i) => source.get(i),
        Met::Nothing | Met::Tie => None,
    };
    from.or_else(same).map(|name| format!("{COLUMN}{name}")).unwrap_or_default()
}

/// The lines of a saved mapping; with none, those that equal names make: of the columns that were found, once they were.
pub fn rows_of(mapping: Option<&[Mapping]>, found: Option<&[String]>, block: &Block) -> Vec<MapRow> {
    let is_found =
        |column: &Column| found.is_none_or(|names| names.iter().any(|name| name_key(name) == name_key(&column.name)));
    block
        .columns
        .iter()
        .map(|column| {
            let line = mapping.into_iter().flatten().find(|line| name_key(&line.to) == name_key(&column.name));
            let (from, constant) = match line.map(|line| &line.fills) {
                Some(Expr::Constant(text)) => (CONSTANT.to_owned(), text.clone()),
                Some(Expr::Join(parts)) => (JOIN.to_owned(), template_of(parts)),
                Some(Expr::LoadedAt(_)) => (LOADED_AT.to_owned(), String::new()),
                Some(Expr::Column(name)) => (format!("{COLUMN}{name}"), String::new()),
                None if mapping.is_none() && is_found(column) => (format!("{COLUMN}{}", column.name), String::new()),
                None => (String::new(), String::new()),
            };
            let (nulls, none) = (line.and_then(|line| line.nulls.as_deref()), Transform::default());
            let more = More::of(nulls, line.map_or(&none, |line| &line.transform), column);
            let aggregate = line.and_then(|line| line.aggregate).map(|made| made.to_string()).unwrap_or_default();
            MapRow { to: column.name.clone(), words: words(column), from, constant, more, aggregate, error: None }
        })
        .collect()
}

fn words(column: &Column) -> String {
    let mut words = column.column_type.to_string();
    if column.key {
        words.push_str(", key");
    } else if column.required {
        words.push_str(", required");
    }
    words
}

/// The mapping that the lines make, and for each of its lines the row of the form.
pub fn mapping(rows: &[MapRow]) -> (Vec<Mapping>, Vec<usize>) {
    let (mut lines, mut places) = (Vec::new(), Vec::new());
    for (i, row) in rows.iter().enumerate() {
        let mut line = match row.from.as_str() {
            "" => continue,
            CONSTANT => Mapping::constant(&row.constant, &row.to),
            JOIN => Mapping::new(Expr::Join(parts_of(&row.constant)), &row.to),
            LOADED_AT => Mapping::new(Expr::LoadedAt(true), &row.to),
            name => Mapping::column(name.strip_prefix(COLUMN).unwrap_or(name), &row.to),
        };
        line.nulls = row.more.nulls();
        if matches!(line.fills, Expr::Column(_) | Expr::Join(_)) {
            line.transform = row.more.transform();
        }
        line.aggregate = Aggregate::parse(&row.aggregate);
        lines.push(line);
        places.push(i);
    }
    (lines, places)
}

/// Puts what is wrong with a line beside it.
pub fn mark(rows: &mut [MapRow], errors: &FieldErrors, places: &[usize]) {
    for error in &errors.0 {
        let at = error.field.strip_prefix("mapping[").and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
        if let Some(row) = at.and_then(|line| places.get(line)).and_then(|i| rows.get_mut(*i)) {
            row.error.get_or_insert_with(|| error.detail.clone());
        }
    }
}

/// The control of a line by the member that is wrong.
pub fn control(member: &str) -> &str {
    match member {
        "constant" | "aggregate" | "default" | "period" | "year_begins" | "translate" => member,
        "join" => "constant",
        _ => "from",
    }
}

/// The columns of the source that a mapping can choose: value and name.
pub fn choices(source: &[String]) -> Vec<(String, String)> {
    source.iter().map(|name| (format!("{COLUMN}{name}"), name.clone())).collect()
}

/// The columns of a sample that are imported, in the order of the file.
pub fn source_columns(proposal: &Proposal) -> Vec<String> {
    proposal.columns.iter().filter(|column| !column.ignored).map(|column| column.name.clone()).collect()
}

/// The lines whose column the source does not have.
pub fn not_in_source(lines: &[Mapping], source: &[String]) -> FieldErrors {
    let mut errors = FieldErrors::new();
    for (i, line) in lines.iter().enumerate() {
        for from in line.fills.source_columns() {
            let wrong = match meet(from, source.iter().map(String::as_str)) {
                Met::One(_) => continue,
                Met::Nothing => format!("The source has no column named \"{from}\"."),
                Met::Tie => format!("The source has more than one column like \"{from}\". Choose one of them."),
            };
            let member = if line.fills.source_column().is_some() { "from" } else { "join" };
            errors.add(format!("mapping[{i}].{member}"), wrong);
        }
    }
    errors
}
