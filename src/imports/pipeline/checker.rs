//! One row of the source into one row of a batch, or into the rejects with every cell of it that is wrong.

use crate::applications::blocks::batch::Batch;
use crate::applications::blocks::rejects::{RejectBatch, RejectedCell, RejectedLine, cut_field, cut_value};
use crate::formats::{CellFault, Record, Value};

use super::plan::{Place, Route};
use super::told::Changes;

/// The most bytes that the key cells of a row may have together: what an index of either database takes.
pub(super) const KEY_BYTES: usize = 2_000;

/// Turns records into rows, as the routes say.
pub(super) struct Checker {
    routes: Vec<Route>,
    /// The columns of the source, and those that a rejected-rows download added.
    source: Vec<String>,
    ignored: Vec<usize>,
    /// So many rejected rows are staged too, their bad cells empty, so that the items they name are checked as well.
    /// They leave the staging table by what is kept of them: one that is only counted must never get there.
    pub stages: i64,
    has_key: bool,
}

impl Checker {
    pub fn new(routes: Vec<Route>, source: Vec<String>, ignored: Vec<usize>, stages: i64) -> Self {
        let has_key = routes.iter().any(|route| route.column.key);
        Self { routes, source, ignored, stages, has_key }
    }

    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Checks a record, before which so many were rejected; true when its row is good and stands at the end of the batch.
    #[inline]
    pub fn row(
        &self,
        record: &Record,
        batch: &mut Batch,
        rejects: &mut RejectBatch,
        rejected: i64,
        changes: &mut Changes,
    ) -> bool {
        if record.is_damaged() {
            return self.damaged(record, batch, rejects);
        }
        let found = rejects.cells.len();
        let mut key_bytes = 0;
        // Nothing is allocated before something is written.
        let mut made = String::new();
        for (place, route) in self.routes.iter().enumerate() {
            match &route.from {
                Place::Cell(index) => {
                    let mut noted = None;
                    match route.parser.take_noting(record.cell(*index), &mut noted) {
                        Ok(value) => {
                            batch.push(value);
                            if let Some(change) = noted {
                                changes.see(place, change);
                            }
                        }
                        Err(fault) => {
                            batch.push(Value::Empty);
                            rejects.cells.push(wrong_cell(record, route, &record.text(*index), &fault));
                        }
                    }
                    if self.has_key && route.column.key {
                        key_bytes += record.field(*index).len();
                    }
                }
                Place::Constant(cell) => batch.push(cell.value()),
                Place::Made(maker) => {
                    let mut noted = None;
                    match maker.make(record, &mut made, &mut noted) {
                        Ok(value) => {
                            if let (true, Value::Text(text)) = (self.has_key && route.column.key, value) {
                                key_bytes += text.len();
                            }
                            batch.push(value);
                            if let Some(change) = noted {
                                changes.see(place, change);
                            }
                        }
                        Err(fault) => {
                            batch.push(Value::Empty);
                            rejects.cells.push(wrong_cell(record, route, &maker.came(record), &fault));
                        }
                    }
                }
            }
        }
        if key_bytes > KEY_BYTES {
            self.key_too_long(record, rejects);
        }
        let good = rejects.cells.len() == found;
        changes.end_row(good);
        if good {
            batch.end_row(record.line());
            return true;
        }
        self.keep(record, rejects);
        if rejected < self.stages {
            batch.end_row(record.line());
        } else {
            batch.drop_row();
        }
        false
    }

    /// A row that is damaged as a row. Where its cells stand where they belong, the others are checked as well.
    #[cold]
    fn damaged(&self, record: &Record, batch: &mut Batch, rejects: &mut RejectBatch) -> bool {
        let line = record.line() as i64;
        for damage in record.damage() {
            let column = damage.column.and_then(|index| self.source.get(index)).cloned().unwrap_or_default();
            rejects.cells.push(RejectedCell {
                line,
                column,
                value: damage.column.map(|index| cut_value(&record.text(index))).unwrap_or_default(),
                code: damage.code().to_owned(),
                reason: record.reason(damage),
                advice: damage.advice().to_owned(),
            });
        }
        if record.damage().iter().all(|damage| damage.column.is_some()) {
            let whole = |index: usize| !record.damage().iter().any(|damage| damage.column == Some(index));
            let mut made = String::new();
            for route in &self.routes {
                match &route.from {
                    Place::Cell(index) if whole(*index) => {
                        if let Err(fault) = route.parser.take(record.cell(*index)) {
                            rejects.cells.push(wrong_cell(record, route, &record.text(*index), &fault));
                        }
                    }
                    Place::Made(maker) if maker.cells().all(whole) => {
                        if let Err(fault) = maker.make(record, &mut made, &mut None) {
                            rejects.cells.push(wrong_cell(record, route, &maker.came(record), &fault));
                        }
                    }
                    _ => {}
                }
            }
        }
        self.keep(record, rejects);
        batch.drop_row();
        false
    }

    /// Takes back what was counted of a row that had passed and is not loaded after all.
    pub fn take_back(&self, record: &Record, changes: &mut Changes) {
        let mut made = String::new();
        for (place, route) in self.routes.iter().enumerate() {
            let mut noted = None;
            let good = match &route.from {
                Place::Cell(index) => route.parser.take_noting(record.cell(*index), &mut noted).is_ok(),
                Place::Made(maker) => maker.make(record, &mut made, &mut noted).is_ok(),
                Place::Constant(_) => false,
            };
            if let (true, Some(change)) = (good, noted) {
                changes.take_back(place, change);
            }
        }
    }

    #[cold]
    fn key_too_long(&self, record: &Record, rejects: &mut RejectBatch) {
        let keys: Vec<&Route> = self.routes.iter().filter(|route| route.column.key).collect();
        let names: Vec<&str> = keys.iter().map(|route| route.source_name.as_str()).collect();
        let value = keys.first().map(|route| match &route.from {
            Place::Cell(index) => cut_value(&record.text(*index)),
            Place::Made(maker) => cut_value(&maker.came(record)),
            Place::Constant(_) => String::new(),
        });
        rejects.cells.push(RejectedCell {
            line: record.line() as i64,
            column: names.join(", "),
            value: value.unwrap_or_default(),
            code: "key_too_long".to_owned(),
            reason: format!("The key is too long: more than {KEY_BYTES} bytes."),
            advice: "Shorten it, or choose another column as key.".to_owned(),
        });
    }

    /// Keeps the row as it came.
    pub fn keep(&self, record: &Record, rejects: &mut RejectBatch) {
        rejects.keep(self.line(record));
    }

    /// A row as it came, without the columns that a rejected-rows download added.
    pub fn line(&self, record: &Record) -> RejectedLine {
        let fields = (0..record.len())
            .filter(|index| !self.ignored.contains(index))
            .map(|index| cut_field(record.field(index)))
            .collect();
        RejectedLine { line: record.line() as i64, fields }
    }

    /// The original columns, likewise.
    pub fn head(&self) -> Vec<&str> {
        (0..self.source.len())
            .filter(|index| !self.ignored.contains(index))
            .map(|index| self.source[index].as_str())
            .collect()
    }
}

/// A cell of a row that is wrong, as it came.
#[cold]
fn wrong_cell(record: &Record, route: &Route, came: &str, fault: &CellFault) -> RejectedCell {
    RejectedCell {
        line: record.line() as i64,
        column: route.source_name.clone(),
        value: cut_value(came),
        code: fault.code().as_str().to_owned(),
        reason: fault.reason().to_owned(),
        advice: fault.advice().to_owned(),
    }
}
