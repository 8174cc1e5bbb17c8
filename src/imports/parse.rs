//! A configuration as the API takes and answers it. What is unknown, of the wrong type or not possible here is told
//! member by member; null counts as absent.

use serde_json::{Map, Value, json};

use super::model::{
    ATTEMPT_SECONDS, ATTEMPTS, AfterSuccess, Configuration, Definition, Draft, Expr, MAX_ATTEMPT_SECONDS, MAX_ATTEMPTS,
    Mapping, Mode, Overlap, Rejects, Source, UnknownItems,
};
use crate::error::FieldErrors;
use crate::formats::{CsvOptions, Format, ReadOptions};

const MEMBERS: [&str; 17] = [
    "name",
    "description",
    "block_id",
    "connection_id",
    "source_block_id",
    "source",
    "mapping",
    "mode",
    "scope",
    "rejects",
    "unknown_items",
    "overlap",
    "attempts",
    "attempt_seconds",
    "parameters",
    "guard",
    "layout",
];

impl Draft {
    /// Reads the body of a POST.
    pub fn parse(body: &Map<String, Value>) -> Result<Self, FieldErrors> {
        let mut reader = Reader { errors: FieldErrors::new() };
        for name in body.keys().filter(|name| !MEMBERS.contains(&name.as_str()) || *name == "layout") {
            reader.wrong(name.clone(), "An import configuration has no such member.");
        }
        reader.only_null(body, "source_block_id", "A Block cannot be a source. Name a Connection, or leave both out.");
        reader.only_null(body, "scope", "A scope goes with the mode replace_scope, which is not known here.");
        reader.only_null(body, "parameters", "Parameters are not known here. Leave them out.");
        reader.only_null(body, "guard", "A volume guard is not known here. Leave it out.");
        let mode = match body.get("mode").and_then(Value::as_str) {
            Some("replace_scope") => {
                reader
                    .wrong("mode", "Replacing only a part of a Block is not possible. Use append, update or replace.");
                None
            }
            Some(word) => reader.word("mode", word, Mode::parse, "append, update or replace"),
            None => {
                reader.wrong("mode", "Say how rows meet those that are there: append, update or replace.");
                None
            }
        };
        let name = reader.text(body, "name", "name");
        if name.is_none() && reader.errors.of("name").is_none() {
            reader.wrong("name", "Give it a name.");
        }
        let block_id = reader.integer(body, "block_id", "block_id");
        if block_id.is_none() && reader.errors.of("block_id").is_none() {
            reader.wrong("block_id", "Say which Block it fills.");
        }
        let definition = Definition {
            source: reader.source(body),
            mapping: reader.mapping(body),
            mode: mode.unwrap_or(Mode::Append),
            rejects: reader.rejects(body),
            unknown_items: UnknownItems::Reject,
            overlap: present(body, "overlap")
                .and_then(|value| reader.word_of("overlap", value, Overlap::parse, "skip or queue"))
                .unwrap_or(Overlap::Skip),
            attempts: reader.bounded(body, "attempts", ATTEMPTS, MAX_ATTEMPTS),
            attempt_seconds: reader.bounded(body, "attempt_seconds", ATTEMPT_SECONDS, MAX_ATTEMPT_SECONDS),
        };
        if let Some(value) = present(body, "unknown_items")
            && value != "reject"
        {
            reader.wrong("unknown_items", "A row that names an unknown item is rejected: use reject.");
        }
        let draft = Self {
            name: name.unwrap_or_default(),
            description: reader.text(body, "description", "description").unwrap_or_default(),
            block_id: block_id.unwrap_or_default(),
            connection_id: reader.integer(body, "connection_id", "connection_id"),
            definition,
        };
        reader.errors.ok_or(draft)
    }

    /// Reads the body of a PATCH: what is there with the members of the body in their places. Objects are merged
    /// member by member, null brings a default back.
    pub fn patched(
        configuration: &Configuration,
        definition: &Definition,
        body: &Map<String, Value>,
    ) -> Result<Self, FieldErrors> {
        let mut whole = Self::of(configuration, definition).json();
        forget_other_format(&mut whole, body);
        merge(&mut whole, body);
        Self::parse(&whole)
    }

    /// What is there, to be changed.
    pub fn of(configuration: &Configuration, definition: &Definition) -> Self {
        Self {
            name: configuration.name.clone(),
            description: configuration.description.clone(),
            block_id: configuration.block_id,
            connection_id: configuration.connection_id,
            definition: definition.clone(),
        }
    }

    fn json(&self) -> Map<String, Value> {
        let mut whole = Map::new();
        whole.insert("name".into(), self.name.clone().into());
        whole.insert("description".into(), self.description.clone().into());
        whole.insert("block_id".into(), self.block_id.into());
        whole.insert("connection_id".into(), self.connection_id.into());
        if let Ok(Value::Object(definition)) = serde_json::to_value(&self.definition) {
            whole.extend(definition);
        }
        whole
    }
}

/// As the API answers it and the audit log keeps it.
pub fn json(configuration: &Configuration, definition: &Definition) -> Value {
    let mut whole = Draft::of(configuration, definition).json();
    whole.insert("id".into(), configuration.id.into());
    whole.insert("application_id".into(), configuration.application_id.into());
    whole.insert("source_block_id".into(), Value::Null);
    whole.insert("version".into(), configuration.version.into());
    whole.insert("status".into(), json!(configuration.status));
    whole.insert("status_run_id".into(), configuration.status_run_id.into());
    whole.insert("needs_file".into(), configuration.needs_file().into());
    if let Some(Value::Object(rejects)) = whole.get_mut("rejects") {
        rejects.insert("load_good".into(), definition.loads_good().into());
    }
    Value::Object(whole)
}

fn merge(into: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match (into.get_mut(name), value) {
            (Some(Value::Object(there)), Value::Object(given)) => merge(there, given),
            _ => drop(into.insert(name.clone(), value.clone())),
        }
    }
}

/// Another format, or a query instead of a file, has no use for the old one's punctuation.
fn forget_other_format(whole: &mut Map<String, Value>, body: &Map<String, Value>) {
    let (Some(Value::Object(there)), Some(Value::Object(given))) = (whole.get_mut("source"), body.get("source")) else {
        return;
    };
    let queried = |members: &Map<String, Value>| present(members, "query").is_some();
    if given.contains_key("query") && queried(there) != queried(given) && !given.contains_key("format") {
        there.remove("format");
    } else if given.get("format").is_none_or(|format| there.get("format") == Some(format)) {
        return;
    }
    there.retain(|name, _| !CsvOptions::MEMBERS.contains(&name.as_str()));
}

fn present<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).filter(|value| !value.is_null())
}

struct Reader {
    errors: FieldErrors,
}

impl Reader {
    fn wrong(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.errors.add(field, detail);
    }

    fn only_null(&mut self, map: &Map<String, Value>, name: &str, detail: &str) {
        let empty =
            |value: &Value| value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
        if present(map, name).is_some_and(|value| !empty(value)) {
            self.wrong(name, detail);
        }
    }

    fn text(&mut self, map: &Map<String, Value>, name: &str, field: &str) -> Option<String> {
        match present(map, name)? {
            Value::String(text) => Some(text.clone()),
            _ => {
                self.wrong(field, "Send text.");
                None
            }
        }
    }

    fn integer(&mut self, map: &Map<String, Value>, name: &str, field: &str) -> Option<i64> {
        let value = present(map, name)?;
        if value.as_i64().is_none() {
            self.wrong(field, "Send a whole number.");
        }
        value.as_i64()
    }

    fn bounded(&mut self, map: &Map<String, Value>, name: &str, usual: i32, most: i32) -> i32 {
        let Some(number) = self.integer(map, name, name) else { return usual };
        // What lies outside is told when the draft is checked.
        i32::try_from(number).unwrap_or(most + 1)
    }

    fn word<T>(&mut self, field: &str, word: &str, parse: fn(&str) -> Option<T>, words: &str) -> Option<T> {
        let found = parse(word);
        if found.is_none() {
            self.wrong(field, format!("Use {words}."));
        }
        found
    }

    fn word_of<T>(&mut self, field: &str, value: &Value, parse: fn(&str) -> Option<T>, words: &str) -> Option<T> {
        self.word(field, value.as_str().unwrap_or_default(), parse, words)
    }

    fn source(&mut self, body: &Map<String, Value>) -> Source {
        let mut source = Source::default();
        let members = match present(body, "source") {
            None => return source,
            Some(Value::Object(members)) => members,
            Some(_) => {
                self.wrong("source", "Send an object, such as {\"path\": \"sales.csv\"}.");
                return source;
            }
        };
        source.path = self.text(members, "path", "source.path");
        source.query = self.text(members, "query", "source.query");
        source.move_to = self.text(members, "move_to", "source.move_to");
        if let Some(value) = present(members, "after_success") {
            let word = self.word_of("source.after_success", value, AfterSuccess::parse, "leave, move or delete");
            source.after_success = word.unwrap_or_default();
        }
        if present(members, "layout").is_some_and(|layout| layout != "flat") {
            self.wrong("source.layout", "Only a flat layout can be read.");
        }
        let ours = ["path", "query", "layout", "after_success", "move_to"];
        let read = members.iter().filter(|(name, _)| !ours.contains(&name.as_str()));
        let by_name = || source.path.as_deref().and_then(Format::by_name).unwrap_or_default();
        let usual = if source.query.is_some() { Format::Rows } else { by_name() };
        match ReadOptions::parse(&read.map(|(name, value)| (name.clone(), value.clone())).collect(), usual) {
            Ok(options) => source.read = options,
            Err(errors) => self.errors.extend(errors),
        }
        source
    }

    fn mapping(&mut self, body: &Map<String, Value>) -> Option<Vec<Mapping>> {
        let lines = match present(body, "mapping")? {
            Value::Array(lines) => lines,
            _ => {
                self.wrong("mapping", "Send a list, such as [{\"from\": \"Day\", \"to\": \"Date\"}].");
                return None;
            }
        };
        let mut mapping = Vec::with_capacity(lines.len());
        for (i, line) in lines.iter().enumerate() {
            let Some(line) = line.as_object() else {
                self.wrong(format!("mapping[{i}]"), "Send an object with \"to\" and one of \"from\" and \"constant\".");
                continue;
            };
            for name in line.keys().filter(|name| !["from", "constant", "to"].contains(&name.as_str())) {
                self.wrong(format!("mapping[{i}].{name}"), "A line of the mapping has no such member.");
            }
            let from = self.text(line, "from", &format!("mapping[{i}].from"));
            let constant = self.text(line, "constant", &format!("mapping[{i}].constant"));
            let to = self.text(line, "to", &format!("mapping[{i}].to")).unwrap_or_default();
            let fills = match (from, constant) {
                (Some(name), None) => Expr::Column(name),
                (None, Some(text)) => Expr::Constant(text),
                _ => {
                    let field = format!("mapping[{i}].from");
                    if self.errors.of(&field).is_none() {
                        self.wrong(field, "Name a column of the source or a constant: one of the two.");
                    }
                    continue;
                }
            };
            mapping.push(Mapping { fills, to });
        }
        Some(mapping)
    }

    fn rejects(&mut self, body: &Map<String, Value>) -> Rejects {
        let mut rejects = Rejects::default();
        let members = match present(body, "rejects") {
            None => return rejects,
            Some(Value::Object(members)) => members,
            Some(_) => {
                self.wrong("rejects", "Send an object, such as {\"load_good\": true}.");
                return rejects;
            }
        };
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let field = format!("rejects.{name}");
            match (name.as_str(), value) {
                ("load_good", Value::Bool(load)) => rejects.load_good = Some(*load),
                ("load_good", _) => self.wrong(field, "Send true or false."),
                ("max_rows", value) => rejects.max_rows = self.integer(members, "max_rows", &field).or(value.as_i64()),
                ("max_percent", value) if value.is_number() => rejects.max_percent = value.as_f64(),
                ("max_percent", _) => self.wrong(field, "Send a number."),
                _ => self.wrong(field, "Rejects have no such member."),
            }
        }
        rejects
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
        assert_eq!(named, ["mode", "name", "block_id"]);
    }

    #[test]
    fn what_is_not_known_is_named() {
        let errors = parse(json!({
            "name": "Sales", "block_id": 3, "mode": "replace_scope", "scope": ["Day"], "owner_id": 1,
            "source": {"path": "a.xlsx", "format": "xlsx", "sheet": 1, "layout": "pivoted"},
            "mapping": [{"from": "a", "to": "b", "trim": true}, 7], "rejects": {"max_row": 1, "max_percent": "x"},
            "unknown_items": "create", "overlap": "wait", "attempts": "3",
        }))
        .unwrap_err();
        for field in [
            "owner_id",
            "mode",
            "scope",
            "source.format",
            "source.sheet",
            "source.layout",
            "mapping[0].trim",
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
            "mapping": [{"from": "Day", "to": "Date"}, {"constant": "EUR", "to": "Currency"}],
            "rejects": {"max_percent": 2.5},
        }))
        .unwrap();
        let text = serde_json::to_string(&draft.definition).unwrap();
        assert_eq!(serde_json::from_str::<Definition>(&text).unwrap(), draft.definition);
        let again = Draft::parse(&draft.json()).unwrap();
        assert_eq!(again, draft);
    }
}
