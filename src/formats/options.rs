//! How a source is to be read: its format with the format's own punctuation, how values are written, compression.
//! Together they are members of a configuration's `source`; in JSON all stand side by side, as the API has them.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::dialect::CsvOptions;
use super::values::{Negative, ValueOptions};
use crate::error::FieldErrors;

/// How to read a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadOptions {
    #[serde(flatten)]
    pub format: Format,
    #[serde(flatten)]
    pub values: ValueOptions,
    /// Absent: by the file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
}

/// How a source is written. A further format is a line here, one in [`Format::named`] and a file that reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum Format {
    Csv(CsvOptions),
    /// A JSON object on every line, in UTF-8.
    Ndjson,
    /// What a query answers: rows already, whose cells have types.
    Rows,
}

impl Default for Format {
    fn default() -> Self {
        Self::Csv(CsvOptions::default())
    }
}

impl Format {
    /// The words for formats of files, the usual one first.
    pub const OF_FILES: [&str; 2] = ["csv", "ndjson"];

    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Ndjson => "ndjson",
            Self::Rows => "rows",
        }
    }

    /// The format of that name with everything as usual.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::default()),
            "ndjson" => Some(Self::Ndjson),
            "rows" => Some(Self::Rows),
            _ => None,
        }
    }

    /// What the ending of a file's name says, compressed or not; none where it says nothing.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.split('?').next().unwrap_or_default().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("csv" | "tsv") => Some(Self::default()),
            Some("ndjson" | "jsonl") => Some(Self::Ndjson),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    None,
    Gzip,
}

impl Compression {
    pub const ALL: [Self; 2] = [Self::None, Self::Gzip];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
        }
    }

    /// What the ending of a file's name says.
    pub fn by_name(name: &str) -> Self {
        match name.rsplit_once('.') {
            Some((_, ending)) if ending.eq_ignore_ascii_case("gz") => Self::Gzip,
            _ => Self::None,
        }
    }
}

impl ReadOptions {
    /// Everything as usual for a format.
    pub fn of(format: Format) -> Self {
        Self { format, ..Self::default() }
    }

    /// Whether a member of `source` is one of these; the others (`path`, `query` …) are their owner's to read.
    pub fn has(member: &str) -> bool {
        matches!(member, "format" | "compression")
            || ValueOptions::MEMBERS.contains(&member)
            || CsvOptions::MEMBERS.contains(&member)
    }

    /// CSV's own punctuation, where it is CSV.
    pub fn csv(&self) -> Option<&CsvOptions> {
        match &self.format {
            Format::Csv(csv) => Some(csv),
            _ => None,
        }
    }

    /// What is said, or what the file's name tells.
    pub fn compression_of(&self, name: &str) -> Compression {
        self.compression.unwrap_or_else(|| Compression::by_name(name))
    }

    /// Reads and checks the members as the API takes them: null counts as absent, what is unknown is refused. Every
    /// error names its field, `source.delimiter` and so on. `usual` is the format where none is said.
    pub fn parse(members: &serde_json::Map<String, Json>, usual: Format) -> Result<Self, FieldErrors> {
        let mut options = Self::of(usual);
        let mut errors = FieldErrors::new();
        if let Some(word) = members.get("format").filter(|word| !word.is_null()) {
            match word.as_str().and_then(Format::named) {
                Some(format) => options.format = format,
                None => errors.add("source.format", format!("Use {}.", Format::OF_FILES.join(" or "))),
            }
        }
        for (name, value) in members.iter().filter(|(name, _)| name.as_str() != "format") {
            if value.is_null() {
                if !Self::has(name) {
                    unknown(name, &mut errors);
                }
                continue;
            }
            options.set(name, value, &mut errors);
        }
        options.tidy();
        if let Err(more) = options.validate() {
            // What could not be read keeps its default, which is never wrong: no field is named twice.
            errors.extend(more);
        }
        errors.ok_or(options)
    }

    /// Reads one member that is there.
    fn set(&mut self, name: &str, value: &Json, errors: &mut FieldErrors) {
        let field = format!("source.{name}");
        if CsvOptions::MEMBERS.contains(&name) {
            let Format::Csv(csv) = &mut self.format else {
                return errors.add(field, "This field is only for the format csv. Leave it out.");
            };
            return match (name, value) {
                ("header", Json::Bool(header)) => csv.header = *header,
                ("header", _) => errors.add(field, "Send true or false."),
                ("skip_lines", value) => match value.as_u64().and_then(|count| u32::try_from(count).ok()) {
                    Some(count) => csv.skip_lines = count,
                    None => errors.add(field, "Send a whole number from 0 to 1,000."),
                },
                ("comment", value) => text(csv.comment.insert(String::new()), value, field, errors),
                ("escape", value) => text(csv.escape.insert(String::new()), value, field, errors),
                ("delimiter", value) => text(&mut csv.delimiter, value, field, errors),
                ("quote", value) => text(&mut csv.quote, value, field, errors),
                (_, value) => text(&mut csv.encoding, value, field, errors),
            };
        }
        let values = &mut self.values;
        match name {
            "decimal_point" => text(&mut values.decimal_point, value, field, errors),
            "date_format" => text(&mut values.date_format, value, field, errors),
            "group_separator" => text(values.group_separator.insert(String::new()), value, field, errors),
            "timestamp_format" => text(values.timestamp_format.insert(String::new()), value, field, errors),
            "time_zone" => text(values.time_zone.insert(String::new()), value, field, errors),
            "nulls" => match serde_json::from_value(value.clone()) {
                Ok(nulls) => values.nulls = nulls,
                Err(_) => errors.add(field, "Send a list of texts, such as [\"\", \"NA\"]."),
            },
            "affixes" => match serde_json::from_value(value.clone()) {
                Ok(affixes) => values.affixes = affixes,
                Err(_) => errors.add(field, "Send a list of texts, such as [\"$\", \"%\"]."),
            },
            "negative" => match Negative::ALL.into_iter().find(|known| Some(known.as_str()) == value.as_str()) {
                Some(known) => values.negative = known,
                None => errors.add(field, "Use leading or any."),
            },
            "compression" => match Compression::ALL.into_iter().find(|c| Some(c.as_str()) == value.as_str()) {
                Some(known) => self.compression = Some(known),
                None => errors.add(field, "Use none or gzip, or leave it out to go by the file's name."),
            },
            _ => unknown(name, errors),
        }
    }

    /// Words that people type for characters that a form cannot show, and blanks that mean absent.
    pub fn tidy(&mut self) {
        if let Format::Csv(csv) = &mut self.format {
            csv.tidy();
        }
        self.values.tidy();
    }

    /// All that is wrong with the options, by field.
    pub fn validate(&self) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::new();
        let dialect = self.csv().and_then(|csv| csv.dialect().err());
        for found in [dialect, self.values.notation().err()].into_iter().flatten() {
            errors.extend(found);
        }
        errors.ok_or(())
    }
}

fn text(into: &mut String, value: &Json, field: String, errors: &mut FieldErrors) {
    match value.as_str() {
        Some(text) => *into = text.to_owned(),
        None => errors.add(field, "Send text."),
    }
}

fn unknown(name: &str, errors: &mut FieldErrors) {
    errors.add(format!("source.{}", short(name)), "A source has no such field.");
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The byte of a text that is one ASCII character and no line break or NUL.
pub(super) fn one_character(text: &str) -> Option<u8> {
    match text.as_bytes() {
        &[byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Some(byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: Json) -> Result<ReadOptions, FieldErrors> {
        ReadOptions::parse(value.as_object().unwrap(), Format::default())
    }

    #[test]
    fn nothing_said_is_the_contract_s_default() {
        let options = parse(json!({"delimiter": null, "format": null})).unwrap();
        assert_eq!(options, ReadOptions::default());
        for format in [Format::default(), Format::Ndjson, Format::Rows] {
            let options = ReadOptions::of(format);
            let kept = serde_json::to_value(&options).unwrap();
            assert_eq!(serde_json::from_value::<ReadOptions>(kept).unwrap(), options);
        }
        assert_eq!(serde_json::from_str::<ReadOptions>("{\"format\": \"csv\"}").unwrap(), options);
    }

    #[test]
    fn every_wrong_member_is_named() {
        let errors = parse(json!({
            "delimiter": "ab", "quote": "ä", "encoding": "utf-99", "header": "yes", "nulls": "NA",
            "decimal_point": "5", "group_separator": "--", "negative": "never", "affixes": ["1"], "skip_lines": -1,
            "comment": "##", "escape": "ab", "date_format": "%Q", "timestamp_format": "%H:%M",
            "time_zone": "Europe/Pari", "compression": "rar", "delimeter": ";", "format": "xls",
        }))
        .unwrap_err();
        let members = CsvOptions::MEMBERS.iter().chain(&ValueOptions::MEMBERS);
        for member in members.chain(&["compression", "delimeter", "format"]) {
            let field = format!("source.{member}");
            assert_eq!(errors.0.iter().filter(|e| e.field == field).count(), 1, "{field}: {errors}");
        }
    }

    #[test]
    fn punctuation_of_csv_has_no_place_elsewhere() {
        assert_eq!(parse(json!({"format": "ndjson", "nulls": ["NA"]})).unwrap().values.nulls, ["NA"]);
        let errors = parse(json!({"format": "ndjson", "delimiter": ";"})).unwrap_err();
        assert!(errors.of("source.delimiter").is_some_and(|detail| detail.contains("csv")), "{errors}");
    }

    #[test]
    fn the_format_goes_by_the_name_where_it_tells() {
        assert_eq!(Format::by_name("a/b.jsonl"), Some(Format::Ndjson));
        assert_eq!(Format::by_name("b.NDJSON.gz?x=1"), Some(Format::Ndjson));
        assert_eq!(Format::by_name("b.csv.gz"), Some(Format::default()));
        assert_eq!(Format::by_name("b.txt"), None);
    }

    #[test]
    fn words_for_the_tab_and_labels_for_encodings() {
        assert_eq!(parse(json!({"delimiter": "\\t"})).unwrap().csv().unwrap().delimiter, "\t");
        for label in ["UTF-8", "utf-8-sig", "latin1", "utf-16le", "utf-16be", "windows-1252", "gb18030"] {
            assert!(parse(json!({"encoding": label})).is_ok(), "{label}");
        }
        assert!(parse(json!({"encoding": "iso-2022-kr"})).is_err());
    }

    #[test]
    fn marks_that_cannot_be_told_apart_are_refused() {
        assert!(parse(json!({"delimiter": "\""})).unwrap_err().of("source.quote").is_some());
        assert!(parse(json!({"group_separator": "."})).unwrap_err().of("source.group_separator").is_some());
        assert!(parse(json!({"group_separator": "\u{202f}", "decimal_point": ","})).is_ok());
        assert!(parse(json!({"quote": ""})).is_ok());
    }

    #[test]
    fn compression_goes_by_the_name() {
        assert_eq!(Compression::by_name("a/b.csv.GZ"), Compression::Gzip);
        assert_eq!(Compression::by_name("gz"), Compression::None);
    }
}
