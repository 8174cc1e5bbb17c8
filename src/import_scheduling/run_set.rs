//! "Run now" of an import set: at once, or, where its steps declare parameters, by a page that asks for their values.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::Value;

use super::asks::{self, Asks, StepFields};
use super::starting::{answer, runs, started_words};
use crate::app::App;
use crate::applications::{Entered, enter, settings_shell};
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::files::kept::{self, KeptFile};
use crate::import_sets::{self, ImportSet};
use crate::imports::Target;
use crate::members::{By, Scope, SignedIn};
use crate::runs::actions;
use crate::web::page::is_fragment;
use crate::web::{Crumb, Form, Page, Shell, refused, see_other};

#[derive(Template)]
#[template(path = "import_scheduling/run_set.html")]
struct RunSetPage {
    shell: Shell,
    title: String,
    lede: String,
    action: String,
    back: String,
    errors: FieldErrors,
    steps: Vec<StepFields>,
    has_dates: bool,
    /// What they mean today.
    dates: Vec<String>,
}

/// A set, and what its steps ask for.
struct Scene {
    entered: Entered,
    set: ImportSet,
    asks: Asks,
    /// That steps which take one can load.
    files: Vec<KeptFile>,
}

impl Scene {
    /// For a member who may run it.
    fn load(conn: &mut Conn, by: &By, (application_id, id): (i64, i64)) -> Result<Self> {
        let entered = enter(conn, by, application_id)?;
        let set = import_sets::by_id(conn, id)?
            .filter(|set| set.application_id == application_id && !set.archived)
            .ok_or(AppError::NotFound)?;
        entered.need_import(conn, by, Scope::Run)?;
        let asks = Asks::of_set(conn, &entered, id)?;
        let files = kept::of_application(conn, application_id)?;
        Ok(Self { entered, set, asks, files })
    }

    fn page(
        &self,
        (request, app, by): (&HttpRequest, &App, &By),
        (status, errors): (StatusCode, FieldErrors),
        form: &Form,
    ) -> Result<HttpResponse> {
        let application_id = self.entered.application.id;
        let (id, title) = (self.set.id, format!("Run {}", self.set.name));
        let back = super::switch::list(application_id);
        let shell = settings_shell(request, app, by, &self.entered, &title)
            .at(&back)
            .crumbs([Crumb::to("Import Scheduling", &back), Crumb::here(&title)]);
        let errors = asks::at_controls(errors);
        let values = Value::Object(self.asks.given(id, form, None));
        let today = app.now().in_zone(self.entered.application.time_zone).date_naive();
        let together = self.asks.together(id);
        let page = RunSetPage {
            shell,
            lede: match (together.is_empty(), asks::has_dates(&together)) {
                (true, _) => format!("{} asks for no values.", self.set.name),
                (false, true) => {
                    format!("Steps of {} ask for values. Relative dates are counted from today.", self.set.name)
                }
                (false, false) => format!("Steps of {} ask for values.", self.set.name),
            },
            action: runs(application_id, Target::Set(id)),
            back,
            steps: self.asks.fields(id, Some(&values), &errors, (application_id, &self.files)),
            has_dates: asks::has_dates(&together),
            dates: asks::dates(&together, Some(&values), today),
            title,
            errors,
        };
        Page::with(status, request, &page)
    }
}

/// `GET /applications/{a}/settings/import-sets/{s}/run`: asks for the values of its steps.
pub async fn form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let (asked, path) = (by.clone(), *path);
    let scene = app.read(move |conn| Scene::load(conn, &asked, path)).await?;
    scene.page((&request, &app, &by), (StatusCode::OK, FieldErrors::new()), &Form::default())
}

/// `POST /applications/{a}/settings/import-sets/{s}/runs`: run a set right now. `show` only looks at what the form means.
pub async fn run_now(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let (path, now, secrets) = (*path, app.now(), app.secrets.clone());
    let asked = by.clone();
    let scene = app.read(move |conn| Scene::load(conn, &asked, path)).await?;
    let context = (&request, app.get_ref(), &by);
    if form.has("show") {
        return scene.page(context, (StatusCode::OK, FieldErrors::new()), &form);
    }
    let values = match scene.asks.asked(scene.set.id, &form) {
        (0, _) => None,
        // Its values are asked for first.
        (_, 0) => {
            let page = format!("/applications/{}/settings/import-sets/{}/run", path.0, path.1);
            return Ok(match is_fragment(&request) {
                true => HttpResponse::Ok().insert_header(("HX-Redirect", page)).finish(),
                false => see_other(&page, None),
            });
        }
        (steps, shown) if shown < steps => {
            let errors = FieldErrors::one("", "More steps ask for values than when you opened this page. Check them.");
            return scene.page(context, (StatusCode::UNPROCESSABLE_ENTITY, errors), &form);
        }
        _ => Some(Value::Object(scene.asks.given(scene.set.id, &form, None))),
    };
    let (asked, target, asks) = (by.clone(), Target::Set(scene.set.id), values.is_some());
    let started =
        app.write(move |conn| actions::start_by_hand(conn, &secrets, &asked, target, None, values, now)).await;
    match started {
        Ok(started) => {
            app.work.notify_one();
            answer(&request, &app, &by, &form, &started.run, started_words(&started)).await
        }
        Err(error) if asks => scene.page(context, refused(error)?, &form),
        Err(error) => Err(error),
    }
}
