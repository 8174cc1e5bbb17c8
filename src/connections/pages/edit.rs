//! Making, changing and testing a Connection.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::Value;

use super::fields::{self, FieldView};
use crate::app::App;
use crate::applications::{self, Application, shell};
use crate::connections::{Connection, ConnectionDraft, Tested, actions, test, test_draft};
use crate::connectors::{self, Kind};
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{By, SignedIn};
use crate::web::form::Query;
use crate::web::{Crumb, Flash, Form, Page, Shell, at_controls, is_fragment, overtaken, refused, see_other};

#[derive(Template)]
#[template(path = "connections/kinds.html")]
struct KindsPage {
    shell: Shell,
    kinds: &'static [Kind],
}

#[derive(Template)]
#[template(path = "connections/edit.html")]
struct EditPage {
    shell: Shell,
    title: String,
    action: String,
    /// The Connection's own address; none while it is being made.
    here: Option<String>,
    errors: FieldErrors,
    may_change: bool,
    kind_name: &'static str,
    kind_label: &'static str,
    summary: &'static str,
    version: Option<i64>,
    /// Not `name`: the macros of a form call their own so.
    called: String,
    has_secrets: bool,
    secret_ends_on: String,
    fields: Vec<FieldView>,
    applications: Vec<ApplicationChoice>,
    /// Where an import from it is made.
    way_on: Option<String>,
    tested: Option<Tested>,
}

/// What a test found, where the rest of the page stays as it is.
#[derive(Template)]
#[template(path = "web/tested_part.html")]
struct TestedPart {
    tested: Option<Tested>,
    /// Which fields are wrong, and how.
    wrong: Vec<(String, String)>,
}

struct ApplicationChoice {
    id: i64,
    name: String,
    ticked: bool,
    /// Where an import from it is made there.
    way_on: Option<String>,
}

/// What the form holds, as it was typed; secrets are never put back.
struct Typed {
    name: String,
    settings: BTreeMap<String, String>,
    application_ids: Vec<i64>,
    secret_ends_on: String,
    version: Option<i64>,
}

impl Typed {
    /// The only Application is ticked: what else would it be for?
    fn blank(applications: &[Application]) -> Self {
        let only = if let [only] = applications { vec![only.id] } else { Vec::new() };
        Self {
            name: String::new(),
            settings: BTreeMap::new(),
            application_ids: only,
            secret_ends_on: String::new(),
            version: None,
        }
    }

    fn of(connection: &Connection) -> Self {
        let settings = connection.settings.as_object().into_iter().flatten();
        Self {
            name: connection.name.clone(),
            settings: settings.map(|(name, value)| (name.clone(), as_typed(value))).collect(),
            application_ids: connection.application_ids.clone(),
            secret_ends_on: connection.secret_ends_on.map(|day| day.to_string()).unwrap_or_default(),
            version: Some(connection.version),
        }
    }

    fn read(form: &Form) -> Result<Self, FieldErrors> {
        Ok(Self {
            name: form.get("name").to_owned(),
            settings: with_prefix(form, "settings-"),
            application_ids: form.ids("application_ids")?,
            secret_ends_on: form.get("secret_ends_on").to_owned(),
            version: form.id("version"),
        })
    }
}

fn with_prefix(form: &Form, prefix: &str) -> BTreeMap<String, String> {
    let pairs = form.0.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone())));
    pairs.collect()
}

/// A setting as the form's control holds it.
fn as_typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "on".into(),
        Value::Object(pairs) => {
            let lines = pairs.iter().map(|(name, value)| format!("{name}: {}", value.as_str().unwrap_or_default()));
            lines.collect::<Vec<_>>().join("\n")
        }
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn draft(kind: &'static Kind, form: &Form, typed: &Typed) -> ConnectionDraft {
    ConnectionDraft {
        name: typed.name.clone(),
        kind: kind.name.to_owned(),
        settings: kind.settings_from_form(&typed.settings),
        secrets: with_prefix(form, "secrets-").into_iter().map(|(name, value)| (name, Some(value))).collect(),
        application_ids: typed.application_ids.clone(),
        secret_ends_on: Some(typed.secret_ends_on.clone()),
    }
}

/// What a page of one Connection needs from the database.
pub(super) struct Place {
    pub connection: Option<Connection>,
    applications: Vec<Application>,
}

pub(super) async fn place(app: &App, by: &By, id: Option<i64>) -> Result<Place> {
    let who = by.clone();
    app.read(move |conn| {
        let connection = match id {
            Some(id) => Some(actions::find(conn, &who, id)?),
            None => {
                who.need_administrator(conn)?;
                None
            }
        };
        Ok(Place { connection, applications: applications::seen_by(conn, &who)? })
    })
    .await
}

struct Shown {
    status: StatusCode,
    errors: FieldErrors,
    tested: Option<Tested>,
    /// Secrets that were typed, and are not put back.
    dropped: BTreeMap<String, String>,
}

const FINE: Shown =
    Shown { status: StatusCode::OK, errors: FieldErrors(Vec::new()), tested: None, dropped: BTreeMap::new() };

async fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    place: &Place,
    kind: &'static Kind,
    typed: Typed,
    shown: Shown,
) -> Result<HttpResponse> {
    let here = place.connection.as_ref().map(|connection| format!("/connections/{}", connection.id));
    let title = place.connection.as_ref().map_or_else(|| format!("New {} Connection", kind.label), |c| c.name.clone());
    let errors = fields::told(kind, at_controls(shown.errors));
    let folders = fields::folders(kind, &app.config.folder_roots).await;
    let template = EditPage {
        shell: shell(request, app, by, &title)
            .at("/connections")
            .crumbs([Crumb::to("Connections", "/connections"), Crumb::here(&title)]),
        title,
        action: here.clone().unwrap_or_else(|| "/connections/new".into()),
        here,
        may_change: by.member.is_administrator(),
        kind_name: kind.name,
        kind_label: kind.label,
        summary: kind.summary,
        version: typed.version,
        called: typed.name,
        has_secrets: !kind.secrets.is_empty(),
        secret_ends_on: typed.secret_ends_on,
        fields: fields::of(
            kind,
            &typed.settings,
            place.connection.as_ref().map(|c| &c.secrets),
            &shown.dropped,
            &folders,
            &errors,
        ),
        way_on: place.connection.as_ref().and_then(|c| Some(way_on(*c.application_ids.first()?, c.id))),
        applications: place
            .applications
            .iter()
            .map(|a| ApplicationChoice {
                id: a.id,
                name: a.name.clone(),
                ticked: typed.application_ids.contains(&a.id),
                way_on: place
                    .connection
                    .as_ref()
                    .filter(|c| c.application_ids.len() > 1 && c.application_ids.contains(&a.id))
                    .map(|c| way_on(a.id, c.id)),
            })
            .collect(),
        errors,
        tested: shown.tested,
    };
    Page::with(shown.status, request, &template)
}

fn way_on(application_id: i64, connection_id: i64) -> String {
    format!("/applications/{application_id}/settings/import-configurations/new?source={connection_id}")
}

/// `GET /connections/new?kind=`; without a kind it asks for one.
pub async fn new_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    query: Query,
) -> Result<HttpResponse> {
    let place = place(&app, &by, None).await?;
    match connectors::kind(query.get("kind")) {
        Some(kind) => page(&request, &app, &by, &place, kind, Typed::blank(&place.applications), FINE).await,
        None => {
            let shell = shell(&request, &app, &by, "New Connection")
                .at("/connections")
                .crumbs([Crumb::to("Connections", "/connections"), Crumb::here("New Connection")]);
            Page::ok(&request, &KindsPage { shell, kinds: connectors::kinds() })
        }
    }
}

/// `GET /connections/{c}`
pub async fn edit_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let place = place(&app, &by, Some(*id)).await?;
    show(&request, &app, &by, &place, FINE).await
}

async fn show(request: &HttpRequest, app: &App, by: &By, place: &Place, shown: Shown) -> Result<HttpResponse> {
    let connection = place.connection.as_ref().ok_or(AppError::NotFound)?;
    let kind = connection.kind().ok_or_else(|| {
        AppError::Conflict(format!("This release has no Connections of the kind \"{}\".", connection.kind))
    })?;
    page(request, app, by, place, kind, Typed::of(connection), shown).await
}

/// `POST /connections/new`
pub async fn create(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    save(request, app, by, None, form).await
}

/// `POST /connections/{c}`
pub async fn change(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    save(request, app, by, Some(*id), form).await
}

fn kind_of(place: &Place, form: &Form) -> Result<&'static Kind> {
    let kind = match &place.connection {
        Some(connection) => connection.kind(),
        None => connectors::kind(form.get("kind")),
    };
    kind.ok_or_else(|| AppError::invalid("kind", "Choose a kind of Connection."))
}

async fn save(request: HttpRequest, app: Data<App>, by: By, id: Option<i64>, form: Form) -> Result<HttpResponse> {
    let place = place(&app, &by, id).await?;
    let kind = kind_of(&place, &form)?;
    let typed = Typed::read(&form)?;
    let draft = draft(kind, &form, &typed);
    let (who, secrets, version, now) = (by.clone(), app.secrets.clone(), typed.version, app.now());
    let saved = app
        .write(move |conn| match id {
            Some(id) => actions::update(conn, &secrets, &who, id, version, draft, now),
            None => actions::create(conn, &secrets, &who, draft, now),
        })
        .await;
    match saved {
        Ok(connection) => {
            let tested = test(&app, &by, connection.id).await?;
            let found = if tested.good { "It works:" } else { "It does not work yet:" };
            let said = format!("Saved the Connection “{}”. {found} {}", connection.name, tested.words);
            let flash = match connection.application_ids.first() {
                Some(application) if tested.good => {
                    Flash::new(said).link("Create an import from it", way_on(*application, connection.id))
                }
                Some(_) => Flash::new(said),
                None => Flash::new(format!("{said} Next, authorise it for an Application.")),
            };
            Ok(see_other(&format!("/connections/{}", connection.id), Some(flash)))
        }
        Err(error) => {
            let mut typed = typed;
            let there = place.connection.as_ref().map(|connection| connection.version).unwrap_or_default();
            let (status, errors) = refused(overtaken(error, there, |version| typed.version = Some(version)))?;
            page(&request, &app, &by, &place, kind, typed, Shown { status, errors, ..FINE }).await
        }
    }
}

/// `POST /connections/{c}/test`: tries what is typed. Nothing is saved.
pub async fn try_it(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    try_typed(request, app, by, Some(*id), form).await
}

/// `POST /connections/new/test`
pub async fn try_new(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    try_typed(request, app, by, None, form).await
}

async fn try_typed(request: HttpRequest, app: Data<App>, by: By, id: Option<i64>, form: Form) -> Result<HttpResponse> {
    let place = place(&app, &by, id).await?;
    let kind = kind_of(&place, &form)?;
    let typed = Typed::read(&form)?;
    let mut wrong = Vec::new();
    let tested = match test_draft(&app, &by, id, draft(kind, &form, &typed)).await {
        Ok(tested) => tested,
        Err(AppError::Invalid(errors)) if is_fragment(&request) => {
            let errors = fields::told(kind, at_controls(errors));
            let words = errors.details();
            wrong.extend(errors.0.into_iter().map(|error| (error.field, error.detail)));
            Tested { good: false, words }
        }
        Err(error) => {
            let (status, errors) = refused(error)?;
            return page(&request, &app, &by, &place, kind, typed, Shown { status, errors, ..FINE }).await;
        }
    };
    if is_fragment(&request) {
        return Page::ok(&request, &TestedPart { tested: Some(tested), wrong });
    }
    let dropped = with_prefix(&form, "secrets-").into_iter().filter(|(_, secret)| !secret.is_empty()).collect();
    page(&request, &app, &by, &place, kind, typed, Shown { tested: Some(tested), dropped, ..FINE }).await
}

/// `GET …/test`: of whoever loads the page of a test again.
pub async fn back(request: HttpRequest, SignedIn(_): SignedIn) -> HttpResponse {
    see_other(request.path().trim_end_matches("/test"), None)
}
