//! Bringing a database to the shape that this binary expects. Two trees with the same folder names; with several
//! processes on one PostgreSQL an advisory lock lets one of them migrate while the others wait.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Conn, Location, Pool};
use crate::error::{AppError, Result};

const SQLITE_MAIN: EmbeddedMigrations = embed_migrations!("migrations/sqlite/main");
const SQLITE_BLOCKS: EmbeddedMigrations = embed_migrations!("migrations/sqlite/blocks");
const POSTGRES_MAIN: EmbeddedMigrations = embed_migrations!("migrations/postgres/main");
const POSTGRES_BLOCKS: EmbeddedMigrations = embed_migrations!("migrations/postgres/blocks");

/// Which of the two databases.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Main,
    Blocks,
}

/// Any number of our own, so that it meets nobody else's.
const LOCK: i64 = 7_433_423_001;

/// Runs what is pending and answers how many migrations ran. A database that is newer than this binary is refused.
pub fn migrate(pool: &Pool, which: Which) -> Result<usize> {
    match (&mut alone_on(pool)?, which) {
        (Conn::Sqlite(conn), Which::Main) => run(conn, SQLITE_MAIN),
        (Conn::Sqlite(conn), Which::Blocks) => run(conn, SQLITE_BLOCKS),
        (Conn::Pg(conn), Which::Main) => run(conn, POSTGRES_MAIN),
        (Conn::Pg(conn), Which::Blocks) => {
            conn.batch_execute("CREATE SCHEMA IF NOT EXISTS blocks")?;
            run(conn, POSTGRES_BLOCKS)
        }
    }
}

/// Does something that only one process may do at a time, of all that share a PostgreSQL: the others wait, as they do for
/// a migration. One process alone serves a SQLite directory.
pub fn alone<T>(pool: &Pool, deed: impl FnOnce() -> Result<T>) -> Result<T> {
    let _held = match pool.location() {
        Location::Sqlite { .. } => None,
        Location::Postgres { .. } => Some(alone_on(pool)?),
    };
    deed()
}

/// A connection that, on PostgreSQL, holds the lock for as long as it is there, however what is done under it ends. Who
/// waits for it waits for as long as a migration takes.
fn alone_on(pool: &Pool) -> Result<Conn> {
    let mut conn = pool.connect()?;
    if let Conn::Pg(conn) = &mut conn {
        let free = diesel::select(diesel::dsl::sql::<Bool>(&format!("pg_try_advisory_lock({LOCK})")));
        if !free.get_result::<bool>(conn)? {
            tracing::info!("waiting for another process that is migrating or repairing the database");
            conn.batch_execute(&format!(
                "SET lock_timeout TO 0; SELECT pg_advisory_lock({LOCK}); SET lock_timeout TO '15s'"
            ))?;
        }
    }
    Ok(conn)
}

fn run<DB, C>(conn: &mut C, tree: EmbeddedMigrations) -> Result<usize>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: diesel::migration::MigrationSource<DB>,
{
    use diesel::migration::MigrationSource;
    let known = MigrationSource::<DB>::migrations(&tree).map_err(AppError::internal)?;
    let applied = conn.applied_migrations().map_err(AppError::internal)?;
    if let Some(unknown) = applied.iter().find(|v| !known.iter().any(|m| m.name().version() == **v)) {
        return Err(AppError::Conflict(format!(
            "this database was migrated by a newer tidegate (it has migration {unknown}); start that version"
        )));
    }
    Ok(conn.run_pending_migrations(tree).map_err(AppError::internal)?.len())
}
