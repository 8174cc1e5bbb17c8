//! A configuration as the API takes and answers it, and the audit log keeps it.

use serde_json::{Map, Value, json};

use super::filter_body::FilterBody;
use super::mapping_body::MappingBody;
use super::model::{
    ATTEMPT_SECONDS, ATTEMPTS, AfterSuccess, Configuration, ConfigurationStatus, Definition, Draft, Mode, Overlap,
    Rejects, Source, UnknownItems,
};
use super::read_body::ReadBody;
use crate::db::text_enum;
use crate::error::FieldErrors;
use crate::formats::{CsvOptions, Format, ReadOptions};
use crate::imports::guard::Guard;
use crate::parameters::ParameterBody;
use crate::shape::{Number, Object, Reader, answer, sent};

sent! {
    /// The fields of an import configuration to create or change.
    pub struct ConfigurationBody {
        name: String = "Enter a name." => "Sales by day",
        description: String,
        block_id: i64 = "Choose the Block to fill." => 3,
        /// Where the source is fetched from. Without a Connection and a source Block, each run takes a file by hand.
        connection_id: i64,
        /// The Block whose rows are loaded, of this Application or of another that you may view.
        source_block_id: i64,
        source: SourceBody,
        /// What fills each column. Default: columns with equal names.
        mapping: Vec<MappingBody>,
        /// Without a mapping: the columns it fills. The first load finds them; null makes the next load find them.
        columns: Vec<String>,
        /// How rows are loaded.
        mode: Mode = "Choose a mode: append, update, replace or replace_scope.",
        /// By replace_scope: the Block's columns whose values, as the source brings them, say which rows are replaced.
        scope: Vec<String>,
        rejects: RejectsBody,
        /// What happens to a row that names an item missing from its Dimension list.
        unknown_items: UnknownItems,
        /// What an occurrence does while the previous run is still running. Default: `skip`.
        overlap: Overlap,
        /// How many times a run is tried, from 1 to 10. Default: 3.
        attempts: i32 => 3,
        /// How long one attempt may take, from 1 to 86,400 seconds. Default: an hour.
        attempt_seconds: i32 => 3600,
        /// What is asked for when it runs, at most 50.
        parameters: Vec<ParameterBody>,
        /// Replace: when a load that would remove rows waits for a decision. Default: with `max_drop_percent` 50.
        guard: GuardBody,
    }
}

text_enum! {
    /// How the rows of a source stand.
    pub enum Layout { Flat = "flat" }
}

sent! {
    /// Where the rows come from and how they are written.
    pub struct SourceBody {
        /// The file, as a path inside the Connection's folder or address.
        path: String => "sales.csv",
        /// The query for a Connection to a database.
        query: String,
        /// What happens to the file once it is loaded. Default: `leave`.
        after_success: AfterSuccess,
        /// The folder to move the file to, inside the Connection's folder.
        move_to: String => "done",
        /// Of a Block: only the rows that pass all of these.
        filter: Vec<FilterBody>,
        layout: Layout;
        read: ReadBody,
    }
}

sent! {
    /// What happens when rows are rejected.
    pub struct RejectsBody {
        /// Whether the good rows are loaded. Default: yes for Append and Update, no for Replace.
        load_good: bool,
        /// If more rows than this are rejected, nothing is loaded.
        max_rows: i64,
        /// If more than this percentage of the rows is rejected, nothing is loaded.
        max_percent: f64,
        /// If more cells than this would be changed while loading, nothing is loaded.
        max_changed: i64,
    }
}

sent! {
    /// The volume guard.
    pub struct GuardBody {
        /// A load that would leave the Block with fewer rows, by more than this percentage, is held. An empty source is
        /// held too. A Block with fewer than 20 rows may lose any share. Absent or null: the guard is off.
        max_drop_percent: Number<1, 100> => 50,
    }
}

answer! {
    /// A saved way to fill one Block.
    pub struct ConfigurationAnswer of (configuration: &Configuration, definition: &Definition) {
        id: i64 = configuration.id,
        application_id: i64 = configuration.application_id,
        /// Grows with every change; a run says which one it used.
        version: i64 = configuration.version,
        /// How its latest run ended. Skipped, missed and cancelled runs do not count.
        status: Option<ConfigurationStatus> = configuration.status,
        status_run_id: Option<i64> = configuration.status_run_id,
        /// Whether each run needs a file.
        needs_file: bool = configuration.needs_file();
        body: ConfigurationBody = ConfigurationBody::of(configuration, definition).with_load_good(definition)
    }
}

/// As the audit log keeps it.
pub fn json(configuration: &Configuration, definition: &Definition) -> Value {
    json!(ConfigurationAnswer::of(configuration, definition))
}

impl ConfigurationBody {
    /// What would save it unchanged.
    pub fn of(configuration: &Configuration, definition: &Definition) -> Self {
        let Rejects { load_good, max_rows, max_percent, max_changed } = definition.rejects;
        let source = &definition.source;
        Self {
            name: Some(configuration.name.clone()),
            description: Some(configuration.description.clone()),
            block_id: Some(configuration.block_id),
            connection_id: configuration.connection_id,
            source_block_id: configuration.source_block_id,
            source: Some(SourceBody {
                path: source.path.clone(),
                query: source.query.clone(),
                after_success: Some(source.after_success),
                move_to: source.move_to.clone(),
                filter: FilterBody::of(&source.filter),
                layout: Some(Layout::Flat),
                read: ReadBody::of(&source.read),
            }),
            mapping: definition.mapping.as_ref().map(|lines| lines.iter().map(MappingBody::of).collect()),
            columns: definition.columns.clone(),
            mode: Some(definition.mode),
            scope: Some(definition.scope.clone()).filter(|scope| !scope.is_empty()),
            rejects: Some(RejectsBody { load_good, max_rows, max_percent, max_changed }),
            guard: Some(GuardBody { max_drop_percent: definition.guard.max_drop_percent.map(Number) }),
            unknown_items: Some(definition.unknown_items),
            overlap: Some(definition.overlap),
            attempts: Some(definition.attempts),
            attempt_seconds: Some(definition.attempt_seconds),
            parameters: Some(definition.parameters.iter().map(ParameterBody::of).collect::<Vec<_>>())
                .filter(|parameters| !parameters.is_empty()),
        }
    }

    /// What a change begins with. Another format, or a query instead of a file, has no use for the old one's
    /// punctuation.
    pub fn before(configuration: &Configuration, definition: &Definition, patch: &Object) -> Self {
        let mut before = Self::of(configuration, definition);
        // Those of another Block, or of a mapping, are others.
        if ["mapping", "block_id"].iter().any(|name| patch.get(*name).is_some_and(|value| !value.is_null())) {
            before.columns = None;
        }
        // A Block is read as rows, and nothing else is; its filter is of no use to another.
        if let Some(source) = &mut before.source
            && patch.get("source_block_id").is_some_and(|id| id.is_null() == configuration.source_block_id.is_some())
        {
            source.read.0.retain(|name, _| name != "format" && !CsvOptions::MEMBERS.contains(&name.as_str()));
            source.filter = None;
        }
        let (Some(source), Some(Value::Object(sent))) = (&mut before.source, patch.get("source")) else {
            return before;
        };
        let says = |name: &str| sent.get(name).is_some_and(|value| !value.is_null());
        let read = &mut source.read.0;
        if sent.contains_key("query") && says("query") != source.query.is_some() && !sent.contains_key("format") {
            read.remove("format");
        } else if sent.get("format").is_none_or(|format| read.get("format") == Some(format)) {
            return before;
        }
        read.retain(|name, _| !CsvOptions::MEMBERS.contains(&name.as_str()));
        before
    }

    /// With what becomes of good rows said, also where nobody chose.
    fn with_load_good(mut self, definition: &Definition) -> Self {
        if let Some(rejects) = &mut self.rejects {
            rejects.load_good = Some(definition.loads_good());
        }
        self
    }

    /// The configuration that is wanted, or all that is wrong; `errors` is what was found in reading.
    pub fn draft(self, mut errors: FieldErrors) -> Result<Draft, FieldErrors> {
        if self.mapping.is_some() && self.columns.is_some() {
            errors
                .add("columns", "Without a mapping, columns are found by name. Leave out the mapping or the columns.");
        }
        let source = self.source.unwrap_or_default();
        let RejectsBody { load_good, max_rows, max_percent, max_changed } = self.rejects.unwrap_or_default();
        let definition = Definition {
            source: source.source(self.source_block_id.is_some(), &mut errors),
            mapping: self.mapping.map(|lines| MappingBody::read(lines, &mut errors)),
            columns: self.columns,
            mode: self.mode.unwrap_or(Mode::Append),
            scope: self.scope.unwrap_or_default(),
            rejects: Rejects { load_good, max_rows, max_percent, max_changed },
            guard: self.guard.map_or_else(Guard::default, |guard| Guard {
                max_drop_percent: guard.max_drop_percent.map(|Number(percent)| percent),
            }),
            unknown_items: self.unknown_items.unwrap_or(UnknownItems::Reject),
            overlap: self.overlap.unwrap_or(Overlap::Skip),
            attempts: self.attempts.unwrap_or(ATTEMPTS),
            attempt_seconds: self.attempt_seconds.unwrap_or(ATTEMPT_SECONDS),
            parameters: self.parameters.unwrap_or_default().into_iter().map(ParameterBody::read).collect(),
        };
        errors.ok_or(Draft {
            name: self.name.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            block_id: self.block_id.unwrap_or_default(),
            connection_id: self.connection_id,
            source_block_id: self.source_block_id,
            definition,
        })
    }
}

impl Draft {
    /// What would save it unchanged.
    pub fn of(configuration: &Configuration, definition: &Definition) -> Self {
        Self {
            name: configuration.name.clone(),
            description: configuration.description.clone(),
            block_id: configuration.block_id,
            connection_id: configuration.connection_id,
            source_block_id: configuration.source_block_id,
            definition: definition.clone(),
        }
    }

    /// Reads the body of a POST.
    pub fn parse(body: &Map<String, Value>) -> Result<Self, FieldErrors> {
        let mut reader = Reader::default();
        let sent: ConfigurationBody = reader.object(body.clone(), "");
        sent.draft(reader.errors)
    }
}

impl SourceBody {
    /// The format follows from the Block, the query or the file's name where none is said.
    fn source(self, of_block: bool, errors: &mut FieldErrors) -> Source {
        let by_name = || self.path.as_deref().and_then(Format::by_name).unwrap_or_default();
        let usual = if of_block || self.query.is_some() { Format::Rows } else { by_name() };
        let read = ReadOptions::parse(&self.read.0, usual).unwrap_or_else(|more| {
            errors.extend(more);
            ReadOptions::default()
        });
        Source {
            path: self.path,
            query: self.query,
            after_success: self.after_success.unwrap_or_default(),
            move_to: self.move_to,
            filter: FilterBody::read(self.filter.unwrap_or_default()),
            bound: Vec::new(),
            read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: Value) -> Result<Draft, FieldErrors> {
        Draft::parse(value.as_object().unwrap())
    }

    #[test]
    fn little_is_required_and_the_rest_has_the_contracts_defaults() {
        let draft = parse(json!({"name": "Sales", "block_id": 3, "mode": "append", "scope": null})).unwrap();
        assert_eq!(draft.definition, Definition::new(Mode::Append));
        assert_eq!((draft.connection_id, draft.block_id), (None, 3));
        assert!(draft.definition.loads_good());
        let errors = parse(json!({})).unwrap_err();
        let named: Vec<&str> = errors.0.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(named, ["name", "block_id", "mode"]);
    }

    #[test]
    fn what_is_not_known_is_named() {
        let errors = parse(json!({
            "name": "Sales", "block_id": 3, "mode": "replace_some", "scope": "Day", "owner_id": 1,
            "source": {"path": "a.xlsx", "format": "xlsx", "sheet": 1, "layout": "pivoted"},
            "mapping": [{"from": "a", "to": "b", "trims": true}, 7], "rejects": {"max_row": 1, "max_percent": "x"},
            "unknown_items": "ignore", "overlap": "wait", "attempts": "3",
        }))
        .unwrap_err();
        for field in [
            "owner_id",
            "mode",
            "scope",
            "source.format",
            "source.sheet",
            "source.layout",
            "mapping[0].trims",
            "mapping[1]",
            "rejects.max_row",
            "rejects.max_percent",
            "unknown_items",
            "overlap",
            "attempts",
        ] {
            assert!(errors.of(field).is_some(), "{field}: {errors}");
        }
        assert_eq!(errors.of("source.format"), Some("Use csv or ndjson."));
    }

    #[test]
    fn a_definition_reads_back_what_it_wrote() {
        let draft = parse(json!({
            "name": "Sales", "block_id": 3, "connection_id": 2, "mode": "update",
            "source": {"path": "sales.csv", "delimiter": ";", "nulls": ["", "NA"]},
            "mapping": [{"from": "Day", "to": "Date", "period": "quarter", "year_begins": 4},
                {"constant": "EUR", "to": "Currency"}, {"loaded_at": true, "to": "Loaded"},
                {"join": [{"from": "Land"}, {"text": "-"}, {"from": "City"}], "to": "Place", "trim": true,
                 "case": "upper", "translate": 7, "default": "?"}, {"from": "Amount", "to": "Amount", "negate": true}],
            "rejects": {"max_percent": 2.5}, "unknown_items": "create",
        }))
        .unwrap();
        let text = serde_json::to_string(&draft.definition).unwrap();
        assert_eq!(serde_json::from_str::<Definition>(&text).unwrap(), draft.definition);
        let configuration = Configuration {
            id: 1,
            application_id: 1,
            name: draft.name.clone(),
            description: draft.description.clone(),
            block_id: draft.block_id,
            connection_id: draft.connection_id,
            source_block_id: draft.source_block_id,
            version: 1,
            status: None,
            status_run_id: None,
            created_at: crate::clock::Moment::from_micros(0),
            archived: false,
        };
        let body = ConfigurationBody::of(&configuration, &draft.definition);
        assert_eq!(parse(json!(body)).unwrap(), draft);
    }
}
