//! An [`AppError`] as a page: what happened, and what to do about it. A fault of ours is logged with its cause and
//! shown with a number under which it is found in the log.

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;

use super::{Shell, assets};
use crate::error::{AppError, FieldErrors};

#[derive(Template)]
#[template(path = "web/error.html")]
struct ErrorPage<'a> {
    shell: Shell,
    said: &'a Said,
}

/// What an error page says; kept with the answer.
#[derive(Clone)]
pub struct Said {
    status: u16,
    title: &'static str,
    detail: String,
}

impl Said {
    /// The page that says it, within a shell.
    pub fn within(&self, shell: Shell) -> String {
        let page = ErrorPage { shell: Shell { title: self.title.into(), flash: None, ..shell }, said: self };
        page.render().unwrap_or_else(|_| self.title.to_owned())
    }
}

/// The status that a meaning has in HTTP, for pages and the API alike.
pub fn status(error: &AppError) -> StatusCode {
    match error {
        AppError::SignedOut | AppError::TokenEnded => StatusCode::UNAUTHORIZED,
        AppError::Forbidden(_) => StatusCode::FORBIDDEN,
        AppError::NotFound => StatusCode::NOT_FOUND,
        AppError::Conflict(_) | AppError::Taken { .. } => StatusCode::CONFLICT,
        AppError::Stale(_) => StatusCode::PRECONDITION_FAILED,
        AppError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        AppError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        AppError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        AppError::Unavailable { .. } | AppError::DiskFull => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// How a form comes back: with the status and what is wrong with it. An error that no form can mend goes on as a page.
pub fn refused(error: AppError) -> Result<(StatusCode, FieldErrors), AppError> {
    let status = status(&error);
    match error {
        AppError::Invalid(errors) => Ok((status, errors)),
        AppError::Taken { field, words } => Ok((status, FieldErrors::one(field, words))),
        AppError::Conflict(reason) | AppError::Stale(reason) => Ok((status, FieldErrors::one("", reason))),
        other => Err(other),
    }
}

/// How a form comes back that somebody else's change overtook: with what was typed and the version that is there now,
/// so that whoever was told, and saves once more, means it. Any other error stays as it is.
pub fn overtaken(error: AppError, version: i64, renew: impl FnOnce(i64)) -> AppError {
    match error {
        AppError::Stale(reason) => {
            renew(version);
            AppError::Stale(format!("{reason} What you typed is still here: save again to replace the new version."))
        }
        other => other,
    }
}

/// What is wrong, by the names of controls: those of the API with dashes for dots (`source.path` is `source-path`),
/// because the id of an element holds no dot.
pub fn at_controls(mut errors: FieldErrors) -> FieldErrors {
    for error in &mut errors.0 {
        error.field = error.field.replace('.', "-");
    }
    errors
}

/// The seconds after which it is worth trying again.
pub fn retry_after(error: &AppError) -> Option<u64> {
    match error {
        AppError::TooMany { after_seconds, .. } | AppError::Unavailable { after_seconds } => Some(*after_seconds),
        AppError::DiskFull => Some(60),
        _ => None,
    }
}

/// Logs a fault of ours and answers the words that a person may see.
pub fn words(error: &AppError) -> String {
    match error {
        AppError::Internal(cause) => {
            let number = &crate::secrets::random_token()[..8];
            tracing::error!(number, cause, "internal error");
            format!("Try again. If this persists, ask the operator: the server's log lists it under number {number}.")
        }
        // Beside no field, its name says nothing to a person.
        AppError::Invalid(errors) => errors.details(),
        other => other.to_string(),
    }
}

impl ResponseError for AppError {
    fn status_code(&self) -> StatusCode {
        status(self)
    }

    fn error_response(&self) -> HttpResponse {
        let title = match self {
            AppError::SignedOut | AppError::TokenEnded => "Sign in to continue",
            AppError::Forbidden(_) => "You may not do this",
            AppError::NotFound => "Not found",
            AppError::Conflict(_) | AppError::Taken { .. } => "This is not possible right now",
            AppError::Stale(_) => "Someone changed this in the meantime",
            AppError::Invalid(_) => "The request has errors",
            AppError::TooSlow => "The request took too long",
            AppError::TooMany { .. } => "Too many requests",
            AppError::Unavailable { .. } => "Busy right now",
            AppError::DiskFull => "The disk is full",
            AppError::Internal(_) => "Something went wrong in Tidegate",
        };
        let said = Said { status: status(self).as_u16(), title, detail: words(self) };
        let mut response = HttpResponse::build(status(self));
        response.content_type(ContentType::html());
        if let Some(seconds) = retry_after(self) {
            response.insert_header((RETRY_AFTER, seconds));
        }
        let mut response = response.body(said.within(Shell { assets: assets::version(), ..Shell::default() }));
        response.extensions_mut().insert(said);
        response
    }
}
