//! What is wrong with a draft: by itself, and against the Block that it fills. What only the file can tell (a column
//! of the source that is not there) is said by the run.

use super::feeding;
use super::mapping::Expr;
use super::model::{
    AfterSuccess, Definition, Draft, MAX_ATTEMPT_SECONDS, MAX_ATTEMPTS, MAX_DESCRIPTION, MAX_QUERY, Mode,
};
use super::transform;
use crate::applications::blocks::{Block, Column};
use crate::clock::Moment;
use crate::connections::Connection;
use crate::connectors::{Kind, Takes};
use crate::error::FieldErrors;
use crate::files::kept::FILE;
use crate::formats::{Format, wrong_nulls};
use crate::names::{check_name, name_key, plain_path};
use crate::parameters::{self, Template};

impl Draft {
    /// Trims what people type with spaces around it. A mapping takes the place of columns that were found by their names.
    pub fn tidy(mut self) -> Self {
        self.name = self.name.trim().to_owned();
        self.description = self.description.trim().to_owned();
        self.definition.source.path =
            self.definition.source.path.take().map(|path| path.trim().to_owned()).filter(|path| !path.is_empty());
        let source = &mut self.definition.source;
        for text in [&mut source.query, &mut source.move_to] {
            *text = text.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        }
        source.read.tidy();
        if self.definition.mapping.is_some() {
            self.definition.columns = None;
        }
        for line in self.definition.mapping.iter_mut().flatten() {
            line.to = line.to.trim().to_owned();
        }
        for name in &mut self.definition.scope {
            *name = name.trim().to_owned();
        }
        self
    }

    /// What is wrong by itself; `was` is the name that it has.
    pub fn check(&self, was: Option<&str>) -> FieldErrors {
        let mut errors = FieldErrors::new();
        check_name("name", &self.name, was, &mut errors);
        if self.description.chars().count() > MAX_DESCRIPTION {
            errors.add("description", format!("A description has at most {MAX_DESCRIPTION} characters."));
        }
        let definition = &self.definition;
        if let Err(more) = definition.source.read.validate() {
            errors.extend(more);
        }
        if !(1..=MAX_ATTEMPTS).contains(&definition.attempts) {
            errors.add("attempts", format!("Enter 1 to {MAX_ATTEMPTS} attempts."));
        }
        if !(1..=MAX_ATTEMPT_SECONDS).contains(&definition.attempt_seconds) {
            errors.add("attempt_seconds", format!("Enter 1 to {MAX_ATTEMPT_SECONDS} seconds (a day)."));
        }
        if definition.rejects.max_rows.is_some_and(|most| most < 0) {
            errors.add("rejects.max_rows", "A limit must be 0 or more; leave it out for no limit.");
        }
        if definition.rejects.max_changed.is_some_and(|most| most < 0) {
            errors.add("rejects.max_changed", "A limit must be 0 or more; leave it out for no limit.");
        }
        if definition.rejects.max_percent.is_some_and(|most| !(0.0..=100.0).contains(&most)) {
            errors.add("rejects.max_percent", "A percentage must be from 0 to 100; leave it out for no limit.");
        }
        if definition.guard.max_drop_percent.is_some_and(|most| !(1..=100).contains(&most)) {
            errors.add("guard.max_drop_percent", "A percentage must be from 1 to 100; leave it out for no guard.");
        }
        errors.extend(declared(definition, self.needs_file()));
        errors
    }
}

/// What is wrong with the parameters, and with each text that uses them.
fn declared(definition: &Definition, takes_file: bool) -> FieldErrors {
    let parameters = definition.parameters.as_slice();
    let mut errors = parameters::check(parameters);
    for (i, _) in parameters.iter().enumerate().filter(|(_, parameter)| takes_file && parameter.name == FILE) {
        let why = "An import that takes a file already has a parameter called file. Choose another name.";
        errors.add(format!("parameters[{i}].name"), why);
    }
    // Without any, a brace is a brace.
    if parameters.is_empty() || !errors.is_empty() {
        return errors;
    }
    let source = &definition.source;
    let mut used = |field: String, checked: Result<(), String>| {
        if let Err(why) = checked {
            errors.add(field, why);
        }
    };
    if let Some(path) = &source.path {
        used("source.path".to_owned(), parameters::in_path(path, parameters));
    }
    if let Some(query) = &source.query {
        used("source.query".to_owned(), parameters::in_query(query, parameters));
    }
    for (i, filter) in source.filter.iter().enumerate() {
        let checked = filter.items.iter().try_for_each(|item| parameters::in_filter(item, parameters));
        used(format!("source.filter[{i}].items"), checked);
    }
    for (i, line) in definition.mapping.iter().flatten().enumerate() {
        if let Expr::Constant(text) = &line.fills {
            used(format!("mapping[{i}].constant"), parameters::in_constant(text, parameters));
        }
    }
    errors
}

/// Leaves out what is said of a text whose parameters have no values yet.
fn but_of_parameters(definition: &Definition, errors: FieldErrors) -> FieldErrors {
    if definition.parameters.is_empty() {
        return errors;
    }
    let uses = |text: &String| Template::parse(text).is_ok_and(|template| template.names().next().is_some());
    let mut open: Vec<String> = Vec::new();
    for (i, line) in definition.mapping.iter().flatten().enumerate() {
        open.extend(
            matches!(&line.fills, Expr::Constant(text) if uses(text)).then(|| format!("mapping[{i}].constant")),
        );
    }
    for (i, filter) in definition.source.filter.iter().enumerate() {
        open.extend(filter.items.iter().any(uses).then(|| format!("source.filter[{i}].items")));
    }
    FieldErrors(errors.0.into_iter().filter(|error| !open.contains(&error.field)).collect())
}

/// What is wrong with a Block as the source.
pub fn block_source(definition: &Definition, from: &Block, target: &Block) -> FieldErrors {
    let mut errors = FieldErrors::new();
    let source = &definition.source;
    for (field, given) in [("source.path", &source.path), ("source.query", &source.query)] {
        if given.as_deref().is_some_and(|given| !given.is_empty()) {
            errors.add(field, "A Block has no path and no query. Leave this out, or choose a Connection.");
        }
    }
    if source.read.format != Format::Rows {
        errors.add("source.format", "The format must be rows for a Block.");
    }
    errors.extend(settling(definition, None));
    errors.extend(feeding::feed(definition, from, target, Moment::from_micros(0)).err().unwrap_or_default());
    but_of_parameters(definition, errors)
}

/// What is wrong with the source, given the Connection that it names (none: a file by hand).
pub fn source(definition: &Definition, connection: Option<&Connection>) -> FieldErrors {
    let mut errors = feeding::not_of_a_block(definition);
    let source = &definition.source;
    let path = source.path.as_deref().unwrap_or_default();
    let query = source.query.as_deref().unwrap_or_default();
    let kind = connection.and_then(Connection::kind);
    match kind.map(|kind| (kind, kind.takes)) {
        None if connection.is_some() => {}
        None if !path.is_empty() || !query.is_empty() => {
            let field = if path.is_empty() { "source.query" } else { "source.path" };
            errors.add(field, "A file given by hand has no path and no query. Leave this out, or choose a Connection.");
        }
        None => {}
        Some((kind, Takes::Query)) => {
            if !path.is_empty() {
                errors.add("source.path", format!("A {} Connection takes a query, not a path.", kind.label));
            }
            if query.is_empty() {
                errors.add("source.query", "Enter the query whose rows are imported.");
            }
        }
        Some((kind, Takes::Path { required })) => {
            if !query.is_empty() {
                errors.add("source.query", format!("A {} Connection takes a path, not a query.", kind.label));
            }
            if required && path.is_empty() {
                errors.add("source.path", "Enter the file to import.");
            }
        }
    }
    if (source.read.format == Format::Rows) == query.is_empty() && errors.is_empty() {
        errors.add("source.format", "The format must be rows for a query, and a file format for a file.");
    }
    if path.contains('\0') || path.len() > 1_000 {
        errors.add("source.path", "A path has at most 1,000 bytes and no NUL.");
    }
    if query.contains('\0') || query.len() > MAX_QUERY {
        errors.add("source.query", "A query has at most 20,000 bytes and no NUL.");
    }
    errors.extend(settling(definition, kind));
    errors
}

/// What is wrong with what is done to the file afterwards.
fn settling(definition: &Definition, kind: Option<&Kind>) -> FieldErrors {
    let mut errors = FieldErrors::new();
    let after = definition.source.after_success;
    let move_to = definition.source.move_to.as_deref().unwrap_or_default();
    if !after.is_leave() && !kind.is_some_and(|kind| kind.settles) {
        let whose =
            kind.map_or("A file given by hand".to_owned(), |kind| format!("The source of a {} Connection", kind.label));
        errors.add("source.after_success", format!("{whose} cannot be moved or deleted. Use leave."));
    } else if after == AfterSuccess::Move && move_to.is_empty() {
        errors.add("source.move_to", "Enter the folder to move it to, inside the Connection's folder.");
    } else if after == AfterSuccess::Move && !is_below(move_to) {
        errors.add(
            "source.move_to",
            "Enter a folder inside the Connection's folder, such as done, without .. and of at most 500 bytes.",
        );
    }
    let path = plain_path(definition.source.path.as_deref().unwrap_or_default());
    if after == AfterSuccess::Move && errors.is_empty() && !path.is_empty() {
        let (folder, _) = path.rsplit_once('/').unwrap_or_default();
        if folder == move_to {
            errors.add("source.move_to", "The file is already in that folder. Enter another one.");
        } else if move_to == path || move_to.starts_with(&format!("{path}/")) {
            errors.add("source.move_to", "That is the file itself, not a folder. Enter a folder.");
        }
    }
    if after != AfterSuccess::Move && !move_to.is_empty() {
        errors.add("source.move_to", "A folder to move to is only for after_success move. Leave it out.");
    }
    errors
}

fn is_below(folder: &str) -> bool {
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    folder.len() <= 500 && !folder.contains('\0') && folder.split('/').all(plain)
}

/// What is wrong with the columns that were found by their names: the Block may have changed since.
fn by_name(columns: Option<&[String]>, block: &Block) -> FieldErrors {
    let Some(names) = columns else { return FieldErrors::new() };
    let filled: Vec<Option<i64>> = names.iter().map(|name| block.column(name).map(|column| column.id)).collect();
    let wrong = if names.is_empty() {
        "Give at least one column of the Block, or leave the columns out so that the next load finds them.".to_owned()
    } else if let Some(i) = filled.iter().position(Option::is_none) {
        format!("\"{}\" no longer has a column named \"{}\". Find the columns again.", block.name, names[i])
    } else if let Some(i) = (0..names.len()).find(|i| filled[..*i].contains(&filled[*i])) {
        format!("\"{}\" is named twice.", names[i])
    } else if let Some(column) = block.columns.iter().find(|c| c.must_be_filled() && !filled.contains(&Some(c.id))) {
        format!(
            "Nothing fills \"{}\", which must have a value in every row of \"{}\". Find the columns again.",
            column.name, block.name
        )
    } else {
        return FieldErrors::new();
    };
    FieldErrors::one("columns", wrong)
}

/// What is wrong with the columns that say which rows make room.
fn scope(definition: &Definition, block: &Block) -> FieldErrors {
    let names = &definition.scope;
    let columns: Vec<Option<i64>> = names.iter().map(|name| block.column(name).map(|column| column.id)).collect();
    let is_filled = |i: usize| match &definition.mapping {
        Some(mapping) => mapping.iter().any(|line| name_key(&line.to) == name_key(&names[i])),
        None => true,
    };
    let wrong = match definition.mode {
        Mode::ReplaceScope if names.is_empty() => {
            "Choose at least one column whose values say which rows are replaced, such as the month.".to_owned()
        }
        Mode::ReplaceScope => {
            if let Some(i) = columns.iter().position(Option::is_none) {
                format!("\"{}\" has no column named \"{}\".", block.name, names[i])
            } else if let Some(i) = (0..names.len()).find(|i| columns[..*i].contains(&columns[*i])) {
                format!("\"{}\" is named twice.", names[i])
            } else if let Some(i) = (0..names.len()).find(|i| !is_filled(*i)) {
                format!("Nothing fills \"{}\", so no row lies within the scope. Map it, or leave it out.", names[i])
            } else {
                return FieldErrors::new();
            }
        }
        _ if names.is_empty() => return FieldErrors::new(),
        _ => "Only replace_scope has a scope. Leave it out, or choose that mode.".to_owned(),
    };
    FieldErrors::one("scope", wrong)
}

/// What is wrong with mode and mapping, given the Block.
pub fn target(definition: &Definition, block: &Block) -> FieldErrors {
    but_of_parameters(definition, of_target(definition, block))
}

fn of_target(definition: &Definition, block: &Block) -> FieldErrors {
    let mut errors = FieldErrors::new();
    if definition.mode == Mode::Update && !block.is_keyed() {
        errors.add(
            "mode",
            format!(
                "Update finds existing rows by their key, and \"{}\" has no key column. Use append or replace.",
                block.name
            ),
        );
    }
    errors.extend(scope(definition, block));
    let Some(mapping) = &definition.mapping else {
        errors.extend(by_name(definition.columns.as_deref(), block));
        return errors;
    };
    if mapping.is_empty() {
        errors.add("mapping", "Map at least one column of the Block.");
        return errors;
    }
    let mut filled: Vec<&Column> = Vec::new();
    for (i, line) in mapping.iter().enumerate() {
        let field = |member: &str| format!("mapping[{i}].{member}");
        if let Some(why) = line.nulls.as_deref().and_then(wrong_nulls) {
            errors.add(field("nulls"), why);
        }
        let Some(column) = block.column(&line.to) else {
            let detail = if line.to.is_empty() {
                "Choose the column of the Block to fill.".to_owned()
            } else {
                format!("\"{}\" has no column named \"{}\".", block.name, line.to)
            };
            errors.add(field("to"), detail);
            continue;
        };
        if filled.iter().any(|there| there.id == column.id) {
            errors.add(field("to"), format!("\"{}\" is filled twice. Remove one of the two.", column.name));
        }
        filled.push(column);
        for (member, why) in transform::wrong(line, column, &definition.source.read.values) {
            errors.add(field(member), why);
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
