//! `GET /applications/{a}/settings/import-scheduling`: the list, its overview, and a single card for who polls.

use std::collections::HashSet;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;

use super::card::{Card, Given};
use super::cards_scene::CardsScene;
use super::done::{self, Deed, Landing, came_from};
use super::overview::{Overview, may_hand_over};
use super::view::{Outlines, PAGE, SORTS, Shown, TABS, View};
use super::{switch, way_back};
use crate::app::App;
use crate::applications::{Entered, enter, settings_shell};
use crate::clock::Moment;
use crate::db::Conn;
use crate::environments::pages::{review_address, until_on};
use crate::environments::review;
use crate::error::{AppError, Result};
use crate::imports::Target;
use crate::members::{By, SignedIn};
use crate::runs::glance;
use crate::web::form::Query;
use crate::web::{Crumb, Flash, Form, Page, Shell};
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
    /// How many wait to be looked at, in words, since they were copied or turned off with all others.
    review: Option<(String, &'static str, String)>,
    schedulable: usize,
    schedulable_words: String,
    who_configures: String,
    overview: Overview,
    filter: String,
    /// It is filtered or sorted: then what does so is not folded away on a small screen.
    found: bool,
    time_zone: &'static str,
    /// All that is asked for but the filter, which has a field of its own.
    kept: Vec<(&'static str, String)>,
    /// The same with the filter, for the bar.
    fields: Vec<(&'static str, String)>,
    tabs: Tabs,
    sorts: Vec<Choice>,
    /// They have a section of their own.
    sets: Vec<Card>,
    cards: Vec<Card>,
    pages: Option<Pages>,
    may_hand_over: bool,
    /// Why nothing was done with what is selected.
    problem: Option<String>,
}

/// The tabs above the list, each with how many it holds.
#[derive(Template)]
#[template(path = "import_scheduling/tabs.html")]
pub struct Tabs {
    tabs: Vec<Choice>,
    oob: bool,
}

impl HtmlSafe for Tabs {}

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
        let view = came_from(&request, *application_id, "").map(|from| View::at(&from)).unwrap_or_default();
        let (id, here, now) = (*application_id, switch::list(*application_id), app.now());
        let parts = app
            .read(move |conn| {
                let entered = enter(conn, &by, id)?;
                entered.need_open_scheduling(conn)?;
                Ok(Parts::above(conn, &entered, &view, &here, now)?.0)
            })
            .await?;
        return done::beside(&request, &app, parts, None);
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
    let secrets = app.secrets.clone();
    let (scene, all, shown, overview, waiting) = app
        .read(move |conn| {
            let entered = enter(conn, &asked, application_id)?;
            entered.need_open_scheduling(conn)?;
            let all = Outlines::load(conn, &entered, !wanted.q.is_empty())?;
            let mut shown = all.shown(&wanted);
            let ticked = all.schedules.iter().filter(|s| picked.contains(&s.id)).map(|s| s.target);
            shown.open.extend(ticked);
            let overview = Overview::load(conn, &entered, &all, now)?;
            let scene = CardsScene::load(conn, &secrets, entered, &shown.targets, &all.open, now)?;
            Ok((scene, all, shown, overview, review::waiting(conn, application_id)?))
        })
        .await?;
    let (base, here) = (format!("/applications/{application_id}"), switch::list(application_id));
    let application = &scene.entered.application;
    let shell = settings_shell(request, app, by, &scene.entered, "Import Scheduling")
        .at(&here)
        .crumbs([Crumb::here("Import Scheduling")]);
    let view = view.with(|v| v.page = Some(shown.page));
    let open: HashSet<Target> = shown.open.iter().copied().collect();
    let cards = shown.targets.iter().filter_map(|target| {
        let given = Given {
            csrf: &shell.csrf,
            picked: tried.picked,
            open: open.contains(target),
            by_itself: !view.open.contains(target),
            view: &view,
            back: &view.with(|v| v.open.retain(|other| other != target)).address(&here),
            oob: false,
        };
        scene.card(*target, &given)
    });
    let (sets, cards): (Vec<Card>, Vec<Card>) = cards.partition(|card| card.kind == "set");
    let schedulable = all.configurations.len();
    let template = ListPage {
        may_import: scene.entered.may_import(),
        may_configure: scene.entered.may_configure(),
        has_schedules: !all.schedules.is_empty(),
        review: waiting.map(|(n, copies)| {
            let what = if copies { "copied" } else { "new" };
            let words = words::counted(n, &format!("{what} schedule is"), &format!("{what} schedules are"));
            (words, until_on(n), review_address(application_id))
        }),
        schedulable_words: words::counted(
            schedulable as i64,
            "saved import configuration",
            "saved import configurations",
        ),
        schedulable,
        who_configures: format!("Someone with the Configure permission in {} can create one.", application.name),
        overview,
        filter: view.q.clone(),
        found: !view.q.is_empty() || !view.sort.is_empty(),
        time_zone: application.time_zone.name(),
        kept: view.with(|v| (v.q, v.page) = (String::new(), None)).fields(),
        fields: view.fields(),
        tabs: Tabs::of(&view, &shown, &here, false),
        sorts: sorts(&view, &here),
        pages: pages(&view, &shown, &here),
        sets,
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

impl Tabs {
    fn of(view: &View, shown: &Shown, here: &str, oob: bool) -> Self {
        let choice = |(&(key, label), &count): (&(&'static str, &'static str), &usize)| Choice {
            label,
            href: anew(view, here, |v| v.show = key.to_owned()),
            count,
            current: view.show == key,
        };
        Self { tabs: TABS.iter().zip(&shown.counts).map(choice).collect(), oob }
    }
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
            words::count((first + shown.targets.len()) as i64),
            words::count(shown.total as i64)
        ),
        back: (shown.page > 1).then(|| at(shown.page - 1)),
        on: (shown.page < shown.pages).then(|| at(shown.page + 1)),
    })
}

/// What of an open list changes with a deed or a run.
pub struct Parts {
    pub cards: Vec<Card>,
    pub overview: Option<Overview>,
    pub tabs: Option<Tabs>,
}

impl Parts {
    /// The numbers and tabs above the list.
    fn above(
        conn: &mut Conn,
        entered: &Entered,
        view: &View,
        here: &str,
        now: Moment,
    ) -> Result<(Self, Outlines, Shown)> {
        let all = Outlines::load(conn, entered, !view.q.is_empty())?;
        let shown = all.shown(view);
        let overview = Overview::load(conn, entered, &all, now)?.beside();
        let tabs = Tabs::of(view, &shown, here, true);
        Ok((Self { cards: Vec::new(), overview: Some(overview), tabs: Some(tabs) }, all, shown))
    }

    /// What a deed changed on the page that shows this, and where one looks for it.
    pub async fn of_deed(
        (request, app, by): (&HttpRequest, &App, &By),
        deed: &Deed<'_>,
        view: &View,
    ) -> Result<(Self, Landing)> {
        let (id, here, now) = (deed.application_id, switch::list(deed.application_id), app.now());
        let (by, wanted, targets, list) = (by.clone(), view.clone(), deed.cards.to_vec(), here.clone());
        let secrets = app.secrets.clone();
        let (mut parts, all, shown, scene) = app
            .read(move |conn| {
                let entered = enter(conn, &by, id)?;
                entered.need_open_scheduling(conn)?;
                let (parts, all, shown) = Self::above(conn, &entered, &wanted, &list, now)?;
                let scene = CardsScene::load(conn, &secrets, entered, &targets, &all.open, now)?;
                Ok((parts, all, shown, scene))
            })
            .await?;
        let csrf = Shell::new(request, app, "").csrf;
        let card = |target: &Target| {
            let back = &view.with(|v| v.open.retain(|other| other != target)).address(&here);
            let given = Given { csrf: &csrf, picked: &[], open: true, by_itself: false, view, back, oob: true };
            scene.card(*target, &given)
        };
        parts.cards = deed.cards.iter().filter_map(card).collect();
        let first = deed.cards.first().copied().unwrap_or(Target::Configuration(0));
        let shows = shown.targets.contains(&first);
        // The first schedule makes a list of the page, and the last takes it away.
        let is_list = all.schedules.len() > usize::from(deed.arrives);
        let open = |v: &mut View| {
            v.open.retain(|target| !deed.cards.contains(target));
            v.open.extend(deed.cards);
        };
        let address = match shows {
            true => view.with(open),
            // Without the filter that hides it.
            false => View { open: vec![first], sort: view.sort.clone(), ..View::default() },
        };
        let rows = parts.cards.first().map(|card| card.rows.as_slice()).unwrap_or_default();
        let row = deed.schedule.and_then(|id| rows.iter().find(|row| row.id >= id).or(rows.last()));
        let landing = Landing {
            address: address.address(&here),
            place: row.map_or_else(|| format!("#cfg-{}-t", first.short()), |row| format!("#sched-{}", row.id)),
            is_here: is_list && (shows || !deed.arrives),
        };
        Ok((parts, landing))
    }
}

/// What starting or cancelling a run changed on the list that is open.
pub async fn of_run(
    (request, app, by): (&HttpRequest, &App, &By),
    (application_id, target): (i64, Target),
    form: &Form,
    flash: &Flash,
) -> Result<HttpResponse> {
    let (here, now) = (switch::list(application_id), app.now());
    let view = came_from(request, application_id, form.get("back")).map(|from| View::at(&from)).unwrap_or_default();
    let (csrf, open, by) = (Shell::new(request, app, "").csrf, form.ticked("open"), by.clone());
    let secrets = app.secrets.clone();
    let parts = app
        .read(move |conn| {
            let entered = enter(conn, &by, application_id)?;
            entered.need_open_scheduling(conn)?;
            let (mut parts, all, _) = Parts::above(conn, &entered, &view, &here, now)?;
            let scene = CardsScene::load(conn, &secrets, entered, &[target], &all.open, now)?;
            let back = &view.with(|v| v.open.retain(|other| *other != target)).address(&here);
            let given = Given { csrf: &csrf, picked: &[], open, by_itself: false, view: &view, back, oob: true };
            parts.cards = scene.card(target, &given).into_iter().collect();
            Ok(parts)
        })
        .await?;
    done::beside(request, app, parts, Some(flash))
}

/// `GET …/import-scheduling/configurations/{i}?open=&at=&was=`: one card, for the card that asks for itself; where its
/// runs are others than they were, the numbers above with it.
pub async fn card(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    card_of((&request, &app, by), (path.0, Target::Configuration(path.1)), &query).await
}

/// `GET …/import-scheduling/sets/{s}?open=&at=&was=`: the same of a set.
pub async fn set_card(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    card_of((&request, &app, by), (path.0, Target::Set(path.1)), &query).await
}

async fn card_of(
    (request, app, by): (&HttpRequest, &App, By),
    (application_id, target): (i64, Target),
    query: &Form,
) -> Result<HttpResponse> {
    let (here, now) = (switch::list(application_id), app.now());
    let back = way_back(application_id, query.get("at")).unwrap_or(&here).to_owned();
    let (csrf, open, was) =
        (Shell::new(request, app, "").csrf, query.ticked("open"), query.some("was").map(str::to_owned));
    let secrets = app.secrets.clone();
    let parts = app
        .read(move |conn| {
            let entered = enter(conn, &by, application_id)?;
            entered.need_open_scheduling(conn)?;
            let runs = glance::open_runs(conn, &entered, Some(target))?;
            let scene = CardsScene::load(conn, &secrets, entered, &[target], &runs, now)?;
            let view = &View::at(&back);
            let given = Given { csrf: &csrf, picked: &[], open, by_itself: false, view, back: &back, oob: false };
            let card = scene.card(target, &given).ok_or(AppError::NotFound)?;
            let parts = match was {
                Some(was) if was != card.mark => Parts::above(conn, &scene.entered, view, &here, now)?.0,
                _ => Parts { cards: Vec::new(), overview: None, tabs: None },
            };
            Ok(Parts { cards: vec![card], ..parts })
        })
        .await?;
    done::beside(request, app, parts, None)
}
