//! A message to one member, in their own conversation with the app.

use chrono::Duration;

use super::{Refusal, actions, lookup, message, post, store};
use crate::app::App;
use crate::clock::Moment;
use crate::error::Result;
use crate::notifications::deliveries_store::Taken;
use crate::notifications::letter;
use crate::notifications::outbox::{Ended, Trouble};

/// That Slack knows nobody is remembered for so long.
const UNKNOWN: Duration = Duration::days(1);

/// Hands a delivery over.
pub async fn deliver(app: &App, taken: &Taken) -> Result<Ended> {
    let secrets = app.secrets.clone();
    let Some((token, set_at)) = app.read(move |conn| actions::token(conn, &secrets)).await? else {
        return Ok(Ended::Failed(
            "Slack is not set up in this Workspace. An Administrator can set it up on the Slack page.".to_owned(),
        ));
    };
    let tried = tell(app, taken, &token).await?;
    actions::note(app, set_at, tried.as_ref().map(|_| ())).await?;
    let now = app.now();
    Ok(match tried {
        Ok(()) => Ended::Sent,
        Err(refusal) => refusal.trouble.ended(taken.attempt, taken.created_at, true, now),
    })
}

async fn tell(app: &App, taken: &Taken, token: &str) -> Result<std::result::Result<(), Refusal>> {
    let (member_id, email) = (taken.member.id, taken.member.email.clone());
    let id = match known(app, member_id, &email).await? {
        Some(known) => known,
        None => {
            let found = match lookup(app, token, &email).await {
                Ok(found) => found,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let (email, found_too, now) = (email.clone(), found.clone(), app.now());
            app.write(move |conn| store::remember(conn, member_id, &email, found_too.as_deref(), now)).await?;
            found
        }
    };
    let Some(id) = id else {
        let said =
            format!("Slack has no user with the e-mail address {email}. Use the same address in Slack and here.");
        return Ok(Err(Trouble::never(said).into()));
    };
    let (base, notice_id) = (app.base_url.clone(), taken.notice_id);
    let letter = app.read(move |conn| letter::of(conn, &base, notice_id)).await?;
    let posted = post(app, token, &id, &taken.message_id, message::of(&letter)).await;
    // Whoever left Slack may come back under another id.
    if posted.as_ref().is_err_and(|refusal| matches!(refusal.code.as_str(), "channel_not_found" | "user_not_found")) {
        app.write(move |conn| actions::lose_member(conn, member_id)).await?;
        let said = format!(
            "Slack no longer has a user with the e-mail address {email}. Use the same address in Slack and here."
        );
        return Ok(Err(Trouble::never(said).into()));
    }
    Ok(posted)
}

/// What Slack answered about this address; none where it is to be asked.
async fn known(app: &App, member_id: i64, email: &str) -> Result<Option<Option<String>>> {
    let (email, now) = (email.to_owned(), app.now());
    let remembered = app.read(move |conn| store::member(conn, member_id)).await?;
    Ok(remembered.filter(|(asked, id, at)| *asked == email && is_fresh(id.as_deref(), *at, now)).map(|(_, id, _)| id))
}

fn is_fresh(id: Option<&str>, asked_at: Moment, now: Moment) -> bool {
    id.is_some() || now.since(asked_at) < UNKNOWN
}
