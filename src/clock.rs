//! What time it is. The only file that reads the machine's clock: everybody else is handed a [`Moment`]
//! or asks the [`Clock`] in `App`, so that tests can set the time and step through it.

use std::fmt;
use std::sync::Mutex;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The zone of an IANA name, upper and lower case alike, or of a city that only one of them ends with.
pub fn zone_named(name: &str) -> Option<Tz> {
    let name = name.trim().replace(' ', "_");
    let whole = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(&name));
    let city = |zone: &&Tz| zone.name().rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&name));
    let only_city = || {
        let mut found = TZ_VARIANTS.iter().filter(city);
        found.next().filter(|_| found.next().is_none())
    };
    whole.or_else(only_city).copied()
}

/// An instant in UTC in whole microseconds since 1970, because that is what both databases keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::BigInt)]
pub struct Moment(i64);

impl Moment {
    pub fn new(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros())
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// For binding: a query borrows what it sends.
    pub(crate) fn micros_ref(&self) -> &i64 {
        &self.0
    }

    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// As chrono's date and time; what no calendar can hold becomes the nearest end of time.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    pub fn in_zone(self, zone: Tz) -> DateTime<Tz> {
        self.utc().with_timezone(&zone)
    }

    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by.num_microseconds().unwrap_or(i64::MAX)))
    }

    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by.num_microseconds().unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; negative when it is before.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::microseconds(self.0.saturating_sub(earlier.0))
    }

    /// RFC 3339 in UTC: whole seconds where there are no others, else microseconds.
    pub fn rfc3339(self) -> String {
        let form = if self.0.rem_euclid(1_000_000) == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
        self.utc().to_rfc3339_opts(form, true)
    }

    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| Self::new(at.with_timezone(&Utc)))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_rfc3339(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 instant"))
    }
}

/// Where "now" comes from: the machine, a test, or (in `db`) the PostgreSQL server that several processes share.
pub trait Clock: Send + Sync {
    fn now(&self) -> Moment;
}

/// The clock of this machine.
pub struct MachineClock;

impl Clock for MachineClock {
    #[allow(clippy::disallowed_methods)] // the one place where it is allowed
    fn now(&self) -> Moment {
        Moment::new(Utc::now())
    }
}

/// A clock that stands still until somebody sets it.
pub struct SetClock(Mutex<Moment>);

impl SetClock {
    pub fn at(moment: Moment) -> Self {
        Self(Mutex::new(moment))
    }

    pub fn set(&self, moment: Moment) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = moment;
    }

    pub fn advance(&self, by: Duration) {
        let next = self.now().plus(by);
        self.set(next);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
