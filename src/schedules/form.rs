//! The controls of the schedule dialog: what they hold, as text. A form sends the controls of every repeat, also the
//! hidden ones; only those of the chosen repeat become part of the rule, and the others keep what was typed.

use serde_json::{Map, Value, json};

use super::draft::RuleDraft;
use super::rule::{Repeat, Rule, Weekdays, hh_mm};

/// Every control of a rule by its name; what a person typed is here unchanged, so that a refused form comes back whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleForm {
    pub repeat: String,
    pub every_minutes: String,
    pub every_hours: String,
    pub every_days: String,
    pub every_weeks: String,
    /// `mon` to `sun`, one for each ticked box.
    pub weekdays: Vec<String>,
    /// `1` to `12`; none ticked means all.
    pub months: Vec<String>,
    /// `1` to `31` and `last`.
    pub days_of_month: Vec<String>,
    pub window_on: bool,
    pub window_weekdays: Vec<String>,
    pub window_from: String,
    pub window_to: String,
    pub start_date: String,
    pub start_time: String,
    pub time_zone: String,
    /// `forever` or `on`.
    pub ends: String,
    pub end_date: String,
}

impl RuleForm {
    /// Reads the pairs of a form; names that are not a rule's are left to others.
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            let value = value.trim().to_owned();
            match name.as_str() {
                "weekdays" => form.weekdays.push(value),
                "months" => form.months.push(value),
                "days_of_month" => form.days_of_month.push(value),
                "window_weekdays" => form.window_weekdays.push(value),
                "window_on" => form.window_on = !matches!(value.as_str(), "" | "off" | "false" | "0"),
                name => {
                    if let Some(control) = form.text(name) {
                        *control = value;
                    }
                }
            }
        }
        form
    }

    fn text(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "repeat" => &mut self.repeat,
            "every_minutes" => &mut self.every_minutes,
            "every_hours" => &mut self.every_hours,
            "every_days" => &mut self.every_days,
            "every_weeks" => &mut self.every_weeks,
            "window_from" => &mut self.window_from,
            "window_to" => &mut self.window_to,
            "start_date" => &mut self.start_date,
            "start_time" => &mut self.start_time,
            "time_zone" => &mut self.time_zone,
            "ends" => &mut self.ends,
            "end_date" => &mut self.end_date,
            _ => return None,
        })
    }

    /// The controls as the edit dialog shows an existing rule.
    pub fn from_rule(rule: &Rule) -> Self {
        let mut form = Self {
            repeat: rule.repeat.key().to_owned(),
            start_date: rule.start_date.format("%Y-%m-%d").to_string(),
            start_time: hh_mm(rule.start_time),
            time_zone: rule.time_zone.name().to_owned(),
            ends: if rule.end_date.is_some() { "on" } else { "forever" }.to_owned(),
            end_date: rule.end_date.map(|d| d.format("%Y-%m-%d").to_string()).unwrap_or_default(),
            ..Self::default()
        };
        match rule.repeat {
            Repeat::Once => {}
            Repeat::Minutes { every, .. } => form.every_minutes = every.to_string(),
            Repeat::Hours { every, .. } => form.every_hours = every.to_string(),
            Repeat::Days { every } => form.every_days = every.to_string(),
            Repeat::Weeks { every, weekdays } => {
                form.every_weeks = every.to_string();
                form.weekdays = keys(weekdays);
            }
            Repeat::Months { months, days } => {
                form.months = months.iter().flat_map(|m| m.iter()).map(|m| m.to_string()).collect();
                form.days_of_month = days.iter().map(|d| d.to_string()).collect();
                form.days_of_month.extend(days.has_last().then(|| "last".to_owned()));
            }
        }
        if let Some(window) = rule.repeat.window() {
            form.window_on = true;
            form.window_weekdays = keys(window.weekdays.unwrap_or(Weekdays::ALL));
            form.window_from = window.from.map(hh_mm).unwrap_or_default();
            form.window_to = window.to.map(hh_mm).unwrap_or_default();
        }
        form
    }

    /// What was chosen, to be parsed: only the controls of the chosen repeat, a blank control counting as absent.
    pub fn draft(&self) -> RuleDraft {
        let mut values = Map::new();
        let mut put = |name: &str, value: Value| values.insert(name.to_owned(), value);
        put("repeat", text(&self.repeat));
        put("start_date", text(&self.start_date));
        put("start_time", text(&self.start_time));
        put("time_zone", text(&self.time_zone));
        if self.repeat != "once" && self.ends != "forever" {
            put("end_date", text(&self.end_date));
        }
        match self.repeat.as_str() {
            "minutes" => _ = put("every", number(&self.every_minutes)),
            "hours" => _ = put("every", number(&self.every_hours)),
            "days" => _ = put("every", number(&self.every_days)),
            "weeks" => {
                put("every", number(&self.every_weeks));
                put("weekdays", json!(self.weekdays));
            }
            "months" => {
                if !self.months.is_empty() {
                    put("months", self.months.iter().map(|m| number(m)).collect());
                }
                put("days_of_month", self.days_of_month.iter().map(|d| number(d)).collect());
            }
            _ => {}
        }
        if self.window_on && matches!(self.repeat.as_str(), "minutes" | "hours") {
            let window = json!({
                "weekdays": self.window_weekdays,
                "from": text(&self.window_from),
                "to": text(&self.window_to),
            });
            put("window", window);
        }
        RuleDraft::from_form(&values)
    }

    pub fn has_weekday(&self, key: &str) -> bool {
        self.weekdays.iter().any(|k| k == key)
    }

    pub fn has_window_weekday(&self, key: &str) -> bool {
        self.window_weekdays.iter().any(|k| k == key)
    }

    pub fn has_month(&self, month: &u32) -> bool {
        self.months.iter().any(|m| *m == month.to_string())
    }

    /// `1` to `31`, or `last`.
    pub fn has_day(&self, day: &str) -> bool {
        self.days_of_month.iter().any(|d| d == day)
    }
}

fn keys(weekdays: Weekdays) -> Vec<String> {
    weekdays.keys().into_iter().map(str::to_owned).collect()
}

/// A blank control is an absent field.
fn text(control: &str) -> Value {
    if control.is_empty() { Value::Null } else { control.into() }
}

/// A whole number where it is one; what it is not stays text, for the reader to refuse.
fn number(control: &str) -> Value {
    control.parse::<u64>().map_or_else(|_| text(control), Value::from)
}
