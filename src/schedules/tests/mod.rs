//! Every rule of "When", sentence by sentence; then the nights on which others get it wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod busy;
mod collisions;
mod drafts;
mod named_nights;
mod notes;
mod properties;
mod repeats;
mod sentences;

use serde_json::{Value, json};

use super::{Rule, RuleDraft, first_at_or_after, latest_at_or_before, next_after};
use crate::clock::Moment;

/// A rule from its JSON.
pub fn rule(json: Value) -> Rule {
    RuleDraft::from_json(json.as_object().unwrap()).parse().unwrap()
}

/// A rule of this start in this zone.
pub fn rule_in(zone: &str, start: &str, mut fields: Value) -> Rule {
    let (date, time) = start.split_once(' ').unwrap();
    let object = fields.as_object_mut().unwrap();
    object.insert("start_date".into(), json!(date));
    object.insert("start_time".into(), json!(time));
    object.insert("time_zone".into(), json!(zone));
    rule(fields)
}

pub fn at(text: &str) -> Moment {
    Moment::parse_rfc3339(text).unwrap_or_else(|| panic!("{text} is no instant"))
}

/// The occurrences from an instant on, on the rule's own clock: "2026-10-25 02:30 +02:00".
pub fn local(rule: &Rule, from: &str, count: usize) -> Vec<String> {
    let mut list = Vec::new();
    let mut next = first_at_or_after(rule, at(from));
    while let Some(found) = next.filter(|_| list.len() < count) {
        assert_eq!(latest_at_or_before(rule, found), Some(found));
        list.push(found.in_zone(rule.time_zone()).format("%Y-%m-%d %H:%M %:z").to_string());
        next = next_after(rule, found);
    }
    list
}

/// The same without offsets.
pub fn clock(rule: &Rule, from: &str, count: usize) -> Vec<String> {
    local(rule, from, count).into_iter().map(|text| text[..16].to_owned()).collect()
}
