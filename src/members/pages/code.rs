//! The second step of signing in: the code of the second factor. The password is not asked for again.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::door::{turned_away, waits};
use super::{knock, let_in, lone_shell, with_cookie};
use crate::app::App;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{half_way, known, second_factor};
use crate::web::form::Query;
use crate::web::{Flash, Form, Page, Shell, local_path, see_other};
use crate::words;

#[derive(Template)]
#[template(path = "members/code.html")]
struct CodePage<'a> {
    shell: Shell,
    errors: FieldErrors,
    next: &'a str,
}

fn page(request: &HttpRequest, app: &App, status: StatusCode, errors: FieldErrors, next: &str) -> Result<HttpResponse> {
    let (shell, cookie) = lone_shell(request, app, "Enter your code");
    with_cookie(Page::with(status, request, &CodePage { shell, errors, next })?, cookie)
}

/// `GET /sign-in/code?next=`: for whoever came here by a right password.
pub async fn code(request: HttpRequest, app: Data<App>, query: Query) -> Result<HttpResponse> {
    let next = local_path(query.get("next")).unwrap_or("/");
    let half_way =
        half_way::COOKIE.value(&request, &app).and_then(|value| half_way::open(&app.secrets, &value, app.now()));
    match half_way {
        Some(_) => page(&request, &app, StatusCode::OK, FieldErrors::new(), next),
        None => Ok(see_other("/sign-in", None)),
    }
}

/// `POST /sign-in/code`
pub async fn enter(request: HttpRequest, app: Data<App>, form: Form) -> Result<HttpResponse> {
    let next = local_path(form.get("next")).unwrap_or("/");
    let known = known::browser(&request, &app);
    let entered = async {
        let half_way = half_way::COOKIE.value(&request, &app).ok_or(AppError::SignedOut)?;
        if form.get("code").is_empty() {
            return Err(AppError::invalid("code", "Enter a code of your app, or a recovery code."));
        }
        second_factor::enter(&app, &half_way, form.get("code"), knock(&request, &app)).await
    };
    match entered.await {
        Ok(by_code) => {
            let said = by_code.codes_left.map(|left| {
                let left = words::counted(left, "recovery code is", "recovery codes are");
                Flash::new(format!("You used a recovery code. {left} left."))
                    .link("Your second factor", "/account/second-factor")
            });
            let mut response = let_in(see_other(next, said), &app, by_code.entered, known.as_ref())?;
            response.add_cookie(&half_way::COOKIE.with(&app, None)).map_err(AppError::internal)?;
            Ok(response)
        }
        Err(AppError::SignedOut) => Ok(see_other(
            "/sign-in",
            Some(Flash::new("Sign in again: that took too long, or your account was changed.")),
        )),
        Err(error) => {
            let (status, errors, seconds) = turned_away(error)?;
            Ok(waits(page(&request, &app, status, errors, next)?, seconds))
        }
    }
}
