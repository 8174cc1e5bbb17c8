//! How a CSV source is to be read: the members of a configuration's `source` that speak of CSV, their defaults, and
//! what is wrong with them in words for the one who typed them.

use chrono::format::Item;
use chrono_tz::Tz;
use encoding_rs::{Encoding, REPLACEMENT, UTF_8, X_USER_DEFINED};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::calendar;
use crate::error::FieldErrors;

/// The CSV members of `source`. All are text, as people type them; [`CsvOptions::validate`] says whether they can
/// be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CsvOptions {
    /// One ASCII character.
    pub delimiter: String,
    /// One ASCII character; empty where quotes are text like any other.
    pub quote: String,
    /// A label that the web knows: utf-8, utf-16le, windows-1252 …
    pub encoding: String,
    /// Does the first line hold the names of the columns?
    pub header: bool,
    /// Cells that mean empty. An empty cell is empty whether it stands here or not.
    pub nulls: Vec<String>,
    pub decimal_point: String,
    pub group_separator: Option<String>,
    /// A strftime pattern.
    pub date_format: String,
    /// A strftime pattern; absent: RFC 3339, with or without a zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_format: Option<String>,
    /// The IANA zone of timestamps that have none; absent: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Absent: by the file's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
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

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            quote: "\"".to_owned(),
            encoding: "utf-8".to_owned(),
            header: true,
            nulls: vec![String::new()],
            decimal_point: ".".to_owned(),
            group_separator: None,
            date_format: calendar::ISO_DATE.to_owned(),
            timestamp_format: None,
            time_zone: None,
            compression: None,
        }
    }
}

/// Options that are known to be usable, as the row reader wants them.
pub(super) struct Dialect {
    pub delimiter: u8,
    pub quote: Option<u8>,
    pub encoding: &'static Encoding,
    pub header: bool,
}

/// Options that are known to be usable, as the value parsers want them.
pub(super) struct Notation {
    pub decimal_point: u8,
    pub group_separator: Option<Box<[u8]>>,
    pub nulls: Vec<Box<[u8]>>,
    /// None: the default pattern, which is read by hand.
    pub date_items: Option<Vec<Item<'static>>>,
    pub date_format: String,
    pub timestamp_items: Option<Vec<Item<'static>>>,
    pub timestamp_format: Option<String>,
    pub zone: Tz,
}

const MOST_NULLS: usize = 100;
const LONGEST_MEMBER: usize = 100;

impl CsvOptions {
    /// The members of `source` that belong here; the others (`path`, `format` …) are their owner's to read.
    pub const MEMBERS: [&str; 11] = [
        "delimiter",
        "quote",
        "encoding",
        "header",
        "nulls",
        "decimal_point",
        "group_separator",
        "date_format",
        "timestamp_format",
        "time_zone",
        "compression",
    ];

    /// Reads and checks the members as the API takes them: null counts as absent, what is unknown is refused.
    /// Every error names its field, `source.delimiter` and so on.
    pub fn parse(members: &serde_json::Map<String, Json>) -> Result<Self, FieldErrors> {
        let mut options = Self::default();
        let mut errors = FieldErrors::new();
        for (name, value) in members {
            if value.is_null() {
                if !Self::MEMBERS.contains(&name.as_str()) {
                    unknown(name, &mut errors);
                }
                continue;
            }
            let field = format!("source.{name}");
            let mut text = |into: &mut String| match value.as_str() {
                Some(text) => *into = text.to_owned(),
                None => errors.add(&field, "Send text."),
            };
            match name.as_str() {
                "delimiter" => text(&mut options.delimiter),
                "quote" => text(&mut options.quote),
                "encoding" => text(&mut options.encoding),
                "decimal_point" => text(&mut options.decimal_point),
                "date_format" => text(&mut options.date_format),
                "group_separator" => text(options.group_separator.insert(String::new())),
                "timestamp_format" => text(options.timestamp_format.insert(String::new())),
                "time_zone" => text(options.time_zone.insert(String::new())),
                "header" => match value.as_bool() {
                    Some(header) => options.header = header,
                    None => errors.add(field, "Send true or false."),
                },
                "nulls" => match serde_json::from_value(value.clone()) {
                    Ok(nulls) => options.nulls = nulls,
                    Err(_) => errors.add(field, "Send a list of texts, such as [\"\", \"NA\"]."),
                },
                "compression" => match Compression::ALL.into_iter().find(|c| Some(c.as_str()) == value.as_str()) {
                    Some(known) => options.compression = Some(known),
                    None => errors.add(field, "Use none or gzip, or leave it out to go by the file's name."),
                },
                _ => unknown(name, &mut errors),
            }
        }
        options.tidy();
        if let Err(more) = options.validate() {
            // What could not be read keeps its default, which is never wrong: no field is named twice.
            errors.extend(more);
        }
        errors.ok_or(options)
    }

    /// Words that people type for characters that a form cannot show, and blanks that mean absent.
    pub fn tidy(&mut self) {
        match self.delimiter.to_lowercase().as_str() {
            "\\t" | "tab" => self.delimiter = "\t".to_owned(),
            "comma" => self.delimiter = ",".to_owned(),
            "semicolon" => self.delimiter = ";".to_owned(),
            _ => {}
        }
        self.encoding = self.encoding.trim().to_lowercase();
        for member in [&mut self.timestamp_format, &mut self.time_zone] {
            if member.as_deref().is_some_and(|text| text.trim().is_empty()) {
                *member = None;
            }
        }
        if self.group_separator.as_deref() == Some("") {
            self.group_separator = None;
        }
    }

    /// All that is wrong with the options, by field.
    pub fn validate(&self) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::new();
        for found in [self.dialect().err(), self.notation().err()].into_iter().flatten() {
            errors.extend(found);
        }
        errors.ok_or(())
    }

    pub(super) fn dialect(&self) -> Result<Dialect, FieldErrors> {
        let mut errors = FieldErrors::new();
        let delimiter = one_character(&self.delimiter);
        if delimiter.is_none() {
            errors.add("source.delimiter", "The delimiter is one character, such as , or ; or a tab (\\t).");
        }
        let quote = one_character(&self.quote);
        if quote.is_none() && !self.quote.is_empty() {
            errors.add("source.quote", "The quote is one character, such as \", or empty for none.");
        } else if quote.is_some() && quote == delimiter {
            errors.add("source.quote", "The quote and the delimiter cannot be the same character.");
        }
        let encoding = encoding_by_label(&self.encoding);
        if encoding.is_none() {
            errors.add(
                "source.encoding",
                format!(
                    "The encoding \"{}\" is not known. Use a name such as utf-8, utf-16le, windows-1252 or shift_jis.",
                    short(&self.encoding)
                ),
            );
        }
        errors.ok_or(Dialect {
            delimiter: delimiter.unwrap_or(b','),
            quote,
            encoding: encoding.unwrap_or(UTF_8),
            header: self.header,
        })
    }

    pub(super) fn notation(&self) -> Result<Notation, FieldErrors> {
        let mut errors = FieldErrors::new();
        let decimal_point = one_character(&self.decimal_point).filter(|b| is_mark(*b));
        if decimal_point.is_none() {
            errors.add("source.decimal_point", "The decimal point is one character, . or , as a rule.");
        }
        if let Some(group) = &self.group_separator {
            let usable = group.chars().count() == 1 && group.bytes().all(|b| is_mark(b) || b == b' ' || b >= 0x80);
            if !usable {
                errors.add(
                    "source.group_separator",
                    "The group separator is one character that is no digit, such as , or . or a space.",
                );
            } else if *group == self.decimal_point {
                errors.add(
                    "source.group_separator",
                    "The group separator and the decimal point cannot be the same character.",
                );
            }
        }
        if self.nulls.len() > MOST_NULLS || self.nulls.iter().any(|n| n.len() > LONGEST_MEMBER) {
            errors.add("source.nulls", "At most 100 null markers, each of at most 100 bytes.");
        }
        let date_items = match self.date_format.as_str() {
            calendar::ISO_DATE => None,
            format => match calendar::date_items(format) {
                Ok(items) => Some(items),
                Err(why) => {
                    errors.add("source.date_format", why);
                    None
                }
            },
        };
        let timestamp_items = match self.timestamp_format.as_deref().map(calendar::timestamp_items) {
            Some(Err(why)) => {
                errors.add("source.timestamp_format", why);
                None
            }
            Some(Ok(items)) => Some(items),
            None => None,
        };
        let zone = match self.time_zone.as_deref().map(str::parse::<Tz>) {
            None => Tz::UTC,
            Some(Ok(zone)) => zone,
            Some(Err(_)) => {
                errors.add(
                    "source.time_zone",
                    format!(
                        "The time zone \"{}\" is not known. Use a name such as Europe/Paris or UTC.",
                        short(self.time_zone.as_deref().unwrap_or_default())
                    ),
                );
                Tz::UTC
            }
        };
        errors.ok_or(Notation {
            decimal_point: decimal_point.unwrap_or(b'.'),
            group_separator: self.group_separator.as_ref().map(|g| g.as_bytes().into()),
            nulls: self.nulls.iter().map(|n| n.as_bytes().into()).collect(),
            date_items,
            date_format: self.date_format.clone(),
            timestamp_items,
            timestamp_format: self.timestamp_format.clone(),
            zone,
        })
    }
}

fn unknown(name: &str, errors: &mut FieldErrors) {
    errors.add(format!("source.{}", short(name)), "This member is not known for CSV.");
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The byte of a text that is one ASCII character and no line break or NUL.
fn one_character(text: &str) -> Option<u8> {
    match text.as_bytes() {
        &[byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Some(byte),
        _ => None,
    }
}

/// May stand in a number without being taken for a part of it.
fn is_mark(byte: u8) -> bool {
    byte.is_ascii_punctuation() && !matches!(byte, b'-' | b'+')
}

fn encoding_by_label(label: &str) -> Option<&'static Encoding> {
    if label == "utf-8-sig" {
        return Some(UTF_8);
    }
    // These two are tricks of browsers that decode nothing.
    Encoding::for_label(label.as_bytes()).filter(|found| *found != REPLACEMENT && *found != X_USER_DEFINED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: Json) -> Result<CsvOptions, FieldErrors> {
        CsvOptions::parse(value.as_object().unwrap())
    }

    #[test]
    fn nothing_said_is_the_contract_s_default() {
        let options = parse(json!({"delimiter": null})).unwrap();
        assert_eq!(options, CsvOptions::default());
        let kept = serde_json::to_value(&options).unwrap();
        assert_eq!(serde_json::from_value::<CsvOptions>(kept).unwrap(), options);
        assert_eq!(serde_json::from_str::<CsvOptions>("{}").unwrap(), options);
        assert!(serde_json::from_str::<CsvOptions>("{\"delimeter\":\";\"}").is_err());
    }

    #[test]
    fn every_wrong_member_is_named() {
        let errors = parse(json!({
            "delimiter": "ab", "quote": "ä", "encoding": "utf-99", "header": "yes", "nulls": "NA",
            "decimal_point": "5", "group_separator": "--", "date_format": "%Q", "timestamp_format": "%H:%M",
            "time_zone": "Europe/Pari", "compression": "rar", "delimeter": ";",
        }))
        .unwrap_err();
        for member in CsvOptions::MEMBERS.iter().chain(&["delimeter"]) {
            let field = format!("source.{member}");
            assert_eq!(errors.0.iter().filter(|e| e.field == field).count(), 1, "{field}: {errors}");
        }
    }

    #[test]
    fn words_for_the_tab_and_labels_for_encodings() {
        assert_eq!(parse(json!({"delimiter": "\\t"})).unwrap().delimiter, "\t");
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
