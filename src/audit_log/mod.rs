//! The audit log as people read it: who changed what, from what, to what; and how things stood on a day. The room below,
//! [`audit`](crate::audit), writes it; this one knows what the things are called, and so stands above them.

mod as_of;
mod body;
mod changes;
mod pages;
mod restoring;
mod scene;
mod words;

pub use as_of::as_of;
pub use body::EntryAnswer;
pub use changes::{of_configuration, of_schedule, of_set, restore};
pub use pages::{csv, show};
pub use restoring::{configuration, configuration_form, set, set_form};
pub use words::{Difference, Names, between};

use chrono::{Datelike, NaiveDate};

use crate::audit::{self, Filter, Recorded};
use crate::db::Conn;
use crate::error::Result;
use crate::members::{By, Scope};

/// The newest entries before an id, for Administrators and Auditors.
pub fn list(conn: &mut Conn, by: &By, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Vec<Recorded>> {
    by.need_scope(Scope::Read)?;
    by.need_sight(conn)?;
    audit::list(conn, filter, before, limit)
}

/// A date as a browser sends it, within those that Tidegate knows.
fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|date| (1970..=2099).contains(&date.year()))
}
