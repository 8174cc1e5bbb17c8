//! Lists of runs, the newest first, a page at a time: whatever they are filtered by, one index gives exactly the runs
//! wanted in their order, and no more of them than the page holds. So that no planner chooses another, what else is
//! asked of a run stands in words that no index has (`+ 0`, `|| ''`).

use crate::db::prelude::*;
use crate::db::{Conn, IdRow, on};
use crate::error::Result;
use crate::runs::lifecycle::Trigger;
use crate::runs::model::{Filter, Run};
use crate::runs::restores_store::IS_IMPORT;
use crate::runs::store::{self, numbers};

/// The newest runs before the cursor, of the Applications given (all when `None`).
pub fn newest(
    conn: &mut Conn,
    filter: &Filter,
    applications: Option<&[i64]>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Run>> {
    let picked = picked(filter, before, limit);
    let these = filter.application_id.map(|id| vec![id]).or_else(|| applications.map(<[i64]>::to_vec));
    let text = if is_within_one(filter) {
        let these = these.map(|ids| format!(" AND x.application_id + 0 IN ({})", numbers(&ids))).unwrap_or_default();
        format!("SELECT x.id FROM runs x WHERE {picked}{these} ORDER BY x.id DESC LIMIT {limit}")
    } else {
        let these = these.map(|ids| format!("WHERE a.id IN ({})", numbers(&ids))).unwrap_or_default();
        // A page of each Application: the newest of them all are the page.
        let of_each = format!(
            "SELECT x.id FROM runs x WHERE x.application_id = a.id AND {picked} ORDER BY x.id DESC LIMIT {limit}"
        );
        let from = match conn {
            Conn::Pg(_) => format!("SELECT r.id FROM applications a CROSS JOIN LATERAL ({of_each}) r"),
            Conn::Sqlite(_) => format!("SELECT r.id FROM applications a CROSS JOIN runs r ON r.id IN ({of_each})"),
        };
        format!("{from} {these} ORDER BY r.id DESC LIMIT {limit}")
    };
    let ids: Vec<IdRow> = on!(conn, c => diesel::sql_query(text).load(c))?;
    let ids: Vec<i64> = ids.into_iter().map(|row| row.id).collect();
    let mut runs = store::by_ids(conn, &ids)?;
    runs.sort_by_key(|run| std::cmp::Reverse(run.id));
    Ok(runs)
}

/// Whether what is asked for lies within one Application anyway, and has an index of its own.
fn is_within_one(filter: &Filter) -> bool {
    [filter.configuration_id, filter.schedule_id, filter.set_id, filter.parent_id].iter().any(Option::is_some)
}

/// The conditions: the first few are those of one index, the others leave none to choose.
fn picked(filter: &Filter, before: Option<i64>, limit: i64) -> String {
    debug_assert!(limit > 0);
    let mut said = Vec::new();
    let mut id = |column: &str, value: Option<i64>, by_index: &mut bool| {
        if let Some(value) = value {
            said.push(if *by_index { format!("x.{column} = {value}") } else { format!("x.{column} + 0 = {value}") });
            *by_index = false;
        }
    };
    // Fewest first: the steps of a set's run, a configuration, a schedule, a set.
    let mut by_index = true;
    id("parent_id", filter.parent_id, &mut by_index);
    id("configuration_id", filter.configuration_id, &mut by_index);
    let with_status = filter.parent_id.is_none() && (filter.configuration_id.is_some() || !is_within_one(filter));
    id("schedule_id", filter.schedule_id, &mut by_index);
    id("set_id", filter.set_id, &mut by_index);
    let mut by_index = with_status;
    let mut words =
        [("status", filter.status.map(|s| s.to_string())), ("trigger_kind", filter.trigger.map(|t| t.to_string()))];
    // Of two words the rarer leads: nearly all runs are scheduled, and most end well.
    if filter.trigger.is_some_and(|trigger| trigger != Trigger::Schedule) {
        words.reverse();
    }
    for (column, word) in words {
        if let Some(word) = word {
            said.push(if by_index { format!("x.{column} = '{word}'") } else { format!("x.{column} || '' = '{word}'") });
            by_index = false;
        }
    }
    // What a restore is kept under is no import that it is a run of.
    said.extend(filter.configuration_id.map(|_| IS_IMPORT.to_owned()));
    said.extend(before.map(|id| format!("x.id < {id}")));
    if said.is_empty() { "x.id > 0".to_owned() } else { said.join(" AND ") }
}
