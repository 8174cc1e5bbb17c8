//! A new table, and one that is there.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{find, find_to_change, lines, list_of, shell_of, words};
use crate::app::App;
use crate::applications::Entered;
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::{Named, Thing};
use crate::members::{By, SignedIn};
use crate::translations::{Draft, Otherwise, Translation, actions};
use crate::web::{Flash, Form, Page, Shell, overtaken, refused, see_other};
use crate::words::counted;

#[derive(Template)]
#[template(path = "translations/edit.html")]
struct EditPage {
    shell: Shell,
    title: String,
    action: String,
    list: String,
    /// The table's own address; none while it is being made.
    here: Option<String>,
    /// For who may not change it: who can.
    read_only: Option<String>,
    errors: FieldErrors,
    form: Form,
    others: Vec<(String, &'static str)>,
    uses: Vec<Named>,
}

/// So many of its uses are listed.
const LISTED: usize = 12;

type Typed = (StatusCode, FieldErrors, Form);

async fn answer(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (table, entered): (Option<&Translation>, &Entered),
    typed: Option<Typed>,
) -> Result<HttpResponse> {
    let (in_use, id, asks, there) = (app.in_use, table.map(|t| t.id), by.clone(), entered.clone());
    let (uses, read_only) = app
        .read(move |conn| {
            let uses = id.map_or(Ok(Vec::new()), |id| in_use.all(conn, Thing::Translation(id)))?;
            match there.need_configure(conn, &asks) {
                Ok(()) => Ok((uses, None)),
                Err(AppError::Forbidden(words)) => Ok((uses, Some(words))),
                Err(error) => Err(error),
            }
        })
        .await?;
    let title = table.map_or("New translation table", |table| &table.name);
    let list = list_of(entered.application.id);
    let here = id.map(|id| format!("{list}/{id}"));
    let (status, errors, form) = typed.unwrap_or_else(|| (StatusCode::OK, FieldErrors::new(), form_of(table)));
    let template = EditPage {
        shell: shell_of(request, app, by, entered, Some(title)),
        title: title.to_owned(),
        action: here.clone().unwrap_or_else(|| format!("{list}/new")),
        list,
        here,
        read_only,
        errors,
        form,
        others: Otherwise::ALL.iter().map(|otherwise| (otherwise.to_string(), words(*otherwise))).collect(),
        uses,
    };
    Page::with(status, request, &template)
}

/// The controls as they show a table, or a blank one.
fn form_of(table: Option<&Translation>) -> Form {
    let mut form = Form(vec![("otherwise".into(), table.map_or(Otherwise::Keep, |t| t.otherwise).to_string())]);
    if let Some(table) = table {
        form.set("name", &table.name);
        form.set("version", table.version);
        form.set("entries", lines::write(&table.entries));
    }
    form
}

/// Reads the form; what is wrong with an entry is named by its line.
fn draft(form: &Form, was: Option<&Translation>) -> Result<Draft, FieldErrors> {
    let (entries, wrong) = lines::read(form.raw("entries"));
    let otherwise = Otherwise::parse(form.get("otherwise"));
    let mut draft =
        Draft { name: form.get("name").to_owned(), otherwise: otherwise.unwrap_or(Otherwise::Keep), entries };
    let mut errors = draft.check_whole(was);
    errors.extend(wrong);
    if otherwise.is_none() {
        errors.add("otherwise", "Choose what becomes of any other value.");
    }
    errors.ok_or(draft)
}

/// How a form comes back: with what was typed. A conflict is one of names.
fn back(error: AppError, form: Form) -> Result<Typed> {
    let name_taken = matches!(error, AppError::Conflict(_));
    let (status, mut errors) = refused(error)?;
    if name_taken {
        errors.0.iter_mut().for_each(|e| e.field = "name".into());
    }
    Ok((status, errors, form))
}

async fn enter_to_change(app: &App, by: &By, application_id: i64) -> Result<Entered> {
    let by = by.clone();
    app.read(move |conn| {
        let entered = actions::enter(conn, &by, application_id)?;
        entered.need_configure(conn, &by)?;
        Ok(entered)
    })
    .await
}

/// `GET {A}/settings/translations/new`
pub async fn new_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let entered = enter_to_change(&app, &by, *id).await?;
    answer(&request, &app, &by, (None, &entered), None).await
}

/// `POST {A}/settings/translations/new`
pub async fn create(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let (id, now) = (*id, app.now());
    let entered = enter_to_change(&app, &by, id).await?;
    let saved = async {
        let (draft, by) = (draft(&form, None)?, by.clone());
        app.write(move |conn| actions::create(conn, &by, id, draft, now)).await
    };
    match saved.await {
        Ok(made) => Ok(see_other(&list_of(id), Some(Flash::new(said("Created", &made))))),
        Err(error) => answer(&request, &app, &by, (None, &entered), Some(back(error, form)?)).await,
    }
}

/// `GET {A}/settings/translations/{t}`
pub async fn edit_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let (table, entered) = find(&app, &by, *ids).await?;
    answer(&request, &app, &by, (Some(&table), &entered), None).await
}

/// `POST {A}/settings/translations/{t}`
pub async fn update(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let now = app.now();
    let (table, entered) = find_to_change(&app, &by, *ids).await?;
    let saved = async {
        let (draft, by, id, version) = (draft(&form, Some(&table))?, by.clone(), table.id, form.id("version"));
        app.write(move |conn| actions::update(conn, &by, id, version, draft, now)).await
    };
    match saved.await {
        Ok(saved) => Ok(see_other(&list_of(ids.0), Some(Flash::new(said("Saved", &saved))))),
        Err(error) => {
            let mut form = form;
            let error = overtaken(error, table.version, |version| form.set("version", version));
            answer(&request, &app, &by, (Some(&table), &entered), Some(back(error, form)?)).await
        }
    }
}

fn said(verb: &str, table: &Translation) -> String {
    let entries = counted(i64::try_from(table.entries.len()).unwrap_or(i64::MAX), "entry", "entries");
    format!("{verb} the translation table “{}” with {entries}.", table.name)
}
