//! Incidents in the database.

use std::collections::{BTreeMap, HashMap};

use chrono::Duration;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::model::{Affected, Incident};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{incident_targets as targets, incidents, notices};
use crate::db::{Conn, on};
use crate::error::Result;
use crate::imports::Target;
use crate::notifications::model::NoticeKind;

/// One that is over is kept this long.
const KEPT: Duration = Duration::days(180);
/// So many are removed in one transaction.
const BATCH: i64 = 500;

/// How an import breaks.
const BROKE: [NoticeKind; 4] = [NoticeKind::Failed, NoticeKind::Partial, NoticeKind::Held, NoticeKind::Missed];

#[derive(Queryable)]
struct Row {
    id: i64,
    application_id: Option<i64>,
    key: String,
    kind: NoticeKind,
    cause: String,
    opened_at: Moment,
    last_at: Moment,
    told_at: Moment,
    failures: i64,
    reminders: i32,
    taken_by: Option<i64>,
    taken_at: Option<Moment>,
    snoozed_until: Option<Moment>,
    closed_at: Option<Moment>,
}

fn incident(row: Row) -> Incident {
    Incident {
        id: row.id,
        application_id: row.application_id,
        key: row.key,
        kind: row.kind,
        cause: row.cause,
        opened_at: row.opened_at,
        last_at: row.last_at,
        told_at: row.told_at,
        failures: row.failures,
        reminders: row.reminders,
        taken_by: row.taken_by,
        taken_at: row.taken_at,
        snoozed_until: row.snoozed_until,
        closed_at: row.closed_at,
    }
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Incident>> {
    Ok(incidents::table.find(id).first::<Row>(conn).optional()?.map(incident))
}

pub fn open_by_key(conn: &mut Conn, key: &str) -> Result<Option<Incident>> {
    let open = incidents::table.filter(incidents::key.eq(key).and(incidents::closed_at.is_null()));
    Ok(open.first::<Row>(conn).optional()?.map(incident))
}

/// What is open in these Applications, what failed last first.
pub fn open_in(conn: &mut Conn, application_ids: &[i64], limit: i64) -> Result<Vec<Incident>> {
    let open = incidents::table
        .filter(incidents::closed_at.is_null().and(incidents::application_id.eq_any(application_ids)))
        .order((incidents::last_at.desc(), incidents::id.desc()))
        .limit(limit);
    Ok(open.load::<Row>(conn)?.into_iter().map(incident).collect())
}

/// All that an import broke and that are open.
pub fn all_open(conn: &mut Conn) -> Result<Vec<Incident>> {
    let open = incidents::table.filter(incidents::closed_at.is_null().and(incidents::kind.eq_any(BROKE)));
    Ok(open.order(incidents::id).load::<Row>(conn)?.into_iter().map(incident).collect())
}

/// All of a kind that are open.
pub fn open_of_kind(conn: &mut Conn, kind: NoticeKind) -> Result<Vec<Incident>> {
    let open = incidents::table.filter(incidents::closed_at.is_null().and(incidents::kind.eq(kind)));
    Ok(open.order(incidents::id).load::<Row>(conn)?.into_iter().map(incident).collect())
}

/// Opens one, unless one with its key is open: a further failure of that one. The incident as it is now, and whether it
/// is new.
pub fn fails(
    conn: &mut Conn,
    (application_id, key): (Option<i64>, &str),
    (kind, cause): (NoticeKind, &str),
    (at, now): (Moment, Moment),
) -> Result<(Incident, bool)> {
    let values = (
        incidents::application_id.eq(application_id),
        incidents::key.eq(key),
        incidents::kind.eq(kind),
        incidents::cause.eq(cause),
        incidents::opened_at.eq(at),
        incidents::last_at.eq(at),
        incidents::told_at.eq(now),
    );
    let made = on!(conn, c => diesel::insert_into(incidents::table)
        .values(values)
        .on_conflict_do_nothing()
        .execute(c))?;
    if made == 0 {
        let open = incidents::table.filter(incidents::key.eq(key).and(incidents::closed_at.is_null()));
        diesel::update(open)
            .set((
                incidents::failures.eq(incidents::failures + 1),
                incidents::last_at.eq(at),
                incidents::reminders.eq(0),
            ))
            .execute(conn)?;
    }
    let incident = open_by_key(conn, key)?.ok_or_else(|| crate::error::AppError::internal("an incident is gone"))?;
    Ok((incident, made == 1))
}

/// Adds an import that failed for it; whether it had been in order meanwhile.
pub fn holds(conn: &mut Conn, incident_id: i64, target: Target, run_id: i64, at: Moment) -> Result<bool> {
    let key = target.to_string();
    let known = targets::table.find((incident_id, &key)).select((targets::failures, targets::recovered_at));
    let Some((failures, recovered_at)) = known.first::<(i64, Option<Moment>)>(conn).optional()? else {
        diesel::insert_into(targets::table)
            .values((
                targets::incident_id.eq(incident_id),
                targets::target_key.eq(&key),
                targets::run_id.eq(run_id),
                targets::at.eq(at),
            ))
            .execute(conn)?;
        return Ok(false);
    };
    let failures = if recovered_at.is_some() { 1 } else { failures + 1 };
    diesel::update(targets::table.find((incident_id, &key)))
        .set((
            targets::run_id.eq(run_id),
            targets::at.eq(at),
            targets::failures.eq(failures),
            targets::recovered_at.eq(None::<Moment>),
        ))
        .execute(conn)?;
    Ok(recovered_at.is_some())
}

/// How often an import has failed since it was last in order, for whatever cause.
pub fn in_a_row(conn: &mut Conn, target: Target) -> Result<i64> {
    let failures = targets::table
        .filter(targets::target_key.eq(target.to_string()).and(targets::recovered_at.is_null()))
        .select(targets::failures);
    Ok(failures.load::<i64>(conn)?.into_iter().sum())
}

/// The open incidents in which an import still fails.
pub fn open_of(conn: &mut Conn, target: Target) -> Result<Vec<(Incident, i64)>> {
    let of = targets::table
        .inner_join(incidents::table)
        .filter(targets::target_key.eq(target.to_string()).and(targets::recovered_at.is_null()))
        .filter(incidents::closed_at.is_null())
        .order(incidents::id)
        .select((incidents::all_columns, targets::run_id));
    Ok(of.load::<(Row, i64)>(conn)?.into_iter().map(|(row, run_id)| (incident(row), run_id)).collect())
}

/// An import is in order again as far as an incident is concerned.
pub fn recovers(conn: &mut Conn, incident_id: i64, target: Target, at: Moment) -> Result<()> {
    let known = targets::table.find((incident_id, target.to_string()));
    diesel::update(known).set(targets::recovered_at.eq(at)).execute(conn)?;
    Ok(())
}

/// What an incident holds, what still fails first.
pub fn affected(conn: &mut Conn, incident_id: i64, limit: i64) -> Result<Vec<Affected>> {
    Ok(affected_of(conn, &[incident_id], limit)?.remove(&incident_id).unwrap_or_default())
}

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = BigInt)]
    incident_id: i64,
    #[diesel(sql_type = Text)]
    target_key: String,
    #[diesel(sql_type = BigInt)]
    run_id: i64,
    #[diesel(sql_type = BigInt)]
    at: Moment,
    #[diesel(sql_type = BigInt)]
    failures: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    recovered_at: Option<Moment>,
}

/// What each of these incidents holds, what still fails first; `limit` of each. One query.
pub fn affected_of(conn: &mut Conn, ids: &[i64], limit: i64) -> Result<HashMap<i64, Vec<Affected>>> {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    let first = "SELECT *, row_number() OVER (PARTITION BY incident_id \
                 ORDER BY recovered_at IS NOT NULL, at DESC, target_key) AS place FROM incident_targets";
    let rows: Vec<Held> = diesel::sql_query(format!(
        "SELECT * FROM ({first} WHERE incident_id IN ({})) held WHERE place <= {limit} ORDER BY incident_id, place",
        if ids.is_empty() { "NULL".to_owned() } else { ids.join(", ") }
    ))
    .load(conn)?;
    let mut of_each: HashMap<i64, Vec<Affected>> = HashMap::new();
    for Held { incident_id, target_key, run_id, at, failures, recovered_at } in rows {
        let affected = Target::parse(&target_key).map(|target| Affected { target, run_id, at, failures, recovered_at });
        of_each.entry(incident_id).or_default().extend(affected);
    }
    Ok(of_each)
}

/// How many imports still fail in each of these incidents.
pub fn failing(conn: &mut Conn, ids: &[i64]) -> Result<HashMap<i64, i64>> {
    let rows: Vec<(i64, i64)> = targets::table
        .filter(targets::incident_id.eq_any(ids).and(targets::recovered_at.is_null()))
        .group_by(targets::incident_id)
        .select((targets::incident_id, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// It is over; `false` where it was before.
pub fn close(conn: &mut Conn, id: i64, at: Moment) -> Result<bool> {
    let open = incidents::table.find(id).filter(incidents::closed_at.is_null());
    Ok(diesel::update(open).set(incidents::closed_at.eq(at)).execute(conn)? == 1)
}

/// Somebody is on it; with `None` nobody.
pub fn take(conn: &mut Conn, id: i64, by: Option<i64>, now: Moment) -> Result<()> {
    diesel::update(incidents::table.find(id))
        .set((incidents::taken_by.eq(by), incidents::taken_at.eq(by.map(|_| now))))
        .execute(conn)?;
    Ok(())
}

/// Nobody is reminded until then.
pub fn snooze(conn: &mut Conn, id: i64, until: Option<Moment>) -> Result<()> {
    diesel::update(incidents::table.find(id)).set(incidents::snoozed_until.eq(until)).execute(conn)?;
    Ok(())
}

/// The open ones that were last told of before a moment and that nobody is on.
pub fn to_remind_of(
    conn: &mut Conn,
    (told_before, most): (Moment, i32),
    now: Moment,
    limit: i64,
) -> Result<Vec<Incident>> {
    let due = incidents::table
        .filter(incidents::closed_at.is_null().and(incidents::told_at.le(told_before)))
        .filter(incidents::kind.eq_any(BROKE))
        .filter(incidents::taken_by.is_null().and(incidents::reminders.lt(most)))
        .filter(incidents::snoozed_until.is_null().or(incidents::snoozed_until.le(now)))
        .order((incidents::told_at, incidents::id))
        .limit(limit);
    Ok(due.load::<Row>(conn)?.into_iter().map(incident).collect())
}

/// Recipients are reminded now; `false` where another process did so.
pub fn reminded(conn: &mut Conn, incident: &Incident, now: Moment) -> Result<bool> {
    let same = incidents::table
        .find(incident.id)
        .filter(incidents::told_at.eq(incident.told_at).and(incidents::closed_at.is_null()));
    let set = (incidents::told_at.eq(now), incidents::reminders.eq(incidents::reminders + 1));
    Ok(diesel::update(same).set(set).execute(conn)? == 1)
}

/// Who was told that these broke, and not since then that it works again.
pub fn told_of(conn: &mut Conn, ids: &[i64]) -> Result<Vec<i64>> {
    let told: Vec<(i64, NoticeKind)> = notices::table
        .filter(notices::incident_id.eq_any(ids))
        .order((notices::member_id, notices::id))
        .select((notices::member_id, notices::kind))
        .load(conn)?;
    let mut knows: BTreeMap<i64, bool> = BTreeMap::new();
    for (member_id, kind) in told {
        match kind {
            NoticeKind::Recovered => drop(knows.insert(member_id, false)),
            // Of what one message stood for.
            NoticeKind::Digest => drop(knows.insert(member_id, true)),
            kind if BROKE.contains(&kind) => drop(knows.insert(member_id, true)),
            _ => {}
        }
    }
    Ok(knows.into_iter().filter(|(_, knows)| *knows).map(|(member_id, _)| member_id).collect())
}

/// Who heard of one since then.
pub fn heard_since(conn: &mut Conn, id: i64, since: Moment) -> Result<Vec<i64>> {
    let heard = notices::table.filter(notices::incident_id.eq(id).and(notices::at.gt(since)));
    Ok(heard.select(notices::member_id).load(conn)?)
}

/// Removes the next ones that are long over; how many went.
pub fn forget_old(conn: &mut Conn, now: Moment) -> Result<usize> {
    let old: Vec<i64> = incidents::table
        .filter(incidents::closed_at.lt(now.minus(KEPT)))
        .order(incidents::closed_at)
        .limit(BATCH)
        .select(incidents::id)
        .load(conn)?;
    diesel::delete(targets::table.filter(targets::incident_id.eq_any(&old))).execute(conn)?;
    Ok(diesel::delete(incidents::table.filter(incidents::id.eq_any(&old))).execute(conn)?)
}

/// Those of an Application are over: what they are of is gone.
pub fn close_all(conn: &mut Conn, application_id: i64, at: Moment) -> Result<()> {
    let open = incidents::application_id.eq(application_id).and(incidents::closed_at.is_null());
    diesel::update(incidents::table.filter(open)).set(incidents::closed_at.eq(at)).execute(conn)?;
    Ok(())
}
