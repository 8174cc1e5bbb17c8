//! Deliveries in the database: taken by one process at a time, and ended or put back.

use super::model::{Channel, DeliveryState};
use super::outbox::{Ended, LEASE};
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{deliveries, members, notices};
use crate::error::Result;

/// A delivery that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub id: i64,
    pub notice_id: i64,
    pub attempt: i32,
    pub message_id: String,
    pub created_at: Moment,
    pub member: Addressee,
}

/// To whom it goes.
#[derive(Clone, Debug, Queryable)]
pub struct Addressee {
    pub id: i64,
    pub name: String,
    pub email: String,
    pub active: bool,
}

/// Lets a notice go by one more way, at once.
pub fn insert(conn: &mut Conn, notice_id: i64, channel: Channel, message_id: &str, now: Moment) -> Result<()> {
    diesel::insert_into(deliveries::table)
        .values((
            deliveries::notice_id.eq(notice_id),
            deliveries::channel.eq(channel),
            deliveries::state.eq(DeliveryState::Waiting),
            deliveries::next_at.eq(now),
            deliveries::message_id.eq(message_id),
            deliveries::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// A delivery that was tried at least once.
#[derive(Clone, Debug, Queryable)]
pub struct Tried {
    pub member_id: i64,
    pub state: DeliveryState,
    pub attempt: i32,
    pub said: Option<String>,
}

/// The newest of a channel that were tried.
pub fn tried(conn: &mut Conn, channel: Channel, limit: i64) -> Result<Vec<Tried>> {
    Ok(deliveries::table
        .inner_join(notices::table)
        .filter(deliveries::channel.eq(channel).and(deliveries::attempt.gt(0)))
        .filter(deliveries::state.ne(DeliveryState::Sending))
        .order(deliveries::id.desc())
        .limit(limit)
        .select((notices::member_id, deliveries::state, deliveries::attempt, deliveries::said))
        .load(conn)?)
}

/// Whether any is due: nobody takes the write lock for nothing.
pub fn any_due(conn: &mut Conn, channel: Channel, now: Moment) -> Result<bool> {
    let due = deliveries::next_at.le(now).and(deliveries::channel.eq(channel));
    let due = deliveries::table.filter(due).select(deliveries::id);
    Ok(due.first::<i64>(conn).optional()?.is_some())
}

/// Takes the next delivery that is due, also one whose sender was not heard of.
pub fn take(conn: &mut Conn, channel: Channel, now: Moment) -> Result<Option<Taken>> {
    type Row = (i64, i64, DeliveryState, i32, String, Moment, Addressee);
    let due: Option<Row> = deliveries::table
        .inner_join(notices::table.inner_join(members::table))
        .filter(deliveries::next_at.le(now).and(deliveries::channel.eq(channel)))
        .order((deliveries::next_at, deliveries::id))
        .select((
            deliveries::id,
            deliveries::notice_id,
            deliveries::state,
            deliveries::attempt,
            deliveries::message_id,
            deliveries::created_at,
            (members::id, members::name, members::email, members::active),
        ))
        .first(conn)
        .optional()?;
    let Some((id, notice_id, state, attempt, message_id, created_at, member)) = due else { return Ok(None) };
    // Of two processes that found it, one is the first; the other comes again with its next beat.
    let same = deliveries::table.find(id).filter(deliveries::state.eq(state).and(deliveries::attempt.eq(attempt)));
    let mine = diesel::update(same)
        .set((
            deliveries::state.eq(DeliveryState::Sending),
            deliveries::attempt.eq(attempt + 1),
            deliveries::next_at.eq(now.plus(LEASE)),
        ))
        .execute(conn)?;
    Ok((mine == 1).then_some(Taken { id, notice_id, attempt: attempt + 1, message_id, created_at, member }))
}

/// Writes it down, unless another process has taken the delivery meanwhile.
pub fn end(conn: &mut Conn, taken: &Taken, ended: &Ended, now: Moment) -> Result<()> {
    let (state, said, next_at) = match ended {
        Ended::Sent => (DeliveryState::Sent, None, None),
        Ended::Failed(said) => (DeliveryState::Failed, Some(said), None),
        Ended::Waits(said, at) => (DeliveryState::Waiting, Some(said), Some(*at)),
    };
    let mine = deliveries::table.find(taken.id).filter(deliveries::attempt.eq(taken.attempt));
    diesel::update(mine)
        .set((
            deliveries::state.eq(state),
            deliveries::said.eq(said),
            deliveries::next_at.eq(next_at),
            deliveries::ended_at.eq(Some(now).filter(|_| next_at.is_none())),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends those that wait without their going out; how many.
pub fn withhold(conn: &mut Conn, now: Moment) -> Result<usize> {
    let open = deliveries::state.eq_any([DeliveryState::Waiting, DeliveryState::Sending]);
    let old = deliveries::table.filter(open.and(deliveries::created_at.le(now)));
    let ended = (
        deliveries::state.eq(DeliveryState::Failed),
        deliveries::said.eq("Not sent: this Workspace was standing by."),
        deliveries::next_at.eq(None::<Moment>),
        deliveries::ended_at.eq(now),
    );
    Ok(diesel::update(old).set(ended).execute(conn)?)
}
