//! Applications of which no run begins: their rows are still being removed or copied, and what a run loaded meanwhile would
//! stand among those. Their runs wait in a line of their own. There are hardly ever any.

use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::queue_stops;
use crate::error::Result;

/// From here on no run of this Application begins. In the transaction after which its rows are to be removed or copied.
pub fn stop(conn: &mut Conn, application_id: i64) -> Result<()> {
    if !is_stopped(conn, application_id)? {
        diesel::insert_into(queue_stops::table).values(queue_stops::application_id.eq(application_id)).execute(conn)?;
    }
    Ok(())
}

/// Its runs begin again.
pub fn go_on(conn: &mut Conn, application_id: i64) -> Result<()> {
    diesel::delete(queue_stops::table.find(application_id)).execute(conn)?;
    Ok(())
}

pub fn is_stopped(conn: &mut Conn, application_id: i64) -> Result<bool> {
    let row = queue_stops::table.find(application_id).select(queue_stops::application_id);
    Ok(row.first::<i64>(conn).optional()?.is_some())
}

pub fn stopped(conn: &mut Conn) -> Result<Vec<i64>> {
    Ok(queue_stops::table.select(queue_stops::application_id).load(conn)?)
}
