//! `GET /applications/{a}/settings/import-scheduling`: the list, its overview, and a single card for who polls.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;
use chrono::Duration;

use super::card::Card;
use super::load::Scene;
use crate::app::App;
use crate::applications::settings_shell;
use crate::error::{AppError, Result};
use crate::freezes;
use crate::imports::{ConfigurationStatus, Listed};
use crate::members::{By, SignedIn};
use crate::runs::RunStatus;
use crate::schedules::State;
use crate::web::form::Query;
use crate::web::page::encode;
use crate::web::{Crumb, Page, Shell};
use crate::words;

/// No worker seen for so long is worth a warning.
const QUIET: Duration = Duration::minutes(3);

#[derive(Template)]
#[template(path = "import_scheduling/list.html")]
struct ListPage {
    shell: Shell,
    base: String,
    here: String,
    may_import: bool,
    may_configure: bool,
    has_schedules: bool,
    schedulable: usize,
    schedulable_words: String,
    who_configures: String,
    overview: Overview,
    filter: String,
    filter_encoded: String,
    show: String,
    tabs: Vec<Tab>,
    cards: Vec<Card>,
    may_hand_over: bool,
    /// Why nothing was done with what is selected.
    problem: Option<String>,
}

/// What of the page is shown.
#[derive(Clone, Copy, Default)]
pub struct View<'a> {
    /// Filters by Block, configuration and Owner.
    pub q: &'a str,
    /// By status.
    pub show: &'a str,
    /// The schedules that are ticked.
    pub picked: &'a [i64],
    pub problem: Option<&'a str>,
}

struct Tab {
    key: &'static str,
    label: &'static str,
    count: usize,
    current: bool,
}

#[derive(Template)]
#[template(path = "import_scheduling/overview.html")]
struct Overview {
    here: String,
    no_worker: Option<String>,
    frozen: Option<Frozen>,
    owners_gone: Vec<OwnerGone>,
    next: Option<Next>,
    on: usize,
    schedules: usize,
    runs: String,
    failed: String,
    rows_loaded: String,
}

impl HtmlSafe for Overview {}

/// Nothing starts by schedule now.
struct Frozen {
    name: String,
    until: String,
    href: String,
}

struct OwnerGone {
    name: String,
    words: String,
    /// For who may hand over.
    hand_over: Option<String>,
}

struct Next {
    when: String,
    rest: String,
}

async fn scene(app: &App, by: &By, application_id: i64) -> Result<Scene> {
    let (by, now) = (by.clone(), app.now());
    app.read(move |conn| Scene::load(conn, &by, application_id, now)).await
}

/// The page: `?q=` filters by Block, configuration and Owner, `?show=` by status.
pub async fn list(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    if query.get("part") == "overview" {
        let scene = scene(&app, &by, *application_id).await?;
        return Page::ok(&request, &overview(&scene));
    }
    let view = View { q: query.get("q"), show: query.get("show"), ..View::default() };
    page(&request, &app, &by, *application_id, view).await
}

/// The page: 422 when it comes back with a problem.
pub async fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    application_id: i64,
    view: View<'_>,
) -> Result<HttpResponse> {
    let scene = scene(app, by, application_id).await?;
    let (base, here) = (scene.base(), scene.here());
    let application = &scene.entered.application;
    let shell = settings_shell(request, app, by, &scene.entered, "Import Scheduling").at(&here).crumbs([
        Crumb::to(&application.name, &base),
        Crumb::to("Settings", format!("{base}/settings")),
        Crumb::here("Import Scheduling"),
    ]);
    let (filter, show) = (view.q.to_owned(), view.show.to_owned());
    let found: Vec<&Listed> = scene.configurations.iter().filter(|c| scene.matches(c, &filter)).collect();
    let tabs = scene.tabs(&found, &show);
    let mut shown: Vec<&Listed> = found.into_iter().filter(|c| scene.shows(c, &show)).collect();
    // What failed comes first; otherwise by name, as they come.
    shown.sort_by_key(|c| c.configuration.status != Some(ConfigurationStatus::Failed));
    let cards = shown.iter().map(|c| scene.card(c, &shell.csrf, view.picked)).collect();
    let schedulable = scene.configurations.iter().filter(|c| c.configuration.schedulable().is_ok()).count();
    let template = ListPage {
        may_import: scene.entered.may_import(),
        may_configure: scene.entered.may_configure(),
        has_schedules: !scene.schedules.is_empty(),
        schedulable_words: words::counted(
            schedulable as i64,
            "saved import configuration",
            "saved import configurations",
        ),
        schedulable,
        who_configures: format!("Somebody with the Configure permission in {} can make one.", application.name),
        overview: overview(&scene),
        filter_encoded: encode(&filter),
        shell,
        base,
        here,
        filter,
        show,
        tabs,
        cards,
        may_hand_over: scene.may_hand_over(),
        problem: view.problem.map(str::to_owned),
    };
    let status = if view.problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Page::with(status, request, &template)
}

/// `GET …/import-scheduling/configurations/{i}`: one card, for the card that asks for itself.
pub async fn card(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    answer_card(&request, &app, &by, path.0, path.1).await
}

/// The card of a configuration as it stands now.
pub async fn answer_card(
    request: &HttpRequest,
    app: &App,
    by: &By,
    application_id: i64,
    configuration_id: i64,
) -> Result<HttpResponse> {
    let (by, now) = (by.clone(), app.now());
    let scene = app.read(move |conn| Scene::of_one(conn, &by, application_id, configuration_id, now)).await?;
    let csrf = Shell::new(request, app, "").csrf;
    Page::ok(request, &scene.card(scene.configurations.first().ok_or(AppError::NotFound)?, &csrf, &[]))
}

impl Scene {
    fn matches(&self, listed: &Listed, filter: &str) -> bool {
        let filter = filter.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&filter);
        filter.is_empty()
            || has(&listed.configuration.name)
            || has(&listed.block_name)
            || has(&listed.source())
            || self
                .schedules_of(listed.configuration.id)
                .any(|s| self.members.get(&s.owner_id).is_some_and(|m| has(&m.name)))
    }

    fn shows(&self, listed: &Listed, tab: &str) -> bool {
        let id = listed.configuration.id;
        match tab {
            "failed" => listed.configuration.status == Some(ConfigurationStatus::Failed),
            "running" => self.open_run(id).is_some(),
            "off" => self.schedules_of(id).any(|s| s.state() == State::Off),
            _ => true,
        }
    }

    /// All four count configurations.
    fn tabs(&self, found: &[&Listed], show: &str) -> Vec<Tab> {
        [("", "All"), ("failed", "Failed"), ("running", "Running"), ("off", "Off")]
            .into_iter()
            .map(|(key, label)| Tab {
                key,
                label,
                count: found.iter().filter(|c| self.shows(c, key)).count(),
                current: key == show,
            })
            .collect()
    }
}

fn overview(scene: &Scene) -> Overview {
    let now = scene.now;
    let waiting = scene.open.iter().any(|run| run.status == RunStatus::Queued);
    let quiet = scene.worker_seen_at.map(|at| now.since(at)).filter(|quiet| *quiet > QUIET);
    let next = scene.schedules.iter().filter_map(|s| Some((scene.next_run(s)?, s))).min_by_key(|(at, _)| *at);
    Overview {
        here: scene.here(),
        no_worker: match (scene.worker_seen_at, quiet) {
            (None, _) if waiting => Some("No worker has been seen yet.".into()),
            (_, quiet) => quiet.map(|quiet| format!("No worker has been seen for {}.", words::duration(quiet))),
        },
        frozen: freezes::at(&scene.freezes, now).map(|freeze| Frozen {
            name: freeze.name.clone(),
            until: freeze.end_words(),
            href: format!("{}/settings/freezes/{}", scene.base(), freeze.id),
        }),
        owners_gone: owners_gone(scene),
        next: next.map(|(at, schedule)| {
            let configuration = scene.configurations.iter().find(|c| c.configuration.id == schedule.configuration_id);
            Next {
                when: words::short_time(at, now, schedule.rule.time_zone()),
                rest: format!(
                    "{}, {}",
                    words::relative(at, now),
                    configuration.map_or("", |c| c.configuration.name.as_str())
                ),
            }
        }),
        on: scene.schedules.iter().filter(|s| s.state() == State::On).count(),
        schedules: scene.schedules.iter().filter(|s| s.state() != State::Finished).count(),
        runs: words::counted(scene.last_day.runs, "run", "runs"),
        failed: format!("{} failed", words::count(scene.last_day.failed)),
        rows_loaded: words::count(scene.last_day.rows_loaded),
    }
}

/// Owners who can no longer sign in: their schedules will fail.
fn owners_gone(scene: &Scene) -> Vec<OwnerGone> {
    let mut gone: Vec<_> = scene.members.values().filter(|m| !m.active).collect();
    gone.sort_by(|a, b| a.name.cmp(&b.name));
    gone.into_iter()
        .filter_map(|member| {
            let count =
                scene.schedules.iter().filter(|s| s.owner_id == member.id && s.state() != State::Finished).count();
            let words = words::counted(count as i64, "schedule they own will fail", "schedules they own will fail");
            (count > 0).then(|| OwnerGone {
                name: format!("{}'s account was deactivated.", member.name),
                words: format!("{words} until another member owns them."),
                hand_over: scene
                    .may_hand_over()
                    .then(|| format!("{}/schedules/bulk?do=hand-over&owner={}", scene.base(), member.id)),
            })
        })
        .collect()
}
