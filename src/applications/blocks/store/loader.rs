//! Filling a staging table, the same face for both databases.

use std::io::ErrorKind;

use diesel::connection::SimpleConnection;

use super::postgres::{Feed, PostgresLoader};
use super::sqlite::{self, SqliteLoader};
use super::staging::Staging;
use crate::applications::blocks::batch::Batch;
use crate::db::{Conn, Location, Pool};
use crate::error::{AppError, Result};

/// Writes batches into a staging table.
pub enum Loader {
    /// With a connection of its own: Diesel's is for the rest.
    Sqlite(Box<SqliteLoader>),
    Postgres(Box<PostgresLoader>),
}

impl Loader {
    /// For batches whose cells go to the columns at these positions. `file` counts the files of the run from 1.
    pub fn open(blocks: &Pool, conn: &mut Conn, staging: &Staging, file: i32, positions: &[i32]) -> Result<Self> {
        let columns = physical(positions);
        Ok(match blocks.location() {
            Location::Sqlite { file: path } => {
                Self::Sqlite(Box::new(SqliteLoader::open(path, staging, file, &columns)?))
            }
            Location::Postgres { .. } => {
                // What is staged needs no flush of its own: the commit that makes it visible flushes all before it.
                conn.batch_execute("SET synchronous_commit TO off")?;
                Self::Postgres(Box::new(PostgresLoader::new(staging, file, &columns)))
            }
        })
    }

    /// Writes and commits what `feed` hands over: each batch by itself, or all of them in one COPY, so that the server
    /// never waits for the next one to be begun.
    pub fn fill(&mut self, conn: &mut Conn, feed: &mut Feed<'_>) -> Result<()> {
        match self {
            Self::Sqlite(loader) => {
                let mut failed = None;
                let fed = feed(&mut |batch| {
                    loader.push(batch).map_err(|error| {
                        failed = Some(error);
                        ErrorKind::Other.into()
                    })
                });
                match (failed, fed) {
                    (Some(error), _) => Err(error),
                    (None, fed) => fed.map_err(AppError::internal),
                }
            }
            Self::Postgres(loader) => loader.copy(conn, feed),
        }
    }

    /// Writes one batch and commits it.
    pub fn push(&mut self, conn: &mut Conn, batch: &Batch) -> Result<()> {
        self.fill(conn, &mut |write| write(batch))
    }

    /// All batches are written; the connection is as it was for what follows.
    pub fn finish(self, conn: &mut Conn) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => Ok(conn.batch_execute("SET synchronous_commit TO DEFAULT")?),
        }
    }
}

/// Writes the only batch of a load, with no connection but this one.
pub fn fill_at_once(conn: &mut Conn, staging: &Staging, file: i32, positions: &[i32], batch: &Batch) -> Result<()> {
    let columns = physical(positions);
    match conn {
        Conn::Sqlite(_) => sqlite::insert(conn, staging, file, &columns, batch),
        Conn::Pg(_) => PostgresLoader::new(staging, file, &columns).copy(conn, &mut |write| write(batch)),
    }
}

fn physical(positions: &[i32]) -> Vec<String> {
    positions.iter().map(|position| format!("c{position}")).collect()
}
