//! Environments in the database, and the Blocks into which rows are still to be copied.

use super::model::{Chosen, Environment, Made};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{environments, row_copies};
use crate::db::{Conn, on};
use crate::error::{AppError, Result};

type Row = (i64, Option<i64>, Made, Moment, i64, String, i64, Option<Moment>, Option<Moment>);

fn environment(row: Row) -> Result<Environment> {
    let (application_id, original_id, made, at, member_id, connections, rows_of, finished_at, dismissed_at) = row;
    let connections: Chosen = serde_json::from_str(&connections).map_err(AppError::internal)?;
    Ok(Environment {
        application_id,
        original_id,
        made,
        at,
        member_id,
        connections,
        rows_of,
        finished_at,
        dismissed_at,
    })
}

pub fn of(conn: &mut Conn, application_id: i64) -> Result<Option<Environment>> {
    let row = environments::table.find(application_id).first::<Row>(conn).optional()?;
    row.map(environment).transpose()
}

/// Those of which rows are still to be copied or removed.
pub fn unfinished(conn: &mut Conn) -> Result<Vec<Environment>> {
    let rows = environments::table
        .filter(environments::finished_at.is_null())
        .order(environments::application_id)
        .load::<Row>(conn)?;
    rows.into_iter().map(environment).collect()
}

/// What was done to it last takes the place of what was known.
pub fn put(conn: &mut Conn, is: &Environment) -> Result<()> {
    diesel::delete(row_copies::table.filter(row_copies::application_id.eq(is.application_id))).execute(conn)?;
    diesel::delete(environments::table.find(is.application_id)).execute(conn)?;
    diesel::insert_into(environments::table)
        .values((
            environments::application_id.eq(is.application_id),
            environments::original_id.eq(is.original_id),
            environments::made_by.eq(is.made),
            environments::at.eq(is.at),
            environments::member_id.eq(is.member_id),
            environments::connections.eq(serde_json::to_string(&is.connections).map_err(AppError::internal)?),
            environments::rows_of.eq(is.rows_of),
            environments::finished_at.eq(is.finished_at),
            environments::dismissed_at.eq(is.dismissed_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whether what was begun at that moment is what was begun last.
pub fn is_last(conn: &mut Conn, of: &Environment) -> Result<bool> {
    let it = environments::table.find(of.application_id).filter(environments::at.eq(of.at));
    Ok(it.select(environments::application_id).first::<i64>(conn).optional()?.is_some())
}

/// Nothing of what was begun at that moment is left to do; another may have been begun since.
pub fn finish(conn: &mut Conn, of: &Environment, now: Moment) -> Result<()> {
    let it = environments::table.find(of.application_id).filter(environments::at.eq(of.at));
    diesel::update(it).set(environments::finished_at.eq(now)).execute(conn)?;
    Ok(())
}

pub fn dismiss(conn: &mut Conn, application_id: i64, now: Moment) -> Result<()> {
    diesel::update(environments::table.find(application_id)).set(environments::dismissed_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Rows that are to be copied: from which Block into which.
pub fn plan_rows(conn: &mut Conn, application_id: i64, copies: &[(i64, i64)]) -> Result<()> {
    let rows: Vec<_> = copies
        .iter()
        .map(|(from, to)| {
            (
                row_copies::block_id.eq(*to),
                row_copies::application_id.eq(application_id),
                row_copies::from_block_id.eq(*from),
            )
        })
        .collect();
    for some in rows.chunks(1_000) {
        on!(conn, c => diesel::insert_into(row_copies::table).values(some).execute_rows(c))?;
    }
    Ok(())
}

/// What is left of that, as pairs.
pub fn rows_left(conn: &mut Conn, application_id: i64) -> Result<Vec<(i64, i64)>> {
    Ok(row_copies::table
        .filter(row_copies::application_id.eq(application_id))
        .order(row_copies::block_id)
        .select((row_copies::from_block_id, row_copies::block_id))
        .load(conn)?)
}

pub fn count_left(conn: &mut Conn, application_id: i64) -> Result<i64> {
    Ok(row_copies::table.filter(row_copies::application_id.eq(application_id)).count().get_result(conn)?)
}

pub fn rows_copied(conn: &mut Conn, block_id: i64) -> Result<()> {
    diesel::delete(row_copies::table.find(block_id)).execute(conn)?;
    Ok(())
}
