//! How far the audit log was read for what is to be told of it, in the database.

use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::audit_told;
use crate::error::Result;

/// The id of the last entry that was read.
pub fn read_up_to(conn: &mut Conn) -> Result<i64> {
    Ok(audit_told::table.select(audit_told::audit_id).first(conn)?)
}

/// It was read on, from one id to another; `false` where another process reads.
pub fn read_on(conn: &mut Conn, (from, to): (i64, i64)) -> Result<bool> {
    let mine = audit_told::table.filter(audit_told::audit_id.eq(from));
    Ok(diesel::update(mine).set(audit_told::audit_id.eq(to)).execute(conn)? == 1)
}
