//! Configurations as lists show, search and sort them.

use super::model::{Configuration, ConfigurationStatus, Definition};
use crate::clock::Moment;
use crate::parameters::Parameter;

/// A configuration as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub configuration: Configuration,
    pub definition: Definition,
    pub block_name: String,
    pub connection_name: Option<String>,
    pub source_block_name: Option<String>,
}

/// A configuration as a long list is searched, sorted and counted by.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    pub id: i64,
    pub name: String,
    pub status: Option<ConfigurationStatus>,
    /// When the Run that the status is of ended.
    pub status_at: Option<Moment>,
    /// Whether each run needs a file.
    pub needs_file: bool,
    pub block_name: String,
    /// As [`Listed::source_within`], or the Connection alone where the source was not read.
    pub source: String,
}

/// Where the words for a source stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// "The Block Sales", "A file given by hand"
    Alone,
    /// "the Block Sales", "a file given by hand"
    Within,
}

impl Stands {
    fn article(self, alone: &'static str, within: &'static str) -> &'static str {
        if self == Self::Alone { alone } else { within }
    }
}

/// "weather.csv from Warehouse files", "the Block Sales", "a file given by hand".
pub(super) fn source_words(
    connection: Option<&str>,
    path: Option<&str>,
    block: Option<&str>,
    stands: Stands,
) -> String {
    if let Some(block) = block {
        return format!("{} Block {block}", stands.article("The", "the"));
    }
    match (connection, path) {
        (Some(connection), Some(path)) if !path.is_empty() => format!("{path} from {connection}"),
        (Some(connection), _) => connection.to_owned(),
        (None, _) => format!("{} file given by hand", stands.article("A", "a")),
    }
}

impl Listed {
    /// All that whoever schedules or runs it is asked for.
    pub fn asks(&self) -> Vec<Parameter> {
        self.configuration.asks(&self.definition)
    }

    /// "weather.csv from Warehouse files", "The Block Sales", "A file given by hand".
    pub fn source(&self) -> String {
        self.source_as(Stands::Alone)
    }

    /// The same within a sentence: "the Block Sales", "a file given by hand".
    pub fn source_within(&self) -> String {
        self.source_as(Stands::Within)
    }

    fn source_as(&self, stands: Stands) -> String {
        let (connection, source) = (self.connection_name.as_deref(), &self.definition.source);
        match connection.filter(|_| source.query.is_some()) {
            Some(connection) => format!("{} query of {connection}", stands.article("A", "a")),
            None => source_words(connection, source.path.as_deref(), self.source_block_name.as_deref(), stands),
        }
    }
}
