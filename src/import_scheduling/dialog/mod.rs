//! The dialog: schedule an import, edit or copy a schedule. The same addresses answer a whole page, or for htmx the
//! dialog.
//!
//! [`form`](mod@form) is what is drawn, [`typed`] what it holds, [`preview`](mod@preview) what it would do, explained
//! with what [`beside`] reads and the busy hours that [`strip`] draws; [`copy`] begins with another schedule.

mod beside;
mod copy;
mod drawn;
mod form;
mod preview;
mod strip;
mod typed;
mod values;

pub use copy::copy_form;
pub use form::WEEKDAYS;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::asks::Asks;
use super::done::{self, Deed, came_from};
use super::switch::list;
use crate::app::App;
use crate::applications::{Entered, enter, settings_shell, who_sees};
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::files::kept::{self, KeptFile};
use crate::import_sets::{self, ImportSet, SetDefinition};
use crate::imports::{self, Listed, Target};
use crate::members::groups::{self, Group};
use crate::members::{By, Member, Scope, SignedIn};
use crate::parameters::{self, Parameter};
use crate::schedules::{RuleForm, Schedule, actions, flagged};
use crate::secrets::Secrets;
use crate::web::form::Query;
use crate::web::page::is_fragment;
use crate::web::{Crumb, Flash, Form, Page, Shell, overtaken, refused};
use beside::{Beside, Chosen};
use copy::Copied;
use drawn::{configuration_choice, form};
use form::{ScheduleDialog, ScheduleForm, SchedulePage};
use preview::{Asked, PreviewPart};
use typed::{Typed, said};

/// What the form needs besides what was typed.
struct Stage {
    entered: Entered,
    configurations: Vec<Listed>,
    /// That imports which take one can load.
    files: Vec<KeptFile>,
    sets: Vec<(ImportSet, SetDefinition)>,
    /// What their steps ask for.
    asks: Asks,
    /// Active members who may be told.
    members: Vec<Member>,
    groups: Vec<Group>,
    schedule: Option<Schedule>,
    owner: Option<String>,
    /// Why its runs will fail.
    flag: Option<String>,
    /// Which of its secrets its runs will not open.
    shut: Option<String>,
    beside: Beside,
    /// Of what the form makes a copy.
    copied: Option<Copied>,
}

impl Stage {
    fn load(
        conn: &mut Conn,
        secrets: &Secrets,
        by: &By,
        application_id: i64,
        schedule_id: Option<i64>,
    ) -> Result<Self> {
        let entered = enter(conn, by, application_id)?;
        let schedule = match schedule_id {
            Some(id) => {
                let (schedule, _) = actions::find(conn, by, id)?;
                Some(schedule).filter(|s| s.application_id == application_id).ok_or(AppError::NotFound)?.into()
            }
            None => None,
        };
        entered.need_import(conn, by, Scope::Schedule)?;
        let configurations: Vec<Listed> = imports::list(conn, &entered)?;
        let files = kept::of_application(conn, application_id)?;
        let sets = import_sets::actions::list(conn, &entered)?;
        let asks = Asks::of(&sets, &configurations);
        let members = who_sees(conn, application_id)?;
        let groups = groups::all(conn)?;
        let owner = match &schedule {
            Some(Schedule { owner_id, .. }) => crate::members::by_id(conn, *owner_id)?.map(|m| m.name),
            None => None,
        };
        let owner_id = schedule.as_ref().map(|schedule| schedule.owner_id);
        let flags = flagged::sentences(conn, &entered.application, &Vec::from_iter(owner_id))?;
        let flag = flags.into_values().next();
        let shut = flagged::shut(conn, secrets, application_id, schedule.as_slice())?.into_values().next();
        let beside = Beside::load(conn, by, &entered, configurations.iter().map(|c| c.configuration.id))?;
        Ok(Self {
            entered,
            configurations,
            files,
            sets,
            asks,
            members,
            groups,
            schedule,
            owner,
            flag,
            shut,
            beside,
            copied: None,
        })
    }

    /// What a configuration asks for.
    fn asked_by(&self, target: Target) -> Vec<Parameter> {
        let found = self.configurations.iter().find(|listed| Some(listed.configuration.id) == target.configuration());
        found.map(Listed::asks).unwrap_or_default()
    }
}

/// The form in a dialog for htmx, alone when the dialog is there already, else on a page.
fn answer(
    request: &HttpRequest,
    app: &App,
    by: &By,
    stage: &Stage,
    mut form: ScheduleForm,
    status: StatusCode,
    in_dialog: bool,
) -> Result<HttpResponse> {
    let application_id = stage.entered.application.id;
    let list = list(application_id);
    form.no_mail_server = app.mail.folder().is_some();
    form.back = came_from(request, application_id, &form.back).unwrap_or_else(|| list.clone());
    if is_fragment(request) {
        if in_dialog {
            return Page::with(status, request, &form);
        }
        return Page::with(status, request, &ScheduleDialog { form });
    }
    let shell = settings_shell(request, app, by, &stage.entered, form.title)
        .at(&list)
        .crumbs([Crumb::to("Import Scheduling", &form.back), Crumb::here(form.title)]);
    Page::with(status, request, &SchedulePage { shell, form })
}

async fn stage(app: &App, by: &By, application_id: i64, schedule_id: Option<i64>) -> Result<Stage> {
    let by = by.clone();
    let secrets = app.secrets.clone();
    app.read(move |conn| Stage::load(conn, &secrets, &by, application_id, schedule_id)).await
}

/// `GET /applications/{a}/schedules/new?configuration=` or `?set=`
pub async fn new_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let stage = stage(&app, &by, *application_id, None).await?;
    let now = app.now();
    let target = Target::of(query.id("configuration"), query.id("set"));
    let typed = Typed::fresh(stage.entered.application.time_zone, &stage.configurations, &by, target, now);
    let csrf = Shell::new(&request, &app, "").csrf;
    let form = form(&stage, typed, &by, csrf, FieldErrors::new(), now);
    answer(&request, &app, &by, &stage, form, StatusCode::OK, false)
}

/// `GET /applications/{a}/schedules/{s}/edit`
pub async fn edit_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let stage = stage(&app, &by, path.0, Some(path.1)).await?;
    let schedule = stage.schedule.as_ref().ok_or(AppError::NotFound)?;
    let csrf = Shell::new(&request, &app, "").csrf;
    let form = form(&stage, Typed::of(schedule, &by), &by, csrf, FieldErrors::new(), app.now());
    answer(&request, &app, &by, &stage, form, StatusCode::OK, false)
}

/// `POST /applications/{a}/schedules`
pub async fn create(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    save(request, app, by, *application_id, None, form).await
}

/// `POST /applications/{a}/schedules/{s}`
pub async fn update(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    save(request, app, by, path.0, Some(path.1), form).await
}

async fn save(
    request: HttpRequest,
    app: Data<App>,
    by: By,
    application_id: i64,
    schedule_id: Option<i64>,
    sent: Form,
) -> Result<HttpResponse> {
    let now = app.now();
    let stage = match (schedule_id, sent.id("copy_of")) {
        (None, Some(of)) => copy::stage(&app, &by, application_id, of, now).await?,
        _ => stage(&app, &by, application_id, schedule_id).await?,
    };
    let mut typed = Typed::read(&sent)?;
    let asked = values::read(&stage, &mut typed, &sent);
    let csrf = Shell::new(&request, &app, "").csrf;
    // The form is sent to look at it, or to take the start that is offered.
    if sent.has("show") || sent.has("use") {
        let form = form(&stage, typed, &by, csrf, FieldErrors::new(), now);
        return answer(&request, &app, &by, &stage, form, StatusCode::OK, true);
    }
    let saved = match asked.and_then(|()| typed.draft(stage.schedule.as_ref())) {
        Ok(mut draft) => {
            let copied = stage.copied.as_ref().and_then(|copied| copied.of.parameters.as_ref());
            draft.parameters = parameters::unmask(draft.parameters, copied);
            let (by, version, nonce, secrets) = (by.clone(), typed.version, typed.nonce.clone(), app.secrets.clone());
            app.write(move |conn| match (schedule_id, nonce) {
                (Some(id), _) => actions::update(conn, &secrets, &by, (id, version), draft, now),
                (None, Some(nonce)) => actions::create_once(conn, &secrets, &by, application_id, draft, &nonce, now),
                (None, None) => actions::create(conn, &secrets, &by, application_id, draft, now),
            })
            .await
        }
        Err(errors) => Err(errors.into()),
    };
    match saved {
        Ok(schedule) => {
            let flash = Flash::new(said(stage.schedule.as_ref(), &schedule));
            let was = stage.schedule.as_ref().map(|was| was.target);
            let moved = was.filter(|was| *was != schedule.target);
            let cards: Vec<Target> = [schedule.target].into_iter().chain(moved).collect();
            let deed = Deed {
                application_id,
                cards: &cards,
                schedule: Some(schedule.id),
                arrives: was != Some(schedule.target),
                from: sent.get("back"),
            };
            done::answer((&request, &app, &by), deed, flash).await
        }
        Err(error) => {
            let mut typed = typed;
            let there = stage.schedule.as_ref().map(|schedule| schedule.version).unwrap_or_default();
            let error = overtaken(error, there, |version| typed.version = Some(version));
            let at = match &error {
                AppError::Conflict(_) => conflict_at(&app, &by, application_id, schedule_id, &typed).await?,
                _ => "",
            };
            let (status, mut errors) = refused(error)?;
            errors.0.iter_mut().filter(|e| e.field.is_empty()).for_each(|e| e.field = at.to_owned());
            let form = form(&stage, typed, &by, csrf, errors, now);
            answer(&request, &app, &by, &stage, form, status, true)
        }
    }
}

/// The field to change where what was typed is in the way of another schedule: its run name is taken, or its
/// configuration has four already.
async fn conflict_at(
    app: &App,
    by: &By,
    application_id: i64,
    schedule_id: Option<i64>,
    typed: &Typed,
) -> Result<&'static str> {
    let name = typed.run_name.trim().to_owned();
    let by = by.clone();
    let taken = app.read(move |conn| {
        let entered = enter(conn, &by, application_id)?;
        actions::run_name_is_taken(conn, &entered, &name, schedule_id)
    });
    let taken = taken.await?;
    Ok(match (taken, typed.of_set) {
        (true, _) => "run_name",
        (false, true) => "set_id",
        (false, false) => "configuration_id",
    })
}

/// `POST /applications/{a}/schedules/preview`: what the form says would happen.
pub async fn preview(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    sent: Form,
) -> Result<HttpResponse> {
    let of_set = sent.get("run") == "set";
    let (id, configuration) = (*application_id, sent.id("configuration").filter(|_| !of_set));
    let set_id = sent.id("set").filter(|_| of_set);
    let read = app.read(move |conn| {
        let entered = enter(conn, &by, id)?;
        entered.need_open_scheduling(conn)?;
        let target = Target::of(configuration, set_id);
        let chosen = target.map(|target| Chosen::find(conn, &entered, target)).transpose()?.flatten();
        let found =
            configuration.filter(|_| chosen.is_some()).map(|id| imports::find(conn, &entered, id)).transpose()?;
        let declared = found.map(|(found, definition)| found.asks(&definition)).unwrap_or_default();
        let asks = set_id.map(|id| Asks::of_set(conn, &entered, id)).transpose()?;
        let of_form: Vec<i64> = chosen.iter().flat_map(Chosen::configurations).collect();
        Ok((chosen, declared, asks, Beside::load(conn, &by, &entered, of_form.into_iter())?))
    });
    let (chosen, mut declared, asks, beside) = read.await?;
    let mut values = parameters::given(&declared, "", &sent, None);
    if let (Some(asks), Some(id)) = (asks, set_id) {
        declared = asks.together(id);
        values = Some(asks.given(id, &sent, None).into());
    }
    let (rule, schedule_id, expanded) = (RuleForm::from_pairs(&sent.0), sent.id("schedule"), preview::expanded(&sent));
    let (chosen, values) = (chosen.as_ref(), values.as_ref());
    let asked = Asked { rule: &rule, chosen, schedule_id, expanded, parameters: &declared, values };
    Page::ok(&request, &PreviewPart::of(asked, &beside, app.now()))
}

/// `GET /applications/{a}/schedules/configurations?block=`: the Configuration control for a Block.
pub async fn configurations(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let stage = match query.id("copy_of") {
        Some(of) => copy::stage(&app, &by, *application_id, of, app.now()).await?,
        None => stage(&app, &by, *application_id, None).await?,
    };
    let (block, chosen) = (query.id("block"), query.id("configuration"));
    let choice = configuration_choice(&stage.configurations, stage.copied.as_ref(), block, chosen, None);
    Page::ok(&request, &choice)
}
