//! How many runs ended with each status in each quarter of an hour. The database keeps count by itself (triggers on
//! `runs`): every change is a row of its own, until [`merge`] adds up those that say the same.

use super::timeline_store::Stretch;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::run_counts;
use crate::error::Result;
use crate::runs::lifecycle::RunStatus;
use crate::runs::store::numbers;

/// Microseconds of a quarter of an hour.
const SLOT: i64 = 900_000_000;
/// So many changes are merged in one transaction: it takes some milliseconds.
const AT_ONCE: i64 = 500;

/// Whether a stretch is made of whole quarters.
pub fn is_whole((from, to): &Stretch) -> bool {
    [from, to].into_iter().all(|at| at.micros() % SLOT == 0)
}

/// A query for how many runs of an Application ended with these statuses in each of the stretches `s (n, a, b)`, all of
/// them or only those that the clock began.
pub fn ended(conn: &Conn, application_id: i64, scheduled: bool, statuses: &[RunStatus]) -> String {
    let statuses: Vec<String> = statuses.iter().map(|status| format!("'{status}'")).collect();
    let wanted = format!(
        "c.application_id = {application_id} AND c.slot >= s.a / {SLOT} AND c.slot < s.b / {SLOT}{}",
        if scheduled { " AND c.scheduled" } else { "" }
    );
    let from = match conn {
        Conn::Sqlite(_) => format!("s CROSS JOIN run_counts c WHERE {wanted}"),
        Conn::Pg(_) => format!(
            "s CROSS JOIN LATERAL (SELECT c.status, c.runs FROM run_counts c WHERE {wanted} OFFSET 0) c WHERE TRUE"
        ),
    };
    format!(
        "SELECT CAST(s.n AS BIGINT) AS stretch, c.status, CAST(sum(c.runs) AS BIGINT) AS count FROM {from} \
         AND c.status IN ({}) GROUP BY s.n, c.status",
        statuses.join(", ")
    )
}

/// A query for how many runs of these Applications ended with each status, from one whole quarter to another.
pub fn ended_across(application_ids: &[i64], from: Moment, to: Moment) -> String {
    let slot = |at: Moment| at.micros().div_euclid(SLOT);
    format!(
        "SELECT c.status, CAST(sum(c.runs) AS BIGINT) AS count FROM run_counts c WHERE c.application_id IN ({}) \
         AND c.slot >= {} AND c.slot < {} GROUP BY c.status",
        numbers(application_ids),
        slot(from),
        slot(to),
    )
}

/// Whether there is something to [`merge`].
pub fn any_new(conn: &mut Conn) -> Result<bool> {
    let new = run_counts::table.filter(diesel::dsl::not(run_counts::merged));
    Ok(new.select(run_counts::id).first::<i64>(conn).optional()?.is_some())
}

/// Merges some of what is new with what is there. A transaction, or a part of one.
pub fn merge(conn: &mut Conn) -> Result<()> {
    const SAME: &str = "application_id, slot, status, scheduled";
    let new = format!("SELECT {SAME} FROM run_counts WHERE NOT merged ORDER BY id LIMIT {AT_ONCE}");
    let same = SAME.split(", ").map(|column| format!("c.{column} = k.{column}")).collect::<Vec<_>>().join(" AND ");
    let these =
        format!("SELECT c.id FROM (SELECT DISTINCT {SAME} FROM ({new}) n) k CROSS JOIN run_counts c WHERE {same}");
    let sums = |from: &str| {
        format!(
            "INSERT INTO run_counts ({SAME}, runs, merged) SELECT {SAME}, sum(runs), TRUE FROM {from} \
             GROUP BY {SAME} HAVING sum(runs) <> 0"
        )
    };
    match conn {
        // One statement: what it adds up is what it takes out, whoever else counts or merges.
        Conn::Pg(conn) => {
            let gone = format!("DELETE FROM run_counts WHERE id IN ({these}) RETURNING {SAME}, runs");
            diesel::sql_query(format!("WITH gone AS ({gone}) {}", sums("gone"))).execute(conn)?;
        }
        Conn::Sqlite(conn) => {
            let highest: Option<i64> = run_counts::table.select(diesel::dsl::max(run_counts::id)).first(conn)?;
            let sums = sums(&format!("run_counts WHERE id IN ({these})"));
            diesel::sql_query(sums).execute(conn)?;
            let gone = format!("DELETE FROM run_counts WHERE id IN ({these}) AND id <= {}", highest.unwrap_or(0));
            diesel::sql_query(gone).execute(conn)?;
        }
    }
    Ok(())
}
