//! A message that the next page shows once: what was done, and what can be done about it at once, such as to undo it.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use actix_web::web::Data;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::address::local_path;
use crate::app::App;

const COOKIE: &str = "flash";
/// Over TLS. The prefix keeps a neighbouring host from setting it: a message may hold a form, which must be ours.
const SECURE_COOKIE: &str = "__Host-flash";

/// The longest message. A browser drops a cookie of more than 4 KB, and with it what would have been said.
const MOST_CHARS: usize = 500;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flash {
    pub text: String,
    /// One or two.
    #[serde(default)]
    pub buttons: Vec<Button>,
    /// What one does next: what stands on the link, and where it leads.
    #[serde(default)]
    pub link: Option<(String, String)>,
}

/// A form of one button.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Button {
    pub label: String,
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Flash {
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        if let Some((at, _)) = text.char_indices().nth(MOST_CHARS) {
            text.truncate(at);
            text.push('…');
        }
        Self { text, buttons: Vec::new(), link: None }
    }

    /// With a button that posts these fields to an address of ours.
    pub fn button(mut self, label: &str, action: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        self.buttons.push(Button { label: label.to_owned(), action: action.into(), fields });
        self
    }

    /// With a link to a page of ours.
    pub fn link(mut self, label: &str, href: impl Into<String>) -> Self {
        self.link = Some((label.to_owned(), href.into()));
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
        let secure = request.app_data::<Data<App>>().is_some_and(|app| app.secure());
        let cookie = request.cookie(if secure { SECURE_COOKIE } else { COOKIE })?;
        let flash: Flash = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cookie.value()).ok()?).ok()?;
        // An address of our own only, whoever wrote the cookie.
        let ours = |button: &Button| local_path(&button.action).is_some();
        let leads_here = |(_, href): &(String, String)| local_path(href).is_some();
        Some(flash).filter(|flash| flash.buttons.iter().all(ours) && flash.link.iter().all(leads_here))
    }

    /// Gives the cookie of an answer the name and flag that it has over TLS.
    pub(super) fn secure(headers: &mut HeaderMap) {
        let cookies: Vec<HeaderValue> = headers.remove(SET_COOKIE).collect();
        for cookie in cookies {
            let ours = cookie.to_str().ok().and_then(|text| text.strip_prefix("flash="));
            let renamed = ours.and_then(|rest| HeaderValue::from_str(&format!("{SECURE_COOKIE}={rest}; Secure")).ok());
            headers.append(SET_COOKIE, renamed.unwrap_or(cookie));
        }
    }

    pub(super) fn gone() -> Cookie<'static> {
        let mut cookie = Cookie::build(COOKIE, "").path("/").finish();
        cookie.make_removal();
        cookie
    }
}
