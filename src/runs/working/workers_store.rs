//! The processes that work: each tells now and then that it lives.

use diesel::sql_types::{BigInt, Text};

use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::workers;
use crate::error::Result;

/// Tells that this process lives.
pub fn seen(app: &App) -> Result<()> {
    let now = app.now();
    app.db.write(|conn| {
        diesel::sql_query(
            "INSERT INTO workers (name, started_at, seen_at) VALUES ($1, $2, $2) \
             ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at",
        )
        .bind::<Text, _>(&app.worker)
        .bind::<BigInt, _>(now)
        .execute(conn)?;
        Ok(())
    })
}

/// How many processes work, as far as they told in the last minute.
pub fn living(conn: &mut Conn, now: Moment) -> Result<i64> {
    let lately = now.minus(chrono::Duration::minutes(1));
    Ok(workers::table.filter(workers::seen_at.gt(lately)).count().get_result(conn)?)
}

/// Whether one of them has worked for so long.
pub fn settled(conn: &mut Conn, now: Moment, long: chrono::Duration) -> Result<bool> {
    let lately = workers::seen_at.gt(now.minus(chrono::Duration::minutes(1)));
    let settled = workers::table.filter(lately.and(workers::started_at.le(now.minus(long))));
    Ok(settled.count().get_result::<i64>(conn)? > 0)
}

/// This process works no more.
pub fn leave(app: &App) -> Result<()> {
    app.db.write(|conn| {
        diesel::delete(workers::table.find(&app.worker)).execute(conn)?;
        Ok(())
    })
}

/// Forgets those that have not been seen for a day: a process that is killed takes no leave.
pub fn forget_gone(app: &App) -> Result<()> {
    let long_ago = app.now().minus(chrono::Duration::days(1));
    app.db.write(|conn| {
        diesel::delete(workers::table.filter(workers::seen_at.lt(long_ago))).execute(conn)?;
        Ok(())
    })
}
