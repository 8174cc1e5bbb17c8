//! SQLite by its C interface, behind a safe face: but for two calls of `memory`, the only `unsafe` that there is. Diesel
//! prepares no statement of run-time SQL twice and copies every text that it binds, which costs half the speed of a
//! load; and it knows neither the authorizer nor the progress handler, without which nobody else's SQL may be run.
//!
//! What makes each `unsafe` block sound: a [`Database`] owns its handle, its statements and its watch, and hands out
//! only numbers of statements ([`StatementId`]), so that whoever uses a statement holds the whole `Database` for that
//! time. It moves between threads and is never used by two at once, since every use needs `&mut`, or `&` on something
//! that is not `Sync`. Statements are freed before the connection, the watch after it. What a statement binds without a
//! copy lives until it was stepped: one call of [`Database::run`] binds everything anew, or does not step. What a row
//! answers is borrowed until the next step.
#![allow(unsafe_code)]

mod patience;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::path::Path;
use std::ptr;
use std::time::Duration;

use libsqlite3_sys as ffi;

pub use patience::{ask_threads, soon, until};

/// SQLite counts the memory that it uses under one lock for all connections: a quarter of the time of many small loads.
/// Nobody asks for the sum. Works only before the first connection of the process.
pub fn count_no_memory() {
    // SAFETY: the option takes one plain number; when SQLite runs already it refuses and changes nothing.
    unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0 as c_int) };
}

/// What SQLite said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SqliteError {
    /// Its result code; [`meaning`](super::meaning::of_sqlite_code) knows what it means.
    pub code: c_int,
    pub message: String,
}

type Result<T> = std::result::Result<T, SqliteError>;

/// Asked while a statement runs: true stops it.
pub type Watch = Box<dyn Fn() -> bool + Send>;

/// A connection with its statements.
pub struct Database {
    handle: *mut ffi::sqlite3,
    statements: Vec<*mut ffi::sqlite3_stmt>,
    /// Of which statements SQLite has copies of all that is bound.
    copied: Vec<StatementId>,
    /// Boxed twice: SQLite keeps the inner box's address.
    watch: Option<Box<Watch>>,
}

/// A statement of the [`Database`] that prepared it; of another one it is another statement, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementId(usize);

/// A cell of a row that a statement answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SqliteValue<'a> {
    Null,
    Integer(i64),
    Real(f64),
    /// Nobody promises that it is UTF-8.
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

// SAFETY: handle and statements are owned here alone, every use needs this value, and SQLite is built threadsafe, so
// that a connection may be used by one thread after another. The watch is `Send`.
unsafe impl Send for Database {}

impl Drop for Database {
    fn drop(&mut self) {
        for statement in &self.statements {
            // SAFETY: prepared by this connection and finalized only here; null is allowed.
            unsafe { ffi::sqlite3_finalize(*statement) };
        }
        // SAFETY: opened by `open` and closed only here, its statements gone; the watch is dropped after this.
        unsafe { ffi::sqlite3_close(self.handle) };
    }
}

impl Database {
    /// To read and write a file that is there.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, ffi::SQLITE_OPEN_READWRITE)
    }

    /// To let somebody else's SQL read a file: it is opened read-only and through no link, and a statement may do
    /// nothing but read the tables of that file (no ATTACH, no PRAGMA, no extension), with bounded texts, until
    /// `watch` says to stop. It is asked between steps, never inside a function, so what one function is given is
    /// bounded too. A column that is not there is an error, and not the text of its name, which SQLite else takes it for
    /// when it stands in double quotes.
    pub fn open_for_queries(path: &Path, most_bytes: i32, watch: Watch) -> Result<Self> {
        let mut db = Self::open_with(path, ffi::SQLITE_OPEN_READONLY | ffi::SQLITE_OPEN_NOFOLLOW)?;
        db.execute(c"PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")?;
        let watch: &mut Box<Watch> = db.watch.insert(Box::new(watch));
        let watch: *mut Watch = &mut **watch;
        // SAFETY: the handle is live. The limits and the defensive mode take plain numbers; the authorizer has no data.
        // The watch's address is that of a box's content, which stays where it is while the handle lives: nobody can
        // take it out, and it is dropped after the handle was closed.
        unsafe {
            ffi::sqlite3_limit(db.handle, ffi::SQLITE_LIMIT_ATTACHED, 0);
            ffi::sqlite3_limit(db.handle, ffi::SQLITE_LIMIT_LENGTH, most_bytes);
            ffi::sqlite3_limit(db.handle, ffi::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000);
            ffi::sqlite3_limit(db.handle, ffi::SQLITE_LIMIT_EXPR_DEPTH, 100);
            for (setting, on) in [
                (ffi::SQLITE_DBCONFIG_DEFENSIVE, 1),
                (ffi::SQLITE_DBCONFIG_DQS_DML, 0),
                (ffi::SQLITE_DBCONFIG_DQS_DDL, 0),
            ] {
                ffi::sqlite3_db_config(db.handle, setting, on as c_int, ptr::null_mut::<c_int>());
            }
            ffi::sqlite3_set_authorizer(db.handle, Some(may_only_read), ptr::null_mut());
            ffi::sqlite3_progress_handler(db.handle, 10_000, Some(is_to_stop), watch.cast());
        }
        Ok(db)
    }

    fn open_with(path: &Path, flags: c_int) -> Result<Self> {
        let Ok(name) = CString::new(path.as_os_str().as_encoded_bytes()) else {
            return Err(SqliteError { code: ffi::SQLITE_CANTOPEN, message: "a path with a NUL".to_owned() });
        };
        let mut handle = ptr::null_mut();
        // SAFETY: `name` is a C string and `handle` a place for the answer; a handle is owned from here on even when
        // opening failed, as SQLite demands.
        let opened =
            unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &mut handle, flags | ffi::SQLITE_OPEN_NOMUTEX, ptr::null()) };
        let db = Self { handle, statements: Vec::new(), copied: Vec::new(), watch: None };
        if opened == ffi::SQLITE_OK { Ok(db) } else { Err(db.error(opened)) }
    }

    /// How long a statement waits for who holds the file.
    pub fn wait_for_others(&mut self, most: Duration) {
        let most = c_int::try_from(most.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: the handle is live.
        unsafe { ffi::sqlite3_busy_timeout(self.handle, most) };
    }

    /// Runs statements that answer nothing.
    pub fn execute(&mut self, sql: &CStr) -> Result<()> {
        // SAFETY: the handle is live, the text a C string; no callback, no place for a message.
        let done = unsafe { ffi::sqlite3_exec(self.handle, sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut()) };
        self.done(done)
    }

    /// Prepares the first statement of a text, to be used often; answers also what stands behind it.
    pub fn prepare<'a>(&mut self, sql: &'a str) -> Result<(StatementId, &'a str)> {
        let (mut statement, mut tail) = (ptr::null_mut(), ptr::null());
        let length = c_int::try_from(sql.len()).unwrap_or(c_int::MAX);
        // SAFETY: the handle is live; the text is given with its length and read before the call returns, and the tail
        // points into it.
        let (prepared, read) = unsafe {
            let prepared = ffi::sqlite3_prepare_v3(
                self.handle,
                sql.as_ptr().cast(),
                length,
                ffi::SQLITE_PREPARE_PERSISTENT as _,
                &mut statement,
                &mut tail,
            );
            (prepared, if tail.is_null() { 0 } else { tail.offset_from(sql.as_ptr().cast::<c_char>()) })
        };
        self.done(prepared)?;
        self.statements.push(statement);
        let rest = usize::try_from(read).ok().and_then(|read| sql.get(read..)).unwrap_or_default();
        Ok((StatementId(self.statements.len() - 1), rest))
    }

    fn statement(&self, id: StatementId) -> *mut ffi::sqlite3_stmt {
        // Null does nothing: SQLite answers SQLITE_MISUSE, 0 or null for it.
        self.statements.get(id.0).copied().unwrap_or(ptr::null_mut())
    }

    /// Binds all variables of a statement that answers no rows, in their order, and runs it. What is bound is not
    /// copied.
    #[inline]
    pub fn run<'a>(&mut self, id: StatementId, bind: impl FnOnce(&mut Binder<'_, 'a>)) -> Result<()> {
        let statement = self.statement(id);
        self.copied.retain(|copied| *copied != id);
        let mut binder = Binder { statement, place: 0, failed: ffi::SQLITE_OK, of: PhantomData };
        bind(&mut binder);
        let (place, failed) = (binder.place, binder.failed);
        self.done(failed)?;
        // SAFETY: the statement is live. It is stepped only when every variable was bound in this call, whose caller
        // keeps what was bound (`'a` outlives the call).
        let (stepped, reset) = unsafe {
            if ffi::sqlite3_bind_parameter_count(statement) != place {
                return Err(SqliteError { code: ffi::SQLITE_RANGE, message: "a variable was not bound".to_owned() });
            }
            (ffi::sqlite3_step(statement), ffi::sqlite3_reset(statement))
        };
        match stepped {
            ffi::SQLITE_DONE | ffi::SQLITE_ROW => Ok(()),
            _ => Err(self.error(if reset == ffi::SQLITE_OK { stepped } else { reset })),
        }
    }

    /// To the next row of a statement; false at the end.
    pub fn step(&mut self, id: StatementId) -> Result<bool> {
        // SAFETY: the statement is live and has no variable that was bound without a copy, or is one that `run` bound,
        // reset and left with variables that a further step would read: those are cleared first, unless `bind` has
        // given it copies since.
        let stepped = unsafe {
            let statement = self.statement(id);
            if ffi::sqlite3_stmt_busy(statement) == 0 && !self.copied.contains(&id) {
                ffi::sqlite3_clear_bindings(statement);
            }
            ffi::sqlite3_step(statement)
        };
        match stepped {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            code => Err(self.error(code)),
        }
    }

    /// The names of the columns that a statement answers; none when it answers no rows or is no statement.
    pub fn columns(&self, id: StatementId) -> Vec<String> {
        let statement = self.statement(id);
        // SAFETY: the statement is live or null, which has no columns; a name is copied before anything else is asked.
        unsafe {
            (0..ffi::sqlite3_column_count(statement))
                .map(|column| match ffi::sqlite3_column_name(statement, column) {
                    name if name.is_null() => String::new(),
                    name => CStr::from_ptr(name).to_string_lossy().into_owned(),
                })
                .collect()
        }
    }

    /// The variables of a statement, as they are written there, `?` where one has no name.
    pub fn variables(&self, id: StatementId) -> Vec<String> {
        let statement = self.statement(id);
        // SAFETY: the statement is live or null, which has no variables; a name is copied before anything else is asked.
        unsafe {
            (1..=ffi::sqlite3_bind_parameter_count(statement))
                .map(|place| match ffi::sqlite3_bind_parameter_name(statement, place) {
                    name if name.is_null() => "?".to_owned(),
                    name => CStr::from_ptr(name).to_string_lossy().into_owned(),
                })
                .collect()
        }
    }

    /// Binds the variables of a statement that was not stepped yet, in their order, to copies of these values.
    pub fn bind(&mut self, id: StatementId, values: &[SqliteValue<'_>]) -> Result<()> {
        let statement = self.statement(id);
        for (place, value) in (1..).zip(values) {
            // SAFETY: the statement is live or null; a place that it lacks is an error that SQLite answers.
            // SQLITE_TRANSIENT: texts and bytes are copied before the call returns.
            let bound = unsafe {
                match *value {
                    SqliteValue::Null => ffi::sqlite3_bind_null(statement, place),
                    SqliteValue::Integer(number) => ffi::sqlite3_bind_int64(statement, place, number),
                    SqliteValue::Real(number) => ffi::sqlite3_bind_double(statement, place, number),
                    SqliteValue::Text(text) => {
                        let length = c_int::try_from(text.len()).unwrap_or(c_int::MAX);
                        let text = text.as_ptr().cast();
                        ffi::sqlite3_bind_text(statement, place, text, length, ffi::SQLITE_TRANSIENT())
                    }
                    SqliteValue::Blob(bytes) => {
                        let length = c_int::try_from(bytes.len()).unwrap_or(c_int::MAX);
                        let bytes = bytes.as_ptr().cast();
                        ffi::sqlite3_bind_blob(statement, place, bytes, length, ffi::SQLITE_TRANSIENT())
                    }
                }
            };
            self.done(bound)?;
        }
        if !self.copied.contains(&id) {
            self.copied.push(id);
        }
        Ok(())
    }

    /// Whether a statement changes nothing.
    pub fn only_reads(&self, id: StatementId) -> bool {
        // SAFETY: the statement is live or null, for which the answer is true.
        unsafe { ffi::sqlite3_stmt_readonly(self.statement(id)) != 0 }
    }

    /// Whether a text held a statement at all.
    pub fn is_statement(&self, id: StatementId) -> bool {
        !self.statement(id).is_null()
    }

    /// A cell of the row to which a statement was stepped.
    pub fn cell(&self, id: StatementId, column: usize) -> SqliteValue<'_> {
        let statement = self.statement(id);
        let column = c_int::try_from(column).unwrap_or(-1);
        // SAFETY: the statement is live; SQLite answers NULL for a column that is not there and before the first row.
        // Text and bytes stay where they are until the next step, which needs `&mut self`; the length is asked after
        // the pointer, as SQLite demands, and nothing converts the cell in between.
        unsafe {
            let bytes = |start: *const u8| {
                let length = usize::try_from(ffi::sqlite3_column_bytes(statement, column)).unwrap_or_default();
                if start.is_null() { &[][..] } else { std::slice::from_raw_parts(start, length) }
            };
            match ffi::sqlite3_column_type(statement, column) {
                ffi::SQLITE_INTEGER => SqliteValue::Integer(ffi::sqlite3_column_int64(statement, column)),
                ffi::SQLITE_FLOAT => SqliteValue::Real(ffi::sqlite3_column_double(statement, column)),
                ffi::SQLITE_TEXT => SqliteValue::Text(bytes(ffi::sqlite3_column_text(statement, column))),
                ffi::SQLITE_BLOB => SqliteValue::Blob(bytes(ffi::sqlite3_column_blob(statement, column).cast())),
                _ => SqliteValue::Null,
            }
        }
    }

    fn done(&self, code: c_int) -> Result<()> {
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(self.error(code)) }
    }

    /// What SQLite says about its last failure.
    fn error(&self, code: c_int) -> SqliteError {
        // SAFETY: the handle may be null, for which SQLite has a message of its own; the message is copied at once.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.handle)) }.to_string_lossy().into_owned();
        SqliteError { code, message }
    }
}

type Texts<'a> = fn(&'a [u8]);

/// Binds the variables of a statement one after the other.
pub struct Binder<'s, 'a> {
    statement: *mut ffi::sqlite3_stmt,
    place: c_int,
    failed: c_int,
    /// It holds the statement, and texts that live for `'a`.
    of: PhantomData<(&'s mut Database, Texts<'a>)>,
}

impl<'a> Binder<'_, 'a> {
    #[inline]
    fn next(&mut self, bound: impl FnOnce(*mut ffi::sqlite3_stmt, c_int) -> c_int) {
        self.place += 1;
        // Codes are positive numbers: none is lost.
        self.failed |= bound(self.statement, self.place);
    }

    #[inline]
    pub fn null(&mut self) {
        // SAFETY: the statement is live; a place that it lacks is an error that SQLite answers. The same below.
        self.next(|statement, place| unsafe { ffi::sqlite3_bind_null(statement, place) });
    }

    #[inline]
    pub fn integer(&mut self, number: i64) {
        // SAFETY: as for `null`.
        self.next(|statement, place| unsafe { ffi::sqlite3_bind_int64(statement, place, number) });
    }

    #[inline]
    pub fn real(&mut self, number: f64) {
        // SAFETY: as for `null`.
        self.next(|statement, place| unsafe { ffi::sqlite3_bind_double(statement, place, number) });
    }

    /// UTF-8, of less than 2 GiB.
    #[inline]
    pub fn text(&mut self, text: &'a [u8]) {
        // SAFETY: as for `null`. SQLITE_STATIC: the text is not copied and lives for `'a`, which outlives the `run`
        // that this binder belongs to; nobody steps the statement after it without binding it anew.
        self.next(|statement, place| unsafe {
            let length = text.len() as c_int;
            ffi::sqlite3_bind_text(statement, place, text.as_ptr().cast(), length, ffi::SQLITE_STATIC())
        });
    }
}

/// Reading is all that somebody else's statement may do.
unsafe extern "C" fn may_only_read(
    _: *mut c_void,
    action: c_int,
    _: *const c_char,
    name: *const c_char,
    _: *const c_char,
    _: *const c_char,
) -> c_int {
    let allowed = match action {
        ffi::SQLITE_SELECT | ffi::SQLITE_READ | ffi::SQLITE_RECURSIVE => true,
        // SAFETY: SQLite gives the function's name as a C string.
        ffi::SQLITE_FUNCTION => unsafe { name.is_null() || CStr::from_ptr(name) != c"load_extension" },
        _ => false,
    };
    if allowed { ffi::SQLITE_OK } else { ffi::SQLITE_DENY }
}

unsafe extern "C" fn is_to_stop(watch: *mut c_void) -> c_int {
    // SAFETY: this is the address that `open_for_queries` gave; see there why it is live. The watch is called by the one
    // thread that runs the statement.
    let watch = unsafe { &*watch.cast::<Watch>() };
    watch().into()
}

#[cfg(test)]
mod tests;
