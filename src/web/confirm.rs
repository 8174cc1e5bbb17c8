//! The page that asks before something is gone: it names the thing and says what stays. What is in use says so here, and
//! where, instead of asking.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::page::{Page, Shell};
use crate::error::AppError;
use crate::in_use::Named;

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
    /// Who uses it, so that it cannot be done yet.
    pub uses: Vec<Named>,
    /// What must be done with them before.
    pub first: &'static str,
    /// Why it could not be done, where it was tried.
    pub refused: Option<String>,
}

/// So many of them are listed.
const LISTED: usize = 12;

impl ConfirmPage {
    fn listed(&self) -> &[Named] {
        &self.uses[..self.uses.len().min(LISTED)]
    }

    fn more(&self) -> usize {
        self.uses.len() - self.listed().len()
    }

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
