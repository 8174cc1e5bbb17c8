//! The names of a file's columns, as people and mappings can use them.

use std::collections::{HashMap, HashSet};

/// Columns that the rejected-rows download adds, which an import ignores.
const OUR_COLUMNS: [&str; 2] = ["tidegate_line", "tidegate_reason"];

/// Is this the name of a column that a rejected-rows download adds?
pub(super) fn is_ours(name: &str) -> bool {
    OUR_COLUMNS.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

/// Names that people and mappings can tell apart: "Name", "name" and "" become "Name", "name 2" and "Column 3".
pub(super) fn distinct_names<'a>(raw: impl Iterator<Item = &'a str>) -> Vec<String> {
    let raw: Vec<&str> = raw.map(str::trim).collect();
    let mut taken = HashSet::new();
    // A name that stands in the file as it is keeps it: only the later of two is renamed.
    let written: HashSet<String> = raw.iter().map(|name| name.to_lowercase()).collect();
    let mut last_number: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::with_capacity(raw.len());
    for (place, name) in raw.into_iter().enumerate() {
        let base = if name.is_empty() { format!("Column {}", place + 1) } else { name.to_owned() };
        let mut chosen = base.clone();
        let number = last_number.entry(base.to_lowercase()).or_insert(1);
        while taken.contains(&chosen.to_lowercase()) || (chosen != name && written.contains(&chosen.to_lowercase())) {
            *number += 1;
            chosen = format!("{base} {number}");
        }
        taken.insert(chosen.to_lowercase());
        names.push(chosen);
    }
    names
}
