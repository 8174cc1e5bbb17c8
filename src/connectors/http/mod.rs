//! Files behind an http or https address.
//!
//! `address` finds where a source's path leads, `exchange` asks (guarding every hop), `answer` puts what comes back
//! into words, `download` brings the body here whole.

mod address;
mod answer;
mod download;
mod exchange;
mod post;

pub use post::{Answer, get, post};

use std::fmt;
use std::time::Instant;

use reqwest::header::{self, HeaderName, HeaderValue};
use url::Url;

use super::failure::{FailureKind, FetchError};
use super::registry::{Field, Input, Kind, Takes};
use super::settings::Given;
use super::{Connector, FetchContext, FetchRequest, Fetched};
use crate::words;

pub(super) const KIND: Kind = Kind {
    name: "http",
    label: "HTTP(S)",
    summary: "Files from a web server or an API",
    takes: Takes::Path { required: false },
    is_address: true,
    settles: false,
    lists: false,
    settings: &[
        Field::new("url", "Address", Input::Url)
            .required()
            .hint("Where all paths begin, such as https://example.org/exports/"),
        Field::new(
            "auth",
            "Sign-in",
            Input::Choice(&[("none", "None"), ("basic", "Name and password"), ("bearer", "Token")]),
        ),
        Field::new("user", "User name", Input::Text).only_for("auth", &["basic"]),
        Field::new("headers", "Headers", Input::Headers).hint(
            "One per line, Name: value. Everyone who may see this Connection can read them; put a token in the sign-in",
        ),
        Field::new("follow_redirects", "Follow redirects", Input::Toggle)
            .hint("At most three, each checked like the address; the sign-in is not sent to another host"),
    ],
    secrets: &[
        Field::new("password", "Password", Input::Password).only_for("auth", &["basic"]),
        Field::new("token", "Token", Input::Password).only_for("auth", &["bearer"]),
    ],
    harmless: &[],
    build,
};

/// Headers that frame the exchange itself and are ours to set.
const OURS: [HeaderName; 9] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::TE,
    header::ACCEPT_ENCODING,
    header::RANGE,
    header::EXPECT,
];

struct Http {
    base: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    sign_in: SignIn,
    follow_redirects: bool,
}

enum SignIn {
    None,
    Basic { user: String, password: String },
    Bearer { token: String },
}

/// Without any value that may be a secret: those of headers and the query of the address may be, too.
impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| format!("{name}: …")).collect();
        let sign_in = match &self.sign_in {
            SignIn::None => "none",
            SignIn::Basic { .. } => "basic",
            SignIn::Bearer { .. } => "bearer",
        };
        f.debug_struct("Http")
            .field("base", &format_args!("{}{}", self.base.origin().ascii_serialization(), self.base.path()))
            .field("headers", &headers)
            .field("sign_in", &sign_in)
            .field("follow_redirects", &self.follow_redirects)
            .finish()
    }
}

fn build(given: &mut Given<'_>) -> Option<Box<dyn Connector>> {
    let base = base(given);
    let sign_in = sign_in(given);
    let headers = headers(given);
    let follow_redirects = given.flag("follow_redirects");
    Some(Box::new(Http { base: base?, headers, sign_in: sign_in?, follow_redirects }))
}

fn base(given: &mut Given<'_>) -> Option<Url> {
    let text = given.text("url")?;
    let url = match Url::parse(text) {
        Ok(mut url) if matches!(url.scheme(), "http" | "https") => {
            url.set_fragment(None);
            url
        }
        _ => {
            given.wrong("url", "must be an http:// or https:// address, such as https://example.org/exports/");
            return None;
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        given.wrong("url", "must not contain a name or password; use the sign-in fields");
        return None;
    }
    Some(url)
}

fn sign_in(given: &mut Given<'_>) -> Option<SignIn> {
    if given.text("auth").is_some_and(|auth| auth.starts_with("oauth2_")) {
        given.wrong("auth", "signing in by OAuth 2 is not available yet; choose none, basic or bearer");
        return None;
    }
    match given.choice("auth")? {
        "basic" => {
            let user = given.text("user");
            if user.is_none() {
                given.wrong("user", "is required to sign in with name and password");
            } else if user.is_some_and(|u| u.contains(':')) {
                given.wrong("user", "must not contain a colon");
            }
            let password = given.secret("password");
            if password.is_none() {
                given.wrong_secret("password", "is required to sign in with name and password");
            }
            Some(SignIn::Basic { user: user?.to_owned(), password: password?.to_owned() })
        }
        "bearer" => {
            let Some(token) = given.secret("token").map(str::trim).filter(|t| !t.is_empty()) else {
                given.wrong_secret("token", "is required to sign in with a token");
                return None;
            };
            if !token.bytes().all(|b| b.is_ascii_graphic()) {
                given.wrong_secret("token", "must be plain letters, digits and signs, without spaces or line breaks");
                return None;
            }
            Some(SignIn::Bearer { token: token.to_owned() })
        }
        _ => Some(SignIn::None),
    }
}

fn headers(given: &mut Given<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    for (name, value) in given.pairs("headers") {
        match (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            (Ok(name), _) if OURS.contains(&name) => {
                given.wrong("headers", format!("{name} is set by Tidegate itself; leave it out"));
            }
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                headers.push((name, value));
            }
            (Err(_), _) => given.wrong("headers", "a name must be letters, digits and dashes"),
            (Ok(name), Err(_)) => {
                given.wrong("headers", format!("the value of {name} must not contain control characters"))
            }
        }
    }
    headers
}

impl Connector for Http {
    fn fetch(&self, request: &FetchRequest, ctx: &FetchContext<'_>) -> Result<Vec<Fetched>, FetchError> {
        let FetchRequest::Path(path) = request else { return Err(FetchError::takes_no_query(KIND.label)) };
        let url = address::join(&self.base, path)?;
        exchange::block(ctx, async {
            let (response, at) = exchange::ask(self, &url, ctx).await?;
            // Without a path of its own an import asks for the Connection's address.
            let judged = answer::judge(response, &at).map_err(|error| {
                let of_request = error.of_request && !path.trim().is_empty();
                error.of_request(of_request)
            });
            let (response, packing) = judged?;
            Ok(vec![download::download(response, packing, address::file_name(&url), ctx).await?])
        })
    }

    /// Asks for the address itself and reads no body. That there is nothing at it is no failure: often only what lies
    /// below it exists.
    fn test(&self, ctx: &FetchContext<'_>) -> Result<String, FetchError> {
        let begun = Instant::now();
        let (response, at) = exchange::block(ctx, exchange::ask(self, &self.base, ctx))?;
        let seconds = begun.elapsed().as_secs_f64();
        let host = address::host(&at);
        let size = response.content_length();
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).and_then(media_type);
        match answer::judge(response, &at) {
            Ok(_) => {
                let what = match (size, kind) {
                    (Some(bytes), Some(kind)) => format!(", {} of {kind}", words::bytes(bytes)),
                    (Some(bytes), None) => format!(", {}", words::bytes(bytes)),
                    (None, Some(kind)) => format!(", {kind}"),
                    (None, None) => String::new(),
                };
                Ok(format!("Reached {host} in {seconds:.1} s: 200{what}."))
            }
            Err(e) if e.kind == FailureKind::Missing => Ok(format!(
                "Reached {host} in {seconds:.1} s. There is nothing at the address itself ({}); files below it may still \
                 exist.",
                e.status.unwrap_or(404)
            )),
            Err(e) => Err(e),
        }
    }
}

/// `text/csv` of `text/csv; charset=utf-8`, when it is well formed: the one thing of an answer that is repeated.
fn media_type(value: &str) -> Option<String> {
    let kind = value.split(';').next()?.trim();
    let plain = |part: &str| {
        !part.is_empty() && part.len() <= 80 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
    };
    let (main, sub) = kind.split_once('/')?;
    (plain(main) && plain(sub)).then(|| kind.to_owned())
}
