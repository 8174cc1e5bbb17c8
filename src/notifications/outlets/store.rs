//! Outlets in the database.

use super::model::{Outlet, OutletKind, Tried};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::outlets;
use crate::db::{Conn, on};
use crate::error::Result;
use crate::schedules::About;

type Row = (i64, i64, OutletKind, About, String, i64, Moment, Option<Moment>, Option<bool>, Option<String>);

macro_rules! columns {
    () => {
        (
            outlets::id,
            outlets::application_id,
            outlets::kind,
            outlets::about,
            outlets::address,
            outlets::version,
            outlets::set_at,
            outlets::tried_at,
            outlets::good,
            outlets::said,
        )
    };
}

fn outlet((id, application_id, kind, about, address, version, set_at, tried_at, good, said): Row) -> Outlet {
    let tried = tried_at.map(|at| Tried { at, good: good.unwrap_or_default(), said });
    Outlet { id, application_id, kind, about, address, version, set_at, tried }
}

/// Those of an Application that are there.
pub fn of_application(conn: &mut Conn, application_id: i64) -> Result<Vec<Outlet>> {
    let there = outlets::application_id.eq(application_id).and(outlets::address.ne(""));
    let rows = outlets::table.filter(there).order(outlets::id).select(columns!()).load::<Row>(conn)?;
    Ok(rows.into_iter().map(outlet).collect())
}

/// One of an Application, whether it is there or was removed.
pub fn of_kind(conn: &mut Conn, application_id: i64, kind: OutletKind) -> Result<Option<Outlet>> {
    let one = outlets::application_id.eq(application_id).and(outlets::kind.eq(kind));
    Ok(outlets::table.filter(one).select(columns!()).first::<Row>(conn).optional()?.map(outlet))
}

/// One with what is sealed of it, whether it is there or was removed.
pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<(Outlet, Option<String>)>> {
    let found: Option<(Row, Option<String>)> =
        outlets::table.find(id).select((columns!(), outlets::sealed)).first(conn).optional()?;
    Ok(found.map(|(row, sealed)| (outlet(row), sealed)))
}

/// Makes room for one that is to be [written](write); its id.
pub fn insert(conn: &mut Conn, application_id: i64, kind: OutletKind, now: Moment) -> Result<i64> {
    let values = (
        outlets::application_id.eq(application_id),
        outlets::kind.eq(kind),
        outlets::about.eq(About::Failed),
        outlets::address.eq(""),
        outlets::set_at.eq(now),
    );
    Ok(on!(conn, c => diesel::insert_into(outlets::table).values(values).returning(outlets::id).get_result(c))?)
}

/// Writes all of one; how it last went is forgotten, because that was another.
pub fn write(
    conn: &mut Conn,
    id: i64,
    (about, address): (About, &str),
    sealed: Option<&str>,
    version: i64,
    now: Moment,
) -> Result<()> {
    diesel::update(outlets::table.find(id))
        .set((
            outlets::about.eq(about),
            outlets::address.eq(address),
            outlets::sealed.eq(sealed),
            outlets::version.eq(version),
            outlets::set_at.eq(now),
            outlets::tried_at.eq(None::<Moment>),
            outlets::good.eq(None::<bool>),
            outlets::said.eq(None::<String>),
        ))
        .execute(conn)?;
    Ok(())
}

/// How an attempt went.
pub fn tried(conn: &mut Conn, id: i64, tried: &Tried) -> Result<()> {
    diesel::update(outlets::table.find(id))
        .set((outlets::tried_at.eq(tried.at), outlets::good.eq(tried.good), outlets::said.eq(&tried.said)))
        .execute(conn)?;
    Ok(())
}

/// All that is sealed: id and text.
pub fn all_sealed(conn: &mut Conn) -> Result<Vec<(i64, String)>> {
    let rows: Vec<(i64, Option<String>)> =
        outlets::table.order(outlets::id).select((outlets::id, outlets::sealed)).load(conn)?;
    Ok(rows.into_iter().filter_map(|(id, sealed)| Some((id, sealed?))).collect())
}

/// The same secrets, sealed otherwise.
pub fn set_sealed(conn: &mut Conn, id: i64, sealed: &str) -> Result<()> {
    diesel::update(outlets::table.find(id)).set(outlets::sealed.eq(sealed)).execute(conn)?;
    Ok(())
}
