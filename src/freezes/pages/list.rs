//! `{A}/settings/freezes`: what is frozen now, later and was before; a new one.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::{self, FormPart};
use super::{list_of, shell_of};
use crate::app::App;
use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::freezes::{Freeze, Stage, actions, of_application};
use crate::members::{By, SignedIn};
use crate::web::page::is_fragment;
use crate::web::{Flash, Form, Page, Shell, refused, see_other};
use crate::words;

/// How many that have ended are listed.
const PAST: usize = 50;

#[derive(Template)]
#[template(path = "freezes/list.html")]
struct ListPage {
    shell: Shell,
    list: String,
    rows: Vec<Row>,
    /// For who may change them.
    form: Option<FormPart>,
    /// For who may not: who can.
    read_only: String,
    older: usize,
}

struct Row {
    id: i64,
    name: String,
    from: String,
    to: String,
    chip: &'static str,
    icon: &'static str,
    stage: &'static str,
    now: bool,
    end: &'static str,
    skipped: String,
}

struct FreezeScene {
    entered: Entered,
    freezes: Vec<Freeze>,
    skipped: HashMap<i64, i64>,
    refusal: Option<String>,
}

fn load(conn: &mut Conn, by: &By, application_id: i64) -> Result<FreezeScene> {
    let entered = actions::enter(conn, by, application_id)?;
    let freezes = of_application(conn, application_id)?;
    let skipped = actions::skipped(conn, &freezes)?;
    let refusal = match entered.need_configure(conn, by) {
        Ok(()) => None,
        Err(AppError::Forbidden(words)) => Some(words),
        Err(error) => return Err(error),
    };
    Ok(FreezeScene { entered, freezes, skipped, refusal })
}

/// Now, then what comes, then what has been, the latest first.
fn rows(scene: &FreezeScene, now: Moment) -> (Vec<Row>, usize) {
    let zone = scene.entered.application.time_zone;
    let mut living: Vec<&Freeze> = scene.freezes.iter().filter(|f| f.stage(now) != Stage::Ended).collect();
    living.sort_by_key(|f| f.stage(now) == Stage::Upcoming);
    let mut past: Vec<&Freeze> = scene.freezes.iter().filter(|f| f.stage(now) == Stage::Ended).collect();
    past.sort_by_key(|f| std::cmp::Reverse(f.ends_at));
    let older = past.len().saturating_sub(PAST);
    let shown = living.into_iter().chain(past.into_iter().take(PAST));
    let rows = shown.map(|freeze| {
        let stage = freeze.stage(now);
        let (chip, icon) = match stage {
            Stage::Upcoming => ("", "clock"),
            Stage::Now => ("is-warn", "pause"),
            Stage::Ended => ("", "check"),
        };
        Row {
            id: freeze.id,
            name: freeze.name.clone(),
            from: words::date_time(freeze.starts_at, zone),
            to: words::date_time(freeze.ends_at, zone),
            chip,
            icon,
            stage: stage.words(),
            now: stage == Stage::Now,
            end: if freeze.run_once { "Each skipped import runs once" } else { "Nothing runs" },
            skipped: match scene.skipped.get(&freeze.id) {
                Some(n) => words::counted(*n, "occurrence", "occurrences"),
                None if stage == Stage::Upcoming => "Not yet".into(),
                None => "None".into(),
            },
        }
    });
    (rows.collect(), older)
}

type Typed = (StatusCode, FieldErrors, Form, Option<String>);

async fn answer(request: &HttpRequest, app: &App, by: &By, id: i64, typed: Option<Typed>) -> Result<HttpResponse> {
    let (asks, now) = (by.clone(), app.now());
    let scene = app.read(move |conn| load(conn, &asks, id)).await?;
    let (rows, older) = rows(&scene, now);
    let zone = scene.entered.application.time_zone;
    let shell = shell_of(request, app, by, &scene.entered, None);
    let list = list_of(id);
    let (status, errors, form, will) =
        typed.unwrap_or_else(|| (StatusCode::OK, FieldErrors::new(), form::blank(zone, now), None));
    let form = scene.refusal.is_none().then(|| FormPart {
        csrf: shell.csrf.clone(),
        action: list.clone(),
        preview: format!("{list}/preview"),
        errors,
        form,
        begun: None,
        zone,
        will,
        submit: "Create freeze",
    });
    let read_only = scene.refusal.unwrap_or_default();
    Page::with(status, request, &ListPage { shell, list, rows, form, read_only, older })
}

/// `GET {A}/settings/freezes`
pub async fn list(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>) -> Result<HttpResponse> {
    answer(&request, &app, &by, *id, None).await
}

/// Entered for who may change freezes: who may not answers before what is wrong.
async fn enter_to_change(app: &App, by: &By, id: i64) -> Result<Entered> {
    let by = by.clone();
    app.read(move |conn| {
        let entered = actions::enter(conn, &by, id)?;
        entered.need_configure(conn, &by)?;
        Ok(entered)
    })
    .await
}

/// `POST {A}/settings/freezes`
pub async fn create(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let (id, now) = (*id, app.now());
    let zone = enter_to_change(&app, &by, id).await?.application.time_zone;
    let saved = async {
        let draft = form::draft(&form, None, zone, now)?;
        let by = by.clone();
        app.write(move |conn| actions::create(conn, &by, id, draft, now)).await
    };
    match saved.await {
        Ok(made) => {
            let begins =
                if made.stage(now) == Stage::Now { "now".to_owned() } else { words::date_time(made.starts_at, zone) };
            let said = format!("“{}” freezes the schedules from {begins} until {}.", made.name, made.end_words());
            Ok(see_other(&list_of(id), Some(Flash::new(said))))
        }
        Err(error) => {
            let name_taken = matches!(error, AppError::Conflict(_));
            let (status, mut errors) = refused(error)?;
            if name_taken {
                errors.0.iter_mut().for_each(|e| e.field = "name".into());
            }
            let typed = (status, form::at_controls(errors), form, None);
            answer(&request, &app, &by, id, Some(typed)).await
        }
    }
}

#[derive(Template)]
#[template(path = "freezes/will.html")]
struct Will {
    will: String,
}

/// `POST {A}/settings/freezes/preview`: what the freeze in the form would skip. Nothing is saved; while something is
/// wrong the fragment says so, and without scripting the form comes back with it.
pub async fn preview(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let (id, now) = (*id, app.now());
    let entered = enter_to_change(&app, &by, id).await?;
    let zone = entered.application.time_zone;
    // The name may come last.
    let mut named = form.clone();
    named.0.insert(0, ("name".into(), "unnamed".into()));
    let will = match form::draft(&named, None, zone, now) {
        Ok(draft) => {
            let counted = draft.clone();
            let will = app.read(move |conn| actions::will_skip(conn, &entered, &counted, now)).await?;
            Ok(form::will_words(&draft, will, zone, now))
        }
        Err(errors) => Err(errors),
    };
    if is_fragment(&request) {
        let first = |errors: FieldErrors| errors.0.into_iter().next().map(|e| e.detail).unwrap_or_default();
        return Page::ok(&request, &Will { will: will.unwrap_or_else(first) });
    }
    let typed = match will {
        Ok(will) => (StatusCode::OK, FieldErrors::new(), form, Some(will)),
        Err(errors) => (StatusCode::UNPROCESSABLE_ENTITY, errors, form, None),
    };
    answer(&request, &app, &by, id, Some(typed)).await
}
