//! What Administrators do with the Workspace's Slack, and how it goes.

use serde_json::json;

use super::{Refusal, store};
use crate::app::App;
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{self, By};
use crate::notifications::outbox::How;
use crate::secrets::Secrets;
use crate::workspace;

/// What the token is sealed for.
const PLACE: &str = "slack 1";

/// How the Workspace's Slack goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackState {
    /// As Slack calls the workspace.
    pub team: String,
    pub set_at: Moment,
    /// When it last took something.
    pub answered_at: Option<Moment>,
    /// Since when it takes nothing, and why, in sentences.
    pub broken: Option<(Moment, String)>,
}

/// How Slack goes; none where it is not set up.
pub fn state(conn: &mut Conn) -> Result<Option<SlackState>> {
    Ok(store::get(conn)?.map(|kept| SlackState {
        team: kept.team,
        set_at: kept.set_at,
        answered_at: kept.answered_at,
        broken: kept.broken_at.map(|at| (at, kept.said.unwrap_or_default())),
    }))
}

/// The token and since when it is set; none where there is none, or it does not open with this key.
pub fn token(conn: &mut Conn, secrets: &Secrets) -> Result<Option<(String, Moment)>> {
    let Some(kept) = store::get(conn)? else { return Ok(None) };
    Ok(secrets.open(PLACE, &kept.sealed_token).ok().map(|token| (token, kept.set_at)))
}

/// Sets the token, after Slack has accepted it; in which workspace of Slack its app is.
pub async fn set(app: &App, by: &By, token: &str) -> Result<String> {
    members::actions::need_administrator(app, by).await?;
    let token = token.trim().to_owned();
    let wrong = |said: &str| Err(AppError::Invalid(FieldErrors::one("token", said)));
    if token.is_empty() {
        return wrong("Enter the bot token of the Slack app.");
    }
    if token.len() > 500 || !token.bytes().all(|byte| byte.is_ascii_graphic()) || !token.starts_with("xoxb-") {
        return wrong("A bot token begins with xoxb-. In Slack it is called Bot User OAuth Token.");
    }
    let team = match super::auth_test(app, &token).await {
        Ok(team) => crate::names::short_line(&team, 100),
        Err(refusal) if refusal.trouble.how == How::Never => return wrong(&refusal.trouble.said),
        Err(refusal) => return Err(AppError::Conflict(refusal.trouble.said)),
    };
    let (by, secrets, now, named) = (by.clone(), app.secrets.clone(), app.now(), team.clone());
    app.write(move |conn| {
        by.need_administrator(conn)?;
        db::lock_row(conn, "workspace", 1)?;
        workspace::need_key(conn, &secrets)?;
        store::set(conn, &secrets.seal(PLACE, &token)?, &named, now)?;
        by.audit(conn, Entry::about("slack.set", "workspace").after(json!({ "team": named })), now)
    })
    .await?;
    Ok(team)
}

/// Forgets the token.
pub fn remove(conn: &mut Conn, by: &By, now: Moment) -> Result<()> {
    by.need_administrator(conn)?;
    // Whoever sets another at this moment comes before or after.
    db::lock_row(conn, "workspace", 1)?;
    let before = store::get(conn)?.ok_or(AppError::NotFound)?;
    store::remove(conn)?;
    by.audit(conn, Entry::about("slack.removed", "workspace").before(json!({ "team": before.team })), now)
}

/// Tries the token that is set: Slack accepts it, and whoever asks is told so by a message. A sentence.
pub async fn test(app: &App, by: &By) -> Result<std::result::Result<String, String>> {
    members::actions::need_administrator(app, by).await?;
    let secrets = app.secrets.clone();
    let found = app.read(move |conn| {
        workspace::need_sending(conn)?;
        Ok((state(conn)?.is_some(), token(conn, &secrets)?))
    });
    let (is_set_up, token) = found.await?;
    let Some((token, set_at)) = token else {
        if !is_set_up {
            return Ok(Err("Slack is not set up. Enter a token below.".to_owned()));
        }
        return Ok(Err("The token cannot be opened with the server's key. Enter it again.".to_owned()));
    };
    let email = by.member.email.clone();
    let tried = async {
        let Some(id) = super::lookup(app, &token, &email).await? else { return Ok(None) };
        let message = super::message::test(&format!("This test message from {} has reached you.", app.base_url));
        super::post(app, &token, &id, &crate::secrets::random_uuid(), message).await.map(Some)
    };
    let tried = tried.await;
    note(app, set_at, tried.as_ref().map(|_| ())).await?;
    let tested = match tried {
        Ok(Some(())) => Ok(format!("Slack sent a message to {email}.")),
        Ok(None) => Err(format!(
            "The token works, but Slack has no user with the e-mail address {email}. Use the same address in Slack and here."
        )),
        Err(refusal) => Err(refusal.trouble.said),
    };
    let answer = tested.as_ref().unwrap_or_else(|said| said);
    let entry = Entry::about("slack.tested", "workspace").after(json!({ "to": email, "answer": answer }));
    let (by, now) = (by.clone(), app.now());
    app.write(move |conn| by.audit(conn, entry, now)).await?;
    Ok(tested)
}

/// Remembers how Slack goes with the token that was set then.
pub async fn note(app: &App, set_at: Moment, tried: std::result::Result<(), &Refusal>) -> Result<()> {
    let broken = match tried {
        Ok(()) => None,
        Err(refusal) if refusal.is_of_token() => Some(refusal.trouble.said.clone()),
        Err(_) => return Ok(()),
    };
    let now = app.now();
    app.write(move |conn| match broken {
        None => store::answered(conn, set_at, now),
        Some(said) => store::broke(conn, set_at, &said, now),
    })
    .await
}

/// Forgets whom Slack knew by a member's address.
pub fn lose_member(conn: &mut Conn, member_id: i64) -> Result<()> {
    store::forget(conn, member_id)
}

/// Seals the token with another key.
pub fn seal_anew(conn: &mut Conn, old: &Secrets, new: &Secrets) -> Result<()> {
    let Some(kept) = store::get(conn)? else { return Ok(()) };
    let token = old.open(PLACE, &kept.sealed_token).map_err(|_| {
        AppError::Conflict(
            "the Slack token cannot be opened with the current key; enter it again on the Slack page, or remove it, then \
             change the key"
                .into(),
        )
    })?;
    store::set_sealed(conn, &new.seal(PLACE, &token)?)
}
