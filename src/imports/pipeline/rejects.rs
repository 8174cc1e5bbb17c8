//! What a load does about rejected rows: writing them down while it goes, fetching in a second pass those that only
//! SQL found, and deciding whether the good ones are loaded.

use std::collections::BTreeMap;

use crate::applications::blocks::checks::{Found, Room};
use crate::applications::blocks::ledger::LoadRefused;
use crate::applications::blocks::rejects::{self, Cause, Notation, RejectBatch, RejectedLine};
use crate::applications::blocks::{Column, Staging, rejected_rows};
use crate::db::Conn;
use crate::formats::{CsvOptions, Record};
use crate::words;

use super::again::Again;
use super::checker::Checker;
use super::outcome::{FailureKind, LoadError};
use super::plan::Plan;
use super::reading::Reading;
use super::told::{Changes, Told};

/// Writes rejected rows of one run; the original columns come with the first of them.
pub(super) struct Keeper<'a> {
    pub checker: &'a Checker,
    notation: Notation,
    head_written: bool,
    /// So many rows are kept at most.
    keeps: i64,
    kept: i64,
    /// Found by SQL, their cells written down, to be fetched.
    found: i64,
    /// How many rows are only counted, and what was wrong with them.
    beyond: (i64, BTreeMap<(String, String), Cause>),
}

impl<'a> Keeper<'a> {
    /// A download is CSV, with the punctuation of the source where that is CSV too.
    pub fn new(checker: &'a Checker, plan: &Plan, utf8: bool) -> Self {
        let CsvOptions { delimiter, quote, .. } = plan.read.csv().cloned().unwrap_or_default();
        Self {
            checker,
            notation: Notation { delimiter, quote, utf8 },
            head_written: false,
            keeps: plan.keeps,
            kept: 0,
            found: 0,
            beyond: Default::default(),
        }
    }

    /// Keeps rows as long as there is room for them, and counts the others.
    pub fn write(&mut self, conn: &mut Conn, staging: &Staging, batch: &mut RejectBatch) -> Result<(), LoadError> {
        let others = batch.split_off(usize::try_from(self.keeps - self.kept).unwrap_or(0));
        self.beyond.0 += others.lines.len() as i64;
        for cell in others.cells {
            let (key, line) = ((cell.code.clone(), cell.column.clone()), cell.line);
            let (code, column, reason, advice) = (cell.code, cell.column, cell.reason, cell.advice);
            let new = || Cause { code, column, cells: 0, reason, advice, first_line: line };
            self.beyond.1.entry(key).or_insert_with(new).cells += 1;
        }
        self.kept += batch.lines.len() as i64;
        if batch.is_empty() {
            return Ok(());
        }
        self.write_head(conn, staging)?;
        rejects::write(conn, staging, batch).map_err(LoadError::from)
    }

    /// How much of what SQL finds may be written down.
    pub fn room(&self) -> Room {
        let kept = self.kept + self.found;
        Room { left: self.keeps - kept, any: kept > 0 }
    }

    /// Takes note of what SQL found; whether it was anything.
    pub fn take(&mut self, found: Found) -> bool {
        let any = !found.is_empty();
        self.found += found.rows;
        if let Some(cause) = found.beyond {
            self.beyond.0 += cause.cells;
            let new = || Cause { cells: 0, ..cause.clone() };
            self.beyond.1.entry((cause.code.clone(), cause.column.clone())).or_insert_with(new).cells += cause.cells;
        }
        any
    }

    /// How many rows are only counted.
    pub fn beyond_rows(&self) -> i64 {
        self.beyond.0
    }

    /// Writes down what is only counted.
    pub fn write_beyond(&self, conn: &mut Conn, staging: &Staging) -> Result<(), LoadError> {
        if self.beyond.0 == 0 {
            return Ok(());
        }
        let causes: Vec<Cause> = self.beyond.1.values().cloned().collect();
        rejects::write_beyond(conn, staging, &causes).map_err(LoadError::from)
    }

    fn write_head(&mut self, conn: &mut Conn, staging: &Staging) -> Result<(), LoadRefused> {
        if !self.head_written {
            rejects::write_head(conn, staging, &self.checker.head(), &self.notation)?;
            self.head_written = true;
        }
        Ok(())
    }

    /// Of a Block, which is never read again: writes down rejected rows as they are staged, before they leave.
    pub fn keep_staged(&mut self, conn: &mut Conn, staging: &Staging, again: &Again<'_>) -> Result<(), LoadRefused> {
        const AT_ONCE: i64 = 1_000;
        let Again::Block(feed) = again else { return Ok(()) };
        let columns: Vec<Column> = feed.columns.iter().map(|column| column.to.clone()).collect();
        loop {
            let rows = rejected_rows(conn, staging, &columns, AT_ONCE)?;
            if rows.is_empty() {
                return Ok(());
            }
            self.write_head(conn, staging)?;
            let mut batch = RejectBatch::default();
            for row in rows {
                let fields = row.cells.iter().zip(&columns).map(|(cell, c)| cell.text(c.column_type)).collect();
                batch.keep(RejectedLine { line: row.line, fields });
            }
            rejects::write(conn, staging, &batch)?;
        }
    }

    /// Reads the source once more for the rows that were rejected after they had been read, a bounded number of
    /// them in memory at a time.
    pub fn fetch(
        &mut self,
        conn: &mut Conn,
        staging: &Staging,
        again: &Again<'_>,
        changes: &mut Changes,
    ) -> Result<(), LoadError> {
        const AT_ONCE: i64 = 1_000;
        if let Again::Block(_) = again {
            return Ok(());
        }
        let mut wanted = next_lines(conn, staging.run.id, 0, AT_ONCE)?;
        if wanted.is_empty() {
            return Ok(());
        }
        self.write_head(conn, staging)?;
        let mut reader = again.rows()?;
        let mut record = Record::new();
        let mut batch = RejectBatch::default();
        let mut next = 0;
        while next < wanted.len() && reader.next(&mut record).map_err(from_format)? {
            if record.line() as i64 != wanted[next] {
                continue;
            }
            batch.keep(self.checker.line(&record));
            self.checker.take_back(&record, changes);
            next += 1;
            let last = wanted[next - 1];
            if next == wanted.len() || batch.is_full() {
                self.write(conn, staging, &mut batch)?;
                batch.clear();
            }
            if next == wanted.len() {
                wanted = next_lines(conn, staging.run.id, last, AT_ONCE)?;
                next = 0;
            }
        }
        if next < wanted.len() {
            return Err(LoadError::new(FailureKind::SourceUnreadable, "The source changed while it was being read."));
        }
        Ok(())
    }
}

fn next_lines(conn: &mut Conn, run_id: i64, after: i64, limit: i64) -> Result<Vec<i64>, LoadError> {
    rejects::lines_to_fetch(conn, run_id, after, limit).map_err(LoadError::from_database)
}

/// A file that cannot be read, in the words of the room that reads it.
pub(super) fn from_format(error: crate::formats::FormatError) -> LoadError {
    let kind = if error.may_pass() { FailureKind::SourceUnreadable } else { FailureKind::Source };
    LoadError::new(kind, error.to_string())
}

/// Whether a load of which more is to come is worth reading on: nothing that follows could let it become visible once a
/// limit is passed. Where a single rejected row decides, it reads on for as many as are kept, so that all are mended at
/// once.
pub(super) fn goes_on(plan: &Plan, so_far: &Reading) -> Result<(), LoadError> {
    let Reading { rows: read, rejected, changed, .. } = *so_far;
    // Rows that turn out to be wrong only as a whole change nothing: where there may be such, the end decides.
    if let Some(limit) = plan.rejects.max_changed
        && changed > limit
        && !plan.looks_twice()
    {
        return Err(LoadError::new(
            FailureKind::Changed,
            format!(
                "{} of the first {} are changed while loading, and this import allows at most {}. The rest was \
                 not read.",
                words::counted(changed, "cell", "cells"),
                words::rows(read),
                words::count(limit)
            ),
        ));
    }
    let refuse = |why: String| {
        let of = format!("{} of the first {} rejected", words::count(rejected), words::rows(read));
        Err(LoadError::new(FailureKind::Rejected, format!("{of}{why}")))
    };
    match plan.rejects.max_rows {
        _ if rejected == 0 => Ok(()),
        Some(limit) if rejected > limit => {
            refuse(format!(", and this import allows at most {}. The rest was not read.", words::count(limit)))
        }
        _ if rejected >= plan.keeps && !plan.rejects.load_good.unwrap_or(plan.mode.loads_good()) => {
            refuse(". This import loads nothing when a row is rejected, so the rest was not read.".into())
        }
        _ => Ok(()),
    }
}

/// Whether a load with so many rejected rows and changed cells may become visible.
pub(super) fn decide(plan: &Plan, read: i64, rejected: i64, told: &Told) -> Result<(), LoadError> {
    if let Some(limit) = plan.rejects.max_changed
        && told.changed_cells() > limit
    {
        let changes = told.changes_words().unwrap_or_default();
        let why = format!("{changes}. This import allows at most {}.", words::count(limit));
        return Err(LoadError::new(FailureKind::Changed, why));
    }
    if rejected == 0 {
        return Ok(());
    }
    let refuse = |why: String| Err(LoadError::new(FailureKind::Rejected, why));
    let of = format!("{} of {} rejected", words::count(rejected), words::rows(read));
    if rejected >= read {
        return refuse(format!("All {} rejected. Check the reasons, then fix the source or the mapping.", was(read)));
    }
    let policy = &plan.rejects;
    if !policy.load_good.unwrap_or(plan.mode.loads_good()) {
        return refuse(format!(
            "{of}. This import loads nothing when a row is rejected. Fix the rows, or let it load the good ones."
        ));
    }
    if let Some(limit) = policy.max_rows
        && rejected > limit
    {
        let most = words::count(limit);
        return refuse(format!("{of}, and this import allows at most {most}. Fix the rows, or raise the limit."));
    }
    if let Some(limit) = policy.max_percent
        && rejected as f64 * 100.0 > limit * read as f64
    {
        return refuse(format!(
            "{of}, and this import allows at most {limit} per cent. Fix the rows, or raise the limit."
        ));
    }
    Ok(())
}

fn was(read: i64) -> String {
    if read == 1 { "1 row was".to_owned() } else { format!("{} were", words::rows(read)) }
}
