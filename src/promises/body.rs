//! A promise as the API takes and answers it.

use super::model::{Promise, ReadyForm, Says, Standing, State};
use crate::clock::Moment;
use crate::db::text_enum;
use crate::shape::{answer, sent};

text_enum! {
    /// A day of the week.
    pub enum Day { Mon = "mon", Tue = "tue", Wed = "wed", Thu = "thu", Fri = "fri", Sat = "sat", Sun = "sun" }
}

sent! {
    /// When an import must be ready.
    pub struct ReadyByBody {
        /// On which days.
        weekdays: Vec<Day> = "Choose at least one day." => ["mon", "tue", "wed", "thu", "fri"],
        /// The local time, hours and minutes.
        time: String = "Enter the time it must be ready by." => "08:00",
        /// An IANA time zone name.
        time_zone: String = "Choose a time zone." => "Europe/Paris",
    }
}

impl ReadyByBody {
    pub fn form(&self) -> ReadyForm {
        ReadyForm {
            weekdays: self.weekdays.iter().flatten().map(|day| day.as_str().to_owned()).collect(),
            time: self.time.clone().unwrap_or_default(),
            time_zone: self.time_zone.clone().unwrap_or_default(),
        }
    }
}

answer! {
    /// When an import must be ready, and whether it will be.
    pub struct ReadyByAnswer of (promise: &Promise, standing: &Standing, now: Moment) {
        id: i64 = promise.id,
        application_id: i64 = promise.application_id,
        /// The configuration that must be ready; null for a set.
        configuration_id: Option<i64> = promise.target.configuration(),
        set_id: Option<i64> = promise.target.set(),
        weekdays: Vec<Day> = days(promise),
        time: String = ReadyForm::of(&promise.rule).time,
        time_zone: String = ReadyForm::of(&promise.rule).time_zone,
        /// The same in words.
        sentence: String = promise.sentence(),
        version: i64 = promise.version,
        updated_at: Moment = promise.updated_at,
        /// `fresh`: it is ready, or expected in time; `at_risk`: it may be late; `late`: the deadline passed and it is
        /// not ready; `resting`: a freeze covers the deadline, or it was copied and none of its schedules is on.
        state: State = standing.state,
        /// The deadline that the state is about.
        deadline: Option<Moment> = standing.deadline,
        /// When it became ready.
        ready_at: Option<Moment> = ready_at(standing),
        /// When it is expected, judged by how long it usually takes.
        expected_at: Option<Moment> = expected_at(standing),
        /// The state in words.
        note: String = standing.words(&promise.rule, now),
    }
}

fn days(promise: &Promise) -> Vec<Day> {
    ReadyForm::of(&promise.rule).weekdays.iter().filter_map(|day| Day::parse(day)).collect()
}

fn ready_at(standing: &Standing) -> Option<Moment> {
    match standing.says {
        Says::Ready(ready) => Some(ready.at),
        Says::ReadyLate(_, at) => Some(at),
        _ => None,
    }
}

fn expected_at(standing: &Standing) -> Option<Moment> {
    match standing.says {
        Says::Expected(at) => Some(at),
        _ => None,
    }
}
