//! A freeze.

use chrono::Duration;
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::error::FieldErrors;
use crate::names::check_name;
use crate::shape::{answer, sent};
use crate::words;

/// The longest; whoever wants more turns schedules off.
const LONGEST: Duration = Duration::days(366);
/// 2100-01-01T00:00:00Z.
const END_OF_TIME: Moment = Moment::from_micros(4_102_444_800_000_000);

#[derive(Clone, Debug, PartialEq)]
pub struct Freeze {
    pub id: i64,
    pub application_id: i64,
    pub name: String,
    /// Included.
    pub starts_at: Moment,
    /// Excluded.
    pub ends_at: Moment,
    /// Whether each configuration that it kept from running runs once when it ends.
    pub run_once: bool,
    pub version: i64,
    pub created_by: i64,
    pub created_at: Moment,
    /// Deleted. It still counts for the time in which it held.
    pub archived_at: Option<Moment>,
    /// The Application's, in which people read and type its times.
    pub time_zone: Tz,
}

sent! {
    /// The fields of a freeze to create or change.
    pub struct FreezeBody {
        /// Its name.
        name: String => "Year-end close",
        /// When it ends (exclusive).
        to: Moment = "Enter when it ends." => "2027-01-04T05:00:00Z",
        /// When it starts. Default: now.
        from: Moment => "2026-12-31T17:00:00Z",
        /// Whether each skipped import runs once when it ends.
        run_once: bool,
    }
}

answer! {
    /// A period during which an Application's schedules do not run.
    pub struct FreezeAnswer of (freeze: &Freeze) {
        id: i64 = freeze.id,
        application_id: i64 = freeze.application_id,
        version: i64 = freeze.version,
        created_by: i64 = freeze.created_by,
        created_at: Moment = freeze.created_at;
        body: FreezeBody = FreezeBody::of(freeze)
    }
}

impl FreezeBody {
    pub fn of(freeze: &Freeze) -> Self {
        Self {
            name: Some(freeze.name.clone()),
            to: Some(freeze.ends_at),
            from: Some(freeze.starts_at),
            run_once: Some(freeze.run_once),
        }
    }
}

/// Where a freeze stands in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Upcoming,
    Now,
    Ended,
}

impl Stage {
    pub fn words(self) -> &'static str {
        match self {
            Self::Upcoming => "Upcoming",
            Self::Now => "Now",
            Self::Ended => "Ended",
        }
    }
}

/// A freeze as somebody wants it.
#[derive(Clone, Debug)]
pub struct Draft {
    pub name: String,
    pub starts_at: Moment,
    pub ends_at: Moment,
    pub run_once: bool,
}

impl Freeze {
    /// Whether an occurrence planned for this instant is skipped.
    pub fn holds(&self, at: Moment) -> bool {
        self.starts_at <= at && at < self.ends_at
    }

    pub fn stage(&self, now: Moment) -> Stage {
        match () {
            () if now < self.starts_at => Stage::Upcoming,
            () if now < self.ends_at => Stage::Now,
            () => Stage::Ended,
        }
    }

    /// "Mon 4 Jan 2027, 06:00 (Europe/Paris)"
    pub fn end_words(&self) -> String {
        format!("{} ({})", words::date_time(self.ends_at, self.time_zone), self.time_zone)
    }

    /// Why an occurrence did not run: `Frozen by "Year-end close" until Mon 4 Jan 2027, 06:00 (Europe/Paris).`
    pub fn reason(&self) -> String {
        format!("Frozen by \"{}\" until {}.", self.name, self.end_words())
    }

    /// What will become of an occurrence: `Frozen by "Year-end close" until Mon 4 Jan 2027, 06:00 (Europe/Paris): it
    /// will be skipped.`
    pub fn foretold(&self) -> String {
        format!("Frozen by \"{}\" until {}: it will be skipped.", self.name, self.end_words())
    }

    /// As the audit log keeps it and the API answers it.
    pub fn json(&self) -> Value {
        json!(FreezeAnswer::of(self))
    }

    /// What would save it unchanged.
    pub fn draft(&self) -> Draft {
        Draft { name: self.name.clone(), starts_at: self.starts_at, ends_at: self.ends_at, run_once: self.run_once }
    }
}

impl Draft {
    /// What is wrong, by the fields `name`, `from` and `to`; else the draft as it is to be saved. A freeze begins now
    /// at the earliest: nothing is frozen that has run already. One that has begun (`was`) keeps its beginning.
    pub fn check(mut self, was: Option<&Freeze>, now: Moment) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        self.name = check_name("name", &self.name, was.map(|was| was.name.as_str()), &mut errors);
        let begun = was.filter(|was| was.stage(now) != Stage::Upcoming);
        for (field, at) in [("from", self.starts_at), ("to", self.ends_at)] {
            if at < Moment::from_micros(0) || at >= END_OF_TIME {
                errors.add(field, "This is out of range: use a date from 1970 to 2099.");
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        match begun {
            Some(was) if was.starts_at != self.starts_at => {
                errors.add("from", "It has started, so its start cannot change.");
            }
            Some(_) => {}
            None => {
                if self.ends_at <= self.starts_at {
                    errors.add("to", "It must end after it starts. Choose a later end.");
                }
                self.starts_at = self.starts_at.max(now);
            }
        }
        if errors.of("to").is_none() && self.ends_at <= now {
            errors.add(
                "to",
                match begun {
                    Some(_) => "This time is in the past. Choose a later one, or end the freeze now.",
                    None => "This time is in the past. Choose a later one.",
                },
            );
        } else if self.ends_at.since(self.starts_at) > LONGEST {
            errors.add("to", "A freeze can last at most a year. For longer, turn the schedules off.");
        }
        errors.ok_or(self)
    }
}
