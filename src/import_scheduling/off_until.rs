//! Off until a date: asks for it, says which run is the first one then, and turns the schedule off.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;
use chrono::{Datelike, Duration, NaiveDate, NaiveTime};

use super::done::{self, Deed, came_from};
use super::switch::{list, undoable};
use super::way_back;
use crate::app::App;
use crate::applications::{Entered, settings_shell};
use crate::clock::Moment;
use crate::error::{AppError, FieldErrors, Result};
use crate::freezes::{self, Freeze};
use crate::members::{By, Scope, SignedIn};
use crate::schedules::{Schedule, actions, count_between, instant};
use crate::web::form::Query;
use crate::web::page::is_fragment;
use crate::web::{Crumb, Flash, Form, Page, Shell, overtaken, refused};
use crate::words;

#[derive(Template)]
#[template(path = "import_scheduling/off_until_form.html")]
struct UntilForm {
    action: String,
    back: String,
    csrf: String,
    version: i64,
    errors: FieldErrors,
    sentence: String,
    zone: String,
    /// Whether it is opened now, and does not come back.
    fresh: bool,
    date: String,
    time: String,
    next: Next,
}

impl HtmlSafe for UntilForm {}

/// Which run is the first one then.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% match self.0 %}{% when Ok(w) %}{{ w }}{% when Err(w) %}<span class="muted">{{ w }}</span>{% endmatch %}"#
)]
struct Next(Result<String, String>);

impl HtmlSafe for Next {}

#[derive(Template)]
#[template(path = "import_scheduling/off_until_dialog.html")]
struct UntilDialog {
    form: UntilForm,
}

#[derive(Template)]
#[template(path = "import_scheduling/off_until.html")]
struct UntilPage {
    shell: Shell,
    form: UntilForm,
}

/// What the form is about.
struct Stage {
    schedule: Schedule,
    entered: Entered,
    freezes: Vec<Freeze>,
}

/// What was typed.
struct Typed {
    date: String,
    time: String,
    version: i64,
    /// The page from which the form was opened.
    back: String,
}

impl Typed {
    /// The date until which it is off already, or the day after its next run, so that one is skipped.
    fn of(stage: &Stage, now: Moment) -> Self {
        let schedule = &stage.schedule;
        let zone = schedule.rule.time_zone();
        let next = || freezes::first_free(&stage.freezes, &schedule.rule, now).unwrap_or(now);
        let local = match schedule.off_until {
            Some(until) => until.in_zone(zone).naive_local(),
            None => (next().in_zone(zone).date_naive() + Duration::days(1)).and_time(NaiveTime::MIN),
        };
        let (date, time) = (local.format("%Y-%m-%d").to_string(), local.format("%H:%M").to_string());
        Self { date, time, version: schedule.version, back: String::new() }
    }

    fn read(form: &Form, schedule: &Schedule) -> Self {
        let version = form.id("version").unwrap_or(schedule.version);
        let of = |name: &str| form.get(name).to_owned();
        Self { date: of("date"), time: of("time"), version, back: of("back") }
    }

    /// The moment in the schedule's zone; without a time the beginning of that day.
    fn until(&self, schedule: &Schedule) -> Result<Moment, FieldErrors> {
        let mut errors = FieldErrors::new();
        let date = NaiveDate::parse_from_str(&self.date, "%Y-%m-%d").ok();
        let date = date.filter(|date| (1970..=2099).contains(&date.year()));
        if self.date.is_empty() {
            errors.add("date", "Choose the day when it turns itself on.");
        } else if date.is_none() {
            errors.add("date", "This is not a day from 1970 to 2099. Write it like 2026-10-31.");
        }
        let time = if self.time.is_empty() { Some(NaiveTime::MIN) } else { hh_mm(&self.time) };
        if time.is_none() {
            errors.add("time", "This is not a time. Write it like 07:30.");
        }
        match (date, time) {
            (Some(date), Some(time)) => Ok(instant(schedule.rule.time_zone(), date.and_time(time))),
            _ => Err(errors),
        }
    }

    fn next(&self, stage: &Stage, now: Moment) -> Next {
        let (schedule, rule) = (&stage.schedule, &stage.schedule.rule);
        let zone = rule.time_zone();
        let skipped = |until: Moment| {
            let all = i64::try_from(count_between(rule, now, until)).unwrap_or(i64::MAX);
            let runs = all - freezes::count_held(&stage.freezes, rule, now, until);
            let first = freezes::first_free(&stage.freezes, rule, now).filter(|_| runs > 0)?;
            let first = words::short_time(first, now, zone);
            let many = words::counted(runs, "run", "runs");
            Some(if runs == 1 { format!("Skips {many}: {first}.") } else { format!("Skips {many}, from {first} on.") })
        };
        Next(match self.until(schedule) {
            Err(_) => Err("Choose a day to see the first run after it.".into()),
            Ok(until) if until <= now => Err("This time is in the past. Choose a later one.".into()),
            Ok(until) => match (freezes::first_free(&stage.freezes, rule, until), skipped(until)) {
                (None, _) => Err("No run is left by then: the schedule ends before that.".into()),
                (Some(at), skipped) => {
                    let at = format!("{} ({zone}), {}", words::date_time(at, zone), words::relative_in(at, now, zone));
                    match skipped {
                        Some(skipped) => Ok(format!("{skipped} The first run is then on {at}.")),
                        None => Err(format!("This skips no run. The next one is on {at}.")),
                    }
                }
            },
        })
    }
}

fn hh_mm(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S")).ok()
}

async fn found(app: &App, by: &By, path: (i64, i64)) -> Result<Stage> {
    let by = by.clone();
    app.read(move |conn| {
        let (schedule, entered) = actions::find_in(conn, &by, path.0, path.1)?;
        entered.need_import(conn, &by, Scope::Schedule)?;
        let freezes = freezes::of_application(conn, path.0)?;
        Ok(Stage { schedule, entered, freezes })
    })
    .await
}

/// The form in a dialog for htmx, alone when the dialog is there already, else on a page.
fn answer(
    (request, app, by): (&HttpRequest, &App, &By),
    stage: &Stage,
    typed: &Typed,
    (status, errors): (StatusCode, FieldErrors),
    in_dialog: bool,
) -> Result<HttpResponse> {
    let Stage { schedule, entered, .. } = stage;
    let base = format!("/applications/{}", entered.application.id);
    let list = list(entered.application.id);
    let form = UntilForm {
        action: format!("{base}/schedules/{}/off-until", schedule.id),
        back: came_from(request, entered.application.id, &typed.back).unwrap_or_else(|| list.clone()),
        csrf: Shell::new(request, app, "").csrf,
        version: typed.version,
        errors,
        sentence: schedule.sentence(),
        zone: schedule.rule.time_zone().to_string(),
        fresh: !in_dialog,
        date: typed.date.clone(),
        time: typed.time.clone(),
        next: typed.next(stage, app.now()),
    };
    if is_fragment(request) {
        if in_dialog {
            return Page::with(status, request, &form);
        }
        return Page::with(status, request, &UntilDialog { form });
    }
    let shell = settings_shell(request, app, by, entered, "Off until a date")
        .at(&list)
        .crumbs([Crumb::to("Import Scheduling", &form.back), Crumb::here("Off until a date")]);
    Page::with(status, request, &UntilPage { shell, form })
}

/// `GET /applications/{a}/schedules/{s}/off-until`
pub async fn form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let found = found(&app, &by, *path).await?;
    let typed = Typed::of(&found, app.now());
    answer((&request, &app, &by), &found, &typed, (StatusCode::OK, FieldErrors::new()), false)
}

/// `POST /applications/{a}/schedules/{s}/off-until` with `date` and `time`; with `?next` it only says what would be.
pub async fn save(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
    sent: Form,
) -> Result<HttpResponse> {
    let found = found(&app, &by, *path).await?;
    let (typed, now) = (Typed::read(&sent, &found.schedule), app.now());
    if query.has("next") {
        return Page::ok(&request, &typed.next(&found, now));
    }
    if sent.has("show") {
        return answer((&request, &app, &by), &found, &typed, (StatusCode::OK, FieldErrors::new()), true);
    }
    let until = match (sent.ticked("skip"), found.schedule.next_at) {
        // At the next occurrence it is off still, and on again at once.
        (true, Some(next)) => Ok(next.plus(Duration::seconds(1))),
        (true, None) => return Err(AppError::Conflict("No run is planned, so there is none to skip.".into())),
        (false, _) => typed.until(&found.schedule),
    };
    let switched = match until {
        Ok(until) => {
            let (asked, id, version) = (by.clone(), path.1, typed.version);
            app.write(move |conn| actions::off_until(conn, &asked, id, until, Some(version), now)).await
        }
        Err(errors) => Err(errors.into()),
    };
    match switched {
        Ok(switched) => {
            let schedule = &switched.schedule;
            let zone = schedule.rule.time_zone();
            let until = schedule.off_until.map(|at| words::date_time(at, zone)).unwrap_or_default();
            let mut flash = Flash::new(match found.schedule.next_at.filter(|_| sent.ticked("skip")) {
                Some(next) => format!("Skips {}: {}.", words::short_time(next, now, zone), schedule.sentence()),
                None => format!("Off until {until} ({zone}): {}.", schedule.sentence()),
            });
            if switched.changed {
                flash = undoable(flash, path.0, now, way_back(path.0, sent.get("back")));
            }
            let deed = Deed {
                application_id: path.0,
                cards: &[schedule.target],
                schedule: Some(schedule.id),
                arrives: false,
                from: sent.get("back"),
            };
            done::answer((&request, &app, &by), deed, flash).await
        }
        Err(error) => {
            let mut typed = typed;
            let error = overtaken(error, found.schedule.version, |version| typed.version = version);
            let (status, mut errors) = refused(error)?;
            for error in errors.0.iter_mut().filter(|error| error.field == "off_until") {
                error.field = "date".into();
            }
            answer((&request, &app, &by), &found, &typed, (status, errors), true)
        }
    }
}
