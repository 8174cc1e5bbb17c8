//! `{A}/settings/import-sets/{set}/steps/{position}`: the values that a set gives to one of its steps.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::Value;

use super::{Place, find_to_change, list_of};
use crate::app::App;
use crate::applications::settings_shell;
use crate::error::{AppError, FieldErrors, Result};
use crate::import_sets::{Draft, Step, actions};
use crate::members::{By, SignedIn};
use crate::parameters::{self, Fields, Parameter};
use crate::web::{Crumb, Flash, Form, Page, Shell, overtaken, refused, see_other};

#[derive(Template)]
#[template(path = "import_sets/values.html")]
struct ValuesPage {
    shell: Shell,
    title: String,
    /// Of the configuration.
    name: String,
    action: String,
    back: String,
    version: i64,
    errors: FieldErrors,
    values: Fields,
}

/// A step that asks for something.
struct Asked {
    place: Place,
    /// From 0.
    at: usize,
    step: Step,
    /// Of the configuration.
    name: String,
    asks: Vec<Parameter>,
}

async fn asked(app: &App, by: &By, (application_id, set_id, position): (i64, i64, i64)) -> Result<Asked> {
    let place = find_to_change(app, by, application_id, Some(set_id)).await?;
    let at = position.checked_sub(1).and_then(|at| usize::try_from(at).ok()).ok_or(AppError::NotFound)?;
    let step = place.found.as_ref().and_then(|(_, definition)| definition.steps.get(at)).cloned();
    let step = step.ok_or(AppError::NotFound)?;
    let asks = place.asks.get(&step.configuration_id).cloned().ok_or(AppError::NotFound)?;
    let name = place.outlines.iter().find(|outline| outline.id == step.configuration_id);
    let name = name.map(|outline| outline.name.clone()).unwrap_or_default();
    Ok(Asked { place, at, step, name, asks })
}

fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    asked: &Asked,
    (version, values): (i64, Option<&Value>),
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let (set, application_id) = (asked.place.set()?, asked.place.entered.application.id);
    let list = list_of(application_id);
    let back = format!("{list}/{}", set.id);
    let title = format!("Values of step {}", asked.at + 1);
    let shell = settings_shell(request, app, by, &asked.place.entered, &title).at(&list).crumbs([
        Crumb::to("Import sets", &list),
        Crumb::to(&set.name, &back),
        Crumb::here(&title),
    ]);
    let fields = Fields::of(&asked.asks, "", values, &errors).with_files(application_id, &asked.place.files);
    let template = ValuesPage {
        shell,
        name: asked.name.clone(),
        action: format!("{back}/steps/{}", asked.at + 1),
        back,
        version,
        errors,
        values: fields,
        title,
    };
    Page::with(status, request, &template)
}

/// `GET {A}/settings/import-sets/{set}/steps/{position}`
pub async fn values_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64, i64)>,
) -> Result<HttpResponse> {
    let asked = asked(&app, &by, *ids).await?;
    let (version, values) = (asked.place.set()?.version, asked.step.parameters.as_ref().map(parameters::mask));
    let fine = (StatusCode::OK, FieldErrors::new());
    page(&request, &app, &by, &asked, (version, values.as_ref()), fine)
}

/// `POST {A}/settings/import-sets/{set}/steps/{position}`
pub async fn save_values(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let asked = asked(&app, &by, *ids).await?;
    let (set, definition) = asked.place.found.as_ref().ok_or(AppError::NotFound)?;
    if !parameters::asked(&form, "") {
        return Err(AppError::invalid("parameters", "The form came without its values. Open it again."));
    }
    let values = parameters::given(&asked.asks, "", &form, asked.step.parameters.as_ref());
    let mut draft = Draft::of(set, definition);
    if let Some(step) = draft.definition.steps.get_mut(asked.at) {
        step.parameters = values.clone();
    }
    let seen = (set.id, form.id("version"));
    let (who, entered, now) = (by.clone(), asked.place.entered.clone(), app.now());
    let (secrets, followers) = (app.secrets.clone(), app.followers);
    match app.write(move |conn| actions::update(conn, (&secrets, followers), &who, &entered, seen, draft, now)).await {
        Ok(saved) => {
            let said = format!("Saved the values of step {} of “{}”.", asked.at + 1, saved.name);
            Ok(see_other(&format!("{}/{}", list_of(ids.0), saved.id), Some(Flash::new(said))))
        }
        Err(error) => {
            let mut version = seen.1.unwrap_or(set.version);
            let error = overtaken(error, set.version, |newer| version = newer);
            let (status, mut errors) = refused(error)?;
            let own = format!("steps[{}].", asked.at);
            for error in &mut errors.0 {
                error.field = error.field.strip_prefix(&own).unwrap_or(&error.field).to_owned();
            }
            page(&request, &app, &by, &asked, (version, values.as_ref()), (status, errors))
        }
    }
}
