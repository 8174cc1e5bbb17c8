//! Signing in and out.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{go_in, knock, lone_shell, with_cookie};
use crate::app::App;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::sign_in as door;
use crate::members::{SignedIn, elsewhere, known, setup};
use crate::web::form::Query;
use crate::web::page::encode;
use crate::web::{self, Form, Page, Shell, csrf, local_path, see_other};

#[derive(Template)]
#[template(path = "members/sign_in.html")]
struct SignInPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    email: &'a str,
    next: &'a str,
    /// Where else one may sign in.
    elsewhere: Option<String>,
}

impl SignInPage<'_> {
    fn way(&self) -> String {
        format!("/sign-in/elsewhere?next={}", encode(self.next))
    }
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
    page(&request, &app, StatusCode::OK, FieldErrors::new(), "", next).await
}

pub(super) async fn page(
    request: &HttpRequest,
    app: &App,
    status: StatusCode,
    errors: FieldErrors,
    email: &str,
    next: &str,
) -> Result<HttpResponse> {
    let elsewhere = app.read(elsewhere::label).await?;
    let (shell, cookie) = lone_shell(request, app, "Sign in");
    with_cookie(Page::with(status, request, &SignInPage { shell, errors, email, next, elsewhere })?, cookie)
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
        return page(&request, &app, StatusCode::UNPROCESSABLE_ENTITY, errors, email, next).await;
    }
    let known = known::browser(&request, &app);
    match door::sign_in(&app, email, form.raw("password"), knock(&request, &app)).await {
        Ok(opened) => go_in(&app, opened, known.as_ref(), next),
        Err(error) => {
            let (status, errors, seconds) = turned_away(error)?;
            Ok(waits(page(&request, &app, status, errors, email, next).await?, seconds))
        }
    }
}

/// How a form of the door comes back: the status, what is wrong, and after how many seconds to try again.
pub(super) fn turned_away(error: AppError) -> Result<(StatusCode, FieldErrors, Option<u64>)> {
    if let AppError::TooMany { what, after_seconds } = error {
        let words = format!("{what} Wait {}, then try again.", wait(after_seconds));
        return Ok((StatusCode::TOO_MANY_REQUESTS, FieldErrors::one("", words), Some(after_seconds)));
    }
    let (status, errors) = web::refused(error)?;
    Ok((status, errors, None))
}

/// An answer that says so.
pub(super) fn waits(mut response: HttpResponse, seconds: Option<u64>) -> HttpResponse {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
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
        let (from, now) = (web::client_address(&request, &app.config), app.now());
        app.write(move |conn| door::sign_out(conn, &token, from, now)).await?;
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
