//! One step: the outcomes that nobody was told of become notices.

use std::collections::BTreeMap;

use chrono::Duration;

use super::deliveries_store as deliveries;
use super::model::{Channel, NoticeKind};
use super::store::{self, NewNotice};
use super::{letter, recipients};
use crate::app::App;
use crate::applications;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::runs::{self, Outcome};
use crate::secrets::random_token;
use crate::words;

/// So many outcomes are told in one transaction.
const BATCH: i64 = 50;
/// What ended longer ago than this, while nobody could be told, becomes one message for each member.
const FRESH: Duration = Duration::days(1);

/// Tells what is waiting; how many outcomes that were. Safe in many processes at once. Blocks.
pub fn step(app: &App) -> Result<usize> {
    let mut done = 0;
    loop {
        let now = app.now();
        // Nobody takes the write lock for nothing.
        if app.db.read(|conn| runs::waiting(conn, 1))?.is_empty() {
            return Ok(done);
        }
        let told = app.db.write(|conn| {
            let waiting = runs::waiting(conn, BATCH)?;
            let (old, fresh): (Vec<_>, Vec<_>) = waiting.iter().partition(|outcome| now.since(outcome.at) > FRESH);
            for outcome in fresh {
                tell(conn, app, outcome, now)?;
            }
            tell_together(conn, app, &old, now)?;
            for outcome in &waiting {
                runs::announced(conn, outcome, now)?;
            }
            Ok(waiting.len())
        })?;
        done += told;
        if app.stop.is_cancelled() || told < BATCH as usize {
            return Ok(done);
        }
    }
}

/// Whom an outcome concerns, and of which run it is; `None` where nobody is to know.
fn concerned(
    conn: &mut Conn,
    outcome: &Outcome,
) -> Result<Option<(runs::Run, applications::Application, NoticeKind, Vec<crate::members::Member>)>> {
    let Some(kind) = NoticeKind::of(outcome.status) else { return Ok(None) };
    let Some(run) = runs::by_id(conn, outcome.run_id)? else { return Ok(None) };
    let Some(application) = applications::by_id(conn, run.application_id)? else { return Ok(None) };
    let who = recipients::of(conn, &run, &application, kind)?;
    Ok((!who.is_empty()).then_some((run, application, kind, who)))
}

fn tell(conn: &mut Conn, app: &App, outcome: &Outcome, now: Moment) -> Result<()> {
    let Some((run, application, kind, who)) = concerned(conn, outcome)? else { return Ok(()) };
    let key = format!("run:{}:{}", run.uid, outcome.kind);
    let (title, detail) = (letter::title(run.title(), kind), letter::detail(&run));
    let new = NewNotice {
        key: &key,
        kind,
        application_id: Some(application.id),
        run_id: Some(run.id),
        title: &title,
        detail: &detail,
        at: outcome.at,
    };
    let ids: Vec<i64> = who.iter().map(|member| member.id).collect();
    notify(conn, app, &ids, &new, now)
}

/// Tells these members, by the ways that they chose.
fn notify(conn: &mut Conn, app: &App, member_ids: &[i64], new: &NewNotice<'_>, now: Moment) -> Result<()> {
    let by_mail = store::want_mail(conn, member_ids)?;
    for id in member_ids {
        let Some(notice) = store::insert(conn, *id, new)? else { continue };
        if by_mail.contains(id) {
            let message_id = format!("<{}@{}>", random_token(), app.base_url.host_str().unwrap_or("localhost"));
            deliveries::insert(conn, notice, Channel::Email, &message_id, now)?;
        }
    }
    Ok(())
}

/// What ended long ago, in one message for each member.
fn tell_together(conn: &mut Conn, app: &App, old: &[&Outcome], now: Moment) -> Result<()> {
    let mut of: BTreeMap<i64, Vec<(String, NoticeKind)>> = BTreeMap::new();
    for outcome in old {
        let Some((run, _, kind, who)) = concerned(conn, outcome)? else { continue };
        for member in who {
            of.entry(member.id).or_default().push((run.title().to_owned(), kind));
        }
    }
    // One by itself is told as it would have been.
    if let [alone] = old {
        return tell(conn, app, alone, now);
    }
    let (Some(first), Some(last)) = (old.first(), old.last()) else { return Ok(()) };
    let key = format!("backlog:{}:{}", first.run_id, last.run_id);
    for (member, ended) in of {
        let title = words::counted(ended.len() as i64, "import ended", "imports ended") + " while nobody could be told";
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for (_, kind) in &ended {
            *counts.entry(kind.chip().0).or_default() += 1;
        }
        let counts: Vec<String> =
            counts.into_iter().map(|(word, n)| format!("{} {}", words::count(n), word.to_lowercase())).collect();
        let mut names: Vec<String> = ended.into_iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        let more = names.len().saturating_sub(5);
        names.truncate(5);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let detail = format!("{}: {}{more}.", words::capitalized(&counts.join(", ")), names.join(", "));
        let new = NewNotice {
            key: &key,
            kind: NoticeKind::Backlog,
            application_id: None,
            run_id: None,
            title: &title,
            detail: &detail,
            at: now,
        };
        notify(conn, app, &[member], &new, now)?;
    }
    Ok(())
}
