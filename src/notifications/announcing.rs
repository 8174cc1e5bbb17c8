//! One step: the outcomes that nobody was told of become notices.

use std::collections::BTreeMap;

use chrono::Duration;

use super::deliveries_store as deliveries;
use super::model::{Channel, NoticeKind};
use super::store::{self, NewNotice};
use super::{letter, outlets, recipients, slack};
use crate::app::App;
use crate::applications::{self, Application};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::Member;
use crate::runs::{self, Outcome, Run};
use crate::secrets::{random_token, random_uuid};
use crate::words;

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
            for outcome in fresh {
                tell(conn, app, outcome, now)?;
            }
            tell_together(conn, app, &old, now)?;
            waiting.iter().try_for_each(|outcome| runs::announced(conn, outcome, now))?;
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
        let told = app.db.write(|conn| {
            tell(conn, app, outcome, now)?;
            runs::announced(conn, outcome, now)
        });
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

/// An outcome that somebody is to know.
struct Told {
    run: Run,
    application: Application,
    kind: NoticeKind,
    who: Vec<Member>,
}

/// Whom an outcome concerns; `None` where nobody is to know.
fn concerned(conn: &mut Conn, outcome: &Outcome) -> Result<Option<Told>> {
    let Some(kind) = NoticeKind::of(outcome.status) else { return Ok(None) };
    let Some(run) = runs::by_id(conn, outcome.run_id)? else { return Ok(None) };
    let Some(application) = applications::by_id(conn, run.application_id)? else { return Ok(None) };
    let who = recipients::of(conn, &run, &application, kind)?;
    Ok((!who.is_empty()).then_some(Told { run, application, kind, who }))
}

fn tell(conn: &mut Conn, app: &App, outcome: &Outcome, now: Moment) -> Result<()> {
    let Some(told) = concerned(conn, outcome)? else { return Ok(()) };
    let ids: Vec<i64> = told.who.iter().map(|member| member.id).collect();
    tell_of(conn, app, (outcome, &told), &ids, now)
}

fn tell_of(
    conn: &mut Conn,
    app: &App,
    (outcome, told): (&Outcome, &Told),
    member_ids: &[i64],
    now: Moment,
) -> Result<()> {
    let key = format!("run:{}:{}", told.run.uid, outcome.kind);
    let (title, detail) = (letter::title(told.run.title(), told.kind), letter::detail(&told.run));
    let new = NewNotice {
        key: &key,
        kind: told.kind,
        application_id: Some(told.application.id),
        run_id: Some(told.run.id),
        incident_id: None,
        link: None,
        title: &title,
        detail: &detail,
        at: outcome.at,
    };
    tell_members(conn, app, member_ids, &new, now)
}

/// Tells these members, each once of what a key names, by the ways that they chose.
pub fn tell_members(conn: &mut Conn, app: &App, member_ids: &[i64], new: &NewNotice<'_>, now: Moment) -> Result<()> {
    let by_mail = store::want_mail(conn, member_ids)?;
    let by_slack = if slack::state(conn)?.is_some() { store::want_slack(conn, member_ids)? } else { Vec::new() };
    for id in member_ids {
        let Some(notice) = store::insert(conn, *id, new)? else { continue };
        if by_mail.contains(id) {
            let message_id = format!("<{}@{}>", random_token(), app.base_url.host_str().unwrap_or("localhost"));
            deliveries::insert(conn, notice, Channel::Email, &message_id, now)?;
        }
        if by_slack.contains(id) {
            deliveries::insert(conn, notice, Channel::Slack, &random_uuid(), now)?;
        }
    }
    Ok(())
}

/// What ended long ago, in one message for each member; one by itself is told as it would have been.
fn tell_together(conn: &mut Conn, app: &App, old: &[&Outcome], now: Moment) -> Result<()> {
    let mut all: Vec<(&Outcome, Told)> = Vec::new();
    for outcome in old {
        all.extend(concerned(conn, outcome)?.map(|told| (*outcome, told)));
    }
    let mut of: BTreeMap<i64, Vec<&(&Outcome, Told)>> = BTreeMap::new();
    for one in &all {
        for member in &one.1.who {
            of.entry(member.id).or_default().push(one);
        }
    }
    let (Some(first), Some(last)) = (old.first(), old.last()) else { return Ok(()) };
    let key = format!("backlog:{}:{}", first.run_id, last.run_id);
    for (member, ended) in of {
        if let [(outcome, told)] = ended.as_slice() {
            tell_of(conn, app, (outcome, told), &[member], now)?;
            continue;
        }
        let title =
            words::counted(ended.len() as i64, "import ended", "imports ended") + " while notifications were delayed";
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for (_, told) in &ended {
            *counts.entry(told.kind.chip().0).or_default() += 1;
        }
        let counts: Vec<String> =
            counts.into_iter().map(|(word, n)| format!("{} {}", words::count(n), word.to_lowercase())).collect();
        let mut names: Vec<String> = ended.into_iter().map(|(_, told)| told.run.title().to_owned()).collect();
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
            incident_id: None,
            link: None,
            title: &title,
            detail: &detail,
            at: now,
        };
        tell_members(conn, app, &[member], &new, now)?;
    }
    Ok(())
}
