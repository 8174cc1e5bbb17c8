//! A message that the next page shows once: what was done, and if it can be undone, the form that undoes it.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

const COOKIE: &str = "flash";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flash {
    pub text: String,
    pub undo: Option<Undo>,
}

/// A form of one button.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Undo {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Flash {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: None }
    }

    pub fn undo(mut self, action: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        self.undo = Some(Undo { action: action.into(), fields });
        self
    }

    pub(super) fn cookie(&self) -> Cookie<'static> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        Cookie::build(COOKIE, URL_SAFE_NO_PAD.encode(text))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(Duration::minutes(5))
            .finish()
    }

    pub fn of(request: &HttpRequest) -> Option<Self> {
        let cookie = request.cookie(COOKIE)?;
        let flash: Flash = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cookie.value()).ok()?).ok()?;
        // An address of our own only, whoever wrote the cookie.
        if flash.undo.as_ref().is_some_and(|undo| !undo.action.starts_with('/') || undo.action.starts_with("//")) {
            return None;
        }
        Some(flash)
    }

    pub(super) fn gone() -> Cookie<'static> {
        let mut cookie = Cookie::build(COOKIE, "").path("/").finish();
        cookie.make_removal();
        cookie
    }
}
