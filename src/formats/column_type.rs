//! The types that a column of a Block can have: one word each, the same in the API, the database and on the page.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Taken as it is.
    Text,
    /// 64 bits; exact money is an integer of minor units.
    Integer,
    /// A double.
    Number,
    Boolean,
    /// A calendar day, 0001 to 9999.
    Date,
    /// An instant, kept in UTC to the microsecond.
    Timestamp,
    /// The key of an item in a Dimension list.
    Dimension,
}

/// A word that names nothing here; says which words would.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{word}\" is not known here; use one of {expected}")]
pub struct UnknownWord {
    pub word: String,
    pub expected: String,
}

impl ColumnType {
    pub const ALL: [Self; 7] =
        [Self::Text, Self::Integer, Self::Number, Self::Boolean, Self::Date, Self::Timestamp, Self::Dimension];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Dimension => "dimension",
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ColumnType {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == word)
            .ok_or_else(|| UnknownWord { word: word.to_owned(), expected: Self::ALL.map(Self::as_str).join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_the_same_in_text_and_in_json() {
        for kind in ColumnType::ALL {
            assert_eq!(kind.as_str().parse::<ColumnType>(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        assert!("float".parse::<ColumnType>().unwrap_err().to_string().contains("text, integer, number"));
    }
}
