//! Bytes to rows, and text to typed values: the first half of every load.
//!
//! Every format is read as [`Rows`]: [`Record`]s of byte slices or typed cells, each with the place where it stands and
//! what is damaged about it. A [`Parser`] per mapped column turns a cell into a [`Value`] or says in plain words why it
//! cannot; [`propose`] looks at a source and proposes how to read it. How values are written
//! ([`ValueOptions`]) is apart from each format's own punctuation ([`Format`]).
//!
//! Everything here streams in constant memory and allocates nothing per row or cell, save for what is wrong: a
//! million rows pass through these functions while somebody waits. The room knows no Block, mapping or database.
//!
//! The reader of CSV cuts rows itself instead of asking the `csv` crate, which passes an unclosed quote silently (and
//! takes the rest of the file into one cell before it does), counts records where people count lines, and merges
//! two rows when a quote is lost in the first. Where both accept a file they agree; a property test holds that.

mod above;
mod calendar;
mod cells;
mod change;
mod column_type;
mod csv;
mod dialect;
mod failure;
mod fault;
mod guessing;
mod names;
mod ndjson;
mod number;
mod options;
mod parser;
mod passing;
mod record;
mod rows;
mod source;
mod typed;
mod value;
mod values;

pub use change::{Change, Noted};
pub use column_type::{ColumnType, UnknownWord};
pub use csv::CsvReader;
pub use dialect::CsvOptions;
pub use failure::{Damage, DamageKind, FormatError, Limits};
pub use fault::{CellFault, FaultCode};
pub use guessing::{About, PATIENCE, Proposal, ProposedColumn, Question, Reading, propose, propose_rows, shown};
pub use options::{Compression, Format, ReadOptions};
pub use parser::Parser;
pub use record::Record;
pub use rows::{Cell, Rows, open};
pub use value::{Value, write_text};
pub use values::{Negative, ValueOptions, wrong_nulls};
