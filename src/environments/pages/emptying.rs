//! Making an Application empty again.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::cloning::original;
use super::environment;
use crate::app::App;
use crate::applications::{Application, Entered, settings_shell};
use crate::environments::cloning::Preview;
use crate::environments::resetting;
use crate::error::{FieldErrors, Result};
use crate::members::{By, SignedIn};
use crate::web::{Crumb, Flash, Form, Page, Shell, refused, see_other};

#[derive(Template)]
#[template(path = "environments/reset.html")]
struct ResetPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    application: Application,
    preview: Preview,
    back: String,
}

fn page(
    (request, app, by): (&HttpRequest, &App, &By),
    (entered, preview): (Entered, Preview),
    (status, errors): (StatusCode, FieldErrors),
    form: &Form,
) -> Result<HttpResponse> {
    let back = environment(entered.application.id);
    let shell = settings_shell(request, app, by, &entered, "Reset")
        .at(&back)
        .crumbs([Crumb::to("Environment", &back), Crumb::here("Reset")]);
    Page::with(status, request, &ResetPage { shell, errors, form, application: entered.application, preview, back })
}

/// `GET {A}/reset`: asks.
pub async fn reset_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let found = original(&app, &by, id.into_inner()).await?;
    page((&request, &app, &by), found, (StatusCode::OK, FieldErrors::new()), &Form(Vec::new()))
}

/// `POST {A}/reset`
pub async fn reset(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let found = original(&app, &by, id).await?;
    let (asks, there, typed, now) = (by.clone(), app.clone(), form.get("name").to_owned(), app.now());
    match app.write(move |conn| resetting::reset(conn, &there, &asks, id, &typed, now)).await {
        Ok(application) => {
            let words = format!("{} is reset. Its rows and history are being removed.", application.name);
            Ok(see_other(&environment(id), Some(Flash::new(words))))
        }
        Err(error) => page((&request, &app, &by), found, refused(error)?, &form),
    }
}
