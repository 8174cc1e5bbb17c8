//! What a load tells beside its counts. It goes into the ledger as JSON, so that a run that is ended by somebody else tells
//! it too.

use serde::{Deserialize, Serialize};

use super::plan::Route;
use crate::applications::blocks::ledger::LedgerRow;
use crate::error::{AppError, Result};
use crate::formats::Change;
use crate::words;

/// Cells of one column that were changed while loading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The column's name in the source.
    pub column: String,
    pub kind: Change,
    pub cells: i64,
}

/// What a load tells beside its counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// By column and kind, in the order of the columns.
    pub changes: Vec<Changed>,
    /// Blank lines, which are not rows.
    pub blank: i64,
    /// By equal names, when nobody knew them before: the Block's columns that the source fills.
    pub learned: Option<Vec<String>>,
    /// Columns of the source that the Block has too and that are none of the import's.
    pub new_columns: Vec<String>,
    /// How many items were created, by their list.
    pub created: Vec<(String, i64)>,
}

impl Told {
    /// As the ledger has it.
    pub fn of(row: &LedgerRow) -> Result<Self> {
        Self::read(row.told.as_deref())
    }

    /// As it was stored; what was stored before there was anything to tell says nothing.
    pub fn read(stored: Option<&str>) -> Result<Self> {
        stored.map_or_else(|| Ok(Self::default()), |text| serde_json::from_str(text).map_err(AppError::internal))
    }

    /// To be stored; nothing where there is nothing to tell.
    pub fn written(&self) -> Result<Option<String>> {
        if *self == Self::default() {
            return Ok(None);
        }
        serde_json::to_string(self).map(Some).map_err(AppError::internal)
    }

    /// Cells that were changed while loading.
    pub fn changed_cells(&self) -> i64 {
        self.changes.iter().map(|changed| changed.cells).sum()
    }

    /// "12 cells are changed while loading: 9 of Code (leading zeros dropped), 3 of …"
    pub fn changes_words(&self) -> Option<String> {
        const MOST: usize = 5;
        if self.changes.is_empty() {
            return None;
        }
        let each = |c: &Changed| format!("{} of {} ({})", words::count(c.cells), c.column, c.kind.words());
        let mut listed: Vec<String> = self.changes.iter().take(MOST).map(each).collect();
        if self.changes.len() > MOST {
            listed.push(format!("{} in other ways", words::count(self.changes[MOST..].iter().map(|c| c.cells).sum())));
        }
        let cells = self.changed_cells();
        let are = if cells == 1 { "is" } else { "are" };
        let cells = words::counted(cells, "cell", "cells");
        Some(format!("{cells} {are} changed while loading: {}", listed.join(", ")))
    }

    /// "3 blank lines were skipped."
    pub fn blank_words(&self) -> Option<String> {
        let were = if self.blank == 1 { "was" } else { "were" };
        (self.blank > 0).then(|| format!("{} {were} skipped.", words::counted(self.blank, "blank line", "blank lines")))
    }

    /// What is to be said of a run that did well.
    pub fn remark(&self) -> Option<String> {
        words::sentences([self.created_words(["item was", "items were"]), self.columns_words()])
    }

    /// The same of a test run, which does nothing.
    pub fn would_remark(&self) -> Option<String> {
        words::sentences([self.created_words(["item would be", "items would be"]), self.columns_words()])
    }

    /// "12 items were created in Cost centres."
    fn created_words(&self, [one, many]: [&str; 2]) -> Option<String> {
        let each = |(list, items): &(String, i64)| {
            format!("{} {} created in {list}.", words::count(*items), if *items == 1 { one } else { many })
        };
        let said: Vec<String> = self.created.iter().map(each).collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    fn columns_words(&self) -> Option<String> {
        let names: Vec<String> = self.new_columns.iter().take(10).map(|name| format!("\"{name}\"")).collect();
        let columns = match names.len() {
            0 => return None,
            1 => "a new column",
            _ => "new columns",
        };
        Some(format!(
            "The source has {columns}, which this import does not load: {}. To load them, edit the import to find its \
             columns again.",
            names.join(", ")
        ))
    }
}

/// Counts what is changed, by route and kind.
#[derive(Debug, Default)]
pub(super) struct Changes {
    cells: Vec<[i64; Change::ALL.len()]>,
    total: i64,
    /// Of the row that is being checked, which may yet be rejected.
    of_row: Vec<(usize, Change)>,
}

impl Changes {
    pub fn of(routes: usize) -> Self {
        Self { cells: vec![[0; Change::ALL.len()]; routes], ..Self::default() }
    }

    #[cold]
    pub fn see(&mut self, route: usize, change: Change) {
        self.of_row.push((route, change));
    }

    /// Ends a row: what changed in it counts where it is loaded.
    #[inline]
    pub fn end_row(&mut self, good: bool) {
        if !self.of_row.is_empty() {
            self.count(good);
        }
    }

    #[cold]
    fn count(&mut self, good: bool) {
        for (route, change) in self.of_row.drain(..).filter(|_| good) {
            self.cells[route][change as usize] += 1;
            self.total += 1;
        }
    }

    pub fn take_back(&mut self, route: usize, change: Change) {
        self.cells[route][change as usize] -= 1;
        self.total -= 1;
    }

    pub fn total(&self) -> i64 {
        self.total
    }

    pub fn told(&self, routes: &[Route]) -> Vec<Changed> {
        let counted = self.cells.iter().zip(routes).flat_map(|(cells, route)| {
            let kinds = Change::ALL.into_iter().zip(cells).filter(|(_, cells)| **cells > 0);
            kinds.map(|(kind, cells)| Changed { column: route.source_name.clone(), kind, cells: *cells })
        });
        counted.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_load_tells_is_stored_and_said() {
        let changed = |column: &str, kind, cells| Changed { column: column.into(), kind, cells };
        let told = Told {
            changes: vec![changed("Code", Change::LeadingZeros, 1_200), changed("Amount", Change::NullMarker, 1)],
            blank: 1,
            ..Told::default()
        };
        assert_eq!(Told::read(told.written().unwrap().as_deref()).unwrap(), told);
        assert_eq!(
            told.changes_words().unwrap(),
            "1,201 cells are changed while loading: 1,200 of Code (leading zeros dropped), 1 of Amount (null \
             marker emptied)"
        );
        assert_eq!(told.blank_words().unwrap(), "1 blank line was skipped.");
        assert_eq!(Told::default().written().unwrap(), None);
        assert_eq!(Told::read(None).unwrap(), Told::default());
    }
}
