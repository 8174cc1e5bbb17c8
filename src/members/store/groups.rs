//! Groups of members in the database.

use std::collections::{BTreeSet, HashMap};

use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{group_members as within, groups, invitation_groups, invitations};
use crate::db::{self, Conn, on};
use crate::error::{AppError, Result};
use crate::members::groups::Group;
use crate::names::name_key;

type Row = (i64, String, i64, Moment);
type Columns = (groups::id, groups::name, groups::version, groups::created_at);

const COLUMNS: Columns = (groups::id, groups::name, groups::version, groups::created_at);

/// Each with the ids of its members.
fn with_members(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Group>> {
    let ids: Vec<i64> = rows.iter().map(|(id, ..)| *id).collect();
    let mut members: HashMap<i64, Vec<i64>> = HashMap::new();
    if !ids.is_empty() {
        let of = within::table.filter(within::group_id.eq_any(ids)).order((within::group_id, within::member_id));
        for (group, member) in of.load::<(i64, i64)>(conn)? {
            members.entry(group).or_default().push(member);
        }
    }
    let group = |(id, name, version, created_at): Row| Group {
        member_ids: members.remove(&id).unwrap_or_default(),
        id,
        name,
        version,
        created_at,
    };
    Ok(rows.into_iter().map(group).collect())
}

/// By name.
pub fn all(conn: &mut Conn) -> Result<Vec<Group>> {
    let rows = groups::table.order((groups::name, groups::id)).select(COLUMNS).load::<Row>(conn)?;
    with_members(conn, rows)
}

/// Those of the ids that are there, by name.
pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Group>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let these = groups::table.filter(groups::id.eq_any(ids)).order((groups::name, groups::id));
    let rows = these.select(COLUMNS).load::<Row>(conn)?;
    with_members(conn, rows)
}

/// What those of the ids that are there are called.
pub fn names(conn: &mut Conn, ids: &[i64]) -> Result<HashMap<i64, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let these = groups::table.filter(groups::id.eq_any(ids)).select((groups::id, groups::name));
    Ok(these.load::<(i64, String)>(conn)?.into_iter().collect())
}

/// What each is called.
pub fn all_names(conn: &mut Conn) -> Result<HashMap<i64, String>> {
    Ok(groups::table.select((groups::id, groups::name)).load::<(i64, String)>(conn)?.into_iter().collect())
}

/// The groups in which a member is: id and name, by name.
pub fn of_member(conn: &mut Conn, member_id: i64) -> Result<Vec<(i64, String)>> {
    let of = within::table.inner_join(groups::table).filter(within::member_id.eq(member_id));
    Ok(of.order((groups::name, groups::id)).select((groups::id, groups::name)).load(conn)?)
}

/// Who is in any of these, each once.
pub fn member_ids(conn: &mut Conn, ids: &[i64]) -> Result<BTreeSet<i64>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let of = within::table.filter(within::group_id.eq_any(ids)).select(within::member_id);
    Ok(of.load::<i64>(conn)?.into_iter().collect())
}

pub fn insert(conn: &mut Conn, name: &str, members: &[i64], now: Moment) -> Result<i64> {
    let values = (groups::name.eq(name), groups::name_key.eq(name_key(name)), groups::created_at.eq(now));
    let made = diesel::insert_into(groups::table).values(values).returning(groups::id).get_result(conn);
    let id = made.map_err(|error| taken(error, name))?;
    add(conn, id, members)?;
    Ok(id)
}

/// Another name, and who is in it from now on.
pub fn update(conn: &mut Conn, id: i64, name: &str, (was, is): (&[i64], &[i64])) -> Result<()> {
    diesel::update(groups::table.find(id))
        .set((groups::name.eq(name), groups::name_key.eq(name_key(name)), groups::version.eq(groups::version + 1)))
        .execute(conn)
        .map_err(|error| taken(error, name))?;
    let gone: Vec<i64> = was.iter().copied().filter(|id| !is.contains(id)).collect();
    let come: Vec<i64> = is.iter().copied().filter(|id| !was.contains(id)).collect();
    diesel::delete(within::table.filter(within::group_id.eq(id).and(within::member_id.eq_any(gone)))).execute(conn)?;
    add(conn, id, &come)
}

fn add(conn: &mut Conn, id: i64, members: &[i64]) -> Result<()> {
    let rows: Vec<_> = members.iter().map(|m| (within::group_id.eq(id), within::member_id.eq(*m))).collect();
    if !rows.is_empty() {
        on!(conn, c => diesel::insert_into(within::table).values(&rows).execute_rows(c))?;
    }
    Ok(())
}

/// With all that is kept for it.
pub fn delete(conn: &mut Conn, id: i64) -> Result<()> {
    diesel::delete(groups::table.find(id)).execute(conn)?;
    Ok(())
}

/// Nobody deletes these before the transaction ends.
pub fn hold(conn: &mut Conn, ids: &[i64]) -> Result<()> {
    Ok(db::lock_rows(conn, "groups", ids)?)
}

fn taken(error: diesel::result::Error, name: &str) -> AppError {
    if db::is_taken(&error) {
        let words = format!("A group named {name} already exists. Choose another name.");
        return AppError::Taken { field: "name", words };
    }
    error.into()
}

/// The names of those who are invited to be in it.
pub fn invited_to(conn: &mut Conn, id: i64) -> Result<Vec<String>> {
    let to = invitation_groups::table.inner_join(invitations::table).filter(invitation_groups::group_id.eq(id));
    Ok(to.order(invitations::id).select(invitations::name).load(conn)?)
}
