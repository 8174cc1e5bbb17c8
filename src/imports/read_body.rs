//! The members of a source that say how it is read, as the API takes and answers them.

use serde::Serialize;
use serde_json::{Value, json};

use crate::formats::{Compression, Negative, ReadOptions};
use crate::shape::{Fields, Members, Object, Properties, Reader};

/// The members of `source` that say how it is read, as they were sent: what is usual among them depends on the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ReadBody(pub(super) Object);

impl ReadBody {
    pub fn of(read: &ReadOptions) -> Self {
        match json!(read) {
            Value::Object(members) => Self(members),
            _ => Self::default(),
        }
    }
}

impl Members for ReadBody {
    const NAME: &'static str = "ReadBody";
    const ABOUT: &'static str = "How a source is read.";

    fn properties(into: &mut Properties) {
        let usual = json!(ReadOptions::default());
        let mut member = |name: &str, schema: Value, about: &str| {
            let example = usual.get(name).cloned().filter(|usual| !usual.is_null());
            into.said(name, schema, about, false, example);
        };
        let text = || json!({ "type": "string" });
        let formats = json!({ "type": "string", "enum": ["csv", "ndjson", "rows"] });
        member("format", formats, "By the file's name unless said; `rows` is what a query answers.");
        member("delimiter", text(), "Of CSV: one character; a comma unless said.");
        member("quote", text(), "Of CSV: one character; empty where quotes are text like any other.");
        member("encoding", text(), "Of CSV: a label that the web knows, such as windows-1252; utf-8 unless said.");
        let count = json!({ "type": "integer", "minimum": 0, "maximum": 1000 });
        member("skip_lines", count, "Of CSV: lines above the column names, or above the first row. Default: 0.");
        member("comment", text(), "Of CSV: one character that a comment line begins with. Default: none.");
        member("escape", text(), "Of CSV: one character that stands before a quote inside quotes. Default: none.");
        let truth = json!({ "type": "boolean" });
        member("header", truth, "Of CSV: whether the first line names the columns; true unless said.");
        let texts = json!({ "type": "array", "items": { "type": "string" }, "maxItems": 100 });
        member("nulls", texts, "Cells that mean empty, in columns of every type but text.");
        member("decimal_point", text(), "One character; a point unless said.");
        member("group_separator", text(), "One character between the digits of a number; none unless said.");
        let words = Negative::ALL.map(Negative::as_str);
        let any = "`any`: also a minus behind a number, and parentheses around it. Default: `leading`.";
        member("negative", json!({ "type": "string", "enum": words }), any);
        let texts = json!({ "type": "array", "items": { "type": "string" }, "maxItems": 10 });
        member("affixes", texts, "Texts that a number may carry: `$`, `EUR`; `%` divides by 100. Default: none.");
        member("date_format", text(), "A strftime pattern.");
        member("timestamp_format", text(), "A strftime pattern; RFC 3339 unless said.");
        member("time_zone", text(), "The IANA zone of timestamps that have none; UTC unless said.");
        member(
            "compression",
            json!({ "type": "string", "enum": Compression::ALL.map(Compression::as_str) }),
            "By the name of the file unless said.",
        );
    }
}

impl Fields for ReadBody {
    fn take(map: &mut Object, prefix: &str, reader: &mut Reader) -> Self {
        let (ours, others): (Object, Object) =
            std::mem::take(map).into_iter().partition(|(name, _)| ReadOptions::has(name));
        *map = others;
        for (name, value) in &ours {
            if value.as_str().is_some_and(|text| text.contains('\0')) {
                reader.wrong::<()>(&format!("{prefix}{name}"), "Text cannot hold a NUL.");
            }
        }
        Self(ours.into_iter().filter(|(_, value)| !value.is_null()).collect())
    }
}
