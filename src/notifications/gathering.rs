//! One step: what a member gets together becomes one message. That is a digest by mail, where they chose an hour for it, and
//! whatever comes by mail or in Slack after so many messages in a short time.

use std::collections::BTreeMap;

use chrono::{Duration, Timelike};
use chrono_tz::Tz;

use super::announcing::deliver;
use super::model::{Channel, Notice, NoticeKind};
use super::store::{self, Choice, NewNotice};
use super::{choices_store as choices, gathered_store as gathered, letter, recipients, slack};
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::members;
use crate::words;

/// So many messages may come one by one within [`SHORT`].
const ONE_BY_ONE: usize = 10;
const SHORT: Duration = Duration::minutes(10);
/// So long is gathered what comes after them.
const PAUSE: Duration = Duration::minutes(5);
/// So many notices become one message; of what is left the next step makes another.
const TOGETHER: i64 = 500;
/// So many members and channels in one step.
const BATCH: i64 = 50;

/// Until when a notice of a member waits for others; `None`: it goes at once.
pub fn waits_until(
    conn: &mut Conn,
    member_id: i64,
    channel: Channel,
    (choice, kind): (Choice, NoticeKind),
    now: Moment,
) -> Result<Option<Moment>> {
    let hour = choice.digest_hour.filter(|_| channel == Channel::Email && (choice.digest_all || !kind.is_urgent()));
    if let Some(hour) = hour {
        let own = members::by_id(conn, member_id)?.and_then(|member| member.time_zone);
        let zone = members::zone_of(conn, own)?;
        return Ok(Some(next_hour(hour, zone, now)));
    }
    let written = gathered::written(conn, member_id, channel, ONE_BY_ONE as i64)?;
    if written.len() < ONE_BY_ONE || written.iter().any(|at| now.since(*at) >= SHORT) {
        return Ok(None);
    }
    // With what waits already, unless that is a digest.
    let next = gathered::next(conn, member_id, channel, now)?.filter(|at| *at <= now.plus(PAUSE));
    Ok(Some(next.unwrap_or(now.plus(PAUSE))))
}

/// The next moment at which it is that hour in a zone, or later than it where the clock leaps over it.
pub fn next_hour(hour: i32, zone: Tz, now: Moment) -> Moment {
    const QUARTER: i64 = 15 * 60 * 1_000_000;
    let hour = hour.clamp(0, 23) as u32;
    let first = now.micros().div_euclid(QUARTER) + 1;
    let at = |quarter: i64| Moment::from_micros(quarter * QUARTER);
    let strikes = |quarter: &i64| {
        let (before, is) = (at(quarter - 1).in_zone(zone), at(*quarter).in_zone(zone));
        is.hour() >= hour && (before.hour() < hour || before.date_naive() != is.date_naive())
    };
    at((first..first + 4 * 50).find(strikes).unwrap_or(first + 4 * 24))
}

/// Sends what was gathered; how many messages that were. Safe in many processes at once. Blocks.
pub fn step(app: &App) -> Result<usize> {
    let now = app.now();
    let due = app.db.read(|conn| gathered::due(conn, now, BATCH))?;
    for (member_id, channel) in &due {
        app.db.write(|conn| send(conn, app, (*member_id, *channel), now))?;
    }
    Ok(due.len())
}

fn send(conn: &mut Conn, app: &App, (member_id, channel): (i64, Channel), now: Moment) -> Result<()> {
    let taken = gathered::take(conn, (member_id, channel), now, TOGETHER)?;
    let taken = store::by_ids(conn, &taken)?;
    let gathered = still_seen(conn, member_id, taken)?;
    let choice = choices::of(conn, &[member_id])?.remove(&member_id).unwrap_or_default();
    let wanted = match channel {
        Channel::Email => choice.email,
        Channel::Slack => choice.slack && slack::state(conn)?.is_some(),
    };
    if !wanted {
        return Ok(());
    }
    match gathered.as_slice() {
        [] => Ok(()),
        [one] => deliver(conn, app, one.id, channel, now),
        [first, .., last] => {
            let zone = members::by_id(conn, member_id)?.and_then(|member| member.time_zone);
            let zone = members::zone_of(conn, zone)?;
            let key = match channel {
                Channel::Email => format!("digest:{}:{}", first.id, last.id),
                Channel::Slack => format!("digest:slack:{}:{}", first.id, last.id),
            };
            let (title, detail) = (title(&gathered), letter::digest(&gathered, zone));
            let new = NewNotice {
                key: &key,
                kind: NoticeKind::Digest,
                application_id: None,
                run_id: None,
                incident_id: None,
                link: Some("/notifications"),
                title: &title,
                detail: &detail,
                at: now,
            };
            let Some(notice) = store::insert(conn, member_id, &new)? else { return Ok(()) };
            // Each of its messages stands in the inbox by itself.
            store::set_read(conn, notice, Some(now))?;
            deliver(conn, app, notice, channel, now)
        }
    }
}

/// What was told of Applications that the member may see still.
fn still_seen(conn: &mut Conn, member_id: i64, gathered: Vec<Notice>) -> Result<Vec<Notice>> {
    let mut seen = BTreeMap::new();
    let mut left = Vec::new();
    for notice in gathered {
        let sees = match notice.application_id {
            None => true,
            Some(id) => match seen.get(&id) {
                Some(sees) => *sees,
                None => {
                    let sees = recipients::sees(conn, member_id, id)?;
                    seen.insert(id, sees);
                    sees
                }
            },
        };
        if sees {
            left.push(notice);
        }
    }
    Ok(left)
}

/// "12 notifications: 3 failed, 9 success"
fn title(gathered: &[Notice]) -> String {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for notice in gathered {
        *counts.entry(notice.kind.chip().0).or_default() += 1;
    }
    let counts: Vec<String> =
        counts.into_iter().map(|(word, n)| format!("{} {}", words::count(n), word.to_lowercase())).collect();
    let all = words::counted(gathered.len() as i64, "notification", "notifications");
    letter::bounded(&format!("{all}: {}", counts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_digest_comes_once_a_day_also_when_the_clock_leaps() {
        let paris = chrono_tz::Europe::Paris;
        let next = |hour, now: &str| next_hour(hour, paris, at(now)).to_string();
        assert_eq!(next(8, "2026-11-25T06:59:00Z"), "2026-11-25T07:00:00Z");
        assert_eq!(next(8, "2026-11-25T07:00:00Z"), "2026-11-26T07:00:00Z");
        assert_eq!(next(0, "2026-11-25T12:00:00Z"), "2026-11-25T23:00:00Z");
        // 02:00 is left out on 29 March, and there twice on 25 October.
        assert_eq!(next(2, "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
        assert_eq!(next(2, "2026-10-24T12:00:00Z"), "2026-10-25T00:00:00Z");
        assert_eq!(next(2, "2026-10-25T00:00:00Z"), "2026-10-26T01:00:00Z");
        // Half an hour off.
        assert_eq!(
            next_hour(8, chrono_tz::Asia::Kolkata, at("2026-11-25T00:00:00Z")).to_string(),
            "2026-11-25T02:30:00Z"
        );
    }
}
