//! The weeks before a demo begins, lived through with the clock set back: its schedules run as they would have, so that
//! there is a history to look at.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use chrono::Duration;

use super::Person;
use super::sample::Place;
use super::seed;
use crate::app::App;
use crate::clock::{Clock, MachineClock, Moment};
use crate::config::Config;
use crate::error::{AppError, Result};
use crate::guards;
use crate::members;
use crate::runs::work::Import;
use crate::runs::{dispatcher, executor};

/// In so many days a schedule on workdays runs as often as a strip has bars.
const DAYS: i64 = 20;
/// Every schedule of the demo runs at a half or a full hour.
const STEP: i64 = 30;

/// A clock that was set back, and goes on from there.
struct Past(Mutex<(Moment, Instant)>);

impl Past {
    fn at(moment: Moment) -> Self {
        Self(Mutex::new((moment, Instant::now())))
    }

    fn set(&self, to: Moment) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (to, Instant::now());
    }
}

impl Clock for Past {
    fn now(&self) -> Moment {
        let (set_to, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        set_to.plus(Duration::from_std(since.elapsed()).unwrap_or_default())
    }
}

/// Makes the demo and lives through its past, unless an earlier demo is there.
pub fn live(config: Config, people: &[Person], place: &Place) -> Result<()> {
    let wrong = |reason: String| AppError::internal(reason);
    let base_url = config.base_url_at(config.listen).map_err(wrong)?;
    let mut app = App::open(config, base_url, guards::ALL).map_err(wrong)?;
    app.db.write(members::setup::prepare)?;
    if seed::goes_on(&app, people, place)? {
        return Ok(());
    }
    let now = MachineClock.now();
    let mut at = begin(now);
    let clock = Arc::new(Past::at(at));
    app.clock = clock.clone();
    let made = seed::seed(&app, people, place)?;
    while at < now.minus(Duration::minutes(STEP)) {
        at = at.plus(Duration::minutes(STEP));
        clock.set(at);
        dispatcher::step(&app)?;
        while let Some(taken) = executor::take(&app)? {
            // As long as such an import takes, now a little more and now a little less.
            clock.set(app.now().plus(Duration::seconds(20 + taken.run.id * 7 % 13)));
            executor::see_through(&app, taken, &Import)?;
        }
    }
    app.clock = Arc::new(MachineClock);
    seed::today(&app, &made)
}

/// A half or full hour before the first of those days: schedules begin the day after.
fn begin(now: Moment) -> Moment {
    let step = STEP * 60_000_000;
    let ago = now.minus(Duration::days(DAYS + 1)).micros();
    Moment::from_micros(ago - ago.rem_euclid(step))
}
