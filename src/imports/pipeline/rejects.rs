//! What a load does about rejected rows: writing them down while it goes, fetching in a second pass those that only
//! SQL found, and deciding whether the good ones are loaded.

use crate::applications::blocks::rejects::{self, Notation, RejectBatch};
use crate::db::Conn;
use crate::formats::{CsvOptions, ReadOptions, Record};
use crate::words;

use super::again::Again;
use super::check::Checker;
use super::outcome::{FailureKind, LoadError};
use super::plan::Plan;

/// Writes rejected rows of one run; the original columns come with the first of them.
pub(super) struct Keeper<'a> {
    pub run_id: i64,
    pub checker: &'a Checker,
    notation: Notation,
    head_written: bool,
}

impl<'a> Keeper<'a> {
    /// A download is CSV, with the punctuation of the source where that is CSV too.
    pub fn new(run_id: i64, checker: &'a Checker, read: &ReadOptions, utf8: bool) -> Self {
        let CsvOptions { delimiter, quote, .. } = read.csv().cloned().unwrap_or_default();
        Self { run_id, checker, notation: Notation { delimiter, quote, utf8 }, head_written: false }
    }

    pub fn write(&mut self, conn: &mut Conn, batch: &RejectBatch) -> Result<(), LoadError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.write_head(conn)?;
        rejects::write(conn, self.run_id, batch).map_err(LoadError::from_database)
    }

    fn write_head(&mut self, conn: &mut Conn) -> Result<(), LoadError> {
        if !self.head_written {
            rejects::write_head(conn, self.run_id, &self.checker.head(), &self.notation)
                .map_err(LoadError::from_database)?;
            self.head_written = true;
        }
        Ok(())
    }

    /// Reads the source once more for the rows that were rejected after they had been read, a bounded number of
    /// them in memory at a time.
    pub fn fetch(&mut self, conn: &mut Conn, again: &Again<'_>) -> Result<(), LoadError> {
        const AT_ONCE: i64 = 1_000;
        let mut wanted = next_lines(conn, self.run_id, 0, AT_ONCE)?;
        if wanted.is_empty() {
            return Ok(());
        }
        self.write_head(conn)?;
        let mut reader = again.rows()?;
        let mut record = Record::new();
        let mut batch = RejectBatch::default();
        let mut next = 0;
        while next < wanted.len() && reader.next(&mut record).map_err(from_format)? {
            if record.line() as i64 != wanted[next] {
                continue;
            }
            batch.lines.push(self.checker.line(&record));
            next += 1;
            if next == wanted.len() {
                let last = wanted[next - 1];
                self.write(conn, &batch)?;
                batch.clear();
                wanted = next_lines(conn, self.run_id, last, AT_ONCE)?;
                next = 0;
            }
        }
        if next < wanted.len() {
            return Err(LoadError::new(
                FailureKind::SourceUnreadable,
                "The source was another when it was read a second time.",
            ));
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

/// Whether a load with so many rejected rows may become visible.
pub(super) fn decide(plan: &Plan, read: i64, rejected: i64) -> Result<(), LoadError> {
    if rejected == 0 {
        return Ok(());
    }
    let refuse = |why: String| Err(LoadError::new(FailureKind::Rejected, why));
    let of = format!("{} of {} rejected", words::count(rejected), words::rows(read));
    if rejected >= read {
        return refuse(format!("All {} rejected. Look at the reasons, mend the source or the mapping.", was(read)));
    }
    let policy = &plan.rejects;
    if !policy.load_good.unwrap_or(plan.mode.loads_good()) {
        return refuse(format!(
            "{of}. This import loads nothing when a row is rejected; mend the rows, or let it load the good ones."
        ));
    }
    if let Some(limit) = policy.max_rows
        && rejected > limit
    {
        return refuse(format!("{of}, and this import allows at most {}.", words::count(limit)));
    }
    if let Some(limit) = policy.max_percent
        && rejected as f64 * 100.0 > limit * read as f64
    {
        return refuse(format!("{of}, and this import allows at most {limit} per cent."));
    }
    Ok(())
}

fn was(read: i64) -> String {
    if read == 1 { "1 row was".to_owned() } else { format!("{} were", words::rows(read)) }
}
