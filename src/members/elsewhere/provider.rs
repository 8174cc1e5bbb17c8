//! What a provider is asked: what it says of itself, its keys, what a code is worth, whom it means. Answers are small, come
//! soon or not at all, and are repeated to nobody.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::{Host, Url, form_urlencoded};

use super::id_token::{Claims, Key};
use super::settings::Settings;
use crate::app::App;
use crate::connectors::{self, Answer, FetchError, Outside};

/// Nobody at the door waits longer for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why it did not work, as a sentence.
pub type Result<T, E = String> = std::result::Result<T, E>;

/// A provider, as it says of itself.
#[derive(Clone, Debug)]
pub struct Provider {
    pub authorization: Url,
    token: Url,
    keys: Url,
    user_info: Option<Url>,
    /// It wants the client's secret in the form, not in a header.
    secret_in_form: bool,
    /// It names itself on the way back (RFC 9207).
    pub names_itself: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// An issuer's address: by https, and on this machine also by http.
pub fn address(text: &str) -> Result<Url> {
    let url =
        Url::parse(text).map_err(|_| "This is not an address. Write it like https://login.example.com.".to_owned())?;
    let here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        _ => return Err("The address must begin with https://.".into()),
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("The address must not contain a query, a fragment or a user name.".into());
    }
    Ok(url)
}

/// Why whoever comes back is not let in.
pub enum Wrong {
    /// There was no answer, or none that can be used.
    Unanswered(String),
    /// There was one, and it is not true, or not of this sign-in.
    Untrue(String),
}

impl From<String> for Wrong {
    fn from(sentence: String) -> Self {
        Self::Unanswered(sentence)
    }
}

/// What an issuer said of itself lately; none where it is to be asked.
pub fn lately(app: &App, issuer: &str) -> Option<Provider> {
    let body = app.provider.said(issuer, app.now())?;
    read(issuer, Answer { status: 200, retry_after: None, body }).ok()
}

/// Asks an issuer what it says of itself, and keeps that for some minutes.
pub async fn discover(app: &App, issuer: &str) -> Result<Provider> {
    let at = document_at(issuer)?;
    let answer = ask(&app.outside(), &at, &[], None).await?;
    let body = answer.body.clone();
    let provider = read(issuer, answer)?;
    app.provider.keep(issuer, body, app.now());
    Ok(provider)
}

fn document_at(issuer: &str) -> Result<Url> {
    address(issuer)?;
    let at = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    Url::parse(&at).map_err(|e| e.to_string())
}

/// What an issuer says of itself, where that can be used.
fn read(issuer: &str, answer: Answer) -> Result<Provider> {
    let base = address(issuer)?;
    let document: Document = json(&document_at(issuer)?, answer, "its OpenID Connect configuration")?;
    // Another's answers are not taken for this one's.
    if document.issuer != issuer {
        return Err(format!("{} calls itself by another address. Enter the issuer exactly as it does.", host(&base)));
    }
    if document.code_challenge_methods_supported.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
        return Err(format!("{} does not support PKCE with S256.", host(&base)));
    }
    let endpoint = |text: &str| {
        let url = Url::parse(text).ok().filter(|url| url.has_host() && url.fragment().is_none());
        let url = url.filter(|url| url.scheme() == "https" || (base.scheme() == "http" && url.scheme() == "http"));
        url.ok_or_else(|| format!("{} names an address that cannot be used.", host(&base)))
    };
    let methods = document.token_endpoint_auth_methods_supported.unwrap_or_else(|| vec!["client_secret_basic".into()]);
    let offers = |method: &str| methods.iter().any(|offered| offered == method);
    Ok(Provider {
        authorization: endpoint(&document.authorization_endpoint)?,
        token: endpoint(&document.token_endpoint)?,
        keys: endpoint(&document.jwks_uri)?,
        user_info: document.userinfo_endpoint.as_deref().map(endpoint).transpose()?,
        secret_in_form: !offers("client_secret_basic") && offers("client_secret_post"),
        names_itself: document.authorization_response_iss_parameter_supported,
    })
}

/// What a code is worth.
#[derive(Deserialize)]
pub struct Worth {
    pub id_token: String,
    access_token: Option<String>,
}

/// A code of the way back, and what proves that it is ours.
pub struct Redeemed<'a> {
    pub code: &'a str,
    pub verifier: &'a str,
    pub redirect: &'a str,
}

impl Provider {
    /// Redeems a code.
    pub async fn redeem(&self, outside: &Outside, of: &Settings, redeemed: &Redeemed<'_>) -> Result<Worth> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", redeemed.code)
            .append_pair("redirect_uri", redeemed.redirect)
            .append_pair("code_verifier", redeemed.verifier);
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        if self.secret_in_form {
            form.append_pair("client_id", &of.client_id).append_pair("client_secret", &of.client_secret);
        } else {
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encode(&of.client_id), encode(&of.client_secret));
            headers.push(("authorization", format!("Basic {}", STANDARD.encode(pair))));
        }
        let answer = ask(outside, &self.token, &headers, Some(form.finish())).await?;
        if matches!(answer.status, 400 | 401) {
            #[derive(Deserialize)]
            struct Refusal {
                error: String,
            }
            let refusal = serde_json::from_slice::<Refusal>(&answer.body).map(|refusal| refusal.error);
            return Err(match refusal.as_deref() {
                Ok("invalid_client" | "unauthorized_client") => {
                    format!("{} does not accept the client ID or the client secret.", host(&self.token))
                }
                _ => format!("{} does not accept this sign-in any more. Start again.", host(&self.token)),
            });
        }
        json(&self.token, answer, "an ID token")
    }

    /// The keys with which it signs.
    pub async fn keys(&self, outside: &Outside) -> Result<Vec<Key>> {
        #[derive(Deserialize)]
        struct Keys {
            keys: Vec<serde_json::Value>,
        }
        let all: Keys = json(&self.keys, ask(outside, &self.keys, &[], None).await?, "its keys")?;
        // Keys of kinds that nobody here knows stand among them.
        Ok(all.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
    }

    /// Whom it means, where the ID token says so little as to leave the address out.
    pub async fn whom(&self, outside: &Outside, worth: &Worth, claims: Claims) -> Result<Claims, Wrong> {
        let (Some(at), Some(token), None) = (&self.user_info, &worth.access_token, &claims.email) else {
            return Ok(claims);
        };
        let headers = [("authorization", format!("Bearer {token}"))];
        let more: Claims = json(at, ask(outside, at, &headers, None).await?, "whom it means")?;
        if more.sub != claims.sub {
            return Err(Wrong::Untrue(format!("{} means somebody else than it signed.", host(at))));
        }
        Ok(Claims { email: more.email, email_verified: more.email_verified, ..claims })
    }
}

/// Asks, with a form or without one.
async fn ask(outside: &Outside, at: &Url, headers: &[(&'static str, String)], form: Option<String>) -> Result<Answer> {
    let mut headers = headers.to_vec();
    headers.push(("accept", "application/json".to_owned()));
    let asked = async {
        match form {
            Some(form) => connectors::post(outside, at, &headers, form.into_bytes()).await,
            None => connectors::get(outside, at, &headers).await,
        }
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(FetchError { sentence, .. })) => Err(sentence),
        Err(_) => Err(format!("{} did not answer within {} s.", host(at), PATIENCE.as_secs())),
    }
}

fn json<T: DeserializeOwned>(at: &Url, answer: Answer, what: &str) -> Result<T> {
    if answer.status != 200 {
        return Err(format!("{} answered {} in place of {what}.", host(at), answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|_| format!("{} answered something else than {what}.", host(at)))
}

/// "sign-in.example.com", with its port where that is not the usual one.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the provider");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
