//! All that both databases hold, as text: equal before and after means that nothing changed.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tidegate::db::{Conn, Pool};
use tidegate::error::Result;

use super::World;

/// Table to its rows, each as text, sorted. Written as a side effect of merely looking, and so left out: when a
/// session or a token was last seen, attempts to sign in, what was refused.
pub type Fingerprint = BTreeMap<String, Vec<String>>;

const LEFT_OUT: [&str; 6] = ["sessions", "api_tokens", "sign_in_attempts", "audit_log", "workers", "idempotency_keys"];

impl World {
    pub async fn fingerprint(&self) -> Fingerprint {
        let (main, blocks) = (self.app().db.clone(), self.app().blocks.clone());
        let both = move || Ok((of(&main)?, of(&blocks)?));
        let (mut all, blocks) = tidegate::app::off_thread(both).await.unwrap();
        all.extend(blocks.into_iter().map(|(table, rows)| (format!("blocks.{table}"), rows)));
        all
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}

fn of(pool: &Pool) -> Result<Fingerprint> {
    pool.read(|conn| {
        let tables = match conn {
            Conn::Sqlite(_) => {
                "SELECT name AS text FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            }
            Conn::Pg(_) => "SELECT tablename::TEXT AS text FROM pg_tables WHERE schemaname = current_schema()",
        };
        let mut print = Fingerprint::new();
        for Row { text: table } in diesel::sql_query(tables).load::<Row>(conn)? {
            if LEFT_OUT.contains(&table.as_str()) || table.starts_with("__") {
                continue;
            }
            let rows = match conn {
                Conn::Pg(_) => format!("SELECT t::TEXT AS text FROM \"{table}\" t ORDER BY 1"),
                Conn::Sqlite(_) => format!("SELECT {} AS text FROM \"{table}\" ORDER BY 1", columns(conn, &table)?),
            };
            let rows = diesel::sql_query(rows).load::<Row>(conn)?;
            print.insert(table, rows.into_iter().map(|row| row.text).collect());
        }
        Ok(print)
    })
}

fn columns(conn: &mut Conn, table: &str) -> Result<String> {
    let names =
        diesel::sql_query(format!("SELECT name AS text FROM pragma_table_info('{table}')")).load::<Row>(conn)?;
    Ok(names.iter().map(|n| format!("quote(\"{}\")", n.text)).collect::<Vec<_>>().join("||' '||"))
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many rows a table of the Workspace has.
pub async fn rows_of(world: &World, table: &'static str) -> i64 {
    let query = format!("SELECT count(*) AS count FROM {table}");
    world.read(move |conn| Ok(diesel::sql_query(query).get_result::<Count>(conn)?.count)).await
}
