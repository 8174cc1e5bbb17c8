//! Bringing a database to the shape that this binary expects. Two trees with the same folder names; with several
//! processes on one PostgreSQL an advisory lock lets one of them migrate while the others wait.

use diesel::connection::SimpleConnection;
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
    match &mut locked(pool)? {
        Conn::Sqlite(conn) => match which {
            Which::Main => run(conn, SQLITE_MAIN),
            Which::Blocks => run(conn, SQLITE_BLOCKS),
        },
        Conn::Pg(conn) => {
            if which == Which::Blocks {
                conn.batch_execute("CREATE SCHEMA IF NOT EXISTS blocks")?;
            }
            match which {
                Which::Main => run(conn, POSTGRES_MAIN),
                Which::Blocks => run(conn, POSTGRES_BLOCKS),
            }
        }
    }
}

/// A connection of its own, on PostgreSQL with the lock that goes with it however it ends. However long another one
/// migrates, it is waited for; for tables no longer than by anybody.
fn locked(pool: &Pool) -> Result<Conn> {
    let mut conn = pool.connect()?;
    if let Conn::Pg(conn) = &mut conn {
        conn.batch_execute("SET lock_timeout TO 0")?;
        conn.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
        conn.batch_execute("SET lock_timeout TO '15s'")?;
    }
    Ok(conn)
}

/// Does something that only one process may do at a time, of all that share a PostgreSQL: the others wait, as they do for
/// a migration. One process alone serves a SQLite directory.
pub fn alone<T>(pool: &Pool, deed: impl FnOnce() -> Result<T>) -> Result<T> {
    let _locked = match pool.location() {
        Location::Sqlite { .. } => None,
        Location::Postgres { .. } => Some(locked(pool)?),
    };
    deed()
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
            "this database was migrated by a newer tidegate (it has migration {unknown}); start that one"
        )));
    }
    Ok(conn.run_pending_migrations(tree).map_err(AppError::internal)?.len())
}
