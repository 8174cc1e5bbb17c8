//! How values are written in a source, whatever its format: the members of a configuration's `source` that speak of
//! empty cells, numbers and dates, and what is wrong with them in words for the one who typed them.

use chrono::DateTime;
use chrono::format::Item;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::calendar;
use super::number::Numerals;
use super::options::{one_character, short};
use crate::clock::zone_named;
use crate::error::FieldErrors;

/// Read from text, as people type them; [`ReadOptions::validate`](super::ReadOptions::validate) says whether they can
/// be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ValueOptions {
    /// Cells that mean empty. An empty cell is empty whether it stands here or not.
    pub nulls: Vec<String>,
    pub decimal_point: String,
    /// A space stands for every space character, an apostrophe for both.
    pub group_separator: Option<String>,
    /// Where a minus may stand.
    #[serde(skip_serializing_if = "Negative::is_leading")]
    pub negative: Negative,
    /// Texts that a number may carry before or behind it: "$", "EUR", "%"; "%" divides by 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affixes: Vec<String>,
    /// A strftime pattern.
    pub date_format: String,
    /// A strftime pattern; absent: RFC 3339, with or without a zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_format: Option<String>,
    /// The IANA zone of timestamps that have none; absent: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// How a number below zero is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Negative {
    /// With a minus before it.
    #[default]
    Leading,
    /// Also with a minus behind it, or in parentheses.
    Any,
}

impl Negative {
    pub const ALL: [Self; 2] = [Self::Leading, Self::Any];

    // By reference, as serde asks.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_leading(&self) -> bool {
        *self == Self::Leading
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leading => "leading",
            Self::Any => "any",
        }
    }
}

impl Default for ValueOptions {
    fn default() -> Self {
        Self {
            nulls: vec![String::new()],
            decimal_point: ".".to_owned(),
            group_separator: None,
            negative: Negative::Leading,
            affixes: Vec::new(),
            date_format: calendar::ISO_DATE.to_owned(),
            timestamp_format: None,
            time_zone: None,
        }
    }
}

/// Options that are known to be usable, as the value parsers want them.
pub(super) struct Notation {
    pub numerals: Numerals,
    pub nulls: Vec<Box<[u8]>>,
    /// None: the default pattern, which is read by hand.
    pub date_items: Option<Vec<Item<'static>>>,
    pub date_format: String,
    pub timestamp_items: Option<Vec<Item<'static>>>,
    pub timestamp_format: Option<String>,
    pub zone: Tz,
}

const MOST_NULLS: usize = 100;
const MOST_AFFIXES: usize = 10;
const LONGEST_AFFIX: usize = 20;
const LONGEST_MEMBER: usize = 100;

impl ValueOptions {
    /// The members of `source` that belong here.
    pub const MEMBERS: [&str; 8] = [
        "nulls",
        "decimal_point",
        "group_separator",
        "negative",
        "affixes",
        "date_format",
        "timestamp_format",
        "time_zone",
    ];

    /// The zone of times that have none.
    pub fn zone(&self) -> Tz {
        self.time_zone.as_deref().and_then(zone_named).unwrap_or(Tz::UTC)
    }

    /// The day there, counted from 1970-01-01, at an instant in microseconds.
    pub fn day_of(&self, micros: i64) -> i32 {
        let at = DateTime::from_timestamp_micros(micros).unwrap_or_default();
        at.with_timezone(&self.zone()).date_naive().to_epoch_days()
    }

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
        for affix in &mut self.affixes {
            *affix = affix.trim().to_owned();
        }
        self.affixes.retain(|affix| !affix.is_empty());
    }

    pub(super) fn notation(&self) -> Result<Notation, FieldErrors> {
        let mut errors = FieldErrors::new();
        let decimal_point = one_character(&self.decimal_point).filter(|b| is_mark(*b));
        if decimal_point.is_none() {
            errors.add("source.decimal_point", "The decimal point is one character, usually a point or a comma.");
        }
        if let Some(group) = &self.group_separator {
            let is_separator = |c: char| match c {
                c if c.is_ascii() => c == ' ' || is_mark(c as u8),
                // No digits of other scripts, which would be taken out of a number.
                c => !c.is_alphanumeric() && !c.is_control(),
            };
            let usable = group.chars().count() == 1 && group.chars().all(is_separator);
            if !usable {
                errors.add(
                    "source.group_separator",
                    "The group separator is one character other than a digit, such as , or . or a space.",
                );
            } else if *group == self.decimal_point {
                errors.add(
                    "source.group_separator",
                    "The group separator and the decimal point cannot be the same character.",
                );
            }
        }
        let in_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | '(' | ')');
        if self.affixes.len() > MOST_AFFIXES
            || self.affixes.iter().any(|text| text.len() > LONGEST_AFFIX || text.chars().any(in_number))
        {
            errors.add(
                "source.affixes",
                "At most 10 texts beside numbers, such as $ or EUR, each of at most 20 bytes and without \
                 digits, signs or points.",
            );
        }
        if let Some(wrong) = wrong_nulls(&self.nulls) {
            errors.add("source.nulls", wrong);
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
        let zone = match self.time_zone.as_deref().map(zone_named) {
            None => Tz::UTC,
            Some(Some(zone)) => zone,
            Some(None) => {
                errors.add(
                    "source.time_zone",
                    format!(
                        "\"{}\" is not a known time zone. Use a name such as Europe/Paris or UTC.",
                        short(self.time_zone.as_deref().unwrap_or_default())
                    ),
                );
                Tz::UTC
            }
        };
        errors.ok_or(Notation {
            numerals: Numerals::new(
                decimal_point.unwrap_or(b'.'),
                self.group_separator.as_deref(),
                self.negative == Negative::Any,
                &self.affixes,
            ),
            nulls: self.nulls.iter().map(|n| n.as_bytes().into()).collect(),
            date_items,
            date_format: self.date_format.clone(),
            timestamp_items,
            timestamp_format: self.timestamp_format.clone(),
            zone,
        })
    }
}

/// What is wrong with a list of null markers.
pub fn wrong_nulls(nulls: &[String]) -> Option<&'static str> {
    if nulls.len() > MOST_NULLS || nulls.iter().any(|n| n.len() > LONGEST_MEMBER) {
        Some("At most 100 null markers, each of at most 100 bytes.")
    } else if nulls.iter().any(|n| n.contains('\0')) {
        Some("A null marker cannot contain a NUL: a row that contains one is rejected.")
    } else {
        None
    }
}

/// May stand in a number without being taken for a part of it.
fn is_mark(byte: u8) -> bool {
    byte.is_ascii_punctuation() && !matches!(byte, b'-' | b'+')
}
