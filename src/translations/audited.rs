//! A translation table as the audit log keeps it.

use serde_json::{Value, json};

use super::body::EntryBody;
use super::model::Translation;
use super::store;
use crate::db::Conn;
use crate::error::Result;

/// So many entries are kept word by word; of the others that there are so many.
const KEPT: usize = 1_000;

/// All of an Application, each as the audit log keeps it.
pub fn audited_all(conn: &mut Conn, application_id: i64) -> Result<Vec<(i64, Value)>> {
    let ids: Vec<i64> = store::of_application(conn, application_id)?.into_iter().map(|outline| outline.id).collect();
    Ok(store::by_ids(conn, &ids)?.iter().map(|table| (table.id, table.audited(None))).collect())
}

impl Translation {
    /// The entries that the other has not, or has otherwise.
    pub(super) fn differing<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a String, &'a String)> {
        self.entries.iter().filter(|(from, to)| other.entries.get(*from) != Some(*to))
    }

    /// With the entries that differ from those of what it was, or became.
    pub(super) fn audited(&self, beside: Option<&Self>) -> Value {
        let nothing = Self { entries: Default::default(), ..self.clone() };
        let changed: Vec<EntryBody> =
            self.differing(beside.unwrap_or(&nothing)).take(KEPT + 1).map(EntryBody::of).collect();
        let mut kept = json!({
            "name": self.name,
            "otherwise": self.otherwise,
            "version": self.version,
            "entry_count": self.entries.len(),
            "changed_entries": changed.iter().take(KEPT).collect::<Vec<_>>(),
        });
        if changed.len() > KEPT {
            kept["more_changed_entries"] = true.into();
        }
        kept
    }
}
