//! What goes to outlets, in the database: taken by one process at a time, and ended or put back.

use chrono::Duration;

use super::model::{OutletKind, Posted};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{outlets, posts};
use crate::db::{Conn, on};
use crate::error::Result;
use crate::notifications::model::{DeliveryState, Notice, NoticeKind};
use crate::notifications::outbox::{Ended, LEASE};
use crate::notifications::store::NewNotice;
use crate::secrets::random_uuid;

/// As long is a post kept.
const KEPT: Duration = Duration::days(180);
/// So many are removed in one transaction.
const BATCH: i64 = 500;

/// A post that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub id: i64,
    pub outlet_id: i64,
    pub attempt: i32,
    /// Somebody took it before and was not heard of: nobody knows whether it arrived.
    pub in_doubt: bool,
    pub event_id: String,
    pub created_at: Moment,
    /// What it says, as if it were in an inbox.
    pub notice: Notice,
}

/// Lets an event go to an outlet, at once, unless it did already.
pub fn insert(conn: &mut Conn, outlet_id: i64, application_id: i64, new: &NewNotice<'_>, now: Moment) -> Result<()> {
    let values = (
        posts::outlet_id.eq(outlet_id),
        posts::key.eq(new.key),
        posts::kind.eq(new.kind),
        posts::application_id.eq(application_id),
        posts::run_id.eq(new.run_id),
        posts::incident_id.eq(new.incident_id),
        posts::link.eq(new.link),
        posts::title.eq(new.title),
        posts::detail.eq(new.detail),
        posts::at.eq(new.at),
        posts::event_id.eq(random_uuid()),
        posts::state.eq(DeliveryState::Waiting),
        posts::next_at.eq(now),
        posts::created_at.eq(now),
    );
    on!(conn, c => diesel::insert_into(posts::table).values(values).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// Whether an outlet was told of an incident.
pub fn knows(conn: &mut Conn, outlet_id: i64, incident_id: i64) -> Result<bool> {
    let known = posts::outlet_id.eq(outlet_id).and(posts::incident_id.eq(incident_id));
    Ok(posts::table.filter(known).select(posts::id).first::<i64>(conn).optional()?.is_some())
}

/// Whether an outlet was told that this run ended what was broken.
pub fn recovered_by(conn: &mut Conn, outlet_id: i64, run_id: i64) -> Result<bool> {
    let told = posts::outlet_id.eq(outlet_id).and(posts::run_id.eq(run_id)).and(posts::kind.eq(NoticeKind::Recovered));
    Ok(posts::table.filter(told).select(posts::id).first::<i64>(conn).optional()?.is_some())
}

/// Whether any is due: nobody takes the write lock for nothing.
pub fn any_due(conn: &mut Conn, now: Moment) -> Result<bool> {
    let due = posts::table.filter(posts::next_at.le(now)).select(posts::id);
    Ok(due.first::<i64>(conn).optional()?.is_some())
}

/// Takes the next one that is due of each outlet, also one whose sender was not heard of; at most so many.
pub fn take(conn: &mut Conn, most: usize, now: Moment) -> Result<Vec<Taken>> {
    let (mut all, mut outlets) = (Vec::new(), Vec::new());
    while all.len() < most
        && let Some((outlet_id, taken)) = take_one(conn, &outlets, now)?
    {
        outlets.push(outlet_id);
        all.extend(taken);
    }
    Ok(all)
}

/// The outlet of the next one, and that one unless another process has it; none of these outlets.
fn take_one(conn: &mut Conn, but: &[i64], now: Moment) -> Result<Option<(i64, Option<Taken>)>> {
    type Way = (i64, i64, DeliveryState, i32, String, Moment);
    type What = (NoticeKind, i64, Option<i64>, Option<i64>, Option<String>, String, String, Moment);
    let due: Option<(Way, What)> = posts::table
        .filter(posts::next_at.le(now).and(posts::outlet_id.ne_all(but)))
        .order((posts::next_at, posts::id))
        .select((
            (posts::id, posts::outlet_id, posts::state, posts::attempt, posts::event_id, posts::created_at),
            (
                posts::kind,
                posts::application_id,
                posts::run_id,
                posts::incident_id,
                posts::link,
                posts::title,
                posts::detail,
                posts::at,
            ),
        ))
        .first(conn)
        .optional()?;
    let Some(((id, outlet_id, state, attempt, event_id, created_at), what)) = due else { return Ok(None) };
    // Of two processes that found it, one is the first.
    let same = posts::table.find(id).filter(posts::state.eq(state).and(posts::attempt.eq(attempt)));
    let mine = diesel::update(same)
        .set((
            posts::state.eq(DeliveryState::Sending),
            posts::attempt.eq(attempt + 1),
            posts::next_at.eq(now.plus(LEASE)),
        ))
        .execute(conn)?;
    let (kind, application_id, run_id, incident_id, link, title, detail, at) = what;
    let notice = Notice {
        id: 0,
        member_id: 0,
        kind,
        application_id: Some(application_id),
        run_id,
        incident_id,
        link,
        title,
        detail,
        at,
        read_at: None,
    };
    let in_doubt = state == DeliveryState::Sending;
    let taken = Taken { id, outlet_id, attempt: attempt + 1, in_doubt, event_id, created_at, notice };
    Ok(Some((outlet_id, Some(taken).filter(|_| mine == 1))))
}

/// Writes down what became of an attempt, unless another process has taken it meanwhile.
pub fn end(conn: &mut Conn, taken: &Taken, ended: &Ended, now: Moment) -> Result<()> {
    let (state, said, next_at) = match ended {
        Ended::Sent => (DeliveryState::Sent, None, None),
        Ended::Failed(said) => (DeliveryState::Failed, Some(said), None),
        Ended::Waits(said, at) => (DeliveryState::Waiting, Some(said), Some(*at)),
    };
    let mine = posts::table.find(taken.id).filter(posts::attempt.eq(taken.attempt));
    diesel::update(mine)
        .set((
            posts::state.eq(state),
            posts::said.eq(said),
            posts::next_at.eq(next_at),
            posts::ended_at.eq(Some(now).filter(|_| next_at.is_none())),
        ))
        .execute(conn)?;
    Ok(())
}

/// What of a run went to outlets; of several posts to one, the newest.
pub fn posted_of(conn: &mut Conn, run_id: i64) -> Result<Vec<Posted>> {
    type Row = (i64, OutletKind, String, DeliveryState, Option<String>);
    let rows: Vec<Row> = posts::table
        .inner_join(outlets::table)
        .filter(posts::run_id.eq(run_id))
        .order((outlets::id, posts::id.desc()))
        .select((outlets::id, outlets::kind, outlets::address, posts::state, posts::said))
        .load(conn)?;
    let mut posted: Vec<(i64, Posted)> = Vec::new();
    for (outlet, kind, address, state, said) in rows {
        if posted.last().is_none_or(|(last, _)| *last != outlet) {
            let outlet_words = match kind {
                OutletKind::SlackChannel if !address.is_empty() => format!("Slack {address}"),
                kind => kind.label().to_owned(),
            };
            posted.push((outlet, Posted { outlet: outlet_words, state, said }));
        }
    }
    Ok(posted.into_iter().map(|(_, posted)| posted).collect())
}

/// Removes the next ones that are old enough; how many went.
pub fn forget_old(conn: &mut Conn, now: Moment) -> Result<usize> {
    let old: Vec<i64> = posts::table
        .filter(posts::at.lt(now.minus(KEPT)))
        .order(posts::at)
        .limit(BATCH)
        .select(posts::id)
        .load(conn)?;
    Ok(diesel::delete(posts::table.filter(posts::id.eq_any(&old))).execute(conn)?)
}

/// Ends those that wait without their going out; how many.
pub fn withhold(conn: &mut Conn, now: Moment) -> Result<usize> {
    let open = posts::state.eq_any([DeliveryState::Waiting, DeliveryState::Sending]);
    let old = posts::table.filter(open.and(posts::created_at.le(now)));
    let ended = (
        posts::state.eq(DeliveryState::Failed),
        posts::said.eq("Not sent: this Workspace was standing by."),
        posts::next_at.eq(None::<Moment>),
        posts::ended_at.eq(now),
    );
    Ok(diesel::update(old).set(ended).execute(conn)?)
}
