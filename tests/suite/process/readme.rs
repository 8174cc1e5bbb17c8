//! What the README says to type is what the program takes, and what it names is there.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::process::run;

const README: &str = include_str!("../../../README.md");

/// The words of a text that begin with two dashes.
fn options(text: &str) -> BTreeSet<&str> {
    let ends = |c: char| !(c.is_ascii_alphabetic() || c == '-');
    text.split(|c: char| c.is_whitespace() || "`[(".contains(c))
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .map(|word| word.split(ends).next().unwrap())
        .collect()
}

fn said(args: &[&str]) -> String {
    let output = run(args, &[], "");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_is_understood() {
    let mut seen = 0;
    for line in README.lines().map(str::trim) {
        let Some(rest) = line.strip_prefix("tidegate ").or(line.strip_prefix("cargo run --release -- ")) else {
            continue;
        };
        let quoted = rest.split('"').enumerate();
        let words =
            quoted.flat_map(|(i, part)| if i % 2 == 1 { vec![part] } else { part.split_whitespace().collect() });
        let args: Vec<&str> = words.chain(["--help"]).collect();
        said(&args);
        seen += 1;
    }
    assert!(seen >= 5, "{seen}");
}

#[test]
fn every_setting_is_told() {
    let help = said(&["--help"]);
    let table = README.split("## Settings").nth(1).unwrap().split("\n## ").next().unwrap();
    let left_out = ["--help", "--version"];
    let (there, told) = (options(&help), options(table));
    let untold: Vec<_> = there.difference(&told).filter(|option| !left_out.contains(option)).collect();
    assert!(untold.is_empty(), "not in the README: {untold:?}");
    let wrong: Vec<_> = told.difference(&there).collect();
    assert!(wrong.is_empty(), "not of the program: {wrong:?}");
}

#[test]
fn every_file_that_is_named_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for name in README.split('`').skip(1).step_by(2) {
        let looks_like = name.contains('/') && [".rs", "/"].iter().any(|end| name.ends_with(end));
        if looks_like && !name.starts_with(['/', '.']) {
            assert!(root.join("src").join(name).exists() || root.join(name).exists(), "{name}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}
