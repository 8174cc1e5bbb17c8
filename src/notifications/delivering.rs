//! One step for each way: the deliveries that are due are handed over. Each is tried for a day, and what is refused for good
//! is not tried again. A sender that died before it wrote down what came of it leaves the one doubt that there is: the
//! message goes once more, under the same Message-ID, or the id by which Slack takes a message once.

use super::deliveries_store::{self as deliveries, Taken};
use super::model::Channel;
use super::outbox::{Ended, later};
use super::{letter, recipients, slack, store};
use crate::app::App;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::mail::{Mail, Sent};
use crate::workspace;

/// Hands over mail that is due; how many deliveries that were.
pub async fn step(app: &App) -> Result<usize> {
    hand_over(app, Channel::Email).await
}

/// The same of messages to members in Slack. A step of its own: a mail server that hangs holds up no Slack.
pub async fn slack_step(app: &App) -> Result<usize> {
    hand_over(app, Channel::Slack).await
}

async fn hand_over(app: &App, channel: Channel) -> Result<usize> {
    let mut done = 0;
    loop {
        let now = app.now();
        // Whether it stands by is asked only where there is something to send: nearly every beat finds nothing.
        let may_send = move |conn: &mut Conn| {
            Ok(deliveries::any_due(conn, channel, now)? && workspace::standing_by_since(conn)?.is_none())
        };
        if !app.read(may_send).await? {
            return Ok(done);
        }
        // One at a time: a lease that ended while others were sent would have this one sent twice.
        let Some(taken) = app.write(move |conn| deliveries::take(conn, channel, now)).await? else { return Ok(done) };
        let ended = attempt(app, channel, &taken).await;
        let now = app.now();
        app.write(move |conn| deliveries::end(conn, &taken, &ended, now)).await?;
        done += 1;
        if app.stop.is_cancelled() {
            return Ok(done);
        }
    }
}

async fn attempt(app: &App, channel: Channel, taken: &Taken) -> Ended {
    if !taken.member.active {
        return Ended::Failed("The member was deactivated.".to_owned());
    }
    let (notice, member) = (taken.notice_id, taken.member.id);
    match app.read(move |conn| may_know(conn, notice, member)).await {
        Ok(true) => {}
        Ok(false) => return Ended::Failed("The member no longer has access to the Application.".to_owned()),
        Err(error) => return later(taken.attempt, taken.created_at, error.to_string(), None, app.now()),
    }
    let tried = match channel {
        Channel::Email => by_mail(app, taken).await,
        Channel::Slack => slack::deliver(app, taken).await,
    };
    match tried {
        Ok(ended) => ended,
        Err(error @ (AppError::Unavailable { .. } | AppError::DiskFull)) => {
            later(taken.attempt, taken.created_at, error.to_string(), None, app.now())
        }
        // A poisoned message is set aside, and holds up no other.
        Err(error) => {
            tracing::error!(delivery = taken.id, %error, "a message cannot be written");
            Ended::Failed(match error {
                AppError::Internal(_) => "The message could not be created. The server's log says why.".to_owned(),
                error => error.to_string(),
            })
        }
    }
}

/// Whether a member may know what a notice says: it may be a day old.
fn may_know(conn: &mut Conn, notice_id: i64, member_id: i64) -> Result<bool> {
    let notice = store::by_id(conn, notice_id)?.ok_or(AppError::NotFound)?;
    notice.application_id.map_or(Ok(true), |id| recipients::sees(conn, member_id, id))
}

async fn by_mail(app: &App, taken: &Taken) -> Result<Ended> {
    let mail = write(app, taken).await?;
    Ok(match app.mail.hand_over(mail).await {
        Sent::Accepted => Ended::Sent,
        Sent::Refused(said) => Ended::Failed(said),
        Sent::Later(said) => later(taken.attempt, taken.created_at, said, None, app.now()),
    })
}

async fn write(app: &App, taken: &Taken) -> Result<Mail> {
    let (base, taken) = (app.base_url.clone(), taken.clone());
    app.read(move |conn| {
        let notice = store::by_id(conn, taken.notice_id)?.ok_or(AppError::NotFound)?;
        letter::mail(conn, &base, &notice, (&taken.member.name, &taken.member.email), &taken.message_id)
    })
    .await
}
