//! To the provider and back. What went out comes back to the same browser, soon, and once.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use super::id_token::{self, Expected};
use super::provider::{self, Redeemed, Wrong};
use super::settings::{self, Settings};
use crate::app::App;
use crate::audit::{self, Actor, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::going::Refused;
use crate::members::short_cookie::{MINUTES, ShortCookie};
use crate::members::sign_in::{self, Knock, Opened};
use crate::members::throttle::{self, Who};
use crate::members::{model, store};
use crate::secrets::{self, Secrets};
use crate::web::network;

const PLACE: &str = "on the way to sign in elsewhere";
const PURPOSE: &str = "elsewhere";
pub const COOKIE: ShortCookie = ShortCookie("elsewhere", "__Host-elsewhere");
/// Where one comes back to, below the address at which people reach this server.
const BACK: &str = "sign-in/elsewhere/return";
/// A cookie holds no more.
const LONGEST_NEXT: usize = 1_000;

/// What a browser keeps while its member is at the provider.
#[derive(Serialize, Deserialize)]
struct Carried {
    issuer: String,
    client_id: String,
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    until: i64,
}

/// The way to the provider.
pub struct Journey {
    pub to: Url,
    /// The value of the cookie.
    pub cookie: String,
}

/// Where the provider sends people back to, as it has to know.
pub fn redirect(app: &App) -> Result<String> {
    app.base_url.join(BACK).map(String::from).map_err(AppError::internal)
}

async fn opened(app: &App) -> Result<Settings> {
    let secrets = app.secrets.clone();
    let settings = app.read(move |conn| settings::opened(conn, &secrets)).await?.ok_or(AppError::NotFound)?;
    settings.map_err(|sentence| AppError::Conflict(format!("{sentence} Ask an Administrator to enter it again.")))
}

/// Something went wrong there: what, is for the log alone. Who stands at the door can change nothing of it.
fn failed(settings: &Settings, sentence: &str) -> AppError {
    tracing::warn!(cause = sentence, issuer = settings.issuer, "a sign-in by OpenID Connect failed");
    let label = &settings.label;
    AppError::Conflict(format!(
        "Signing in with {label} did not work. Start again. If it fails again, ask an Administrator."
    ))
}

/// At most so many are under way at once.
fn turn(turns: &Semaphore) -> Result<SemaphorePermit<'_>> {
    turns.try_acquire().map_err(|_| AppError::TooMany { what: "Too many people sign in at once.", after_seconds: 5 })
}

/// Sets out; `NotFound` where nothing is set up. How often somebody may who never comes back is counted like guesses: of
/// strangers there are many, and the provider is asked anew only once in a while.
pub async fn begin(app: &App, next: &str, who: Who) -> Result<Journey> {
    let settings = opened(app).await?;
    let now = app.now();
    app.write(move |conn| throttle::asked(conn, &who, now)).await?;
    let provider = match provider::lately(app, &settings.issuer) {
        Some(provider) => provider,
        None => {
            let _turn = turn(&app.asking)?;
            let asked = provider::discover(app, &settings.issuer).await;
            asked.map_err(|sentence| failed(&settings, &sentence))?
        }
    };
    let mut to = provider.authorization;
    let carried = Carried {
        issuer: settings.issuer,
        client_id: settings.client_id,
        state: secrets::random_token(),
        nonce: secrets::random_token(),
        verifier: secrets::random_token(),
        next: Some(next).filter(|next| next.len() <= LONGEST_NEXT).unwrap_or("/").to_owned(),
        until: app.now().plus(Duration::minutes(MINUTES)).micros(),
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&carried.verifier));
    to.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &carried.client_id)
        .append_pair("redirect_uri", &redirect(app)?)
        .append_pair("scope", "openid email")
        .append_pair("state", &carried.state)
        .append_pair("nonce", &carried.nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    let text = serde_json::to_string(&carried).map_err(AppError::internal)?;
    Ok(Journey { to, cookie: app.secrets.seal(PLACE, &text)? })
}

/// What the provider sent back, in the address.
pub struct Returned<'a> {
    pub state: &'a str,
    pub code: &'a str,
    pub error: &'a str,
    pub issuer: &'a str,
}

/// Comes back: who that is, and where they wanted to go. `NotFound` where nothing is set up.
pub async fn finish(
    app: &App,
    cookie: Option<String>,
    returned: Returned<'_>,
    knock: Knock,
) -> Result<(Opened, String)> {
    let settings = opened(app).await?;
    let carried = carried(&app.secrets, cookie.as_deref(), &returned, app.now());
    let carried = carried.filter(|of| of.issuer == settings.issuer && of.client_id == settings.client_id);
    let carried = carried.ok_or_else(|| {
        AppError::Conflict(
            "This sign-in was not begun in this browser, or it took longer than 10 minutes. Start again.".into(),
        )
    })?;
    if !returned.error.is_empty() || returned.code.is_empty() {
        let words = match returned.error {
            "access_denied" => {
                format!("You are not signed in: {} says that it was cancelled or not allowed.", settings.label)
            }
            _ => format!(
                "You are not signed in: {} reported an error. Start again, or ask an Administrator.",
                settings.label
            ),
        };
        return Err(AppError::Conflict(words));
    }
    let claims = {
        let _turn = turn(&app.returning)?;
        // Before the provider is asked: whoever set out once comes back once, whatever comes of it.
        let (state, now) = (carried.state.clone(), app.now());
        app.write(move |conn| spend(conn, &state, now)).await?;
        ask(app, &settings, &carried, &returned).await
    };
    let claims = match claims {
        Ok(claims) => claims,
        Err(Wrong::Unanswered(sentence)) => return Err(failed(&settings, &sentence)),
        Err(Wrong::Untrue(sentence)) => {
            refused(app, &settings, &knock).await?;
            return Err(failed(&settings, &sentence));
        }
    };
    let Some(email) = claims.verified_email().map(str::to_owned) else {
        refused(app, &settings, &knock).await?;
        let label = &settings.label;
        return Err(AppError::Conflict(format!(
            "{label} has not verified your e-mail address, or does not say it. Ask its operator to verify it, then start again."
        )));
    };
    let opened = enter(app, &settings, email, knock).await?;
    Ok((opened, carried.next))
}

fn carried(secrets: &Secrets, cookie: Option<&str>, returned: &Returned<'_>, now: Moment) -> Option<Carried> {
    let text = secrets.open(PLACE, cookie?).ok()?;
    let carried: Carried = serde_json::from_str(&text).ok()?;
    (now.micros() < carried.until && secrets::same(&carried.state, returned.state)).then_some(carried)
}

/// Redeems the code, and reads what the provider signed.
async fn ask(
    app: &App,
    settings: &Settings,
    carried: &Carried,
    returned: &Returned<'_>,
) -> provider::Result<id_token::Claims, Wrong> {
    let outside = app.outside();
    let provider = match provider::lately(app, &settings.issuer) {
        Some(provider) => provider,
        None => provider::discover(app, &settings.issuer).await?,
    };
    // An answer of another provider goes no further.
    let named = !returned.issuer.is_empty() || provider.names_itself;
    if named && returned.issuer != settings.issuer {
        return Err(Wrong::Untrue("The answer came from another provider.".into()));
    }
    let redirect = redirect(app).map_err(|error| error.to_string())?;
    let redeemed = Redeemed { code: returned.code, verifier: &carried.verifier, redirect: &redirect };
    let worth = provider.redeem(&outside, settings, &redeemed).await?;
    let keys = provider.keys(&outside).await?;
    let expected = Expected { issuer: &settings.issuer, client_id: &settings.client_id, nonce: &carried.nonce };
    let claims = id_token::read(&worth.id_token, &keys, &expected, app.now());
    let claims = claims.map_err(|what| Wrong::Untrue(format!("The ID token {what}.")))?;
    provider.whom(&outside, &worth, claims).await
}

/// Lets in the active member of this address.
async fn enter(app: &App, settings: &Settings, email: String, knock: Knock) -> Result<Opened> {
    let (now, asked, stranger) = (app.now(), email.clone(), knock.clone());
    let (secrets, label) = (app.secrets.clone(), settings.label.clone());
    let entered = app.write(move |conn| {
        let key = store::key_of_same(conn, &email)?.filter(|key| key.active);
        let Some(key) = key else {
            let admins = store::administrators(conn)?.into_iter().map(|member| member.name).collect();
            return Ok(Err(model::names(admins)));
        };
        db::lock_row(conn, "members", key.member_id)?;
        let Some(key) = store::key_of_same(conn, &email)?.filter(|there| there.opens_as(&key)) else {
            return Err(AppError::SignedOut);
        };
        throttle::succeeded(conn, &Who::elsewhere(knock.from.address, knock.known.as_ref()))?;
        sign_in::admit(conn, &secrets, &key, &knock, Some(label), now).map(Ok)
    });
    let who = match entered.await? {
        Ok(opened) => return Ok(opened),
        Err(who) => who,
    };
    refused(app, settings, &stranger).await?;
    Err(AppError::Conflict(format!(
        "There is no active member with the e-mail address {}. Ask {who} to add you, or to activate your account.",
        crate::names::short_line(&asked, 254)
    )))
}

/// Keeps in the audit log that somebody was not let in; a flood of them is counted.
async fn refused(app: &App, settings: &Settings, knock: &Knock) -> Result<()> {
    let (now, from) = (app.now(), network(knock.from.address));
    let refused = Refused { action: "member.sign_in_refused", member: None, channel: "page", from };
    if !app.refusals.count(&refused, now) {
        return Ok(());
    }
    let actor = Actor::nobody("nobody", refused.channel).from(&refused.from);
    let entry = Entry::about(refused.action, "member").after(json!({ "with": settings.label }));
    app.write(move |conn| audit::record(conn, &actor, entry, now)).await
}

/// What came back once comes back no second time.
fn spend(conn: &mut Conn, state: &str, now: Moment) -> Result<()> {
    let hash = secrets::hash(PURPOSE, state);
    if store::codes::spend(conn, PURPOSE, &hash, now.plus(Duration::minutes(MINUTES)), now)? {
        return Ok(());
    }
    Err(AppError::Conflict("This sign-in was used already. Start again.".into()))
}
