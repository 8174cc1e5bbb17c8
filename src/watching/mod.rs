//! Watches what no outcome tells: a run that goes on much longer than usual, an occurrence that nobody begins. One step,
//! safe in many processes at once: what is told has a key, and is told once.

use chrono::Duration;

use crate::app::App;
use crate::applications::{self, Application};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::freezes::{self, by_clock};
use crate::import_sets;
use crate::names::one_line;
use crate::notifications::{self, Event, NoticeKind, recipients};
use crate::runs::glance::{self, Usual};
use crate::runs::{Run, RunStatus, watch, workers};
use crate::schedules::{self, clock};
use crate::words;

/// Fewer successes say nothing about what is usual.
const ENOUGH: usize = 5;
/// What is usual plus this is not yet long.
const LONGER: Duration = Duration::minutes(10);
/// How long an occurrence may wait in the queue.
const WAITS: Duration = Duration::minutes(30);
/// How long one may be due before it is in the queue.
const UNCLAIMED: Duration = Duration::minutes(10);
/// So long a process has worked before what is unclaimed is held against it: after an outage it has much to claim.
const SETTLED: Duration = Duration::minutes(2);

/// Whether a run that has gone on for so long does so for much longer than usual.
pub fn is_slow(elapsed: Duration, usual: Usual) -> bool {
    usual.of >= ENOUGH && elapsed > (usual.takes * 3).max(usual.takes + LONGER)
}

/// "It is taking much longer than usual: 45 min so far, usually 12 min."; `None` while it does not.
pub fn slow_words(conn: &mut Conn, run: &Run, now: Moment) -> Result<Option<String>> {
    let (Some(target), Some(started)) = (run.target(), run.started_at) else { return Ok(None) };
    if run.status != RunStatus::Running || now.since(started) <= LONGER {
        return Ok(None);
    }
    let usual = glance::usual(conn, &[target])?.remove(&target);
    let slow = usual.filter(|usual| is_slow(now.since(started), *usual));
    Ok(slow.map(|usual| {
        let (so_far, takes) = (words::duration(now.since(started)), words::duration(usual.takes));
        format!("It is taking much longer than usual: {so_far} so far, usually {takes}.")
    }))
}

/// What somebody is to be told.
struct Told {
    key: String,
    kind: NoticeKind,
    application_id: i64,
    run_id: Option<i64>,
    title: String,
    detail: String,
    who: Vec<i64>,
}

/// Looks once; how many messages that were. Blocks.
pub fn step(app: &App) -> Result<usize> {
    let now = app.now();
    let found = app.db.read(|conn| {
        let mut found = slow(conn, now)?;
        found.extend(waiting(conn, now)?);
        found.extend(unclaimed(conn, now)?);
        // Nobody takes the write lock for nothing.
        for told in &mut found {
            told.who = notifications::untold(conn, &told.who, &told.key)?;
        }
        found.retain(|told| !told.who.is_empty());
        Ok(found)
    })?;
    for told in &found {
        let list = format!("/applications/{}/settings/import-scheduling", told.application_id);
        let event = Event {
            key: told.key.clone(),
            kind: told.kind,
            application_id: Some(told.application_id),
            run_id: told.run_id,
            incident_id: None,
            link: Some(list),
            title: told.title.clone(),
            detail: told.detail.clone(),
            at: now,
            who: told.who.clone(),
        };
        // One that cannot be told holds up no other.
        match app.db.write(|conn| notifications::announce(conn, app, &event, now)) {
            Err(error @ (AppError::Unavailable { .. } | AppError::DiskFull)) => return Err(error),
            Err(error) => tracing::error!(key = event.key, %error, "what was seen cannot be told"),
            Ok(()) => {}
        }
    }
    Ok(found.len())
}

fn slow(conn: &mut Conn, now: Moment) -> Result<Vec<Told>> {
    let running = watch::running_since(conn, now.minus(LONGER))?;
    let targets: Vec<_> = running.iter().filter_map(Run::target).collect();
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let usual = glance::usual(conn, &targets)?;
    let mut found = Vec::new();
    for run in running {
        let Some((usual, started)) = run.target().and_then(|target| usual.get(&target)).zip(run.started_at) else {
            continue;
        };
        let elapsed = now.since(started);
        if !is_slow(elapsed, *usual) {
            continue;
        }
        let (so_far, takes) = (words::duration(elapsed), words::duration(usual.takes));
        let said =
            |since: String| format!("It has been running for {so_far}, since {since}. It usually takes {takes}.");
        found.extend(of_run(conn, &run, NoticeKind::Slow, "slow", |application| {
            (format!("{} is taking much longer than usual", name(run.title())), said(when(started, application)))
        })?);
    }
    Ok(found)
}

fn waiting(conn: &mut Conn, now: Moment) -> Result<Vec<Told>> {
    let mut found = Vec::new();
    let waiting = watch::waiting_since(conn, now.minus(WAITS))?;
    let nobody = !waiting.is_empty() && workers::living(conn, now)? == 0;
    for run in waiting {
        let waited = words::duration(now.since(run.queued_at));
        let why = match (&run.reason, nobody) {
            (Some(reason), _) => format!(" {}.", reason.trim_end_matches('.')),
            (None, true) => " No worker is running.".to_owned(),
            (None, false) => String::new(),
        };
        found.extend(of_run(conn, &run, NoticeKind::Waiting, "waiting", |application| {
            let planned = when(run.stands_for(), application);
            let said = format!("It was planned for {planned} and has been waiting for {waited}.{why}");
            (format!("{} has not started", name(run.title())), said)
        })?);
    }
    Ok(found)
}

/// What a run tells its recipients; `None` where it has none.
fn of_run(
    conn: &mut Conn,
    run: &Run,
    kind: NoticeKind,
    what: &str,
    say: impl FnOnce(&Application) -> (String, String),
) -> Result<Option<Told>> {
    let Some(application) = applications::by_id(conn, run.application_id)? else { return Ok(None) };
    let who = recipients::of(conn, run, &application, (kind, i64::MAX))?;
    let (title, detail) = say(&application);
    let key = format!("run:{}:{what}", run.uid);
    Ok(Some(Told { key, kind, application_id: application.id, run_id: Some(run.id), title, detail, who }))
}

/// Schedules that are on, and whose occurrence nobody has put into the queue.
fn unclaimed(conn: &mut Conn, now: Moment) -> Result<Vec<Told>> {
    let mut found = Vec::new();
    let overdue = clock::overdue(conn, now.minus(UNCLAIMED))?;
    if overdue.is_empty() || !workers::settled(conn, now, SETTLED)? {
        return Ok(found);
    }
    for (id, due) in overdue {
        let Some(schedule) = schedules::actions::find_even_deleted(conn, id)? else { continue };
        let Some(application) = applications::by_id(conn, schedule.application_id)? else { continue };
        let frozen = by_clock::holding(conn, &[application.id], due, due)?;
        let Some(known) = import_sets::known_of(conn, schedule.target)?.filter(|known| !known.archived) else {
            continue;
        };
        if freezes::at(&frozen, due).is_some() || schedule.broken.is_some() {
            continue;
        }
        let who = recipients::of_schedules(conn, std::iter::once(&schedule), &application)?;
        let planned = when(due, &application);
        found.push(Told {
            key: format!("schedule:{id}:{}:waiting", due.micros()),
            kind: NoticeKind::Waiting,
            application_id: application.id,
            run_id: None,
            title: format!("{} has not started", name(&known.name)),
            detail: format!(
                "It was planned for {planned} and is not in the queue yet. It will run once the server queues it; \
                 the server's log says what is in the way."
            ),
            who,
        });
    }
    Ok(found)
}

fn name(name: &str) -> String {
    one_line(name).chars().take(120).collect()
}

fn when(at: Moment, application: &Application) -> String {
    format!("{} ({})", words::date_time(at, application.time_zone), application.time_zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_is_thrice_the_usual_and_ten_minutes_more() {
        let slow =
            |minutes, takes, of| is_slow(Duration::minutes(minutes), Usual { takes: Duration::minutes(takes), of });
        assert!(!slow(11, 1, 5) && slow(12, 1, 5), "a short one may take ten minutes more");
        assert!(!slow(60, 20, 5) && slow(61, 20, 5), "a long one three times as long");
        assert!(!slow(600, 1, 4), "four runs say nothing");
    }
}
