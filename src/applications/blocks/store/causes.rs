//! What a run rejected, by cause.

use diesel::sql_types::{BigInt, Text};

use super::rejects::{Cause, RejectedCell};
use crate::db::Conn;
use crate::db::prelude::*;
use crate::error::Result;

#[derive(QueryableByName)]
struct CellRow {
    #[diesel(sql_type = BigInt)]
    line: i64,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Text)]
    advice: String,
}

#[derive(QueryableByName)]
struct CauseRow {
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = BigInt)]
    cells: i64,
    #[diesel(sql_type = BigInt)]
    first_line: i64,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Text)]
    advice: String,
}

/// The first bad cells of each cause.
pub fn examples(conn: &mut Conn, run_id: i64, of_each: i64) -> Result<Vec<RejectedCell>> {
    let cells: Vec<CellRow> = diesel::sql_query(
        "SELECT line, column_name, value, code, reason, advice FROM (\
           SELECT *, row_number() OVER (PARTITION BY code, column_name ORDER BY id) AS n \
           FROM rejects WHERE run_id = $1) numbered \
         WHERE n <= $2 ORDER BY id",
    )
    .bind::<BigInt, _>(run_id)
    .bind::<BigInt, _>(of_each)
    .load(conn)?;
    let cell = |CellRow { line, column_name: column, value, code, reason, advice }| RejectedCell {
        line,
        column,
        value,
        code,
        reason,
        advice,
    };
    Ok(cells.into_iter().map(cell).collect())
}

/// What a run rejected, grouped by cause and column, the most frequent first.
pub fn causes(conn: &mut Conn, run_id: i64) -> Result<Vec<Cause>> {
    let rows: Vec<CauseRow> = diesel::sql_query(
        "SELECT g.code, g.column_name, CAST(sum(g.cells) AS BIGINT) AS cells, min(g.first_line) AS first_line, \
         min(g.reason) AS reason, min(g.advice) AS advice FROM (\
           SELECT k.code, k.column_name, k.cells, k.first_line, r.reason, r.advice FROM (\
             SELECT code, column_name, count(*) AS cells, min(line) AS first_line, min(id) AS first_id \
             FROM rejects WHERE run_id = $1 GROUP BY code, column_name) k JOIN rejects r ON r.id = k.first_id \
           UNION ALL SELECT code, column_name, cells, first_line, reason, advice FROM reject_beyond WHERE run_id = $1) g \
         GROUP BY g.code, g.column_name ORDER BY 3 DESC, 4, g.column_name",
    )
    .bind::<BigInt, _>(run_id)
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| Cause {
            code: row.code,
            column: row.column_name,
            cells: row.cells,
            reason: row.reason,
            advice: row.advice,
            first_line: row.first_line,
        })
        .collect())
}
