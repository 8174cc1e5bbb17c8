//! The schedules that could come too close: those of configurations, and those of sets for each of their steps.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::Neighbour;
use crate::db::{Conn, on};
use crate::error::Result;
use crate::import_sets::SetDefinition;
use crate::imports::{self, Configuration};
use crate::members::By;
use crate::schedules::Rule;

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
    let mut all = of_sets(conn, by, application_id)?;
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
    all.extend(neighbours);
    all.sort_by_key(|other| other.id);
    Ok(all)
}

#[derive(QueryableByName)]
struct OfSet {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    application_id: i64,
    #[diesel(sql_type = Text)]
    application_name: String,
    #[diesel(sql_type = Bool)]
    listed: bool,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = Text)]
    definition: String,
}

/// The same of sets, with what each of their steps uses.
fn of_sets(conn: &mut Conn, by: &By, application_id: i64) -> Result<Vec<Neighbour>> {
    let query = diesel::sql_query(
        "SELECT s.id, s.application_id, a.name AS application_name, coalesce(x.can_view, FALSE) AS listed, \
         coalesce(s.run_name, i.name) AS name, s.rule, v.definition \
         FROM schedules s JOIN import_sets i ON i.id = s.set_id \
         JOIN set_versions v ON v.set_id = i.id AND v.version = i.version \
         JOIN applications a ON a.id = s.application_id \
         LEFT JOIN application_access x ON x.application_id = s.application_id AND x.member_id = $1 \
         WHERE s.enabled AND s.finished_at IS NULL AND s.archived_at IS NULL AND a.archived_at IS NULL ORDER BY s.id",
    )
    .bind::<BigInt, _>(by.member.id);
    let rows: Vec<OfSet> = on!(conn, c => query.load(c))?;
    // What cannot be read plans nothing, or runs nothing.
    let read = |row: OfSet| {
        let rule = serde_json::from_str(&row.rule).ok()?;
        let set: SetDefinition = serde_json::from_str(&row.definition).ok()?;
        Some((row, rule, set))
    };
    let schedules: Vec<(OfSet, Rule, SetDefinition)> = rows.into_iter().filter_map(read).collect();
    let mut ids: Vec<i64> =
        schedules.iter().flat_map(|(_, _, set)| &set.steps).map(|step| step.configuration_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let steps: HashMap<i64, Configuration> =
        imports::by_ids(conn, &ids)?.into_iter().map(|found| (found.id, found)).collect();
    let here = steps.values().filter(|found| found.application_id == application_id);
    let connections: HashSet<i64> = here.filter_map(|found| found.connection_id).collect();
    let everything = by.member.sees_everything();
    let mut all = Vec::new();
    for (row, rule, set) in schedules {
        let seen = everything || row.listed || row.application_id == application_id;
        for step in set.steps.iter().filter_map(|step| steps.get(&step.configuration_id)) {
            let near = row.application_id == application_id
                || step.source_block_id.is_some()
                || step.connection_id.is_some_and(|id| connections.contains(&id));
            if near {
                all.push(Neighbour {
                    id: row.id,
                    application_id: row.application_id,
                    application_name: row.application_name.clone(),
                    seen,
                    configuration_id: step.id,
                    block_id: step.block_id,
                    connection_id: step.connection_id,
                    source_block_id: step.source_block_id,
                    name: row.name.clone(),
                    rule,
                });
            }
        }
    }
    Ok(all)
}
