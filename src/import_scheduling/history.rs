//! "Show history": every run of a configuration or a set, as a drawer over the list or as a page, and as CSV.

use std::collections::HashMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;
use chrono_tz::Tz;

use super::card::Chip;
use super::cards::status_chip;
use super::crumbs;
use crate::app::App;
use crate::applications::{Entered, enter, settings_shell};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::import_sets;
use crate::imports::Target;
use crate::members::{self, By, SignedIn};
use crate::runs::{Filter, Run, RunResult, RunStatus, Trigger, actions};
use crate::schedules::{Schedule, actions as schedules};
use crate::web::download::{self, unformula};
use crate::web::form::Query;
use crate::web::page::{encode, is_fragment};
use crate::web::{Form, Page, Shell};
use crate::words;

const PAGE: i64 = 50;

#[derive(Template)]
#[template(path = "import_scheduling/history_list.html")]
struct HistoryList {
    name: String,
    lede: &'static str,
    here: String,
    /// To Import Scheduling, for those who may open it.
    back: String,
    back_words: &'static str,
    /// The filter as a query string, for the CSV.
    query: String,
    filters: Vec<Choice>,
    only: Option<String>,
    nothing: String,
    days: Vec<Day>,
    more: Option<String>,
}

impl HtmlSafe for HistoryList {}

#[derive(Template)]
#[template(path = "import_scheduling/history.html")]
struct HistoryPage {
    shell: Shell,
    list: HistoryList,
}

#[derive(Template)]
#[template(path = "import_scheduling/history_drawer.html")]
struct HistoryDrawer {
    list: HistoryList,
}

struct Choice {
    label: &'static str,
    query: String,
    current: bool,
}

struct Day {
    title: String,
    runs: Vec<Listed>,
}

pub struct Listed {
    pub id: i64,
    pub chip: Chip,
    pub iso: String,
    pub when: String,
    words: String,
    pub figures: String,
}

const FILTERS: [(&str, &str); 7] = [
    ("", "All"),
    ("status=failed", "Failed"),
    ("status=partial", "Partial"),
    ("status=held", "Held"),
    ("trigger=member", "By hand"),
    ("trigger=schedule", "Scheduled"),
    ("status=skipped", "Skipped"),
];

struct HistoryScene {
    entered: Entered,
    target: Target,
    name: String,
    schedule: Option<Schedule>,
    runs: Vec<Run>,
    names: HashMap<i64, String>,
}

/// The address of a history.
pub fn address(application_id: i64, target: Target) -> String {
    let kind = if target.set().is_some() { "sets" } else { "configurations" };
    format!("/applications/{application_id}/settings/import-{kind}/{}/history", target.id())
}

/// Of what was started by hand.
pub fn by_hand(application_id: i64, target: Target) -> String {
    format!("{}?trigger=member", address(application_id, target))
}

fn filter_of(form: &Form, application_id: i64, target: Target) -> Filter {
    Filter {
        application_id: Some(application_id),
        configuration_id: target.configuration(),
        set_id: target.set(),
        schedule_id: form.id("schedule"),
        status: RunStatus::parse(form.get("status")),
        trigger: Trigger::parse(form.get("trigger")),
        ..Filter::default()
    }
}

fn load(
    conn: &mut Conn,
    by: &By,
    (application_id, target): (i64, Target),
    form: &Form,
    limit: i64,
) -> Result<HistoryScene> {
    let entered = enter(conn, by, application_id)?;
    let known = import_sets::known_of(conn, target)?.filter(|known| known.application_id == application_id);
    let name = known.ok_or(AppError::NotFound)?.name;
    let filter = filter_of(form, application_id, target);
    let schedule = match filter.schedule_id {
        Some(id) => schedules::find_even_deleted(conn, id)?.filter(|s| s.target == target),
        None => None,
    };
    let runs = actions::list(conn, by, &filter, form.id("after"), limit)?;
    let people: Vec<i64> = runs.iter().flat_map(|r| [r.started_by, r.as_member_id]).flatten().collect();
    let names = members::by_ids(conn, &people)?.into_iter().map(|m| (m.id, m.name)).collect();
    Ok(HistoryScene { entered, target, name, schedule, runs, names })
}

/// The last runs of a configuration, as its own page shows them.
pub fn last(
    conn: &mut Conn,
    by: &By,
    (application_id, id): (i64, i64),
    count: i64,
    now: Moment,
) -> Result<Vec<Listed>> {
    let of = (application_id, Target::Configuration(id));
    let scene = load(conn, by, of, &Form::default(), count)?;
    Ok(scene.runs.iter().map(|run| scene.listed(run, now)).collect())
}

/// The filter without the cursor, as a query string.
fn query_of(form: &Form) -> String {
    let pairs = ["status", "trigger", "schedule"].into_iter().filter_map(|name| {
        let value = form.some(name)?;
        Some(format!("{name}={}", encode(value)))
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Who or what began a run.
pub fn by_whom(run: &Run, names: &HashMap<i64, String>) -> String {
    let name = |id: Option<i64>| id.and_then(|id| names.get(&id)).map_or("someone", String::as_str);
    let again = match (run.restores, run.again_of) {
        (Some(_), _) => "Restored by",
        (None, Some(_)) => "Run again by",
        (None, None) => "Started by",
    };
    match run.trigger {
        _ if run.again_of.is_some() => format!("{again} {}", name(run.started_by)),
        Trigger::Schedule => match run.as_member_id {
            Some(_) => format!("Scheduled, run as {}", name(run.as_member_id)),
            None => "Scheduled".to_owned(),
        },
        Trigger::Member => format!("{again} {}", name(run.started_by)),
        Trigger::Api => format!("{again} {} by API", name(run.started_by)),
        Trigger::Set => "Step of an import set".to_owned(),
    }
}

impl HistoryScene {
    fn zone(&self) -> Tz {
        self.schedule.as_ref().map_or(self.entered.application.time_zone, |s| s.rule.time_zone())
    }

    fn listed(&self, run: &Run, now: Moment) -> Listed {
        let at = run.planned_at.unwrap_or(run.queued_at);
        let (zone, year) = (self.zone(), words::short_time(at, now, self.zone()));
        let mut said = by_whom(run, &self.names);
        // It stands for the same instant as the run before it.
        if run.again_of.is_some() {
            let began = run.started_at.unwrap_or(run.queued_at);
            said = format!("{said} {}", words::then(began, now, zone));
        }
        if let Some(until) = run.planned_until.filter(|until| *until > at) {
            said = format!("Every occurrence until {}", words::short_time(until, now, zone));
        }
        let why = run.cause.as_deref().or(run.reason.as_deref()).unwrap_or_default();
        let first = why.split_inclusive(". ").next().unwrap_or_default().trim();
        let rejected = run.result.as_ref().map_or(0, |r| r.rejected);
        let mut sentences = vec![format!("{said}{}", if run.late { ", late" } else { "" })];
        if !first.is_empty() {
            sentences.push(first.trim_end_matches('.').to_owned());
        } else if rejected > 0 {
            sentences.push(words::counted(rejected, "row rejected", "rows rejected"));
        }
        let mut figures = Vec::new();
        if let Some(duration) = run.duration() {
            figures.push(words::duration(duration));
        }
        if let Some(result) = &run.result {
            figures.push(result.loaded_short());
        }
        Listed {
            id: run.id,
            chip: status_chip(run.status),
            iso: words::machine_time(at),
            when: year,
            words: format!("{}.", sentences.join(". ")),
            figures: figures.join(", "),
        }
    }

    fn list(&self, form: &Form, now: Moment) -> HistoryList {
        let base = format!("/applications/{}", self.entered.application.id);
        let query = query_of(form);
        let shown = &self.runs[..self.runs.len().min(PAGE as usize)];
        let mut days: Vec<Day> = Vec::new();
        for run in shown {
            let title = words::day(run.planned_at.unwrap_or(run.queued_at), self.zone());
            let listed = self.listed(run, now);
            match days.last_mut() {
                Some(day) if day.title == title => day.runs.push(listed),
                _ => days.push(Day { title, runs: vec![listed] }),
            }
        }
        let last = shown.last().filter(|_| self.runs.len() > shown.len());
        let may_open = self.entered.may_open_scheduling();
        let joint = if query.is_empty() { "" } else { "&" };
        HistoryList {
            name: self.name.clone(),
            lede: "Every run, scheduled or started by hand, and every occurrence that did not run.",
            here: address(self.entered.application.id, self.target),
            back: if may_open { format!("{base}/settings/import-scheduling") } else { base },
            back_words: if may_open { "Back to Import Scheduling" } else { "Back to the Application" },
            filters: FILTERS
                .iter()
                .map(|(q, label)| Choice { label, query: (*q).to_owned(), current: *q == query })
                .collect(),
            only: self.schedule.as_ref().map(|s| s.sentence()),
            nothing: if query.is_empty() {
                "It has not run yet. Each run will appear here: when it ran, who or what started it, and how it went."
                    .into()
            } else {
                "No run matches this filter.".into()
            },
            more: last.map(|run| format!("{query}{joint}after={}", run.id)),
            days,
            query,
        }
    }
}

/// `GET /applications/{a}/settings/import-configurations/{i}/history?status=&trigger=&schedule=&after=`
pub async fn history(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    show((&request, &app, by), (path.0, Target::Configuration(path.1)), &query).await
}

/// `GET /applications/{a}/settings/import-sets/{s}/history?status=&trigger=&schedule=&after=`
pub async fn of_set(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    show((&request, &app, by), (path.0, Target::Set(path.1)), &query).await
}

async fn show((request, app, by): (&HttpRequest, &App, By), of: (i64, Target), query: &Query) -> Result<HttpResponse> {
    let (asked, form) = (by.clone(), query.0.clone());
    let scene = app.read(move |conn| load(conn, &asked, of, &form, PAGE + 1)).await?;
    let list = scene.list(query, app.now());
    if is_fragment(request) {
        return match query.get("part") {
            "list" => Page::ok(request, &list),
            _ => Page::ok(request, &HistoryDrawer { list }),
        };
    }
    let title = format!("History of {}", list.name);
    let shell =
        settings_shell(request, app, &by, &scene.entered, &title).at(&list.back).crumbs(crumbs(&scene.entered, &title));
    Page::ok(request, &HistoryPage { shell, list })
}

/// `GET …/history.csv`: the same runs, all of them.
pub async fn csv(app: Data<App>, SignedIn(by): SignedIn, path: Path<(i64, i64)>, query: Query) -> Result<HttpResponse> {
    csv_of(&app, by, (path.0, Target::Configuration(path.1)), query).await
}

/// The same of a set.
pub async fn csv_of_set(
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    csv_of(&app, by, (path.0, Target::Set(path.1)), query).await
}

async fn csv_of(app: &App, by: By, of: (i64, Target), query: Query) -> Result<HttpResponse> {
    let (asked, mut form) = (by.clone(), query.0.clone());
    let first = form.clone();
    let name = app.read(move |conn| Ok(load(conn, &asked, of, &first, 1)?.name)).await?;
    let (pool, member_id) = (app.db.clone(), by.member.id);
    download::csv((app, member_id), &format!("history of {name}"), move |out| {
        let mut csv = csv::Writer::from_writer(out);
        let head = [
            "run",
            "name",
            "status",
            "planned_at",
            "planned_until",
            "started_at",
            "finished_at",
            "trigger",
            "by",
            "late",
            "attempt",
            "rows_read",
            "rows_added",
            "rows_changed",
            "rows_removed",
            "rows_unchanged",
            "rows_rejected",
            "bytes",
            "cause",
        ];
        csv.write_record(head).map_err(AppError::internal)?;
        loop {
            let scene = pool.read(|conn| load(conn, &by, of, &form, 200))?;
            let Some(last) = scene.runs.last() else { break };
            form.0.retain(|(name, _)| name != "after");
            form.0.push(("after".into(), last.id.to_string()));
            for run in &scene.runs {
                csv.write_record(row(run, &scene.names)).map_err(AppError::internal)?;
            }
        }
        csv.flush().map_err(AppError::internal)
    })
}

fn row(run: &Run, names: &HashMap<i64, String>) -> Vec<String> {
    let at = |moment: Option<Moment>| moment.map(Moment::rfc3339).unwrap_or_default();
    // Nothing where there is nothing to count, or not yet.
    let count = |of: fn(&RunResult) -> i64| run.result.as_ref().map(|r| of(r).to_string()).unwrap_or_default();
    let counts = [
        count(|r| r.read),
        count(|r| r.added),
        count(|r| r.changed),
        count(|r| r.removed),
        count(|r| r.unchanged),
        count(|r| r.rejected),
        count(|r| r.bytes),
    ];
    let cause = run.cause.as_deref().or(run.reason.as_deref()).unwrap_or_default();
    [run.id.to_string(), unformula(&run.name), run.status.to_string()]
        .into_iter()
        .chain([at(run.planned_at), at(run.planned_until), at(run.started_at), at(run.finished_at)])
        .chain([run.trigger.to_string(), unformula(&by_whom(run, names)), run.late.to_string()])
        .chain([run.attempt.to_string()])
        .chain(counts)
        .chain([unformula(cause)])
        .collect()
}
