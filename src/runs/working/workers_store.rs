//! The processes that work: each tells now and then that it lives.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::app::App;
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

/// This process works no more; those that have not been seen for a day are forgotten.
pub fn leave(app: &App) -> Result<()> {
    let long_ago = app.now().minus(chrono::Duration::days(1));
    app.db.write(|conn| {
        diesel::delete(workers::table.filter(workers::name.eq(&app.worker).or(workers::seen_at.lt(long_ago))))
            .execute(conn)?;
        Ok(())
    })
}
