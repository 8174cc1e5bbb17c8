//! Why a cell is not what its column holds: a stable code to group by, the reason and the advice in plain words.

use std::fmt;

/// The cause, by which rejected cells are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultCode {
    /// Empty where the column must have a value.
    Missing,
    NotANumber,
    NotAnInteger,
    /// A number, but not a whole one, or not written as one.
    NotWhole,
    TooLarge,
    NotABoolean,
    NotADate,
    NotATimestamp,
    /// Before the year 0001 or after 9999.
    OutOfCalendar,
    NotInEncoding,
    /// A number that would become another one.
    TooPrecise,
    /// An object or a list where one value belongs.
    Nested,
    /// Bytes that are not text.
    Binary,
    /// A value that its translation table lacks.
    NotTranslated,
    /// A text that was made is longer than a cell may be.
    TooLong,
}

impl FaultCode {
    /// The name under which the cause is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotANumber => "not_a_number",
            Self::NotAnInteger => "not_an_integer",
            Self::NotWhole => "not_whole",
            Self::TooLarge => "too_large",
            Self::NotABoolean => "not_a_boolean",
            Self::NotADate => "not_a_date",
            Self::NotATimestamp => "not_a_timestamp",
            Self::OutOfCalendar => "out_of_calendar",
            Self::NotInEncoding => "not_in_encoding",
            Self::TooPrecise => "too_precise",
            Self::Nested => "nested",
            Self::Binary => "binary",
            Self::NotTranslated => "not_translated",
            Self::TooLong => "text_too_long",
        }
    }

    /// The cause as a heading above the cells that share it.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Missing => "Empty where a value is required",
            Self::NotANumber => "Not a number",
            Self::NotAnInteger => "Not an integer",
            Self::NotWhole => "Not a whole number",
            Self::TooLarge => "Number too large",
            Self::NotABoolean => "Neither true nor false",
            Self::NotADate => "Not a date",
            Self::NotATimestamp => "Not a timestamp",
            Self::OutOfCalendar => "Date outside the calendar",
            Self::NotInEncoding => "Not in the file's encoding",
            Self::TooPrecise => "More digits than a number holds",
            Self::Nested => "An object or a list",
            Self::Binary => "Bytes that are not text",
            Self::NotTranslated => "Not in the translation table",
            Self::TooLong => "Text too long",
        }
    }
}

/// What is wrong with one cell. Made only for cells that are wrong, so it may hold its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellFault {
    code: FaultCode,
    words: Box<(String, String)>,
}

impl CellFault {
    pub fn new(code: FaultCode, reason: String, advice: String) -> Self {
        Self { code, words: Box::new((reason, advice)) }
    }

    pub fn code(&self) -> FaultCode {
        self.code
    }

    /// What is wrong and what was expected: `"NA" is not a number. Expected something like 12.5.`
    pub fn reason(&self) -> &str {
        &self.words.0
    }

    /// What to do: `If it means empty, add it to the null markers.`
    pub fn advice(&self) -> &str {
        &self.words.1
    }
}

impl fmt::Display for CellFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.reason(), self.advice())
    }
}

/// A cell between quotes, short enough to stand in a sentence.
pub(super) fn quoted(cell: &[u8]) -> String {
    const LONGEST: usize = 60;
    let text = String::from_utf8_lossy(cell);
    let mut shown: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
