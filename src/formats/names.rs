//! The names of a file's columns, as people and mappings can use them.

use std::collections::{HashMap, HashSet};

use crate::names::one_line;

/// Columns that the rejected-rows download adds, which an import ignores.
const OUR_COLUMNS: [&str; 2] = ["tidegate_line", "tidegate_reason"];

/// Is this the name of a column that a rejected-rows download adds?
pub(super) fn is_ours(name: &str) -> bool {
    OUR_COLUMNS.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

/// Names that people and mappings can tell apart, in one line each. What has no name is "Column 3"; of what is written
/// alike each has a number, so that nobody who asks for "Amount" is given one of two in silence.
pub(super) fn distinct_names<'a>(raw: impl Iterator<Item = &'a str>) -> Vec<String> {
    let raw: Vec<String> = raw.map(one_line).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for name in &raw {
        *times.entry(name).or_default() += 1;
    }
    let mut taken: HashSet<String> = HashSet::new();
    let mut last_number: HashMap<&str, usize> = HashMap::new();
    let mut names = Vec::with_capacity(raw.len());
    for (place, name) in raw.iter().enumerate() {
        let is_free = |chosen: &str| !taken.contains(chosen) && !times.contains_key(chosen);
        let chosen = if name.is_empty() {
            let plain = format!("Column {}", place + 1);
            if is_free(&plain) { plain } else { numbered(&plain, last_number.entry("").or_insert(1), is_free) }
        } else if times[name.as_str()] == 1 {
            name.clone()
        } else {
            numbered(name, last_number.entry(name).or_default(), is_free)
        };
        taken.insert(chosen.clone());
        names.push(chosen);
    }
    names
}

/// The name with the next number that is free.
fn numbered(name: &str, last: &mut usize, is_free: impl Fn(&str) -> bool) -> String {
    loop {
        *last += 1;
        let chosen = format!("{name} {last}");
        if is_free(&chosen) {
            return chosen;
        }
    }
}
