//! What an Administrator sets: issuer, client and what stands on the button. The secret is sealed.

use serde_json::json;

use super::provider;
use crate::app::App;
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::members::store::elsewhere::{self as kept, Kept};
use crate::members::{By, actions};
use crate::names::check_name;
use crate::secrets::Secrets;
use crate::workspace;

/// What the secret is sealed for.
const PLACE: &str = "sign_in_elsewhere 1";
/// In characters, so that the button stays one.
const LONGEST_LABEL: usize = 40;

/// A provider at which members sign in, and who we are to it.
pub struct Settings {
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    pub label: String,
}

/// What is set, without the secret; none where nothing is.
pub fn get(conn: &mut Conn) -> Result<Option<Kept>> {
    kept::get(conn)
}

/// What stands on the button; none where nothing is set.
pub fn label(conn: &mut Conn) -> Result<Option<String>> {
    Ok(kept::get(conn)?.map(|kept| kept.label))
}

/// With the secret. `Err`: it does not open with this key, as a sentence.
pub(super) fn opened(conn: &mut Conn, secrets: &Secrets) -> Result<Option<Result<Settings, String>>> {
    let Some(kept) = kept::get(conn)? else { return Ok(None) };
    let Ok(client_secret) = secrets.open(PLACE, &kept.sealed_secret) else {
        return Ok(Some(Err("The client secret cannot be opened with the server's key.".into())));
    };
    let Kept { issuer, client_id, label, .. } = kept;
    Ok(Some(Ok(Settings { issuer, client_id, client_secret, label })))
}

/// As it was typed.
pub struct Given {
    pub issuer: String,
    pub client_id: String,
    /// Empty: the one that is set stays.
    pub client_secret: String,
    pub label: String,
}

/// Sets it, once the issuer has said what it is.
pub async fn set(app: &App, by: &By, given: Given) -> Result<()> {
    actions::need_administrator(app, by).await?;
    let secrets = app.secrets.clone();
    let before = app.read(move |conn| opened(conn, &secrets)).await?.and_then(std::result::Result::ok);
    let settings = checked(given, before)?;
    if let Err(sentence) = provider::discover(app, &settings.issuer).await {
        return Err(AppError::invalid("issuer", sentence));
    }
    let (by, secrets, now) = (by.clone(), app.secrets.clone(), app.now());
    app.write(move |conn| {
        by.need_administrator(conn)?;
        db::lock_row(conn, "workspace", 1)?;
        workspace::need_key(conn, &secrets)?;
        let before = kept::get(conn)?;
        let sealed_secret = secrets.seal(PLACE, &settings.client_secret)?;
        let Settings { issuer, client_id, label, .. } = settings;
        let after = Kept { issuer, client_id, sealed_secret, label, set_at: now };
        kept::set(conn, &after)?;
        let entry = Entry::about("sign_in_elsewhere.set", "workspace").after(shown(&after));
        let entry = match &before {
            Some(before) => entry.before(shown(before)),
            None => entry,
        };
        by.audit(conn, entry, now)
    })
    .await?;
    app.provider.forget();
    Ok(())
}

fn checked(given: Given, before: Option<Settings>) -> Result<Settings> {
    let mut errors = FieldErrors::new();
    let issuer = given.issuer.trim().to_owned();
    if let Err(sentence) = provider::address(&issuer) {
        errors.add("issuer", sentence);
    } else if issuer.len() > 500 {
        errors.add("issuer", "This address is too long.");
    }
    let client_id = given.client_id.trim().to_owned();
    if client_id.is_empty() || client_id.len() > 500 || client_id.chars().any(char::is_control) {
        errors.add("client_id", "Enter the client ID that the provider gave this Workspace.");
    }
    // What one provider gave is shown to no other.
    let same = before.filter(|before| before.issuer == issuer && before.client_id == client_id);
    let client_secret = match (given.client_secret.trim(), same) {
        ("", Some(before)) => before.client_secret,
        ("", None) => {
            errors.add("client_secret", "Enter the client secret that the provider gave this Workspace.");
            String::new()
        }
        (typed, _) => typed.to_owned(),
    };
    if client_secret.len() > 1000 || client_secret.chars().any(char::is_control) {
        errors.add("client_secret", "This is not a client secret.");
    }
    let label = check_name("label", &given.label, None, &mut errors);
    if label.chars().count() > LONGEST_LABEL {
        errors.add("label", format!("Enter at most {LONGEST_LABEL} characters."));
    }
    errors.ok_or(())?;
    Ok(Settings { issuer, client_id, client_secret, label })
}

fn shown(kept: &Kept) -> serde_json::Value {
    json!({ "issuer": kept.issuer, "client_id": kept.client_id, "label": kept.label })
}

/// From now on members sign in here only.
pub fn remove(conn: &mut Conn, by: &By, now: Moment) -> Result<()> {
    by.need_administrator(conn)?;
    // Whoever sets another at this moment comes before or after.
    db::lock_row(conn, "workspace", 1)?;
    let before = kept::get(conn)?.ok_or(AppError::NotFound)?;
    kept::remove(conn)?;
    by.audit(conn, Entry::about("sign_in_elsewhere.removed", "workspace").before(shown(&before)), now)
}

/// Seals the secret with another key.
pub fn seal_anew(conn: &mut Conn, old: &Secrets, new: &Secrets) -> Result<()> {
    let Some(kept) = kept::get(conn)? else { return Ok(()) };
    let secret = old.open(PLACE, &kept.sealed_secret).map_err(|_| {
        AppError::Conflict(
            "the client secret of OpenID Connect cannot be opened with the current key; enter it again on the Sign-in page, \
             or remove it, then change the key"
                .into(),
        )
    })?;
    kept::set_sealed(conn, &new.seal(PLACE, &secret)?)
}
