//! An Application.

use chrono_tz::Tz;

use crate::clock::Moment;

#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    pub id: i64,
    pub name: String,
    pub time_zone: Tz,
    /// How far apart two imports on one Connection, configuration or Block should begin, in minutes.
    pub spacing_minutes: i32,
    pub version: i64,
    pub created_at: Moment,
}
