//! "Ready by": asks on which days and until when an import is to be ready, and says how that stands.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;

use super::card::Chip;
use super::done::{self, Deed, came_from};
use super::switch::list;
use crate::app::App;
use crate::applications::{Entered, settings_shell};
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::import_sets;
use crate::imports::Target;
use crate::members::{By, SignedIn};
use crate::notifications::recipients;
use crate::promises::{Promise, ReadyForm, Standing, actions, standings};
use crate::schedules::{self, Schedule};
use crate::web::page::is_fragment;
use crate::web::{Crumb, Flash, Form, Page, Shell, overtaken, refused};
use crate::words;

/// What a card, and a configuration's own page, say of a promise.
#[derive(Clone, Debug)]
pub struct Promised {
    pub chip: Chip,
    /// "Due by 08:00, expected 07:40"
    pub words: String,
}

impl Promised {
    pub fn of((promise, standing): &(Promise, Standing), now: crate::clock::Moment) -> Self {
        let (word, class, icon) = standing.state.chip();
        Self { chip: Chip { class, icon, word }, words: standing.words(&promise.rule, now) }
    }
}

/// Where the form of a configuration or a set is.
pub fn address(application_id: i64, target: Target) -> String {
    let kind = if target.set().is_some() { "set" } else { "configuration" };
    format!("/applications/{application_id}/settings/import-{kind}s/{}/ready-by", target.id())
}

#[derive(Template)]
#[template(path = "import_scheduling/ready_by_form.html")]
struct ReadyByPart {
    action: String,
    back: String,
    csrf: String,
    version: Option<i64>,
    errors: FieldErrors,
    name: String,
    promised: Option<Promised>,
    typed: ReadyForm,
    told: String,
    /// Whether it is opened now, and does not come back.
    fresh: bool,
}

impl HtmlSafe for ReadyByPart {}

impl ReadyByPart {
    fn weekdays(&self) -> [(&'static str, &'static str, &'static str); 7] {
        super::dialog::WEEKDAYS
    }
}

#[derive(Template)]
#[template(path = "import_scheduling/ready_by_dialog.html")]
struct ReadyByDialog {
    form: ReadyByPart,
}

#[derive(Template)]
#[template(path = "import_scheduling/ready_by.html")]
struct ReadyByPage {
    shell: Shell,
    form: ReadyByPart,
}

/// What the form is about.
struct Stage {
    target: Target,
    entered: Entered,
    name: String,
    promise: Option<Promise>,
    promised: Option<Promised>,
    /// Whom its schedules tell.
    told: usize,
    /// It has a schedule, or a set has one that runs it.
    scheduled: bool,
}

/// Whether something may ever begin it by itself.
fn is_scheduled(conn: &mut Conn, target: Target, application_id: i64, own: &[Schedule]) -> Result<bool> {
    let goes_on = |schedules: &[Schedule]| schedules.iter().any(|schedule| schedule.finished_at.is_none());
    let Some(configuration) = target.configuration().filter(|_| !goes_on(own)) else { return Ok(goes_on(own)) };
    let sets = import_sets::running(conn, &[application_id])?.into_iter();
    let sets: Vec<Target> =
        sets.filter(|(_, of)| of.contains(&configuration)).map(|(set, _)| Target::Set(set)).collect();
    Ok(!sets.is_empty() && goes_on(&schedules::actions::of_targets(conn, &sets)?))
}

fn load(conn: &mut Conn, by: &By, application_id: i64, target: Target, now: crate::clock::Moment) -> Result<Stage> {
    let (promise, known, entered) = actions::find_to_change(conn, by, target)?;
    if known.application_id != application_id {
        return Err(AppError::NotFound);
    }
    let stands = standings(conn, &[target], now)?.remove(&target);
    let schedules = schedules::actions::of_targets(conn, &[target])?;
    let told = recipients::named(conn, schedules.iter().filter_map(|schedule| schedule.notify.as_ref()))?;
    let promised = stands.as_ref().map(|stands| Promised::of(stands, now));
    let scheduled = is_scheduled(conn, target, application_id, &schedules)?;
    Ok(Stage { target, entered, name: known.name, promise, promised, told: told.len(), scheduled })
}

/// The form in a dialog for htmx, alone when the dialog is there already, else on a page.
fn answer(
    (request, app, by): (&HttpRequest, &App, &By),
    stage: Stage,
    (typed, version, back): (ReadyForm, Option<i64>, &str),
    (status, errors): (StatusCode, FieldErrors),
    in_dialog: bool,
) -> Result<HttpResponse> {
    let application_id = stage.entered.application.id;
    let list = list(application_id);
    let form = ReadyByPart {
        action: address(application_id, stage.target),
        back: came_from(request, application_id, back).unwrap_or_else(|| list.clone()),
        csrf: Shell::new(request, app, "").csrf,
        version,
        errors,
        name: stage.name,
        promised: stage.promised,
        typed,
        told: match stage.told {
            _ if !stage.scheduled => format!(
                "Nothing schedules this {}, or run it by hand in time. Nobody is notified until a schedule has recipients.",
                match stage.target.set() {
                    Some(_) => "import set. Add a schedule for it",
                    None => "import. Add a schedule for it, or for an import set that runs it",
                }
            ),
            0 if stage.target.set().is_some() => "Nobody is notified, because none of its schedules has recipients.".into(),
            0 => {
                "None of its own schedules has recipients. Only the recipients of an import set that runs it are notified."
                    .into()
            }
            n => format!(
                "{} of its schedules {} notified when it may be late, when it is late, and when it is ready after all.",
                words::counted(n as i64, "recipient", "recipients"),
                if n == 1 { "is" } else { "are" }
            ),
        },
        fresh: !in_dialog,
    };
    if is_fragment(request) {
        if in_dialog {
            return Page::with(status, request, &form);
        }
        return Page::with(status, request, &ReadyByDialog { form });
    }
    let shell = settings_shell(request, app, by, &stage.entered, "Ready by")
        .at(&list)
        .crumbs([Crumb::to("Import Scheduling", &form.back), Crumb::here("Ready by")]);
    Page::with(status, request, &ReadyByPage { shell, form })
}

async fn show(
    (request, app, by): (&HttpRequest, &App, &By),
    application_id: i64,
    target: Target,
) -> Result<HttpResponse> {
    let (asked, now) = (by.clone(), app.now());
    let stage = app.read(move |conn| load(conn, &asked, application_id, target, now)).await?;
    let typed = match &stage.promise {
        Some(promise) => ReadyForm::of(&promise.rule),
        None => ReadyForm {
            weekdays: ["mon", "tue", "wed", "thu", "fri"].map(str::to_owned).to_vec(),
            time: "08:00".into(),
            time_zone: stage.entered.application.time_zone.name().into(),
        },
    };
    let version = stage.promise.as_ref().map(|promise| promise.version);
    answer((request, app, by), stage, (typed, version, ""), (StatusCode::OK, FieldErrors::new()), false)
}

async fn save(
    (request, app, by): (&HttpRequest, &App, &By),
    application_id: i64,
    target: Target,
    sent: Form,
) -> Result<HttpResponse> {
    let typed = ReadyForm {
        weekdays: sent.all("weekdays").map(str::to_owned).collect(),
        time: sent.get("time").to_owned(),
        time_zone: sent.get("time_zone").to_owned(),
    };
    let (asked, form, now) = (by.clone(), typed.clone(), app.now());
    let (removes, version) = (sent.get("do") == "remove", sent.id("version").unwrap_or(0));
    let saved = app
        .write(move |conn| {
            let (_, known, _) = actions::find_to_change(conn, &asked, target)?;
            if known.application_id != application_id {
                return Err(AppError::NotFound);
            }
            if removes {
                actions::remove(conn, &asked, target, Some(version), now)?;
                return Ok(format!("{} no longer has a Ready by time.", known.name));
            }
            let promise = actions::set(conn, &asked, target, &form, Some(version), now)?;
            Ok(format!("{}: {}.", known.name, promise.sentence()))
        })
        .await;
    match saved {
        Ok(said) => {
            let deed =
                Deed { application_id, cards: &[target], schedule: None, arrives: false, from: sent.get("back") };
            done::answer((request, app, by), deed, Flash::new(said)).await
        }
        Err(error) => {
            let asked = by.clone();
            let stage = app.read(move |conn| load(conn, &asked, application_id, target, now)).await?;
            let mut version = Some(version).filter(|version| *version > 0);
            let newest = stage.promise.as_ref().map_or(0, |promise| promise.version);
            let error = overtaken(error, newest, |newest| version = Some(newest).filter(|newest| *newest > 0));
            answer((request, app, by), stage, (typed, version, sent.get("back")), refused(error)?, true)
        }
    }
}

/// `GET /applications/{a}/settings/import-configurations/{i}/ready-by`
pub async fn form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    show((&request, &app, &by), path.0, Target::Configuration(path.1)).await
}

/// `POST …` with `weekdays`, `time` and `time_zone`, or `do=remove`.
pub async fn set(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    sent: Form,
) -> Result<HttpResponse> {
    save((&request, &app, &by), path.0, Target::Configuration(path.1), sent).await
}

/// `GET /applications/{a}/settings/import-sets/{set}/ready-by`
pub async fn form_of_set(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    show((&request, &app, &by), path.0, Target::Set(path.1)).await
}

/// `POST …`, as for a configuration.
pub async fn set_of_set(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    sent: Form,
) -> Result<HttpResponse> {
    save((&request, &app, &by), path.0, Target::Set(path.1), sent).await
}
