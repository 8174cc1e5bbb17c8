//! A translation table as the audit log keeps it.

use serde_json::{Value, json};

use super::body::EntryBody;
use super::model::Translation;

/// So many entries are kept word by word; of the others that there are so many.
const KEPT: usize = 1_000;

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
