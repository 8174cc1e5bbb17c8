//! Connections, and the two ways to use one.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;

use super::sqlite;
use crate::error::{AppError, Result};

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

impl Location {
    /// The derived `establish` of a multi connection tries the databases in turn and hides the error, so this chooses.
    fn connect(&self) -> Result<Conn, diesel::r2d2::Error> {
        use diesel::r2d2::Error::{ConnectionError, QueryError};
        match self {
            Self::Postgres { url, schema } => {
                let mut conn = PgConnection::establish(url).map_err(ConnectionError)?;
                // Compiling a query, or starting a second process for it, takes PostgreSQL longer, some 20 ms, than any page
                // may.
                conn.batch_execute(&format!(
                    "SET search_path TO {schema}; SET TIME ZONE 'UTC'; SET client_min_messages TO warning; \
                     SET lock_timeout TO '15s'; SET idle_in_transaction_session_timeout TO '60s'; SET jit TO off; \
                     SET max_parallel_workers_per_gather TO 0; {ENGLISH}"
                ))
                .map_err(QueryError)?;
                Ok(Conn::Pg(conn))
            }
            Self::Sqlite { file } => {
                let mut conn = SqliteConnection::establish(&file.to_string_lossy()).map_err(ConnectionError)?;
                // FULL: with NORMAL a power cut may lose the last commits of one file and keep those of the other, which
                // answered to them. Whoever finds the file held waits (`sqlite::until`).
                conn.batch_execute(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                     PRAGMA temp_store = MEMORY;",
                )
                .map_err(QueryError)?;
                Ok(Conn::Sqlite(conn))
            }
        }
    }
}

/// How long a statement on PostgreSQL that is to end may go on until it is told.
const LOOK: Duration = Duration::from_millis(250);

diesel::define_sql_function! {
    /// The session of this connection.
    fn pg_backend_pid() -> diesel::sql_types::Integer;
}
diesel::define_sql_function! {
    /// Ends the statement that a session runs.
    fn pg_cancel_backend(session: diesel::sql_types::Integer) -> diesel::sql_types::Bool;
}

/// How long is waited for a SQLite file by who holds up others meanwhile.
const SOON: Duration = Duration::from_secs(1);

/// How long a connection that answered is believed to be there still: to ask it each time would cost a run a dozen
/// round trips.
const BELIEVED: Duration = Duration::from_secs(1);

/// When one of a pool's connections last answered with an error. It may be that the server is gone, and then they all
/// are: none is believed that has not answered since.
#[derive(Clone, Default)]
struct Doubt(Arc<Mutex<Option<Instant>>>);

impl Doubt {
    fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Queries behind a pointer: what asks them is compiled once, and not anew for each.
type Queries<'a, E> = &'a mut dyn FnMut(&mut Conn) -> Result<(), E>;

/// Has queries asked `through` something, at most once, and answers what they did.
fn once<T, E: From<AppError>>(
    queries: impl FnOnce(&mut Conn) -> Result<T, E>,
    through: impl FnOnce(Queries<'_, E>) -> Result<(), E>,
) -> Result<T, E> {
    let (mut queries, mut answer) = (Some(queries), None);
    through(&mut |conn| {
        if let Some(queries) = queries.take() {
            answer = Some(queries(conn)?);
        }
        Ok(())
    })?;
    answer.ok_or_else(|| AppError::internal("the queries were not asked").into())
}

/// A connection of a pool.
struct Pooled {
    conn: Conn,
    /// When it last did what it was asked to.
    answered: Instant,
    doubt: Doubt,
}

impl Pooled {
    fn ask<E>(&mut self, queries: Queries<'_, E>) -> Result<(), E> {
        let asked = queries(&mut self.conn);
        match asked {
            Ok(()) => self.answered = Instant::now(),
            Err(_) => self.doubt.raise(),
        }
        asked
    }

    fn is_believed(&self) -> bool {
        self.answered.elapsed() < BELIEVED && self.doubt.since().is_none_or(|since| since < self.answered)
    }
}

struct Manager {
    location: Location,
    doubt: Doubt,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Pooled, Self::Error> {
        Ok(Pooled { conn: self.location.connect()?, answered: Instant::now(), doubt: self.doubt.clone() })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), Self::Error> {
        let believed = pooled.is_believed();
        match &mut pooled.conn {
            Conn::Pg(_) if believed => Ok(()),
            Conn::Pg(conn) => conn.ping().map_err(diesel::r2d2::Error::QueryError),
            Conn::Sqlite(_) => Ok(()), // a file does not go away between two calls
        }
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        on!(&mut pooled.conn, c => c.is_broken())
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
            sqlite::count_no_memory();
            sqlite::ask_threads();
        }
        drop(location.connect().map_err(|e| e.to_string())?);
        let pool = |size: u32, patience: u64| {
            r2d2::Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .connection_timeout(Duration::from_secs(patience))
                .error_handler(Box::new(r2d2::NopErrorHandler))
                .build(Manager { location: location.clone(), doubt: Doubt::default() })
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

    /// A connection of one's own outside the pool, for a load that holds it long. What SQLite sorts for it, the keys of
    /// millions of rows, goes to files and not to memory.
    pub fn connect(&self) -> Result<Conn> {
        let mut conn = self.location.connect().map_err(|error| super::meaning::Meaning::Unavailable.error(error))?;
        if let Conn::Sqlite(conn) = &mut conn {
            conn.batch_execute("PRAGMA temp_store = FILE")?;
        }
        Ok(conn)
    }

    /// Runs deeds on a connection of one's own whose statements are ended once `is_over` says so: then they fail. On SQLite
    /// they wait so long for whoever holds the file. Blocks.
    pub fn until<T, E: From<AppError>>(
        &self,
        is_over: &(dyn Fn() -> bool + Sync),
        own: &mut Conn,
        deeds: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        let Conn::Pg(pg) = own else { return sqlite::until(is_over, || deeds(own)) };
        let session = diesel::select(pg_backend_pid()).get_result::<i32>(pg).map_err(AppError::from)?;
        let (goes_on, ended) = channel::<()>();
        std::thread::scope(|scope| {
            let watch = move || {
                while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    if is_over() {
                        let asked = self.read(|conn| Ok(diesel::select(pg_cancel_backend(session)).execute(conn)?));
                        if let Err(error) = asked {
                            tracing::debug!(%error, "a statement that is to end was not asked to");
                        }
                    }
                }
            };
            std::thread::Builder::new()
                .name("end statements".into())
                .spawn_scoped(scope, watch)
                .map_err(AppError::internal)?;
            let answer = deeds(own);
            drop(goes_on);
            answer
        })
    }

    /// Runs queries that change nothing. Blocks: call it from a blocking thread.
    pub fn read<T>(&self, queries: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        once(queries, |queries| self.readers.get()?.ask(queries))
    }

    /// The same where it takes no longer than this; `None`: it was ended. Blocks.
    pub fn read_within<T>(&self, limit: Duration, queries: impl FnOnce(&mut Conn) -> Result<T>) -> Result<Option<T>> {
        let began = Instant::now();
        let is_over = || began.elapsed() >= limit;
        let answer = match self.location {
            Location::Sqlite { .. } => sqlite::until(&is_over, || self.read(queries)),
            Location::Postgres { .. } => self.read(|conn| {
                write(conn, |conn| {
                    conn.batch_execute(&format!("SET LOCAL statement_timeout = {}", limit.as_millis()))?;
                    queries(conn)
                })
            }),
        };
        match answer {
            Err(error) if is_over() => {
                tracing::debug!(%error, "queries that took too long were ended");
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }

    /// Lends a connection that may write, for transactions of the caller's own. Blocks, as [`Pool::write`] does.
    pub fn lend<T, E: From<AppError>>(&self, deeds: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
        once(deeds, |deeds| self.writers.get().map_err(AppError::from)?.ask(deeds))
    }

    /// On SQLite: brings what the log holds into the file, as far as nobody reads it, while others write. Else a commit does
    /// it whenever the log is long, and everybody who wants to write waits for that one. Blocks.
    pub fn checkpoint(&self) -> Result<()> {
        match self.location {
            Location::Sqlite { .. } => self.read(|conn| Ok(conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")?)),
            Location::Postgres { .. } => Ok(()),
        }
    }

    /// On SQLite: gives back to a full disk what the log took and nobody needs any more, as far as that goes now. Blocks.
    pub fn shrink(&self) {
        if let Location::Sqlite { .. } = self.location {
            let shrunk = self.lend(|conn| Ok::<_, AppError>(conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?));
            if let Err(error) = shrunk {
                tracing::debug!(%error, "the log of a full database could not be shortened");
            }
        }
    }

    /// Runs one transaction. On SQLite it begins IMMEDIATE: a deferred one that reads and then writes loses whenever
    /// another writer came between. Blocks: call it from a blocking thread, and never wait for the network inside.
    pub fn write<T>(&self, queries: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        once(queries, |queries| self.writers.get()?.ask(&mut |conn| transaction(conn, queries)))
    }

    /// [`Pool::write`] in the Block database for who holds a transaction of the Workspace: on SQLite nobody else can write
    /// there meanwhile, no page and no sign-in, so it does not wait long. Whoever can waits before, by [`Pool::rest`].
    pub fn write_soon<T>(&self, queries: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let Location::Sqlite { .. } = self.location else { return self.write(queries) };
        once(queries, |queries| {
            self.writers.get_timeout(SOON)?.ask(&mut |conn| sqlite::soon(SOON, || transaction(conn, queries)))
        })
    }

    /// Waits until nobody writes a SQLite file, for half a minute at most.
    pub fn rest(&self) -> Result<()> {
        if let Location::Sqlite { .. } = self.location { self.write(|_| Ok(())) } else { Ok(()) }
    }
}

/// One write transaction on a connection that is already there. Inside of another one it is a part of that.
pub fn write<T>(conn: &mut Conn, queries: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    once(queries, |queries| transaction(conn, queries))
}

fn transaction(conn: &mut Conn, queries: Queries<'_, AppError>) -> Result<()> {
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
        Ok(()) => Ok(on!(conn, c => AnsiTransactionManager::commit_transaction(c))?),
        Err(error) => {
            // The first error is the one worth telling.
            let _ = on!(conn, c => AnsiTransactionManager::rollback_transaction(c));
            Err(error)
        }
    }
}

/// Queries that all see the database as it was at the first of them.
pub fn snapshot<T>(conn: &mut Conn, queries: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    match conn {
        Conn::Pg(conn) => AnsiTransactionManager::begin_transaction_sql(
            conn,
            "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        )?,
        Conn::Sqlite(conn) => AnsiTransactionManager::begin_transaction(conn)?,
    }
    let found = queries(conn);
    let _ = on!(conn, c => AnsiTransactionManager::rollback_transaction(c));
    found
}

/// A statement that may fail, and then leaves the transaction that it is part of as it was: else PostgreSQL lets nothing
/// follow an error.
pub fn attempt<T>(conn: &mut Conn, statement: impl FnOnce(&mut Conn) -> QueryResult<T>) -> QueryResult<T> {
    if let Conn::Pg(conn) = conn {
        AnsiTransactionManager::begin_transaction(conn)?;
    }
    let done = statement(conn);
    if let Conn::Pg(conn) = conn {
        match &done {
            Ok(_) => AnsiTransactionManager::commit_transaction(conn)?,
            Err(_) => AnsiTransactionManager::rollback_transaction(conn)?,
        }
    }
    done
}
