//! Files that people have and that were imported wrongly, refused or misread: each is read as it is proposed.

use std::io::Cursor;

use tidegate::formats::{PATIENCE, Parser, Proposal, Record, Rows, propose};

use super::open;

/// The proposal, and all rows as they would be loaded by it: `None` for one that is rejected.
fn loaded(bytes: &[u8]) -> (Proposal, Vec<Option<Vec<String>>>) {
    let proposal = propose(Cursor::new(bytes), "faults.csv", None, true, PATIENCE).unwrap();
    let parsers: Vec<Parser> = (proposal.columns.iter())
        .map(|column| Parser::new(column.column_type, false, &proposal.options.values).unwrap())
        .collect();
    let mut rows = open(Cursor::new(bytes), &proposal.options, "faults.csv").unwrap();
    let mut record = Record::new();
    let mut found = Vec::new();
    while rows.next(&mut record).unwrap() {
        let cell = |(i, parser): (usize, &Parser)| {
            let value = parser.take(record.cell(i)).ok()?;
            let mut out = Vec::new();
            tidegate::formats::write_text(&value, parser.column_type(), &mut out);
            String::from_utf8(out).ok()
        };
        let row: Option<Vec<String>> = parsers.iter().enumerate().map(cell).collect();
        found.push(row.filter(|_| !record.is_damaged()));
    }
    (proposal, found)
}

fn names(proposal: &Proposal) -> Vec<&str> {
    proposal.columns.iter().map(|column| column.name.as_str()).collect()
}

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../data/faults/", $name, ".csv"))
    };
}

fn refused(bytes: &[u8]) -> String {
    propose(Cursor::new(bytes), "faults.csv", None, true, PATIENCE).unwrap_err().to_string()
}

#[test]
fn numbers_keep_their_value() {
    let (proposal, rows) = loaded(file!("accounting-numbers"));
    assert!(rows.iter().all(Option::is_some), "{rows:?} {proposal:?}");
    assert!(proposal.columns.iter().any(|column| column.column_type.as_str() == "number"), "{proposal:?}");
    let (proposal, _) = loaded(file!("dot-thousands-german"));
    assert_eq!(proposal.questions.len(), 1, "{:?}", proposal.questions);
    let (_, rows) = loaded(file!("nnbsp-thousands"));
    let last: Vec<&str> = rows.iter().flatten().map(|row| row.last().unwrap().as_str()).collect();
    assert_eq!(last, ["1234.56", "12000", "300.1"]);
}

#[test]
fn codes_stay_as_they_are_written() {
    let (_, rows) = loaded(file!("leading-zeros-after-1000"));
    assert!(rows[1_200].iter().flatten().any(|cell| cell == "00501"), "{:?}", rows[1_200]);
    let (_, rows) = loaded(file!("sku-like-exponent"));
    let first: Vec<&str> = rows.iter().flatten().map(|row| row[0].as_str()).collect();
    assert_eq!(first, ["1E5", "2E3", "12E4", "1234"]);
    let (proposal, _) = loaded(file!("spaces-only-column"));
    let note = proposal.columns.iter().find(|column| column.name == "note").unwrap();
    assert_eq!(note.column_type.as_str(), "text");
}

#[test]
fn days_are_the_days_that_are_meant() {
    let (proposal, rows) = loaded(file!("dates-one-file-two-orders"));
    assert!(proposal.questions.is_empty(), "{:?}", proposal.questions);
    let day = proposal.columns.iter().position(|column| column.name == "day").unwrap();
    let days: Vec<&str> = rows.iter().flatten().map(|row| row[day].as_str()).collect();
    assert_eq!(days[..2], ["2026-03-04", "2026-05-06"]);
    let (proposal, rows) = loaded(file!("two-digit-year-dmy"));
    let sold = proposal.columns.iter().position(|column| column.name == "sold").unwrap();
    let days: Vec<&str> = rows.iter().flatten().map(|row| row[sold].as_str()).collect();
    assert_eq!(days[..2], ["2025-12-25", "2026-01-03"]);
    assert!(proposal.notes.iter().any(|note| note.starts_with("Two-digit years")), "{:?}", proposal.notes);
}

#[test]
fn names_are_found_however_they_are_written() {
    assert_eq!(names(&loaded(file!("duplicate-header-by-case")).0)[..2].len(), 2);
    assert!(names(&loaded(file!("header-line-break")).0).contains(&"Unit Price"));
    assert_eq!(names(&loaded(file!("header-zero-width")).0)[0], "id");
    assert_eq!(names(&loaded(file!("utf8-double-bom")).0), ["id", "name"]);
}

#[test]
fn rows_are_cut_where_they_are_meant_to_be() {
    let (proposal, rows) = loaded(file!("mixed-delimiter-header"));
    assert_eq!(names(&proposal), ["Date", "Amount, EUR"]);
    assert_eq!(rows.iter().flatten().map(|row| row[1].as_str()).collect::<Vec<_>>(), ["12.5", "13.5"]);
    assert_eq!(loaded(file!("only-delimiters")).1.len(), 2);
    let (proposal, rows) = loaded(file!("preamble"));
    assert_eq!((proposal.options.csv().unwrap().skip_lines, rows.len()), (3, 2));
    assert!(rows.iter().all(Option::is_some));
    for (bytes, columns) in [
        (file!("sep-line-2-columns").as_slice(), &["sku", "amt"][..]),
        (file!("sep-line-3-columns").as_slice(), &["id", "name", "amt"][..]),
    ] {
        let (proposal, rows) = loaded(bytes);
        assert_eq!((names(&proposal).as_slice(), rows.len()), (columns, 2));
        assert!(rows.iter().all(Option::is_some));
    }
}

#[test]
fn text_is_decoded_and_what_is_no_csv_is_called_what_it_is() {
    let (proposal, rows) = loaded(file!("utf8-one-stray-byte"));
    assert_eq!(proposal.options.csv().unwrap().encoding, "utf-8");
    assert_eq!(rows.iter().filter(|row| row.is_none()).count(), 1);
    assert!(rows.iter().flatten().flatten().any(|cell| cell == "Zürich"));
    assert_eq!(loaded(file!("shift-jis")).0.options.csv().unwrap().encoding, "shift_jis");
    assert!(refused(file!("html-login")).contains("web page"), "{}", refused(file!("html-login")));
    assert!(refused(file!("json-error")).contains("JSON, not CSV"), "{}", refused(file!("json-error")));
}
