//! The tables that say where each sentence of a seed is in the product, and which test shows it: they are whole, and every
//! test that a table names is there.

mod panel;

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::support::settings::root;

/// The second seed, its words with one space between them.
const SECOND_SEED: &str = "d927f679ce93eccbf6d5a1975c9fd76da6a495214c805d52ea911af74535c853";

/// A row of a table of Markdown.
fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| line.trim().trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let lines = text.lines().filter(|line| line.starts_with("| "));
    lines.filter(|line| !line.starts_with("| ---") && !line.starts_with("| No.")).map(cells).collect()
}

fn second() -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let text = std::fs::read_to_string(root().join("tests/suite/seeds/second.md")).unwrap();
    let (seed, panel) = text.split_once("## The checklist").expect("two tables");
    (rows(seed), rows(panel))
}

#[test]
fn every_sentence_of_the_second_seed_is_in_its_table() {
    let (seed, _) = second();
    let sentences: Vec<&str> = seed.iter().map(|row| row[1].as_str()).collect();
    let words: Vec<&str> = sentences.iter().flat_map(|sentence| sentence.split_whitespace()).collect();
    let found: String = Sha256::digest(words.join(" ")).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(found, SECOND_SEED, "a sentence is missing, changed or out of its order");
    for (number, row) in (1..).zip(&seed) {
        assert_eq!((row[0].as_str(), row.len()), (format!("S{number}").as_str(), 4), "{row:?}");
        assert!(!row[2].is_empty() && !row[3].is_empty(), "{row:?}");
    }
}

#[test]
fn every_sentence_of_the_first_seed_about_notifications_is_in_its_table() {
    let table = rows(&std::fs::read_to_string(root().join("tests/suite/seeds/first.md")).unwrap());
    for (number, row) in (1..).zip(&table) {
        assert_eq!((row[0].as_str(), row.len()), (format!("N{number}").as_str(), 4), "{row:?}");
        assert!(!row[2].is_empty() && row[3].contains(".rs"), "{row:?}");
    }
    assert_eq!(table.len(), 12);
}

#[test]
fn every_line_of_the_checklist_is_in_its_table() {
    let (_, panel) = second();
    for (number, row) in (1..).zip(&panel) {
        assert_eq!((row[0].as_str(), row.len()), (format!("U{number}").as_str(), 4), "{row:?}");
        assert!(!row[2].is_empty() && !row[3].is_empty(), "{row:?}");
    }
    assert_eq!(panel.len(), 30);
}

/// `file::test` below `tests/suite`, or beside its code in `src`; `::test` is of the file named before it. A file alone
/// stands for all its tests.
#[test]
fn every_test_that_a_table_names_is_there() {
    let mut wrong = Vec::new();
    let mut named = 0;
    for table in ["tests/faults.md", "tests/suite/seeds/first.md", "tests/suite/seeds/second.md"] {
        let text = std::fs::read_to_string(root().join(table)).unwrap();
        for row in rows(&text) {
            let mut file = String::new();
            let cells = row[2..].join(" ");
            let quoted = cells.split('`').skip(1).step_by(2);
            for name in quoted.filter(|name| name.starts_with("::") || name.contains(".rs")) {
                named += 1;
                let (of, test) = name.split_once("::").unwrap_or((name, ""));
                if !of.is_empty() {
                    file = of.to_owned();
                }
                if !has(&file, test) {
                    wrong.push(format!("{table}, {}: {name}", row[0]));
                }
            }
        }
    }
    assert!(wrong.is_empty() && named > 150, "{named} names; not there:\n{}", wrong.join("\n"));
}

fn has(file: &str, test: &str) -> bool {
    let at = ["tests/suite", "src", ""].map(|place| root().join(place).join(file));
    let is_there = |path: &Path| match std::fs::read_to_string(path) {
        Ok(text) => text.contains(&if test.is_empty() { "fn ".to_owned() } else { format!("fn {test}(") }),
        Err(_) => false,
    };
    at.iter().any(|path| is_there(path))
}
