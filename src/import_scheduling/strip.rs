//! The strip of last runs on a card.

use super::card::Bars;
use crate::runs::RunStatus;
use crate::runs::glance::{Past, STRIP};
use crate::words;

/// The strip: 119 by 26 units, 8.5 for each run, the newest at the right end; a bar is as high as its run was long
/// beside the longest. One path for all bars of a colour.
pub fn bars(strip: &[Past]) -> Vec<Bars> {
    let millis = |past: &Past| past.duration.map_or(0, |d| d.num_milliseconds().max(0));
    let longest = strip.iter().map(millis).max().unwrap_or(0).max(1);
    let first = STRIP.saturating_sub(strip.len());
    let mut all = ["ok", "warn", "bad", "idle"].map(|class| Bars { class, path: String::new() });
    for (i, past) in strip.iter().enumerate() {
        let height = 5 + millis(past) * 21 / longest;
        let of = match past.status {
            RunStatus::Success => 0,
            RunStatus::Partial | RunStatus::Held => 1,
            RunStatus::Failed => 2,
            _ => 3,
        };
        let x = (first + i) as f64 * 8.5;
        all[of].path += &format!("M{x} 26v-{height}h6v{height}z");
    }
    all.into_iter().filter(|bars| !bars.path.is_empty()).collect()
}

/// "Last 14 runs: 12 succeeded, 1 partial, 1 failed".
pub fn label(strip: &[Past]) -> String {
    let count = |wanted: &[RunStatus]| strip.iter().filter(|past| wanted.contains(&past.status)).count() as i64;
    let parts: Vec<String> = [
        (count(&[RunStatus::Success]), "succeeded"),
        (count(&[RunStatus::Partial]), "partial"),
        (count(&[RunStatus::Failed]), "failed"),
        (count(&[RunStatus::Held]), "held"),
        (count(&[RunStatus::Cancelled]), "cancelled"),
        (count(&[RunStatus::Skipped, RunStatus::Missed]), "not started"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{n} {word}"))
    .collect();
    format!("Last {}: {}", words::counted(strip.len() as i64, "run", "runs"), parts.join(", "))
}
