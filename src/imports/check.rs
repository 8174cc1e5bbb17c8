//! What is wrong with a draft: by itself, and against the Block that it fills. What only the file can tell (a column
//! of the source that is not there) is said by the run.

use super::model::{Definition, Draft, MAX_ATTEMPT_SECONDS, MAX_ATTEMPTS, MAX_DESCRIPTION, MAX_NAME, Mode};
use crate::applications::blocks::{Block, Column};
use crate::connections::Connection;
use crate::connectors::Takes;
use crate::error::FieldErrors;
use crate::formats::Parser;

impl Draft {
    /// Trims what people type with spaces around it.
    pub fn tidy(mut self) -> Self {
        self.name = self.name.trim().to_owned();
        self.description = self.description.trim().to_owned();
        self.definition.source.path =
            self.definition.source.path.take().map(|path| path.trim().to_owned()).filter(|path| !path.is_empty());
        self.definition.source.csv.tidy();
        for line in self.definition.mapping.iter_mut().flatten() {
            line.to = line.to.trim().to_owned();
        }
        self
    }

    /// What is wrong by itself.
    pub fn check(&self) -> FieldErrors {
        let mut errors = FieldErrors::new();
        let name = self.name.as_str();
        if name.trim().is_empty() {
            errors.add("name", "Give the import configuration a name.");
        } else if name.chars().count() > MAX_NAME {
            errors.add("name", format!("A name has at most {MAX_NAME} characters."));
        } else if name.chars().any(char::is_control) {
            errors.add("name", "A name cannot hold line breaks, tabs or other control characters.");
        }
        if self.description.chars().count() > MAX_DESCRIPTION {
            errors.add("description", format!("A description has at most {MAX_DESCRIPTION} characters."));
        }
        let definition = &self.definition;
        if let Err(more) = definition.source.csv.validate() {
            errors.extend(more);
        }
        if !(1..=MAX_ATTEMPTS).contains(&definition.attempts) {
            errors.add("attempts", format!("From 1 to {MAX_ATTEMPTS} attempts."));
        }
        if !(1..=MAX_ATTEMPT_SECONDS).contains(&definition.attempt_seconds) {
            errors.add("attempt_seconds", format!("From 1 to {MAX_ATTEMPT_SECONDS} seconds, a day."));
        }
        if definition.rejects.max_rows.is_some_and(|most| most < 0) {
            errors.add("rejects.max_rows", "A limit is 0 or more; leave it out for none.");
        }
        if definition.rejects.max_percent.is_some_and(|most| !(0.0..=100.0).contains(&most)) {
            errors.add("rejects.max_percent", "A share is from 0 to 100 per cent; leave it out for no limit.");
        }
        errors
    }
}

/// What is wrong with the source, given the Connection that it names (none: a file by hand).
pub fn source(definition: &Definition, connection: Option<&Connection>) -> FieldErrors {
    let mut errors = FieldErrors::new();
    let path = definition.source.path.as_deref().unwrap_or_default();
    match connection {
        None if !path.is_empty() => {
            errors.add("source.path", "A file given by hand has no path. Leave it out, or name a Connection.");
        }
        None => {}
        Some(connection) => match connection.kind() {
            Some(kind) if kind.takes == Takes::Query => {
                errors.add("connection_id", format!("A {} Connection gives no csv file.", kind.label));
            }
            // A web address may be the file itself.
            Some(kind) if kind.name != "http" && path.is_empty() => {
                errors.add("source.path", "Name the file that is imported.");
            }
            _ => {}
        },
    }
    if path.contains('\0') || path.len() > 1_000 {
        errors.add("source.path", "A path has at most 1,000 bytes and no NUL.");
    }
    errors
}

/// What is wrong with mode and mapping, given the Block.
pub fn target(definition: &Definition, block: &Block) -> FieldErrors {
    let mut errors = FieldErrors::new();
    if definition.mode == Mode::Update && !block.is_keyed() {
        errors.add(
            "mode",
            format!(
                "Update finds the rows that are there by their key, and \"{}\" has no key column. Use append or replace.",
                block.name
            ),
        );
    }
    let Some(mapping) = &definition.mapping else { return errors };
    if mapping.is_empty() {
        errors.add("mapping", "Map at least one column of the Block.");
        return errors;
    }
    let mut filled: Vec<&Column> = Vec::new();
    for (i, line) in mapping.iter().enumerate() {
        let field = |member: &str| format!("mapping[{i}].{member}");
        let Some(column) = block.column(&line.to) else {
            let detail = if line.to.is_empty() {
                "Say which column of the Block it fills.".to_owned()
            } else {
                format!("\"{}\" has no column named \"{}\".", block.name, line.to)
            };
            errors.add(field("to"), detail);
            continue;
        };
        if filled.iter().any(|there| there.id == column.id) {
            errors.add(field("to"), format!("\"{}\" is filled twice. Take one of the two out.", column.name));
        }
        filled.push(column);
        match (line.from.as_deref().map(str::trim), line.constant.as_deref()) {
            (Some(""), None) => errors.add(field("from"), "Name the column of the source, or give a constant."),
            (Some(_), None) => {}
            (None, Some(text)) => {
                let parser = Parser::new(column.column_type, column.must_be_filled(), &definition.source.csv);
                if let Ok(parser) = parser
                    && let Err(fault) = parser.parse(text.as_bytes())
                {
                    errors.add(field("constant"), fault.to_string());
                }
            }
            _ => errors.add(field("from"), "Name a column of the source or a constant: one of the two."),
        }
    }
    let unfilled: Vec<String> = block
        .columns
        .iter()
        .filter(|column| column.must_be_filled() && !filled.iter().any(|there| there.id == column.id))
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    if !unfilled.is_empty() {
        errors.add(
            "mapping",
            format!(
                "Nothing fills {}, which must have a value in every row of \"{}\".",
                unfilled.join(", "),
                block.name
            ),
        );
    }
    errors
}
