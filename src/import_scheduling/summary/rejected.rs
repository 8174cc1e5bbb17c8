//! What a run rejected: each cause once, a few of its rows folded below it, and what can be done about it.

use super::RunScene;
use crate::applications::blocks::rejects::{Cause, RejectedCell};
use crate::imports;
use crate::words;

/// How many rows of each cause the page shows; the download has all.
pub(super) const EXAMPLES: i64 = 5;

/// Longer texts and those with a digit in them are values, if wrong ones.
const MARKER_CHARS: usize = 12;

/// So many characters of a value are kept.
const WHOLE_CHARS: usize = 200;

pub(super) struct CauseRow {
    pub code: String,
    pub cells: String,
    pub reason: String,
    pub column: String,
    pub advice: String,
    pub rows: Vec<RejectRow>,
    pub more: Option<String>,
    pub empty: Option<Empty>,
    /// A value that may become another one everywhere, and what it becomes since, if somebody said so.
    pub translate: Option<(String, Option<String>)>,
    /// The items that are missing could be created.
    pub creates: bool,
}

pub(super) struct RejectRow {
    pub line: i64,
    pub value: String,
}

/// What stands in the cells may mean empty.
pub(super) struct Empty {
    pub value: String,
    /// It was said to since.
    pub done: bool,
}

impl RunScene {
    pub(super) fn cause_rows(&self) -> Vec<CauseRow> {
        self.causes.iter().map(|cause| self.cause_row(cause)).collect()
    }

    fn cause_row(&self, cause: &Cause) -> CauseRow {
        let of = |cell: &&RejectedCell| cell.code == cause.code && cell.column == cause.column;
        let cells: Vec<&RejectedCell> = self.rejects.iter().filter(of).collect();
        let shown = cells.len() as i64;
        CauseRow {
            code: cause.code.clone(),
            cells: words::count(cause.cells),
            reason: cause.reason.clone(),
            column: cause.column.clone(),
            advice: cause.advice.clone(),
            more: (cause.cells > shown)
                .then(|| format!("The first {} of {}. The download has them all.", shown, words::count(cause.cells))),
            empty: self.empty(cause, &cells),
            translate: self.translate(cause, &cells),
            creates: self.creates(cause),
            rows: cells
                .into_iter()
                .map(|cell| RejectRow {
                    line: cell.line,
                    value: if cell.value.is_empty() { "(empty)".into() } else { cell.value.clone() },
                })
                .collect(),
        }
    }

    /// The first value that is meant for another, where the column is one of the source that is mapped.
    fn translate(&self, cause: &Cause, cells: &[&RejectedCell]) -> Option<(String, Option<String>)> {
        if !self.entered.may_configure() || self.is_fed() {
            return None;
        }
        let line = imports::translatable(self.newest.as_ref()?, self.block.as_ref()?, &cause.column, &cause.code)?;
        // A longer one is not kept whole.
        let whole = |cell: &&&RejectedCell| !cell.value.is_empty() && cell.value.chars().count() < WHOLE_CHARS;
        let value = cells.iter().find(whole)?.value.clone();
        let table = line.transform.translate.and_then(|id| self.tables.iter().find(|table| table.id == id));
        let since = imports::becomes_since(table, &line, &value);
        Some((value, since))
    }

    fn creates(&self, cause: &Cause) -> bool {
        let (Some(newest), Some(block)) = (&self.newest, &self.block) else { return false };
        // A list that names its own items brings them along.
        let filled = imports::filled(newest, &cause.column).and_then(|name| block.column(name));
        let of_another = filled.and_then(|column| column.dimension_block_id).is_some_and(|list| list != block.id);
        let rejects = newest.unknown_items == imports::UnknownItems::Reject;
        cause.code == "unknown_item" && rejects && of_another && self.entered.may_configure()
    }

    /// Whether a Block is the source: its cells are loaded as they are.
    fn is_fed(&self) -> bool {
        self.configuration.as_ref().is_some_and(|configuration| configuration.source_block_id.is_some())
    }

    /// A sign that somebody wrote into cells that have no value, where those may be empty.
    fn empty(&self, cause: &Cause, cells: &[&RejectedCell]) -> Option<Empty> {
        const TYPES: [&str; 5] = ["not_a_number", "not_an_integer", "not_a_boolean", "not_a_date", "not_a_timestamp"];
        if !TYPES.contains(&cause.code.as_str()) || !self.entered.may_configure() {
            return None;
        }
        let sign = |cell: &&&RejectedCell| {
            !cell.value.trim().is_empty()
                && cell.value.chars().count() <= MARKER_CHARS
                && !cell.value.contains(|c: char| c.is_ascii_digit())
        };
        let value = cells.iter().find(sign)?.value.clone();
        let newest = self.newest.as_ref()?;
        let column = self.block.as_ref()?.column(imports::filled(newest, &cause.column)?)?;
        if column.must_be_filled() {
            return None;
        }
        let done = imports::markers(newest, &cause.column).contains(&value);
        Some(Empty { value, done })
    }
}
