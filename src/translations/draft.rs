//! A translation table as somebody wants it, and what can be wrong with it.

use std::collections::HashSet;

use super::model::{Otherwise, Translation};
use crate::error::FieldErrors;
use crate::names::{check_name, visible};
use crate::words;

/// The most entries of a table.
const MOST_ENTRIES: usize = 10_000;
/// The longest value on either side, in bytes.
const LONGEST: usize = 2_000;
/// All values of a table together, in bytes: as many as the form that changes it, and the API, take.
const MOST_BYTES: usize = 500_000;
/// So many wrong entries are named.
const NAMED: usize = 20;

/// A table as somebody wants it; the entries in the order in which they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub name: String,
    pub otherwise: Otherwise,
    /// A value, and what it becomes.
    pub entries: Vec<(String, String)>,
}

/// What is wrong with one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its place among the entries.
    pub at: usize,
    /// `from` or `to`.
    pub side: &'static str,
    pub why: String,
}

impl Draft {
    /// What is wrong, by the fields `name`, `entries` and `entries[3].from`; else the draft as it is to be saved.
    pub fn check(mut self, was: Option<&Translation>) -> Result<Self, FieldErrors> {
        let mut errors = self.check_whole(was);
        let faults = faults(&self.entries);
        for fault in faults.iter().take(NAMED) {
            errors.add(format!("entries[{}].{}", fault.at, fault.side), &fault.why);
        }
        if let Some(more) = more(faults.len()) {
            errors.add("entries", more);
        }
        errors.ok_or(self)
    }

    /// The same without the single entries. The name is taken in.
    pub fn check_whole(&mut self, was: Option<&Translation>) -> FieldErrors {
        let mut errors = FieldErrors::new();
        self.name = check_name("name", &self.name, was.map(|was| was.name.as_str()), &mut errors);
        let (number, bytes) = (self.entries.len(), self.entries.iter().map(|(from, to)| from.len() + to.len()).sum());
        let count = |n: usize| words::count(i64::try_from(n).unwrap_or(i64::MAX));
        if number > MOST_ENTRIES {
            errors.add("entries", format!("A table has at most 10,000 entries. These are {}.", count(number)));
        } else if MOST_BYTES < bytes {
            errors.add("entries", format!("A table has at most 500,000 bytes of text. These are {}.", count(bytes)));
        }
        errors
    }
}

/// What is wrong with single entries, in their order.
pub fn faults(entries: &[(String, String)]) -> Vec<Fault> {
    let mut seen = HashSet::with_capacity(entries.len());
    let mut faults = Vec::new();
    for (at, (from, to)) in entries.iter().enumerate() {
        let from_why = match wrong(from) {
            None if from.is_empty() => Some("Enter the value that it translates.".to_owned()),
            None if !seen.insert(from) => Some(format!("\"{}\" is there twice.", shown(from))),
            why => why,
        };
        let both = [("from", from_why), ("to", wrong(to))];
        faults.extend(both.into_iter().filter_map(|(side, why)| Some(Fault { at, side, why: why? })));
    }
    faults
}

/// What is said of those that are not named.
pub fn more(faults: usize) -> Option<String> {
    let more = i64::try_from(faults.saturating_sub(NAMED)).unwrap_or(i64::MAX);
    (more > 0).then(|| format!("{} more. Correct the ones above first.", words::counted(more, "error", "errors")))
}

/// Those that are named.
pub fn named<T>(faults: Vec<T>) -> impl Iterator<Item = T> {
    faults.into_iter().take(NAMED)
}

/// What is wrong with a value on either side.
fn wrong(value: &str) -> Option<String> {
    if value.len() > LONGEST {
        return Some(format!("\"{}\" is too long. A value has at most 2,000 bytes.", shown(value)));
    }
    if value.contains('\0') {
        return Some("A value cannot contain a NUL character.".into());
    }
    // Tables are typed and shown line by line, in two columns.
    value.contains(['\t', '\n', '\r']).then(|| format!("\"{}\" contains a tab or a line break.", shown(value)))
}

/// A value within a sentence.
fn shown(value: &str) -> String {
    let cut: String = value.chars().take(60).collect();
    format!("{}{}", visible(&cut), if cut.len() < value.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(entries: Vec<(String, String)>) -> Draft {
        Draft { name: " Centres ".into(), otherwise: Otherwise::Keep, entries }
    }

    fn wrong(pairs: &[(&str, &str)]) -> Vec<String> {
        let entries = pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        let errors = draft(entries).check(None).err().unwrap_or_default();
        errors.0.into_iter().map(|e| format!("{}: {}", e.field, e.detail)).collect()
    }

    #[test]
    fn what_is_wrong_with_an_entry_is_named() {
        assert_eq!(wrong(&[("a", "b"), ("A", ""), (" a", "b"), ("e\u{301}", "x"), ("é", "x")]), [""; 0]);
        assert_eq!(
            wrong(&[("a", "b"), ("", "c"), ("a", "b"), ("n\tm", "x\0y"), ("d\u{200b}", "1"), ("d\u{200b}", "2")]),
            [
                "entries[1].from: Enter the value that it translates.",
                "entries[2].from: \"a\" is there twice.",
                "entries[3].from: \"n⟨U+0009⟩m\" contains a tab or a line break.",
                "entries[3].to: A value cannot contain a NUL character.",
                "entries[5].from: \"d⟨U+200B⟩\" is there twice.",
            ]
        );
    }

    #[test]
    fn bounds_hold_to_the_byte() {
        let number = |n: usize| (0..n).map(|i| (i.to_string(), String::new())).collect();
        assert!(draft(number(10_000)).check(None).is_ok());
        let many = draft(number(10_001)).check(None).unwrap_err();
        assert_eq!(many.of("entries"), Some("A table has at most 10,000 entries. These are 10,001."));
        assert!(wrong(&[(&"é".repeat(1_000), &"x".repeat(2_000))]).is_empty());
        let long = wrong(&[(&"x".repeat(2_001), "")]);
        assert!(long[0].ends_with("…\" is too long. A value has at most 2,000 bytes."), "{long:?}");
        let large = |last: usize| {
            let mut entries: Vec<_> = (0..249).map(|i| (format!("{i:03}"), "x".repeat(1_997))).collect();
            entries.push(("y".repeat(1_999), "x".repeat(last)));
            draft(entries).check(None)
        };
        assert!(large(1).is_ok());
        assert!(large(2).unwrap_err().of("entries").unwrap().contains("These are 500,001."));
        let same = draft(vec![("a".into(), String::new()); 30]).check(None).unwrap_err();
        assert_eq!((same.0.len(), same.of("entries")), (21, Some("9 errors more. Correct the ones above first.")));
    }
}
