//! A promotion as the API takes and answers it.

use std::collections::BTreeMap;

use super::connections::Reading;
use super::reckoning::{Item, Reckoned, State};
use crate::audit_log::Difference;
use crate::environments::Kind;
use crate::shape::answer;

answer! {
    /// What a promotion changes, or changed.
    pub struct PromotionAnswer of (reckoned: &Reckoned, promoted: &BTreeMap<(Kind, i64), i64>) {
        from_id: i64 = reckoned.from.application.id,
        to_id: i64 = reckoned.to.application.id,
        /// Of all that differs. Send it as `seen` to promote exactly what was shown.
        mark: String = reckoned.mark(),
        connections: Vec<ReadingAnswer> = reckoned.readings.iter().map(ReadingAnswer::of).collect(),
        /// Import configurations, import sets and schedules that have not finished.
        items: Vec<ItemAnswer> = reckoned.items.iter().map(|item| ItemAnswer::of(item, promoted)).collect(),
    }
}

answer! {
    /// A Connection that imports of the source read through.
    pub struct ReadingAnswer of (reading: &Reading) {
        connection_id: i64 = reading.connection.id,
        name: String = reading.connection.name.clone(),
        /// What is read in its place in the target; null: nothing, and what would read through it cannot be promoted.
        use_id: Option<i64> = reading.chosen,
        /// What can be: Connections of the same kind that are authorised for the target.
        choices: Vec<i64> = reading.choices.iter().map(|(id, _)| *id).collect(),
    }
}

answer! {
    /// A thing that can be promoted, or that is gone from the source.
    pub struct ItemAnswer of (item: &Item, promoted: &BTreeMap<(Kind, i64), i64>) {
        kind: Kind = item.kind,
        /// In the source; of what is gone there, in the target.
        id: i64 = item.id,
        name: String = item.name.clone(),
        state: State = item.state,
        /// The same thing in the target; null: none yet.
        there_id: Option<i64> = promoted.get(&(item.kind, item.id)).copied().or(item.there),
        /// What changes, at most 30.
        differences: Vec<DifferenceAnswer> = item.differences.iter().map(DifferenceAnswer::of).collect(),
        /// Why it cannot be promoted as things stand.
        obstacles: Vec<String> = item.obstacles.clone(),
        promoted: bool = promoted.contains_key(&(item.kind, item.id)),
    }
}

answer! {
    /// One difference, as the change history says it.
    pub struct DifferenceAnswer of (difference: &Difference) {
        /// Empty where old and new say it by themselves.
        field: String = difference.label.clone(),
        old: String = difference.old.clone(),
        new: String = difference.new.clone(),
    }
}
