//! One step: the deliveries that are due are handed over. Each is tried for a day, and what is refused for good is not tried
//! again. A sender that died before it wrote down what came of it leaves the one doubt that there is: the message goes once
//! more, under the same Message-ID.

use chrono::Duration;

use super::deliveries_store::{self as deliveries, Ended, Taken};
use super::{letter, store};
use crate::app::App;
use crate::clock::Moment;
use crate::error::{AppError, Result};
use crate::mail::{Mail, Sent};

/// As long is a delivery tried.
const PATIENCE: Duration = Duration::days(1);
/// How long to wait after each attempt, in minutes; from then on the last.
const WAITS: [i64; 6] = [1, 2, 5, 15, 30, 60];

/// Hands over what is due; how many deliveries that were.
pub async fn step(app: &App) -> Result<usize> {
    let mut done = 0;
    loop {
        let now = app.now();
        if !app.read(move |conn| deliveries::any_due(conn, now)).await? {
            return Ok(done);
        }
        // One at a time: a lease that ended while others were sent would have this one sent twice.
        let Some(taken) = app.write(move |conn| deliveries::take(conn, now)).await? else { return Ok(done) };
        let ended = attempt(app, &taken).await;
        let now = app.now();
        app.write(move |conn| deliveries::end(conn, &taken, &ended, now)).await?;
        done += 1;
        if app.stop.is_cancelled() {
            return Ok(done);
        }
    }
}

async fn attempt(app: &App, taken: &Taken) -> Ended {
    if !taken.member.active {
        return Ended::Failed("The member was deactivated.".to_owned());
    }
    match write(app, taken).await {
        Ok(mail) => match app.mail.hand_over(mail).await {
            Sent::Accepted => Ended::Sent,
            Sent::Refused(said) => Ended::Failed(said),
            Sent::Later(said) => later(taken, said, app.now()),
        },
        // A poisoned message is set aside, and holds up no other.
        Err(error @ (AppError::Unavailable { .. } | AppError::DiskFull)) => later(taken, error.to_string(), app.now()),
        Err(error) => {
            tracing::error!(delivery = taken.id, %error, "a message cannot be written");
            Ended::Failed(match error {
                AppError::Internal(_) => "The message could not be written. The server's log says more.".to_owned(),
                error => error.to_string(),
            })
        }
    }
}

async fn write(app: &App, taken: &Taken) -> Result<Mail> {
    let (base, taken) = (app.base_url.clone(), taken.clone());
    app.read(move |conn| {
        let notice = store::by_id(conn, taken.notice_id)?.ok_or(AppError::NotFound)?;
        letter::mail(conn, &base, &notice, (&taken.member.name, &taken.member.email), &taken.message_id)
    })
    .await
}

/// Tried again, unless that has gone on for a day.
fn later(taken: &Taken, said: String, now: Moment) -> Ended {
    let tried = usize::try_from(taken.attempt).unwrap_or(1).max(1);
    let wait = WAITS.get(tried - 1).or(WAITS.last()).copied().unwrap_or(60);
    let next = now.plus(Duration::minutes(wait));
    if next.since(taken.created_at) > PATIENCE {
        return Ended::Failed(format!("Given up after a day. {said}"));
    }
    Ended::Waits(said, next)
}
