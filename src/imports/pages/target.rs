//! The Block that the wizard proposes: one line per column of the source, to be named, typed and left out.

use std::collections::HashSet;

use crate::applications::blocks::{Block, BlockDraft, BlockKind, Column, ColumnDraft, MAX_COLUMNS};
use crate::clock::Moment;
use crate::error::FieldErrors;
use crate::formats::{ColumnType, Proposal, ProposedColumn};
use crate::names::name_key;
use crate::web::Form;

/// One column of the source and what becomes of it.
#[derive(Clone, Debug, Default)]
pub struct ColumnRow {
    /// Its name in the source.
    pub source: String,
    pub used: bool,
    pub name: String,
    pub column_type: String,
    /// The type that was proposed for it, to tell whether somebody chose another.
    pub was: String,
    pub dimension: Option<i64>,
    pub key: bool,
    pub required: bool,
    pub examples: String,
    /// "00501 becomes 501", where its first cell becomes something else.
    pub becomes: String,
    /// What speaks against the type that was proposed.
    pub against: String,
    pub error: Option<String>,
}

/// What the form says about the columns of this source, and a proposal for those that it does not know. `known`: the form
/// knows their types better than a proposal from a few rows.
pub fn rows(form: &Form, proposal: &Proposal, known: bool) -> Vec<ColumnRow> {
    let held: Vec<ColumnRow> = read(form);
    let proposed = proposal.columns.iter().filter(|column| !column.ignored).enumerate();
    let mut taken = HashSet::new();
    proposed
        .map(|(i, column)| {
            let fresh = ColumnRow {
                source: column.name.clone(),
                used: i < MAX_COLUMNS,
                name: free_name(&column.name, &mut taken),
                column_type: column.column_type.to_string(),
                was: column.column_type.to_string(),
                key: column.key,
                required: column.key,
                examples: column.examples.join(", "),
                becomes: becomes(column),
                against: column.against.clone().unwrap_or_default(),
                ..ColumnRow::default()
            };
            match held.iter().find(|row| row.source == column.name) {
                Some(row) => {
                    if known {
                        let ColumnRow { examples, becomes, against, .. } = fresh;
                        return ColumnRow { examples, becomes, against, ..row.clone() };
                    }
                    let chosen = row.column_type != row.was;
                    let column_type = if chosen { row.column_type.clone() } else { fresh.column_type };
                    let ColumnRow { was, examples, becomes, against, .. } = fresh;
                    ColumnRow { was, examples, becomes, against, column_type, ..row.clone() }
                }
                None => fresh,
            }
        })
        .collect()
}

/// The name, with a number where the Block would have it twice: there case does not count.
fn free_name(name: &str, taken: &mut HashSet<String>) -> String {
    let numbered = (2..).map(|n| format!("{name} {n}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| taken.insert(name_key(name))).unwrap_or_default()
}

fn becomes(column: &ProposedColumn) -> String {
    match (column.examples.first(), &column.becomes) {
        (Some(cell), Some(becomes)) if cell != becomes => format!("{cell} becomes {becomes}"),
        _ => String::new(),
    }
}

/// The lines that a form holds.
pub fn read(form: &Form) -> Vec<ColumnRow> {
    (0..)
        .map_while(|i| {
            let name = |member: &str| format!("col-{i}-{member}");
            Some(ColumnRow {
                source: form.some(&name("source"))?.to_owned(),
                used: form.ticked(&name("use")),
                name: form.get(&name("name")).to_owned(),
                column_type: form.get(&name("type")).to_owned(),
                was: form.get(&name("was")).to_owned(),
                dimension: form.id(&name("dimension")),
                key: form.ticked(&name("key")),
                required: form.ticked(&name("required")),
                ..ColumnRow::default()
            })
        })
        .collect()
}

/// The Block that the lines make, and for each of its columns the line.
pub fn draft(form: &Form, rows: &[ColumnRow]) -> Result<(BlockDraft, Vec<usize>), FieldErrors> {
    let mut errors = FieldErrors::new();
    let kind = BlockKind::parse(form.get("block_kind"));
    if kind.is_none() {
        errors.add("block_kind", "Choose a kind of Block.");
    }
    let (mut columns, mut places) = (Vec::new(), Vec::new());
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| row.used) {
        let Ok(column_type) = row.column_type.parse::<ColumnType>() else {
            errors.add(format!("columns[{}].type", columns.len()), "Choose a type.");
            continue;
        };
        columns.push(ColumnDraft {
            id: None,
            name: row.name.clone(),
            column_type,
            dimension_block_id: row.dimension.filter(|_| column_type == ColumnType::Dimension),
            key: row.key,
            required: row.required,
        });
        places.push(i);
    }
    let draft = BlockDraft {
        name: form.get("block_name").to_owned(),
        kind: kind.unwrap_or(BlockKind::TransactionList),
        columns,
    };
    errors.ok_or((draft.tidy(), places))
}

/// Puts what is wrong with a column beside it; what is wrong with the Block keeps the name of its control.
pub fn mark(rows: &mut [ColumnRow], errors: FieldErrors, places: &[usize]) -> FieldErrors {
    let mut named = FieldErrors::new();
    for error in errors.0 {
        let at = error.field.strip_prefix("columns[").and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
        match at.and_then(|column| places.get(column)) {
            Some(i) => {
                let field = format!("col-{i}-name");
                if let Some(row) = rows.get_mut(*i) {
                    row.error.get_or_insert_with(|| error.detail.clone());
                }
                named.add(field, error.detail);
            }
            None => {
                let field = match error.field.as_str() {
                    "name" => "block_name".to_owned(),
                    "kind" => "block_kind".to_owned(),
                    other => other.to_owned(),
                };
                named.add(field, error.detail);
            }
        }
    }
    named
}

/// A Block that is not there yet, to check a mapping against.
pub fn imagined(draft: &BlockDraft, application_id: i64, now: Moment) -> Block {
    let columns = draft
        .columns
        .iter()
        .zip(1..)
        .map(|(column, position)| Column {
            id: i64::from(position),
            position,
            name: column.name.clone(),
            column_type: column.column_type,
            dimension_block_id: column.dimension_block_id,
            key: column.key,
            required: column.required,
        })
        .collect();
    Block { id: 0, application_id, name: draft.name.clone(), kind: draft.kind, columns, version: 0, created_at: now }
}

/// The name that a file gives its Block: "Daily sales" of "exports/daily_sales.csv.gz".
pub fn name_from(file: &str) -> String {
    let last = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let last = last.split('?').next().unwrap_or_default();
    let stem = last.split('.').find(|part| !part.is_empty()).unwrap_or_default();
    let words: Vec<&str> = stem.split(['_', '-', ' ']).filter(|word| !word.is_empty()).collect();
    let mut text = words.join(" ");
    if let Some(first) = text.chars().next() {
        text.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_block() {
        assert_eq!(name_from("exports/daily_sales.csv.gz"), "Daily sales");
        assert_eq!(name_from("weather.csv?x=1"), "Weather");
        assert_eq!(name_from(""), "");
    }
}
