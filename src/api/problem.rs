//! An [`AppError`] as a problem document (RFC 9457): the same meanings and statuses as on a page, for programs.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use crate::error::{AppError, FieldError};
use crate::shape::answer;
use crate::web::errors;

answer! {
    /// Why a request was refused (RFC 9457).
    pub struct ProblemAnswer of (problem: &Problem) {
        r#type: String = "about:blank".into(),
        /// The name of the status.
        title: String = problem.status_code().canonical_reason().unwrap_or_default().into(),
        status: i32 = problem.status_code().as_u16().into(),
        /// What happened and what to do, in a sentence.
        detail: String = problem.detail(),
    }
}

answer! {
    /// What is wrong with a request, field by field.
    pub struct InvalidAnswer of (problem: &Problem, wrong: &[FieldError]) {
        errors: Vec<WrongFieldAnswer> = wrong.iter().map(WrongFieldAnswer::of).collect();
        problem: ProblemAnswer = ProblemAnswer::of(problem)
    }
}

answer! {
    /// One thing that is wrong.
    pub struct WrongFieldAnswer of (wrong: &FieldError) {
        /// Its path, such as `columns[2].type`, or the name of a parameter or header.
        field: String = wrong.field.clone(),
        /// What is wrong and what to do.
        detail: String = wrong.detail.clone(),
    }
}

/// Why a request was refused.
#[derive(Debug)]
pub enum Problem {
    App(AppError),
    /// The address is there, and does not know this method; the methods that it knows.
    Method(String),
    /// The body is larger than a JSON body may be.
    TooLarge,
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail())
    }
}

impl Problem {
    fn detail(&self) -> String {
        match self {
            Self::App(AppError::SignedOut) => {
                "Send a valid API token: \"Authorization: Bearer TOKEN\". Cookies are ignored here.".into()
            }
            Self::App(AppError::Invalid(_)) => "The request has errors. They are listed in errors.".into(),
            Self::App(error) => errors::words(error),
            Self::Method(allowed) => format!("This address takes {allowed}."),
            Self::TooLarge => "The body is larger than 1 MiB.".into(),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::App(error) => errors::status(error),
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut body = json!(ProblemAnswer::of(self));
        let mut response = HttpResponse::build(status);
        response.content_type("application/problem+json");
        match self {
            Self::App(AppError::Invalid(wrong)) => body = json!(InvalidAnswer::of(self, &wrong.0)),
            Self::App(AppError::SignedOut | AppError::TokenEnded) => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"tidegate\""));
            }
            Self::App(error) => {
                if let Some(seconds) = errors::retry_after(error) {
                    response.insert_header((RETRY_AFTER, seconds));
                }
            }
            Self::Method(allowed) => {
                response.insert_header((ALLOW, allowed.as_str()));
            }
            Self::TooLarge => {}
        }
        response.body(body.to_string())
    }
}

/// The answer to an address that the API does not have.
pub async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(AppError::NotFound.into())
}
