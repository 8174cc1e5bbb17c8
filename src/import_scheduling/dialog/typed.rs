//! What the schedule form holds: fresh, of an existing schedule, or as it was typed; and what of it would be saved.

use chrono::Duration;
use chrono_tz::Tz;
use serde_json::Value;

use super::preview;
use crate::clock::Moment;
use crate::error::FieldErrors;
use crate::imports::{Listed, Target};
use crate::members::By;
use crate::parameters;
use crate::schedules::{About, Draft, Notify, RuleForm, Schedule, State, actions};
use crate::secrets::random_token;
use crate::web::Form;

/// What the form holds, as it was typed.
pub struct Typed {
    pub block: Option<i64>,
    /// Whether a set is chosen, and not a configuration; what was chosen of the other kind is kept.
    pub of_set: bool,
    pub configuration: Option<i64>,
    pub set: Option<i64>,
    pub rule: RuleForm,
    pub notify_on: bool,
    pub notify_about: String,
    /// This failure in a row is the first that is told.
    pub notify_after: String,
    pub recipients: Vec<i64>,
    /// Groups that are told.
    pub groups: Vec<i64>,
    pub run_name: String,
    /// Of the parameters of what is chosen.
    pub values: Option<Value>,
    pub version: Option<i64>,
    /// Tells the form of a new schedule from every other: sent twice, it makes one.
    pub nonce: Option<String>,
    /// The page from which the form was opened; empty when it is opened now.
    pub back: String,
    /// Whether the form is opened now, and does not come back.
    pub fresh: bool,
    /// Whether the preview shows all that it can.
    pub expanded: bool,
    /// Whether the start is the one that the preview offered.
    pub used: bool,
}

/// The longest nonce that is taken.
const NONCE: usize = 64;

/// A window begins with every day chosen, so that turning it on changes nothing yet.
const ALL_DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Typed {
    /// A new schedule: tomorrow morning, every day, and whoever schedules it is told about failures.
    pub fn fresh(zone: Tz, configurations: &[Listed], by: &By, target: Option<Target>, now: Moment) -> Self {
        let tomorrow = now.in_zone(zone).date_naive() + Duration::days(1);
        let only = match configurations {
            [only] => Some(only.configuration.id),
            _ => None,
        };
        let rule = RuleForm {
            repeat: "days".into(),
            every_minutes: "15".into(),
            every_hours: "1".into(),
            every_days: "1".into(),
            every_weeks: "1".into(),
            weekdays: ["mon", "tue", "wed", "thu", "fri"].map(str::to_owned).to_vec(),
            days_of_month: vec!["1".into()],
            window_weekdays: ALL_DAYS.map(str::to_owned).to_vec(),
            start_date: tomorrow.format("%Y-%m-%d").to_string(),
            start_time: "06:00".into(),
            time_zone: zone.name().to_owned(),
            ends: "forever".into(),
            ..RuleForm::default()
        };
        Self {
            block: None,
            of_set: target.is_some_and(|target| target.set().is_some()),
            configuration: target.and_then(Target::configuration).or(only),
            set: target.and_then(Target::set),
            rule,
            notify_on: false,
            notify_about: About::Failed.to_string(),
            notify_after: "1".into(),
            recipients: vec![by.member.id],
            groups: Vec::new(),
            run_name: String::new(),
            values: None,
            version: None,
            nonce: Some(random_token()),
            back: String::new(),
            fresh: true,
            expanded: false,
            used: false,
        }
    }

    /// A new schedule like another one.
    pub fn copy(of: &Schedule, by: &By, now: Moment) -> Self {
        let draft = actions::draft_of_copy(of, now);
        let rule = draft.rule.parse().unwrap_or(of.rule);
        let copied = Schedule { rule, run_name: None, ..of.clone() };
        Self { version: None, nonce: Some(random_token()), ..Self::of(&copied, by) }
    }

    pub fn of(schedule: &Schedule, by: &By) -> Self {
        let mut rule = match schedule.broken {
            // Nothing is chosen for whoever mends it.
            Some(_) => RuleForm { ends: "forever".into(), ..RuleForm::default() },
            None => RuleForm::from_rule(&schedule.rule),
        };
        // The controls of the other repeats begin with something sensible.
        let fill = |control: &mut String, value: &str| {
            if control.is_empty() {
                control.push_str(value);
            }
        };
        fill(&mut rule.every_minutes, "15");
        fill(&mut rule.every_hours, "1");
        fill(&mut rule.every_days, "1");
        fill(&mut rule.every_weeks, "1");
        if !rule.window_on {
            rule.window_weekdays = ALL_DAYS.map(str::to_owned).to_vec();
        }
        let notify = schedule.notify.clone();
        Self {
            block: None,
            of_set: schedule.target.set().is_some(),
            configuration: schedule.target.configuration(),
            set: schedule.target.set(),
            rule,
            notify_on: notify.is_some(),
            notify_about: notify.as_ref().map_or(About::Failed, |n| n.about).to_string(),
            notify_after: notify.as_ref().map_or(1, |n| n.after).to_string(),
            groups: notify.as_ref().map(|n| n.group_ids.clone()).unwrap_or_default(),
            recipients: notify.map_or_else(|| vec![by.member.id], |n| n.member_ids),
            run_name: schedule.run_name.clone().unwrap_or_default(),
            values: schedule.parameters.as_ref().map(parameters::mask),
            version: Some(schedule.version),
            nonce: None,
            back: String::new(),
            fresh: true,
            expanded: false,
            used: false,
        }
    }

    pub fn read(form: &Form) -> Result<Self, FieldErrors> {
        let mut rule = RuleForm::from_pairs(&form.0);
        let used = preview::use_offered(form, &mut rule);
        Ok(Self {
            block: form.id("block"),
            of_set: form.get("run") == "set",
            configuration: form.id("configuration"),
            set: form.id("set"),
            rule,
            notify_on: form.ticked("notify"),
            notify_about: form.get("notify_about").to_owned(),
            notify_after: form.get("notify_after").to_owned(),
            recipients: form.ids("recipients")?,
            groups: form.ids("recipient_groups")?,
            run_name: form.get("run_name").to_owned(),
            values: None,
            version: form.id("version"),
            nonce: Some(form.get("nonce")).filter(|nonce| (1..=NONCE).contains(&nonce.len())).map(str::to_owned),
            back: form.get("back").to_owned(),
            fresh: false,
            expanded: preview::expanded(form),
            used,
        })
    }

    /// What is to be run.
    pub fn target(&self) -> Option<Target> {
        match self.of_set {
            true => self.set.map(Target::Set),
            false => self.configuration.map(Target::Configuration),
        }
    }

    /// What would be saved. `kept` is the schedule that the form edits: what the form does not show stays.
    pub fn draft(&self, kept: Option<&Schedule>) -> Result<Draft, FieldErrors> {
        let mut errors = FieldErrors::new();
        if self.target().is_none() {
            match self.of_set {
                true => errors.add("set_id", "Choose the import set to run."),
                false => errors.add("configuration_id", "Choose the configuration to run."),
            }
        }
        let about = About::parse(&self.notify_about);
        // Left out, it is the first one.
        let after: Option<i32> = if self.notify_after.is_empty() { Some(1) } else { self.notify_after.parse().ok() };
        let mut last = FieldErrors::new();
        if self.notify_on {
            if after.is_none() {
                last.add("notify.after", "Choose 1 to 10 failures in a row.");
            }
            if about.is_none() {
                last.add("notify.about", "Choose what to notify about.");
            }
            if self.recipients.is_empty() && self.groups.is_empty() {
                let said = "Choose at least one member or group to notify, or turn the notifications off.";
                last.add("notify.member_ids", said);
            }
        }
        let rule = self.rule.draft();
        // The rule's errors belong to the same answer: a form comes back once, with all that is wrong from top to end.
        let (Some(target), true) = (self.target(), errors.is_empty() && last.is_empty()) else {
            if let Err(more) = self.rule.draft().parse() {
                errors.extend(more);
            }
            errors.extend(last);
            return Err(errors);
        };
        Ok(Draft {
            target,
            run_name: Some(self.run_name.clone()).filter(|name| !name.is_empty()),
            rule,
            enabled: kept.is_none_or(|s| s.enabled),
            off_until: kept.and_then(|s| s.off_until),
            notify: about.filter(|_| self.notify_on).map(|about| Notify {
                about,
                member_ids: self.recipients.clone(),
                group_ids: self.groups.clone(),
                after: after.unwrap_or(1),
            }),
            parameters: self.values.clone(),
        })
    }
}

/// What is said once the form is saved. `was`: the schedule that it edited.
pub fn said(was: Option<&Schedule>, is: &Schedule) -> String {
    let sentence = is.sentence();
    match was {
        Some(was) if was.version == is.version => format!("Nothing has changed: {sentence}."),
        Some(_) => format!("Updated: {sentence}."),
        None if is.version == 1 => format!("Scheduled: {sentence}."),
        // The form was sent before.
        None => {
            let now = match is.state() {
                State::On => "It is on.",
                State::Off => "It is off.",
                State::Finished => "It has finished.",
            };
            format!("Already scheduled, and changed since then: {sentence}. {now}")
        }
    }
}
