//! A translation table of an Application: what values of a source become on their way into a Block.

use std::collections::BTreeMap;

use crate::db::text_enum;

text_enum! {
    /// What becomes of a value that the table lacks.
    pub enum Otherwise { Keep = "keep", Reject = "reject", Empty = "empty" }
}

/// A table with all its entries. Values meet by their exact spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    pub id: i64,
    pub application_id: i64,
    pub name: String,
    pub otherwise: Otherwise,
    /// What each value becomes.
    pub entries: BTreeMap<String, String>,
    /// Grows with every change.
    pub version: i64,
}
