//! `/incidents/{incident}`: what is broken, who is on it, and what can be done. The same stands above the inbox.

use std::collections::HashMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::Duration;
use chrono_tz::Tz;

use crate::app::App;
use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::{self, By, SignedIn, shell};
use crate::notifications::incidents::{Affected, Incident, actions, reminding, store};
use crate::notifications::letter;
use crate::notifications::model::NoticeKind;
use crate::notifications::store as notices;
use crate::runs::{Run, glance};
use crate::web::page::initials;
use crate::web::{Crumb, Flash, Form, Page, Shell, local_path, see_other};
use crate::words;

/// So many imports a card names.
const FEW: i64 = 3;
/// So many the page names.
const MANY: i64 = 200;
/// So many of those who were told are named.
const NAMED: usize = 10;

/// An incident as it is shown.
pub struct Card {
    pub id: i64,
    /// "Payroll DE failed", "3 imports failed"
    pub title: String,
    pub application: String,
    /// "Since Thu 26 Nov, 05:15 · 2 h 57 min · 3 runs"
    pub since: String,
    pub cause: String,
    /// Word, class and icon: how its runs end, or that it is over.
    pub chip: (&'static str, &'static str, &'static str),
    pub is_bad: bool,
    /// Its imports.
    pub lines: Vec<Line>,
    pub more: i64,
    /// Name, initials, since when.
    pub on_it: Option<(String, String, String)>,
    /// Whoever looks is on it.
    pub mine: bool,
    /// Until when nobody is reminded, whether somebody is on it or it is snoozed.
    pub quiet: Option<String>,
    pub snoozed: bool,
    /// Whoever looks may do something about it.
    pub may: bool,
    /// How many could be run again.
    pub again: i64,
    /// Where its schedules are.
    pub mend: Option<String>,
    /// The run that waits for a decision.
    pub decide: Option<i64>,
    /// The run whose rejected rows are to be fixed.
    pub fix: Option<i64>,
    /// When it was over.
    pub over: Option<String>,
}

pub struct Line {
    pub run_id: i64,
    pub name: String,
    pub when: String,
    pub failures: i64,
    pub recovered: bool,
}

/// What several cards show, read at once.
struct Facts {
    affected: HashMap<i64, Vec<Affected>>,
    failing: HashMap<i64, i64>,
    runs: HashMap<i64, Run>,
    members: HashMap<i64, String>,
}

impl Facts {
    fn of(conn: &mut Conn, incidents: &[&Incident], lines: i64) -> Result<Self> {
        let ids: Vec<i64> = incidents.iter().map(|incident| incident.id).collect();
        let takers: Vec<i64> = incidents.iter().filter_map(|incident| incident.taken_by).collect();
        let affected = store::affected_of(conn, &ids, lines)?;
        let run_ids: Vec<i64> = affected.values().flatten().map(|one| one.run_id).collect();
        let members = members::by_ids(conn, &takers)?;
        Ok(Self {
            failing: store::failing(conn, &ids)?,
            runs: glance::by_ids(conn, &run_ids)?,
            members: members.into_iter().map(|member| (member.id, member.name)).collect(),
            affected,
        })
    }

    fn name(&self, run_id: i64) -> String {
        self.runs.get(&run_id).map_or_else(|| format!("Run {run_id}"), |run| letter::short(run.title()))
    }
}

impl Card {
    fn of((by, entered): (&By, &Entered), incident: &Incident, facts: &Facts, (zone, now): (Tz, Moment)) -> Self {
        let affected = facts.affected.get(&incident.id).map(Vec::as_slice).unwrap_or_default();
        let failing = facts.failing.get(&incident.id).copied().unwrap_or_default();
        let held = affected.first().filter(|_| incident.kind == NoticeKind::Held).map(|one| one.run_id);
        let lines: Vec<Line> = affected
            .iter()
            .map(|one| Line {
                run_id: one.run_id,
                name: facts.name(one.run_id),
                when: words::short_time(one.at, now, zone),
                failures: one.failures,
                recovered: one.recovered_at.is_some(),
            })
            .collect();
        let will = Some(letter::parted(&incident.cause)).filter(|_| incident.kind == NoticeKind::WillFail);
        let of = match (failing, lines.first()) {
            (0 | 1, Some(first)) => first.name.clone(),
            (n, _) => words::counted(n, "import", "imports"),
        };
        let taker = incident.taken_by.filter(|_| incident.closed_at.is_none()).and_then(|id| facts.members.get(&id));
        let to = incident.closed_at.unwrap_or(now);
        let open = incident.closed_at.is_none();
        let snoozed = incident.snoozed_until.filter(|_| open && incident.is_snoozed(now));
        let taken = incident.taken_at.filter(|_| taker.is_some() && will.is_none()).map(|at| at.plus(reminding::TAKEN));
        Self {
            id: incident.id,
            title: will.map_or_else(|| letter::title(&of, incident.kind), |(title, _)| title.to_owned()),
            application: entered.application.name.clone(),
            since: {
                let since = words::short_time_within(incident.opened_at, now, zone);
                let took = words::rough(to.since(incident.opened_at).max(Duration::zero()));
                let ran = format!(" · {}", words::counted(incident.failures, "run", "runs"));
                format!("Since {since} · {took}{}", if will.is_some() { "" } else { &ran })
            },
            cause: will.map_or(incident.cause.as_str(), |(_, cause)| cause).to_owned(),
            mend: will.map(|_| format!("/applications/{}/settings/import-scheduling", entered.application.id)),
            chip: if open { incident.kind.chip() } else { ("Resolved", "is-ok", "ok") },
            is_bad: matches!(incident.kind, NoticeKind::Failed | NoticeKind::Missed),
            more: failing - lines.iter().filter(|line| !line.recovered).count() as i64,
            lines,
            mine: incident.taken_by == Some(by.member.id),
            on_it: taker
                .zip(incident.taken_at)
                .map(|(name, at)| (name.clone(), initials(name), words::short_time_within(at, now, zone))),
            quiet: taken.max(snoozed).map(|until| words::short_time_within(until, now, zone)),
            snoozed: snoozed.is_some(),
            may: open && entered.may_import(),
            again: if matches!(incident.kind, NoticeKind::Failed | NoticeKind::Partial) { failing } else { 0 },
            decide: held.filter(|_| open),
            fix: affected.first().filter(|_| open && incident.kind == NoticeKind::Partial).map(|one| one.run_id),
            over: incident.closed_at.map(|at| words::short_time_within(at, now, zone)),
        }
    }
}

/// What is open in these Applications, what failed last first. However many they are, the queries are as many.
pub fn open_cards(
    conn: &mut Conn,
    by: &By,
    all: &[Entered],
    (most, zone, now): (i64, Tz, Moment),
) -> Result<Vec<Card>> {
    let ids: Vec<i64> = all.iter().map(|entered| entered.application.id).collect();
    let incidents = store::open_in(conn, &ids, most)?;
    let facts = Facts::of(conn, &incidents.iter().collect::<Vec<_>>(), FEW)?;
    let entered = |incident: &Incident| all.iter().find(|one| Some(one.application.id) == incident.application_id);
    Ok(incidents
        .iter()
        .filter_map(|incident| Some(Card::of((by, entered(incident)?), incident, &facts, (zone, now))))
        .collect())
}

#[derive(Template)]
#[template(path = "notifications/incident.html")]
struct IncidentPage {
    shell: Shell,
    i: Card,
    /// What was told: when, what, to whom.
    told: Vec<(String, String, String)>,
    back: String,
}

/// `GET /incidents/{incident}`
pub async fn incident(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let (who, id, now) = (by.clone(), *id, app.now());
    let (card, told) = app
        .read(move |conn| {
            let (incident, entered) = actions::find(conn, &who, id)?;
            let zone = members::zone_of(conn, who.member.time_zone)?;
            let facts = Facts::of(conn, &[&incident], MANY)?;
            let told = notices::told_of_incident(conn, id)?.into_iter();
            let told = told.map(|told| (words::short_time(told.at, now, zone), told.title, named(told.members)));
            Ok((Card::of((&who, &entered), &incident, &facts, (zone, now)), told.collect()))
        })
        .await?;
    let page = IncidentPage {
        shell: shell(&request, &app, &by, &card.title)
            .at("/notifications")
            .crumbs([Crumb::to("Inbox", "/notifications"), Crumb::here("Incident")]),
        back: format!("/incidents/{id}"),
        i: card,
        told,
    };
    Page::ok(&request, &page)
}

/// "Ada, Mo, Olive and 4 more"
fn named(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.join(", ") + &more
}

/// `POST /incidents/{incident}/take`: "I'm on it", and with `release` not any more.
pub async fn take(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, form: Form) -> Result<HttpResponse> {
    let (id, release, now) = (*id, form.ticked("release"), app.now());
    let take = move |conn: &mut Conn| match release {
        true => actions::release(conn, &by, id, now),
        false => actions::take(conn, &by, id, now),
    };
    app.write(take).await?;
    let said = match release {
        true => "Reminders are on again.",
        false => "You are on it. Reminders are paused for up to 3 days.",
    };
    Ok(see_other(&back(&form, id), Some(Flash::new(said))))
}

/// `POST /incidents/{incident}/snooze` with `for`: `days` (two), `week`, or `not`.
pub async fn snooze(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, form: Form) -> Result<HttpResponse> {
    let (id, how, now) = (*id, form.get("for").to_owned(), app.now());
    let said = app
        .write(move |conn| {
            actions::may(conn, &by, id)?;
            let zone = members::zone_of(conn, by.member.time_zone)?;
            let until = match how.as_str() {
                "days" => Some(now.plus(Duration::days(2))),
                "week" => Some(now.plus(Duration::days(7))),
                "not" => None,
                _ => return Err(AppError::invalid("for", "Choose how long to snooze reminders.")),
            };
            actions::snooze(conn, &by, id, until, now)?;
            Ok(match until {
                Some(until) => {
                    format!("Reminders are snoozed until {}, {zone}.", words::short_time_within(until, now, zone))
                }
                None => "Reminders are on again.".to_owned(),
            })
        })
        .await?;
    Ok(see_other(&back(&form, id), Some(Flash::new(said))))
}

/// `POST /incidents/{incident}/run-again`
pub async fn run_again(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, form: Form) -> Result<HttpResponse> {
    let (id, now) = (*id, app.now());
    let (again, started) = app
        .write(move |conn| {
            let again = actions::run_again(conn, &by, id, now)?;
            let only = match again.started.as_slice() {
                [run] => Some((*run, letter::name_of(conn, *run)?)),
                _ => None,
            };
            Ok((again, only))
        })
        .await?;
    app.work.notify_one();
    let runs = match (&started, again.started.len() as i64) {
        (_, 0) => String::new(),
        (Some((_, name)), _) => format!("{name} runs again. "),
        (None, n) => format!("{} again. ", words::counted(n, "import runs", "imports run")),
    };
    let said = format!("{runs}{}", again.refused.join(" "));
    let said = if said.is_empty() { "There is nothing to run again.".to_owned() } else { said };
    let flash = Flash::new(said.trim_end());
    let flash = match started {
        Some((run, _)) => flash.link("View Summary", format!("/runs/{run}")),
        None => flash,
    };
    Ok(see_other(&back(&form, id), Some(flash)))
}

fn back(form: &Form, id: i64) -> String {
    match form.get("back") {
        "/" => "/".to_owned(),
        // The inbox as it was shown.
        back if back.split('?').next() == Some("/notifications") => {
            // Whoever works through it with the keyboard goes on where they were.
            format!("{}#incident-{id}", local_path(back).unwrap_or("/notifications"))
        }
        _ => format!("/incidents/{id}"),
    }
}
