//! The first start, in a browser: who administers this Workspace, and what it is called.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::door::{turned_away, waits};
use super::{let_in, lone_shell, origin, with_cookie};
use crate::app::App;
use crate::error::{FieldErrors, Result};
use crate::members::passwords::ADVICE;
use crate::members::setup::{self as first, Begin};
use crate::web::{Flash, Form, Page, Shell, see_other, zones};

#[derive(Template)]
#[template(path = "members/setup.html")]
struct SetupPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    base_url: &'a str,
    advice: &'static str,
}

/// `GET /setup`
pub async fn setup(request: HttpRequest, app: Data<App>) -> Result<HttpResponse> {
    app.read(first::need_open).await?;
    // The browser's zone takes the place of UTC where a script tells it.
    let form = Form(vec![("workspace".into(), "Workspace".into()), ("time_zone".into(), "UTC".into())]);
    page(&request, &app, StatusCode::OK, FieldErrors::new(), &form)
}

fn page(
    request: &HttpRequest,
    app: &App,
    status: StatusCode,
    errors: FieldErrors,
    form: &Form,
) -> Result<HttpResponse> {
    let (shell, cookie) = lone_shell(request, app, "Set up");
    let base_url = app.base_url.as_str().trim_end_matches('/');
    with_cookie(Page::with(status, request, &SetupPage { shell, errors, form, base_url, advice: ADVICE })?, cookie)
}

/// `POST /setup`
pub async fn begin(request: HttpRequest, app: Data<App>, form: Form) -> Result<HttpResponse> {
    let begin = Begin {
        code: form.get("code").to_owned(),
        email: form.get("email").to_owned(),
        name: form.get("name").to_owned(),
        password: form.raw("password").to_owned(),
        workspace: form.get("workspace").to_owned(),
        time_zone: zones::parse(form.get("time_zone")),
    };
    match first::begin(&app, begin, origin(&request, &app)).await {
        Ok(entered) => {
            let words = "You are the Administrator of this Workspace. If you want e-mail, send a test mail under Mail.";
            let_in(see_other("/", Some(Flash::new(words))), &app, entered, None)
        }
        Err(error) => {
            let (status, errors, seconds) = turned_away(error)?;
            Ok(waits(page(&request, &app, status, errors, &form)?, seconds))
        }
    }
}
