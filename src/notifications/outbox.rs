//! What mail, Slack and webhooks have in common: how an attempt ends, and when it is tried again.

use chrono::Duration;

use crate::clock::Moment;
use crate::connectors::{Answer, FailureKind, FetchError};
use crate::names::short_line;

/// Whoever takes something that is to be sent is given this long; then another may take it.
pub const LEASE: Duration = Duration::minutes(3);
/// As long is it tried.
const PATIENCE: Duration = Duration::days(1);
/// How long to wait after each attempt, in minutes; from then on the last.
const WAITS: [i64; 6] = [1, 2, 5, 15, 30, 60];
/// The longest sentence that is kept.
const LONGEST: usize = 500;

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Sent,
    /// For good.
    Failed(String),
    /// It is tried again then.
    Waits(String, Moment),
}

/// Tried again, unless that has gone on for a day. `seconds`: not before then, as the other side asked.
pub fn later(attempt: i32, created_at: Moment, said: String, seconds: Option<u64>, now: Moment) -> Ended {
    let tried = usize::try_from(attempt).unwrap_or(1).max(1);
    let wait = Duration::minutes(WAITS.get(tried - 1).or(WAITS.last()).copied().unwrap_or(60));
    let asked = Duration::seconds(seconds.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or_default());
    let next = now.plus(wait.max(asked));
    if next.since(created_at) > PATIENCE {
        return Ended::Failed(format!("Gave up after a day. {said}"));
    }
    Ended::Waits(said, next)
}

/// Why something was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// In sentences, without a secret and without what the other side sent.
    pub said: String,
    pub how: How,
}

/// Whether trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Somebody has to change something first.
    Never,
    /// With the usual back-off, and after so many seconds where the other side asked for them.
    Later(Option<u64>),
    /// Nobody knows whether it was taken.
    Unknown,
}

impl Trouble {
    pub fn never(said: impl Into<String>) -> Self {
        Self { said: said.into(), how: How::Never }
    }

    pub fn later(said: impl Into<String>, seconds: Option<u64>) -> Self {
        Self { said: said.into(), how: How::Later(seconds) }
    }

    /// How an attempt ends by it. `again`: what nobody knows about is sent once more, because the other side knows it by its id.
    pub fn ended(self, attempt: i32, created_at: Moment, again: bool, now: Moment) -> Ended {
        let said = short_line(&self.said, LONGEST);
        match self.how {
            How::Never => Ended::Failed(said),
            How::Later(seconds) => later(attempt, created_at, said, seconds, now),
            How::Unknown if again => later(attempt, created_at, said, None, now),
            How::Unknown => Ended::Failed(format!("{said} It may have arrived, so it is not sent again.")),
        }
    }
}

/// Why nothing was answered.
impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Self {
        let how = match error.kind {
            FailureKind::Silent | FailureKind::Cut => How::Unknown,
            FailureKind::Refused | FailureKind::Request => How::Never,
            _ => How::Later(None),
        };
        Self { said: error.sentence, how }
    }
}

/// What a status says where nothing else does.
pub fn by_status(answer: &Answer, host: &str) -> Result<(), Trouble> {
    let status = answer.status;
    match status {
        200..=299 => Ok(()),
        429 => {
            Err(Trouble::later(format!("{host} received too many messages (429)."), answer.retry_after.or(Some(60))))
        }
        408 | 425 | 500..=599 => Err(Trouble::later(
            format!("{host} reported an error on its side ({status}). If this persists, ask its owner."),
            answer.retry_after,
        )),
        300..=399 => Err(Trouble::never(format!(
            "{host} redirects to another address ({status}), which is not followed. Enter that address."
        ))),
        401 | 403 => Err(Trouble::never(format!("{host} refused the message ({status}). Check the address."))),
        404 | 410 => Err(Trouble::never(format!("{host} has nothing at this address ({status}). Check the address."))),
        _ => Err(Trouble::never(format!("{host} did not accept the message ({status}). Ask its owner."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_for_a_day_and_not_before_it_was_asked_for() {
        let at = |minutes| Moment::from_micros(0).plus(Duration::minutes(minutes));
        let said = || "Busy.".to_owned();
        assert_eq!(later(1, at(0), said(), None, at(0)), Ended::Waits(said(), at(1)));
        assert_eq!(later(1, at(0), said(), Some(600), at(0)), Ended::Waits(said(), at(10)));
        assert_eq!(later(3, at(0), said(), Some(1), at(0)), Ended::Waits(said(), at(5)));
        assert_eq!(later(99, at(0), said(), None, at(1_380)), Ended::Waits(said(), at(1_440)));
        assert_eq!(later(99, at(0), said(), None, at(1_381)), Ended::Failed("Gave up after a day. Busy.".to_owned()));
    }
}
