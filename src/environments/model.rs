//! Where an Application comes from, and what is left to do.

use std::collections::BTreeMap;

use crate::clock::Moment;
use crate::db::text_enum;

text_enum! {
    /// What was done to an Application last.
    pub enum Made { Clone = "clone", Refresh = "refresh", Reset = "reset" }
}

impl Made {
    /// "Cloned", "Refreshed", "Reset".
    pub fn words(self) -> &'static str {
        match self {
            Self::Clone => "Cloned",
            Self::Refresh => "Refreshed",
            Self::Reset => "Reset",
        }
    }
}

/// An Application that was cloned, refreshed or reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    pub application_id: i64,
    /// What it is a copy of, which may be archived by now.
    pub original_id: Option<i64>,
    pub made: Made,
    /// When; also since when its schedules are off.
    pub at: Moment,
    /// By whom.
    pub member_id: i64,
    pub connections: Chosen,
    /// The rows of how many Blocks were to be copied.
    pub rows_of: i64,
    /// None: rows are still to be copied or removed.
    pub finished_at: Option<Moment>,
    /// Nobody wants to be asked to look at its schedules any more.
    pub dismissed_at: Option<Moment>,
}

/// What a copy reads through instead of a Connection of its original: that one or another. What is not named is not
/// authorised for the copy, and what would read through it says so.
pub type Chosen = BTreeMap<i64, i64>;
