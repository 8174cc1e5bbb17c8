//! Making a copy, and giving it its original's definitions anew: both ask what stands for each Connection.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{environment, review_address};
use crate::app::{App, off_thread};
use crate::applications::{Application, Entered, settings_shell};
use crate::environments::cloning::{self, Preview, Used};
use crate::environments::model::{Chosen, Environment};
use crate::environments::refreshing;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{By, SignedIn};
use crate::web::{Crumb, Flash, Form, Page, Shell, refused, see_other};
use crate::words;

#[derive(Template)]
#[template(path = "environments/clone.html")]
struct ClonePage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    original: Application,
    preview: Preview,
    choices: Vec<Choice>,
    back: String,
}

#[derive(Template)]
#[template(path = "environments/refresh.html")]
struct RefreshPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    copy: Application,
    original: Application,
    preview: Preview,
    choices: Vec<Choice>,
    back: String,
}

/// A Connection of the original, and what may stand for it.
struct Choice {
    id: i64,
    name: String,
    imports: i64,
    /// Value, label, chosen.
    options: Vec<(String, String, bool)>,
}

/// No Connection.
const NONE: &str = "none";

impl Choice {
    fn of(used: &Used, form: &Form, may_authorise: bool) -> Self {
        let id = used.connection.id;
        let field = format!("connection-{id}");
        let typed = form.get(&field);
        let mut options: Vec<(String, String, bool)> = Vec::new();
        if may_authorise {
            options.push((String::new(), "Choose".to_owned(), typed.is_empty()));
        }
        for (choice, name) in &used.choices {
            let value = choice.to_string();
            let chosen = value == typed;
            options.push((value, name.clone(), chosen));
        }
        options.push((NONE.to_owned(), "None: its imports cannot run".to_owned(), typed == NONE));
        Self { id, name: used.connection.name.clone(), imports: used.imports, options }
    }
}

/// What was chosen on a form; who may authorise nothing chooses nothing.
fn chosen(form: &Form, preview: &Preview, errors: &mut FieldErrors) -> Chosen {
    let mut chosen = Chosen::new();
    for used in preview.connections.iter().filter(|_| preview.may_authorise) {
        let field = format!("connection-{}", used.connection.id);
        match form.get(&field) {
            NONE => {}
            text => match text.parse() {
                Ok(id) => drop(chosen.insert(used.connection.id, id)),
                Err(_) => errors.add(field, format!("Choose what the copy reads instead of {}.", used.connection.name)),
            },
        }
    }
    chosen
}

fn choices(preview: &Preview, form: &Form) -> Vec<Choice> {
    preview.connections.iter().map(|used| Choice::of(used, form, preview.may_authorise)).collect()
}

/// An Application for who may make copies of it, and what a copy would bring.
pub(super) async fn original(app: &Data<App>, by: &By, id: i64) -> Result<(Entered, Preview)> {
    let (asks, there) = (by.clone(), app.clone());
    app.read(move |conn| {
        let entered = cloning::enter(conn, &asks, id)?;
        Ok((entered, cloning::preview(conn, &there, &asks, id)?))
    })
    .await
}

fn clone_page(
    (request, app, by): (&HttpRequest, &App, &By),
    (entered, preview): (Entered, Preview),
    (status, errors): (StatusCode, FieldErrors),
    form: &Form,
) -> Result<HttpResponse> {
    let original = entered.application.clone();
    let back = environment(original.id);
    let shell = settings_shell(request, app, by, &entered, "Clone")
        .at(&back)
        .crumbs([Crumb::to("Environment", &back), Crumb::here("Clone")]);
    let choices = choices(&preview, form);
    Page::with(status, request, &ClonePage { shell, errors, form, original, preview, choices, back })
}

/// `GET {A}/clone`
pub async fn clone_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let found = original(&app, &by, id.into_inner()).await?;
    let name = format!("{} (test)", found.0.application.name);
    let form = Form(vec![("name".into(), name), ("rows".into(), "no".into()), ("access".into(), "on".into())]);
    clone_page((&request, &app, &by), found, (StatusCode::OK, FieldErrors::new()), &form)
}

/// `POST {A}/clone`
pub async fn clone(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let found = original(&app, &by, id).await?;
    let cloned = async {
        let mut errors = FieldErrors::new();
        crate::names::check_name("name", form.get("name"), None, &mut errors);
        let connections = chosen(&form, &found.1, &mut errors);
        errors.ok_or(())?;
        let (name, rows) = (form.get("name").to_owned(), form.get("rows") == "yes");
        let wanted = cloning::Wanted { name, rows, access: form.ticked("access"), connections };
        let (by, app, now) = (by.clone(), app.clone(), app.now());
        off_thread(move || {
            app.blocks.rest()?;
            app.db.lend(|conn| cloning::clone(conn, &app, &by, id, &wanted, now))
        })
        .await
    };
    match cloned.await {
        Ok(copy) => {
            let off = match found.1.schedules {
                0 => String::new(),
                n => format!(" Its {}.", words::counted(n, "schedule is off", "schedules are off")),
            };
            let words = format!("Created {}.{off}", copy.name);
            let to = if found.1.schedules > 0 { review_address(copy.id) } else { environment(copy.id) };
            Ok(see_other(&to, Some(Flash::new(words))))
        }
        Err(error) => clone_page((&request, &app, &by), found, refused(error)?, &form),
    }
}

async fn copy_of(app: &Data<App>, by: &By, id: i64) -> Result<(Entered, Entered, Environment, Preview)> {
    let (asks, there) = (by.clone(), app.clone());
    app.read(move |conn| {
        let (copy, original, environment) = refreshing::enter(conn, &asks, id)?;
        let preview = cloning::preview(conn, &there, &asks, original.application.id)?;
        Ok((copy, original, environment, preview))
    })
    .await
}

fn refresh_page(
    (request, app, by): (&HttpRequest, &App, &By),
    (copy, original, preview): (Entered, Entered, Preview),
    (status, errors): (StatusCode, FieldErrors),
    form: &Form,
) -> Result<HttpResponse> {
    let back = environment(copy.application.id);
    let shell = settings_shell(request, app, by, &copy, "Refresh")
        .at(&back)
        .crumbs([Crumb::to("Environment", &back), Crumb::here("Refresh")]);
    let choices = choices(&preview, form);
    let (copy, original) = (copy.application, original.application);
    Page::with(status, request, &RefreshPage { shell, errors, form, copy, original, preview, choices, back })
}

/// `GET {A}/refresh`
pub async fn refresh_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let (copy, original, environment, preview) = match copy_of(&app, &by, id).await {
        // It is no copy, or its original is gone.
        Err(AppError::Conflict(why)) => return Ok(see_other(&self::environment(id), Some(Flash::new(why)))),
        found => found?,
    };
    let rows = if environment.rows_of > 0 { "yes" } else { "no" };
    let mut form = Form(vec![("rows".into(), rows.into())]);
    for used in &preview.connections {
        let id = used.connection.id;
        let chosen = environment.connections.get(&id).map_or_else(|| NONE.to_owned(), i64::to_string);
        form.set(&format!("connection-{id}"), chosen);
    }
    refresh_page((&request, &app, &by), (copy, original, preview), (StatusCode::OK, FieldErrors::new()), &form)
}

/// `POST {A}/refresh`
pub async fn refresh(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let (copy, original, _, preview) = copy_of(&app, &by, id).await?;
    let refreshed = async {
        let mut errors = FieldErrors::new();
        // Who may authorise nothing leaves it as it was.
        let connections = Some(chosen(&form, &preview, &mut errors)).filter(|_| preview.may_authorise);
        errors.ok_or(())?;
        let (name, rows) = (form.get("name").to_owned(), form.get("rows") == "yes");
        let wanted = refreshing::Wanted { name, rows, connections };
        let (by, app, now) = (by.clone(), app.clone(), app.now());
        off_thread(move || {
            app.blocks.rest()?;
            app.db.lend(|conn| refreshing::refresh(conn, &app, &by, id, &wanted, now))
        })
        .await
    };
    match refreshed.await {
        Ok(copy) => {
            let words =
                format!("{} is refreshed from {}. Its schedules are off.", copy.name, original.application.name);
            let to = if preview.schedules > 0 { review_address(id) } else { environment(id) };
            Ok(see_other(&to, Some(Flash::new(words))))
        }
        Err(error) => refresh_page((&request, &app, &by), (copy, original, preview), refused(error)?, &form),
    }
}
