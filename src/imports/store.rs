//! Import configurations and their versions in the database.

use std::collections::HashMap;

use diesel::dsl::case_when;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::listed::{Listed, Outline, Stands, source_words};
use super::model::{Configuration, ConfigurationStatus, Definition, Draft, Version};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{blocks, configuration_versions, connections, import_configurations, members};
use crate::db::{Conn, is_taken, on};
use crate::error::{AppError, Result};
use crate::names::name_key;

type Row = (
    i64,
    i64,
    String,
    String,
    i64,
    Option<i64>,
    Option<i64>,
    i64,
    Option<ConfigurationStatus>,
    Option<i64>,
    Moment,
    Option<Moment>,
);

macro_rules! columns {
    () => {
        (
            import_configurations::id,
            import_configurations::application_id,
            import_configurations::name,
            import_configurations::description,
            import_configurations::block_id,
            import_configurations::connection_id,
            import_configurations::source_block_id,
            import_configurations::version,
            import_configurations::status,
            import_configurations::status_run_id,
            import_configurations::created_at,
            import_configurations::archived_at,
        )
    };
}

fn configuration(row: Row) -> Configuration {
    let (
        id,
        application_id,
        name,
        description,
        block_id,
        connection_id,
        source_block_id,
        version,
        status,
        run,
        created_at,
        archived,
    ) = row;
    Configuration {
        id,
        application_id,
        name,
        description,
        block_id,
        connection_id,
        source_block_id,
        version,
        status,
        status_run_id: run,
        created_at,
        archived: archived.is_some(),
    }
}

/// One configuration, archived or not: runs and history name both.
pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Configuration>> {
    let row = import_configurations::table.find(id).select(columns!()).first::<Row>(conn).optional()?;
    Ok(row.map(configuration))
}

/// Those of the ids that exist, archived or not.
pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Configuration>> {
    let rows = import_configurations::table
        .filter(import_configurations::id.eq_any(ids))
        .order((import_configurations::name, import_configurations::id))
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(configuration).collect())
}

/// One version of a configuration.
pub fn version(conn: &mut Conn, configuration_id: i64, version: i64) -> Result<Option<Version>> {
    let row: Option<(i64, Option<i64>, Option<i64>, String)> = configuration_versions::table
        .find((configuration_id, version))
        .select((
            configuration_versions::block_id,
            configuration_versions::connection_id,
            configuration_versions::source_block_id,
            configuration_versions::definition,
        ))
        .first(conn)
        .optional()?;
    row.map(|(block_id, connection_id, source_block_id, text)| {
        let definition = serde_json::from_str(&text).map_err(AppError::internal)?;
        Ok(Version { block_id, connection_id, source_block_id, definition })
    })
    .transpose()
}

/// An Application's configurations by name.
pub fn list(conn: &mut Conn, application_id: i64) -> Result<Vec<Listed>> {
    let rows = import_configurations::table
        .filter(import_configurations::application_id.eq(application_id))
        .filter(import_configurations::archived_at.is_null())
        .order((import_configurations::name_key, import_configurations::id))
        .select(columns!())
        .load::<Row>(conn)?;
    listed(conn, rows)
}

#[derive(QueryableByName)]
struct OutlineRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<ConfigurationStatus>,
    #[diesel(sql_type = Nullable<BigInt>)]
    status_at: Option<Moment>,
    #[diesel(sql_type = Text)]
    block_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    connection_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    source_block_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    definition: Option<String>,
}

/// An Application's configurations by name, no more of each than a long list is found, sorted and counted by. One
/// query; definitions are read only where the source is wanted.
pub fn outlines(conn: &mut Conn, application_id: i64, with_source: bool) -> Result<Vec<Outline>> {
    #[derive(serde::Deserialize)]
    struct Definition {
        source: Source,
    }
    #[derive(serde::Deserialize)]
    struct Source {
        path: Option<String>,
    }
    let (definition, join) = match with_source {
        true => {
            ("v.definition", "JOIN configuration_versions v ON v.configuration_id = c.id AND v.version = c.version")
        }
        false => ("NULL", ""),
    };
    let query = diesel::sql_query(format!(
        "SELECT c.id, c.name, c.status, c.status_at, b.name AS block_name, n.name AS connection_name, \
         s.name AS source_block_name, {definition} AS definition FROM import_configurations c \
         JOIN blocks b ON b.id = c.block_id {join} LEFT JOIN connections n ON n.id = c.connection_id \
         LEFT JOIN blocks s ON s.id = c.source_block_id \
         WHERE c.application_id = $1 AND c.archived_at IS NULL ORDER BY c.name_key, c.id"
    ))
    .bind::<BigInt, _>(application_id);
    let rows: Vec<OutlineRow> = on!(conn, c => query.load(c))?;
    rows.into_iter()
        .map(|row| {
            let definition = row.definition.map(|text| serde_json::from_str::<Definition>(&text)).transpose();
            let path = definition.map_err(AppError::internal)?.and_then(|definition| definition.source.path);
            Ok(Outline {
                id: row.id,
                name: row.name,
                status: row.status,
                status_at: row.status_at,
                needs_file: row.connection_name.is_none() && row.source_block_name.is_none(),
                block_name: row.block_name,
                source: source_words(
                    row.connection_name.as_deref(),
                    path.as_deref(),
                    row.source_block_name.as_deref(),
                    Stands::Within,
                ),
            })
        })
        .collect()
}

/// Those of the ids that an Application has and that are not deleted, as lists show them.
pub fn listed_of(conn: &mut Conn, application_id: i64, ids: &[i64]) -> Result<Vec<Listed>> {
    let rows = import_configurations::table
        .filter(import_configurations::application_id.eq(application_id))
        .filter(import_configurations::archived_at.is_null())
        .filter(import_configurations::id.eq_any(ids))
        .select(columns!())
        .load::<Row>(conn)?;
    listed(conn, rows)
}

/// The next ones by id.
pub fn page(conn: &mut Conn, application_id: i64, after: i64, limit: i64) -> Result<Vec<Listed>> {
    let rows = import_configurations::table
        .filter(import_configurations::application_id.eq(application_id))
        .filter(import_configurations::archived_at.is_null())
        .filter(import_configurations::id.gt(after))
        .order(import_configurations::id)
        .limit(limit)
        .select(columns!())
        .load::<Row>(conn)?;
    listed(conn, rows)
}

/// Three queries, however many there are.
fn listed(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Listed>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let block_ids: Vec<i64> = rows.iter().flat_map(|row| [Some(row.4), row.6]).flatten().collect();
    let connection_ids: Vec<i64> = rows.iter().filter_map(|row| row.5).collect();
    let block_names: HashMap<i64, String> = blocks::table
        .filter(blocks::id.eq_any(block_ids))
        .select((blocks::id, blocks::name))
        .load(conn)?
        .into_iter()
        .collect();
    let connection_names: HashMap<i64, String> = connections::table
        .filter(connections::id.eq_any(connection_ids))
        .select((connections::id, connections::name))
        .load(conn)?
        .into_iter()
        .collect();
    let mut definitions: HashMap<i64, String> = configuration_versions::table
        .inner_join(import_configurations::table)
        .filter(import_configurations::id.eq_any(ids))
        .filter(configuration_versions::version.eq(import_configurations::version))
        .select((configuration_versions::configuration_id, configuration_versions::definition))
        .load(conn)?
        .into_iter()
        .collect();
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let configuration = configuration(row);
        let text = definitions.remove(&configuration.id).ok_or_else(|| AppError::internal("no definition"))?;
        found.push(Listed {
            definition: serde_json::from_str(&text).map_err(AppError::internal)?,
            block_name: block_names.get(&configuration.block_id).cloned().unwrap_or_default(),
            connection_name: configuration.connection_id.and_then(|id| connection_names.get(&id).cloned()),
            source_block_name: configuration.source_block_id.and_then(|id| block_names.get(&id).cloned()),
            configuration,
        });
    }
    Ok(found)
}

pub fn insert(conn: &mut Conn, application_id: i64, draft: &Draft, now: Moment) -> Result<i64> {
    diesel::insert_into(import_configurations::table)
        .values((
            import_configurations::application_id.eq(application_id),
            import_configurations::name.eq(&draft.name),
            import_configurations::name_key.eq(name_key(&draft.name)),
            import_configurations::description.eq(&draft.description),
            import_configurations::block_id.eq(draft.block_id),
            import_configurations::connection_id.eq(draft.connection_id),
            import_configurations::source_block_id.eq(draft.source_block_id),
            import_configurations::created_at.eq(now),
        ))
        .returning(import_configurations::id)
        .get_result(conn)
        .map_err(|e| taken(e, &draft.name))
}

pub fn update(conn: &mut Conn, id: i64, draft: &Draft, version: i64) -> Result<()> {
    diesel::update(import_configurations::table.find(id))
        .set((
            import_configurations::name.eq(&draft.name),
            import_configurations::name_key.eq(name_key(&draft.name)),
            import_configurations::description.eq(&draft.description),
            import_configurations::block_id.eq(draft.block_id),
            import_configurations::connection_id.eq(draft.connection_id),
            import_configurations::source_block_id.eq(draft.source_block_id),
            import_configurations::version.eq(version),
        ))
        .execute(conn)
        .map_err(|e| taken(e, &draft.name))?;
    Ok(())
}

fn taken(error: diesel::result::Error, name: &str) -> AppError {
    if is_taken(&error) {
        AppError::Conflict(format!(
            "An import configuration named \"{name}\" already exists in this Application. Choose another name."
        ))
    } else {
        error.into()
    }
}

pub fn insert_version(
    conn: &mut Conn,
    id: i64,
    version: i64,
    draft: &Draft,
    member_id: i64,
    now: Moment,
) -> Result<()> {
    diesel::insert_into(configuration_versions::table)
        .values((
            configuration_versions::configuration_id.eq(id),
            configuration_versions::version.eq(version),
            configuration_versions::block_id.eq(draft.block_id),
            configuration_versions::connection_id.eq(draft.connection_id),
            configuration_versions::source_block_id.eq(draft.source_block_id),
            configuration_versions::definition
                .eq(serde_json::to_string(&draft.definition).map_err(AppError::internal)?),
            configuration_versions::created_by.eq(member_id),
            configuration_versions::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps the columns that the first load of a version found by their names, where nobody has kept any yet.
pub fn learn(conn: &mut Conn, (id, version): (i64, i64), columns: &[String]) -> Result<()> {
    let row = configuration_versions::table.find((id, version));
    let Some(stored) = row.select(configuration_versions::definition).first::<String>(conn).optional()? else {
        return Ok(());
    };
    let mut definition: Definition = serde_json::from_str(&stored).map_err(AppError::internal)?;
    if definition.mapping.is_some() || definition.columns.is_some() {
        return Ok(());
    }
    definition.columns = Some(columns.to_vec());
    let learned = serde_json::to_string(&definition).map_err(AppError::internal)?;
    diesel::update(row).set(configuration_versions::definition.eq(learned)).execute(conn)?;
    Ok(())
}

/// Who saved a version, and when.
pub fn saved_by(conn: &mut Conn, id: i64, version: i64) -> Result<Option<(String, Moment)>> {
    Ok(configuration_versions::table
        .inner_join(members::table.on(configuration_versions::created_by.eq(members::id.nullable())))
        .filter(configuration_versions::configuration_id.eq(id).and(configuration_versions::version.eq(version)))
        .select((members::name, configuration_versions::created_at))
        .first(conn)
        .optional()?)
}

/// It is gone from lists and its name is free; its versions and history stay.
pub fn archive(conn: &mut Conn, id: i64, now: Moment) -> Result<()> {
    diesel::update(import_configurations::table.find(id))
        .set((import_configurations::name_key.eq(format!("archived:{id}")), import_configurations::archived_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Keeps how a Run ended: the one that is written last counts, also when the clock was set back in between. Its moment
/// never goes back.
pub fn set_status(conn: &mut Conn, id: i64, status: ConfigurationStatus, run_id: i64, ended_at: Moment) -> Result<()> {
    diesel::update(import_configurations::table.find(id))
        .set((
            import_configurations::status.eq(status),
            import_configurations::status_run_id.eq(run_id),
            import_configurations::status_at.eq(case_when(
                import_configurations::status_at.gt(ended_at),
                import_configurations::status_at,
            )
            .otherwise(ended_at.into_sql::<Nullable<BigInt>>())),
        ))
        .execute(conn)?;
    Ok(())
}

/// The Run that the status is of has become something else: it was Held, and somebody decided. What ended since counts.
pub fn decide_status(conn: &mut Conn, id: i64, status: ConfigurationStatus, run_id: i64) -> Result<()> {
    let of_run = import_configurations::table
        .filter(import_configurations::id.eq(id).and(import_configurations::status_run_id.eq(run_id)));
    diesel::update(of_run).set(import_configurations::status.eq(status)).execute(conn)?;
    Ok(())
}
