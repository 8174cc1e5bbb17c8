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
/// server and the database in it, for what is restored from a dump is another database; and the server's port and the name
/// by which it is reached, for a copy of a whole server is the same by its own account.
pub fn place(pool: &Pool) -> Result<String> {
    match pool.location() {
        Location::Sqlite { file } => {
            let there = std::fs::metadata(file).map_err(AppError::internal)?;
            // Not every file system knows when.
            let made = there.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            Ok(format!("file {} {}", there.ino(), made.map_or(0, |made| made.as_nanos())))
        }
        Location::Postgres { url, .. } => pool.read(|conn| {
            let server = diesel::sql_query("SELECT system_identifier::TEXT AS name FROM pg_control_system()");
            // Whoever may not ask knows the database alone.
            let server = server.get_result::<Named>(conn).map(|server| server.name).unwrap_or_default();
            let own = "SELECT oid::TEXT || ' ' || current_setting('port') AS name FROM pg_database \
                       WHERE datname = current_database()";
            let database: Named = diesel::sql_query(own).get_result(conn)?;
            Ok(format!("postgres {server} {} {}", database.name, host(url)))
        }),
    }
}

/// The machine that a PostgreSQL URL names.
fn host(url: &str) -> String {
    let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_lowercase));
    match host.as_deref() {
        None | Some("" | "localhost" | "127.0.0.1" | "[::1]") => "here".to_owned(),
        Some(host) => host.to_owned(),
    }
}

/// Whether it is the same place, as it was told once: less was told of a server before.
pub fn is_same(was: &str, is: &str) -> bool {
    was == is || (was.starts_with("postgres ") && is.strip_prefix(was).is_some_and(|more| more.starts_with(' ')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_a_whole_server_lies_elsewhere() {
        let was = "postgres 7 16384 5432 db.example.com";
        assert!(is_same(was, was) && is_same("postgres 7 16384", was), "as it was told before");
        for other in
            ["postgres 7 16384 5433 db.example.com", "postgres 7 16384 5432 restored", "postgres 7 1638 5432 here"]
        {
            assert!(!is_same(was, other), "{other}");
        }
        assert!(!is_same("postgres 7 1638", was) && !is_same("file 1 2", "file 1 2 3"));
        assert_eq!(host("postgres://tidegate@LocalHost:5432/tidegate"), host("postgres:///tidegate"));
        assert_eq!(host("postgres://u:p@DB.example.com/tidegate?sslmode=require"), "db.example.com");
    }
}
