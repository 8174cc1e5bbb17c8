//! One freeze: what it is, what it skipped, and changing it until it has ended.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::{self, FormPart};
use super::{find, find_to_change, list_of, shell_of};
use crate::app::App;
use crate::applications::Entered;
use crate::error::{AppError, FieldErrors, Result};
use crate::freezes::{Freeze, Stage, actions};
use crate::members::{By, SignedIn};
use crate::web::{Flash, Form, Page, Shell, overtaken, refused, see_other};
use crate::words;

#[derive(Template)]
#[template(path = "freezes/edit.html")]
struct EditPage {
    shell: Shell,
    address: String,
    name: String,
    stage: &'static str,
    from: String,
    to: String,
    run_once: bool,
    skipped: String,
    /// `None` where nothing can be changed any more, or not by this member.
    form: Option<FormPart>,
    may_end: bool,
    may_delete: bool,
    holds: bool,
    version: i64,
}

async fn answer(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (freeze, entered): (Freeze, Entered),
    typed: Option<(StatusCode, FieldErrors, Form)>,
) -> Result<HttpResponse> {
    let (now, counted) = (app.now(), vec![freeze.clone()]);
    let skipped = app.read(move |conn| actions::skipped(conn, &counted)).await?.remove(&freeze.id).unwrap_or(0);
    let (zone, stage) = (entered.application.time_zone, freeze.stage(now));
    let shell = shell_of(request, app, by, &entered, Some(&freeze.name));
    let may = entered.may_configure();
    let (list, begun) = (list_of(freeze.application_id), words::date_time(freeze.starts_at, zone));
    let address = format!("{list}/{}", freeze.id);
    let will = match may && stage == Stage::Upcoming {
        true => {
            let (here, draft) = (entered.clone(), freeze.draft());
            let will = app.read(move |conn| actions::will_skip(conn, &here, &draft, now)).await?;
            Some(form::will_words(&freeze.draft(), will, zone, now))
        }
        false => None,
    };
    let (status, errors, form) = typed.unwrap_or_else(|| (StatusCode::OK, FieldErrors::new(), form::of(&freeze)));
    let form = (may && stage != Stage::Ended).then(|| FormPart {
        csrf: shell.csrf.clone(),
        action: address.clone(),
        preview: format!("{list}/preview"),
        errors,
        form,
        begun: (stage == Stage::Now).then(|| format!("{begun} ({zone})")),
        zone,
        will,
        submit: "Save",
    });
    let template = EditPage {
        shell,
        address,
        name: freeze.name.clone(),
        stage: stage.words(),
        from: begun,
        to: freeze.end_words(),
        run_once: freeze.run_once,
        skipped: match skipped {
            0 if stage == Stage::Ended => "nothing".into(),
            0 => "nothing yet".into(),
            n => words::counted(n, "occurrence", "occurrences"),
        },
        form,
        may_end: may && stage == Stage::Now,
        may_delete: may,
        holds: stage == Stage::Now,
        version: freeze.version,
    };
    Page::with(status, request, &template)
}

/// `GET {A}/settings/freezes/{f}`
pub async fn edit_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let found = find(&app, &by, *ids).await?;
    answer(&request, &app, &by, found, None).await
}

/// `POST {A}/settings/freezes/{f}`
pub async fn update(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let now = app.now();
    let (freeze, entered) = find_to_change(&app, &by, *ids).await?;
    let open = freeze.stage(now) != Stage::Ended;
    let saved = async {
        // What has ended is refused as that, whatever was typed.
        let typed = form::draft(&form, Some(&freeze), freeze.time_zone, now);
        let draft = if open { typed? } else { freeze.draft() };
        let (by, id, version) = (by.clone(), freeze.id, form.id("version"));
        app.write(move |conn| actions::update(conn, &by, id, version, draft, now)).await
    };
    match saved.await {
        Ok(saved) => Ok(see_other(&list_of(ids.0), Some(Flash::new(format!("The freeze “{}” is saved.", saved.name))))),
        // What has ended has no form any more.
        Err(error) if !open => Err(error),
        Err(error) => {
            let name_taken = matches!(error, AppError::Conflict(_));
            let mut form = form;
            let error = overtaken(error, freeze.version, |version| form.set("version", version));
            let (status, mut errors) = refused(error)?;
            if name_taken {
                errors.0.iter_mut().for_each(|e| e.field = "name".into());
            }
            let typed = (status, form::at_controls(errors), form);
            answer(&request, &app, &by, (freeze, entered), Some(typed)).await
        }
    }
}
