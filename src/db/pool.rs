//! Connections, and the two ways to use one.

use std::path::PathBuf;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;

use crate::error::Result;

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Pg(PgConnection),
    Sqlite(SqliteConnection),
}

/// Where a pool's connections lead.
#[derive(Clone)]
pub enum Location {
    /// A PostgreSQL URL and the schema that unqualified names mean.
    Postgres { url: String, schema: &'static str },
    /// A SQLite file.
    Sqlite { file: PathBuf },
}

/// `meaning` reads the server's messages. Only who was granted it may choose their language: then it stays as it is.
const ENGLISH: &str = "DO $$ BEGIN SET lc_messages TO 'C'; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$";

/// The derived `establish` of a multi connection tries the databases in turn and hides the error, so this chooses.
struct Manager(Location);

impl r2d2::ManageConnection for Manager {
    type Connection = Conn;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Conn, Self::Error> {
        use diesel::r2d2::Error::{ConnectionError, QueryError};
        match &self.0 {
            Location::Postgres { url, schema } => {
                let mut conn = PgConnection::establish(url).map_err(ConnectionError)?;
                conn.batch_execute(&format!(
                    "SET search_path TO {schema}; SET TIME ZONE 'UTC'; SET client_min_messages TO warning; \
                     SET lock_timeout TO '15s'; SET idle_in_transaction_session_timeout TO '60s'; {ENGLISH}"
                ))
                .map_err(QueryError)?;
                Ok(Conn::Pg(conn))
            }
            Location::Sqlite { file } => {
                let mut conn = SqliteConnection::establish(&file.to_string_lossy()).map_err(ConnectionError)?;
                // busy_timeout first: switching to WAL needs the lock that another process may hold. FULL: with NORMAL a
                // power cut may lose the last commits of one file and keep those of the other, which answered to them.
                conn.batch_execute(
                    "PRAGMA busy_timeout = 15000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;",
                )
                .map_err(QueryError)?;
                Ok(Conn::Sqlite(conn))
            }
        }
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), Self::Error> {
        match conn {
            Conn::Pg(conn) => conn.ping().map_err(diesel::r2d2::Error::QueryError),
            Conn::Sqlite(_) => Ok(()), // a file does not go away between two calls
        }
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        match conn {
            Conn::Pg(conn) => conn.is_broken(),
            Conn::Sqlite(conn) => conn.is_broken(),
        }
    }
}

/// A pool of connections to one database.
///
/// SQLite lets one connection write at a time, so one connection does all of it: whoever comes waits in line instead of
/// asking again and again, and the tables that each load makes and drops are known to it, while every other connection
/// has to read the whole schema anew after each.
#[derive(Clone)]
pub struct Pool {
    readers: r2d2::Pool<Manager>,
    /// On PostgreSQL the same as `readers`.
    writers: r2d2::Pool<Manager>,
    location: Location,
}

impl Pool {
    /// Connects once, so that a wrong address is an error at the start and not at the first page.
    pub fn open(location: Location, size: u32) -> Result<Self, String> {
        if let Location::Sqlite { .. } = location {
            super::sqlite::count_no_memory();
        }
        let first = r2d2::ManageConnection::connect(&Manager(location.clone())).map_err(|e| e.to_string())?;
        drop(first);
        let pool = |size: u32, patience: u64| {
            r2d2::Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .connection_timeout(Duration::from_secs(patience))
                .error_handler(Box::new(r2d2::NopErrorHandler))
                .build(Manager(location.clone()))
                .map_err(|e| e.to_string())
        };
        let readers = pool(size, 10)?;
        let writers = match location {
            Location::Postgres { .. } => readers.clone(),
            // As long as a statement waits for who holds the file.
            Location::Sqlite { .. } => pool(1, 15)?,
        };
        Ok(Self { readers, writers, location })
    }

    pub fn location(&self) -> &Location {
        &self.location
    }

    /// A connection of one's own outside the pool, for a load that holds it long.
    pub fn connect(&self) -> Result<Conn> {
        r2d2::ManageConnection::connect(&Manager(self.location.clone()))
            .map_err(|error| super::meaning::Meaning::Unavailable.error(error))
    }

    /// Runs queries that change nothing. Blocks: call it from a blocking thread.
    pub fn read<T>(&self, queries: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        queries(&mut *self.readers.get()?)
    }

    /// Lends a connection that may write, for transactions of the caller's own. Blocks, as [`Pool::write`] does.
    pub fn lend<T, E: From<crate::error::AppError>>(
        &self,
        deeds: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        deeds(&mut *self.writers.get().map_err(crate::error::AppError::from)?)
    }

    /// Runs one transaction. On SQLite it begins IMMEDIATE: a deferred one that reads and then writes loses whenever
    /// another writer came between. Blocks: call it from a blocking thread, and never wait for the network inside.
    pub fn write<T>(&self, queries: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        write(&mut *self.writers.get()?, queries)
    }
}

/// One write transaction on a connection that is already there. Inside of another one it is a part of that.
pub fn write<T>(conn: &mut Conn, queries: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    let depth = on!(conn, c => AnsiTransactionManager::transaction_manager_status_mut(c).transaction_depth())?;
    if depth.is_some() {
        return queries(conn);
    }
    // Diesel's own `immediate_transaction` hands out the concrete connection; the callers want a `Conn`.
    match conn {
        Conn::Pg(conn) => AnsiTransactionManager::begin_transaction(conn)?,
        Conn::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?,
    }
    match queries(conn) {
        Ok(value) => {
            on!(conn, c => AnsiTransactionManager::commit_transaction(c))?;
            Ok(value)
        }
        Err(error) => {
            // The first error is the one worth telling.
            let _ = on!(conn, c => AnsiTransactionManager::rollback_transaction(c));
            Err(error)
        }
    }
}
