//! Rows into SQLite: twenty in a statement that is prepared once, and no text copied on its way.

use std::path::Path;

use diesel::sql_types::{BigInt, Double, Nullable, Text};

use super::staging::Staging;
use crate::applications::blocks::batch::{Batch, Datum};
use crate::db::prelude::*;
use crate::db::sqlite::{Database, SqliteError, StatementId};
use crate::db::{self, Conn, meaning};
use crate::error::{AppError, Result};

/// Rows that one statement inserts.
const ROWS: usize = 20;
/// SQLite's limit on the variables of a statement.
const MAX_VARIABLES: usize = 32_766;

/// Writes batches into a staging table, a transaction each.
pub struct SqliteLoader {
    many: StatementId,
    single: StatementId,
    rows_at_once: usize,
    db: Database,
}

impl SqliteLoader {
    /// For batches whose cells are these physical columns of the staging table, on a connection of its own.
    pub fn open(path: &Path, staging: &Staging, file: i32, columns: &[String]) -> Result<Self> {
        let mut db = Database::open(path).map_err(failed)?;
        // The WAL is written back every 1,000 pages (4 MiB) and cut to 16 MiB when it was longer.
        db.execute(
            c"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000; \
              PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -8192;",
        )
        .map_err(failed)?;
        let rows_at_once = rows_at_once(columns);
        let mut insert = |rows: usize| {
            let sql = insert_sql(staging, file, columns, rows);
            db.prepare(&sql).map(|(statement, _)| statement).map_err(failed)
        };
        let (many, single) = (insert(rows_at_once)?, insert(1)?);
        Ok(Self { many, single, rows_at_once, db })
    }

    /// Writes a batch and commits it. No transaction is open before or after.
    pub fn push(&mut self, batch: &Batch) -> Result<()> {
        self.db.execute(c"BEGIN IMMEDIATE").map_err(failed)?;
        let written = self.insert(batch).and_then(|()| self.db.execute(c"COMMIT"));
        if written.is_err() {
            // The first error is the one worth telling; SQLite may have rolled back by itself.
            let _ = self.db.execute(c"ROLLBACK");
        }
        written.map_err(failed)
    }

    fn insert(&mut self, batch: &Batch) -> Result<(), SqliteError> {
        let mut row = 0;
        while row + self.rows_at_once <= batch.len() {
            self.run(self.many, batch, row, self.rows_at_once)?;
            row += self.rows_at_once;
        }
        while row < batch.len() {
            self.run(self.single, batch, row, 1)?;
            row += 1;
        }
        Ok(())
    }

    /// Inserts so many rows from `first` on.
    fn run(&mut self, statement: StatementId, batch: &Batch, first: usize, rows: usize) -> Result<(), SqliteError> {
        self.db.run(statement, |binder| {
            for row in first..first + rows {
                binder.integer(batch.line(row));
                for datum in batch.row(row) {
                    match *datum {
                        Datum::Empty => binder.null(),
                        Datum::Text { start, len } => binder.text(batch.text(start, len)),
                        Datum::Integer(number) => binder.integer(number),
                        Datum::Number(number) => binder.real(number),
                        Datum::Boolean(truth) => binder.integer(truth.into()),
                        Datum::Date(days) => binder.integer(days.into()),
                        Datum::Timestamp(micros) => binder.integer(micros),
                    }
                }
            }
        })
    }
}

fn rows_at_once(columns: &[String]) -> usize {
    (MAX_VARIABLES / (columns.len() + 1)).clamp(1, ROWS)
}

fn insert_sql(staging: &Staging, file: i32, columns: &[String], rows: usize) -> String {
    let names: String = columns.iter().map(|column| format!(", {column}")).collect();
    let row = format!("({file}{})", ", ?".repeat(columns.len() + 1));
    let values = vec![row.as_str(); rows].join(", ");
    format!("INSERT INTO {} (_file, _line{names}) VALUES {values}", staging.table)
}

/// Writes a small load through Diesel: dearer for each row, but without a connection that has to read the schema first,
/// which costs as much as the Blocks are many.
pub fn insert(conn: &mut Conn, staging: &Staging, file: i32, columns: &[String], batch: &Batch) -> Result<()> {
    db::write(conn, |conn| {
        let mut first = 0;
        while first < batch.len() {
            let rows = rows_at_once(columns).min(batch.len() - first);
            let mut query = diesel::sql_query(insert_sql(staging, file, columns, rows)).into_boxed::<db::Backend>();
            for row in first..first + rows {
                query = query.bind::<BigInt, _>(batch.line(row));
                for datum in batch.row(row) {
                    query = match *datum {
                        Datum::Empty => query.bind::<Nullable<Text>, _>(None::<&str>),
                        Datum::Text { start, len } => {
                            let text = std::str::from_utf8(batch.text(start, len)).map_err(AppError::internal)?;
                            query.bind::<Text, _>(text)
                        }
                        Datum::Integer(number) => query.bind::<BigInt, _>(number),
                        Datum::Number(number) => query.bind::<Double, _>(number),
                        Datum::Boolean(truth) => query.bind::<BigInt, _>(i64::from(truth)),
                        Datum::Date(days) => query.bind::<BigInt, _>(i64::from(days)),
                        Datum::Timestamp(micros) => query.bind::<BigInt, _>(micros),
                    };
                }
            }
            query.execute(conn)?;
            first += rows;
        }
        Ok(())
    })
}

fn failed(error: SqliteError) -> AppError {
    meaning::of_sqlite_code(error.code).error(error.message)
}
