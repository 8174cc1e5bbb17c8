//! A translation table as the API takes and answers it.

use super::model::{Otherwise, Translation};
use super::store::Outline;
use crate::shape::{answer, sent};

sent! {
    /// The fields of a translation table to create or change.
    pub struct TranslationBody {
        /// Its name.
        name: String = "Enter a name." => "Cost centres",
        /// What becomes of a value that the table lacks: it is kept, its row is rejected, or it becomes empty. Default: keep.
        otherwise: Otherwise => "keep",
        /// All entries, at most 10,000. In a change, one that is left out is removed.
        entries: Vec<EntryBody>,
    }
}

sent! {
    /// An entry of a translation table.
    pub struct EntryBody {
        /// The value in the source, exactly as it is spelled there; at most 2,000 bytes.
        from: String = "Enter the value that it translates." => "CC-9914",
        /// What it becomes; at most 2,000 bytes.
        to: String = "Enter what it becomes. This may be empty." => "CC-9910",
    }
}

answer! {
    /// A table of an Application that says what values of a source become.
    pub struct TranslationAnswer of (table: &Translation) {
        id: i64 = table.id,
        application_id: i64 = table.application_id,
        version: i64 = table.version;
        body: TranslationBody = TranslationBody::of(table)
    }
}

answer! {
    /// A translation table in a list, without its entries.
    pub struct TranslationOutlineAnswer of (outline: &Outline) {
        id: i64 = outline.id,
        application_id: i64 = outline.application_id,
        name: String = outline.name.clone(),
        /// What becomes of a value that the table lacks.
        otherwise: Otherwise = outline.otherwise,
        /// How many entries it has.
        entry_count: i64 = outline.entries,
        version: i64 = outline.version,
    }
}

impl TranslationBody {
    pub fn of(table: &Translation) -> Self {
        Self {
            name: Some(table.name.clone()),
            otherwise: Some(table.otherwise),
            entries: Some(table.entries.iter().map(EntryBody::of).collect()),
        }
    }
}

impl EntryBody {
    pub fn of((from, to): (&String, &String)) -> Self {
        Self { from: Some(from.clone()), to: Some(to.clone()) }
    }
}
