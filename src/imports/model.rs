//! An import configuration: a saved way to fill one Block.
//!
//! What changes seldom and is asked often (name, Block, Connection, status) stands in the [`Configuration`]; how to
//! fetch, read and map is its [`Definition`], of which every save makes a new version, so that a Run always says
//! which one it followed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::feeding::Filter;
use super::mapping::Mapping;
use crate::clock::Moment;
use crate::connectors::{Bound, Deed, FetchRequest};
use crate::db::text_enum;
use crate::files::kept;
use crate::formats::ReadOptions;
use crate::imports::guard::Guard;
use crate::parameters::Parameter;

text_enum! {
    /// How a load meets what the Block holds.
    pub enum Mode { Append = "append", Update = "update", Replace = "replace", ReplaceScope = "replace_scope" }
}

text_enum! {
    /// What an occurrence does while the configuration's previous run is still going.
    pub enum Overlap { Skip = "skip", Queue = "queue" }
}

text_enum! {
    /// What becomes of a file once all of it was loaded.
    #[derive(Default)]
    pub enum AfterSuccess { #[default] Leave = "leave", Move = "move", Delete = "delete" }
}

text_enum! {
    /// What happens to a row that names an item which its Dimension list lacks: it is rejected, or the item is created.
    pub enum UnknownItems { Reject = "reject", Create = "create" }
}

text_enum! {
    /// How the latest Run ended that did one of these.
    pub enum ConfigurationStatus { Success = "success", Partial = "partial", Failed = "failed", Held = "held" }
}

impl AfterSuccess {
    pub fn is_leave(&self) -> bool {
        *self == Self::Leave
    }

    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Leave => "Leave it where it is",
            Self::Move => "Move it",
            Self::Delete => "Delete it",
        }
    }
}

impl Mode {
    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Append => "Append",
            Self::Update => "Update",
            Self::Replace => "Replace all",
            Self::ReplaceScope => "Replace within a scope",
        }
    }

    pub fn explained(self) -> &'static str {
        match self {
            Self::Append => "Adds the rows to the existing ones",
            Self::Update => "Changes the rows with the same key and adds the others",
            Self::Replace => "Replaces all existing rows",
            Self::ReplaceScope => {
                "Replaces the rows whose scope columns have values that the source brings; the rest stays"
            }
        }
    }

    /// Whether good rows are loaded when others are rejected, unless somebody chose.
    pub fn loads_good(self) -> bool {
        !self.replaces()
    }

    /// Whether rows make room for those that come.
    pub fn replaces(self) -> bool {
        matches!(self, Self::Replace | Self::ReplaceScope)
    }
}

impl ConfigurationStatus {
    /// Word, class of its chip, icon.
    pub fn chip(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Success => ("Success", "is-ok", "ok"),
            Self::Partial => ("Partial", "is-warn", "part"),
            Self::Failed => ("Failed", "is-bad", "bad"),
            Self::Held => ("Held", "is-warn", "pause"),
        }
    }
}

/// A configuration without its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub id: i64,
    pub application_id: i64,
    pub name: String,
    pub description: String,
    pub block_id: i64,
    pub connection_id: Option<i64>,
    /// The Block that feeds it. Neither this nor a Connection: it takes a file by hand each time it runs.
    pub source_block_id: Option<i64>,
    /// Also the version of its newest definition.
    pub version: i64,
    pub status: Option<ConfigurationStatus>,
    /// The Run that the status is of.
    pub status_run_id: Option<i64>,
    pub created_at: Moment,
    pub archived: bool,
}

impl Configuration {
    /// Whether each run needs a file.
    pub fn needs_file(&self) -> bool {
        self.connection_id.is_none() && self.source_block_id.is_none()
    }

    /// All that whoever schedules or runs it is asked for: what it declares, and the file that it takes.
    pub fn asks(&self, definition: &Definition) -> Vec<Parameter> {
        let declared = |name: &str| definition.parameters.iter().any(|parameter| parameter.name == name);
        let file = Some(Parameter::file()).filter(|file| self.needs_file() && !declared(&file.name));
        file.into_iter().chain(definition.parameters.iter().cloned()).collect()
    }

    /// Why it cannot go with these values: it takes a file, and they name none.
    pub fn lacks_file(&self, values: Option<&Value>) -> Option<String> {
        (self.needs_file() && kept::id_in(values).is_none()).then(|| {
            format!("{} takes a file for each run. Choose a kept file, or run it by hand with a fresh one.", self.name)
        })
    }
}

/// How to fetch, read, map and load. Its JSON is that of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    pub source: Source,
    /// `None`: by equal names, case and outer spaces ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Vec<Mapping>>,
    /// By equal names: the Block's columns that it fills, found when it was saved or by its first load. `None`: the next
    /// load finds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    pub mode: Mode,
    /// By Replace within a scope: the Block's columns whose values say which rows make room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    pub rejects: Rejects,
    /// How many rows the Block may lose by a Replace before somebody is asked.
    #[serde(default, skip_serializing_if = "Guard::is_usual")]
    pub guard: Guard,
    pub unknown_items: UnknownItems,
    pub overlap: Overlap,
    /// How often a Run is tried before it is Failed, the first time included.
    pub attempts: i32,
    /// How long one attempt may take.
    pub attempt_seconds: i32,
    /// What is asked for when it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
}

/// Where the rows come from and how they are written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The file, below the Connection's folder or address; none where a file is given by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The query for a Connection to a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    #[serde(default, skip_serializing_if = "AfterSuccess::is_leave")]
    pub after_success: AfterSuccess,
    /// The folder to move the file to, inside the Connection's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub move_to: Option<String>,
    /// Of a Block: only these rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<Filter>,
    /// The values of the query's variables, once its parameters were [filled in](super::filling::fill).
    #[serde(skip)]
    pub bound: Vec<Bound>,
    #[serde(flatten)]
    pub read: ReadOptions,
}

impl Source {
    /// What is done to the file after a Success; none where it is left.
    pub fn deed(&self) -> Option<Deed> {
        match self.after_success {
            AfterSuccess::Leave => None,
            AfterSuccess::Move => Some(Deed::Move { to: self.move_to.clone()? }),
            AfterSuccess::Delete => Some(Deed::Delete),
        }
    }

    /// What a Connection is asked for.
    pub fn request(&self) -> FetchRequest {
        match &self.query {
            Some(query) if !self.bound.is_empty() => {
                FetchRequest::Bound { query: query.clone(), values: self.bound.clone() }
            }
            Some(query) => FetchRequest::Query(query.clone()),
            None => FetchRequest::Path(self.path.clone().unwrap_or_default()),
        }
    }
}

/// What happens when rows are rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rejects {
    /// Whether the good rows are loaded (Partial) or nothing is (Failed). Unsaid: yes by Append and Update, no by
    /// Replace, so that no item vanishes for a typo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_good: Option<bool>,
    /// If more rows than this are rejected, nothing is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<i64>,
    /// If more than this percentage of the rows is rejected, nothing is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_percent: Option<f64>,
    /// If more cells than this would be changed while loading, nothing is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_changed: Option<i64>,
}

pub const ATTEMPTS: i32 = 3;
pub const MAX_ATTEMPTS: i32 = 10;
pub const ATTEMPT_SECONDS: i32 = 3600;
pub const MAX_ATTEMPT_SECONDS: i32 = 86_400;
/// The longest description, in characters.
pub const MAX_DESCRIPTION: usize = 2_000;
/// The longest query, in bytes.
pub const MAX_QUERY: usize = 20_000;

impl Definition {
    /// The contract's defaults.
    pub fn new(mode: Mode) -> Self {
        Self {
            source: Source::default(),
            mapping: None,
            columns: None,
            mode,
            scope: Vec::new(),
            rejects: Rejects::default(),
            guard: Guard::default(),
            unknown_items: UnknownItems::Reject,
            overlap: Overlap::Skip,
            attempts: ATTEMPTS,
            attempt_seconds: ATTEMPT_SECONDS,
            parameters: Vec::new(),
        }
    }

    /// The translation tables that the mapping uses.
    pub fn translations(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = self.mapping.iter().flatten().filter_map(|line| line.transform.translate).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Whether good rows are loaded when others are rejected.
    pub fn loads_good(&self) -> bool {
        self.rejects.load_good.unwrap_or(self.mode.loads_good())
    }
}

/// One version of a configuration: all that a Run needs to know of it, whatever was saved since.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub block_id: i64,
    pub connection_id: Option<i64>,
    pub source_block_id: Option<i64>,
    pub definition: Definition,
}

/// A configuration as somebody wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub name: String,
    pub description: String,
    pub block_id: i64,
    pub connection_id: Option<i64>,
    pub source_block_id: Option<i64>,
    pub definition: Definition,
}

impl Draft {
    /// A configuration as it is with this draft.
    pub fn over(&self, is: &Configuration) -> Configuration {
        Configuration {
            name: self.name.clone(),
            description: self.description.clone(),
            block_id: self.block_id,
            connection_id: self.connection_id,
            source_block_id: self.source_block_id,
            ..is.clone()
        }
    }

    /// Whether each run needs a file.
    pub fn needs_file(&self) -> bool {
        self.connection_id.is_none() && self.source_block_id.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Format;

    /// As the release before kept it.
    const STORED: &str = r#"{"source":{"path":"sales.csv","format":"csv","delimiter":";","quote":"\"","encoding":"utf-8",
        "header":true,"nulls":["","NA"],"decimal_point":",","group_separator":null,"date_format":"%d/%m/%Y",
        "time_zone":"Europe/Paris","compression":"gzip"},
        "mapping":[{"from":"Day","to":"Date"},{"constant":"EUR","to":"Currency"}],
        "mode":"update","rejects":{"max_percent":2.5},"unknown_items":"reject","overlap":"skip",
        "attempts":3,"attempt_seconds":3600}"#;

    #[test]
    fn a_definition_that_was_stored_before_reads_as_it_did_and_is_written_as_it_was() {
        let read: Definition = serde_json::from_str(STORED).unwrap();
        assert_eq!(read.source.path.as_deref(), Some("sales.csv"));
        let csv = read.source.read.csv().unwrap();
        assert_eq!((csv.delimiter.as_str(), csv.header), (";", true));
        assert_eq!(read.source.read.values.nulls, ["", "NA"]);
        assert_eq!(read.source.read.values.date_format, "%d/%m/%Y");
        assert_eq!(read.source.read.values.time_zone.as_deref(), Some("Europe/Paris"));
        assert_eq!(read.source.after_success, AfterSuccess::Leave);
        let mapping = [Mapping::column("Day", "Date"), Mapping::constant("EUR", "Currency")];
        assert_eq!(read.mapping.as_deref(), Some(&mapping[..]));
        let stored: serde_json::Value = serde_json::from_str(STORED).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), stored);
    }

    #[test]
    fn the_new_kinds_read_back_what_they_wrote() {
        let mut definition = Definition::new(Mode::Append);
        definition.source.query = Some("SELECT 1 AS a".into());
        definition.source.read = ReadOptions::of(Format::Rows);
        definition.source.after_success = AfterSuccess::Move;
        definition.source.move_to = Some("done".into());
        let text = serde_json::to_string(&definition).unwrap();
        assert_eq!(serde_json::from_str::<Definition>(&text).unwrap(), definition);
    }
}
