//! Signing in and out.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{let_in, lone_shell, with_cookie};
use crate::app::App;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::sign_in::{self as door, Knock};
use crate::members::{SignedIn, known, setup};
use crate::web::form::Query;
use crate::web::{self, Form, Page, Shell, csrf, local_path, see_other};

#[derive(Template)]
#[template(path = "members/sign_in.html")]
struct SignInPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    email: &'a str,
    next: &'a str,
}

/// `GET /sign-in?next=`
pub async fn sign_in_page(
    request: HttpRequest,
    app: Data<App>,
    query: Query,
    member: Result<SignedIn>,
) -> Result<HttpResponse> {
    let next = local_path(query.get("next")).unwrap_or("/");
    if member.is_ok() {
        return Ok(see_other(next, None));
    }
    if app.read(setup::need_open).await.is_ok() {
        return Ok(see_other("/setup", None));
    }
    page(&request, &app, StatusCode::OK, FieldErrors::new(), "", next)
}

fn page(
    request: &HttpRequest,
    app: &App,
    status: StatusCode,
    errors: FieldErrors,
    email: &str,
    next: &str,
) -> Result<HttpResponse> {
    let (shell, cookie) = lone_shell(request, app, "Sign in");
    with_cookie(Page::with(status, request, &SignInPage { shell, errors, email, next })?, cookie)
}

/// `POST /sign-in`
pub async fn sign_in(request: HttpRequest, app: Data<App>, form: Form) -> Result<HttpResponse> {
    let (email, next) = (form.get("email"), local_path(form.get("next")).unwrap_or("/"));
    let mut errors = FieldErrors::new();
    if email.is_empty() {
        errors.add("email", "Enter your e-mail address.");
    }
    if form.raw("password").is_empty() {
        errors.add("password", "Enter your password.");
    }
    if !errors.is_empty() {
        return page(&request, &app, StatusCode::UNPROCESSABLE_ENTITY, errors, email, next);
    }
    let known = known::browser(&request, &app);
    let knock = Knock {
        address: web::client_address(&request, &app.config),
        known: known.clone(),
        old: csrf::session_value(&request, app.secure()),
    };
    match door::sign_in(&app, email, form.raw("password"), knock).await {
        Ok(entered) => let_in(see_other(next, None), &app, entered, known.as_ref()),
        Err(error @ AppError::TooMany { .. }) => {
            let seconds = web::errors::retry_after(&error).unwrap_or(1);
            let words = format!("Too many attempts. Wait {}, then try again.", wait(seconds));
            let errors = FieldErrors::one("", words);
            let mut response = page(&request, &app, StatusCode::TOO_MANY_REQUESTS, errors, email, next)?;
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            Ok(response)
        }
        Err(error) => {
            let (status, errors) = web::refused(error)?;
            page(&request, &app, status, errors, email, next)
        }
    }
}

/// "40 seconds", "3 minutes".
pub(super) fn wait(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    if seconds < 120 {
        crate::words::counted(seconds, "second", "seconds")
    } else {
        crate::words::counted(seconds / 60 + 1, "minute", "minutes")
    }
}

/// `POST /sign-out`
pub async fn sign_out(request: HttpRequest, app: Data<App>) -> Result<HttpResponse> {
    if let Some(token) = csrf::session_value(&request, app.secure()) {
        let now = app.now();
        app.write(move |conn| door::sign_out(conn, &token, now)).await?;
    }
    let mut response = see_other("/sign-in", None);
    let mut cookie = csrf::session_cookie(app.secure(), "");
    cookie.make_removal();
    response.add_cookie(&cookie).map_err(AppError::internal)?;
    Ok(response)
}

/// `GET /session`: the token of a living session, for a page whose own session ended meanwhile.
pub async fn session_token(request: HttpRequest, app: Data<App>, _: SignedIn) -> Result<HttpResponse> {
    let value = csrf::session_value(&request, app.secure()).ok_or(AppError::SignedOut)?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(csrf::token_for(&value)))
}

#[derive(Template)]
#[template(path = "members/signed_in.html")]
struct SignedInPage {
    shell: Shell,
}

/// `GET /signed-in`: where the other tab ends.
pub async fn signed_in(request: HttpRequest, app: Data<App>, _: SignedIn) -> Result<HttpResponse> {
    let (shell, _) = lone_shell(&request, &app, "Signed in");
    Page::ok(&request, &SignedInPage { shell })
}
