//! Where a database lies: told so that a copy of it lies somewhere else, while whoever is started anew upon it, moved to
//! another machine with its disk, or made newer finds it where it was.

use std::os::unix::fs::MetadataExt;
use std::time::UNIX_EPOCH;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{Location, Pool};
use crate::error::{AppError, Result};

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// On SQLite the file itself, by its number on the disk and when it was made: a copy is another file. On PostgreSQL the
/// server and the database in it: what is restored from a dump is another database.
pub fn place(pool: &Pool) -> Result<String> {
    match pool.location() {
        Location::Sqlite { file } => {
            let there = std::fs::metadata(file).map_err(AppError::internal)?;
            // Not every file system knows when.
            let made = there.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            Ok(format!("file {} {}", there.ino(), made.map_or(0, |made| made.as_nanos())))
        }
        Location::Postgres { .. } => pool.read(|conn| {
            let server = diesel::sql_query("SELECT system_identifier::TEXT AS name FROM pg_control_system()");
            // Whoever may not ask knows the database alone.
            let server = server.get_result::<Named>(conn).map(|server| server.name).unwrap_or_default();
            let own = "SELECT oid::TEXT AS name FROM pg_database WHERE datname = current_database()";
            let database: Named = diesel::sql_query(own).get_result(conn)?;
            Ok(format!("postgres {server} {}", database.name))
        }),
    }
}
