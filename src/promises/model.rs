//! A promise, what is remembered of its deadlines, and how it stands in words.

use chrono::Duration;
use serde_json::{Map, Value, json};

use crate::clock::Moment;
use crate::db::text_enum;
use crate::error::FieldErrors;
use crate::imports::Target;
use crate::schedules::{Rule, RuleDraft, RuleForm, headline};
use crate::words;

text_enum! {
    /// How a promise stands.
    pub enum State {
        /// It is ready, or nothing speaks against its being ready in time.
        Fresh = "fresh",
        AtRisk = "at_risk",
        Late = "late",
        /// A freeze covers the deadline, it was copied and none of its schedules is on, or what it is of was deleted.
        Resting = "resting",
    }
}

impl State {
    /// Word, class and icon of its chip.
    pub fn chip(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Fresh => ("Fresh", "is-ok", "ok"),
            Self::AtRisk => ("At risk", "is-warn", "warn"),
            Self::Late => ("Late", "is-bad", "clock"),
            Self::Resting => ("Resting", "", "pause"),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Promise {
    pub id: i64,
    pub application_id: i64,
    /// What is to be ready.
    pub target: Target,
    /// Its deadlines.
    pub rule: Rule,
    pub version: i64,
    pub updated_at: Moment,
    /// It came with a copied Application.
    pub copied: bool,
    pub memory: Memory,
}

/// What is remembered of its deadlines.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    pub state: State,
    /// The deadline that the state is of.
    pub deadline: Option<Moment>,
    /// Deadlines up to this one are over with.
    pub settled: Moment,
    /// A run counts for the coming deadline if it ended after this.
    pub counts_from: Moment,
    /// The first deadline since which nothing was ready.
    pub late_since: Option<Moment>,
    /// What was ready late at last: due when, ready when.
    pub answered: Option<(Moment, Moment)>,
    /// The deadline by which people were told that it may not be ready, until they are told how it went.
    pub feared: Option<Moment>,
}

/// How many promises of an Application stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub fresh: i64,
    pub at_risk: i64,
    pub late: i64,
    pub resting: i64,
}

/// A run that ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    pub run_id: i64,
    pub at: Moment,
    /// Rows were rejected.
    pub partial: bool,
}

/// What there is to say beside the state.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    Ready(Ready),
    /// It was, though late: due then.
    ReadyLate(Moment, Moment),
    /// It is going to end then.
    Expected(Moment),
    /// The latest run failed or is held; the next one is planned for then.
    Failed(Option<Moment>),
    /// Nothing goes, and the next run is planned for then.
    Unplanned(Option<Moment>),
    Frozen(String),
    /// It came with a copied Application, and nothing is on yet.
    Copied,
    Deleted,
}

/// How a promise stands at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub state: State,
    /// The deadline that the state is of: of a late one the latest that passed.
    pub deadline: Option<Moment>,
    /// Of a late one, the first deadline that was missed.
    pub since: Option<Moment>,
    pub says: Says,
}

impl Standing {
    /// "Due by 08:00, expected 07:40".
    pub fn words(&self, rule: &Rule, now: Moment) -> String {
        let zone = rule.time_zone();
        let when = |at: Moment| words::near(at, now, zone);
        let then = |at: Moment| words::then(at, now, zone);
        let by = self.deadline.map(when).unwrap_or_default();
        match (&self.says, self.state) {
            (Says::Deleted, _) => "Deleted".to_owned(),
            (Says::Frozen(by), _) => by.clone(),
            (Says::Copied, _) => "Waits until a schedule is on".to_owned(),
            (Says::Ready(ready), _) => {
                let rejected = if ready.partial { " with rejected rows" } else { "" };
                format!("Ready since {}{rejected}, due by {by}", when(ready.at))
            }
            (Says::ReadyLate(due, at), _) => format!("Ready since {}, {}", when(*at), late_words(*due, *at)),
            (says, State::Late) => {
                let due = self.since.map(when).unwrap_or_default();
                match says {
                    Says::Expected(at) => format!("Due by {due}, expected {}", when(*at)),
                    Says::Failed(next) | Says::Unplanned(next) => match next {
                        Some(at) => format!("Due by {due}, the next run is {}", then(*at)),
                        None => format!("Due by {due}, no run is planned"),
                    },
                    _ => format!("Due by {due}"),
                }
            }
            (Says::Expected(at), _) => format!("Due by {by}, expected {}", when(*at)),
            (Says::Failed(Some(at)), _) => {
                format!("Due by {by}, but the last run did not succeed and the next is {}", then(*at))
            }
            (Says::Failed(None), _) => {
                format!("Due by {by}, but the last run did not succeed and no other is planned")
            }
            (Says::Unplanned(Some(at)), State::AtRisk) => {
                format!("Due by {by}, but the next run is {}", then(*at))
            }
            (Says::Unplanned(None), State::AtRisk) => format!("Due by {by}, but no run is planned"),
            (Says::Unplanned(_), _) => format!("Due by {by}"),
        }
    }
}

/// "25 minutes late".
pub fn late_words(due: Moment, at: Moment) -> String {
    let minutes = at.since(due).num_minutes().max(0);
    match minutes {
        0 => "less than a minute late".to_owned(),
        1..60 => format!("{} late", words::counted(minutes, "minute", "minutes")),
        60..1_440 => match (minutes / 60, minutes % 60) {
            (h, 0) => format!("{} late", words::counted(h, "hour", "hours")),
            (h, m) => format!("{h} h {m} min late"),
        },
        _ => format!("{} late", words::counted(minutes / 1_440, "day", "days")),
    }
}

impl Promise {
    /// "Ready by 08:00 every weekday, Europe/Paris".
    pub fn sentence(&self) -> String {
        sentence(&self.rule)
    }

    pub fn for_audit(&self) -> Value {
        json!({ "sentence": self.sentence(), "target": self.target.to_string(), "version": self.version })
    }
}

pub fn sentence(rule: &Rule) -> String {
    let weekly = headline(rule);
    let (days, time) = weekly.rsplit_once(" at ").unwrap_or((&weekly, ""));
    let days = days.trim_end_matches(',').replacen("Every", "every", 1);
    format!("Ready by {time} {days}, {}", rule.time_zone())
}

/// How long a message about what happened is news.
pub const NEWS: Duration = Duration::days(1);

/// What was typed or sent: weekdays as `mon` to `sun`, a time, a zone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadyForm {
    pub weekdays: Vec<String>,
    pub time: String,
    pub time_zone: String,
}

impl ReadyForm {
    pub fn of(rule: &Rule) -> Self {
        let form = RuleForm::from_rule(rule);
        Self { weekdays: form.weekdays, time: form.start_time, time_zone: form.time_zone }
    }

    pub fn has_weekday(&self, key: &str) -> bool {
        self.weekdays.iter().any(|k| k == key)
    }

    /// Every week, from long ago: a promise begins where it is saved, its deadlines do not.
    pub fn parse(&self) -> Result<Rule, FieldErrors> {
        let given = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        let fields = json!({
            "repeat": "weeks", "every": 1, "weekdays": self.weekdays, "start_date": "1970-01-05",
            "start_time": given(&self.time), "time_zone": given(&self.time_zone),
        });
        let map: Map<String, Value> = fields.as_object().cloned().unwrap_or_default();
        RuleDraft::from_json(&map).parse().map_err(|mut errors| {
            for error in errors.0.iter_mut().filter(|error| error.field == "start_time") {
                error.field = "time".into();
                if self.time.trim().is_empty() {
                    error.detail = "Enter the time it must be ready by.".into();
                }
            }
            errors
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        Moment::parse_rfc3339(text).unwrap()
    }

    fn form(days: &[&str], time: &str, zone: &str) -> ReadyForm {
        ReadyForm {
            weekdays: days.iter().map(|day| (*day).to_owned()).collect(),
            time: time.into(),
            time_zone: zone.into(),
        }
    }

    #[test]
    fn a_promise_is_a_sentence() {
        let said = |days: &[&str]| sentence(&form(days, "08:00", "Europe/Paris").parse().unwrap());
        assert_eq!(said(&["mon", "tue", "wed", "thu", "fri"]), "Ready by 08:00 every weekday, Europe/Paris");
        assert_eq!(said(&["mon", "thu"]), "Ready by 08:00 every Monday and Thursday, Europe/Paris");
        assert_eq!(said(&["mon", "tue", "wed"]), "Ready by 08:00 every week, Monday to Wednesday, Europe/Paris");
        let all = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        assert_eq!(said(&all), "Ready by 08:00 every day, Europe/Paris");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let errors = form(&[], "", "Mars").parse().unwrap_err();
        let mut fields: Vec<&str> = errors.0.iter().map(|e| e.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["time", "time_zone", "weekdays"]);
        assert!(errors.of("time").unwrap().contains("ready by"));
        assert!(form(&["mon"], "25:00", "UTC").parse().unwrap_err().of("time").is_some());
        assert!(form(&["noday"], "08:00", "UTC").parse().unwrap_err().of("weekdays").is_some());
        assert_eq!(ReadyForm::of(&form(&["mon"], "08:00", "UTC").parse().unwrap()), form(&["mon"], "08:00", "UTC"));
    }

    #[test]
    fn how_it_stands_is_said_in_a_line() {
        let rule = form(&["mon", "tue"], "08:00", "Europe/Paris").parse().unwrap();
        let now = moment("2026-10-05T05:00:00Z");
        let due = moment("2026-10-05T06:00:00Z");
        let said = |state, says| Standing { state, deadline: Some(due), since: Some(due), says }.words(&rule, now);
        let at = |time: &str| moment(&format!("2026-10-{time}:00Z"));
        assert_eq!(said(State::Fresh, Says::Expected(at("05T05:40"))), "Due by 08:00, expected 07:40");
        let ready = Ready { run_id: 1, at: at("05T05:05"), partial: true };
        assert_eq!(said(State::Fresh, Says::Ready(ready)), "Ready since 07:05 with rejected rows, due by 08:00");
        assert_eq!(
            said(State::AtRisk, Says::Failed(Some(at("06T05:00")))),
            "Due by 08:00, but the last run did not succeed and the next is tomorrow 07:00"
        );
        assert_eq!(said(State::AtRisk, Says::Unplanned(None)), "Due by 08:00, but no run is planned");
        assert_eq!(said(State::Late, Says::Unplanned(Some(at("05T08:30")))), "Due by 08:00, the next run is at 10:30");
        assert_eq!(late_words(due, at("05T06:25")), "25 minutes late");
        assert_eq!(late_words(due, at("05T07:05")), "1 h 5 min late");
        assert_eq!(late_words(due, at("07T07:05")), "2 days late");
    }
}
