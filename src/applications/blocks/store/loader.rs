//! Filling a staging table, the same face for both databases.

use super::postgres::PostgresLoader;
use super::sqlite::SqliteLoader;
use super::staging::Staging;
use crate::applications::blocks::batch::Batch;
use crate::db::{Conn, Location, Pool};
use crate::error::Result;

/// Writes batches into a staging table; each is committed by itself.
pub enum Loader {
    Sqlite { loader: Box<SqliteLoader>, conn: Conn },
    Postgres(Box<PostgresLoader>),
}

impl Loader {
    /// For batches whose cells go to the columns at these positions. `file` counts the files of the run from 1.
    pub fn open(blocks: &Pool, staging: &Staging, file: i32, positions: &[i32]) -> Result<Self> {
        let columns: Vec<String> = positions.iter().map(|position| format!("c{position}")).collect();
        let conn = blocks.connect()?;
        Ok(match blocks.location() {
            Location::Sqlite { file: path } => {
                Self::Sqlite { loader: Box::new(SqliteLoader::open(path, staging, file, &columns)?), conn }
            }
            Location::Postgres { .. } => Self::Postgres(Box::new(PostgresLoader::open(conn, staging, file, &columns)?)),
        })
    }

    /// Writes a batch and commits it.
    pub fn push(&mut self, batch: &Batch) -> Result<()> {
        match self {
            Self::Sqlite { loader, .. } => loader.push(batch),
            Self::Postgres(loader) => loader.push(batch),
        }
    }

    /// The connection for other statements between two batches: rejected rows go the same way.
    pub fn conn(&mut self) -> &mut Conn {
        match self {
            Self::Sqlite { conn, .. } => conn,
            Self::Postgres(loader) => loader.conn(),
        }
    }

    /// All batches are written: gives the connection back for what follows.
    pub fn finish(self) -> Result<Conn> {
        match self {
            Self::Sqlite { conn, .. } => Ok(conn),
            Self::Postgres(loader) => loader.into_conn(),
        }
    }
}
