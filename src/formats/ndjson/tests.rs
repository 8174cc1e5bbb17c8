//! NDJSON: whole lines, damaged ones, and what is too much.

use super::*;
use crate::formats::options::Compression;
use crate::formats::rows::Cell;

fn bytes(text: &[u8]) -> Bytes<&[u8]> {
    Bytes::new(text, Compression::None, u64::MAX)
}

fn read(text: &[u8], limits: Limits) -> (Vec<String>, Vec<Record>) {
    let keys = keys(bytes(text), limits, usize::MAX).unwrap();
    let mut reader = NdjsonReader::over(bytes(text), keys, limits);
    let (mut rows, mut record) = (Vec::new(), Record::new());
    while reader.next(&mut record).unwrap() {
        rows.push(record.clone());
    }
    (reader.columns().to_vec(), rows)
}

fn codes(text: &str, limits: Limits) -> Vec<String> {
    let rows = read(text.as_bytes(), limits).1;
    let said = |row: &Record| row.damage().iter().map(|d| d.code()).collect::<Vec<_>>().join("+");
    rows.iter().map(|row| format!("{} {}", row.line(), said(row))).collect()
}

#[test]
fn columns_are_the_keys_of_all_objects_and_values_stay_as_they_are_written() {
    let text =
        b"\xef\xbb\xbf{\"a\": 1.50, \"b\": \"x\\n\\u00e9\"}\r\n\n {\"b\":null,\"c\":[1, {\"d\":\"}\"}],\"a\":true}";
    let (columns, rows) = read(text, Limits::default());
    assert_eq!(columns, ["a", "b", "c"]);
    assert_eq!(rows[0].cell(0), Cell::Literal(b"1.50"));
    assert_eq!(rows[0].cell(1), Cell::Text("x\né".as_bytes()));
    assert_eq!(rows[0].cell(2), Cell::Null);
    assert_eq!((rows[0].line(), rows[1].line()), (1, 3));
    assert_eq!(rows[1].cell(0), Cell::Boolean(true));
    assert_eq!(rows[1].cell(1), Cell::Null);
    assert_eq!(rows[1].cell(2), Cell::Nested(br#"[1, {"d":"}"}]"#));
}

#[test]
fn damage_costs_a_line_and_is_named() {
    let text = "{\"a\":1}\n{\"a\":1,}\n[1]\n7\n{\"a\":1,\"a\":2}\nnot json\n{\"a\":1} x\n{\"a\":01}\n{\"a\":\"\\u0000\"}\n{\"a\":\"\\ud800\"}";
    let expected = [
        "1 ",
        "2 not_json",
        "3 not_an_object",
        "4 not_an_object",
        "5 duplicate_key",
        "6 not_json",
        "7 not_json",
        "8 not_json",
        "9 nul",
        "10 not_json",
    ];
    assert_eq!(codes(text, Limits::default()), expected);
    let rows = read(text.as_bytes(), Limits::default()).1;
    assert_eq!(rows[5].text(0), "not json");
    assert_eq!(rows[1].damage()[0].kind, DamageKind::NotJson { at: 7 });
}

#[test]
fn limits_have_sentences() {
    let limits = Limits { cell_bytes: 20, row_bytes: BUFFER, columns: 2, ..Limits::default() };
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(3 * BUFFER));
    let text = format!("{{\"a\":\"{}\"}}\n{deep}\n{long}\n{{\"a\":2}}\n", "x".repeat(21));
    assert_eq!(codes(&text, limits), ["1 text_too_long", "2 too_deep", "3 row_too_long", "4 "]);
    assert!(keys(bytes(br#"{"a":1,"b":2,"c":3}"#), limits, 9).unwrap_err().to_string().contains("more than 2"));
    let error = keys(bytes(b"a,b\n1,2\n"), limits, 9).unwrap_err().to_string();
    assert!(error.contains("No line of the file is a JSON object") && error.contains("Line 1"), "{error}");
    assert_eq!(codes("{\"a\":1}\n{\"a\":\"\u{e9}\"}", limits), ["1 ", "2 "]);
    // At the end of the file too, where no line break follows, and alone in it.
    assert_eq!(codes(&format!("{{\"a\":1}}\n{long}"), limits), ["1 ", "2 row_too_long"]);
    let error = keys(bytes(long.as_bytes()), limits, 9).unwrap_err().to_string();
    assert!(error.contains("Line 1: The row is too long"), "{error}");
    let latin = b"{\"a\":1}\n{\"a\":\"\xe9\"}";
    assert_eq!(read(latin, limits).1[1].damage()[0].code(), "not_in_encoding");
}

#[test]
fn a_name_that_is_too_long_or_holds_nul_costs_its_line_and_no_memory() {
    let long = "k".repeat(KEY_BYTES + 1);
    let escaped = "\\u0041".repeat(KEY_BYTES + 1);
    let text = format!(
        "{{\"a\":1}}\n{{\"a\":1,\"{long}\":1}}\n{{\"a\":1,\"{escaped}\":1}}\n{{\"b\\u0000\":1}}\n{{\"{}\":1}}\n",
        &long[1..]
    );
    let said = ["1 ", "2 member_name_too_long", "3 member_name_too_long", "4 nul", "5 "];
    assert_eq!(codes(&text, Limits::default()), said);
    assert_eq!(read(text.as_bytes(), Limits::default()).0, ["a", &long[1..]]);
    let many: Vec<String> = (0..5_000).map(|i| format!("\"k{i}\":1")).collect();
    let error = keys(bytes(format!("{{{}}}", many.join(",")).as_bytes()), Limits::default(), 9).unwrap_err();
    assert!(error.to_string().contains("more than 2000"), "{error}");
}

#[test]
fn a_member_that_comes_often_is_said_once_in_each_row() {
    let twice = format!("{{{}}}", ["\"a\":1"; 9].join(","));
    assert_eq!(
        codes(&format!("{twice}\n{{\"a\":1}}\n{twice}"), Limits::default()),
        ["1 duplicate_key", "2 ", "3 duplicate_key"]
    );
}

#[test]
fn what_is_nested_deeper_than_any_parser_goes_is_too_deep_still() {
    for depth in [130, 5_000] {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(codes(&format!("{{\"a\":1}}\n{deep}"), Limits::default()), ["1 ", "2 too_deep"]);
    }
}
