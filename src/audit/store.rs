//! The audit log in the database.

use diesel::sql_types::BigInt;

use super::model::{Actor, Entry, Filter, Recorded};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::audit_log;
use crate::db::{self, Conn, IdRow, on};
use crate::error::Result;

/// An entry as a row.
macro_rules! row {
    ($actor:expr, $entry:expr, $now:expr) => {
        (
            audit_log::at.eq($now.micros()),
            audit_log::member_id.eq($actor.member_id),
            audit_log::member_name.eq(&$actor.name),
            audit_log::channel.eq($actor.channel),
            audit_log::action.eq($entry.action),
            audit_log::subject_kind.eq($entry.subject.0),
            audit_log::subject_id.eq($entry.subject.1),
            audit_log::application_id.eq($entry.application_id),
            audit_log::before.eq($entry.before.as_ref().map(|v| v.to_string())),
            audit_log::after.eq($entry.after.as_ref().map(|v| v.to_string())),
            audit_log::from_address.eq(&$actor.from),
            audit_log::token_name.eq(&$actor.token),
        )
    };
}

/// Appends an entry. Call it in the transaction of what it tells about.
pub fn record(conn: &mut Conn, actor: &Actor, entry: Entry, now: Moment) -> Result<()> {
    diesel::insert_into(audit_log::table).values(row!(actor, entry, now)).execute(conn)?;
    Ok(())
}

/// So many in one statement, which takes 65,535 values at most.
const ROWS: usize = 2_000;

/// Appends what one deed did to many things.
pub fn record_all(conn: &mut Conn, actor: &Actor, entries: Vec<Entry>, now: Moment) -> Result<()> {
    for entries in entries.chunks(ROWS) {
        let rows: Vec<_> = entries.iter().map(|entry| row!(actor, entry, now)).collect();
        on!(conn, c => diesel::insert_into(audit_log::table).values(&rows).execute_rows(c))?;
    }
    Ok(())
}

type Row = (
    i64,
    Moment,
    Option<i64>,
    String,
    String,
    String,
    String,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// The newest entries older than the entry `before` (all when `None`), newest first.
pub fn list(conn: &mut Conn, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Vec<Recorded>> {
    let mut query = audit_log::table.into_boxed::<db::Backend>();
    if let Some(id) = filter.application_id {
        query = query.filter(audit_log::application_id.eq(id));
    }
    if let Some(id) = filter.member_id {
        query = query.filter(audit_log::member_id.eq(id));
    }
    if !filter.kinds.is_empty() {
        query = query.filter(audit_log::subject_kind.eq_any(filter.kinds.clone()));
    }
    if filter.denied {
        query = query.filter(audit_log::action.like("%refused"));
    }
    if let Some((kind, id)) = filter.subject.clone() {
        query = query.filter(audit_log::subject_kind.eq(kind).and(audit_log::subject_id.eq(id)));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_log::at.ge(from.micros()));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_log::at.lt(until.micros()));
    }
    if let Some(id) = before {
        query = query.filter(audit_log::id.lt(id));
    }
    let rows = query.order(audit_log::id.desc()).limit(limit).load::<Row>(conn)?;
    Ok(rows.into_iter().map(recorded).collect())
}

/// How things stood at a moment: of each thing the newest entry with one of these actions before it, in the order of the
/// log, after an entry. `by_application`: of each thing in each Application.
pub fn as_of(
    conn: &mut Conn,
    (actions, by_application): (&[&str], bool),
    until: Moment,
    after: i64,
    limit: i64,
) -> Result<Vec<Recorded>> {
    // Words of ours.
    let actions = format!("('{}')", actions.join("', '"));
    // What members changed of themselves was once told without how they stand.
    let whole = |of: &str| format!("({of}.action <> 'member.changed' OR {of}.\"after\" LIKE '%\"role\":%')");
    let (whole_a, whole_l) = (whole("a"), whole("l"));
    let there = if by_application { "AND l.application_id = a.application_id " } else { "" };
    let ids: Vec<IdRow> = on!(conn, c => diesel::sql_query(format!(
        "SELECT a.id FROM audit_log a WHERE a.action IN {actions} AND a.at < $1 AND a.id > $2 AND {whole_a} AND NOT EXISTS (\
         SELECT 1 FROM audit_log l WHERE l.subject_kind = a.subject_kind AND l.subject_id = a.subject_id {there}\
         AND l.action IN {actions} AND {whole_l} AND l.id > a.id AND l.at < $3) ORDER BY a.id LIMIT {limit}"
    ))
    .bind::<BigInt, _>(until)
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(until)
    .load(c))?;
    let ids: Vec<i64> = ids.into_iter().map(|row| row.id).collect();
    let rows = audit_log::table.filter(audit_log::id.eq_any(ids)).order(audit_log::id).load::<Row>(conn)?;
    Ok(rows.into_iter().map(recorded).collect())
}

/// What was done to things of one kind after one entry and up to another, the oldest first.
pub fn since(conn: &mut Conn, (after, up_to): (i64, i64), kind: &str, limit: i64) -> Result<Vec<Recorded>> {
    let rows = audit_log::table
        .filter(audit_log::id.gt(after).and(audit_log::id.le(up_to)).and(audit_log::subject_kind.eq(kind)))
        .order(audit_log::id)
        .limit(limit)
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(recorded).collect())
}

/// What one action did since a moment to things of one kind, the newest first.
pub fn of_action(conn: &mut Conn, (kind, action): (&str, &str), since: Moment, limit: i64) -> Result<Vec<Recorded>> {
    let rows = audit_log::table
        .filter(audit_log::at.ge(since.micros()).and(audit_log::subject_kind.eq(kind)))
        .filter(audit_log::action.eq(action))
        .order(audit_log::id.desc())
        .limit(limit)
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(recorded).collect())
}

/// The same of those things alone that have these ids, in no order.
pub fn of_action_on(
    conn: &mut Conn,
    (kind, action): (&str, &str),
    ids: &[i64],
    since: Moment,
) -> Result<Vec<Recorded>> {
    let rows = audit_log::table
        .filter(audit_log::at.ge(since.micros()).and(audit_log::subject_kind.eq(kind)))
        .filter(audit_log::action.eq(action).and(audit_log::subject_id.eq_any(ids)))
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(recorded).collect())
}

/// The last entry's id; 0 while there is none.
pub fn last(conn: &mut Conn) -> Result<i64> {
    Ok(audit_log::table.order(audit_log::id.desc()).select(audit_log::id).first(conn).optional()?.unwrap_or_default())
}

/// One entry.
pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Recorded>> {
    Ok(audit_log::table.find(id).first::<Row>(conn).optional()?.map(recorded))
}

/// The last entry after `after` that stands before all that were made between two moments; `after` where there is none.
/// Entries do not stand in the order of their moments: what was refused is written later.
pub fn last_before(conn: &mut Conn, after: i64, (from, to): (Moment, Moment)) -> Result<i64> {
    let entries = || audit_log::table.filter(audit_log::id.gt(after)).select(audit_log::id);
    let last: Option<i64> = entries().order(audit_log::id.desc()).first(conn).optional()?;
    let Some(last) = last else { return Ok(after) };
    let between = audit_log::at.gt(from.micros()).and(audit_log::at.le(to.micros()));
    let first = entries().filter(audit_log::id.le(last).and(between)).order(audit_log::id).first::<i64>(conn);
    Ok(first.optional()?.map_or(last, |first| first - 1))
}

/// What a member did at that very moment to things of one kind in an Application: of each the newest entry.
pub fn done_at(conn: &mut Conn, application_id: i64, member_id: i64, kind: &str, at: Moment) -> Result<Vec<Recorded>> {
    let rows = audit_log::table
        .filter(audit_log::at.eq(at.micros()).and(audit_log::member_id.eq(member_id)))
        .filter(audit_log::application_id.eq(application_id).and(audit_log::subject_kind.eq(kind)))
        .order((audit_log::subject_id, audit_log::id.desc()))
        .load::<Row>(conn)?;
    let mut found: Vec<Recorded> = rows.into_iter().map(recorded).collect();
    found.dedup_by_key(|entry| entry.subject_id);
    Ok(found)
}

fn recorded(row: Row) -> Recorded {
    let (id, at, member_id, member_name, channel, action, subject_kind, subject_id, of, before, after, from, token) =
        row;
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    Recorded {
        id,
        at,
        member_id,
        member_name,
        channel,
        action,
        subject_kind,
        subject_id,
        application_id: of,
        from,
        token,
        before: json(before),
        after: json(after),
    }
}
