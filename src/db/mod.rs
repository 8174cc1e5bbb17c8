//! The only room that knows there are two databases. Everybody else writes Diesel queries against [`Conn`] and runs
//! them through [`Pool::read`] and [`Pool::write`]; where a statement needs its own dialect there is one `match` on
//! [`Conn`], here or in a noun's private store.
//!
//! Two pools exist: the Workspace's own tables, and the Block database (schema `blocks` on PostgreSQL, the file
//! `blocks.db` on SQLite), so that a long load never blocks a toggle.

/// Runs one expression with the concrete connection of either database.
macro_rules! on {
    ($conn:expr, $c:ident => $e:expr) => {
        match $conn {
            $crate::db::Conn::Pg($c) => $e,
            $crate::db::Conn::Sqlite($c) => $e,
        }
    };
}
pub(crate) use on;

mod asked;
mod clock;
pub mod meaning;
mod migrations;
mod place;
mod pool;
pub mod schema;
pub mod sqlite;
mod types;

/// What `diesel::prelude` is for, with our way of [asking](asked).
pub mod prelude {
    pub use diesel::prelude::*;

    pub use super::asked::RunQueryDsl;
}

pub use clock::ServerClock;
pub use migrations::{Which, alone, migrate};
pub use place::{is_same as is_same_place, place};
pub use pool::{Conn, Location, Pool, attempt, snapshot, write};
pub(crate) use types::text_enum;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::BigInt;

/// The backend that typed queries are boxed for: `query.into_boxed::<db::Backend>()`.
pub type Backend = <Conn as diesel::Connection>::Backend;

/// Asks the database whether it answers.
pub fn ping(conn: &mut Conn) -> crate::error::Result<()> {
    diesel::sql_query("SELECT 1").execute(conn)?;
    Ok(())
}

/// Holds a row until the transaction ends, so that two writers of one thing go one after the other. SQLite's write
/// transactions exclude each other already. It holds up no foreign key that names the row: who writes a run of an
/// Application does not wait for who saves a schedule there. `table` is ours, never a person's text.
pub fn lock_row(conn: &mut Conn, table: &'static str, id: i64) -> QueryResult<()> {
    if let Conn::Pg(conn) = conn {
        Lock { table, id }.execute(conn)?;
    }
    Ok(())
}

/// A query of its own, because Diesel prepares those that it is handed as text anew each time.
struct Lock {
    table: &'static str,
    id: i64,
}

impl QueryId for Lock {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Lock {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql("SELECT 1 FROM ");
        pass.push_identifier(self.table)?;
        pass.push_sql(" WHERE id = ");
        pass.push_bind_param::<BigInt, _>(&self.id)?;
        pass.push_sql(" FOR NO KEY UPDATE");
        Ok(())
    }
}

impl RunQueryDsl<PgConnection> for Lock {}

/// The same for several rows, in the order of their ids, so that two who want the same rows do not wait for each other.
pub fn lock_rows(conn: &mut Conn, table: &'static str, ids: &[i64]) -> QueryResult<()> {
    if let Conn::Pg(conn) = conn {
        diesel::sql_query(format!("SELECT 1 FROM {table} WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"))
            .bind::<diesel::sql_types::Array<BigInt>, _>(ids)
            .execute(conn)?;
    }
    Ok(())
}

/// Whether a statement failed because a unique key was taken.
pub fn is_taken(error: &diesel::result::Error) -> bool {
    use diesel::result::{DatabaseErrorKind::UniqueViolation, Error::DatabaseError};
    matches!(error, DatabaseError(UniqueViolation, _))
}

/// The id of the row that this SQLite or PostgreSQL connection is asked to return after an insert.
#[derive(QueryableByName)]
pub struct IdRow {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
}

/// From here on the ids of a table are larger than this; answers whether they would not have been. `table` is ours, never
/// a person's text.
pub fn raise_ids(conn: &mut Conn, table: &'static str, above: i64) -> QueryResult<bool> {
    match conn {
        Conn::Sqlite(conn) => {
            let last: Option<IdRow> = diesel::sql_query("SELECT seq AS id FROM sqlite_sequence WHERE name = $1")
                .bind::<diesel::sql_types::Text, _>(table)
                .get_result(conn)
                .optional()?;
            if last.as_ref().map_or(0, |row| row.id) >= above {
                return Ok(false);
            }
            // SQLite numbers placeholders as they come, whatever digits they have.
            let statement = match last {
                Some(_) => "UPDATE sqlite_sequence SET seq = $1 WHERE name = $2",
                None => "INSERT INTO sqlite_sequence (seq, name) VALUES ($1, $2)",
            };
            diesel::sql_query(statement)
                .bind::<BigInt, _>(above)
                .bind::<diesel::sql_types::Text, _>(table)
                .execute(conn)?;
        }
        Conn::Pg(conn) => {
            // The sequence itself: it may be ahead of the table. One that was never asked holds no number yet.
            let sequence: IdRow = diesel::sql_query(
                "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence($1, 'id')::regclass), 0) AS id",
            )
            .bind::<diesel::sql_types::Text, _>(table)
            .get_result(conn)?;
            if sequence.id >= above {
                return Ok(false);
            }
            diesel::sql_query("SELECT setval(pg_get_serial_sequence($1, 'id')::regclass, $2)")
                .bind::<diesel::sql_types::Text, _>(table)
                .bind::<BigInt, _>(above)
                .execute(conn)?;
        }
    }
    Ok(true)
}
