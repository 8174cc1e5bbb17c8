//! Answers kept for repeats, in the database.

use chrono::Duration;

use super::reply::Reply;
use crate::clock::Moment;
use crate::db::meaning::{self, Meaning};
use crate::db::prelude::*;
use crate::db::schema::idempotency_keys;
use crate::db::{Conn, on};
use crate::error::{AppError, Result};

/// How long an answer is kept.
const HOURS: i64 = 24;

/// What is known of a key.
pub enum Kept<K> {
    /// Nothing: it is this request's now.
    Fresh,
    /// The same request was answered.
    Done(Reply<K>),
    /// Another request has it.
    Other,
    /// The same request is being worked on.
    Busy,
}

/// Removes answers that are kept no more.
pub fn forget_old(conn: &mut Conn, now: Moment) -> Result<usize> {
    let old = now.minus(Duration::hours(HOURS)).micros();
    Ok(diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.le(old))).execute(conn)?)
}

/// Takes a key. While another transaction has taken it and not ended, this waits.
pub fn begin<K>(conn: &mut Conn, token_id: i64, key: &str, hash: &str, now: Moment) -> Result<Kept<K>> {
    let old = now.minus(Duration::hours(HOURS)).micros();
    diesel::delete(
        idempotency_keys::table
            .filter(idempotency_keys::token_id.eq(token_id).and(idempotency_keys::created_at.le(old))),
    )
    .execute(conn)?;
    let values = (
        idempotency_keys::token_id.eq(token_id),
        idempotency_keys::request_key.eq(key),
        idempotency_keys::request_hash.eq(hash),
        idempotency_keys::created_at.eq(now.micros()),
    );
    let taken = on!(
        conn,
        c => diesel::insert_into(idempotency_keys::table).values(values).on_conflict_do_nothing().execute(c)
    );
    match taken {
        Ok(0) => {}
        Ok(_) => return Ok(Kept::Fresh),
        Err(error) if meaning::of(&error) == Meaning::Unavailable => return Ok(Kept::Busy),
        Err(error) => return Err(error.into()),
    }
    let (known, status, location, body) = idempotency_keys::table
        .find((token_id, key))
        .select((
            idempotency_keys::request_hash,
            idempotency_keys::status,
            idempotency_keys::location,
            idempotency_keys::body,
        ))
        .first::<(String, Option<i32>, Option<String>, Option<String>)>(conn)?;
    if known != hash {
        return Ok(Kept::Other);
    }
    let Some(status) = status.and_then(|status| u16::try_from(status).ok()) else { return Ok(Kept::Busy) };
    let body = body.map(|body| serde_json::from_str(&body)).transpose().map_err(AppError::internal)?;
    Ok(Kept::Done(Reply::kept(status, location, body)))
}

/// Keeps the answer under the key that [`begin`] took.
pub fn keep<K>(conn: &mut Conn, token_id: i64, key: &str, reply: &Reply<K>) -> Result<()> {
    diesel::update(idempotency_keys::table.find((token_id, key)))
        .set((
            idempotency_keys::status.eq(i32::from(reply.status)),
            idempotency_keys::location.eq(&reply.location),
            idempotency_keys::body.eq(reply.body.as_ref().map(ToString::to_string)),
        ))
        .execute(conn)?;
    Ok(())
}
