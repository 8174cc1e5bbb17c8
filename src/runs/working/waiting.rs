//! Runs that wait for somebody else, at no cost of an attempt: who it is, and for how long.

use chrono::Duration;

use super::retry::Retry;
use crate::app::App;
use crate::connectors;
use crate::db::Location;
use crate::runs::model::Run;
use crate::runs::policy::Policy;

/// No run waits longer than this for its next attempt. One that would has the clock set back under it, and begins.
pub const LONGEST_WAIT: Duration = Duration::hours(1);

/// Of a file that was written all the time.
pub const NEVER_RESTS: &str = "The run waited as long as an attempt may take. 0 rows were loaded; the Block is \
                           unchanged. Write the file under another name and rename it when it is complete.";

/// How long a run has been held up, where that costs it no attempt: by a busy Block database, for a day at most, or by
/// whoever writes its file, for as long as an attempt may take. Of a SQLite file it is known whose fault it is: another
/// load's, that writes it for long.
pub fn held_up(app: &App, policy: &Policy, run: &Run, retry: &Retry) -> Option<Duration> {
    let longest = match retry {
        Retry::HeldUp => Duration::days(1),
        Retry::Busy if matches!(app.blocks.location(), Location::Sqlite { .. }) => Duration::days(1),
        Retry::Rest(_) => Duration::seconds(policy.attempt_seconds),
        _ => {
            app.held_up.over(run.id);
            return None;
        }
    };
    let so_far = app.held_up.how_long(run.id, app.now());
    (so_far < longest).then_some(so_far)
}

/// What a connector says of trying again.
pub fn asked_for(asked: connectors::Retry) -> Retry {
    let seconds = |seconds: u64| Duration::seconds(seconds.try_into().unwrap_or(i64::MAX / 1_000)).min(LONGEST_WAIT);
    match asked {
        connectors::Retry::No => Retry::No,
        connectors::Retry::Later => Retry::Later,
        connectors::Retry::After(wait) => Retry::After(seconds(wait)),
        connectors::Retry::Rest(left) => Retry::Rest(seconds(left)),
    }
}

/// "after 33 s", "after 2 min 05 s".
pub fn in_words(wait: Duration) -> String {
    let seconds = wait.num_seconds();
    if seconds < 60 {
        format!("after {seconds} s")
    } else {
        format!("after {} min {:02} s", seconds / 60, seconds % 60)
    }
}
