//! A new password for who forgot theirs.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::door::{turned_away, waits};
use super::member::{Handed, member_page};
use super::{lone_shell, with_cookie};
use crate::app::App;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::links::Way;
use crate::members::passwords::ADVICE;
use crate::members::{SignedIn, actions, check_email, known, links, reset, second_factor};
use crate::web::{self, Flash, Form, Page, Shell, see_other};

#[derive(Template)]
#[template(path = "members/forgot.html")]
struct ForgotPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    email: &'a str,
    sent: bool,
    /// Why no link is mailed from here.
    unmailed: Option<&'static str>,
}

/// `GET /password/forgot`
pub async fn forgot(request: HttpRequest, app: Data<App>) -> Result<HttpResponse> {
    forgot_page(&request, &app, StatusCode::OK, FieldErrors::new(), "").await
}

async fn forgot_page(
    request: &HttpRequest,
    app: &Data<App>,
    status: StatusCode,
    errors: FieldErrors,
    email: &str,
) -> Result<HttpResponse> {
    let asks = app.clone();
    let unmailed = app.read(move |conn| links::unmailed(&asks, conn)).await?;
    let (shell, cookie) = lone_shell(request, app, "Forgot your password?");
    // What was sent without being wrong was taken.
    let sent = errors.is_empty() && !email.is_empty();
    with_cookie(Page::with(status, request, &ForgotPage { shell, errors, email, sent, unmailed })?, cookie)
}

/// `POST /password/forgot`: the same answer for everybody.
pub async fn ask(request: HttpRequest, app: Data<App>, form: Form) -> Result<HttpResponse> {
    let mut errors = FieldErrors::new();
    let email = check_email(form.get("email"), &mut errors);
    let asked = match errors.ok_or(()) {
        Ok(()) => reset::ask(&app, &email, web::client_address(&request, &app.config)).await,
        Err(errors) => Err(errors.into()),
    };
    match asked {
        Ok(()) => forgot_page(&request, &app, StatusCode::OK, FieldErrors::new(), &email).await,
        Err(error) => {
            let (status, errors, seconds) = turned_away(error)?;
            Ok(waits(forgot_page(&request, &app, status, errors, form.get("email")).await?, seconds))
        }
    }
}

#[derive(Template)]
#[template(path = "members/reset.html")]
struct ResetPage {
    shell: Shell,
    errors: FieldErrors,
    /// Whose password it is; `None`: the link does not work.
    email: Option<String>,
    action: String,
    advice: &'static str,
    typed: bool,
}

fn reset_page(
    request: &HttpRequest,
    app: &App,
    status: StatusCode,
    errors: FieldErrors,
    email: Option<String>,
) -> Result<HttpResponse> {
    let (shell, cookie) = lone_shell(request, app, "Set a new password");
    let typed = !errors.is_empty();
    let action = request.path().to_owned();
    with_cookie(
        Page::with(status, request, &ResetPage { shell, errors, email, action, advice: ADVICE, typed })?,
        cookie,
    )
}

/// `GET /password/reset/{reset}`
pub async fn reset_form(request: HttpRequest, app: Data<App>, token: Path<String>) -> Result<HttpResponse> {
    let (token, now) = (token.into_inner(), app.now());
    match app.read(move |conn| reset::open(conn, &token, now)).await {
        Ok(member) => reset_page(&request, &app, StatusCode::OK, FieldErrors::new(), Some(member.email)),
        Err(AppError::NotFound) => reset_page(&request, &app, StatusCode::NOT_FOUND, FieldErrors::new(), None),
        Err(error) => Err(error),
    }
}

/// `POST /password/reset/{reset}`
pub async fn set_password(
    request: HttpRequest,
    app: Data<App>,
    token: Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let token = token.into_inner();
    let (known, address) = (known::browser(&request, &app), web::client_address(&request, &app.config));
    match reset::set(&app, token.clone(), form.raw("password"), address, known.clone()).await {
        Ok(member) => {
            let said = Flash::new("Your new password is set. Sign in with it.");
            let mut response = see_other("/sign-in", Some(said));
            // With a second factor, whoever has the link is only half-way in: codes are guessed as in any browser.
            if !app.read(move |conn| second_factor::is_on(conn, member.id)).await? {
                let cookie = known::cookie(&app, member.id, known.as_ref())?;
                response.add_cookie(&cookie).map_err(AppError::internal)?;
            }
            Ok(response)
        }
        Err(AppError::NotFound) => reset_page(&request, &app, StatusCode::NOT_FOUND, FieldErrors::new(), None),
        Err(error) => {
            let (status, errors) = web::refused(error)?;
            let now = app.now();
            let member = app.read(move |conn| reset::open(conn, &token, now)).await?;
            reset_page(&request, &app, status, errors, Some(member.email))
        }
    }
}

/// `POST /members/{member}/reset-link`: mailed, or shown this once.
pub async fn reset_link(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    _: Form,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let id = id.into_inner();
    match reset::make(&app, &by, id).await {
        Ok((member, Way::Mailed)) => {
            let words = format!("A link to set a new password is on its way to {}.", member.email);
            Ok(see_other(&format!("/members/{id}"), Some(Flash::new(words))))
        }
        Ok((_, Way::Shown { url, why })) => {
            member_page(&request, &app, &by, id, Handed { link: Some((url, why)), ..Handed::default() }).await
        }
        Err(error) => {
            let (status, errors) = web::refused(error)?;
            member_page(&request, &app, &by, id, Handed { refused: Some((status, errors, None)), link: None }).await
        }
    }
}
