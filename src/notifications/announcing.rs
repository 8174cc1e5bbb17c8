//! One step: the outcomes that nobody was told of become notices.

use std::collections::BTreeMap;

use chrono::Duration;

use super::deliveries_store as deliveries;
use super::event::Event;
use super::incidents::opening::{self, Ended};
use super::model::{Channel, NoticeKind};
use super::store::{self, NewNotice};
use super::{choices_store as choices, gathered_store as gathered, gathering, letter, outlets, slack};
use crate::app::App;
use crate::applications;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::runs::{self, Outcome};
use crate::secrets::{random_token, random_uuid};

/// So many outcomes are told in one transaction; of old ones more, because they become one message.
const BATCH: i64 = 50;
const TOGETHER: i64 = 5_000;
/// What ended longer ago than this, while nobody could be told, becomes one message for each member.
const FRESH: Duration = Duration::days(1);

/// Tells what is waiting; how many outcomes that were. Safe in many processes at once. Blocks.
pub fn step(app: &App) -> Result<usize> {
    let mut done = 0;
    loop {
        let now = app.now();
        // Nobody takes the write lock for nothing.
        let Some(first) = app.db.read(|conn| runs::waiting(conn, 1))?.pop() else { return Ok(done) };
        let is_old = |outcome: &Outcome| now.since(outcome.at) > FRESH;
        let limit = if is_old(&first) { TOGETHER } else { BATCH };
        let all = |conn: &mut Conn| {
            let waiting = runs::waiting(conn, limit)?;
            let (old, fresh): (Vec<_>, Vec<_>) = waiting.iter().partition(|outcome| is_old(outcome));
            fresh.into_iter().try_for_each(|outcome| tell(conn, app, outcome, now))?;
            tell_together(conn, app, &old, now)?;
            Ok(waiting.len())
        };
        let told = match app.db.write(all) {
            Err(error @ (AppError::Unavailable { .. } | AppError::DiskFull)) => return Err(error),
            Err(error) => {
                tracing::error!(%error, "outcomes could not be told together; each is told by itself");
                one_by_one(app, limit, now)?
            }
            Ok(told) => told,
        };
        done += told;
        if app.stop.is_cancelled() || (told as i64) < limit {
            return Ok(done);
        }
    }
}

/// One that cannot be told is set aside, so that it does not keep the others from being told.
fn one_by_one(app: &App, limit: i64, now: Moment) -> Result<usize> {
    let waiting = app.db.read(|conn| runs::waiting(conn, limit))?;
    for outcome in &waiting {
        let told = app.db.write(|conn| tell(conn, app, outcome, now));
        match told {
            Ok(()) => {}
            Err(error @ (AppError::Unavailable { .. } | AppError::DiskFull)) => return Err(error),
            Err(error) => {
                tracing::error!(run = outcome.run_id, %error, "nobody can be told how a run ended");
                app.db.write(|conn| runs::announced(conn, outcome, now))?;
            }
        }
    }
    Ok(waiting.len())
}

/// What is to be told of an outcome; nothing where another process tells it.
fn events(conn: &mut Conn, outcome: &Outcome, now: Moment) -> Result<Vec<Event>> {
    if !runs::announced(conn, outcome, now)? {
        return Ok(Vec::new());
    }
    let Some(kind) = NoticeKind::of(outcome.status) else { return Ok(Vec::new()) };
    let Some(run) = runs::by_id(conn, outcome.run_id)? else { return Ok(Vec::new()) };
    let Some(application) = applications::by_id(conn, run.application_id)? else { return Ok(Vec::new()) };
    opening::follow(conn, &Ended { run: &run, application: &application, kind, at: outcome.at }, now)
}

fn tell(conn: &mut Conn, app: &App, outcome: &Outcome, now: Moment) -> Result<()> {
    let events = events(conn, outcome, now)?;
    events.iter().try_for_each(|event| announce(conn, app, event, now))
}

/// Tells an event: everything that is told passes here.
pub fn announce(conn: &mut Conn, app: &App, event: &Event, now: Moment) -> Result<()> {
    outlets::enqueue(conn, &event.notice(), now)?;
    tell_members(conn, app, &event.who, &event.notice(), now)
}

/// Tells these members, each once of what a key names, by the ways that they chose.
pub fn tell_members(conn: &mut Conn, app: &App, member_ids: &[i64], new: &NewNotice<'_>, now: Moment) -> Result<()> {
    if member_ids.is_empty() {
        return Ok(());
    }
    let has_slack = slack::state(conn)?.is_some();
    // In one order, so that two processes that tell the same do not wait for each other.
    let mut chosen = choices::of(conn, member_ids)?;
    for id in member_ids.iter().copied() {
        let choice = chosen.remove(&id).unwrap_or_default();
        let Some(notice) = store::insert(conn, id, new)? else { continue };
        // By mail nobody hears that mail does not get through, nor in Slack of Slack.
        if new.kind == NoticeKind::Broken {
            continue;
        }
        for (channel, wanted) in [(Channel::Slack, has_slack && choice.slack), (Channel::Email, choice.email)] {
            if !wanted {
                continue;
            }
            match gathering::waits_until(conn, id, channel, (choice, new.kind), now)? {
                Some(until) => gathered::gather(conn, notice, id, channel, until)?,
                None => deliver(conn, app, notice, channel, now)?,
            }
        }
    }
    Ok(())
}

/// Lets a notice go by a channel.
pub fn deliver(conn: &mut Conn, app: &App, notice_id: i64, channel: Channel, now: Moment) -> Result<()> {
    let message_id = match channel {
        Channel::Email => format!("<{}@{}>", random_token(), app.base_url.host_str().unwrap_or("localhost")),
        Channel::Slack => random_uuid(),
    };
    deliveries::insert(conn, notice_id, channel, &message_id, now)
}

/// What ended long ago, in one message for each member; one by itself is told as it would have been.
fn tell_together(conn: &mut Conn, app: &App, old: &[&Outcome], now: Moment) -> Result<()> {
    let mut all: Vec<Event> = Vec::new();
    for outcome in old {
        all.extend(events(conn, outcome, now)?);
    }
    let mut of: BTreeMap<i64, Vec<&Event>> = BTreeMap::new();
    for event in &all {
        for member in &event.who {
            of.entry(*member).or_default().push(event);
        }
    }
    let (Some(first), Some(last)) = (old.first(), old.last()) else { return Ok(()) };
    let key = format!("backlog:{}:{}", first.run_id, last.run_id);
    outlets::enqueue_together(conn, &all, &key, now)?;
    for (member, told) in of {
        if let [event] = told.as_slice() {
            tell_members(conn, app, &[member], &event.notice(), now)?;
            continue;
        }
        let (title, detail) = letter::together(&told);
        let new = NewNotice {
            key: &key,
            kind: NoticeKind::Backlog,
            application_id: None,
            run_id: None,
            incident_id: None,
            link: None,
            title: &title,
            detail: &detail,
            at: now,
        };
        tell_members(conn, app, &[member], &new, now)?;
        // So that they hear when it is over. The one message stands for these: no list shows them.
        for event in told.iter().filter(|event| event.incident_id.is_some()) {
            let stood_for = NewNotice { kind: NoticeKind::Digest, ..event.notice() };
            if let Some(notice) = store::insert(conn, member, &stood_for)? {
                store::set_read(conn, notice, Some(now))?;
            }
        }
    }
    Ok(())
}
