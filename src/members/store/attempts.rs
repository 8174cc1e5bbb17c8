//! Failed attempts to sign in, in the database.

use diesel::dsl::{count_star, max};
use diesel::prelude::*;

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::schema::sign_in_attempts as attempts;
use crate::error::Result;

/// How many there were, and when the latest.
type Failures = (i64, Option<Moment>);

pub fn of_account(conn: &mut Conn, account: &str, since: Moment) -> Result<Failures> {
    Ok(attempts::table
        .filter(attempts::account_key.eq(account).and(attempts::at.gt(since)))
        .select((count_star(), max(attempts::at)))
        .first(conn)?)
}

pub fn of_address(conn: &mut Conn, address: &str, since: Moment) -> Result<Failures> {
    Ok(attempts::table
        .filter(attempts::address.eq(address).and(attempts::at.gt(since)))
        .select((count_star(), max(attempts::at)))
        .first(conn)?)
}

pub fn insert(conn: &mut Conn, account: &str, address: &str, now: Moment) -> Result<()> {
    diesel::insert_into(attempts::table)
        .values((attempts::account_key.eq(account), attempts::address.eq(address), attempts::at.eq(now.micros())))
        .execute(conn)?;
    Ok(())
}

/// Those of before are forgotten.
pub fn forget(conn: &mut Conn, before: Moment) -> Result<usize> {
    Ok(diesel::delete(attempts::table.filter(attempts::at.lt(before.micros()))).execute(conn)?)
}

pub fn forget_account(conn: &mut Conn, account: &str) -> Result<()> {
    diesel::delete(attempts::table.filter(attempts::account_key.eq(account))).execute(conn)?;
    Ok(())
}
