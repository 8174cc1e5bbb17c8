//! `GET /applications/{a}/settings/import-scheduling`: the list, its overview, and a single card for who polls.

use std::collections::HashSet;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::card::{Card, Given};
use super::load::Scene;
use super::overview::{Overview, may_hand_over};
use super::view::{Outlines, PAGE, SORTS, Shown, TABS, View};
use super::{switch, way_back};
use crate::app::App;
use crate::applications::{Entered, enter, settings_shell};
use crate::error::{AppError, Result};
use crate::members::{By, SignedIn};
use crate::runs::glance;
use crate::web::form::Query;
use crate::web::{Crumb, Page, Shell};
use crate::words;

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
    /// All that is asked for but the filter, which has a field of its own.
    kept: Vec<(&'static str, String)>,
    /// The same with the filter, for the bar.
    fields: Vec<(&'static str, String)>,
    tabs: Vec<Choice>,
    sorts: Vec<Choice>,
    cards: Vec<Card>,
    pages: Option<Pages>,
    may_hand_over: bool,
    /// Why nothing was done with what is selected.
    problem: Option<String>,
}

struct Choice {
    label: &'static str,
    href: String,
    count: usize,
    current: bool,
}

/// Where in a long list this page stands: "51 to 100 of 412".
struct Pages {
    words: String,
    back: Option<String>,
    on: Option<String>,
}

/// What was tried before the page came back.
#[derive(Default)]
pub struct Tried<'a> {
    /// The schedules that are ticked.
    pub picked: &'a [i64],
    pub problem: Option<&'a str>,
}

/// The page: `?q=` filters by configuration, Block, source and Owner, `?show=` by status; `?sort=`, `?page=` and
/// `?open=` say how and which.
pub async fn list(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    if query.get("part") == "overview" {
        let (id, now) = (*application_id, app.now());
        let overview = app
            .read(move |conn| {
                let entered = enter(conn, &by, id)?;
                entered.need_open_scheduling(conn)?;
                let all = Outlines::load(conn, &entered, false)?;
                Overview::load(conn, &entered, &all, now)
            })
            .await?;
        return Page::ok(&request, &overview);
    }
    page(&request, &app, &by, *application_id, &View::of(&query), Tried::default()).await
}

/// The page: 422 when it comes back with a problem.
pub async fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    application_id: i64,
    view: &View,
    tried: Tried<'_>,
) -> Result<HttpResponse> {
    let (asked, wanted, picked, now) = (by.clone(), view.clone(), tried.picked.to_vec(), app.now());
    let (scene, all, shown, overview) = app
        .read(move |conn| {
            let entered = enter(conn, &asked, application_id)?;
            entered.need_open_scheduling(conn)?;
            let all = Outlines::load(conn, &entered, !wanted.q.is_empty())?;
            let mut shown = all.shown(&wanted);
            let ticked = all.schedules.iter().filter(|s| picked.contains(&s.id)).map(|s| s.configuration_id);
            shown.open.extend(ticked);
            let overview = Overview::load(conn, &entered, &all, now)?;
            let scene = Scene::load(conn, entered, &shown.ids, &all.open, now)?;
            Ok((scene, all, shown, overview))
        })
        .await?;
    let (base, here) = (format!("/applications/{application_id}"), switch::list(application_id));
    let application = &scene.entered.application;
    let shell = settings_shell(request, app, by, &scene.entered, "Import Scheduling").at(&here).crumbs([
        Crumb::to(&application.name, &base),
        Crumb::to("Settings", format!("{base}/settings")),
        Crumb::here("Import Scheduling"),
    ]);
    let view = view.with(|v| v.page = Some(shown.page));
    let open: HashSet<i64> = shown.open.iter().copied().collect();
    let cards = shown.ids.iter().filter_map(|id| {
        let given = Given {
            csrf: &shell.csrf,
            picked: tried.picked,
            open: open.contains(id),
            by_itself: !view.open.contains(id),
            back: &view.with(|v| v.open.retain(|other| other != id)).address(&here),
        };
        Some(scene.card(scene.configurations.get(id)?, &given))
    });
    let cards = cards.collect();
    let schedulable = all.configurations.iter().filter(|c| !c.needs_file).count();
    let template = ListPage {
        may_import: scene.entered.may_import(),
        may_configure: scene.entered.may_configure(),
        has_schedules: !all.schedules.is_empty(),
        schedulable_words: words::counted(
            schedulable as i64,
            "saved import configuration",
            "saved import configurations",
        ),
        schedulable,
        who_configures: format!("Somebody with the Configure permission in {} can make one.", application.name),
        overview,
        filter: view.q.clone(),
        kept: view.with(|v| (v.q, v.page) = (String::new(), None)).fields(),
        fields: view.fields(),
        tabs: tabs(&view, &shown, &here),
        sorts: sorts(&view, &here),
        pages: pages(&view, &shown, &here),
        cards,
        may_hand_over: may_hand_over(&scene.entered),
        problem: tried.problem.map(str::to_owned),
        shell,
        base,
        here,
    };
    let status = if tried.problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Page::with(status, request, &template)
}

/// The same list from its beginning, otherwise.
fn anew(view: &View, here: &str, change: impl FnOnce(&mut View)) -> String {
    let first = view.with(|v| (v.page, v.open) = (None, Vec::new()));
    first.with(change).address(here)
}

fn tabs(view: &View, shown: &Shown, here: &str) -> Vec<Choice> {
    let choice = |(&(key, label), &count): (&(&'static str, &'static str), &usize)| Choice {
        label,
        href: anew(view, here, |v| v.show = key.to_owned()),
        count,
        current: view.show == key,
    };
    TABS.iter().zip(&shown.counts).map(choice).collect()
}

fn sorts(view: &View, here: &str) -> Vec<Choice> {
    let choice = |&(key, label): &(&'static str, &'static str)| Choice {
        label,
        href: anew(view, here, |v| v.sort = key.to_owned()),
        count: 0,
        current: view.sort == key,
    };
    SORTS.iter().map(choice).collect()
}

fn pages(view: &View, shown: &Shown, here: &str) -> Option<Pages> {
    let at = |page: usize| view.with(|v| (v.page, v.open) = (Some(page), Vec::new())).address(here);
    let first = (shown.page - 1) * PAGE;
    (shown.pages > 1).then(|| Pages {
        words: format!(
            "{} to {} of {}",
            words::count(first as i64 + 1),
            words::count((first + shown.ids.len()) as i64),
            words::count(shown.total as i64)
        ),
        back: (shown.page > 1).then(|| at(shown.page - 1)),
        on: (shown.page < shown.pages).then(|| at(shown.page + 1)),
    })
}

/// `GET …/import-scheduling/configurations/{i}?open=&at=`: one card, for the card that asks for itself.
pub async fn card(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    answer_card(&request, &app, &by, *path, (query.ticked("open"), query.get("at"))).await
}

/// The card of a configuration as it stands now, on the page that its forms lead back to.
pub async fn answer_card(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (application_id, configuration_id): (i64, i64),
    (open, back): (bool, &str),
) -> Result<HttpResponse> {
    let (by, now) = (by.clone(), app.now());
    let scene = app
        .read(move |conn| {
            let entered: Entered = enter(conn, &by, application_id)?;
            entered.need_open_scheduling(conn)?;
            let open = glance::open_runs(conn, application_id, Some(configuration_id))?;
            Scene::load(conn, entered, &[configuration_id], &open, now)
        })
        .await?;
    let here = switch::list(application_id);
    let given = Given {
        csrf: &Shell::new(request, app, "").csrf,
        picked: &[],
        open,
        by_itself: false,
        back: way_back(application_id, back).unwrap_or(&here),
    };
    Page::ok(request, &scene.card(scene.configurations.get(&configuration_id).ok_or(AppError::NotFound)?, &given))
}
