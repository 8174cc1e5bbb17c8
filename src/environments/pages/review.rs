//! The schedules that were turned off: what each waits for, and those that are chosen turned on.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono_tz::Tz;

use super::overview::Origin;
use super::review_address;
use crate::app::App;
use crate::applications::{Entered, enter, settings_shell};
use crate::clock::Moment;
use crate::environments::review::{self, Review, Waiting};
use crate::error::{FieldErrors, Result};
use crate::members::{By, Scope, SignedIn};
use crate::schedules::actions::{self, Bulk};
use crate::web::form::Query;
use crate::web::{Crumb, Flash, Form, Page, Shell, see_other};
use crate::words;

/// So many stand on a page: as many as can be turned on at once.
const SHOWN: usize = 1_000;

#[derive(Template)]
#[template(path = "environments/review.html")]
struct ReviewPage {
    shell: Shell,
    origin: Origin,
    here: String,
    list: String,
    show: String,
    rows: Vec<Row>,
    more: i64,
    all: i64,
    ready: i64,
    cannot: i64,
    off_before: i64,
    picked: usize,
    may_import: bool,
    errors: FieldErrors,
}

struct Row {
    id: i64,
    name: String,
    sentence: String,
    next: String,
    zone: Tz,
    owner: String,
    wrong: Option<(String, String)>,
    picked: bool,
}

impl Row {
    fn of(waiting: &Waiting, picked: bool, now: Moment) -> Self {
        let zone = waiting.schedule.rule.time_zone();
        Self {
            id: waiting.schedule.id,
            name: waiting.name.clone(),
            sentence: waiting.schedule.sentence(),
            next: waiting.next_at.map(|at| words::short_time(at, now, zone)).unwrap_or_default(),
            zone,
            owner: waiting.owner.clone(),
            wrong: waiting.wrong.clone(),
            picked: picked && waiting.wrong.is_none(),
        }
    }
}

/// `None`: nothing was ever turned off with all others.
async fn look(app: &App, by: &By, id: i64, changes: bool) -> Result<Option<(Entered, Review, Origin)>> {
    let (asks, secrets, now) = (by.clone(), app.secrets.clone(), app.now());
    app.read(move |conn| {
        let entered = enter(conn, &asks, id)?;
        entered.need_open_scheduling(conn)?;
        if changes {
            entered.need_import(conn, &asks, Scope::Schedule)?;
        }
        let Some(review) = review::load(conn, &secrets, &entered, now)? else { return Ok(None) };
        let origin = match (review.promotions.first(), &review.environment) {
            (Some(promotion), _) => Origin::of_promotion(conn, &asks, promotion, &entered.application)?,
            (None, Some(environment)) => Origin::of(conn, &asks, environment, &entered.application, now)?,
            (None, None) => return Ok(None),
        };
        Ok(Some((entered, review, origin)))
    })
    .await
}

/// What the page is asked for: which of them, and which are ticked.
struct Asked {
    show: String,
    all: bool,
    picked: Vec<i64>,
}

fn page(
    (request, app, by): (&HttpRequest, &App, &By),
    (entered, review, origin): (Entered, Review, Origin),
    asked: Asked,
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let id = entered.application.id;
    let (here, list) = (review_address(id), list(id));
    let shell = settings_shell(request, app, by, &entered, "Review")
        .at(&list)
        .crumbs([Crumb::to("Import Scheduling", &list), Crumb::here("Review")]);
    let (waiting, ready) = (review.waiting.len() as i64, review.ready().count() as i64);
    let shown = |waiting: &&Waiting| match asked.show.as_str() {
        "ready" => waiting.wrong.is_none(),
        "cannot" => waiting.wrong.is_some(),
        _ => true,
    };
    let now = app.now();
    let all: Vec<&Waiting> = review.waiting.iter().filter(shown).collect();
    let row = |w: &&Waiting| Row::of(w, asked.all || asked.picked.contains(&w.schedule.id), now);
    let rows: Vec<Row> = all.iter().take(SHOWN).map(row).collect();
    let template = ReviewPage {
        more: (all.len() - rows.len()) as i64,
        picked: rows.iter().filter(|row| row.picked).count(),
        may_import: entered.may_import(),
        off_before: review.off_before as i64,
        all: waiting,
        ready,
        cannot: waiting - ready,
        shell,
        origin,
        here,
        list,
        show: asked.show,
        rows,
        errors,
    };
    Page::with(status, request, &template)
}

fn list(application_id: i64) -> String {
    format!("/applications/{application_id}/settings/import-scheduling")
}

fn tab(show: &str) -> String {
    if matches!(show, "ready" | "cannot") { show.to_owned() } else { String::new() }
}

/// `GET {A}/settings/import-scheduling/review?show=ready|cannot&pick=ready`
pub async fn review(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let Some(found) = look(&app, &by, id, false).await? else { return Ok(see_other(&list(id), None)) };
    let asked = Asked { show: tab(query.get("show")), all: query.get("pick") == "ready", picked: Vec::new() };
    page((&request, &app, &by), found, asked, (StatusCode::OK, FieldErrors::new()))
}

/// `POST …/review`: turns on those that are chosen, or with `do=later` leaves them off and asks no more.
pub async fn turn_on(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let (id, asks, now) = (id.into_inner(), by.clone(), app.now());
    let list = list(id);
    if form.get("do") == "later" {
        app.write(move |conn| review::dismiss(conn, &asks, id, now)).await?;
        let words = "They stay off, and you will not be asked again. You can turn them on in this list.";
        return Ok(see_other(&list, Some(Flash::new(words))));
    }
    let Some(found) = look(&app, &by, id, true).await? else { return Ok(see_other(&list, None)) };
    let ids = match form.ids("s") {
        Ok(ids) if ids.is_empty() => Err(FieldErrors::one("s", "Choose the schedules to turn on.")),
        ids => ids,
    };
    let picked: Vec<i64> = match ids {
        // One that cannot run is not turned on, whoever asks.
        Ok(ids) => {
            let ready = |id: &i64| found.1.waiting.iter().all(|w| w.schedule.id != *id || w.wrong.is_none());
            ids.into_iter().filter(ready).collect()
        }
        Err(errors) => {
            let asked = Asked { show: tab(form.get("show")), all: false, picked: Vec::new() };
            return page((&request, &app, &by), found, asked, (StatusCode::UNPROCESSABLE_ENTITY, errors));
        }
    };
    let done = app.write(move |conn| actions::bulk(conn, &asks, id, &picked, Bulk::On, now)).await?;
    app.work.notify_one();
    let on = words::counted(done.changed.len() as i64, "schedule is on", "schedules are on");
    let left = found.1.waiting.len() - done.changed.len().min(found.1.waiting.len());
    let (to, left) = match left {
        0 => (list, String::new()),
        left => (review_address(id), format!(" {} off.", words::counted(left as i64, "is still", "are still"))),
    };
    Ok(see_other(&to, Some(Flash::new(format!("{on}.{left}")))))
}
