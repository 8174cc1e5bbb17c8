//! Failed attempts to sign in, in the database. `address` is the place: a network, or a browser that the account knows.

use diesel::dsl::{count, count_star, max};

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::sign_in_attempts as attempts;
use crate::error::Result;

/// Before a place that is a browser.
pub const BROWSER: &str = "browser:";

/// How many there were, and when the latest.
type Failures = (i64, Option<Moment>);

pub fn of_pair(conn: &mut Conn, account: &str, place: &str, since: Moment) -> Result<Failures> {
    Ok(attempts::table
        .filter(attempts::account_key.eq(account).and(attempts::address.eq(place)).and(attempts::at.gt(since)))
        .select((count_star(), max(attempts::at)))
        .first(conn)?)
}

/// From all addresses; what was typed in browsers that the account knows is no stranger's.
pub fn of_account(conn: &mut Conn, account: &str, since: Moment) -> Result<Failures> {
    Ok(attempts::table
        .filter(attempts::account_key.eq(account).and(attempts::at.gt(since)))
        .filter(attempts::address.not_like(format!("{BROWSER}%")))
        .select((count_star(), max(attempts::at)))
        .first(conn)?)
}

/// At how many accounts somebody guessed from an address, and when last.
pub fn accounts_of(conn: &mut Conn, address: &str, since: Moment) -> Result<Failures> {
    Ok(attempts::table
        .filter(attempts::address.eq(address).and(attempts::at.gt(since)))
        .select((count(attempts::account_key).aggregate_distinct(), max(attempts::at)))
        .first(conn)?)
}

pub fn insert(conn: &mut Conn, account: &str, place: &str, now: Moment) -> Result<()> {
    diesel::insert_into(attempts::table)
        .values((attempts::account_key.eq(account), attempts::address.eq(place), attempts::at.eq(now.micros())))
        .execute(conn)?;
    Ok(())
}

/// Those of before are forgotten.
pub fn forget(conn: &mut Conn, before: Moment) -> Result<usize> {
    Ok(diesel::delete(attempts::table.filter(attempts::at.lt(before.micros()))).execute(conn)?)
}

pub fn forget_pair(conn: &mut Conn, account: &str, place: &str) -> Result<()> {
    let theirs = attempts::table.filter(attempts::account_key.eq(account).and(attempts::address.eq(place)));
    diesel::delete(theirs).execute(conn)?;
    Ok(())
}
