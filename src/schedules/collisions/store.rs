//! The schedules that could come too close, in one query.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::Neighbour;
use crate::db::{Conn, on};
use crate::error::Result;
use crate::members::By;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    application_id: i64,
    #[diesel(sql_type = Text)]
    application_name: String,
    #[diesel(sql_type = Bool)]
    listed: bool,
    #[diesel(sql_type = BigInt)]
    configuration_id: i64,
    #[diesel(sql_type = BigInt)]
    block_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    connection_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    source_block_id: Option<i64>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    rule: String,
}

/// Of the Application, of every Connection that one of its configurations uses, and all that are fed by Blocks; only what is
/// on.
pub fn neighbours(conn: &mut Conn, by: &By, application_id: i64) -> Result<Vec<Neighbour>> {
    let query = diesel::sql_query(
        "SELECT s.id, s.application_id, a.name AS application_name, coalesce(x.can_view, FALSE) AS listed, \
         c.id AS configuration_id, c.block_id, c.connection_id, c.source_block_id, coalesce(s.run_name, c.name) AS name, s.rule \
         FROM schedules s JOIN import_configurations c ON c.id = s.configuration_id \
         JOIN applications a ON a.id = s.application_id \
         LEFT JOIN application_access x ON x.application_id = s.application_id AND x.member_id = $1 \
         WHERE s.enabled AND s.finished_at IS NULL AND s.archived_at IS NULL AND a.archived_at IS NULL \
         AND (s.application_id = $2 OR c.source_block_id IS NOT NULL OR c.connection_id IN (SELECT k.connection_id FROM import_configurations k \
         WHERE k.application_id = $2 AND k.archived_at IS NULL AND k.connection_id IS NOT NULL)) ORDER BY s.id",
    )
    .bind::<BigInt, _>(by.member.id)
    .bind::<BigInt, _>(application_id);
    let rows: Vec<Row> = on!(conn, c => query.load(c))?;
    let everything = by.member.sees_everything();
    // One that cannot be read plans nothing, so it comes too close to nobody.
    let readable = |row: Row| match serde_json::from_str(&row.rule) {
        Ok(rule) => Some((row, rule)),
        Err(error) => {
            tracing::warn!(schedule = row.id, %error, "a rule that cannot be read is left out of the comparison");
            None
        }
    };
    let neighbours = rows.into_iter().filter_map(readable).map(|(row, rule)| Neighbour {
        id: row.id,
        application_id: row.application_id,
        application_name: row.application_name,
        seen: everything || row.listed || row.application_id == application_id,
        configuration_id: row.configuration_id,
        block_id: row.block_id,
        connection_id: row.connection_id,
        source_block_id: row.source_block_id,
        name: row.name,
        rule,
    });
    Ok(neighbours.collect())
}
