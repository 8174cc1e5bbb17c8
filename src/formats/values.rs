//! How values are written in a source, whatever its format: the members of a configuration's `source` that speak of
//! empty cells, numbers and dates, and what is wrong with them in words for the one who typed them.

use chrono::format::Item;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::calendar;
use super::options::{one_character, short};
use crate::error::FieldErrors;

/// Read from text, as people type them; [`ReadOptions::validate`](super::ReadOptions::validate) says whether they can
/// be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ValueOptions {
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
}

impl Default for ValueOptions {
    fn default() -> Self {
        Self {
            nulls: vec![String::new()],
            decimal_point: ".".to_owned(),
            group_separator: None,
            date_format: calendar::ISO_DATE.to_owned(),
            timestamp_format: None,
            time_zone: None,
        }
    }
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

impl ValueOptions {
    /// The members of `source` that belong here.
    pub const MEMBERS: [&str; 6] =
        ["nulls", "decimal_point", "group_separator", "date_format", "timestamp_format", "time_zone"];

    /// Blanks that mean absent.
    pub(super) fn tidy(&mut self) {
        for member in [&mut self.timestamp_format, &mut self.time_zone] {
            if member.as_deref().is_some_and(|text| text.trim().is_empty()) {
                *member = None;
            }
        }
        if self.group_separator.as_deref() == Some("") {
            self.group_separator = None;
        }
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

/// May stand in a number without being taken for a part of it.
fn is_mark(byte: u8) -> bool {
    byte.is_ascii_punctuation() && !matches!(byte, b'-' | b'+')
}
