//! CSV's own punctuation: the members of a configuration's `source` that speak of it, and what is wrong with them.

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, X_USER_DEFINED};
use serde::{Deserialize, Serialize};

use super::options::{one_character, short};
use crate::error::FieldErrors;

/// How a CSV file is cut into cells. All are text, as people type them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CsvOptions {
    /// One ASCII character.
    pub delimiter: String,
    /// One ASCII character; empty where quotes are text like any other.
    pub quote: String,
    /// A label that the web knows: utf-8, utf-16le, windows-1252 …
    pub encoding: String,
    /// Does the first line hold the names of the columns?
    pub header: bool,
    /// So many lines stand above it.
    #[serde(skip_serializing_if = "is_zero")]
    pub skip_lines: u32,
    /// One ASCII character: a line that begins with it is no row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// One ASCII character that stands before a quote (or itself) inside quotes and makes it text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape: Option<String>,
}

// By reference, as serde asks.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            quote: "\"".to_owned(),
            encoding: "utf-8".to_owned(),
            header: true,
            skip_lines: 0,
            comment: None,
            escape: None,
        }
    }
}

/// Options that are known to be usable, as the row reader wants them.
pub(super) struct Dialect {
    pub delimiter: u8,
    pub quote: Option<u8>,
    pub encoding: &'static Encoding,
    pub header: bool,
    pub skip_lines: u32,
    pub comment: Option<u8>,
    pub escape: Option<u8>,
}

/// More lines than any title page has.
const MOST_SKIPPED: u32 = 1_000;

impl CsvOptions {
    /// The members of `source` that belong here.
    pub const MEMBERS: [&str; 7] = ["delimiter", "quote", "encoding", "header", "skip_lines", "comment", "escape"];

    /// Words that people type for characters that a form cannot show.
    pub(super) fn tidy(&mut self) {
        match self.delimiter.to_lowercase().as_str() {
            "\\t" | "tab" => self.delimiter = "\t".to_owned(),
            "comma" => self.delimiter = ",".to_owned(),
            "semicolon" => self.delimiter = ";".to_owned(),
            _ => {}
        }
        self.encoding = self.encoding.trim().to_lowercase();
        for mark in [&mut self.comment, &mut self.escape] {
            mark.take_if(|mark| mark.is_empty());
        }
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
        if self.skip_lines > MOST_SKIPPED {
            errors.add("source.skip_lines", "At most 1,000 lines can be skipped.");
        }
        let mark = |text: &Option<String>| text.as_deref().map(one_character);
        let (comment, escape) = (mark(&self.comment), mark(&self.escape));
        if comment.is_some_and(|mark| mark.is_none() || mark == delimiter || mark == quote) {
            errors.add(
                "source.comment",
                "The comment mark is one character, such as #, other than the delimiter and the quote.",
            );
        }
        if escape.is_some_and(|mark| mark.is_none() || mark == delimiter || mark == quote) {
            errors.add(
                "source.escape",
                "The escape is one character, such as \\, other than the delimiter and the quote.",
            );
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
            skip_lines: self.skip_lines,
            comment: comment.flatten(),
            escape: escape.flatten(),
        })
    }
}

fn encoding_by_label(label: &str) -> Option<&'static Encoding> {
    if label == "utf-8-sig" {
        return Some(UTF_8);
    }
    // These two are tricks of browsers that decode nothing.
    Encoding::for_label(label.as_bytes()).filter(|found| *found != REPLACEMENT && *found != X_USER_DEFINED)
}
