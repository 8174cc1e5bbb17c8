//! The rows: date, country, product, customer, quantity, unit price, currency and a note, of which one in six is quoted
//! with commas or doubled quotes, some of it not ASCII. Always the same ones.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Csv,
    Ndjson,
}

pub const COLUMNS: [(&str, &str); 8] = [
    ("day", "date"),
    ("country", "text"),
    ("product", "text"),
    ("customer", "integer"),
    ("quantity", "integer"),
    ("unit_price", "number"),
    ("currency", "text"),
    ("note", "text"),
];

const COUNTRIES: [&str; 8] = ["FR", "DE", "US", "JP", "BR", "IN", "ZA", "NO"];
const CURRENCIES: [&str; 4] = ["EUR", "USD", "JPY", "GBP"];
const NOTES: [&str; 6] =
    ["regular order", "café, croissant", "said \"at once\"", "", "Zürich branch", "repeat of last month's order"];

/// Writes the file unless it is there, and answers where.
pub fn write(folder: &Path, kind: Kind, rows: usize) -> PathBuf {
    let path = folder.join(match kind {
        Kind::Csv => "orders.csv",
        Kind::Ndjson => "orders.ndjson",
    });
    let mut out = BufWriter::new(File::create(&path).unwrap());
    if kind == Kind::Csv {
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        writeln!(out, "{}", names.join(",")).unwrap();
    }
    let mut state = 42u64;
    for _ in 0..rows {
        // A linear congruential generator: the data is the same on every machine.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let dice = (state >> 33) as usize;
        let (year, month, day) = (2020 + dice % 6, 1 + dice / 7 % 12, 1 + dice / 11 % 28);
        let (country, currency) = (COUNTRIES[dice % 8], CURRENCIES[dice / 3 % 4]);
        let (product, customer, quantity) = (dice % 5_000, dice % 900_001, 1 + dice % 97);
        let (euros, cents) = (dice % 1_999, dice / 5 % 100);
        let note = NOTES[dice / 13 % 6];
        match kind {
            Kind::Csv => {
                let note = match note.contains([',', '"']) {
                    true => format!("\"{}\"", note.replace('"', "\"\"")),
                    false => note.to_owned(),
                };
                writeln!(
                    out,
                    "{year}-{month:02}-{day:02},{country},SKU-{product:05},{customer},{quantity},{euros}.{cents:02},{currency},{note}"
                )
            }
            Kind::Ndjson => writeln!(
                out,
                "{{\"day\":\"{year}-{month:02}-{day:02}\",\"country\":\"{country}\",\"product\":\"SKU-{product:05}\",\
                 \"customer\":{customer},\"quantity\":{quantity},\"unit_price\":{euros}.{cents:02},\
                 \"currency\":\"{currency}\",\"note\":{}}}",
                serde_json::Value::from(note)
            ),
        }
        .unwrap();
    }
    out.flush().unwrap();
    path
}
