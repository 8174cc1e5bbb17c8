//! What a configuration's definition says about running it, and how long a failed attempt waits for the next.

use chrono::Duration;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::imports::{Overlap, UnknownItems};

/// The part of a definition that runs need before they begin.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub struct Policy {
    pub overlap: Overlap,
    /// How often a run is tried, the first time included.
    pub attempts: i32,
    /// How long one attempt may take.
    pub attempt_seconds: i64,
    unknown_items: UnknownItems,
    source: Source,
    parameters: Vec<IgnoredAny>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
struct Source {
    #[serde(default)]
    path: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            overlap: Overlap::Skip,
            attempts: 3,
            attempt_seconds: 3_600,
            unknown_items: UnknownItems::Reject,
            source: Source::default(),
            parameters: Vec::new(),
        }
    }
}

impl Policy {
    /// Of a definition's JSON; what it does not say is as usual. `Err`: why it cannot be read, for people.
    pub fn of(definition: &str) -> Result<Self, String> {
        serde_json::from_str(definition).map_err(|error| {
            format!(
                "The definition of the import configuration cannot be read ({error}). Save the configuration again."
            )
        })
    }

    /// Whether it may write the Dimension lists that its Block names, too.
    pub fn creates_items(&self) -> bool {
        self.unknown_items == UnknownItems::Create
    }

    /// Whether values go into what it reads and maps.
    pub fn declares_parameters(&self) -> bool {
        !self.parameters.is_empty()
    }

    /// The same where values of parameters make the path.
    pub fn with_path(mut self, path: Option<String>) -> Self {
        self.source.path = path;
        self
    }

    /// The file that is read, below the Connection's folder or address.
    pub fn path(&self) -> Option<&str> {
        self.source.path.as_deref()
    }
}

/// How long after a failed attempt the next one begins: 30 s, then 2 min, a fifth more or less, so that what failed
/// together does not come back together. The spread follows from the run's id: it is the same wherever it is reckoned.
pub fn back_off(run_id: i64, attempt: i32) -> Duration {
    spread(run_id, attempt.into(), if attempt <= 1 { 30_000 } else { 120_000 })
}

/// The same for a run that others hold up: it waits as long again as it has waited, 10 min at most, because each of its
/// attempts fetches the whole source.
pub fn back_off_while_busy(run_id: i64, so_far: Duration) -> Duration {
    let so_far = so_far.num_milliseconds();
    spread(run_id, so_far, so_far.clamp(30_000, 600_000))
}

fn spread(run_id: i64, salt: i64, base: i64) -> Duration {
    // Any mixing of the two numbers does; this one is Fibonacci hashing.
    let mixed = (run_id as u64).wrapping_mul(31).wrapping_add(salt as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let percent = (mixed % 41) as i64 - 20;
    Duration::milliseconds(base + base * percent / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_definition_leaves_out_is_as_usual() {
        assert_eq!(Policy::of("{}").unwrap(), Policy::default());
        let text = r#"{"overlap": "queue", "attempts": 1, "source": {"path": "a.csv", "format": "csv"}}"#;
        let policy = Policy::of(text).unwrap();
        assert_eq!((policy.overlap, policy.attempts, policy.path()), (Overlap::Queue, 1, Some("a.csv")));
    }

    #[test]
    fn what_cannot_be_read_is_no_default() {
        for text in ["", "{", r#"{"attempts": "many"}"#, r#"{"overlap": "both"}"#] {
            let why = Policy::of(text).unwrap_err();
            assert!(why.starts_with("The definition of the import configuration cannot be read"), "{why}");
        }
    }

    #[test]
    fn the_back_off_spreads_by_a_fifth() {
        for (attempt, base) in [(1, 30_000), (2, 120_000), (5, 120_000)] {
            let waits: Vec<i64> = (0..500).map(|id| back_off(id, attempt).num_milliseconds()).collect();
            assert!(waits.iter().all(|ms| (base * 4 / 5..=base * 6 / 5).contains(ms)));
            let different: std::collections::BTreeSet<_> = waits.iter().collect();
            assert!(different.len() > 30, "{}", different.len());
        }
    }

    #[test]
    fn whoever_is_held_up_asks_ever_less_often() {
        let (mut so_far, mut asked) = (Duration::zero(), 0);
        while so_far < Duration::days(1) {
            let wait = back_off_while_busy(7, so_far);
            assert!(wait >= Duration::seconds(24) && wait <= Duration::minutes(12), "{wait}");
            (so_far, asked) = (so_far + wait, asked + 1);
        }
        assert!((100..200).contains(&asked), "{asked}");
    }
}
