//! A notice in words: its lines in the inbox, and the mail, as text and as HTML that reads the same.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use chrono_tz::Tz;
use lettre::message::Mailbox;
use url::Url;

use super::event::Event;
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
/// So many lines a digest has.
const LINES: usize = 50;
/// So many others are named.
const NAMED: usize = 5;

/// A name on one line, and not too long.
pub fn short(name: &str) -> String {
    short_line(name, 120)
}

/// Sentences on one line, and not too many.
pub fn bounded(text: &str) -> String {
    short_line(text, LONGEST)
}

/// A title and the sentences below it, of a cause that is kept as two lines.
pub fn parted(cause: &str) -> (&str, &str) {
    cause.split_once('\n').unwrap_or((cause, ""))
}

/// "Payroll DE failed", on one line.
pub fn title(name: &str, kind: NoticeKind) -> String {
    let name = short(name);
    match kind {
        NoticeKind::Success => format!("{name} succeeded"),
        NoticeKind::Partial => format!("{name} succeeded only in part"),
        NoticeKind::Failed => format!("{name} failed"),
        NoticeKind::Held => format!("{name} is held and needs a decision"),
        NoticeKind::Missed => format!("{name} did not run"),
        _ => name,
    }
}

/// What is broken is so still: of a run's name, or of several imports.
pub fn still(name: &str, many: bool, kind: NoticeKind) -> String {
    let name = short(name);
    match (kind, many) {
        (NoticeKind::Partial, false) => format!("{name} still loads only in part"),
        (NoticeKind::Partial, true) => format!("{name} still load only in part"),
        (NoticeKind::Held, _) => format!("{name} is still held and needs a decision"),
        (NoticeKind::Missed, false) => format!("{name} still has not run"),
        (NoticeKind::Missed, true) => format!("{name} still have not run"),
        (_, false) => format!("{name} is still failing"),
        (_, true) => format!("{name} are still failing"),
    }
}

/// Why it ended so, in sentences; else what it did.
pub fn detail(run: &Run) -> String {
    let why = words::sentences([run.cause.clone(), run.reason.clone()]);
    let held = run.hold.as_ref().map(|hold| hold.stopped.words());
    bounded(&held.or(why).unwrap_or_else(|| did(run)))
}

/// "3 of 1,458 rows rejected. 1,455 rows loaded."
pub fn did(run: &Run) -> String {
    let Some(result) = &run.result else { return String::new() };
    let rejected = match result.rejected {
        0 => String::new(),
        n => format!("{} of {} rejected. ", words::count(n), words::counted(result.read, "row", "rows")),
    };
    format!("{rejected}{}.", result.loaded_words())
}

/// Title and detail of what ended while nobody could be told.
pub fn together(told: &[&Event]) -> (String, String) {
    let ended: BTreeSet<i64> = told.iter().filter_map(|event| event.run_id).collect();
    let title =
        words::counted(ended.len() as i64, "import ended", "imports ended") + " while notifications were delayed";
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for event in told {
        *counts.entry(event.kind.chip().0).or_default() += 1;
    }
    let counts: Vec<String> =
        counts.into_iter().map(|(word, n)| format!("{} {}", words::count(n), word.to_lowercase())).collect();
    let mut titles: Vec<&str> = told.iter().map(|event| event.title.as_str()).collect();
    titles.sort_unstable();
    titles.dedup();
    let more = titles.len().saturating_sub(NAMED);
    titles.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (title, bounded(&format!("{}: {}{more}.", words::capitalized(&counts.join(", ")), titles.join(", "))))
}

/// What was gathered, a line for each message; of very many the newest.
pub fn digest(gathered: &[Notice], zone: Tz) -> String {
    let more = gathered.len().saturating_sub(LINES);
    let line = |notice: &Notice| {
        let when = words::day_or_time(notice.at, zone);
        format!("{}, {when}: {}. {}", notice.kind.chip().0, notice.title, short_line(&notice.detail, 200))
    };
    let mut lines: Vec<String> = gathered.iter().skip(more).map(line).collect();
    if more > 0 {
        lines.push(format!("More: {more} earlier ones are in your inbox."));
    }
    lines.join("\n")
}

/// What a run is called where its instant stands beside it.
pub fn name_of(conn: &mut Conn, run_id: i64) -> Result<String> {
    let run = runs::by_id(conn, run_id)?;
    Ok(run.map_or_else(|| format!("Run {run_id}"), |run| short(run.title())))
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
    pub rows: Vec<(String, String)>,
    /// What its button says, and where it leads.
    pub button: (&'static str, String),
    /// Where it can be run again.
    pub again: Option<String>,
    /// Why it was sent.
    because: &'static str,
    pub inbox: String,
    settings: String,
    /// Where to say that one is on it, while it is broken.
    incident: Option<String>,
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
    let is_digest = notice.kind == NoticeKind::Digest;
    let rows = match (&run, &application) {
        _ if is_digest => notice.detail.lines().filter_map(|line| line.split_once(": ")).map(owned).collect(),
        (Some(run), Some(application)) => {
            let rows = rows(conn, run, application.time_zone, notice.member_id)?;
            rows.into_iter().map(|(label, value)| (label.to_owned(), value)).collect()
        }
        _ => Vec::new(),
    };
    let letter = Letter {
        application: application.map(|application| one_line(&application.name)).unwrap_or_default(),
        title: notice.title.clone(),
        detail: if is_digest { String::new() } else { notice.detail.clone() },
        word: notice.kind.chip().0,
        colours: colours(notice.kind),
        rows,
        button: (leads_to(notice), at(&notice.leads_to())),
        again: run.as_ref().filter(|_| notice.kind == NoticeKind::Failed).map(|run| at(&format!("/runs/{}", run.id))),
        because: because(notice),
        inbox: at("/notifications"),
        settings: at("/notifications/settings"),
        incident: notice.incident_id.filter(|_| breaks(notice.kind)).map(|id| at(&format!("/incidents/{id}"))),
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
    let address = email.parse().map_err(|_| AppError::Conflict(format!("\"{email}\" is not an e-mail address.")))?;
    let (letter, run) = compose(conn, base, notice)?;
    // What is told of one incident, or of one import, stands together, in whatever program it is read.
    let host = base.host_str().unwrap_or("localhost");
    let thread = match (notice.incident_id, run.as_ref().and_then(Run::target)) {
        (Some(incident), _) => Some(format!("<incident-{incident}@{host}>")),
        (None, Some(target)) => Some(format!("<import-{target}@{host}>")),
        (None, None) => None,
    };
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

fn owned((label, value): (&str, &str)) -> (String, String) {
    (label.to_owned(), value.to_owned())
}

/// What stands on the button.
fn leads_to(notice: &Notice) -> &'static str {
    match notice.kind {
        NoticeKind::Held => "Decide",
        NoticeKind::Digest | NoticeKind::Backlog => "Open your inbox",
        NoticeKind::Reminder => "View the incident",
        _ if notice.run_id.is_some() => "View Summary",
        _ => "Open",
    }
}

fn because(notice: &Notice) -> &'static str {
    match notice.kind {
        NoticeKind::Digest => "several notifications were waiting for you.",
        NoticeKind::Backlog => "schedules of these imports list you as a recipient.",
        NoticeKind::WillFail => "you own the schedules, or are an Administrator of this Workspace.",
        _ if notice.application_id.is_none() => "you are an Administrator of this Workspace.",
        _ => "a schedule of this import lists you as a recipient.",
    }
}

/// Of what stays broken until it works again.
fn breaks(kind: NoticeKind) -> bool {
    use NoticeKind::{Failed, Held, Missed, Partial, Reminder};
    matches!(kind, Failed | Partial | Held | Missed | Reminder)
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
            None => ("Next run", "None planned".to_owned()),
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
        rows.push(("Also notified", others.join(", ") + &more));
    }
    Ok(rows)
}
