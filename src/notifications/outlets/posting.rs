//! One step: what is due goes to its outlet. It is tried for a day, and what is refused for good is not tried again.

use futures_util::future::try_join_all;

use super::actions;
use super::model::{OutletKind, Tried};
use super::posts_store::{self as posts, Taken};
use super::sending;
use super::store;
use crate::app::App;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::notifications::outbox::{Ended, How, Trouble, later};
use crate::workspace;

/// So many outlets are posted to at once, each one post after the other: one that does not answer holds up no other for
/// longer than its patience, which is shorter than a lease.
const TOGETHER: usize = 8;

/// Hands over what is due; how many posts that were.
pub async fn step(app: &App) -> Result<usize> {
    let mut done = 0;
    loop {
        let now = app.now();
        let may_post =
            move |conn: &mut Conn| Ok(posts::any_due(conn, now)? && workspace::standing_by_since(conn)?.is_none());
        if app.stop.is_cancelled() || !app.read(may_post).await? {
            return Ok(done);
        }
        let taken = app.write(move |conn| posts::take(conn, TOGETHER, now)).await?;
        if taken.is_empty() {
            return Ok(done);
        }
        done += taken.len();
        try_join_all(taken.into_iter().map(|taken| hand_over(app, taken))).await?;
    }
}

async fn hand_over(app: &App, taken: Taken) -> Result<()> {
    let ended = attempt(app, &taken).await;
    let now = app.now();
    app.write(move |conn| {
        let (good, said) = match &ended {
            Ended::Sent => (true, None),
            Ended::Failed(said) | Ended::Waits(said, _) => (false, Some(said.clone())),
        };
        store::tried(conn, taken.outlet_id, &Tried { at: now, good, said })?;
        posts::end(conn, &taken, &ended, now)
    })
    .await
}

async fn attempt(app: &App, taken: &Taken) -> Ended {
    match tried(app, taken).await {
        Ok(ended) => ended,
        Err(error @ (AppError::Unavailable { .. } | AppError::DiskFull)) => {
            later(taken.attempt, taken.created_at, error.to_string(), None, app.now())
        }
        // A poisoned message is set aside, and holds up no other.
        Err(error) => {
            tracing::error!(post = taken.id, %error, "a message cannot be written");
            Ended::Failed("The message could not be created. The server's log says why.".to_owned())
        }
    }
}

async fn tried(app: &App, taken: &Taken) -> Result<Ended> {
    let (secrets, base, post) = (app.secrets.clone(), app.base_url.clone(), taken.clone());
    let opened = app.read(move |conn| {
        let message = sending::message(conn, &base, &post.notice, &post.event_id)?;
        Ok((actions::open(conn, &secrets, post.outlet_id)?, message))
    });
    let (target, message) = opened.await?;
    let Some(target) = target else {
        return Ok(Ended::Failed("Its address cannot be opened with the server's key. Enter it again.".to_owned()));
    };
    if target.address.is_empty() {
        return Ok(Ended::Failed("It was removed before this was sent.".to_owned()));
    }
    // Slack knows a message from its app by its id, and a receiver an event by its own; an incoming webhook knows neither.
    let again = target.kind != OutletKind::SlackWebhook;
    let sent = match taken.in_doubt && !again {
        true => Err(Trouble { said: "Tidegate stopped while it was sending this.".to_owned(), how: How::Unknown }),
        false => sending::send(app, &target, message).await?,
    };
    Ok(match sent {
        Ok(()) => Ended::Sent,
        Err(trouble) => trouble.ended(taken.attempt, taken.created_at, again, app.now()),
    })
}
