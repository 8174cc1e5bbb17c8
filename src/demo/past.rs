//! The weeks before a demo begins, lived through with the clock set back: its schedules run as they would have, so that
//! there is a history to look at.

use std::sync::Arc;

use chrono::Duration;

use super::Person;
use super::sample::Place;
use super::seed;
use crate::app::App;
use crate::clock::{Clock, MachineClock, Moment, SetClock};
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
    let clock = Arc::new(SetClock::at(begin(now)));
    app.clock = clock.clone();
    let made = seed::seed(&app, people, place)?;
    while app.now() < now.minus(Duration::minutes(STEP)) {
        let at = app.now().plus(Duration::minutes(STEP));
        clock.set(at);
        dispatcher::step(&app)?;
        while let Some(taken) = executor::take(&app)? {
            // As long as such an import takes, now a little more and now a little less.
            clock.advance(Duration::seconds(20 + taken.run.id * 7 % 13));
            executor::see_through(&app, taken, &Import)?;
        }
        clock.set(at);
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
