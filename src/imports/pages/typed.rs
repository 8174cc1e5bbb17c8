//! What the form of a configuration holds, and the draft that it makes.

use super::mapping::{self, MapRow};
use super::{GUARD, filter, guard, guard_text, load_good, optional, options, scope, unknown_items};
use crate::applications::blocks::Block;
use crate::error::FieldErrors;
use crate::formats::{Format, ReadOptions};
use crate::imports::{Configuration, Definition, Draft, Filter, Mode, Overlap, UnknownItems};
use crate::parameters::Declared;
use crate::web::Form;

/// What the form holds, as it was typed.
pub struct Typed {
    pub version: String,
    pub name: String,
    pub description: String,
    pub source: String,
    pub path: String,
    pub query: String,
    pub after: String,
    pub move_to: String,
    pub options: ReadOptions,
    pub by_name: bool,
    /// By equal names: the columns that were found.
    pub columns: Option<Vec<String>>,
    pub rows: Vec<MapRow>,
    pub filter: Vec<Filter>,
    pub mode: String,
    pub scope: Vec<String>,
    pub unknown_items: UnknownItems,
    pub load_good: String,
    pub max_rows: String,
    pub max_percent: String,
    pub max_changed: String,
    pub guard: String,
    pub overlap: String,
    pub attempts: String,
    pub attempt_seconds: String,
    /// The table of parameters.
    pub parameters: Vec<Declared>,
}

impl Typed {
    pub fn of(configuration: &Configuration, definition: &Definition, block: &Block) -> Self {
        let text = |number: Option<String>| number.unwrap_or_default();
        Self {
            version: configuration.version.to_string(),
            name: configuration.name.clone(),
            description: configuration.description.clone(),
            source: match (configuration.connection_id, configuration.source_block_id) {
                (Some(id), _) => id.to_string(),
                (None, Some(id)) => format!("block:{id}"),
                (None, None) => "file".into(),
            },
            path: definition.source.path.clone().unwrap_or_default(),
            query: definition.source.query.clone().unwrap_or_default(),
            after: definition.source.after_success.to_string(),
            move_to: definition.source.move_to.clone().unwrap_or_default(),
            options: definition.source.read.clone(),
            by_name: definition.mapping.is_none(),
            columns: definition.columns.clone(),
            rows: mapping::rows_of(definition.mapping.as_deref(), definition.columns.as_deref(), block),
            filter: definition.source.filter.clone(),
            mode: definition.mode.to_string(),
            scope: definition.scope.clone(),
            unknown_items: definition.unknown_items,
            load_good: match definition.rejects.load_good {
                None => String::new(),
                Some(true) => "yes".into(),
                Some(false) => "no".into(),
            },
            max_rows: text(definition.rejects.max_rows.map(|n| n.to_string())),
            max_percent: text(definition.rejects.max_percent.map(|n| n.to_string())),
            max_changed: text(definition.rejects.max_changed.map(|n| n.to_string())),
            guard: guard_text(definition.guard),
            overlap: definition.overlap.to_string(),
            attempts: definition.attempts.to_string(),
            attempt_seconds: definition.attempt_seconds.to_string(),
            parameters: definition.parameters.iter().map(Declared::of).collect(),
        }
    }

    /// `kept`: what the configuration has found by names stays, and what this form does not show.
    pub fn read(form: &Form, block: &Block, asks: bool, kept: &Definition) -> Self {
        let text = |name: &str| form.get(name).to_owned();
        let rows = mapping::rows(form, block, &[], &[]);
        Self {
            version: text("version"),
            name: text("name"),
            description: text("description"),
            source: text("source"),
            path: text("source-path"),
            query: text("source-query"),
            after: text("source-after_success"),
            move_to: text("source-move_to"),
            options: options::read(form, asks),
            by_name: form.get("how") == "names",
            columns: kept.columns.clone().filter(|_| !form.ticked("anew")),
            rows,
            filter: filter(form),
            mode: text("mode"),
            scope: form.all("scope").map(str::to_owned).collect(),
            unknown_items: unknown_items(form),
            load_good: text("rejects-load_good"),
            max_rows: text("rejects-max_rows"),
            max_percent: text("rejects-max_percent"),
            max_changed: text("rejects-max_changed"),
            guard: text(GUARD),
            overlap: text("overlap"),
            attempts: text("attempts"),
            attempt_seconds: text("attempt_seconds"),
            parameters: match form.has("parameter-0-name") {
                true => Declared::read(form),
                false => kept.parameters.iter().map(Declared::of).collect(),
            },
        }
    }

    /// What it asks for, and what cannot be read of it.
    pub fn draft(&self, form: &Form, configuration: &Configuration) -> (Draft, FieldErrors) {
        let mut errors = FieldErrors::new();
        let mode = Mode::parse(&self.mode);
        if mode.is_none() {
            errors.add("mode", "Choose how rows are loaded.");
        }
        let connection_id = form.id("source");
        let source_block_id = self.source.strip_prefix("block:").and_then(|id| id.parse().ok());
        if connection_id.is_none() && source_block_id.is_none() && self.source != "file" {
            errors.add("source", "Choose where the rows come from.");
        }
        let mut definition = Definition::new(mode.unwrap_or(Mode::Append));
        definition.source.read =
            if source_block_id.is_some() { ReadOptions::of(Format::Rows) } else { self.options.clone() };
        let asks = connection_id.is_some() && self.options.format == Format::Rows;
        // What the form holds for the other kind of source is left behind.
        definition.source.path = Some(self.path.clone()).filter(|_| connection_id.is_some() && !asks);
        definition.source.query = Some(self.query.clone()).filter(|_| asks);
        definition.source.filter = self.filter.clone();
        options::read_after(form, &mut definition.source);
        definition.mapping = if self.by_name { None } else { Some(mapping::mapping(&self.rows).0) };
        definition.columns = self.columns.clone().filter(|_| self.by_name);
        definition.scope = scope(form, mode);
        definition.unknown_items = self.unknown_items;
        definition.rejects.load_good = load_good(form);
        definition.rejects.max_rows = optional(form, "rejects-max_rows", &mut errors);
        definition.rejects.max_percent = optional(form, "rejects-max_percent", &mut errors);
        definition.rejects.max_changed = optional(form, "rejects-max_changed", &mut errors);
        definition.guard = guard(form, &mut errors);
        definition.overlap = Overlap::parse(&self.overlap).unwrap_or(Overlap::Skip);
        // What is not a number lies outside every limit, which the check then tells.
        definition.attempts = self.attempts.parse().unwrap_or(0);
        definition.attempt_seconds = self.attempt_seconds.parse().unwrap_or(0);
        definition.parameters = self.parameters.iter().map(Declared::parameter).collect();
        let draft = Draft {
            name: self.name.clone(),
            description: self.description.clone(),
            block_id: configuration.block_id,
            connection_id,
            source_block_id,
            definition,
        };
        (draft, errors)
    }
}
