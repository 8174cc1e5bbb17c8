//! One message to one outlet.

use serde_json::{Value, json};
use url::Url;

use super::actions::{self, Draft, Target};
use super::body;
use super::model::OutletKind;
use crate::app::App;
use crate::audit::Entry;
use crate::connections::Tested;
use crate::connectors;
use crate::db::Conn;
use crate::error::Result;
use crate::members::By;
use crate::notifications::letter;
use crate::notifications::model::Notice;
use crate::notifications::outbox::{How, Trouble, by_status};
use crate::notifications::slack;
use crate::secrets::{random_uuid, signature};
use crate::workspace;

/// A message in the forms in which outlets take it, under an id that stays.
pub struct Message {
    pub event_id: String,
    pub slack: Value,
    pub json: Value,
}

/// Hands a message over.
pub async fn send(app: &App, target: &Target, message: Message) -> Result<std::result::Result<(), Trouble>> {
    if target.kind == OutletKind::SlackChannel {
        return by_bot(app, &target.address, message).await;
    }
    let Some(url) = target.secrets.get("url").and_then(|url| Url::parse(url).ok()) else {
        return Ok(Err(Trouble::never("Its address is not valid. Enter it again.")));
    };
    Ok(match target.kind {
        OutletKind::Webhook => by_webhook(app, target, &url, message).await,
        _ => by_slack_webhook(app, &url, message).await,
    })
}

async fn by_bot(app: &App, channel: &str, message: Message) -> Result<std::result::Result<(), Trouble>> {
    let secrets = app.secrets.clone();
    let Some((token, set_at)) = app.read(move |conn| slack::token(conn, &secrets)).await? else {
        return Ok(Err(Trouble::never(
            "Slack is not set up in this Workspace. An Administrator can set it up on the Slack page.",
        )));
    };
    let tried = slack::post(app, &token, channel, &message.event_id, message.slack).await;
    slack::note(app, set_at, tried.as_ref().map(|_| ())).await?;
    Ok(tried.map_err(|refusal| refusal.trouble))
}

async fn by_slack_webhook(app: &App, url: &Url, message: Message) -> std::result::Result<(), Trouble> {
    let headers = [("Content-Type", "application/json; charset=utf-8".to_owned())];
    let answer = connectors::post(&app.outside(), url, &headers, message.slack.to_string().into_bytes()).await?;
    if answer.status == 200 {
        return Ok(());
    }
    // Slack says why in one word.
    let code = std::str::from_utf8(&answer.body).unwrap_or_default().trim();
    let known = slack::trouble(code, "", &answer);
    match code.len() <= 60 && !known.said.starts_with("Slack did not accept") {
        true => Err(known),
        false => by_status(&answer, "Slack"),
    }
}

async fn by_webhook(app: &App, target: &Target, url: &Url, message: Message) -> std::result::Result<(), Trouble> {
    let body = message.json.to_string();
    let timestamp = app.now().micros().div_euclid(1_000_000);
    let secret = target.secrets.get("secret").map(String::as_str).unwrap_or_default();
    let signed = signature(secret.as_bytes(), format!("{timestamp}.{body}").as_bytes());
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("Tidegate-Event", message.event_id),
        ("Tidegate-Timestamp", timestamp.to_string()),
        ("Tidegate-Signature", format!("v1={signed}")),
    ];
    let answer = connectors::post(&app.outside(), url, &headers, body.into_bytes()).await?;
    by_status(&answer, url.host_str().unwrap_or("The receiver"))
}

/// Sends a test to an outlet as somebody typed it, before it is saved; the audit log keeps that it was sent.
pub async fn test(app: &App, by: &By, (application_id, kind): (i64, OutletKind), typed: Draft) -> Result<Tested> {
    let (who, secrets, network) = (by.clone(), app.secrets.clone(), app.outside().network);
    let target = app
        .read(move |conn| {
            who.need_administrator(conn)?;
            workspace::need_sending(conn)?;
            actions::draft(conn, &secrets, &network, (application_id, kind), &typed)
        })
        .await?;
    let sentence = format!("This test message from {} has arrived.", app.base_url);
    let event_id = random_uuid();
    let (slack, json) = (slack::message::test(&sentence), body::test(&event_id, &sentence, app.now()));
    let sent = send(app, &target, Message { event_id, slack, json }).await?;
    let tested = match sent {
        Ok(()) => Tested { good: true, words: format!("{} accepted a test message.", target.address) },
        Err(trouble) if trouble.how == How::Unknown => {
            Tested { good: false, words: format!("{} It may have arrived.", trouble.said) }
        }
        Err(trouble) => Tested { good: false, words: trouble.said },
    };
    let (by, now) = (by.clone(), app.now());
    let said = json!({ "kind": kind.as_str(), "address": target.address, "answer": tested.words });
    let entry = Entry::about("outlet.tested", "outlet").application(application_id).after(said);
    app.write(move |conn| by.audit(conn, entry, now)).await?;
    Ok(tested)
}

/// What a post says, to whichever outlet it goes.
pub fn message(conn: &mut Conn, base: &Url, notice: &Notice, event_id: &str) -> Result<Message> {
    let (letter, _) = letter::compose(conn, base, notice)?;
    let json = body::of(conn, base, notice, event_id)?;
    Ok(Message { event_id: event_id.to_owned(), slack: slack::message::of(&letter), json })
}
