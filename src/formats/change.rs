//! How loading may change a good cell. The readers of values note a change where they make it, so that a cell that does
//! not change costs nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What happened to the text of a cell. If several apply to one cell, the last of them here counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Spaces,
    Plus,
    LeadingZeros,
    Exponent,
    /// Of a number that could have been a decimal: 1.250 loaded as 1250.
    GroupSeparator,
    /// More digits of a second than are kept.
    SecondDigits,
    /// A leap second, or a local time that a clock change skips.
    Time,
    NullMarker,
}

impl Change {
    pub const ALL: [Self; 8] = [
        Self::Spaces,
        Self::Plus,
        Self::LeadingZeros,
        Self::Exponent,
        Self::GroupSeparator,
        Self::SecondDigits,
        Self::Time,
        Self::NullMarker,
    ];

    /// The name under which it is counted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spaces => "spaces",
            Self::Plus => "plus",
            Self::LeadingZeros => "leading_zeros",
            Self::Exponent => "exponent",
            Self::GroupSeparator => "group_separator",
            Self::SecondDigits => "second_digits",
            Self::Time => "time",
            Self::NullMarker => "null_marker",
        }
    }

    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Spaces => "spaces trimmed",
            Self::Plus => "plus dropped",
            Self::LeadingZeros => "leading zeros dropped",
            Self::Exponent => "exponent resolved",
            Self::GroupSeparator => "group separator removed",
            Self::SecondDigits => "digits of a second dropped",
            Self::Time => "time shifted",
            Self::NullMarker => "null marker emptied",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a reader notes what it changes in a cell.
pub type Noted = Option<Change>;

/// Notes a change; of several the last by their order stays.
#[cold]
pub(super) fn note(noted: &mut Noted, change: Change) {
    *noted = (*noted).max(Some(change));
}
