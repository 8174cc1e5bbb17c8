//! A view per Block in the Block database, with the names that people gave, for whoever reads the data with SQL.
//! It exists from the first load on and always shows what the Block holds. Its name and columns are remembered in
//! the Block database, so that the transaction that makes a load visible makes the view too.

use std::collections::HashMap;

use diesel::sql_types::Text;

use super::physical::{self, Named, ViewColumn, quoted};
use crate::applications::blocks::model::Block;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::block_db::{block_state, block_views};
use crate::error::{AppError, Result};

/// So many names are tried for a view.
const CHOICES: u32 = 100;

/// A view as it is remembered.
pub struct View {
    pub name: String,
    pub columns: Vec<ViewColumn>,
}

/// Takes over a Block's names; when the Block holds data its view is made anew.
pub fn remember(conn: &mut Conn, application: &str, block: &Block) -> Result<()> {
    let before = find(conn, block.id)?;
    let generation = generation(conn, block.id)?;
    let own = before.as_ref().filter(|_| generation.is_some()).map(|view| view.name.as_str());
    let name = free_name(conn, (application, &block.name), block.id, own)?;
    let columns = physical::view_columns(block);
    if before.as_ref().is_some_and(|before| before.name == name && before.columns == columns) {
        return Ok(());
    }
    let text = serde_json::to_string(&columns).map_err(AppError::internal)?;
    match &before {
        Some(_) => {
            diesel::update(block_views::table.filter(block_views::block_id.eq(block.id)))
                .set((block_views::view_name.eq(&name), block_views::column_list.eq(&text)))
                .execute(conn)?;
        }
        None => {
            diesel::insert_into(block_views::table)
                .values((
                    block_views::block_id.eq(block.id),
                    block_views::view_name.eq(&name),
                    block_views::column_list.eq(&text),
                ))
                .execute(conn)?;
        }
    }
    if let Some(generation) = generation {
        let table = physical::table(block.id, generation);
        physical::add_missing_columns(conn, &table, &columns)?;
        match &before {
            Some(View { name: old, columns: shown }) => {
                physical::change_view(conn, (old, shown), (&name, &columns), &table)?;
            }
            None => physical::create_view(conn, &name, &columns, &table, true)?,
        }
    }
    Ok(())
}

/// What a Block shows: there is a view of it from its first load on, and none before.
fn generation(conn: &mut Conn, block_id: i64) -> Result<Option<i64>> {
    let state = block_state::table.filter(block_state::block_id.eq(block_id)).select(block_state::generation);
    Ok(state.first::<Option<i64>>(conn).optional()?.flatten())
}

/// The first choice of a name that no other Block's view has, nor anything that somebody else made in this database;
/// `own` is the name of the view that the Block has already.
fn free_name(conn: &mut Conn, named: (&str, &str), block_id: i64, own: Option<&str>) -> Result<String> {
    for choice in 0..CHOICES {
        let name = physical::view_name(named.0, named.1, block_id, choice);
        let others =
            block_views::table.filter(block_views::view_name.eq(&name).and(block_views::block_id.ne(block_id)));
        let taken = others.count().get_result::<i64>(conn)? > 0;
        if !taken && (own == Some(name.as_str()) || !is_taken(conn, &name)?) {
            return Ok(name);
        }
    }
    Err(AppError::internal("no name was free for a Block's view"))
}

/// Whether something in the Block database has this name.
fn is_taken(conn: &mut Conn, name: &str) -> Result<bool> {
    let (sql, name) = match conn {
        Conn::Sqlite(_) => ("SELECT name FROM sqlite_master WHERE name = $1 COLLATE NOCASE", name.to_owned()),
        // A view is a type too.
        Conn::Pg(_) => {
            ("SELECT $1 AS name WHERE to_regclass($1) IS NOT NULL OR to_regtype($1) IS NOT NULL", quoted(name))
        }
    };
    let found: Vec<Named> = diesel::sql_query(sql).bind::<Text, _>(name).load(conn)?;
    Ok(!found.is_empty())
}

/// Makes the view of a Block that had none. Somebody may have taken its name since it was chosen: then it has another.
pub fn make_first(conn: &mut Conn, block_id: i64, view: &View, table: &str) -> Result<()> {
    let mut name = view.name.clone();
    if is_taken(conn, &name)? {
        // A name is made of the two that it was made of.
        name = free_name(conn, name.split_once("__").unwrap_or((&name, "")), block_id, None)?;
        diesel::update(block_views::table.filter(block_views::block_id.eq(block_id)))
            .set(block_views::view_name.eq(&name))
            .execute(conn)?;
    }
    physical::create_view(conn, &name, &view.columns, table, false)
}

/// Which of these Blocks differ in this database from their definition; `applications` has the names of Applications.
pub fn out_of_step(conn: &mut Conn, applications: &HashMap<i64, String>, blocks: &[Block]) -> Result<Vec<i64>> {
    let mut known: HashMap<i64, (String, String)> = HashMap::new();
    for some in blocks.chunks(500) {
        let ids = some.iter().map(|block| block.id);
        let rows = block_views::table.filter(block_views::block_id.eq_any(ids));
        let rows = rows.select((block_views::block_id, (block_views::view_name, block_views::column_list)));
        known.extend(rows.load::<(i64, (String, String))>(conn)?);
    }
    let is_named = |block: &Block, view: &str| {
        let Some(application) = applications.get(&block.application_id) else { return false };
        (0..CHOICES).any(|choice| physical::view_name(application, &block.name, block.id, choice) == view)
    };
    let agrees = |block: &&Block| {
        known.get(&block.id).is_some_and(|(view, columns)| {
            let columns = serde_json::from_str::<Vec<ViewColumn>>(columns);
            columns.is_ok_and(|columns| columns == physical::view_columns(block)) && is_named(block, view)
        })
    };
    Ok(blocks.iter().filter(|block| !agrees(block)).map(|block| block.id).collect())
}

/// The view of a Block as it is remembered.
pub fn find(conn: &mut Conn, block_id: i64) -> Result<Option<View>> {
    let row: Option<(String, String)> = block_views::table
        .filter(block_views::block_id.eq(block_id))
        .select((block_views::view_name, block_views::column_list))
        .first(conn)
        .optional()?;
    row.map(|(name, columns)| Ok(View { name, columns: serde_json::from_str(&columns).map_err(AppError::internal)? }))
        .transpose()
}

/// Drops a Block's view and its name.
pub fn forget(conn: &mut Conn, block_id: i64) -> Result<()> {
    if let Some(view) = find(conn, block_id)? {
        // Before there was a view, whatever has its name is somebody else's.
        if generation(conn, block_id)?.is_some() {
            physical::drop_view(conn, &view.name)?;
        }
        diesel::delete(block_views::table.filter(block_views::block_id.eq(block_id))).execute(conn)?;
    }
    Ok(())
}

/// Who reads a Block by its view now, so that no other table can be put under it: "bi (process 4711)".
pub fn reader(conn: &mut Conn, block_id: i64) -> Result<Option<String>> {
    let Some(view) = find(conn, block_id)? else { return Ok(None) };
    let Conn::Pg(conn) = conn else { return Ok(None) };
    let reader: Option<Named> = diesel::sql_query(
        "SELECT format('%s (process %s)', a.usename, a.pid) AS name FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
         WHERE l.relation = to_regclass($1) AND l.granted AND l.pid <> pg_backend_pid() LIMIT 1",
    )
    .bind::<Text, _>(quoted(&view.name))
    .get_result(conn)
    .optional()?;
    Ok(reader.map(|reader| reader.name))
}
