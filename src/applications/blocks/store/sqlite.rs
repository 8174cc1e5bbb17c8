//! Rows into SQLite by its C interface: the one file where `unsafe` is allowed, because Diesel prepares no statement
//! of run-time SQL twice and copies every text that it binds, which costs half the speed of a load.
//!
//! What makes each `unsafe` block sound: the connection and its statements are owned by one [`SqliteLoader`], used by
//! one thread at a time, and freed once, statements first; every text that is bound stays where it is until the
//! statement has been stepped and its bindings cleared, all within one call of `push`, which holds the batch.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_int};
use std::path::Path;
use std::ptr;

use libsqlite3_sys as ffi;

use super::staging::Staging;
use crate::applications::blocks::batch::{Batch, Datum};
use crate::db::meaning;
use crate::error::{AppError, Result};

/// Rows that one statement inserts.
const ROWS: usize = 20;
/// SQLite's limit on the variables of a statement.
const MAX_VARIABLES: usize = 32_766;

/// Writes batches into a staging table, a transaction each.
pub struct SqliteLoader {
    /// Declared first, dropped first.
    many: Statement,
    single: Statement,
    rows_at_once: usize,
    db: Database,
}

struct Database(*mut ffi::sqlite3);

struct Statement(*mut ffi::sqlite3_stmt);

// SAFETY: the handle is owned here alone and SQLite is built threadsafe; it moves between threads, and is never
// used by two at once, since every use needs `&mut`.
unsafe impl Send for Database {}
// SAFETY: as above.
unsafe impl Send for Statement {}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: opened by `Database::open` and closed only here; the statements, declared before it, are gone.
        unsafe { ffi::sqlite3_close(self.0) };
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: prepared by `Database::prepare` and finalized only here; null is allowed.
        unsafe { ffi::sqlite3_finalize(self.0) };
    }
}

impl SqliteLoader {
    /// For batches whose cells are these physical columns of the staging table, on a connection of its own.
    pub fn open(path: &Path, staging: &Staging, file: i32, columns: &[String]) -> Result<Self> {
        let db = Database::open(path)?;
        let variables = columns.len() + 1;
        let rows_at_once = (MAX_VARIABLES / variables).clamp(1, ROWS);
        let names: String = columns.iter().map(|column| format!(", {column}")).collect();
        let row = format!("({file}{})", ", ?".repeat(variables));
        let insert = |rows: usize| {
            let values = vec![row.as_str(); rows].join(", ");
            format!("INSERT INTO {} (_file, _line{names}) VALUES {values}", staging.table)
        };
        let many = db.prepare(&insert(rows_at_once))?;
        let single = db.prepare(&insert(1))?;
        Ok(Self { many, single, rows_at_once, db })
    }

    /// Writes a batch and commits it. No transaction is open before or after.
    pub fn push(&mut self, batch: &Batch) -> Result<()> {
        self.db.execute(c"BEGIN IMMEDIATE")?;
        let written = self.insert(batch).and_then(|()| self.db.execute(c"COMMIT"));
        if written.is_err() {
            // The first error is the one worth telling; SQLite may have rolled back by itself.
            let _ = self.db.execute(c"ROLLBACK");
        }
        written
    }

    fn insert(&self, batch: &Batch) -> Result<()> {
        let mut row = 0;
        while row + self.rows_at_once <= batch.len() {
            self.run(&self.many, batch, row, self.rows_at_once)?;
            row += self.rows_at_once;
        }
        while row < batch.len() {
            self.run(&self.single, batch, row, 1)?;
            row += 1;
        }
        Ok(())
    }

    /// Binds so many rows from `first` on, steps the statement and resets it.
    fn run(&self, statement: &Statement, batch: &Batch, first: usize, rows: usize) -> Result<()> {
        let stmt = statement.0;
        let mut place: c_int = 1;
        let mut bound = ffi::SQLITE_OK;
        for row in first..first + rows {
            // SAFETY: `stmt` is a live statement of this connection with a variable for every cell of `rows` rows
            // and their lines. Text is bound as SQLITE_STATIC: it lies in `batch`, which outlives the step below,
            // after which the bindings are overwritten or cleared before anybody steps again.
            unsafe {
                bound |= ffi::sqlite3_bind_int64(stmt, place, batch.line(row));
                place += 1;
                for datum in batch.row(row) {
                    bound |= match *datum {
                        Datum::Empty => ffi::sqlite3_bind_null(stmt, place),
                        Datum::Text { start, len } => {
                            let text = batch.text(start, len);
                            ffi::sqlite3_bind_text(
                                stmt,
                                place,
                                text.as_ptr().cast(),
                                text.len() as c_int,
                                ffi::SQLITE_STATIC(),
                            )
                        }
                        Datum::Integer(number) => ffi::sqlite3_bind_int64(stmt, place, number),
                        Datum::Number(number) => ffi::sqlite3_bind_double(stmt, place, number),
                        Datum::Boolean(truth) => ffi::sqlite3_bind_int(stmt, place, truth.into()),
                        Datum::Date(days) => ffi::sqlite3_bind_int(stmt, place, days),
                        Datum::Timestamp(micros) => ffi::sqlite3_bind_int64(stmt, place, micros),
                    };
                    place += 1;
                }
            }
        }
        if bound != ffi::SQLITE_OK {
            return Err(self.db.error(bound));
        }
        // SAFETY: the statement is live and all its variables are bound; `batch` is borrowed beyond this block.
        let (stepped, reset) = unsafe { (ffi::sqlite3_step(stmt), ffi::sqlite3_reset(stmt)) };
        if stepped != ffi::SQLITE_DONE {
            return Err(self.db.error(if reset == ffi::SQLITE_OK { stepped } else { reset }));
        }
        Ok(())
    }
}

impl Database {
    fn open(path: &Path) -> Result<Self> {
        let name = CString::new(path.to_string_lossy().as_bytes()).map_err(AppError::internal)?;
        let mut handle = ptr::null_mut();
        let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_NOMUTEX;
        // SAFETY: `name` is a C string and `handle` a place for the answer; a handle is owned from here on even
        // when opening failed, as SQLite demands.
        let opened = unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &mut handle, flags, ptr::null()) };
        let db = Self(handle);
        if opened != ffi::SQLITE_OK {
            return Err(db.error(opened));
        }
        // SAFETY: the handle is live.
        unsafe { ffi::sqlite3_busy_timeout(db.0, 15_000) };
        // The WAL is written back every 1,000 pages (4 MiB) and cut to 16 MiB when it was longer.
        db.execute(
            c"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000; \
              PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -8192;",
        )?;
        Ok(db)
    }

    fn prepare(&self, sql: &str) -> Result<Statement> {
        let mut statement = ptr::null_mut();
        // SAFETY: the handle is live; the text is given with its length and read before the call returns.
        let prepared = unsafe {
            ffi::sqlite3_prepare_v3(
                self.0,
                sql.as_ptr().cast(),
                sql.len() as c_int,
                ffi::SQLITE_PREPARE_PERSISTENT as _,
                &mut statement,
                ptr::null_mut(),
            )
        };
        let statement = Statement(statement);
        if prepared == ffi::SQLITE_OK { Ok(statement) } else { Err(self.error(prepared)) }
    }

    fn execute(&self, sql: &CStr) -> Result<()> {
        // SAFETY: the handle is live, the text a C string; no callback, no place for a message.
        let done = unsafe { ffi::sqlite3_exec(self.0, sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut()) };
        if done == ffi::SQLITE_OK { Ok(()) } else { Err(self.error(done)) }
    }

    /// What SQLite says about its last failure.
    fn error(&self, code: c_int) -> AppError {
        // SAFETY: the handle may be null, for which SQLite has a message of its own; the message is copied at once.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.0)) }.to_string_lossy().into_owned();
        meaning::of_sqlite_code(code).error(message)
    }
}
