//! A notice in words: its lines in the inbox, and the mail, as text and as HTML that reads the same.

use askama::Template;
use chrono_tz::Tz;
use lettre::message::Mailbox;
use url::Url;

use super::model::{Notice, NoticeKind};
use super::store;
use crate::applications;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::mail::Mail;
use crate::members;
use crate::names::{one_line, short_line};
use crate::runs::{self, Run};
use crate::schedules::{self, Schedule};
use crate::words;

/// The longest detail that is kept, in characters.
const LONGEST: usize = 1_500;
/// The longest name in a title.
const LONGEST_NAME: usize = 120;
/// So many others are named.
const NAMED: usize = 5;

/// "Payroll DE failed", on one line.
pub fn title(name: &str, kind: NoticeKind) -> String {
    let name = short_line(name, LONGEST_NAME);
    match kind {
        NoticeKind::Success => format!("{name} succeeded"),
        NoticeKind::Partial => format!("{name} succeeded only in part"),
        NoticeKind::Failed => format!("{name} failed"),
        NoticeKind::Held => format!("{name} is held and waits for a decision"),
        NoticeKind::Missed => format!("{name} did not run"),
        NoticeKind::Recovered => format!("{name} works again"),
        _ => name,
    }
}

/// Why it ended so, in sentences; else what it did.
pub fn detail(run: &Run) -> String {
    let why = words::sentences([run.cause.clone(), run.reason.clone()]);
    let did = run.result.as_ref().map(|result| {
        let rejected = match result.rejected {
            0 => String::new(),
            n => format!("{} of {} rejected. ", words::count(n), words::counted(result.read, "row", "rows")),
        };
        format!("{rejected}{}.", result.loaded_words())
    });
    let held = run.hold.as_ref().map(|hold| hold.stopped.words());
    let detail = held.or(why).or(did).unwrap_or_default();
    short_line(&detail, LONGEST)
}

/// A mail's foot, head and rows; the same for every kind of message.
#[derive(Template)]
#[template(path = "letters/letter.html")]
struct Html<'a>(&'a Letter);

#[derive(Template)]
#[template(path = "letters/letter.txt")]
struct Text<'a>(&'a Letter);

/// What a message says, by whatever way it goes.
pub struct Letter {
    pub application: String,
    pub title: String,
    pub detail: String,
    /// Its chip: the word, its class, the colour behind it.
    word: &'static str,
    colours: (&'static str, &'static str),
    /// Label and value.
    pub rows: Vec<(&'static str, String)>,
    /// The Summary, where there is one.
    pub summary: Option<String>,
    pub again: bool,
    pub inbox: String,
    settings: String,
}

/// The letter of a notice.
pub fn of(conn: &mut Conn, base: &Url, notice_id: i64) -> Result<Letter> {
    let notice = store::by_id(conn, notice_id)?.ok_or(AppError::NotFound)?;
    Ok(compose(conn, base, &notice)?.0)
}

/// A letter and the run that it is about; `base`: as people reach this server.
pub fn compose(conn: &mut Conn, base: &Url, notice: &Notice) -> Result<(Letter, Option<Run>)> {
    let run = notice.run_id.map(|id| runs::by_id(conn, id)).transpose()?.flatten();
    let application = notice.application_id.map(|id| applications::by_id(conn, id)).transpose()?.flatten();
    let at = |path: &str| base.join(path).map(String::from).unwrap_or_default();
    let rows = match (&run, &application) {
        (Some(run), Some(application)) => rows(conn, run, application.time_zone, notice.member_id)?,
        _ => Vec::new(),
    };
    let letter = Letter {
        application: application.map(|application| one_line(&application.name)).unwrap_or_default(),
        title: notice.title.clone(),
        detail: notice.detail.clone(),
        word: notice.kind.chip().0,
        colours: colours(notice.kind),
        rows,
        summary: run.as_ref().map(|run| at(&format!("/runs/{}", run.id))),
        again: notice.kind == NoticeKind::Failed && run.is_some(),
        inbox: at("/notifications"),
        settings: at("/notifications/settings"),
    };
    Ok((letter, run))
}

/// The mail to one member; `base`: as people reach this server.
pub fn mail(
    conn: &mut Conn,
    base: &Url,
    notice: &Notice,
    (name, email): (&str, &str),
    message_id: &str,
) -> Result<Mail> {
    let address = email.parse().map_err(|_| AppError::Conflict(format!("\"{email}\" is no e-mail address.")))?;
    let (letter, run) = compose(conn, base, notice)?;
    // What one import tells stands together, in whatever program it is read.
    let host = base.host_str().unwrap_or("localhost");
    let thread = run.as_ref().and_then(Run::target).map(|target| format!("<import-{target}@{host}>"));
    Ok(Mail {
        to: Mailbox::new(Some(one_line(name)), address),
        subject: match letter.application.is_empty() {
            true => letter.title.clone(),
            false => format!("{} ({})", letter.title, letter.application),
        },
        text: Text(&letter).render().map_err(AppError::internal)?,
        html: Html(&letter).render().map_err(AppError::internal)?,
        message_id: Some(message_id.to_owned()),
        thread,
    })
}

fn colours(kind: NoticeKind) -> (&'static str, &'static str) {
    match kind.chip().1 {
        "is-bad" => ("bad", "#fdeae8"),
        "is-warn" => ("warn", "#fbf0d8"),
        "is-ok" => ("ok", "#e3f4ea"),
        _ => ("plain", "#eeeeea"),
    }
}

/// The run in figures.
fn rows(conn: &mut Conn, run: &Run, zone: Tz, to: i64) -> Result<Vec<(&'static str, String)>> {
    let schedule = run.schedule_id.map(|id| schedules::actions::find_even_deleted(conn, id)).transpose()?.flatten();
    let zone = schedule.as_ref().filter(|s| s.broken.is_none()).map_or(zone, |schedule| schedule.rule.time_zone());
    let when = |at: Moment| format!("{}, {zone}", words::date_time(at, zone));
    let mut rows = Vec::new();
    if let Some(planned) = run.planned_at {
        rows.push(("Planned", when(planned)));
    }
    if let (Some(from), Some(to)) = (run.started_at, run.finished_at) {
        let attempts = if run.attempt > 1 { format!(", {} attempts", run.attempt) } else { String::new() };
        let took = words::duration(to.since(from).max(chrono::Duration::zero()));
        rows.push(("Ran", format!("{} for {took}{attempts}", when(from))));
    }
    if let Some(result) = &run.result {
        let rejected = match result.rejected {
            0 => String::new(),
            n => format!(", {} of {} rejected", words::count(n), words::count(result.read)),
        };
        rows.push(("Rows", format!("{}{rejected}", result.loaded_words())));
    }
    if let Some(target) = run.target() {
        if let Some(at) = runs::last_success(conn, target, run.id)? {
            rows.push(("Last success", when(at)));
        }
        let of_target: Vec<Schedule> = schedules::actions::of_targets(conn, &[target])?;
        rows.push(match of_target.iter().filter_map(|schedule| schedule.next_at).min() {
            Some(next) => ("Next run", when(next)),
            None => ("Next run", "None is planned.".to_owned()),
        });
    }
    if let Some(owner) = schedule.map(|schedule| members::by_id(conn, schedule.owner_id)).transpose()?.flatten() {
        rows.push(("Owner", one_line(&owner.name)));
    }
    let others = store::told_of(conn, run.id)?.into_iter().filter(|told| told.member_id != to);
    let mut others: Vec<String> = others.map(|told| one_line(&told.member)).collect();
    let more = others.len().saturating_sub(NAMED);
    others.truncate(NAMED);
    if !others.is_empty() {
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        rows.push(("Also told", others.join(", ") + &more));
    }
    Ok(rows)
}
