//! The schedules that could come too close: those of configurations in one query, those of sets with what their steps use.

use std::collections::{HashMap, HashSet};

use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::Neighbour;
use crate::db::prelude::*;
use crate::db::schema::import_configurations;
use crate::db::{Conn, on};
use crate::error::Result;
use crate::import_sets::SetDefinition;
use crate::members::By;
use crate::schedules::rule::Rule;

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
    let neighbours = rows.into_iter().filter_map(|row| Some((readable(row.id, &row.rule)?, row)));
    let neighbours = neighbours.map(|(rule, row)| Neighbour {
        id: row.id,
        application_id: row.application_id,
        application_name: row.application_name,
        seen: everything || row.listed || row.application_id == application_id,
        set_id: None,
        configuration_id: row.configuration_id,
        block_id: row.block_id,
        connection_id: row.connection_id,
        source_block_id: row.source_block_id,
        name: row.name,
        rule,
    });
    let mut neighbours: Vec<Neighbour> = neighbours.collect();
    neighbours.extend(of_sets(conn, by, application_id)?);
    neighbours.sort_by_key(|neighbour| neighbour.id);
    Ok(neighbours)
}

/// One that cannot be read plans nothing, so it comes too close to nobody.
fn readable(schedule: i64, rule: &str) -> Option<Rule> {
    match serde_json::from_str(rule) {
        Ok(rule) => Some(rule),
        Err(error) => {
            tracing::warn!(schedule, %error, "a rule that cannot be read is left out of the comparison");
            None
        }
    }
}

#[derive(QueryableByName)]
struct SetRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    application_id: i64,
    #[diesel(sql_type = Text)]
    application_name: String,
    #[diesel(sql_type = Bool)]
    listed: bool,
    #[diesel(sql_type = BigInt)]
    set_id: i64,
    #[diesel(sql_type = Text)]
    definition: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    rule: String,
}

/// Id, Application, Block, Connection, source Block.
type Uses = (i64, i64, i64, Option<i64>, Option<i64>);

/// The same for the schedules of sets: their steps stand in their definitions, which no query looks into.
fn of_sets(conn: &mut Conn, by: &By, application_id: i64) -> Result<Vec<Neighbour>> {
    let query = diesel::sql_query(
        "SELECT s.id, s.application_id, a.name AS application_name, coalesce(x.can_view, FALSE) AS listed, \
         t.id AS set_id, v.definition, coalesce(s.run_name, t.name) AS name, s.rule \
         FROM schedules s JOIN import_sets t ON t.id = s.set_id \
         JOIN set_versions v ON v.set_id = t.id AND v.version = t.version \
         JOIN applications a ON a.id = s.application_id \
         LEFT JOIN application_access x ON x.application_id = s.application_id AND x.member_id = $1 \
         WHERE s.enabled AND s.finished_at IS NULL AND s.archived_at IS NULL AND a.archived_at IS NULL ORDER BY s.id",
    )
    .bind::<BigInt, _>(by.member.id);
    let rows: Vec<SetRow> = on!(conn, c => query.load(c))?;
    // One whose steps cannot be read runs nothing.
    let defined = |row: SetRow| Some((serde_json::from_str::<SetDefinition>(&row.definition).ok()?, row));
    let defined: Vec<(SetDefinition, SetRow)> = rows.into_iter().filter_map(defined).collect();
    if defined.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<i64> = defined.iter().flat_map(|(set, _)| &set.steps).map(|step| step.configuration_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let selected = (
        import_configurations::id,
        import_configurations::application_id,
        import_configurations::block_id,
        import_configurations::connection_id,
        import_configurations::source_block_id,
    );
    let here =
        import_configurations::application_id.eq(application_id).and(import_configurations::archived_at.is_null());
    let of_steps: Vec<Uses> =
        import_configurations::table.filter(import_configurations::id.eq_any(ids)).select(selected).load(conn)?;
    let connections: Vec<Option<i64>> =
        import_configurations::table.filter(here).select(import_configurations::connection_id).distinct().load(conn)?;
    let connections: HashSet<i64> = connections.into_iter().flatten().collect();
    let of_steps: HashMap<i64, Uses> = of_steps.into_iter().map(|uses| (uses.0, uses)).collect();
    let everything = by.member.sees_everything();
    let mut neighbours = Vec::new();
    for (set, row) in defined {
        let Some(rule) = readable(row.id, &row.rule) else { continue };
        for step in &set.steps {
            let Some((configuration_id, of, block_id, connection_id, source_block_id)) =
                of_steps.get(&step.configuration_id).copied()
            else {
                continue;
            };
            let near = connection_id.is_some_and(|id| connections.contains(&id));
            if of != application_id && !near && source_block_id.is_none() {
                continue;
            }
            neighbours.push(Neighbour {
                id: row.id,
                application_id: row.application_id,
                application_name: row.application_name.clone(),
                seen: everything || row.listed || row.application_id == application_id,
                set_id: Some(row.set_id),
                configuration_id,
                block_id,
                connection_id,
                source_block_id,
                name: row.name.clone(),
                rule,
            });
        }
    }
    Ok(neighbours)
}
