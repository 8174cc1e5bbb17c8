//! What can be wrong with a file: [`FormatError`] ends the run, [`Damage`] costs one row. Each says what happened
//! in words for people, and what to do about it.

use std::io;

use crate::error::FieldErrors;

/// How much a source may hold, so that a small file cannot grow without end once it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes after decompression.
    pub decoded_bytes: u64,
    /// Rows, the header not counted.
    pub rows: u64,
    /// Cells in one row.
    pub columns: usize,
    /// Bytes of one cell, as UTF-8.
    pub cell_bytes: usize,
    /// Bytes of one row, as UTF-8: what the reader will hold in memory at most.
    pub row_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            decoded_bytes: 20 * 1024 * 1024 * 1024,
            rows: 100_000_000,
            columns: 2_000,
            cell_bytes: 64 * 1024,
            row_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Why a file cannot be read to its end. Nothing of such a file is loaded.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    #[error("{0}")]
    Options(FieldErrors),
    /// A quote opened on this line and was never closed, so all that follows it would be one cell.
    #[error(
        "The file is cut off: the quote opened on line {line} is never closed. \
         Send the whole file again, or close the quote."
    )]
    CutAt { line: u64 },
    #[error("Line {line} has more than {limit} columns, the most a source may have. Check the delimiter.")]
    TooManyColumns { line: u64, limit: usize },
    #[error("The source is too large: more than {0}. Split it into several files.")]
    TooLarge(String),
    #[error("The compressed file ends too early: part of it is missing. Send the whole file again.")]
    CutCompressed,
    #[error("The file cannot be decompressed ({0}). If it is not gzip, set the source's compression to none.")]
    BadCompressed(String),
    /// The bytes are something else than text, and which.
    #[error("{0}")]
    NotCsv(String),
    #[error(
        "The column names on line {line} contain bytes that are not {encoding}. Set the encoding that the file has."
    )]
    HeaderNotInEncoding { line: u64, encoding: String },
    /// The source stopped giving bytes. The cause is the connector's, and may pass.
    #[error("The source could not be read: {0}")]
    Read(#[source] io::Error),
    /// What gives the rows failed, in its own words.
    #[error("{cause}")]
    Source { cause: Box<dyn std::error::Error + Send + Sync>, may_pass: bool },
}

impl FormatError {
    /// May another attempt succeed with the same file and the same options?
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Read(_) | Self::CutCompressed | Self::Source { may_pass: true, .. })
    }

    /// A stable name for grouping.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Options(_) => "bad_options",
            Self::CutAt { .. } => "cut_at",
            Self::TooManyColumns { .. } => "too_many_columns",
            Self::TooLarge(_) => "source_too_large",
            Self::CutCompressed => "cut_compressed",
            Self::BadCompressed(_) => "bad_compressed",
            Self::NotCsv(_) => "not_csv",
            Self::HeaderNotInEncoding { .. } => "header_not_in_encoding",
            Self::Read(_) | Self::Source { .. } => "source_not_readable",
        }
    }

    /// Carries the error through readers that know only `io::Error`.
    pub(super) fn into_io(self) -> io::Error {
        io::Error::other(self)
    }

    /// The error that a reader below carried up, or `otherwise` for one of its own making.
    pub(super) fn from_io(error: io::Error, otherwise: impl FnOnce(io::Error) -> Self) -> Self {
        match error.downcast::<Self>() {
            Ok(carried) => carried,
            Err(plain) => otherwise(plain),
        }
    }
}

/// What is wrong with one row, and in which column (0-based) where it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    pub column: Option<usize>,
    pub kind: DamageKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamageKind {
    ShortRow {
        expected: usize,
        found: usize,
    },
    LongRow {
        expected: usize,
        found: usize,
    },
    /// The same, because a quote after a space opens no quoted cell.
    QuoteAfterSpace {
        expected: usize,
        found: usize,
    },
    NotInEncoding,
    Nul,
    TextTooLong {
        limit: usize,
    },
    RowTooLong {
        limit: usize,
    },
    /// Something stands between a closing quote and the next delimiter.
    StrayQuote,
    /// Of what is UTF-8 and nothing else.
    NotUtf8,
    /// The line is no JSON, from this byte on.
    NotJson {
        at: usize,
    },
    /// JSON, but not an object.
    NotAnObject,
    /// The column is a member that the object names twice.
    DuplicateKey,
    TooDeep {
        limit: usize,
    },
    /// The name of a member.
    KeyTooLong {
        limit: usize,
    },
    NulInKey,
}

impl DamageKind {
    /// Whether the lines that the row took may have been rows of their own.
    pub(super) fn takes_lines(&self) -> bool {
        matches!(self, Self::StrayQuote | Self::TextTooLong { .. } | Self::RowTooLong { .. })
    }
}

impl Damage {
    /// A stable name for grouping by cause.
    pub fn code(&self) -> &'static str {
        match self.kind {
            DamageKind::ShortRow { .. } => "short_row",
            DamageKind::LongRow { .. } | DamageKind::QuoteAfterSpace { .. } => "long_row",
            DamageKind::NotInEncoding | DamageKind::NotUtf8 => "not_in_encoding",
            DamageKind::Nul | DamageKind::NulInKey => "nul",
            DamageKind::TextTooLong { .. } => "text_too_long",
            DamageKind::RowTooLong { .. } => "row_too_long",
            DamageKind::StrayQuote => "stray_quote",
            DamageKind::NotJson { .. } => "not_json",
            DamageKind::NotAnObject => "not_an_object",
            DamageKind::DuplicateKey => "duplicate_key",
            DamageKind::TooDeep { .. } => "too_deep",
            DamageKind::KeyTooLong { .. } => "member_name_too_long",
        }
    }

    /// What is wrong, in plain words.
    pub fn reason(&self) -> String {
        match self.kind {
            DamageKind::ShortRow { expected, found } => {
                format!("The row is too short: {} where the header has {expected}.", cells(found))
            }
            DamageKind::LongRow { expected, found } | DamageKind::QuoteAfterSpace { expected, found } => {
                format!("The row is too long: {} where the header has {expected}.", cells(found))
            }
            DamageKind::NotInEncoding => "The cell contains bytes that are not in the file's encoding.".to_owned(),
            DamageKind::Nul => "The cell contains a NUL byte.".to_owned(),
            DamageKind::TextTooLong { limit } => {
                format!("The text is too long: more than {} KiB in one cell.", limit / 1024)
            }
            DamageKind::RowTooLong { limit } => {
                format!("The row is too long: more than {} MiB.", limit / (1024 * 1024))
            }
            DamageKind::StrayQuote => "There is text after the closing quote.".to_owned(),
            DamageKind::NotUtf8 => "The line contains bytes that are not UTF-8.".to_owned(),
            DamageKind::NotJson { at } => format!("The line stops being JSON at its byte {}.", at + 1),
            DamageKind::NotAnObject => "The line is JSON, but not an object.".to_owned(),
            DamageKind::DuplicateKey => "The object has this member twice.".to_owned(),
            DamageKind::TooDeep { limit } => {
                format!("The object is nested too deeply: more than {limit} levels of objects and lists.")
            }
            DamageKind::KeyTooLong { limit } => {
                format!("The object has a member whose name is too long: more than {} KiB.", limit / 1024)
            }
            DamageKind::NulInKey => "The object has a member whose name contains a NUL.".to_owned(),
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self.kind {
            DamageKind::ShortRow { .. } => "Add the missing cells. If a cell contains a line break, quote the cell.",
            DamageKind::QuoteAfterSpace { .. } => {
                "Remove the space before the quote: a quote counts only as the first character of its cell."
            }
            DamageKind::LongRow { .. } => "Quote the cell that contains the delimiter, or remove the extra cells.",
            DamageKind::NotInEncoding => {
                "Set the source's encoding to the one the file was written in, such as windows-1252."
            }
            DamageKind::Nul => "Remove the NUL byte; if the file has many, its encoding may be utf-16le.",
            DamageKind::TextTooLong { .. } | DamageKind::RowTooLong { .. } => {
                "Shorten the text, or look for an unclosed quote on this line."
            }
            DamageKind::StrayQuote => {
                "Double a quote inside a quoted cell (\"\"), and look for an unclosed quote above."
            }
            DamageKind::NotJson { .. } | DamageKind::NotAnObject => {
                "Write one JSON object on each line, such as {\"day\": \"2026-11-22\", \"amount\": 12}."
            }
            DamageKind::NotUtf8 => "Write the file in UTF-8.",
            DamageKind::DuplicateKey => "Keep only one of them.",
            DamageKind::KeyTooLong { .. } => "Give the member a short name at the source, or leave it out.",
            DamageKind::NulInKey => "Remove the NUL from the name at the source.",
            DamageKind::TooDeep { .. } => "Flatten it at the source, or leave the member out.",
        }
    }
}

fn cells(count: usize) -> String {
    if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") }
}
