//! A query on an SQLite file on the server, below one of the roots that the operator opened (`--folder-root`).
//!
//! The file is opened read-only and through no link; its statement may do nothing but read its tables
//! ([`Database::open_for_queries`]). Rows are read as they are asked for, all of one moment: SQLite shows a statement
//! no change that comes after its beginning. Whoever cancels, and the end of the attempt's time, stop it where it is.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libsqlite3_sys as ffi;
use tokio_util::sync::CancellationToken;

use super::failure::{FailureKind, FetchError, Retry};
use super::local;
use super::registry::{Field, Input, Kind, Takes};
use super::settings::Given;
use super::{Bound, Connector, Content, FetchContext, FetchRequest, Fetched};
use crate::db::sqlite::{Database, SqliteError, SqliteValue, StatementId};
use crate::formats::{FormatError, Limits, Record, Rows};
use crate::words;

pub(super) const KIND: Kind = Kind {
    name: "sqlite",
    label: "SQLite",
    summary: "A query on an SQLite file on the server",
    takes: Takes::Query,
    is_address: false,
    settles: false,
    lists: false,
    settings: &[Field::new("path", "File", Input::Place).required()],
    secrets: &[],
    harmless: &[],
    build,
};

/// The longest text and row. A function that is given such texts ends within seconds, whatever it does with them.
const MOST_BYTES: i32 = 1 << 20;

/// How long one look waits for who writes the file; a run asks again later.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Sqlite {
    /// As it was configured; also what people are shown.
    path: String,
}

fn build(given: &mut Given<'_>) -> Option<Box<dyn Connector>> {
    let path = given.text("path")?;
    Some(Box::new(Sqlite { path: path.to_owned() }))
}

impl Connector for Sqlite {
    fn fetch(&self, request: &FetchRequest, ctx: &FetchContext<'_>) -> Result<Vec<Fetched>, FetchError> {
        let (query, values) = match request {
            FetchRequest::Query(query) => (query, &[][..]),
            FetchRequest::Bound { query, values } => (query, values.as_slice()),
            FetchRequest::Path(_) => return Err(FetchError::takes_no_path(KIND.label)),
        };
        let (file, going) = (self.locate(ctx)?, Going::of(ctx));
        let rows = QueryRows::ask(self.open(&file, &going)?, (query, values), going, ctx)?;
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(vec![Fetched { content: Content::Rows(Box::new(rows)), name, bytes: 0, whole: true }])
    }

    fn test(&self, ctx: &FetchContext<'_>) -> Result<String, FetchError> {
        let (file, going) = (self.locate(ctx)?, Going::of(ctx));
        let bytes = file.metadata().map_err(|e| FetchError::machine("Looking at the file", &e))?.len();
        let mut db = self.open(&file, &going)?;
        let count = "SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' \
                     ESCAPE '\\'";
        let (id, _) = db.prepare(count).map_err(|error| going.failed(&error))?;
        db.step(id).map_err(|error| going.failed(&error))?;
        let tables = match db.cell(id, 0) {
            SqliteValue::Integer(1) => "1 table or view".to_owned(),
            SqliteValue::Integer(count) => format!("{count} tables and views"),
            _ => "no tables".to_owned(),
        };
        Ok(format!("The file is an SQLite database of {} with {tables}.", words::bytes(bytes)))
    }
}

impl Sqlite {
    fn locate(&self, ctx: &FetchContext<'_>) -> Result<PathBuf, FetchError> {
        ctx.check_going_on()?;
        let file = local::locate(&self.path, "file", ctx)?.path;
        if file.is_file() {
            return Ok(file);
        }
        Err(FetchError::refused(format!("'{}' is not a regular file. Enter an SQLite file.", self.path)))
    }

    fn open(&self, file: &Path, going: &Going) -> Result<Database, FetchError> {
        let watch = going.clone();
        let mut db = Database::open_for_queries(file, MOST_BYTES, Box::new(move || watch.is_over()))
            .map_err(|error| going.failed(&error))?;
        db.wait_for_others(PATIENCE);
        Ok(db)
    }
}

/// Until when a query may go on.
#[derive(Clone)]
struct Going {
    cancel: CancellationToken,
    deadline: Instant,
}

impl Going {
    fn of(ctx: &FetchContext<'_>) -> Self {
        Self { cancel: ctx.cancel.clone(), deadline: ctx.deadline }
    }

    fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || Instant::now() >= self.deadline
    }

    /// What SQLite said, in words. It names tables and columns of the query, which its writer knows; never a value.
    fn failed(&self, error: &SqliteError) -> FetchError {
        if self.cancel.is_cancelled() {
            return FetchError::cancelled();
        }
        if Instant::now() >= self.deadline {
            return FetchError::out_of_time();
        }
        match error.code & 0xff {
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => {
                FetchError::new(FailureKind::Silent, Retry::Later, "Another program has locked the SQLite file.")
            }
            ffi::SQLITE_NOTADB | ffi::SQLITE_CORRUPT => FetchError::new(
                FailureKind::Answer,
                Retry::No,
                "The file is not an SQLite database, or it is damaged. Check the Connection's path, or restore the file.",
            ),
            ffi::SQLITE_CANTOPEN | ffi::SQLITE_PERM | ffi::SQLITE_READONLY => FetchError::new(
                FailureKind::SignIn,
                Retry::No,
                "The server may not open the SQLite file. Ask its operator for permission to read it; a file in WAL mode \
                 also needs permission to write in its folder.",
            ),
            ffi::SQLITE_TOOBIG => FetchError::new(
                FailureKind::TooLarge,
                Retry::No,
                "A row of the query is too large. Leave out the columns with long texts.",
            ),
            ffi::SQLITE_AUTH => FetchError::refused(
                "The query may only read. Write one SELECT on the tables of the file, without ATTACH or PRAGMA.",
            )
            .of_request(true),
            ffi::SQLITE_ERROR => FetchError::new(
                FailureKind::Request,
                Retry::No,
                format!("SQLite refused the query: {}.", error.message.trim_end_matches('.')),
            ),
            _ => FetchError::new(
                FailureKind::Machine,
                Retry::Later,
                format!("The SQLite file could not be read: {}.", error.message.trim_end_matches('.')),
            ),
        }
    }
}

/// The rows that a query answers.
struct QueryRows {
    db: Database,
    statement: StatementId,
    columns: Vec<String>,
    going: Going,
    limits: Limits,
    most_bytes: u64,
    rows: u64,
    bytes: u64,
}

impl QueryRows {
    fn ask(
        mut db: Database,
        (query, values): (&str, &[Bound]),
        going: Going,
        ctx: &FetchContext<'_>,
    ) -> Result<Self, FetchError> {
        let request = |words: &str| FetchError::new(FailureKind::Request, Retry::No, words);
        let (statement, rest) = db.prepare(query).map_err(|error| going.failed(&error))?;
        if !db.is_statement(statement) {
            return Err(request("The import configuration has no query. Write one SELECT."));
        }
        // Spaces and comments may follow; they prepare to nothing.
        let (more, _) = db.prepare(rest).map_err(|error| going.failed(&error))?;
        if db.is_statement(more) {
            return Err(request("The query has more than one statement. Write one SELECT."));
        }
        let ours: Vec<String> = (1..=values.len()).map(Bound::variable).collect();
        let variables = db.variables(statement);
        if let Some(variable) = variables.iter().find(|variable| !ours.contains(variable)) {
            return Err(request(&format!(
                "The query has the variable {variable}, which has no value and would be empty in every row. Write \
                 the value itself."
            )));
        }
        let columns = named(db.columns(statement))?;
        if columns.is_empty() || !db.only_reads(statement) {
            return Err(request("The query does not return rows. Write one SELECT."));
        }
        if variables != ours {
            return Err(request("The query uses a variable of Tidegate by its name. Write the parameter in braces."));
        }
        let bound: Vec<SqliteValue<'_>> = values.iter().map(bound).collect();
        db.bind(statement, &bound).map_err(|error| going.failed(&error))?;
        (ctx.progress)(0);
        let most_bytes = ctx.limits.wire_bytes;
        Ok(Self { db, statement, columns, going, limits: Limits::default(), most_bytes, rows: 0, bytes: 0 })
    }
}

fn bound(value: &Bound) -> SqliteValue<'_> {
    match value {
        Bound::Null => SqliteValue::Null,
        Bound::Integer(number) => SqliteValue::Integer(*number),
        Bound::Real(number) => SqliteValue::Real(*number),
        Bound::Text(text) => SqliteValue::Text(text.as_bytes()),
    }
}

/// Columns that a mapping can tell apart.
fn named(columns: Vec<String>) -> Result<Vec<String>, FetchError> {
    let request = |words: String| Err(FetchError::new(FailureKind::Request, Retry::No, words));
    let most = Limits::default().columns;
    if columns.len() > most {
        return request(format!("The query returns more than {most} columns, the most a source may have."));
    }
    let columns: Vec<String> = columns.into_iter().map(|name| name.trim().to_owned()).collect();
    for (i, name) in columns.iter().enumerate() {
        if name.is_empty() {
            return request(format!("Column {} of the query has no name. Give it one with AS.", i + 1));
        }
        if columns[..i].iter().any(|other| other.to_lowercase() == name.to_lowercase()) {
            return request(format!("Two columns of the query are named \"{name}\". Give each its own name with AS."));
        }
    }
    Ok(columns)
}

impl Rows for QueryRows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn ignored(&self) -> &[usize] {
        &[]
    }

    fn next(&mut self, record: &mut Record) -> Result<bool, FormatError> {
        let failed =
            |error: FetchError| FormatError::Source { may_pass: error.retry != Retry::No, cause: Box::new(error) };
        // The handler is asked every few thousand steps of SQLite's machine, which short rows do not take.
        if self.rows.is_multiple_of(1_024) && self.going.is_over() {
            let stopped = SqliteError { code: ffi::SQLITE_INTERRUPT, message: "interrupted".to_owned() };
            return Err(failed(self.going.failed(&stopped)));
        }
        if !self.db.step(self.statement).map_err(|error| failed(self.going.failed(&error)))? {
            return Ok(false);
        }
        self.rows += 1;
        if self.rows > self.limits.rows || self.bytes > self.most_bytes {
            return Err(failed(FetchError::new(
                FailureKind::TooLarge,
                Retry::No,
                format!(
                    "The query returns too much: an import reads at most {} and {} rows. Filter it with WHERE.",
                    words::bytes(self.most_bytes),
                    words::count(self.limits.rows as i64)
                ),
            )));
        }
        record.begin(self.rows);
        for column in 0..self.columns.len() {
            match self.db.cell(self.statement, column) {
                SqliteValue::Null => record.push_null(),
                SqliteValue::Integer(number) => record.push_integer(number),
                SqliteValue::Real(number) => record.push_number(number),
                SqliteValue::Text(text) => record.push_text(text, &self.limits),
                SqliteValue::Blob(bytes) => record.push_binary(bytes),
            }
        }
        self.bytes += record.iter().map(|cell| cell.len() as u64 + 1).sum::<u64>();
        Ok(true)
    }

    fn bytes_read(&self) -> u64 {
        self.bytes
    }
}
