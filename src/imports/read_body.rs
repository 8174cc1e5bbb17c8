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
        member("format", formats, "Default: by the file's name. `rows` is the result of a query.");
        member("delimiter", text(), "For CSV: one character. Default: a comma.");
        member("quote", text(), "For CSV: one character; empty if quotes have no special meaning.");
        member("encoding", text(), "For CSV: a label such as windows-1252. Default: utf-8.");
        let count = json!({ "type": "integer", "minimum": 0, "maximum": 1000 });
        member(
            "skip_lines",
            count,
            "For CSV: how many lines above the column names or the first row to skip. Default: 0.",
        );
        member("comment", text(), "For CSV: one character that comment lines begin with. Default: none.");
        member("escape", text(), "For CSV: one character that escapes a quote inside quotes. Default: none.");
        let truth = json!({ "type": "boolean" });
        member("header", truth, "For CSV: whether the first line names the columns. Default: true.");
        let texts = json!({ "type": "array", "items": { "type": "string" }, "maxItems": 100 });
        member("nulls", texts, "Cells that mean empty, in columns of every type but text.");
        member("decimal_point", text(), "One character. Default: a point.");
        member("group_separator", text(), "One character between groups of digits. Default: none.");
        let words = Negative::ALL.map(Negative::as_str);
        let any = "`any` also accepts a minus after a number, and parentheses around it. Default: `leading`.";
        member("negative", json!({ "type": "string", "enum": words }), any);
        let texts = json!({ "type": "array", "items": { "type": "string" }, "maxItems": 10 });
        member(
            "affixes",
            texts,
            "Text that may stand beside a number, such as `$` or `EUR`; `%` divides by 100. Default: none.",
        );
        member("date_format", text(), "A strftime pattern.");
        member("timestamp_format", text(), "A strftime pattern. Default: RFC 3339.");
        member("time_zone", text(), "The IANA time zone of timestamps without one. Default: UTC.");
        member(
            "compression",
            json!({ "type": "string", "enum": Compression::ALL.map(Compression::as_str) }),
            "Default: by the file's name.",
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
                reader.wrong::<()>(&format!("{prefix}{name}"), "Text cannot contain a NUL character.");
            }
        }
        Self(ours.into_iter().filter(|(_, value)| !value.is_null()).collect())
    }
}
