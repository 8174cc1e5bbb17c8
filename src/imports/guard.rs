//! The volume guard: a load that would take the place of all rows is held, and somebody decides, where far fewer rows
//! come than are there. Pure.

use serde::{Deserialize, Serialize};

use crate::words;

/// The usual limit, in per cent.
const USUAL_PERCENT: i64 = 50;
/// A Block with fewer rows than this may lose any share of them; an empty source is held all the same.
const FEW_ROWS: i64 = 20;

/// How much a Block may lose by one load without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Guard {
    /// In per cent of the rows that it holds. `None`: the guard is off.
    pub max_drop_percent: Option<i64>,
}

impl Default for Guard {
    fn default() -> Self {
        Self { max_drop_percent: Some(USUAL_PERCENT) }
    }
}

/// A load that the guard stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// So many rows would take the place
    pub rows: i64,
    /// of so many.
    pub usual: i64,
}

impl Guard {
    pub const OFF: Self = Self { max_drop_percent: None };

    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Whether so many rows may take the place of all those that the Block holds: usually as many come as are there.
    pub fn stops(self, rows: i64, usual: i64) -> Option<Stopped> {
        let percent = self.max_drop_percent?;
        let lost = i128::from(usual) - i128::from(rows);
        let too_many = usual >= FEW_ROWS && lost * 100 > i128::from(usual) * i128::from(percent);
        (usual > 0 && (rows == 0 || too_many)).then_some(Stopped { rows, usual })
    }
}

impl Stopped {
    /// "118 rows came instead of about 4,308."
    pub fn words(self) -> String {
        let usual = words::count(self.usual);
        match self.rows {
            0 => format!("The source has no rows, and the Block holds {usual}."),
            1 => format!("1 row came instead of about {usual}."),
            rows => format!("{} rows came instead of about {usual}.", words::count(rows)),
        }
    }

    /// What is said of the run while nobody has decided.
    pub fn remark(self) -> String {
        format!("{} The Block is unchanged until somebody approves or rejects the load.", self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_falls_below_the_limit_is_stopped() {
        let stops =
            |percent: Option<i64>, rows, usual| Guard { max_drop_percent: percent }.stops(rows, usual).is_some();
        for (percent, rows, usual, stopped) in [
            (Some(50), 50, 100, false),
            (Some(50), 49, 100, true),
            (Some(50), 200, 100, false),
            (Some(50), 9, 20, true),
            (Some(50), 1, 19, false),
            (Some(50), 0, 19, true),
            (Some(50), 0, 0, false),
            (Some(1), 98, 100, true),
            (Some(1), 99, 100, false),
            (Some(100), 1, 1_000_000, false),
            (Some(100), 0, 1, true),
            (Some(50), 1, i64::MAX, true),
            (None, 0, 100, false),
        ] {
            assert_eq!(stops(percent, rows, usual), stopped, "{percent:?} {rows} of {usual}");
        }
    }

    #[test]
    fn off_is_stored_and_the_usual_is_not() {
        assert_eq!(serde_json::to_string(&Guard::OFF).unwrap(), r#"{"max_drop_percent":null}"#);
        assert_eq!(serde_json::from_str::<Guard>(r#"{"max_drop_percent":null}"#).unwrap(), Guard::OFF);
        assert!(serde_json::from_str::<Guard>("{}").unwrap().is_usual());
    }
}
