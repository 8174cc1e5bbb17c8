//! The page that asks before something is gone: it names the thing and says what stays.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::page::{Page, Shell};
use crate::error::AppError;

#[derive(Template)]
#[template(path = "web/confirm.html")]
pub struct ConfirmPage {
    pub shell: Shell,
    /// Where the form posts to.
    pub action: String,
    /// Where "Keep it" leads.
    pub back: String,
    pub question: String,
    pub what_stays: String,
    /// On the button: "Delete Block".
    pub verb: &'static str,
    /// Why it could not be done, where it was tried.
    pub refused: Option<String>,
}

impl ConfirmPage {
    /// Asks; once more, with why, where it was tried and refused.
    pub fn answer(
        mut self,
        request: &HttpRequest,
        refusal: Option<(StatusCode, String)>,
    ) -> Result<HttpResponse, AppError> {
        let (status, refused) = refusal.map_or((StatusCode::OK, None), |(status, words)| (status, Some(words)));
        self.refused = refused;
        Page::with(status, request, &self)
    }
}
