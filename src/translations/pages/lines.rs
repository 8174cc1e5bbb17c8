//! Entries as people type them: one a line, the value and what it becomes with a tab or ` = ` between them, so that two
//! columns copied from a spreadsheet can be pasted.

use std::collections::BTreeMap;

use crate::error::FieldErrors;
use crate::translations::draft::{faults, more, named};

/// The entries of a text, and what is wrong with it, line by line.
pub fn read(text: &str) -> (Vec<(String, String)>, FieldErrors) {
    let (mut entries, mut lines, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        match pair(line) {
            Ok(entry) => {
                entries.push(entry);
                lines.push(number);
            }
            Err(why) => wrong.push((number, why.to_owned())),
        }
    }
    let faults = faults(&entries);
    wrong.extend(faults.into_iter().map(|fault| (lines[fault.at], fault.why)));
    wrong.sort();
    let mut errors = FieldErrors::new();
    let number = wrong.len();
    for (line, why) in named(wrong) {
        errors.add("entries", format!("Line {line}: {why}"));
    }
    if let Some(more) = more(number) {
        errors.add("entries", more);
    }
    (entries, errors)
}

/// A value with a tab beside it is a cell, and stays as it is; around an equals sign, spaces are not part of it.
fn pair(line: &str) -> Result<(String, String), &'static str> {
    let cells: Vec<&str> = line.split('\t').collect();
    // Whoever types "US =" means that it becomes empty.
    let spaced = format!("{} ", line.trim_end());
    let sides: Vec<&str> = spaced.split(" = ").collect();
    match (cells.as_slice(), sides.as_slice()) {
        ([from, to], _) => Ok(((*from).to_owned(), (*to).to_owned())),
        ([_], [from, to]) => Ok((from.trim().to_owned(), to.trim().to_owned())),
        ([_], [_]) => Err("Write the value, “ = ” (with a space on each side), and what it becomes."),
        ([_], _) => Err("“ = ” stands here more than once. Put a tab between the two values instead."),
        _ => Err("This line has more than two columns."),
    }
}

/// The text that is read as these entries: with an equals sign where that says the same.
pub fn write(entries: &BTreeMap<String, String>) -> String {
    let line = |(from, to): (&String, &String)| {
        let plain = format!("{from} = {to}").trim_end().to_owned();
        match pair(&plain) {
            Ok(read) if read == (from.clone(), to.clone()) => plain + "\n",
            _ => format!("{from}\t{to}\n"),
        }
    };
    entries.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
    }

    #[test]
    fn a_line_is_two_values() {
        let text = "CC-9914\tCC-9910\r\n\n  \t \r\n US = United States\n東京\t\nN/A =\n a \t b = c \nx=y = é";
        let expected = [
            ("CC-9914", "CC-9910"),
            ("US", "United States"),
            ("東京", ""),
            ("N/A", ""),
            (" a ", " b = c "),
            ("x=y", "é"),
        ];
        let (entries, errors) = read(text);
        assert_eq!((entries.clone(), errors.details()), (owned(&expected), String::new()));
        let table: BTreeMap<String, String> = entries.into_iter().collect();
        let (again, errors) = read(&write(&table));
        assert_eq!((again.into_iter().collect::<BTreeMap<_, _>>(), errors.is_empty()), (table, true));
    }

    #[test]
    fn what_is_wrong_names_its_line() {
        let (_, errors) = read("a\tb\n\nalone\na = c\nb = c = d\n1\t2\t3\n = x\na=b");
        let said: Vec<&str> = errors.0.iter().map(|e| e.detail.as_str()).collect();
        assert_eq!(
            said,
            [
                "Line 3: Write the value, “ = ” (with a space on each side), and what it becomes.",
                "Line 4: \"a\" is there twice.",
                "Line 5: “ = ” stands here more than once. Put a tab between the two values instead.",
                "Line 6: This line has more than two columns.",
                "Line 7: Enter the value that it translates.",
                "Line 8: Write the value, “ = ” (with a space on each side), and what it becomes.",
            ]
        );
    }
}
