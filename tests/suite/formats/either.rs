//! One truth in two formats: text in a CSV file and the same text as a string of an NDJSON file is the same value, or is
//! rejected for the same reason. And which of the two a file is.

use std::io::Cursor;

use proptest::prelude::*;
use tidegate::formats::{ColumnType, Format, Parser, ReadOptions, Record, Value, ValueOptions, open};

use super::{cases, gzip};

/// What becomes of the first cell of the first row, by type: its value, or the code of what is wrong.
fn read(file: String, options: &ReadOptions, name: &str) -> Vec<Result<String, String>> {
    let mut rows = open(Cursor::new(file), options, name, false).unwrap();
    let mut record = Record::new();
    assert!(rows.next(&mut record).unwrap(), "a row");
    let damage: Vec<String> = record.damage().iter().map(|d| format!("{:?} {}", d.column, d.code())).collect();
    if !damage.is_empty() {
        return vec![Err(damage.join(" "))];
    }
    let all = ColumnType::ALL.into_iter();
    all.map(|kind| {
        let parser = Parser::new(kind, false, &options.values).unwrap();
        // Numbers by their bits: -0 is not 0.
        let shown = |value: Value<'_>| match value {
            Value::Number(number) => format!("{:x}", number.to_bits()),
            other => format!("{other:?}"),
        };
        parser.take(record.cell(0)).map(shown).map_err(|fault| fault.code().as_str().to_owned())
    })
    .collect()
}

fn both(text: &str, values: &ValueOptions) -> [Vec<Result<String, String>>; 2] {
    let with = |format| ReadOptions { values: values.clone(), ..ReadOptions::of(format) };
    let csv = format!("a,b\n\"{}\",x\n", text.replace('"', "\"\""));
    let json = format!("{}\n", serde_json::json!({ "a": text, "b": "x" }));
    [read(csv, &with(Format::default()), "a.csv"), read(json, &with(Format::Ndjson), "a.ndjson")]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn text_means_the_same_in_csv_and_in_ndjson(
        text in prop_oneof![
            any::<String>(),
            "[-+]?[0-9]{0,20}[.,]?[0-9]{0,20}([eE][-+]?[0-9]{1,3})?",
            "[ \t]?(NA|true|no|1|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?)?)[ \r\n]?",
            "[\"\\\\,;\r\n\t\u{0}\u{feff}é ]{0,12}",
        ],
        comma in any::<bool>(),
    ) {
        let point = if comma { "," } else { "." };
        let nulls = vec![String::new(), "NA".into()];
        let values = ValueOptions { nulls, decimal_point: point.into(), ..ValueOptions::default() };
        let [csv, json] = both(&text, &values);
        prop_assert_eq!(csv, json);
    }
}

#[test]
fn what_is_too_long_or_too_precise_is_so_in_both() {
    for (text, said) in [("x".repeat(70_000), "text_too_long"), ("9007199254740993.0".into(), "too_precise")] {
        let [csv, json] = both(&text, &ValueOptions::default());
        assert_eq!(csv, json);
        assert!(csv.iter().any(|found| found.as_ref().is_err_and(|code| code.ends_with(said))), "{csv:?}");
    }
}

#[test]
fn the_format_is_what_the_configuration_says_but_for_csv_that_is_given_by_hand() {
    let ndjson = ReadOptions::of(Format::Ndjson);
    let columns = |text: &[u8], name: &str, by_hand: bool| {
        open(Cursor::new(text.to_vec()), &ndjson, name, by_hand).map(|rows| rows.columns().to_vec())
    };
    let (json, csv) = (&b"\xef\xbb\xbf \n{\"a\":1}\n"[..], &b"b,c\n1,2\n"[..]);
    for by_hand in [false, true] {
        assert_eq!(columns(json, "rows.csv", by_hand).unwrap(), ["a"]);
        assert_eq!(columns(&gzip(json), "rows.csv.gz", by_hand).unwrap(), ["a"]);
        assert!(columns(csv, "rows.ndjson", by_hand).is_err());
    }
    assert_eq!(columns(csv, "rows.csv", true).unwrap(), ["b", "c"]);
    assert_eq!(columns(&gzip(csv), "rows.csv.gz", true).unwrap(), ["b", "c"]);
    assert!(columns(csv, "rows.csv", false).is_err());
}
