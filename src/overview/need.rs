//! One line of what needs somebody, and the one thing that helps.

use crate::web::Icon;

/// One trouble.
pub struct Need {
    pub class: &'static str,
    pub icon: Icon,
    pub title: String,
    /// Its Summary.
    pub href: String,
    /// The Application, where the page is of several.
    pub application: Option<String>,
    /// The cause, since when, who is on it.
    pub detail: String,
    pub deed: Deed,
    pub rank: Rank,
}

/// Which comes first; of one rank the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Held,
    Failed,
    WillFail,
    Late,
    Partial,
}

/// The one thing that helps.
pub enum Deed {
    /// It is done on another page.
    Go { label: String, href: String, icon: Option<Icon>, leads: bool },
    /// It is done at once.
    Do { label: String, action: String },
}

impl Deed {
    pub fn go(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self::Go { label: label.into(), href: href.into(), icon: None, leads: false }
    }

    pub fn summary(run: i64) -> Self {
        Self::go("View Summary", format!("/runs/{run}"))
    }
}
