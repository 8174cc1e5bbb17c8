//! A copy of a schedule, to be saved like a new one.

use chrono::Duration;

use crate::clock::Moment;
use crate::schedules::model::{Draft, Schedule};
use crate::schedules::rule::Rule;
use crate::schedules::{RuleDraft, first_at_or_after};

/// What a copy begins with: all of the schedule but its run name, which is unique. It is on, as whatever is saved is. Of
/// a broken one there is no rule to copy.
pub fn draft_of_copy(schedule: &Schedule, now: Moment) -> Draft {
    let rule = match schedule.broken {
        Some(_) => RuleDraft::default(),
        None => RuleDraft::from_json(&with_future(&schedule.rule, now).to_map()),
    };
    Draft { run_name: None, rule, enabled: true, off_until: None, ..schedule.draft() }
}

/// The same rule where something is still to come, its grid and all. Otherwise it begins today and never ends; Once
/// comes today, or tomorrow when that time has gone by.
fn with_future(rule: &Rule, now: Moment) -> Rule {
    let from = |days: i64| {
        let start_date = now.in_zone(rule.time_zone()).date_naive() + Duration::days(days);
        Rule { start_date, end_date: None, ..*rule }
    };
    let choices = [*rule, from(0), from(1)];
    choices.into_iter().find(|rule| first_at_or_after(rule, now).is_some()).unwrap_or(*rule)
}
